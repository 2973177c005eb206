//! A chat completion request: read strictly, bounded, and written again for the provider from the
//! very values that were priced. What a field may be is in `fields`; prices are elsewhere.

mod check;
mod fields;
mod messages;
mod prompt;
mod tools;

pub use fields::{Check, FIELDS, Field, Treatment, field, markdown_table};

use std::borrow::Cow;

use crate::error::{ApiError, ErrorCode};
use crate::json::{self, ObjectWriter, Raw};
use crate::openrouter::MaxPrice;
use crate::usage::{Usage, UsageBound};
use check::{check, invalid, missing, object, unknown};
use messages::Facts;

/// The largest body that is read, images included.
pub const MAX_BODY_BYTES: usize = 20 * 1024 * 1024;

/// The most text that a body may hold, `data:` images not counted.
pub const MAX_TEXT_BYTES: u64 = 1024 * 1024;

/// Tokens that a provider's chat template may add to a prompt (default system prompts of open
/// models reach about 400).
pub const REQUEST_OVERHEAD_TOKENS: u64 = 512;
/// Tokens that a chat template may add to a message, beyond the bytes of its JSON that count too.
pub const MESSAGE_OVERHEAD_TOKENS: u64 = 16;
/// Tokens that a provider may add when there are tools (Anthropic documents up to 530).
pub const TOOLS_OVERHEAD_TOKENS: u64 = 1_024;
/// Tokens that a provider may add to each tool.
pub const TOOL_OVERHEAD_TOKENS: u64 = 64;
/// Tokens that a provider may add to explain a response format.
pub const FORMAT_OVERHEAD_TOKENS: u64 = 256;

/// A request that may be priced and sent on.
#[derive(Debug)]
pub struct ChatRequest<'a> {
    /// The model's name as the caller wrote it.
    pub model: Cow<'a, str>,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// Whether the caller wants to see usage in the stream.
    pub include_usage: bool,
    /// The caller's bound on the answer, in tokens.
    pub max_tokens: Option<u64>,
    /// Prompt tokens, at most: the body's text bytes (`json::Object::text_bytes`) without `data:`
    /// images, plus the overhead constants of this module.
    pub text_tokens: u64,
    /// Prompt tokens, plausibly: for a call whose provider reports no usage.
    pub prompt_estimate: u64,
    /// Images in the prompt, exactly.
    pub images: u64,
    /// Whether prompt text may be written to the provider's cache for longer than usual.
    pub hour_cache: bool,
    messages: Raw<'a>,
    /// The fields that are sent on as they are.
    sent: Vec<(&'static str, Raw<'a>)>,
    /// The names that are sent with the account's id before them.
    own_names: Vec<(&'static str, Raw<'a>)>,
}

/// Reads a body. Every refusal names the field in `param`.
pub fn parse(body: &[u8]) -> Result<ChatRequest<'_>, ApiError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(ErrorCode::BodyTooLarge.into());
    }
    let object = json::parse_object(body)?;
    let mut read = Reading::default();
    for (name, value) in &object.fields {
        let field = field(name).ok_or_else(|| unknown(name))?;
        if !value.is_null() {
            read.field(field, *value)?;
        }
    }
    read.finish(object.text_bytes)
}

#[derive(Default)]
struct Reading<'a> {
    model: Option<Raw<'a>>,
    messages: Option<Raw<'a>>,
    stream: bool,
    stream_options: bool,
    include_usage: bool,
    max_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    tools: Option<Raw<'a>>,
    format: Option<Raw<'a>>,
    facts: Facts,
    sent: Vec<(&'static str, Raw<'a>)>,
    own_names: Vec<(&'static str, Raw<'a>)>,
}

impl<'a> Reading<'a> {
    fn field(&mut self, field: &'static Field, value: Raw<'a>) -> Result<(), ApiError> {
        if field.treatment == Treatment::Refused {
            return Err(unknown(field.name).with_hint(field.doc));
        }
        check(field.name, field.check, value)?;
        match field.name {
            "model" => self.model = Some(value),
            "messages" => {
                messages::read(value, &mut self.facts)?;
                self.messages = Some(value);
            }
            "stream" => self.stream = value.as_bool() == Some(true),
            "stream_options" => {
                self.stream_options = true;
                self.include_usage |= flag(value, "include_usage");
            }
            "usage" => self.include_usage |= flag(value, "include"),
            "max_tokens" | "max_completion_tokens" => self.token_limit(value)?,
            "session_id" | "prompt_cache_key" => self.own_names.push((field.name, value)),
            _ => {
                self.inner(field.name, value)?;
                if field.treatment != Treatment::Forced {
                    self.sent.push((field.name, value));
                }
            }
        }
        Ok(())
    }

    /// Looks into the fields that have facts inside.
    fn inner(&mut self, name: &str, value: Raw<'a>) -> Result<(), ApiError> {
        match name {
            "tools" => {
                tools::read(value, &mut self.facts)?;
                self.tools = Some(value);
            }
            "tool_choice" => tools::read_choice(value)?,
            "cache_control" => {
                messages::cache_control(value, &mut self.facts)?;
            }
            "prompt_cache_options" => {
                object(name, value, |key, member| match key {
                    "mode" => check::known(key, Check::OneOf(&["explicit"]), member),
                    "ttl" => check::known(key, Check::Text(16), member),
                    _ => Ok(false),
                })?;
                self.facts.hour_cache |= value.get("ttl").is_some();
            }
            "reasoning" => {
                self.reasoning_tokens = value.get("max_tokens").and_then(Raw::as_u64);
            }
            "response_format" => self.format = Some(value),
            _ => {}
        }
        Ok(())
    }

