//! The decoder of server-sent events: the same events, the same fault and the same end however the
//! bytes arrive, and they are what a naive reading of the standard finds.

use tollgate_core::sse::{Decoder, End, Event, Fault};

use crate::pieces::cuts;

/// Limits of one event in bytes: one that inputs exceed, and one that they do not.
const LIMITS: [usize; 2] = [48, 1 << 20];

/// What a decoder said of a stream.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    /// The data of each event; `None` for a comment.
    events: Vec<Option<String>>,
    fault: Option<Fault>,
    /// Data without its closing blank line.
    unfinished: Option<String>,
}

/// Checks the decoder on a stream.
///
/// # Panics
/// When a property is broken.
pub fn check(stream: &[u8]) {
    for limit in LIMITS {
        let [whole, others @ ..] = cuts(stream);
        let expect = hear(&whole, limit);
        for pieces in others {
            assert_eq!(hear(&pieces, limit), expect, "cut into {pieces:?}");
        }
        if expect.fault == Some(Fault::TooLarge) {
            assert!(stream.len() > limit, "too large at {}", stream.len());
        } else {
            assert_eq!(expect.events, naive(stream), "{:?}", expect.fault);
        }
    }
}

fn hear(pieces: &[&[u8]], limit: usize) -> Heard {
    let mut decoder = Decoder::new(limit);
    let mut events = Vec::new();
    let mut fault = None;
    for piece in pieces {
        let result = decoder.push(piece, |event| {
            assert_eq!(fault, None, "an event after a fault");
            events.push(match event {
                Event::Comment => None,
                Event::Data(data) => {
                    assert!(data.len() <= limit, "an event of {} bytes", data.len());
                    Some(data.to_owned())
                }
            });
        });
        assert!(fault.is_none() || result == Err(fault.expect("a fault")));
        fault = result.err();
    }
    let unfinished = match decoder.finish() {
        End::Clean => None,
        End::Unfinished(data) => Some(data.to_owned()),
    };
    if fault.is_some() {
        assert_eq!(unfinished.as_deref(), Some(""), "the end after {fault:?}");
    }
    Heard {
        events,
        fault,
        unfinished,
    }
}

/// The events of a whole stream, read as the standard words it (WHATWG HTML, 9.2.6), up to data
/// that is not UTF-8.
pub(crate) fn naive(stream: &[u8]) -> Vec<Option<String>> {
    let stream = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    let mut events = Vec::new();
    let mut data: Option<Vec<u8>> = None;
    for line in ended_lines(stream) {
        if line.is_empty() {
            match data.take().map(String::from_utf8) {
                Some(Ok(data)) => events.push(Some(data)),
                Some(Err(_)) => break,
                None => {}
            }
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match (field, &mut data) {
            (b"", _) => events.push(None),
            (b"data", Some(lines)) => {
                lines.push(b'\n');
                lines.extend_from_slice(value);
            }
            (b"data", None) => data = Some(value.to_vec()),
            _ => {}
        }
    }
    events
}

/// The lines that have an end: CR, LF or both.
fn ended_lines(stream: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < stream.len() {
        if matches!(stream[at], b'\r' | b'\n') {
            lines.push(&stream[start..at]);
            at += usize::from(stream[at..].starts_with(b"\r\n"));
            start = at + 1;
        }
        at += 1;
    }
    lines
}
