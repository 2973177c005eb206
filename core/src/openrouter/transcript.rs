//! A streamed answer on its way through: the provider's bytes in, the caller's bytes out, and what
//! was learnt for the bill. Usage is held back and told once, at the end, with its charge.

use std::fmt::Write;

use super::cancellation::Departure;
use super::chunk::{ChunkFault, DONE, Head, error_chunk, limit_chunk, read_chunk, usage_chunk};
use super::failure::Failure;
use super::visible::Visible;
use crate::error::{ApiError, ErrorCode};
use crate::money::Nanos;
use crate::sse::{Decoder, End, Event, Fault};
use crate::usage::Usage;

/// One event of a stream is at most this large: an image as base64 fits, and memory stays bounded.
const MAX_EVENT_BYTES: usize = 8 * 1024 * 1024;

/// What a stream told so far.
#[derive(Debug)]
pub struct Transcript {
    decoder: Decoder,
    id: String,
    model: String,
    created: u64,
    seen: Seen,
    visible: Visible,
    out: String,
}

/// What matters for the bill and for the end of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The provider's own id of the call.
    pub provider_id: Option<String>,
    /// What to do when the caller leaves; `None` until a chunk names who answers.
    pub departure: Option<Departure>,
    /// The last usage that the provider reported.
    pub usage: Option<Usage>,
    /// What OpenRouter says it bills the operator, rounded up.
    pub reported_cost: Option<Nanos>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// Plausible tokens of text, reasoning and tool calls; 0 when there was none.
    pub visible_tokens: u64,
    /// The same, counted cautiously (`tokens::Counter::at_most`).
    pub visible_tokens_at_most: u64,
    /// Whether the provider said that the stream is complete.
    pub done: bool,
    /// What ended the answer early. Nothing after it is relayed, but usage is still read.
    pub fault: Option<ApiError>,
    /// The provider's own failure, if it told one.
    pub failure: Option<Failure>,
}

/// How the caller's stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing<'a> {
    /// What was used and charged, for a caller who asked for it.
    pub usage: Option<(&'a Usage, Nanos)>,
    /// What ended the answer early.
    pub fault: Option<&'a ApiError>,
    /// Why the answer was ended because its credit is used up, and what was used and charged.
    pub limit: Option<(&'a ApiError, &'a Usage, Nanos)>,
    /// Our id of the request.
    pub request_id: &'a str,
    /// The page that explains errors.
    pub docs_url: &'a str,
}

impl Transcript {
    /// A transcript of an answer that will have this id; `model` is what the caller asked for.
    #[must_use]
    pub fn new(id: String, model: String, created_at_ms: i64) -> Self {
        Self {
            decoder: Decoder::new(MAX_EVENT_BYTES),
            id,
            model,
            created: u64::try_from(created_at_ms.div_euclid(1_000)).unwrap_or_default(),
            seen: Seen::default(),
            visible: Visible::default(),
            out: String::new(),
        }
    }

    /// Takes the provider's next bytes; returns what to write to the caller, which may be nothing.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let Self {
            decoder,
            id,
            model,
            created,
            seen,
            visible,
            out,
        } = self;
        let mut relay = Relay {
            id,
            model,
            created,
            seen,
            visible,
            out,
        };
        if let Err(fault) = decoder.push(bytes, |event| relay.take(event)) {
            relay.fail(match fault {
                Fault::TooLarge => ErrorCode::AnswerTooLarge,
                Fault::NotUtf8 => ErrorCode::ProviderMalformed,
            });
        }
        std::mem::take(&mut self.out)
    }

    /// The answer is given up, for this reason unless there was one before.
    pub fn give_up(&mut self, reason: ApiError) {
        self.seen.fault.get_or_insert(reason);
    }

    /// The provider's stream has ended. An answer that neither was complete nor told why it stopped
    /// was cut off.
    pub fn end(&mut self) {
        let Self { decoder, seen, .. } = self;
        if let End::Unfinished(data) = decoder.finish()
            && let Ok(chunk) = read_chunk(data)
        {
            seen.usage = chunk.usage.or(seen.usage);
            seen.reported_cost = chunk.reported_cost.or(seen.reported_cost);
        }
        let complete = seen.done || seen.usage.is_some() || seen.finish_reason.is_some();
        if !complete && seen.fault.is_none() {
            seen.fault = Some(cut_off());
        }
    }

    /// What was learnt.
    #[must_use]
    pub const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The last bytes for the caller.
    #[must_use]
    pub fn close(&self, closing: Closing<'_>) -> String {
        let head = Head {
            id: &self.id,
            model: &self.model,
            created: self.created,
        };
        let mut out = String::new();
        if let Some(fault) = closing.fault {
            let chunk = error_chunk(head, fault, closing.request_id, closing.docs_url);
            push_data(&mut out, &chunk);
        }
        if let Some((reason, usage, charge)) = closing.limit {
            let ids = (closing.request_id, closing.docs_url);
            push_data(&mut out, &limit_chunk(head, (usage, charge), reason, ids));
        }
        if let Some((usage, charge)) = closing.usage {
            push_data(&mut out, &usage_chunk(head, usage, charge));
        }
        push_data(&mut out, DONE);
        out
    }
}