    fn token_limit(&mut self, value: Raw<'_>) -> Result<(), ApiError> {
        let tokens = value.as_u64();
        if self.max_tokens.is_some() && self.max_tokens != tokens {
            return Err(ApiError::new(ErrorCode::InvalidValue)
                .with_message("`max_tokens` and `max_completion_tokens` differ")
                .with_hint("send one of them, or the same number in both")
                .with_param("max_completion_tokens"));
        }
        self.max_tokens = tokens;
        Ok(())
    }

    fn finish(self, text_bytes: u64) -> Result<ChatRequest<'a>, ApiError> {
        let model = self
            .model
            .and_then(Raw::as_str)
            .ok_or_else(|| missing("model"))?;
        let messages = self.messages.ok_or_else(|| missing("messages"))?;
        if self.stream_options && !self.stream {
            return Err(invalid(
                "stream_options",
                "absent unless `stream` is `true`",
            ));
        }
        // Without `max_tokens` the answer's bound is chosen later, and may be below the budget.
        if self.reasoning_tokens.is_some() && self.reasoning_tokens >= self.max_tokens {
            return Err(invalid("reasoning.max_tokens", "less than `max_tokens`"));
        }
        let facts = self.facts;
        let text = text_bytes.saturating_sub(facts.data_url_bytes);
        if text > MAX_TEXT_BYTES {
            return Err(ErrorCode::BodyTooLarge.into());
        }
        let json = [self.tools, self.format].into_iter().flatten();
        Ok(ChatRequest {
            model,
            stream: self.stream,
            include_usage: self.include_usage,
            max_tokens: self.max_tokens,
            text_tokens: text.saturating_add(overhead(facts, self.format.is_some())),
            prompt_estimate: prompt::estimate(messages, facts.images, json),
            images: facts.images,
            hour_cache: facts.hour_cache,
            messages,
            sent: self.sent,
            own_names: self.own_names,
        })
    }
}

fn flag(value: Raw<'_>, name: &str) -> bool {
    value.get(name).and_then(Raw::as_bool) == Some(true)
}

fn overhead(facts: Facts, has_format: bool) -> u64 {
    let per_message = facts.messages.saturating_mul(MESSAGE_OVERHEAD_TOKENS);
    let per_tool = facts.tools.saturating_mul(TOOL_OVERHEAD_TOKENS);
    let for_tools = if facts.tools > 0 {
        TOOLS_OVERHEAD_TOKENS
    } else {
        0
    };
    let for_format = if has_format {
        FORMAT_OVERHEAD_TOKENS
    } else {
        0
    };
    REQUEST_OVERHEAD_TOKENS
        .saturating_add(per_message)
        .saturating_add(per_tool)
        .saturating_add(for_tools)
        .saturating_add(for_format)
}

impl ChatRequest<'_> {
    /// The most that this call can use when at most `max_tokens` are asked for.
    #[must_use]
    pub const fn bound(&self, max_tokens: u64) -> UsageBound {
        UsageBound {
            text_tokens: self.text_tokens,
            images: self.images,
            output_tokens: max_tokens,
            hour_cache: self.hour_cache,
        }
    }

    /// What this call plausibly used when the provider reports nothing and `visible_tokens` of the
    /// answer were seen. Hidden reasoning is not in it, so it is a lower estimate.
    #[must_use]
    pub fn estimated_usage(&self, visible_tokens: u64) -> Usage {
        Usage {
            prompt_tokens: self.prompt_estimate,
            completion_tokens: visible_tokens,
            images: self.images,
            hour_cache: self.hour_cache,
            ..Usage::default()
        }
    }

    /// The body for the provider: the priced values, textually exact, and what Tollgate decides.
    /// `max_tokens` is what the hold was computed from, `user` the account's id.
    #[must_use]
    pub fn upstream_body(&self, max_tokens: u64, max_price: &MaxPrice, user: &str) -> String {
        let sent: usize = self.sent.iter().map(|(_, value)| value.text().len()).sum();
        let length = self.messages.text().len().saturating_add(sent);
        let mut body = ObjectWriter::with_capacity(length.saturating_add(1_024));
        body.string("model", &self.model);
        body.raw("messages", self.messages.text());
        for (name, value) in &self.sent {
            body.raw(name, value.text());
        }
        // One operator's callers share no session and no cache with each other.
        for (name, value) in &self.own_names {
            let own = value.as_str().unwrap_or_default();
            body.string(name, &format!("{user}:{own}"));
        }
        body.number("max_tokens", max_tokens);
        if self.stream {
            body.raw("stream", "true");
            body.raw("stream_options", "{\"include_usage\":true}");
        }
        body.raw("usage", "{\"include\":true}");
        body.string("user", user);
        let mut provider = ObjectWriter::new();
        provider.raw("max_price", &max_price.to_json());
        body.raw("provider", &provider.end());
        body.end()
    }
}

#[cfg(test)]
mod tests;
