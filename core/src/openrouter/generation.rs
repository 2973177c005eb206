//! OpenRouter's record of a finished call (`GET /generation?id=`), the last word on what a call
//! used and cost when its answer did not say.

use std::borrow::Cow;

use super::usage::{cost, count, whole};
use crate::json::{self, Kind, Raw};
use crate::money::Nanos;
use crate::usage::Usage;

/// What OpenRouter recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationRecord<'a> {
    /// From the native token counts, which are what is billed; `None` when one is not a count.
    pub usage: Option<Usage>,
    /// What OpenRouter bills the operator, rounded up; `None` when it is not an amount.
    pub total_cost: Option<Nanos>,
    /// Whether somebody else than OpenRouter bills the operator for the answer (BYOK), so that a cost of
    /// zero says nothing.
    pub billed_elsewhere: bool,
    /// Whether the call was cancelled.
    pub cancelled: bool,
    /// Why the answer ended.
    pub finish_reason: Option<Cow<'a, str>>,
}

/// Why a body is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationFault {
    /// It is not JSON in UTF-8 with a `data` object.
    NotARecord,
}

/// Reads the body of an answer with status 200.
pub fn read_generation(body: &[u8]) -> Result<GenerationRecord<'_>, GenerationFault> {
    let data = std::str::from_utf8(body)
        .ok()
        .and_then(json::read_value)
        .and_then(|root| root.get("data"))
        .filter(|data| data.kind() == Kind::Object)
        .ok_or(GenerationFault::NotARecord)?;
    Ok(GenerationRecord {
        usage: native_usage(data),
        total_cost: cost(data, "total_cost"),
        billed_elsewhere: data.get("is_byok").and_then(Raw::as_bool) == Some(true)
            || cost(data, "upstream_inference_cost").is_some_and(|cost| cost > Nanos::ZERO),
        cancelled: data.get("cancelled").and_then(Raw::as_bool) == Some(true),
        finish_reason: data.get("finish_reason").and_then(Raw::as_str),
    })
}

fn native_usage(data: Raw<'_>) -> Option<Usage> {
    Some(whole(Usage {
        prompt_tokens: count(data, "native_tokens_prompt")??,
        cached_tokens: count(data, "native_tokens_cached")?.unwrap_or_default(),
        completion_tokens: count(data, "native_tokens_completion")??,
        reasoning_tokens: count(data, "native_tokens_reasoning")?.unwrap_or_default(),
        images: count(data, "num_media_prompt")?.unwrap_or_default(),
        ..Usage::default()
    }))
}
