//! A completion as a payer sees it: what is sent, and what of the answer is about money.

use serde_json::{Value, json};

use super::gateway::{Answer, Event, Stream};
use super::prices::Usage;
use super::usd::Usd;
use crate::failure::Failure;

/// How far a stream is read before it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Its first byte has not come.
    Head,
    /// So many chunks with text.
    Chunks(u64),
    /// The answer is complete, its usage has not come.
    Finish,
    /// Everything.
    End,
}

/// An answer, or a refusal.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The HTTP status.
    pub status: u16,
    /// Names by which `GET generation` may know it, the best first.
    pub ids: Vec<String>,
    /// What it used.
    pub usage: Option<Usage>,
    /// What it says that it cost.
    pub cost: Option<Usd>,
    /// Why the answer ended.
    pub finish: Option<String>,
    /// Chunks of a stream that had text.
    pub chunks: u64,
    /// The whole body of an answer that was not streamed.
    pub body: Value,
}

/// The body of a call with one message and a bound.
#[must_use]
pub fn body(model: &str, prompt: &str, max_tokens: u64) -> Value {
    let mut body = unbounded(model, prompt);
    body["max_tokens"] = json!(max_tokens);
    body
}

/// The body of a call that names no bound.
#[must_use]
pub fn unbounded(model: &str, prompt: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": prompt}]})
}

/// The same call, streamed.
#[must_use]
pub fn streamed(mut body: Value, with_usage: bool) -> Value {
    body["stream"] = json!(true);
    if with_usage {
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

impl Call {
    /// Whether it was answered.
    #[must_use]
    pub const fn made(&self) -> bool {
        self.status == 200
    }

    /// What was refused, in a few words.
    #[must_use]
    pub fn told(&self) -> String {
        let error = &self.body["error"];
        let code = error["code"].as_str().or_else(|| error["type"].as_str());
        match code {
            Some(code) => format!("{} `{code}`", self.status),
            None => self.status.to_string(),
        }
    }

    /// Reads an answer that was not streamed.
    #[must_use]
    pub fn of(answer: Answer) -> Self {
        let mut call = Self {
            status: answer.status,
            ..Self::default()
        };
        call.add(&answer.body);
        call.ids.extend(answer.ids);
        call.body = answer.body;
        call
    }

    /// Reads a stream that far, and closes it.
    ///
    /// # Errors
    /// When the connection breaks, or the stream ends before that.
    pub fn read(mut stream: Stream, until: Until) -> Result<Self, Failure> {
        if stream.head.status != 200 {
            return Ok(Self::of(stream.head));
        }
        let mut call = Self {
            status: stream.head.status,
            ..Self::default()
        };
        let ids = std::mem::take(&mut stream.head.ids);
        while !call.reached(until) {
            match stream.next()? {
                Some(Event::Chunk(chunk)) => call.add(&chunk),
                Some(Event::Done) | None if until == Until::End => break,
                Some(Event::Done) | None => {
                    return Err(Failure::new("the stream ended before it could be closed"));
                }
            }
        }
        call.ids.extend(ids);
        Ok(call)
    }

    fn reached(&self, until: Until) -> bool {
        match until {
            Until::Head => true,
            Until::Chunks(wanted) => self.chunks >= wanted,
            Until::Finish => self.finish.is_some(),
            Until::End => false,
        }
    }

    fn add(&mut self, part: &Value) {
        if let (Some(id), true) = (part["id"].as_str(), self.ids.is_empty()) {
            self.ids.push(id.to_owned());
        }
        if let Some(usage) = Usage::read(&part["usage"]) {
            self.usage = Some(usage);
            self.cost = Usd::read(&part["usage"]["cost"]);
        }
        let choice = &part["choices"][0];
        if let Some(finish) = choice["finish_reason"].as_str() {
            self.finish = Some(finish.to_owned());
        }
        let delta = &choice["delta"];
        let has_text = |name: &str| delta[name].as_str().is_some_and(|text| !text.is_empty());
        self.chunks += u64::from(has_text("content") || has_text("reasoning"));
    }
}
