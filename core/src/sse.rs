//! Server-sent events out of bytes that arrive in any pieces (the WHATWG event stream format).
//! No I/O: bytes in, events out. Event names, ids and retry times are ignored, since no provider's
//! chat stream needs them.

use crate::json::search;

/// One thing that the stream said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A comment: a sign of life. Its text is the provider's own and is not given on.
    Comment,
    /// The data of one event, its lines joined by line feeds.
    Data(&'a str),
}

/// Why the stream cannot be read further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// One event or line is larger than the decoder's limit.
    TooLarge,
    /// The data of an event is not UTF-8.
    NotUtf8,
}

/// What was left when the stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// Nothing: the last event was complete.
    Clean,
    /// The data of an event that lacks its closing blank line, as far as it came. It may be cut
    /// anywhere, so it may be read for usage but not relayed.
    Unfinished(&'a str),
}

/// Turns pieces of a stream into events. After a fault it returns that fault for ever.
#[derive(Debug)]
pub struct Decoder {
    max_event_bytes: usize,
    /// The line that is not ended yet.
    line: Vec<u8>,
    /// The data of the event that is not ended yet; each of its lines ends in a line feed.
    data: Vec<u8>,
    after_carriage_return: bool,
    at_first_line: bool,
    fault: Option<Fault>,
}

impl Decoder {
    /// A decoder at the beginning of a stream that buffers at most about `max_event_bytes`.
    #[must_use]
    pub const fn new(max_event_bytes: usize) -> Self {
        Self {
            max_event_bytes,
            line: Vec::new(),
            data: Vec::new(),
            after_carriage_return: false,
            at_first_line: true,
            fault: None,
        }
    }

    /// Takes the next bytes and calls `on_event` for each event that they complete.
    pub fn push(&mut self, bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let result = self.take(bytes, &mut on_event);
        self.fault = result.err();
        result
    }

