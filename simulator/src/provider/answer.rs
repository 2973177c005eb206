//! What the model says and how many tokens that is. Everything follows from the request, the model
//! and the simulator's defaults; timing, framing and faults of the wire are not here.

use std::borrow::Cow;

use super::instance::instance;
use super::models::{Fault, MAX_COMPLETION_TOKENS};
use super::pricing::Usage;
use super::request::{Chat, Form};

const CHARS_PER_TOKEN: usize = 4;
const DEFAULT_REASONING_TOKENS: u64 = 64;
const MAX_WORDS: usize = 4_096;
const HUGE_BLOCKS: u64 = 34 * 256;
const HUGE_BLOCK_BYTES: usize = 4_096;
const HUGE_EVENT_BYTES: usize = 9 * 1_024 * 1_024;
const HUGE_TOKENS: u64 = 8_192;
const MULTI_BYTE_WORDS: [&str; 6] = ["żółć", "東京", "🦀", "naïve", "Ελλάδα", "שלום"];

/// An answer, complete before its first byte is sent.
#[derive(Debug)]
pub struct Answer {
    /// What is said, in pieces that a stream sends one at a time.
    pub pieces: Pieces,
    /// How much that is.
    pub extent: Extent,
}

/// How much is generated, without the text: what outlives the call.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// What the call uses when it is generated to the end.
    pub usage: Usage,
    /// Output tokens that are generated; `usage.completion` unless the model lies.
    pub generated: u64,
    /// `stop`, `length` or `tool_calls`.
    pub finish_reason: &'static str,
}

/// The visible text in pieces.
#[derive(Debug)]
pub enum Pieces {
    /// Words over and over, one token each.
    Words {
        /// What is repeated; never empty.
        words: Vec<String>,
        /// How many words are said.
        count: u64,
    },
    /// A text in slices of a token each.
    Slices(Vec<String>),
    /// The letter `x`, in blocks that share out the tokens.
    Blocks {
        /// How many blocks.
        count: u64,
        /// Bytes in each.
        bytes: usize,
        /// Tokens of all blocks together.
        tokens: u64,
    },
}

impl Pieces {
    /// How many pieces there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Words { count, .. } | Self::Blocks { count, .. } => *count,
            Self::Slices(slices) => u64::try_from(slices.len()).unwrap_or(u64::MAX),
        }
    }

    /// Tokens of the first `pieces` pieces.
    #[must_use]
    pub fn tokens_of(&self, pieces: u64) -> u64 {
        match self {
            Self::Words { .. } | Self::Slices(_) => pieces,
            Self::Blocks { count, tokens, .. } => pieces * tokens / count,
        }
    }

    /// The text of piece `index`; words carry the space before them.
    #[must_use]
    pub fn text_of(&self, index: u64) -> Cow<'_, str> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        match self {
            Self::Words { words, .. } => {
                let word = words
                    .get(index % words.len().max(1))
                    .map_or("", String::as_str);
                if index == 0 {
                    Cow::Borrowed(word)
                } else {
                    Cow::Owned(format!(" {word}"))
                }
            }
            Self::Slices(slices) => Cow::Borrowed(slices.get(index).map_or("", String::as_str)),
            Self::Blocks { bytes, .. } => Cow::Owned("x".repeat(*bytes)),
        }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_through(self.count())
    }

    /// The text of the first `pieces` pieces.
    #[must_use]
    pub fn text_through(&self, pieces: u64) -> String {
        let mut text = String::with_capacity(512);
        for index in 0..pieces {
            text.push_str(&self.text_of(index));
        }
        text
    }

    fn cut_to(&mut self, tokens: u64) {
        match self {
            Self::Words { count, .. } => *count = tokens.min(*count),
            Self::Slices(slices) => slices.truncate(usize::try_from(tokens).unwrap_or(usize::MAX)),
            // Its length is the point of it, and its tokens were counted within the limit.
            Self::Blocks { .. } => {}
        }
    }

    fn slices(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        Self::Slices(
            chars
                .chunks(CHARS_PER_TOKEN)
                .map(|slice| slice.iter().collect())
                .collect(),
        )
    }
}

