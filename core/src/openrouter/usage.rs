//! Usage as OpenRouter reports it (`ChatUsage`) and as the caller sees it.

use crate::json::{Kind, ObjectWriter, Raw};
use crate::money::{Nanos, round_up_to_nanos};
use crate::usage::Usage;

/// No call has more tokens than this; a larger count is a lie or a slip.
const MOST_TOKENS: u64 = 0xFFFF_FFFF;

/// Reads usage. A count that is not a whole number from 0 makes the whole report worthless:
/// `None`, as if nothing had been reported. A part that is larger than its whole raises the whole
/// (some providers count cached or reasoning tokens apart), so that nothing used goes unpaid.
pub(super) fn read_usage(usage: Raw<'_>) -> Option<Usage> {
    let prompt_tokens = count(usage, "prompt_tokens")??;
    let completion_tokens = count(usage, "completion_tokens")??;
    let prompt = usage.get("prompt_tokens_details");
    let completion = usage.get("completion_tokens_details");
    let part = |details: Option<Raw<'_>>, name| match details {
        Some(details) if details.kind() != Kind::Object => None,
        Some(details) => Some(count(details, name)?.unwrap_or_default()),
        None => Some(0),
    };
    Some(whole(Usage {
        prompt_tokens,
        cached_tokens: part(prompt, "cached_tokens")?,
        cache_write_tokens: part(prompt, "cache_write_tokens")?,
        prompt_audio_tokens: part(prompt, "audio_tokens")?,
        completion_tokens,
        reasoning_tokens: part(completion, "reasoning_tokens")?,
        ..Usage::default()
    }))
}

/// Raises the wholes to their parts.
pub(super) fn whole(mut usage: Usage) -> Usage {
    let cached = usage.cached_tokens.saturating_add(usage.cache_write_tokens);
    usage.prompt_tokens = usage
        .prompt_tokens
        .max(cached)
        .max(usage.prompt_audio_tokens);
    usage.completion_tokens = usage.completion_tokens.max(usage.reasoning_tokens);
    usage
}

/// `Some(None)` when the member is absent or null, `None` when it is no count.
#[expect(
    clippy::option_option,
    reason = "absent and unusable are different, and both end in ?"
)]
pub(super) fn count(object: Raw<'_>, name: &str) -> Option<Option<u64>> {
    match object.get(name) {
        None => Some(None),
        Some(value) => {
            let tokens = value.as_u64().filter(|tokens| *tokens <= MOST_TOKENS)?;
            Some(Some(tokens))
        }
    }
}

/// A cost in USD, rounded up to a nano. `None` when it is absent, negative or absurd.
pub(super) fn cost(object: Raw<'_>, name: &str) -> Option<Nanos> {
    let usd = object.get(name)?.as_decimal()?;
    // Rounding up first would turn a tiny negative cost into nothing.
    let picos = usd.is_within(0, i32::MAX).then(|| usd.scaled_up(12))??;
    round_up_to_nanos(picos).ok()
}

/// Usage for the caller: token counts, and the charge where OpenRouter would show its cost.
pub(super) fn write_usage(usage: &Usage, charge: Nanos) -> String {
    let mut prompt = ObjectWriter::new();
    prompt.number("cached_tokens", usage.cached_tokens);
    prompt.number("cache_write_tokens", usage.cache_write_tokens);
    prompt.number("audio_tokens", usage.prompt_audio_tokens);
    let mut completion = ObjectWriter::new();
    completion.number("reasoning_tokens", usage.reasoning_tokens);
    let total = usage.prompt_tokens.saturating_add(usage.completion_tokens);
    let mut out = ObjectWriter::new();
    out.number("prompt_tokens", usage.prompt_tokens);
    out.number("completion_tokens", usage.completion_tokens);
    out.number("total_tokens", total);
    out.raw("prompt_tokens_details", &prompt.end());
    out.raw("completion_tokens_details", &completion.end());
    out.raw("cost", &charge.to_usd());
    out.end()
}