/// The error of an answer whose connection ended too early.
#[must_use]
pub fn cut_off() -> ApiError {
    ApiError::new(ErrorCode::ProviderUnavailable)
        .with_message("the provider's answer was cut off")
        .with_hint("`GET /v1/generation?id=` tells what was charged")
        .without_retry()
}

/// The parts of a transcript that an event changes, apart from its decoder.
struct Relay<'a> {
    id: &'a str,
    model: &'a mut String,
    created: &'a mut u64,
    seen: &'a mut Seen,
    visible: &'a mut Visible,
    out: &'a mut String,
}

impl Relay<'_> {
    fn take(&mut self, event: Event<'_>) {
        match event {
            // The provider's comment names the provider; the sign of life is what counts.
            Event::Comment => self.relay(": keep-alive\n\n"),
            Event::Data(DONE) => self.seen.done = true,
            Event::Data(data) => self.chunk(data),
        }
    }

    fn chunk(&mut self, data: &str) {
        let chunk = match read_chunk(data) {
            Ok(chunk) => chunk,
            Err(ChunkFault::NotJson) => return self.fail(ErrorCode::ProviderMalformed),
        };
        let seen = &mut *self.seen;
        if let (None, Some(id)) = (&seen.provider_id, &chunk.provider_id) {
            seen.provider_id = Some(id.clone().into_owned());
        }
        if let (None, Some(provider)) = (seen.departure, &chunk.provider) {
            seen.departure = Some(Departure::of(provider));
        }
        seen.usage = chunk.usage.or(seen.usage);
        seen.reported_cost = chunk.reported_cost.or(seen.reported_cost);
        chunk.count(self.visible);
        seen.visible_tokens = self.visible.tokens();
        seen.visible_tokens_at_most = self.visible.at_most();
        if let Some(reason) = &chunk.finish_reason {
            seen.finish_reason = Some(reason.clone().into_owned());
        }
        if let Some(failure) = &chunk.error {
            if seen.fault.is_none() {
                // Part of the answer was given, so another try would be another answer.
                seen.fault = Some(failure.error.clone().without_retry());
                seen.failure = Some(failure.clone());
            }
            return;
        }
        if let Some(model) = &chunk.model {
            model.as_ref().clone_into(self.model);
        }
        *self.created = chunk.created.unwrap_or(*self.created);
        if self.seen.fault.is_none()
            && let Some(json) = chunk.to_caller(self.id, None)
        {
            push_data(self.out, &json);
        }
    }

    fn relay(&mut self, text: &str) {
        if self.seen.fault.is_none() {
            self.out.push_str(text);
        }
    }

    fn fail(&mut self, code: ErrorCode) {
        if self.seen.fault.is_none() {
            self.seen.fault = Some(code.into());
        }
    }
}