impl Answer {
    /// The answer to `chat`; `default_tokens` is the length when neither model nor call says one.
    #[must_use]
    pub fn new(chat: &Chat, default_tokens: u64) -> Self {
        let limit = chat
            .max_tokens
            .unwrap_or(MAX_COMPLETION_TOKENS)
            .min(MAX_COMPLETION_TOKENS);
        let wanted = chat
            .knobs
            .tokens
            .or(chat.model.tokens)
            .unwrap_or(default_tokens);
        let mut pieces = pieces(chat, wanted, limit);
        let wanted_reasoning = match chat.model.fault {
            Fault::Reasoning => chat.knobs.reasoning.unwrap_or(DEFAULT_REASONING_TOKENS),
            _ => 0,
        };
        let wanted = wanted_reasoning + pieces.tokens_of(pieces.count());
        let generated = wanted.min(limit);
        let reasoning = wanted_reasoning.min(generated);
        pieces.cut_to(generated - reasoning);
        let caches = chat.model.fault == Fault::Cached;
        let completion = match chat.model.fault {
            Fault::UsageHuge => chat.max_tokens.unwrap_or(generated).saturating_mul(10),
            _ => generated,
        };
        let usage = Usage {
            prompt: chat.prompt_tokens,
            cached: if caches { chat.prompt_tokens / 2 } else { 0 },
            cache_write: if caches { chat.prompt_tokens / 4 } else { 0 },
            completion,
            reasoning,
            images: chat.images,
        };
        let finish_reason = match &chat.form {
            _ if generated < wanted => "length",
            Form::Tool { .. } => "tool_calls",
            Form::Text | Form::Json(_) => "stop",
        };
        Self {
            pieces,
            extent: Extent {
                usage,
                generated,
                finish_reason,
            },
        }
    }

    /// Output tokens generated once the first `pieces` pieces are.
    #[must_use]
    pub fn tokens_through(&self, pieces: u64) -> u64 {
        self.extent.usage.reasoning + self.pieces.tokens_of(pieces)
    }
}

impl Extent {
    /// The usage when generation stops after `tokens` output tokens.
    #[must_use]
    pub fn usage_after(&self, tokens: u64) -> Usage {
        if tokens >= self.generated {
            return self.usage;
        }
        Usage {
            completion: tokens,
            reasoning: self.usage.reasoning.min(tokens),
            ..self.usage
        }
    }
}

fn pieces(chat: &Chat, wanted: u64, limit: u64) -> Pieces {
    let words = |count| Pieces::Words {
        words: words(chat),
        count,
    };
    match (&chat.form, chat.model.fault) {
        (Form::Tool { parameters, .. }, _) => {
            Pieces::slices(&instance(parameters, &chat.last_user_text).to_string())
        }
        (Form::Json(schema), _) => {
            let text = words(wanted.min(limit)).text();
            Pieces::slices(&instance(schema, &text).to_string())
        }
        (Form::Text, Fault::Huge) => Pieces::Blocks {
            count: HUGE_BLOCKS,
            bytes: HUGE_BLOCK_BYTES,
            tokens: chat.knobs.tokens.unwrap_or(HUGE_TOKENS).min(limit),
        },
        (Form::Text, Fault::HugeEvent) => Pieces::Blocks {
            count: 1,
            bytes: HUGE_EVENT_BYTES,
            tokens: chat.knobs.tokens.unwrap_or(HUGE_TOKENS).min(limit),
        },
        (Form::Text, _) => words(wanted),
    }
}

