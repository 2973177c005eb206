//! The JSON of chat answers and chunks, in OpenRouter's shape. Values only; what they say is decided
//! in `answer`, when they are sent in `stream`.

use serde::Serialize;
use serde_json::Value;

use super::generation::Generation;
use super::pricing::{Cost, Usage, Usd};
use super::request::Form;

/// The part that all chunks of a stream and its one-shot answer have in common.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// `gen-…`
    pub id: &'a str,
    /// Who answers.
    pub provider: &'a str,
    /// The model's name without knobs.
    pub model: &'a str,
    /// Unix seconds.
    pub created: i64,
}

#[derive(Serialize)]
struct Wire<'a, C> {
    id: &'a str,
    provider: &'a str,
    model: &'a str,
    object: &'static str,
    created: i64,
    choices: &'a [C],
    system_fingerprint: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageWire>,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: u32,
    delta: Message<'a>,
    finish_reason: Option<&'static str>,
    native_finish_reason: Option<&'static str>,
    logprobs: Option<Value>,
}

#[derive(Serialize)]
struct Choice<'a> {
    logprobs: Option<Value>,
    finish_reason: &'static str,
    native_finish_reason: &'static str,
    index: u32,
    message: Message<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

#[derive(Serialize)]
struct UsageWire {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    cost: Usd,
    is_byok: bool,
    prompt_tokens_details: PromptDetails,
    cost_details: CostDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
    audio_tokens: u64,
    video_tokens: u64,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
}

#[derive(Serialize)]
struct CostDetails {
    upstream_inference_cost: Option<Usd>,
    upstream_inference_prompt_cost: Usd,
    upstream_inference_completions_cost: Usd,
}

impl UsageWire {
    fn new(usage: &Usage, cost: &Cost) -> Self {
        Self {
            prompt_tokens: usage.prompt,
            completion_tokens: usage.completion,
            total_tokens: usage.prompt.saturating_add(usage.completion),
            cost: cost.total(),
            is_byok: false,
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cached,
                cache_write_tokens: usage.cache_write,
                audio_tokens: 0,
                video_tokens: 0,
            },
            cost_details: CostDetails {
                upstream_inference_cost: None,
                upstream_inference_prompt_cost: cost.prompt,
                upstream_inference_completions_cost: cost.completion,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: usage.reasoning,
                audio_tokens: 0,
            },
        }
    }
}

/// What a chunk carries besides its frame.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A piece of the answer; the first piece of a tool call names it.
    Piece {
        /// The piece's text.
        text: &'a str,
        /// Whether it is the first.
        first: bool,
    },
    /// The end of the answer.
    Finish(&'static str),
    /// A failure in mid-stream.
    Failed,
    /// No choice at all: the chunk of the usage.
    Nothing,
}

impl Frame<'_> {
    /// A chunk of a stream as JSON.
    #[must_use]
    pub fn chunk(&self, form: &Form, part: Part<'_>, usage: Option<(Usage, Cost)>) -> Vec<u8> {
        let (delta, finish_reason) = match part {
            Part::Piece { text, first } => (self.piece(form, text, first), None),
            Part::Finish(reason) => (text(""), Some(reason)),
            Part::Failed => (text(""), Some("error")),
            Part::Nothing => (text(""), None),
        };
        let native_finish_reason = finish_reason;
        let choice = ChunkChoice {
            index: 0,
            delta,
            finish_reason,
            native_finish_reason,
            logprobs: None,
        };
        let none = matches!(part, Part::Nothing);
        json(&Wire {
            id: self.id,
            provider: self.provider,
            model: self.model,
            object: "chat.completion.chunk",
            created: self.created,
            choices: if none {
                &[]
            } else {
                std::slice::from_ref(&choice)
            },
            system_fingerprint: None,
            error: matches!(part, Part::Failed).then(super::error::provider_failed),
            usage: usage.map(|(usage, cost)| UsageWire::new(&usage, &cost)),
        })
    }

    /// A one-shot answer as JSON. `failed` breaks it off with an error inside the choice.
    #[must_use]
    pub fn answer(&self, form: &Form, said: &str, end: &Ending<'_>) -> Vec<u8> {
        let mut message = self.piece(form, said, true);
        message.refusal = Some(None);
        message.reasoning = Some(None);
        let choice = Choice {
            logprobs: None,
            finish_reason: end.finish_reason,
            native_finish_reason: end.finish_reason,
            index: 0,
            message,
            error: end.failed.then(super::error::provider_failed),
        };
        let usage = end
            .usage_of
            .map(|made| UsageWire::new(&made.usage(), &made.cost()));
        json(&Wire {
            id: self.id,
            provider: self.provider,
            model: self.model,
            object: "chat.completion",
            created: self.created,
            choices: &[choice],
            system_fingerprint: None,
            error: None,
            usage,
        })
    }

    fn piece<'a>(&self, form: &'a Form, said: &'a str, first: bool) -> Message<'a> {
        let Form::Tool { name, .. } = form else {
            return text(said);
        };
        let call = ToolCall {
            index: 0,
            id: first.then(|| self.id.replacen("gen", "call", 1)),
            r#type: "function",
            function: Function {
                name: first.then_some(name),
                arguments: said,
            },
        };
        Message {
            role: "assistant",
            tool_calls: Some([call]),
            ..Message::default()
        }
    }
}

/// How a one-shot answer ends.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// `stop`, `length`, `tool_calls` or `error`.
    pub finish_reason: &'static str,
    /// Whether the choice carries an error.
    pub failed: bool,
    /// Whose usage is reported, if any.
    pub usage_of: Option<&'a Generation>,
}

fn text(content: &str) -> Message<'_> {
    Message {
        role: "assistant",
        content: Some(content),
        ..Message::default()
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::with_capacity(1_024);
    // Serialising these shapes into memory cannot fail; a cut body would fail every test.
    let _ = serde_json::to_writer(&mut json, value);
    json
}
