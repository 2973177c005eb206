//! The field table: every top-level field of a chat request that Tollgate knows, what it does with
//! it and which values it takes. A field that is not listed is refused. `docs/API.md` is rendered
//! from it.

use std::borrow::Cow;

/// What Tollgate does with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Sent on exactly as it was written; it cannot raise the price beyond the hold.
    Passed,
    /// Sent on, and counted in the price.
    Priced,
    /// Accepted, but Tollgate decides what is sent.
    Forced,
    /// Any value but null gets `unsupported_parameter`.
    Refused,
}

/// Which values a field takes; null always counts as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// `true` or `false`.
    Boolean,
    /// A whole number in this range.
    Integer(i64, i64),
    /// A number in this range.
    Number(i32, i32),
    /// A string of at most this many characters.
    Text(usize),
    /// A string, or an array of at most this many.
    Texts(usize),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// Exactly this JSON text.
    Only(&'static str),
    /// An array of nothing but `"text"`.
    TextModality,
    /// An object of at most 16 strings, with keys of at most 64 characters and values of 512.
    Metadata,
    /// An object of numbers from -100 to 100.
    LogitBias,
    /// A name of 1 to 256 characters.
    Model,
    /// See `messages`.
    Messages,
    /// See `tools`.
    Tools,
    /// See `tools`.
    ToolChoice,
    /// A whole number from 1.
    TokenLimit,
    /// An object with `type`, `json_schema`, `grammar`.
    ResponseFormat,
    /// An object with `effort`, `summary`, `max_tokens`, `exclude`, `enabled`.
    Reasoning,
    /// An object with `include_usage`, `include_obfuscation`.
    StreamOptions,
    /// An object with `include`.
    UsageOptions,
    /// An object with `type`, `ttl`.
    CacheControl,
    /// An object with `mode`, `ttl`.
    CacheOptions,
    /// No value.
    Nothing,
}

impl Check {
    /// What is accepted, in words that follow "must be".
    #[must_use]
    pub fn describe(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Boolean => "`true` or `false`",
            Self::Integer(i64::MIN, i64::MAX) => "a whole number",
            Self::Integer(low, i64::MAX) => return format!("a whole number from {low}").into(),
            Self::Integer(low, high) => {
                return format!("a whole number from {low} to {high}").into();
            }
            Self::Number(low, high) => return format!("a number from {low} to {high}").into(),
            Self::Text(most) => return format!("a string of at most {most} characters").into(),
            Self::Texts(most) => return format!("a string or an array of at most {most}").into(),
            Self::OneOf(words) => return format!("one of `{}`", words.join("`, `")).into(),
            Self::Only(value) => return format!("`{value}`").into(),
            Self::TextModality => "`[\"text\"]`",
            Self::Metadata => "an object of at most 16 short strings",
            Self::LogitBias => "an object of numbers from -100 to 100",
            Self::Model => "a model's name of 1 to 256 characters",
            Self::Messages => "an array of at least one message",
            Self::Tools => "an array of function tools",
            Self::ToolChoice => "`none`, `auto`, `required` or a named function",
            Self::TokenLimit => "a whole number from 1",
            Self::ResponseFormat => {
                "an object whose `type` is `text`, `json_object`, `json_schema`, `grammar` or `python`"
            }
            Self::Reasoning => {
                "an object with `effort`, `summary`, `max_tokens`, `exclude` or `enabled`"
            }
            Self::StreamOptions => "an object with `include_usage` or `include_obfuscation`",
            Self::UsageOptions => "an object with `include`",
            Self::CacheControl => "`{\"type\":\"ephemeral\"}` with a `ttl` of `5m` or `1h`",
            Self::CacheOptions => "`{\"mode\":\"explicit\"}`, with a `ttl` if wanted",
            Self::Nothing => "absent",
        })
    }
}

/// One row of the field table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field's name.
    pub name: &'static str,
    /// What is done with it.
    pub treatment: Treatment,
    /// Which values it takes.
    pub check: Check,
    /// Why, in lower case without a full stop; for a refused field also the hint.
    pub doc: &'static str,
}

pub(super) const EFFORTS: &[&str] = &["max", "xhigh", "high", "medium", "low", "minimal", "none"];

use Check as C;
use Treatment::{Forced, Passed, Priced, Refused};

