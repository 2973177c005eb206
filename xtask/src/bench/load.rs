//! Load: connections that each send one call after another for a while, a thread each. An answer
//! that is not what was asked for is an error, by its status and code.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::http::{Connection, Request};
use super::statistics::Latency;

/// How long a cell takes.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    /// Calls that begin in this time are not measured.
    pub warm_up: Duration,
    /// Calls that end in the time after it are.
    pub measured: Duration,
}

/// What a load was met with.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Load {
    /// Good answers a second.
    pub requests_per_second: f64,
    /// How long the good ones took, from sending to the last byte.
    #[serde(flatten)]
    pub latency: Latency,
    /// Errors by what they say, those of the warm-up too.
    pub errors: BTreeMap<String, u64>,
    /// Answers in all, those of the warm-up too.
    #[serde(skip)]
    pub answers: u64,
}

/// What one connection met with.
#[derive(Default)]
struct Lane {
    durations: Vec<Duration>,
    errors: BTreeMap<String, u64>,
    answers: u64,
}

/// Sends the same request over so many connections. A streamed answer is good once it has ended
/// with its `[DONE]` and without an error in it.
#[must_use]
pub fn run(request: &Request, streamed: bool, connections: usize, lengths: Lengths) -> Load {
    let begin = Instant::now() + lengths.warm_up;
    let end = begin + lengths.measured;
    let lanes: Vec<Lane> = thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| scope.spawn(move || lane(request, streamed, begin..end)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(Result::unwrap_or_default).collect()
    });
    let mut load = Load::default();
    let mut durations = Vec::new();
    for lane in lanes {
        durations.extend(lane.durations);
        load.answers += lane.answers;
        for (what, count) in lane.errors {
            *load.errors.entry(what).or_default() += count;
        }
    }
    load.requests_per_second = durations.len() as f64 / lengths.measured.as_secs_f64();
    load.latency = Latency::of(durations);
    load
}

fn lane(request: &Request, streamed: bool, measured: std::ops::Range<Instant>) -> Lane {
    let mut connection = Connection::new();
    let mut lane = Lane::default();
    loop {
        let sent = Instant::now();
        if sent >= measured.end {
            return lane;
        }
        let error = match connection.exchange(request) {
            Ok((status, body)) => {
                lane.answers += 1;
                error_of(status, body, streamed)
            }
            Err(error) => Some(format!("connection: {error}")),
        };
        let ended = Instant::now();
        match error {
            Some(error) => *lane.errors.entry(error).or_default() += 1,
            None if measured.contains(&ended) => lane.durations.push(ended - sent),
            None => {}
        }
    }
}

/// What is wrong with an answer, in a few words; `None` if nothing is.
fn error_of(status: u16, body: &[u8], streamed: bool) -> Option<String> {
    if status != 200 {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let code = &body["error"]["code"];
        let code = code
            .as_str()
            .map_or_else(|| code.to_string(), str::to_owned);
        return Some(format!("{status} {code}"));
    }
    let whole = if streamed {
        body.trim_ascii_end().ends_with(b"data: [DONE]")
    } else {
        body.trim_ascii_end().ends_with(b"}")
    };
    let failed = body.windows(8).any(|window| window == b"\"error\":");
    match (whole, failed) {
        (false, _) => Some("200 cut off".to_owned()),
        (true, true) => Some("200 with an error in it".to_owned()),
        (true, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_whole_and_good_counts_as_an_error() {
        let check = |status: u16, body: &str, streamed: bool, expect: Option<&str>| {
            let error = error_of(status, body.as_bytes(), streamed);
            assert_eq!(error.as_deref(), expect, "{body}");
        };
        check(200, r#"{"id":"gen-1"}"#, false, None);
        check(200, "", false, Some("200 cut off"));
        check(
            200,
            r#"{"error":{}}"#,
            false,
            Some("200 with an error in it"),
        );
        check(200, "data: {}\n\ndata: [DONE]\n\n", true, None);
        check(200, "data: {}\n\n", true, Some("200 cut off"));
        let refused = r#"{"error":{"code":"insufficient_credits"}}"#;
        check(402, refused, true, Some("402 insufficient_credits"));
        check(502, r#"{"error":{"code":502}}"#, false, Some("502 502"));
        check(500, "oops", false, Some("500 null"));
    }
}
