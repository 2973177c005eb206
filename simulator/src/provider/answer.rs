//! How many tokens an answer has and why it ends. Everything follows from the request, the model and
//! the simulator's defaults. Its text is in `pieces`; timing, framing and faults of the wire are not here.

use super::fault::Fault;
use super::models::MAX_COMPLETION_TOKENS;
use super::pieces::Pieces;
use super::pricing::Usage;
use super::request::{Chat, Form};

const DEFAULT_REASONING_TOKENS: u64 = 64;

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
        let mut pieces = Pieces::new(chat, wanted, limit);
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
