//! The models that a caller can use, at its own prices.

use super::facts::{CallerFacts, ModelFacts};
use crate::pricing::{PriceRule, pick, public_model};

/// The body of `GET models`: every model that has a price for this caller and that its key may
/// use, in OpenRouter's shape.
#[must_use]
pub fn public_models(caller: &CallerFacts, models: &[ModelFacts], now_ms: i64) -> String {
    let key = &caller.snapshot.key;
    let shown = models
        .iter()
        .filter(|facts| key.limits.allows_model(&facts.model.slug));
    // A model whose price with its markups is no amount cannot be called either.
    let listed: Vec<String> = shown
        .filter_map(|facts| {
            let (_, cost) = facts.cost_at(now_ms)?;
            let rules: Option<Vec<&PriceRule>> = caller
                .rules
                .iter()
                .rev()
                .map(|rules| pick(rules, &facts.model.slug, now_ms))
                .collect();
            public_model(&facts.model, cost, &rules?).ok()
        })
        .collect();
    format!("{{\"data\":[{}]}}", listed.join(","))
}
