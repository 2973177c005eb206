//! A caller of the gateway over plain HTTP, which sees everything that an SDK would hide.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tollgate_core::ids::RequestId;
use ureq::http::Response;
use ureq::{Agent, Body};

/// A caller with its key.
#[derive(Clone, Debug)]
pub struct Client {
    base_url: String,
    key: String,
    agent: Agent,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// A streamed answer as far as it was read.
pub struct Stream {
    pub head: Answer,
    reader: Box<dyn BufRead + Send>,
}

/// The events of a stream.
#[derive(Clone, Debug, Default)]
pub struct Events {
    pub chunks: Vec<Value>,
    pub done: bool,
}

impl Client {
    pub fn new(gateway_url: &str, key: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        Self {
            base_url: gateway_url.to_owned(),
            key: key.to_owned(),
            agent: config.into(),
        }
    }

    /// Asks for a path below the gateway's address.
    pub fn get(&self, path: &str) -> Answer {
        let request = self.agent.get(format!("{}{path}", self.base_url));
        let request = request.header("authorization", format!("Bearer {}", self.key));
        Answer::whole(request.call().unwrap())
    }

    /// Completes a chat.
    pub fn chat(&self, body: &Value) -> Answer {
        Answer::whole(self.send(body))
    }

    /// Completes a chat with an `Idempotency-Key`.
    pub fn chat_named(&self, idempotency_key: &str, body: &Value) -> Answer {
        let request = self
            .agent
            .post(format!("{}/v1/chat/completions", self.base_url))
            .header("authorization", format!("Bearer {}", self.key))
            .header("idempotency-key", idempotency_key)
            .content_type("application/json");
        Answer::whole(request.send(body.to_string()).unwrap())
    }

    /// Completes a chat and hands over the answer as it comes.
    pub fn stream(&self, body: &Value) -> Stream {
        let mut body = body.clone();
        body["stream"] = Value::Bool(true);
        let response = self.send(&body);
        let head = Answer::head(&response);
        let reader = response.into_body().into_with_config().limit(u64::MAX);
        Stream {
            head,
            reader: Box::new(BufReader::new(reader.reader())),
        }
    }

    /// Completes a chat, streamed with usage at the end.
    pub fn stream_with_usage(&self, body: &Value) -> Stream {
        let mut body = body.clone();
        body["stream_options"] = serde_json::json!({"include_usage": true});
        self.stream(&body)
    }

    /// Sends a call and does not wait for its answer. Dropping the connection hangs up.
    pub fn send_only(&self, body: &Value) -> TcpStream {
        let body = body.to_string();
        let length = body.len().to_string();
        let mut connection = self.begin(&[("content-length", &length)]);
        connection.write_all(body.as_bytes()).unwrap();
        connection
    }

    /// Announces a call with these headers, and reads what is answered before a body was sent.
    pub fn announce(&self, headers: &[(&str, &str)]) -> String {
        let mut connection = self.begin(headers);
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    fn begin(&self, headers: &[(&str, &str)]) -> TcpStream {
        let address = self.base_url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address).unwrap();
        let mut head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\nconnection: close\r\n",
            self.key
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        connection.write_all((head + "\r\n").as_bytes()).unwrap();
        connection
    }

    /// What the account has, in nanos: credits, usage, balance, held.
    pub fn credits(&self) -> [i64; 4] {
        let answer = self.get("/v1/credits");
        assert_eq!(answer.status, 200, "{answer:?}");
        let data = &answer.json()["data"];
        ["total_credits", "total_usage", "balance", "held"].map(|name| nanos(&data[name]))
    }

    /// The account's call with this id, as the gateway tells it.
    pub fn generation(&self, id: &str) -> Value {
        let answer = self.get(&format!("/v1/generation?id={id}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["data"].clone()
    }

    fn send(&self, body: &Value) -> Response<Body> {
        let request = self
            .agent
            .post(format!("{}/v1/chat/completions", self.base_url));
        let request = request
            .header("authorization", format!("Bearer {}", self.key))
            .content_type("application/json");
        request.send(body.to_string()).unwrap()
    }
}

impl Answer {
    /// The status and the headers; no body yet.
    pub fn head(response: &Response<Body>) -> Self {
        let headers = response.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Self {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: String::new(),
        }
    }

    /// The whole answer, however long.
    pub fn whole(mut response: Response<Body>) -> Self {
        let head = Self::head(&response);
        let body = response.body_mut().with_config().limit(u64::MAX);
        Self {
            body: body.read_to_string().unwrap(),
            ..head
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The `x-request-id`.
    pub fn request_id(&self) -> &str {
        self.header("x-request-id").unwrap_or_default()
    }

    /// The call's number in the database.
    pub fn request(&self) -> RequestId {
        RequestId::parse(self.request_id()).unwrap_or_else(|| panic!("no id: {self:?}"))
    }

    /// The error's code, or `""` for an answer that is none.
    pub fn error_code(&self) -> String {
        let code = self.json()["error"]["code"].as_str().map(str::to_owned);
        code.unwrap_or_default()
    }
}

impl Stream {
    /// Reads to the end.
    pub fn text(mut self) -> String {
        let mut body = String::new();
        self.reader.read_to_string(&mut body).unwrap();
        body
    }

    /// Reads to the end; the body is the stream's text.
    pub fn answer(self) -> Answer {
        let head = self.head.clone();
        Answer {
            body: self.text(),
            ..head
        }
    }

    /// Reads to the end, as events.
    pub fn events(self) -> Events {
        Events::read(&self.text())
    }

    /// Reads one line; `None` at the end.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).unwrap();
        (read > 0).then_some(line)
    }

    /// Reads until this many chunks with text have come.
    pub fn read_chunks(&mut self, wanted: usize) {
        let mut seen = 0;
        while seen < wanted {
            let line = self.line().expect("more chunks");
            seen += usize::from(line.starts_with("data: {"));
        }
    }
}

impl Events {
    /// Reads the text of a whole stream, as strictly as a parser would.
    pub fn read(text: &str) -> Self {
        let mut events = Self::default();
        for line in text.lines() {
            match line.strip_prefix("data: ") {
                Some("[DONE]") => events.done = true,
                Some(data) => {
                    assert!(!events.done, "data after the end: {data}");
                    events.chunks.push(serde_json::from_str(data).unwrap());
                }
                None => assert!(line.is_empty() || line.starts_with(':'), "{line}"),
            }
        }
        events
    }

    /// The answer's text.
    pub fn text(&self) -> String {
        let texts = self
            .chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
        texts.collect()
    }

    /// The last chunk's usage.
    pub fn usage(&self) -> Option<&Value> {
        self.chunks
            .last()?
            .get("usage")
            .filter(|usage| !usage.is_null())
    }

    /// The error that ended the stream.
    pub fn error(&self) -> Option<&Value> {
        self.chunks.iter().find_map(|chunk| chunk.get("error"))
    }
}

/// An amount of US dollars in nanos; it must be a whole number of them.
pub fn nanos(usd: &Value) -> i64 {
    let nanos = usd.as_f64().unwrap_or_else(|| panic!("no amount: {usd}")) * 1e9;
    let whole = nanos.round();
    assert!((nanos - whole).abs() < 1e-3, "parts of a nano: {usd}");
    whole as i64
}
