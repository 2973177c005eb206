//! The least of an HTTP/1.1 client that a load generator needs: one kept-alive connection that
//! sends prepared bytes and reads one answer after another. No TLS, no redirects, no retries.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A whole request, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it goes.
    pub address: SocketAddrV4,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Request {
    /// A request with a bearer credential; with a body of JSON it is a POST, else a GET.
    #[must_use]
    pub fn new(address: SocketAddrV4, path: &str, credential: &str, body: Option<&str>) -> Self {
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {credential}\r\n"
        );
        if let Some(body) = body {
            let length = body.len();
            head.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {length}\r\n"
            ));
        }
        head.push_str("\r\n");
        head.push_str(body.unwrap_or_default());
        Self {
            address,
            bytes: head.into_bytes(),
        }
    }
}

/// One connection, opened when it is first used and again after it has failed.
#[derive(Debug)]
pub struct Connection {
    stream: Option<TcpStream>,
    received: Vec<u8>,
    body: Vec<u8>,
}

/// How an answer's head says that its body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    framing: Framing,
    closes: bool,
}

impl Connection {
    /// A connection that is not open yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            stream: None,
            received: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Sends a request and reads the whole answer: its status and its body.
    ///
    /// # Errors
    /// When the connection fails or the answer is not HTTP/1.1; the next request opens it anew.
    pub fn exchange(&mut self, request: &Request) -> io::Result<(u16, &[u8])> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(request.address)?,
        };
        stream.write_all(&request.bytes)?;
        let head = self.read(&mut stream)?;
        if !head.closes {
            self.stream = Some(stream);
        }
        Ok((head.status, &self.body))
    }

    fn read(&mut self, stream: &mut TcpStream) -> io::Result<Head> {
        self.received.clear();
        self.body.clear();
        let mut at = loop {
            match find(&self.received, b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => fill(stream, &mut self.received)?,
            }
        };
        let head = read_head(&self.received[..at])
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "no HTTP/1.1 answer"))?;
        match head.framing {
            Framing::Length(length) => {
                while self.received.len() < at + length {
                    fill(stream, &mut self.received)?;
                }
                self.body.extend_from_slice(&self.received[at..at + length]);
            }
            Framing::Chunked => loop {
                match read_chunk(&self.received[at..])? {
                    Some((data, next)) => {
                        let last = data.is_empty();
                        self.body.extend_from_slice(data);
                        at += next;
                        if last {
                            break;
                        }
                    }
                    None => fill(stream, &mut self.received)?,
                }
            },
        }
        Ok(head)
    }
}

fn open(address: SocketAddrV4) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn fill(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 16 * 1024];
    match stream.read(&mut part)? {
        0 => Err(io::Error::new(
            ErrorKind::UnexpectedEof,
            "the connection ended early",
        )),
        length => {
            received.extend_from_slice(&part[..length]);
            Ok(())
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// Reads a head that ends in an empty line; `None` when it is not one that this client can follow.
fn read_head(bytes: &[u8]) -> Option<Head> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let mut framing = None;
    let mut closes = false;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            framing = Some(Framing::Length(value.parse().ok()?));
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            framing = Some(Framing::Chunked);
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.eq_ignore_ascii_case("close");
        }
    }
    Some(Head {
        status: status.parse().ok()?,
        framing: framing?,
        closes,
    })
}

/// The data of a whole chunk and where the next one begins; `None` while it is not complete. The
/// last chunk has no data.
fn read_chunk(bytes: &[u8]) -> io::Result<Option<(&[u8], usize)>> {
    let Some(line) = find(bytes, b"\r\n") else {
        return Ok(None);
    };
    let size = std::str::from_utf8(&bytes[..line])
        .ok()
        .and_then(|size| usize::from_str_radix(size.split(';').next()?.trim(), 16).ok())
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "no size of a chunk"))?;
    let (start, end) = (line + 2, line + 2 + size);
    let data = bytes.get(start..end).filter(|_| bytes.len() >= end + 2);
    Ok(data.map(|data| (data, end + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_head_says() {
        let check = |head: &str, expect: Option<(u16, Framing, bool)>| {
            let expect = expect.map(|(status, framing, closes)| Head {
                status,
                framing,
                closes,
            });
            assert_eq!(read_head(head.as_bytes()), expect, "{head}");
        };
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            Some((200, Framing::Length(5), false)),
        );
        check(
            "HTTP/1.1 429 Too Many\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
            Some((429, Framing::Chunked, true)),
        );
        check("HTTP/1.1 200 OK\r\n\r\n", None);
        check("HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\n", None);
        check("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", None);
    }

    #[test]
    fn a_chunk_is_read_once_all_of_it_is_there() {
        let check = |bytes: &str, expect: Option<(&str, usize)>| {
            let expect = expect.map(|(data, next)| (data.as_bytes(), next));
            assert_eq!(read_chunk(bytes.as_bytes()).unwrap(), expect, "{bytes}");
        };
        check("", None);
        check("5", None);
        check("5\r\nhel", None);
        check("5\r\nhello\r", None);
        check("5\r\nhello\r\n0\r\n\r\n", Some(("hello", 10)));
        check("A;x=y\r\n0123456789\r\n", Some(("0123456789", 19)));
        check("0\r\n\r\n", Some(("", 5)));
        assert!(read_chunk(b"z\r\n").is_err());
    }
}