/// The words that are repeated: the user's, or the model's name when the user said nothing.
fn words(chat: &Chat) -> Vec<String> {
    if chat.model.fault == Fault::SplitUtf8 {
        return MULTI_BYTE_WORDS.map(str::to_owned).to_vec();
    }
    let said = chat.last_user_text.split_whitespace().take(MAX_WORDS);
    let words: Vec<String> = said.map(|word| word.chars().take(64).collect()).collect();
    if words.is_empty() {
        vec![chat.slug.clone()]
    } else {
        words
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(body: &Value) -> Answer {
        Answer::new(&Chat::read(body.to_string().as_bytes()).unwrap(), 6)
    }

    fn ask(model: &str, text: &str, max_tokens: Option<u64>) -> Answer {
        let messages = json!([{"role": "user", "content": text}]);
        answer(&json!({"model": model, "messages": messages, "max_tokens": max_tokens}))
    }

    #[test]
    fn the_text_repeats_the_words_of_the_user_to_the_wanted_length() {
        let check = |model, text, max, expect: (&str, u64, &str)| {
            let answer = ask(model, text, max);
            let said = answer.pieces.text();
            assert_eq!(
                (
                    said.as_str(),
                    answer.extent.generated,
                    answer.extent.finish_reason
                ),
                expect
            );
        };
        check("sim/echo", "a b c", None, ("a b c a b c", 6, "stop"));
        check(
            "openai/gpt-4o-mini",
            "a b c",
            None,
            ("a b c a b c", 6, "stop"),
        );
        check("sim/echo", "a b c", Some(6), ("a b c a b c", 6, "stop"));
        check("sim/echo", "a b c", Some(2), ("a b", 2, "length"));
        check("sim/echo", "a b c", Some(0), ("", 0, "length"));
        check("sim/echo?tokens=2", "a b c", None, ("a b", 2, "stop"));
        check("sim/echo", "[[tokens=1]] a b", None, ("a", 1, "stop"));
        check("sim/echo", "", Some(1), ("sim/echo", 1, "length"));
        check(
            "sim/split-utf8?tokens=3",
            "a",
            None,
            ("żółć 東京 🦀", 3, "stop"),
        );
    }

    #[test]
    fn usage_is_what_the_model_would_bill() {
        let check = |model, max, expect: Usage| {
            assert_eq!(ask(model, "hello", max).extent.usage, expect, "{model}");
        };
        let plain = Usage {
            prompt: 5,
            completion: 6,
            ..Usage::default()
        };
        check("sim/echo", None, plain);
        check(
            "sim/echo",
            Some(4),
            Usage {
                completion: 4,
                ..plain
            },
        );
        check(
            "sim/long",
            None,
            Usage {
                completion: 2_000,
                ..plain
            },
        );
        check(
            "sim/slow",
            None,
            Usage {
                completion: 50,
                ..plain
            },
        );
        check(
            "sim/cached",
            None,
            Usage {
                cached: 2,
                cache_write: 1,
                ..plain
            },
        );
        check(
            "sim/reasoning",
            None,
            Usage {
                completion: 70,
                reasoning: 64,
                ..plain
            },
        );
        check(
            "sim/reasoning",
            Some(66),
            Usage {
                completion: 66,
                reasoning: 64,
                ..plain
            },
        );
        check(
            "sim/reasoning",
            Some(9),
            Usage {
                completion: 9,
                reasoning: 9,
                ..plain
            },
        );
        check(
            "sim/usage-huge",
            Some(7),
            Usage {
                completion: 70,
                ..plain
            },
        );
        check(
            "sim/usage-huge",
            None,
            Usage {
                completion: 60,
                ..plain
            },
        );
        check(
            "sim/huge",
            Some(7),
            Usage {
                completion: 7,
                ..plain
            },
        );
        check(
            "sim/huge-event",
            None,
            Usage {
                completion: 8_192,
                ..plain
            },
        );
    }

    #[test]
    fn a_stopped_generation_used_what_was_generated_so_far() {
        let answer = ask("sim/reasoning", "hello", None);
        let check = |tokens, expect: (u64, u64)| {
            let usage = answer.extent.usage_after(tokens);
            assert_eq!((usage.completion, usage.reasoning), expect, "{tokens}");
        };
        check(0, (0, 0));
        check(10, (10, 10));
        check(66, (66, 64));
        check(70, (70, 64));
    }

    #[test]
    fn structured_answers_are_json_unless_they_are_cut() {
        let body = |extra: Value| {
            let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "tool"}]});
            body.as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            body
        };
        let format = json!({"response_format": {"type": "json_object"}});
        let said = answer(&body(format)).pieces.text();
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said, json!({"answer": "tool tool tool tool tool tool"}));
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        let tools = json!([{"function": {"name": "f", "parameters": parameters}}]);
        let call = answer(&body(json!({"tools": tools})));
        assert_eq!(
            (call.pieces.text().as_str(), call.extent.generated),
            (r#"{"city":"tool"}"#, 4)
        );
        assert_eq!(call.extent.finish_reason, "tool_calls");
        let cut = answer(&body(json!({"tools": tools, "max_tokens": 2})));
        assert_eq!(
            (cut.pieces.text().as_str(), cut.extent.finish_reason),
            (r#"{"city":"#, "length")
        );
    }
}