/// Every property of OpenRouter's `ChatRequest`, and the common ones of OpenAI's besides.
#[rustfmt::skip] // One row a line, so that it reads as the table it is.
pub const FIELDS: &[Field] = &[
    row("model", Priced, C::Model, "the model's name as in `GET /v1/models`"),
    row("messages", Priced, C::Messages, "text counts by its bytes, each image by the model's maximum"),
    row("max_tokens", Priced, C::TokenLimit, "bounds the answer and what is held for it; a bound is always sent on"),
    row("max_completion_tokens", Priced, C::TokenLimit, "the same as `max_tokens`; both may be sent if they are equal"),
    row("tools", Priced, C::Tools, "functions of your own, counted as text"),
    row("response_format", Priced, C::ResponseFormat, "a schema counts as text"),
    row("cache_control", Priced, C::CacheControl, "a `ttl` of `1h` is held at the price of writing to the cache for an hour"),
    row("prompt_cache_options", Priced, C::CacheOptions, "a `ttl` is held at the dearest price of writing to the cache"),
    row("stream", Passed, C::Boolean, "whether the answer comes as server-sent events"),
    row("stream_options", Forced, C::StreamOptions, "usage is always asked for; you see it if you set `include_usage`"),
    row("usage", Forced, C::UsageOptions, "`include` means the same as `stream_options.include_usage`"),
    row("temperature", Passed, C::Number(0, 2), "sampling temperature"),
    row("top_p", Passed, C::Number(0, 1), "nucleus sampling"),
    row("top_k", Passed, C::Integer(0, i64::MAX), "samples from the most likely tokens"),
    row("top_a", Passed, C::Number(0, 1), "samples from sufficiently likely tokens"),
    row("min_p", Passed, C::Number(0, 1), "least probability relative to the most likely token"),
    row("frequency_penalty", Passed, C::Number(-2, 2), "less repetition by frequency"),
    row("presence_penalty", Passed, C::Number(-2, 2), "less repetition of what is present"),
    row("repetition_penalty", Passed, C::Number(0, 2), "less repetition of the input"),
    row("seed", Passed, C::Integer(i64::MIN, i64::MAX), "asks for the same sampling again"),
    row("stop", Passed, C::Texts(4), "where the answer ends"),
    row("logit_bias", Passed, C::LogitBias, "makes tokens more or less likely"),
    row("logprobs", Passed, C::Boolean, "whether log probabilities are returned"),
    row("top_logprobs", Passed, C::Integer(0, 20), "how many alternatives are returned for each token"),
    row("tool_choice", Passed, C::ToolChoice, "whether and which function is called"),
    row("parallel_tool_calls", Passed, C::Boolean, "whether several functions may be called at once"),
    row("reasoning", Passed, C::Reasoning, "reasoning counts within `max_tokens`"),
    row("reasoning_effort", Passed, C::OneOf(EFFORTS), "the same as `reasoning.effort`"),
    row("include_reasoning", Passed, C::Boolean, "whether reasoning is returned"),
    row("verbosity", Passed, C::OneOf(&["low", "medium", "high"]), "how long the answer should be"),
    row("metadata", Passed, C::Metadata, "notes of your own"),
    row("session_id", Forced, C::Text(200), "keeps a conversation on one provider, for its cache; sent with the account's id before it"),
    row("prompt_cache_key", Forced, C::Text(512), "groups calls that share a cached prompt; sent with the account's id before it"),
    row("user", Forced, C::Text(512), "replaced by your account's id"),
    row("safety_identifier", Forced, C::Text(512), "not sent on; your account's id is"),
    row("n", Forced, C::Only("1"), "one answer for each call; not sent on"),
    row("store", Forced, C::Only("false"), "answers are not stored; not sent on"),
    row("service_tier", Forced, C::OneOf(&["auto", "default"]), "other tiers have other prices; not sent on"),
    row("modalities", Forced, C::TextModality, "answers are text; not sent on"),
    row("models", Refused, C::Nothing, "fallback models have other prices; call one model at a time"),
    row("route", Refused, C::Nothing, "fallback models have other prices; call one model at a time"),
    row("provider", Refused, C::Nothing, "the gateway chooses the provider within the quoted price"),
    row("preset", Refused, C::Nothing, "presets belong to the operator; send the fields themselves"),
    row("plugins", Refused, C::Nothing, "plugins cost extra; fetch and parse on your side"),
    row("web_search_options", Refused, C::Nothing, "searches cost extra; offer your own search as a function tool"),
    row("stop_server_tools_when", Refused, C::Nothing, "server tools cost extra and are not offered"),
    row("audio", Refused, C::Nothing, "spoken answers are not priced; leave it out"),
    row("image_config", Refused, C::Nothing, "drawn answers are not priced; leave it out"),
    row("prediction", Refused, C::Nothing, "rejected predictions are billed beyond `max_tokens`; leave it out"),
    row("transforms", Refused, C::Nothing, "what is priced is what is sent; shorten the prompt on your side"),
    row("debug", Refused, C::Nothing, "would show the operator's own request; leave it out"),
    row("trace", Refused, C::Nothing, "goes to the operator's observability; use `metadata`"),
    row("functions", Refused, C::Nothing, "deprecated; use `tools`"),
    row("function_call", Refused, C::Nothing, "deprecated; use `tool_choice`"),
    row("prompt_cache_retention", Refused, C::Nothing, "not offered by the provider; use `cache_control`"),
];

const fn row(name: &'static str, treatment: Treatment, check: Check, doc: &'static str) -> Field {
    Field {
        name,
        treatment,
        check,
        doc,
    }
}

/// The row of a field.
#[must_use]
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// The field table for `docs/API.md`.
#[must_use]
pub fn markdown_table() -> String {
    let mut out =
        String::from("| Field | Treatment | Accepted | Why |\n| --- | --- | --- | --- |\n");
    for field in FIELDS {
        let treatment = match field.treatment {
            Passed => "passed",
            Priced => "priced",
            Forced => "forced",
            Refused => "refused",
        };
        out.push_str(&format!(
            "| `{}` | {treatment} | {} | {} |\n",
            field.name,
            field.check.describe(),
            field.doc,
        ));
    }
    out
}
