//! The script of a streamed answer: which bytes go out, in which writes, when, and where it breaks.
//! The tokens and texts come from `answer`, their JSON from `wire`.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;

use super::answer::Answer;
use super::fault::Fault;
use super::models::Model;
use super::pricing::{Cost, Usage};
use super::request::Form;
use super::wire::{Frame, Part};
use crate::reply::{Script, Step};

const COMMENT: &[u8] = b": OPENROUTER PROCESSING\n\n";
const DONE: &[u8] = b"data: [DONE]\n\n";
// A reader that takes comments or other fields for data would meter or say the wrong thing. The field
// at the end belongs to the event that follows: an event without data confuses the official SDKs.
const NOT_DATA: &[u8] = b": {\"usage\":{\"prompt_tokens\":999999,\"completion_tokens\":999999}}\n\
    :\n\n: data: [DONE]\n\nretry: 3000\n";
const MALFORMED: &[u8] =
    b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"bro\n\ndat: {}\n\ndata: ]\n\n\xff\xfe\n\n";

/// When tokens come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Until the first token.
    pub first: Duration,
    /// Tokens a second after that; 0 is all at once.
    pub tokens_per_second: u64,
}

impl Pace {
    /// When `tokens` tokens are there, counted from the start of the generation.
    #[must_use]
    pub fn due(&self, tokens: u64) -> Duration {
        let micros = tokens.saturating_sub(1).saturating_mul(1_000_000);
        self.first + Duration::from_micros(micros.checked_div(self.tokens_per_second).unwrap_or(0))
    }
}

/// What a stream is made of.
#[derive(Debug)]
pub struct Plan {
    /// `gen-…`
    pub id: Arc<str>,
    /// The model's name without knobs.
    pub slug: String,
    /// Unix seconds.
    pub created: i64,
    /// What is said.
    pub answer: Answer,
    /// In what form.
    pub form: Form,
    /// Who says it, and at what price.
    pub model: &'static Model,
    /// What goes wrong.
    pub fault: Fault,
    /// Whether the usage is told.
    pub tells_usage: bool,
    /// Output tokens after which it goes wrong.
    pub cut_after: u64,
    /// When tokens come.
    pub pace: Pace,
    /// How long it falls silent in mid-stream.
    pub pause: Duration,
    /// How long the usage comes after the last token.
    pub usage_after: Duration,
}

enum Stage {
    Open,
    Thinking(u64),
    Speaking(u64),
    Closing,
    Over,
}

struct Streaming {
    plan: Plan,
    stage: Stage,
    struck: bool,
    late: Duration,
    queue: VecDeque<Step>,
}

impl Plan {
    /// How long the generation takes.
    #[must_use]
    pub fn takes(&self) -> Duration {
        self.pace.due(self.answer.extent.generated) + self.pause
    }

    /// The script of this plan.
    #[must_use]
    pub fn script(self) -> Script {
        let streaming = Streaming {
            plan: self,
            stage: Stage::Open,
            struck: false,
            late: Duration::ZERO,
            queue: VecDeque::new(),
        };
        Box::new(streaming)
    }

    fn used_after(&self, tokens: u64) -> (Usage, Cost) {
        let usage = self.answer.extent.usage_after(tokens);
        (usage, self.model.price.cost(&usage))
    }

    fn event(&self, part: Part<'_>, usage: Option<(Usage, Cost)>) -> Bytes {
        let frame = Frame {
            id: &self.id,
            provider: self.model.host.name,
            model: &self.slug,
            created: self.created,
        };
        let mut event = b"data: ".to_vec();
        event.extend(frame.chunk(&self.form, part, usage));
        event.extend(b"\n\n");
        event.into()
    }
}

impl Iterator for Streaming {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        while self.queue.is_empty() {
            self.stage = match self.stage {
                Stage::Open => self.open(),
                Stage::Thinking(tokens) => self.think(tokens),
                Stage::Speaking(piece) => self.speak(piece),
                Stage::Closing => self.close(),
                Stage::Over => return None,
            };
        }
        self.queue.pop_front()
    }
}

impl Streaming {
    fn open(&mut self) -> Stage {
        self.write_at(Duration::ZERO, Bytes::from_static(COMMENT), 0);
        Stage::Thinking(0)
    }

    /// Hidden tokens show as comments, so that a client that leaves is billed for them.
    fn think(&mut self, tokens: u64) -> Stage {
        if tokens == self.plan.answer.extent.usage.reasoning {
            return Stage::Speaking(0);
        }
        self.write(Bytes::from_static(COMMENT), tokens + 1);
        Stage::Thinking(tokens + 1)
    }

    fn speak(&mut self, piece: u64) -> Stage {
        let last = piece == self.plan.answer.pieces.count();
        let before = self.plan.answer.tokens_through(piece);
        if !self.struck && (last || before >= self.plan.cut_after) {
            self.struck = true;
            if self.strike(before) {
                return Stage::Over;
            }
        }
        if last {
            return Stage::Closing;
        }
        let tokens = self.plan.answer.tokens_through(piece + 1);
        let text = self.plan.answer.pieces.text_of(piece);
        let usage = self.tells_every().then(|| self.plan.used_after(tokens));
        let event = self.plan.event(
            Part::Piece {
                text: &text,
                first: piece == 0,
            },
            usage,
        );
        if self.plan.fault == Fault::Comments {
            self.write(Bytes::from_static(NOT_DATA), before);
        }
        self.write(event, tokens);
        Stage::Speaking(piece + 1)
    }

