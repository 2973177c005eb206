//! Sends what the outbox has, one after the other unless told otherwise, over plain HTTP.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::outbox::{Attempt, Delivery, Next};
use super::signature;
use crate::World;

/// How long an endpoint may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error("the webhook URL is not an http URL with a host")]
    Url,
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    #[error("no answer: {0}")]
    Http(#[from] hyper::Error),
    #[error("cannot write the request: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("no answer in time")]
    Slow,
}

/// Sends for ever; what is under way ends when this future is dropped.
pub async fn run(world: Arc<World>) {
    let mut parallel = JoinSet::new();
    loop {
        while parallel.try_join_next().is_some() {}
        let news = world.stripe().changed.notified();
        let (next, in_parallel) = {
            let mut state = world.stripe().state();
            (
                state.outbox.next(Instant::now()),
                state.outbox.switches.parallel,
            )
        };
        match next {
            Next::Send(delivery) if in_parallel => {
                parallel.spawn(deliver(Arc::clone(&world), delivery));
            }
            Next::Send(delivery) => deliver(Arc::clone(&world), delivery).await,
            Next::Wait(None) => news.await,
            // Something new, or the time has come: both are looked at above.
            Next::Wait(Some(due)) => {
                let _ = tokio::time::timeout_at(due, news).await;
            }
        }
    }
}

async fn deliver(world: Arc<World>, delivery: Delivery) {
    let now = Timestamp::now().as_second();
    let (message, flaw) = {
        let mut state = world.stripe().state();
        let flaw = state.outbox.flaw();
        let event = state.objects.events.get(&delivery.event);
        let body = event.map(|event| event.json().to_string());
        (state.outbox.webhook.clone().zip(body), flaw)
    };
    // Without one of them, everything was forgotten meanwhile.
    let sent = match message {
        Some((webhook, body)) => {
            let header = signature::header(&webhook.secret, now, &body, flaw);
            let sending = post(&webhook.url, header, body);
            timeout(PATIENCE, sending)
                .await
                .unwrap_or(Err(Unsent::Slow))
        }
        None => Err(Unsent::Url),
    };
    let attempt = Attempt {
        at: now,
        status: sent.as_ref().ok().copied(),
        error: sent.err().map(|error| error.to_string()),
        flaw: flaw.map(signature::Flaw::name),
    };
    world
        .stripe()
        .state()
        .outbox
        .ended(delivery, attempt, Instant::now());
    world.stripe().changed.notify_waiters();
}

async fn post(url: &str, signature: String, body: String) -> Result<u16, Unsent> {
    let url: Uri = url.parse().map_err(|_| Unsent::Url)?;
    let host = url.host().ok_or(Unsent::Url)?;
    let authority = url.authority().ok_or(Unsent::Url)?;
    if url.scheme_str() != Some("http") {
        return Err(Unsent::Url);
    }
    let stream = TcpStream::connect((host, url.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::post(path)
        .header(HOST, authority.as_str())
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header(
            "user-agent",
            "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        )
        .header("stripe-signature", signature)
        .body(Full::new(Bytes::from(body)))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    // An endpoint that answers has done its work only when all of the answer is there.
    response.into_body().collect().await?;
    Ok(status)
}
