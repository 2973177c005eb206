//! From units to the provider's bill: exactly, when the usage is known, and at most, before the
//! call. Markups and charges are in `rule`.

use crate::catalogue::{Cost, Dimension, Model};
use crate::money::{MoneyError, Nanos, Picos, round_up_to_nanos};
use crate::usage::{Usage, UsageBound};

/// Why a call has no upper bound and is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundRefusal {
    /// The prompt has images, and what one of them costs at most is not known.
    ImagesNotPriced,
    /// The bound is not an amount that can be held.
    Money(MoneyError),
}

impl From<MoneyError> for BoundRefusal {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

/// What the provider bills for a call that was made, by the prices that hold at `at_ms` (Unix
/// milliseconds). `Overflow` when it is no amount; never less than the price per request.
///
/// Parts that exceed their whole are cut to it, the dearest kind first, so that a wrong count
/// neither underflows nor makes the call cheaper. Audio from the cache is billed as audio, because
/// usage does not tell it apart, and so are writes for an hour as soon as the caller asked for
/// any.
pub fn cost_of(cost: &Cost, usage: &Usage, at_ms: i64) -> Result<Nanos, MoneyError> {
    let units = billed_units(cost, usage, at_ms);
    total(&units.map(|unit| (unit.price, unit.units)))
}

/// Units of one kind, and what the provider bills for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BilledUnits {
    pub dimension: Dimension,
    pub units: u64,
    pub price: Picos,
}

/// Everything that [`cost_of`] adds up, what is not used or costs nothing included.
pub(super) fn billed_units(cost: &Cost, usage: &Usage, at_ms: i64) -> [BilledUnits; 8] {
    let rates = Rates::at(cost, usage, at_ms);
    let written = usage.cache_write_tokens.min(usage.prompt_tokens);
    let rest = usage.prompt_tokens.saturating_sub(written);
    let audio = usage.prompt_audio_tokens.min(rest);
    let rest = rest.saturating_sub(audio);
    let cached = usage.cached_tokens.min(rest);
    let plain = rest.saturating_sub(cached);
    let reasoning = usage.reasoning_tokens.min(usage.completion_tokens);
    let shown = usage.completion_tokens.saturating_sub(reasoning);
    let write = if usage.hour_cache {
        Dimension::InputCacheWrite1h
    } else {
        Dimension::InputCacheWrite
    };
    [
        (Dimension::Request, rates.request, 1),
        (Dimension::Image, rates.image, usage.images),
        (write, rates.cache_write, written),
        (Dimension::Audio, rates.audio, audio),
        (Dimension::InputCacheRead, rates.cache_read, cached),
        (Dimension::Prompt, rates.prompt, plain),
        (Dimension::InternalReasoning, rates.reasoning, reasoning),
        (Dimension::Completion, rates.completion, shown),
    ]
    .map(|(dimension, price, units)| BilledUnits {
        dimension,
        units,
        price,
    })
}

/// The most that the provider can bill for a call within `bound`, at any time of day: every unit
/// at the dearest rate that could apply to it. Audio is in no bound, since no prompt with audio is
/// accepted. `ImagesNotPriced` when the model has no maximum for an image, or bills image tokens
/// at a rate of their own, because usage does not count them.
pub fn cost_bound(cost: &Cost, model: &Model, bound: &UsageBound) -> Result<Nanos, BoundRefusal> {
    let prompt_tokens = prompt_bound(cost, model, bound)?;
    let mut prompt_kinds = vec![
        Dimension::Prompt,
        Dimension::InputCacheRead,
        Dimension::InputCacheWrite,
    ];
    if bound.hour_cache {
        prompt_kinds.push(Dimension::InputCacheWrite1h);
    }
    let answer_kinds = [Dimension::Completion, Dimension::InternalReasoning];
    let dearest = |kinds: &[Dimension]| dearest(cost, kinds, prompt_tokens);
    let nanos = total(&[
        (dearest(&[Dimension::Request]), 1),
        (dearest(&[Dimension::Image]), bound.images),
        (dearest(&prompt_kinds), prompt_tokens),
        (dearest(&answer_kinds), bound.output_tokens),
    ])?;
    Ok(nanos)
}

/// The rates that apply to one call.
struct Rates {
    request: Picos,
    image: Picos,
    prompt: Picos,
    cache_read: Picos,
    cache_write: Picos,
    audio: Picos,
    completion: Picos,
    reasoning: Picos,
}

impl Rates {
    fn at(cost: &Cost, usage: &Usage, at_ms: i64) -> Self {
        let price = |dimension: Dimension| {
            cost.overrides
                .iter()
                .rev()
                .filter(|entry| entry.applies(usage.prompt_tokens, at_ms))
                .find_map(|entry| entry.prices.get(&dimension).copied())
                .or_else(|| cost.prices.get(dimension))
        };
        let prompt = price(Dimension::Prompt).unwrap_or(cost.prices.prompt());
        let completion = price(Dimension::Completion).unwrap_or(cost.prices.completion());
        let cache_write = or_base(price(Dimension::InputCacheWrite), prompt);
        // OpenRouter repeats the completion price as the reasoning price but cannot override it;
        // such a copy follows the completion price into long context.
        let reasoning = price(Dimension::InternalReasoning)
            .filter(|reasoning| *reasoning != cost.prices.completion());
        Self {
            request: price(Dimension::Request).unwrap_or_default(),
            image: price(Dimension::Image).unwrap_or_default(),
            prompt,
            cache_read: or_base(price(Dimension::InputCacheRead), prompt),
            cache_write: if usage.hour_cache {
                or_base(price(Dimension::InputCacheWrite1h), cache_write)
            } else {
                cache_write
            },
            audio: or_base(price(Dimension::Audio), prompt),
            completion,
            reasoning: or_base(reasoning, completion),
        }
    }
}

/// The rule of `Dimension::falls_back`: no price, or zero, means the base rate.
fn or_base(own: Option<Picos>, base: Picos) -> Picos {
    own.filter(|price| *price > Picos::ZERO).unwrap_or(base)
}

fn dearest(cost: &Cost, kinds: &[Dimension], prompt_tokens: u64) -> Picos {
    let listed = kinds.iter().filter_map(|kind| cost.prices.get(*kind));
    let overridden = cost
        .overrides
        .iter()
        .filter(|entry| entry.can_apply(prompt_tokens))
        .flat_map(|entry| kinds.iter().filter_map(|kind| entry.prices.get(kind)))
        .copied();
    listed.chain(overridden).max().unwrap_or_default()
}

fn prompt_bound(cost: &Cost, model: &Model, bound: &UsageBound) -> Result<u64, BoundRefusal> {
    if bound.images == 0 {
        return Ok(bound.text_tokens);
    }
    let image_token = or_base(cost.prices.get(Dimension::ImageToken), cost.prices.prompt());
    let per_image = model
        .max_image_tokens
        .filter(|_| image_token == cost.prices.prompt())
        .ok_or(BoundRefusal::ImagesNotPriced)?;
    bound
        .images
        .checked_mul(per_image)
        .and_then(|tokens| tokens.checked_add(bound.text_tokens))
        .ok_or(BoundRefusal::Money(MoneyError::Overflow))
}

fn total(items: &[(Picos, u64)]) -> Result<Nanos, MoneyError> {
    let picos = items.iter().try_fold(0_i128, |sum, (price, units)| {
        sum.checked_add(price.times(*units))
            .ok_or(MoneyError::Overflow)
    })?;
    round_up_to_nanos(picos)
}

#[cfg(test)]
mod tests;
