//! One call over a plain socket: what arrives is seen as it comes, and hanging up is one `drop`. A
//! connection that breaks is an error here, not the end of the campaign.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Longer than anything that the gateway waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A call that was sent. Dropping it hangs up.
#[derive(Debug)]
pub struct Connection {
    reader: BufReader<TcpStream>,
    framing: Framing,
    unread: Vec<u8>,
}

/// How the end of the body is told.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Chunked,
    Length(usize),
    Ended,
}

/// The status and the headers of an answer, their names in lower case.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Connection {
    /// Sends a chat completion to `address`, and waits for nothing.
    pub fn send(address: &str, key: &str, body: &Value) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let body = body.to_string();
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        (&stream).write_all(request.as_bytes())?;
        Ok(Self {
            reader: BufReader::new(stream),
            framing: Framing::Ended,
            unread: Vec::new(),
        })
    }

    /// Waits for the head of the answer.
    pub fn head(&mut self) -> Result<Head> {
        let mut head = Head::default();
        let status_line = self.header_line()?;
        let status = status_line.split(' ').nth(1).unwrap_or_default();
        head.status = status
            .parse()
            .map_err(|_| Error::other(format!("no status: {status_line}")))?;
        loop {
            let line = self.header_line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let name = name.to_ascii_lowercase();
            head.headers.push((name, value.trim().to_owned()));
        }
        self.framing = if head.header("transfer-encoding") == Some("chunked") {
            Framing::Chunked
        } else {
            let length = head.header("content-length").unwrap_or("0");
            Framing::Length(length.parse().map_err(Error::other)?)
        };
        Ok(head)
    }

    /// Waits for the next event of a stream: its data. `None` is the end.
    pub fn event(&mut self) -> Result<Option<String>> {
        loop {
            let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') else {
                if !self.fill()? {
                    return Ok(None);
                }
                continue;
            };
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if let Some(data) = line.strip_prefix("data: ") {
                return Ok(Some(data.trim_end().to_owned()));
            }
        }
    }

    /// Waits for the whole body.
    pub fn body(mut self) -> Result<String> {
        while self.fill()? {}
        String::from_utf8(self.unread).map_err(Error::other)
    }

    /// Reads more of the body; false at its end.
    fn fill(&mut self) -> Result<bool> {
        match self.framing {
            Framing::Ended => Ok(false),
            Framing::Length(length) => {
                self.take(length)?;
                self.framing = Framing::Ended;
                Ok(length > 0)
            }
            Framing::Chunked => {
                let size = self.header_line()?;
                let size = usize::from_str_radix(&size, 16).map_err(Error::other)?;
                self.take(size)?;
                self.header_line()?;
                if size == 0 {
                    self.framing = Framing::Ended;
                }
                Ok(size > 0)
            }
        }
    }

    fn take(&mut self, length: usize) -> Result<()> {
        let from = self.unread.len();
        self.unread.resize(from + length, 0);
        self.reader.read_exact(&mut self.unread[from..])
    }

    fn header_line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