    /// The fault in mid-stream, if there is one; `true` when nothing follows.
    fn strike(&mut self, tokens: u64) -> bool {
        match self.plan.fault {
            Fault::ErrorMidStream => {
                self.write(self.plan.event(Part::Failed, None), tokens);
                true
            }
            Fault::DropMid | Fault::ResetMid => {
                let reset = self.plan.fault == Fault::ResetMid;
                self.queue.extend([Step::Flush, Step::Cut { reset }]);
                true
            }
            Fault::MalformedSse => {
                self.write(Bytes::from_static(MALFORMED), tokens);
                false
            }
            Fault::Pause => {
                self.late = self.plan.pause;
                false
            }
            _ => false,
        }
    }

    fn close(&mut self) -> Stage {
        let tokens = self.plan.answer.extent.generated;
        let usage = Some(self.plan.used_after(tokens));
        let every = usage.filter(|_| self.tells_every());
        let finish_reason = self.plan.answer.extent.finish_reason;
        self.write(self.plan.event(Part::Finish(finish_reason), every), tokens);
        self.late += self.plan.usage_after;
        if self.plan.tells_usage {
            self.write(self.plan.event(Part::Nothing, usage), tokens);
        }
        if self.plan.fault != Fault::NoDone {
            self.write(Bytes::from_static(DONE), tokens);
        }
        Stage::Over
    }

    fn tells_every(&self) -> bool {
        self.plan.fault == Fault::UsageEvery && self.plan.tells_usage
    }

    fn write(&mut self, bytes: Bytes, tokens: u64) {
        self.write_at(self.plan.pace.due(tokens) + self.late, bytes, tokens);
    }

    fn write_at(&mut self, due: Duration, bytes: Bytes, tokens: u64) {
        if self.plan.fault != Fault::SplitUtf8 {
            self.queue.push_back(Step::Write { due, bytes, tokens });
            return;
        }
        let text = String::from_utf8_lossy(&bytes).replace('\n', "\r\n");
        for bytes in shatter(text.as_bytes()) {
            self.queue
                .extend([Step::Write { due, bytes, tokens }, Step::Flush]);
        }
    }
}

/// `bytes` in writes that end inside the first field name, inside the first multi-byte character and
/// between the last carriage return and its line feed.
#[must_use]
pub fn shatter(bytes: &[u8]) -> Vec<Bytes> {
    let inside_char = bytes
        .iter()
        .position(|byte| !byte.is_ascii())
        .map(|lead| lead + 1);
    let mut cuts = vec![2.min(bytes.len())];
    cuts.extend(inside_char);
    cuts.push(bytes.len().saturating_sub(1));
    cuts.push(bytes.len());
    let mut from = 0;
    let mut writes = Vec::new();
    for cut in cuts.into_iter().filter(|cut| *cut > 0) {
        if let Some(part) = bytes.get(from..cut).filter(|part| !part.is_empty()) {
            writes.push(Bytes::copy_from_slice(part));
            from = cut;
        }
    }
    writes
}

/// A script whose bytes are compressed, each write so that it can be read at once.
pub struct Gzip {
    script: Script,
    encoder: Option<GzEncoder<Vec<u8>>>,
    tokens: u64,
    due: Duration,
}

impl Gzip {
    /// Compresses what `script` writes.
    #[must_use]
    pub fn new(script: Script) -> Self {
        let encoder = Some(GzEncoder::new(Vec::new(), Compression::fast()));
        Self {
            script,
            encoder,
            tokens: 0,
            due: Duration::ZERO,
        }
    }

    fn compress(&mut self, bytes: &[u8]) -> Option<Bytes> {
        let encoder = self.encoder.as_mut()?;
        encoder.write_all(bytes).ok()?;
        encoder.flush().ok()?;
        Some(std::mem::take(encoder.get_mut()).into())
    }
}

impl Iterator for Gzip {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        match self.script.next() {
            Some(Step::Write { due, bytes, tokens }) => {
                (self.tokens, self.due) = (tokens, due);
                let cut = Step::Cut { reset: true };
                Some(
                    self.compress(&bytes)
                        .map_or(cut, |bytes| Step::Write { due, bytes, tokens }),
                )
            }
            Some(step) => Some(step),
            None => {
                let bytes = self.encoder.take()?.finish().ok()?.into();
                Some(Step::Write {
                    due: self.due,
                    bytes,
                    tokens: self.tokens,
                })
            }
        }
    }
}

/// `bytes` compressed; `None` cannot happen in memory.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_at_the_asked_pace() {
        let check = |first_ms, tokens_per_second, tokens, expect_ms| {
            let pace = Pace {
                first: Duration::from_millis(first_ms),
                tokens_per_second,
            };
            assert_eq!(
                pace.due(tokens),
                Duration::from_millis(expect_ms),
                "{pace:?} {tokens}"
            );
        };
        check(0, 0, 100, 0);
        check(200, 0, 100, 200);
        check(200, 50, 0, 200);
        check(200, 50, 1, 200);
        check(200, 50, 2, 220);
        check(0, 10, 11, 1_000);
        check(0, 2_000, 2_001, 1_000);
    }

    #[test]
    fn writes_are_cut_where_readers_break() {
        let check = |text: &str, expect: &[&[u8]]| {
            let writes = shatter(text.as_bytes());
            assert_eq!(
                writes.iter().map(Bytes::as_ref).collect::<Vec<_>>(),
                expect,
                "{text}"
            );
        };
        check("", &[]);
        check("a", &[b"a"]);
        check("data: x\r\n\r\n", &[b"da", b"ta: x\r\n\r", b"\n"]);
        check("data: é\r\n", &[b"da", b"ta: \xc3", b"\xa9\r", b"\n"]);
    }
}
