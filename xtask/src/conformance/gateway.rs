//! The gateway under test over plain HTTP: nothing but the address that was given is ever asked,
//! redirects and proxies included, and the key is never printed. What an answer means is not in here.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::failure::{Failure, OrFail};

/// How long a call may take, its answer included.
const TIMEOUT: Duration = Duration::from_mins(5);
/// The most that is read of an answer or a line of one; lists of models are a few megabytes.
const MOST_BYTES: u64 = 64 << 20;

/// A gateway and one key of it.
#[derive(Clone)]
pub struct Gateway {
    base_url: String,
    key: String,
    agent: Agent,
    calls: Arc<AtomicU64>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its JSON; `null` when it is none.
    pub body: Value,
    /// The headers that name the call.
    pub ids: Vec<String>,
}

/// A streamed answer as far as it was read. Dropping it closes the connection.
pub struct Stream {
    /// The status and the ids; the body is there only for what is no stream.
    pub head: Answer,
    reader: Box<dyn BufRead + Send>,
}

/// One event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A chunk.
    Chunk(Value),
    /// `[DONE]`.
    Done,
}

impl Gateway {
    /// The gateway at an address such as `https://gateway.example/v1`. Nothing is sent yet.
    ///
    /// # Errors
    /// When it is no HTTP address.
    pub fn new(base_url: &str, key: &str) -> Result<Self, Failure> {
        let base_url = base_url.trim_end_matches('/');
        if !base_url.starts_with("http://") && !base_url.starts_with("https://") {
            return Err(Failure::new(format!("`{base_url}` is no HTTP address"))
                .hint("the base URL is what an OpenAI SDK is given, such as `https://gateway.example/v1`"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .build();
        Ok(Self {
            base_url: base_url.to_owned(),
            key: key.to_owned(),
            agent: config.into(),
            calls: Arc::default(),
        })
    }

    /// The address.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// How many completions were asked for.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Asks for a path below the address, such as `credits`.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn get(&self, path: &str) -> Result<Answer, Failure> {
        let request = self.agent.get(format!("{}/{path}", self.base_url));
        let request = request.header("authorization", format!("Bearer {}", self.key));
        let response = request.call().or_fail(|| format!("`GET {path}`"))?;
        whole(response)
    }

    /// Asks for a completion.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn post(&self, body: &str, idempotency_key: Option<&str>) -> Result<Answer, Failure> {
        whole(self.send(body, idempotency_key)?)
    }

    /// Asks for a completion and hands over the answer as it comes. What is no stream is read.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn stream(&self, body: &str) -> Result<Stream, Failure> {
        let response = self.send(body, None)?;
        let head = head(&response);
        if head.status != 200 {
            let head = whole(response)?;
            let reader = Box::new(std::io::empty());
            return Ok(Stream { head, reader });
        }
        let body = response.into_body().into_with_config().limit(MOST_BYTES);
        Ok(Stream {
            head,
            reader: Box::new(BufReader::new(body.reader())),
        })
    }

    fn send(&self, body: &str, idempotency_key: Option<&str>) -> Result<Response<Body>, Failure> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut request = self
            .agent
            .post(format!("{}/chat/completions", self.base_url))
            .header("authorization", format!("Bearer {}", self.key))
            .content_type("application/json");
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        request
            .send(body)
            .or_fail(|| "`POST chat/completions`".to_owned())
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl Stream {
    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks or a line is not what a stream has.
    pub fn next(&mut self) -> Result<Option<Event>, Failure> {
        let what = || "the stream".to_owned();
        let mut line = String::new();
        loop {
            line.clear();
            let mut part = self.reader.by_ref().take(MOST_BYTES);
            if part.read_line(&mut line).or_fail(what)? == 0 {
                return Ok(None);
            }
            let Some(data) = line.trim_end().strip_prefix("data:") else {
                continue;
            };
            return match data.trim_start() {
                "[DONE]" => Ok(Some(Event::Done)),
                data => serde_json::from_str(data)
                    .map(|chunk| Some(Event::Chunk(chunk)))
                    .or_fail(what),
            };
        }
    }
}

fn head(response: &Response<Body>) -> Answer {
    let ids = ["x-generation-id", "x-request-id"].iter();
    let ids = ids.filter_map(|name| response.headers().get(*name)?.to_str().ok());
    Answer {
        status: response.status().as_u16(),
        body: Value::Null,
        ids: ids.map(str::to_owned).collect(),
    }
}

fn whole(mut response: Response<Body>) -> Result<Answer, Failure> {
    let head = head(&response);
    let body = response.body_mut().with_config().limit(MOST_BYTES);
    let body = body.read_to_vec().or_fail(|| "the answer".to_owned())?;
    Ok(Answer {
        body: serde_json::from_slice(&body).unwrap_or_default(),
        ..head
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_key_is_never_printed() {
        let gateway = Gateway::new("https://gateway.example/v1/", "secret").unwrap();
        let printed = format!("{gateway:?} {:?}", gateway.get(" "));
        assert!(!printed.contains("secret"), "{printed}");
        assert_eq!(gateway.base_url(), "https://gateway.example/v1");
        assert!(Gateway::new("gateway.example", "secret").is_err());
    }

    #[test]
    fn a_redirect_is_an_answer_and_takes_no_key_elsewhere() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let head = format!(
                "HTTP/1.1 307 -\r\nlocation: http://{address}/elsewhere\r\ncontent-length: 0\r\n\r\n"
            );
            connection.write_all(head.as_bytes()).unwrap();
            let mut asked = String::new();
            let _ = connection.read_to_string(&mut asked);
            listener.set_nonblocking(true).unwrap();
            (asked, listener.accept().is_err())
        });
        let gateway = Gateway::new(&format!("http://{address}"), "secret").unwrap();
        assert_eq!(gateway.get("credits").unwrap().status, 307);
        let (asked, alone) = server.join().unwrap();
        assert!(asked.starts_with("GET /credits "), "{asked}");
        assert!(alone, "somebody was asked again");
    }
}