fn push_data(out: &mut String, data: &str) {
    // A provider may break its JSON over several lines; each is a `data` line of its own.
    for line in data.split('\n') {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "data: {line}");
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::estimate;

    const ANSWER: &str = concat!(
        ": OPENROUTER PROCESSING\n\n",
        r#"data: {"id":"gen-up","provider":"Acme","model":"a/b","object":"chat.completion.chunk","created":7,"choices":[{"index":0,"delta":{"content":"hé"},"finish_reason":null}]}"#,
        "\r\n\r\n",
        r#"data: {"id":"gen-up","model":"a/b","object":"chat.completion.chunk","created":7,"choices":[{"index":0,"delta":{"content":"y"},"finish_reason":"stop"}]}"#,
        "\n\n",
        r#"data: {"id":"gen-up","model":"a/b","object":"chat.completion.chunk","created":7,"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"cost":0.5}}"#,
        "\n\ndata: [DONE]\n\n",
    );

    fn relay(pieces: &[&[u8]]) -> (String, Seen) {
        let mut transcript = Transcript::new("gen-ours".to_owned(), "a/b".to_owned(), 9_000);
        let out = pieces.iter().map(|piece| transcript.push(piece)).collect();
        transcript.end();
        (out, transcript.seen().clone())
    }

    #[test]
    fn the_bill_is_the_same_wherever_the_stream_is_split() {
        let whole = relay(&[ANSWER.as_bytes()]);
        let usage = Usage {
            prompt_tokens: 5,
            completion_tokens: 2,
            ..Usage::default()
        };
        assert_eq!(whole.1.usage, Some(usage));
        assert_eq!(
            (whole.1.visible_tokens, whole.1.done),
            (estimate("héy"), true)
        );
        assert_eq!(whole.1.provider_id.as_deref(), Some("gen-up"));
        for at in 0..ANSWER.len() {
            let (first, second) = ANSWER.as_bytes().split_at(at);
            assert_eq!(relay(&[first, second]), whole, "split at {at}");
        }
    }

    #[test]
    fn json_that_is_broken_over_lines_stays_one_event() {
        let stream = "data: {\"choices\":[{\"delta\":{\"content\":\ndata: \"x\"}}]}\n\n";
        let (out, _) = relay(&[stream.as_bytes()]);
        let lines: Vec<_> = out.lines().collect();
        assert_eq!(lines.len(), 3, "{out}");
        assert_eq!((lines[1], lines[2]), ("data: \"x\"}}]}", ""));
    }

    #[test]
    fn a_caller_sees_nothing_of_the_operator_s_account() {
        let (out, _) = relay(&[ANSWER.as_bytes()]);
        for told in ["gen-up", "Acme", "provider", "OPENROUTER", "cost", "usage"] {
            assert!(!out.contains(told), "{told}: {out}");
        }
        assert!(out.contains("\"content\":\"hé\"") && out.contains("gen-ours"));
    }

    #[test]
    fn what_ends_an_answer_early_is_told_once_and_usage_is_still_read() {
        let check = |stream: &str, code: Option<&str>, usage: bool| {
            let (out, seen) = relay(&[stream.as_bytes()]);
            let told = seen.fault.as_ref().map(|fault| fault.code.row().code);
            assert_eq!((told, seen.usage.is_some()), (code, usage), "{stream}");
            assert!(!out.contains("late"), "{out}");
        };
        let late = r#"data: {"id":"a","choices":[{"delta":{"content":"late"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
        check("", Some("provider_unavailable"), false);
        check(
            "data: {\"choices\":[{\"delta\":{}}]}\n\n",
            Some("provider_unavailable"),
            false,
        );
        check("data: [DONE]\n\n", None, false);
        check("data: {oops\n\n", Some("provider_malformed"), false);
        check(
            &format!("data: {{oops\n\n{late}\n\n"),
            Some("provider_malformed"),
            true,
        );
        check(
            "data: {\"error\":{\"code\":500,\"message\":\"x\"},\"choices\":[]}\n\n",
            Some("provider_unavailable"),
            false,
        );
    }

    #[test]
    fn a_cut_off_answer_may_be_charged_so_nobody_is_told_to_try_again() {
        let error = cut_off();
        assert!(error.forbids_retry());
        assert_eq!(
            error.hint,
            "`GET /v1/generation?id=` tells what was charged"
        );
    }

    #[test]
    fn the_first_reason_why_an_answer_ends_is_the_one_that_is_told() {
        let check = |stream: &str, expect: ErrorCode| {
            let mut transcript = Transcript::new("gen-ours".to_owned(), "a/b".to_owned(), 9_000);
            transcript.push(stream.as_bytes());
            transcript.give_up(ErrorCode::ProviderTimeout.into());
            transcript.end();
            let told = transcript.seen().fault.as_ref().map(|fault| fault.code);
            assert_eq!(told, Some(expect), "{stream}");
        };
        check("", ErrorCode::ProviderTimeout);
        check(
            "data: {\"choices\":[{\"delta\":{}}]}\n\n",
            ErrorCode::ProviderTimeout,
        );
        check("data: {oops\n\n", ErrorCode::ProviderMalformed);
    }

    #[test]
    fn the_end_tells_usage_with_its_charge_and_then_done() {
        let transcript = Transcript::new("gen-ours".to_owned(), "a/b".to_owned(), 9_000);
        let usage = Usage {
            prompt_tokens: 5,
            completion_tokens: 2,
            ..Usage::default()
        };
        let closing = Closing {
            usage: Some((&usage, Nanos::new(1_500))),
            fault: None,
            limit: None,
            request_id: "req_1",
            docs_url: "https://docs.example",
        };
        let out = transcript.close(closing);
        assert!(
            out.contains("\"cost\":0.0000015") && out.ends_with("data: [DONE]\n\n"),
            "{out}"
        );
    }
}