    /// The end of the stream: whether an event was left unfinished. An event that is not UTF-8,
    /// and whatever a fault left behind, counts as unfinished and empty.
    #[must_use]
    pub fn finish(&mut self) -> End<'_> {
        if self.fault.is_some() {
            // How much of the faulty event is kept depends on how the bytes arrived.
            return End::Unfinished("");
        }
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            if let Some(value) = field_data(&line) {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
        } else if self.data.is_empty() {
            return End::Clean;
        }
        let data = self.data.strip_suffix(b"\n").unwrap_or(&self.data);
        End::Unfinished(std::str::from_utf8(data).unwrap_or_default())
    }

    fn take(&mut self, bytes: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<(), Fault> {
        let mut rest = bytes;
        if self.after_carriage_return && !rest.is_empty() {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            self.after_carriage_return = false;
        }
        loop {
            let (line, end) = rest.split_at(line_length(rest));
            if end.is_empty() {
                break;
            }
            rest = match end {
                [b'\r', b'\n', after @ ..] => after,
                [_, after @ ..] => {
                    // The line feed of a CRLF may be the first byte of the next piece.
                    self.after_carriage_return = after.is_empty() && end.starts_with(b"\r");
                    after
                }
                [] => end,
            };
            self.check_size(line)?;
            if self.line.is_empty() {
                self.end_line(line, on_event)?;
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.end_line(&whole, on_event)?;
                whole.clear();
                self.line = whole;
            }
        }
        self.check_size(rest)?;
        self.line.extend_from_slice(rest);
        Ok(())
    }

    fn check_size(&self, more: &[u8]) -> Result<(), Fault> {
        let size = self
            .line
            .len()
            .saturating_add(self.data.len())
            .saturating_add(more.len());
        if size > self.max_event_bytes {
            return Err(Fault::TooLarge);
        }
        Ok(())
    }

    fn end_line(&mut self, line: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<(), Fault> {
        let line = if self.at_first_line {
            self.at_first_line = false;
            line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
        } else {
            line
        };
        if line.is_empty() {
            return self.end_event(on_event);
        }
        if line.starts_with(b":") {
            on_event(Event::Comment);
        } else if let Some(value) = field_data(line) {
            self.data.extend_from_slice(value);
            self.data.push(b'\n');
        }
        Ok(())
    }

    fn end_event(&mut self, on_event: &mut impl FnMut(Event<'_>)) -> Result<(), Fault> {
        if let Some(data) = self.data.strip_suffix(b"\n") {
            on_event(Event::Data(
                std::str::from_utf8(data).map_err(|_| Fault::NotUtf8)?,
            ));
            self.data.clear();
        }
        Ok(())
    }
}

/// The offset of the first line end, or the length.
fn line_length(bytes: &[u8]) -> usize {
    let marks = |word| search::equal(word, 0x0A) | search::equal(word, 0x0D);
    search::first(bytes, marks, |byte| matches!(byte, b'\n' | b'\r'))
}

/// The value of a `data` line; `None` for any other line.
fn field_data(line: &[u8]) -> Option<&[u8]> {
    let value = line.strip_prefix(b"data")?;
    match value {
        [] => Some(value),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Heard {
        events: Vec<String>,
        fault: Option<Fault>,
        unfinished: Option<String>,
    }

    fn hear(pieces: &[&[u8]], max_event_bytes: usize) -> Heard {
        let mut decoder = Decoder::new(max_event_bytes);
        let mut events = Vec::new();
        let mut fault = None;
        for piece in pieces {
            let result = decoder.push(piece, |event| {
                events.push(match event {
                    Event::Comment => ":".to_owned(),
                    Event::Data(data) => data.to_owned(),
                });
            });
            if let Err(seen) = result {
                assert_eq!(
                    decoder.push(b"data: x\n\n", |_| panic!("poisoned")),
                    Err(seen)
                );
                fault = Some(seen);
                break;
            }
        }
        let unfinished = match decoder.finish() {
            End::Clean => None,
            End::Unfinished(data) => Some(data.to_owned()),
        };
        Heard {
            events,
            fault,
            unfinished,
        }
    }

    /// Whole, split in two at every byte, and byte by byte: always the same.
    fn check(stream: &[u8], events: &[&str], fault: Option<Fault>, unfinished: Option<&str>) {
        let expect = Heard {
            events: events.iter().map(|data| (*data).to_owned()).collect(),
            fault,
            unfinished: unfinished.map(str::to_owned),
        };
        let shown = String::from_utf8_lossy(stream);
        assert_eq!(hear(&[stream], 64), expect, "{shown}");
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(hear(&[head, tail], 64), expect, "{shown} split at {at}");
            assert_eq!(
                hear(&[head, b"", tail], 64),
                expect,
                "{shown} split at {at}"
            );
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(hear(&bytes, 64), expect, "{shown} byte by byte");
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_split() {
        check(b"", &[], None, None);
        check(b"data: a\n\ndata: b\n\n", &["a", "b"], None, None);
        check(b"data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"], None, None);
        check(b"data: a\r\rdata: b\r\r", &["a", "b"], None, None);
        check(b"data: a\r\n\ndata: b\n\r\n", &["a", "b"], None, None);
        check(b"\xEF\xBB\xBFdata: a\n\n", &["a"], None, None);
        check(b"data: a\n\n\xEF\xBB\xBFdata: b\n\n", &["a"], None, None);
        check(b"data: a\r\ndata: b\r\n\r\n", &["a\nb"], None, None);
        check(
            b": OPENROUTER PROCESSING\n\ndata: a\n\n:\n\n",
            &[":", "a", ":"],
            None,
            None,
        );
        check(b"data: a\n: hi\ndata: b\n\n", &[":", "a\nb"], None, None);
        check(
            b"data:a\ndata:  b\ndata\ndata:\n\n",
            &["a\n b\n\n"],
            None,
            None,
        );
        check(b"data\n\ndata:\n\n", &["", ""], None, None);
        check(b"\n\n\ndata: a\n\n\n\n", &["a"], None, None);
        check(
            b"event: x\nid: 1\nretry: 5\ndatax: no\ndata: a\n\n",
            &["a"],
            None,
            None,
        );
        check(
            "data: h\u{e9}\u{1F600}\u{4e2d}\n\n".as_bytes(),
            &["hé😀中"],
            None,
            None,
        );
        check(
            b"data: {\"a\":\"b\"}\n\ndata: [DONE]\n\n",
            &["{\"a\":\"b\"}", "[DONE]"],
            None,
            None,
        );
    }

    #[test]
    fn an_event_without_its_blank_line_is_not_mistaken_for_a_whole_one() {
        check(b"data: a\n\ndata: b\n", &["a"], None, Some("b"));
        check(b"data: a\n\ndata: b", &["a"], None, Some("b"));
        check(b"data: a\ndata: b", &[], None, Some("a\nb"));
        check(b"data: a\n\nda", &["a"], None, Some(""));
        check(b"data: a\n\ndata: \xC3", &["a"], None, Some(""));
        check(b"data: a\n\n: b", &["a"], None, Some(""));
    }

    #[test]
    fn what_cannot_be_read_stops_the_stream_for_good() {
        check(
            b"data: a\n\ndata: \xFF\n\n",
            &["a"],
            Some(Fault::NotUtf8),
            Some(""),
        );
        check(
            b"data: \xC3\n\ndata: a\n\n",
            &[],
            Some(Fault::NotUtf8),
            Some(""),
        );
        let line = [b"data: a\n\ndata: ".as_slice(), &[b'x'; 80]].concat();
        check(&line, &["a"], Some(Fault::TooLarge), Some(""));
        let lines = b"data: 0123456789\n".repeat(8);
        check(&lines, &[], Some(Fault::TooLarge), Some(""));
        let event = [b"data: a\ndata: ".as_slice(), &[b'x'; 80], b"\n\n"].concat();
        check(&event, &[], Some(Fault::TooLarge), Some(""));
        check(
            &b"data: 0123456789\n\n".repeat(8),
            &["0123456789"; 8],
            None,
            None,
        );
    }
}
