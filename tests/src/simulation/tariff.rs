//! Prices once more, written from DESIGN's sentences and not from `core`: what a usage costs, and what
//! each level is charged for it. Only what the simulation's models bill is known here.

use serde::Deserialize;
use tollgate_core::usage::Usage;

/// What the provider bills, in 1e-12 USD a unit.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// A token of the prompt.
    pub prompt: i64,
    /// A token of the answer.
    pub completion: i64,
    /// The call itself.
    #[serde(default)]
    pub request: i64,
    /// A token of the prompt from the provider's cache.
    pub input_cache_read: Option<i64>,
    /// A token of reasoning.
    pub internal_reasoning: Option<i64>,
}

/// What an account charges those right below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup {
    /// In hundredths of a percent.
    pub bps: i64,
    /// The least charge, in nanos.
    pub least: i64,
}

impl Tariff {
    /// The bill for a usage, in nanos, rounded up.
    #[must_use]
    pub fn bill(&self, usage: &Usage) -> i128 {
        let prompt = i128::from(usage.prompt_tokens);
        let cached = i128::from(usage.cached_tokens).min(prompt);
        let answer = i128::from(usage.completion_tokens);
        let reasoning = i128::from(usage.reasoning_tokens).min(answer);
        let picos = i128::from(self.request)
            + (prompt - cached) * i128::from(self.prompt)
            + cached * i128::from(own(self.input_cache_read, self.prompt))
            + (answer - reasoning) * i128::from(self.completion)
            + reasoning * i128::from(own(self.internal_reasoning, self.completion));
        up(picos, 1_000)
    }

    /// The most that a call of so many tokens of prompt and answer can be billed, in nanos.
    #[must_use]
    pub fn bound(&self, prompt: u64, answer: u64) -> i128 {
        let dearest = |base: i64, other: Option<i64>| i128::from(base.max(other.unwrap_or(0)));
        let picos = i128::from(self.request)
            + i128::from(prompt) * dearest(self.prompt, self.input_cache_read)
            + i128::from(answer) * dearest(self.completion, self.internal_reasoning);
        up(picos, 1_000)
    }
}

/// What each level pays for a bill, from the level below the root down to the caller.
#[must_use]
pub fn charges(bill: i128, markups_from_root: &[Markup]) -> Vec<i128> {
    let mut base = bill;
    let mut charges = Vec::new();
    for markup in markups_from_root {
        let price = up(base * (10_000 + i128::from(markup.bps)), 10_000);
        base = price.max(i128::from(markup.least));
        charges.push(base);
    }
    charges
}

/// A price of zero, or none, is no price of its own.
fn own(price: Option<i64>, base: i64) -> i64 {
    price.filter(|price| *price > 0).unwrap_or(base)
}

fn up(value: i128, by: i128) -> i128 {
    (value + by - 1).div_euclid(by)
}
