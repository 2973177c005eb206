//! A caller of the stand-in, and an endpoint that receives its webhooks.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tollgate_simulator::stripe::outbox::Webhook;
use tollgate_simulator::stripe::{SECRET_KEY, VERSION};
use tollgate_simulator::{Config, Simulator};
use url::form_urlencoded::Serializer;

use crate::client::{Response, exchange};

pub const SECRET: &str = "whsec_test";

/// A session for a pack of 20 USD.
pub const PACK: &[(&str, &str)] = &[
    ("mode", "payment"),
    (
        "success_url",
        "http://shop/done?session={CHECKOUT_SESSION_ID}",
    ),
    ("cancel_url", "http://shop/cancelled"),
    ("client_reference_id", "ord_1"),
    ("metadata[order_id]", "ord_1"),
    ("payment_intent_data[metadata][order_id]", "ord_1"),
    ("line_items[0][price_data][currency]", "usd"),
    ("line_items[0][price_data][unit_amount]", "2000"),
    (
        "line_items[0][price_data][product_data][name]",
        "20 credits",
    ),
    ("line_items[0][quantity]", "1"),
];

pub async fn simulator() -> Simulator {
    Simulator::start(Config::default()).await.unwrap()
}

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Any request to the stand-in with a key and a version.
pub async fn request(
    simulator: &Simulator,
    (method, path): (&str, &str),
    fields: &[(&str, &str)],
    headers: &str,
) -> Response {
    let (path, body) = match method {
        "POST" => (path.to_owned(), form(fields)),
        _ => (format!("{path}?{}", form(fields)), String::new()),
    };
    let request = format!(
        "{method} /stripe{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {SECRET_KEY}\r\n\
         stripe-version: {VERSION}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         {headers}content-length: {}\r\n\r\n{body}",
        simulator.address(),
        body.len()
    );
    exchange(simulator, &request).await
}

/// A call that succeeds.
pub async fn post(simulator: &Simulator, path: &str, fields: &[(&str, &str)]) -> Value {
    let response = request(simulator, ("POST", path), fields, "").await;
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    response.json()
}

/// A look-up that succeeds.
pub async fn get(simulator: &Simulator, path: &str, fields: &[(&str, &str)]) -> Value {
    let response = request(simulator, ("GET", path), fields, "").await;
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    response.json()
}

/// A control that succeeds: `POST /dispute?…` is `control(…, "POST", "/dispute", …)`.
pub async fn control(
    simulator: &Simulator,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> Value {
    let request = format!(
        "{method} /_sim/stripe{path}?{} HTTP/1.1\r\nhost: {}\r\n\r\n",
        form(fields),
        simulator.address()
    );
    let response = exchange(simulator, &request).await;
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    response.json()
}

/// Presses a button of a hosted page; the path is that of its address.
pub async fn press(simulator: &Simulator, page: &str, fields: &[(&str, &str)]) -> Response {
    let path = page.split_once("/stripe").unwrap().1;
    request(simulator, ("POST", path), fields, "").await
}

/// A pack that was paid with a card, as the paid session.
pub async fn buy(simulator: &Simulator, more: &[(&str, &str)], card: &str) -> Value {
    let session = post(simulator, "/v1/checkout/sessions", &[PACK, more].concat()).await;
    let page = session["url"].as_str().unwrap();
    let paid = press(simulator, page, &[("action", "pay"), ("card", card)]).await;
    assert_eq!(paid.status, 303, "{}", paid.text());
    let id = session["id"].as_str().unwrap();
    get(simulator, &format!("/v1/checkout/sessions/{id}"), &[]).await
}

/// The types of all events so far.
pub async fn events(simulator: &Simulator) -> Vec<String> {
    let events = control(simulator, "GET", "/events", &[]).await;
    let kinds = events["events"].as_array().unwrap().iter();
    kinds
        .map(|event| event["event"]["type"].as_str().unwrap().to_owned())
        .collect()
}

/// A webhook as it arrived.
#[derive(Debug)]
pub struct Arrived {
    pub signature: String,
    pub body: String,
}

impl Arrived {
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().to_owned()
    }
}

/// An endpoint that notes webhooks and answers as it is told: with each of the statuses, then 200.
pub struct Endpoint {
    pub url: String,
    arrived: UnboundedReceiver<Arrived>,
    accepting: AbortHandle,
}

impl Endpoint {
    pub async fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/stripe/webhook", listener.local_addr().unwrap());
        let (sender, arrived) = unbounded_channel();
        let accepting = tokio::spawn(async move {
            let mut statuses = statuses.iter();
            while let Ok((stream, _)) = listener.accept().await {
                let status = statuses.next().copied().unwrap_or(200);
                receive(stream, status, &sender).await;
            }
        });
        Self {
            url,
            arrived,
            accepting: accepting.abort_handle(),
        }
    }

    pub fn webhook(&self) -> Webhook {
        Webhook {
            url: self.url.clone(),
            secret: SECRET.to_owned(),
        }
    }

    /// A simulator that delivers here.
    pub async fn simulator(&self) -> Simulator {
        Simulator::start(Config {
            stripe_webhook: Some(self.webhook()),
            ..Config::default()
        })
        .await
        .unwrap()
    }

    /// All that arrived by now.
    pub fn taken(&mut self) -> Vec<Arrived> {
        std::iter::from_fn(|| self.arrived.try_recv().ok()).collect()
    }

    /// The types of all that arrived by now.
    pub fn kinds(&mut self) -> Vec<String> {
        self.taken().iter().map(Arrived::kind).collect()
    }

    /// The next that arrives.
    pub async fn next(&mut self) -> Arrived {
        self.arrived.recv().await.unwrap()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn receive(stream: TcpStream, status: u16, sender: &UnboundedSender<Arrived>) {
    let mut stream = BufReader::new(stream);
    let (mut length, mut signature) = (0, String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap() == 0 {
            return;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line == "\r\n" {
                break;
            }
            continue;
        };
        match name {
            "content-length" => length = value.parse().unwrap(),
            "stripe-signature" => value.clone_into(&mut signature),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let body = String::from_utf8(body).unwrap();
    sender.send(Arrived { signature, body }).unwrap();
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
}
