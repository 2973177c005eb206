//! One-shot answers.

use std::borrow::Cow;

use super::choices;
use super::failure::{Failure, failure_in_answer};
use super::usage::{cost, read_usage};
use super::visible::Visible;
use super::wire::Wire;
use crate::error::{ApiError, ErrorCode};
use crate::json::Raw;
use crate::money::Nanos;
use crate::usage::Usage;

/// An answer with choices.
#[derive(Debug)]
pub struct Answer<'a> {
    /// OpenRouter's id of the call.
    pub provider_id: Option<Cow<'a, str>>,
    /// What the provider says was used; `images` and `hour_cache` are not among it.
    pub usage: Option<Usage>,
    /// What OpenRouter says it bills the operator, rounded up.
    pub reported_cost: Option<Nanos>,
    /// Plausible tokens of text, reasoning and tool calls in the answer; 0 when there is none.
    pub visible_tokens: u64,
    /// Why the answer ended.
    pub finish_reason: Option<Cow<'a, str>>,
    wire: Wire<'a>,
}

/// Why a body with status 200 is no answer.
#[derive(Debug)]
pub enum AnswerFault {
    /// It is not a JSON object in UTF-8.
    NotJson,
    /// It has no choices.
    NoChoices,
    /// It reports a failure. OpenRouter sends status 200 once the model has begun.
    Provider(Box<Failure>),
}

impl AnswerFault {
    /// What the caller reads.
    #[must_use]
    pub fn into_error(self) -> ApiError {
        match self {
            Self::NotJson | Self::NoChoices => ErrorCode::ProviderMalformed.into(),
            Self::Provider(failure) => failure.error,
        }
    }
}

/// Reads the body of an answer with status 200.
pub fn read_answer(body: &[u8]) -> Result<Answer<'_>, AnswerFault> {
    let text = std::str::from_utf8(body).map_err(|_| AnswerFault::NotJson)?;
    let wire = Wire::read(text).ok_or(AnswerFault::NotJson)?;
    if let Some(error) = wire.error {
        return Err(AnswerFault::Provider(Box::new(failure_in_answer(error))));
    }
    let choices = wire.choices.ok_or(AnswerFault::NoChoices)?;
    let seen = choices::read(choices);
    if let Some(error) = seen.error {
        return Err(AnswerFault::Provider(Box::new(failure_in_answer(error))));
    }
    if seen.count == 0 {
        return Err(AnswerFault::NoChoices);
    }
    let mut visible = Visible::default();
    visible.add(choices);
    Ok(Answer {
        provider_id: wire.id.and_then(Raw::as_str),
        usage: wire.usage.and_then(read_usage),
        reported_cost: wire.usage.and_then(|usage| cost(usage, "cost")),
        visible_tokens: visible.tokens(),
        finish_reason: seen.finish_reason,
        wire,
    })
}

impl Answer<'_> {
    /// The caller's version: our id, and the usage that was charged with its charge as `cost`.
    #[must_use]
    pub fn to_caller(&self, id: &str, usage: Option<(&Usage, Nanos)>) -> String {
        self.wire.write(id, "chat.completion", usage)
    }
}
