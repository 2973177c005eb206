//! A client that reads HTTP/1.1 byte by byte, so that tests see chunks, ends and resets as they are.

use std::io::ErrorKind;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate_simulator::{Config, Simulator};

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// After a complete response.
    Complete,
    /// With an orderly close before the response was complete.
    Closed,
    /// With a reset.
    Reset,
}

/// A response as it came over the wire.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The HTTP chunks, or the body in one piece.
    pub chunks: Vec<Vec<u8>>,
    pub end: End,
}

impl Response {
    pub fn body(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body()).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The JSON of all `data:` lines that hold JSON.
    pub fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter_map(|data| serde_json::from_str(data).ok())
            .collect()
    }

    /// What a stream says, all pieces together.
    pub fn said(&self) -> String {
        let pieces = self.events();
        let content = |event: &Value| {
            event
                .pointer("/choices/0/delta/content")
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        pieces.iter().filter_map(content).collect()
    }
}

/// A simulator with the defaults, except that answers have six tokens.
pub async fn simulator() -> Simulator {
    Simulator::start(Config {
        tokens: 6,
        ..Config::default()
    })
    .await
    .unwrap()
}

/// A chat request; `extra` is merged into it.
pub fn chat(model: &str, text: &str, extra: &Value) -> Value {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": text}]});
    if let (Some(body), Some(extra)) = (body.as_object_mut(), extra.as_object()) {
        body.extend(extra.clone());
    }
    body
}

/// Sends a chat request and reads the response.
pub async fn ask(simulator: &Simulator, body: &Value) -> Response {
    exchange(
        simulator,
        &post("/api/v1/chat/completions", &body.to_string(), ""),
    )
    .await
}

/// A GET with a good key.
pub async fn get(simulator: &Simulator, path: &str) -> Response {
    let request = format!("GET {path} HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer k\r\n\r\n");
    exchange(simulator, &request).await
}

/// A POST with a good key and more header lines.
pub fn post(path: &str, body: &str, headers: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer sk-or-v1-secret-wxyz\r\n\
         {headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a request with these header lines, and no others but those that HTTP demands.
pub async fn send(simulator: &Simulator, line: &str, headers: &str, body: &str) -> Response {
    let length = body.len();
    let request =
        format!("{line} HTTP/1.1\r\nhost: sim\r\n{headers}content-length: {length}\r\n\r\n{body}");
    exchange(simulator, &request).await
}

/// Sends bytes on a new connection and reads one response.
pub async fn exchange(simulator: &Simulator, request: &str) -> Response {
    let mut stream = connect(simulator, request).await;
    read_response(&mut stream).await
}

/// A new connection on which `request` was sent.
pub async fn connect(simulator: &Simulator, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads one response.
pub async fn read_response(stream: &mut TcpStream) -> Response {
    let mut reader = Reader {
        stream,
        bytes: Vec::new(),
        read: 0,
    };
    let mut response = Response {
        status: 0,
        headers: Vec::new(),
        chunks: Vec::new(),
        end: End::Complete,
    };
    response.end = reader
        .fill(&mut response)
        .await
        .err()
        .unwrap_or(End::Complete);
    response
}

struct Reader<'a> {
    stream: &'a mut TcpStream,
    bytes: Vec<u8>,
    read: usize,
}

impl Reader<'_> {
    async fn fill(&mut self, response: &mut Response) -> Result<(), End> {
        let status_line = self.line().await?;
        response.status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            response.headers.push((name.to_owned(), value.to_owned()));
        }
        if response.header("transfer-encoding") == Some("chunked") {
            return self.chunks(response).await;
        }
        let length: usize = response.header("content-length").unwrap().parse().unwrap();
        let taken = self.take(length).await;
        let end = taken.as_ref().err().copied();
        response
            .chunks
            .push(taken.unwrap_or_else(|_| self.bytes[self.read..].to_vec()));
        end.map_or(Ok(()), Err)
    }

    async fn chunks(&mut self, response: &mut Response) -> Result<(), End> {
        loop {
            let size = usize::from_str_radix(&self.line().await?, 16).unwrap();
            let chunk = self.take(size).await?;
            assert_eq!(self.line().await?, "", "a chunk ends with CRLF");
            if size == 0 {
                return Ok(());
            }
            response.chunks.push(chunk);
        }
    }

    async fn line(&mut self) -> Result<String, End> {
        loop {
            let unread = &self.bytes[self.read..];
            if let Some(end) = unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8(unread[..end].to_vec()).unwrap();
                self.read += end + 2;
                return Ok(line);
            }
            self.more().await?;
        }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>, End> {
        while self.bytes.len() < self.read + length {
            self.more().await?;
        }
        let taken = self.bytes[self.read..self.read + length].to_vec();
        self.bytes.drain(..self.read + length);
        self.read = 0;
        Ok(taken)
    }

    async fn more(&mut self) -> Result<(), End> {
        match self.stream.read_buf(&mut self.bytes).await {
            Ok(0) => Err(End::Closed),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(End::Reset),
            Err(error) => panic!("reading: {error}"),
        }
    }
}
