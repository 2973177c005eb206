//! What a call must cost, worked out a second time: from the provider's own price list and the
//! reported usage, in whole 1e-12 USD, without a line of the gateway's pricing. What the levels add
//! is worked out in the library of the tests.

use std::collections::HashMap;

use serde_json::Value;
use tollgate_tests::price::{self, Rule, picos};
use tollgate_tests::stage::OPERATOR;

/// What the operator adds to the provider's bill, in hundredths of a percent.
pub const OPERATOR_BPS: i64 = OPERATOR.markup_bps;

/// The provider's prices by model and dimension, in 1e-12 USD a unit.
#[derive(Debug)]
pub struct Catalogue(HashMap<String, Prices>);

#[derive(Debug, Default)]
struct Prices {
    plain: HashMap<String, i128>,
    /// For prompts of more tokens than this.
    long: Option<(i128, HashMap<String, i128>)>,
}

impl Catalogue {
    /// Reads the provider's list.
    pub fn read(models: &str) -> Self {
        let list: Value = serde_json::from_str(models).unwrap();
        let models = list["data"].as_array().unwrap().iter();
        Self(
            models
                .map(|model| {
                    let pricing = &model["pricing"];
                    let long = pricing["overrides"].get(0).map(|entry| {
                        let from = entry["min_prompt_tokens"].as_i64().unwrap();
                        (i128::from(from), dimensions(entry))
                    });
                    let plain = dimensions(pricing);
                    let slug = model["id"].as_str().unwrap().to_owned();
                    (slug, Prices { plain, long })
                })
                .collect(),
        )
    }

    /// What the provider bills for this usage of a call with so many images, in 1e-12 USD.
    pub fn cost_picos(&self, model: &str, usage: &Value, images: i128) -> i128 {
        let prices = &self.0[model];
        let count = |value: &Value| i128::from(value.as_i64().unwrap_or_default());
        let prompt = count(&usage["prompt_tokens"]);
        let completion = count(&usage["completion_tokens"]);
        let cached = count(&usage["prompt_tokens_details"]["cached_tokens"]);
        let written = count(&usage["prompt_tokens_details"]["cache_write_tokens"]);
        let reasoning = count(&usage["completion_tokens_details"]["reasoning_tokens"]);
        let price = |name: &str| {
            let long = prices.long.as_ref();
            let long = long.filter(|(from, _)| prompt > *from);
            let over = long.and_then(|(_, prices)| prices.get(name));
            over.or_else(|| prices.plain.get(name)).copied()
        };
        let or = |name: &str, base: &str| price(name).or_else(|| price(base)).unwrap_or_default();
        price("request").unwrap_or_default()
            + images * price("image").unwrap_or_default()
            + (prompt - cached - written) * or("prompt", "")
            + cached * or("input_cache_read", "prompt")
            + written * or("input_cache_write", "prompt")
            + (completion - reasoning) * or("completion", "")
            + reasoning * or("internal_reasoning", "completion")
    }
}

fn dimensions(prices: &Value) -> HashMap<String, i128> {
    let prices = prices.as_object().unwrap().iter();
    let texts = prices.filter_map(|(name, price)| Some((name, price.as_str()?)));
    texts
        .map(|(name, usd)| (name.clone(), picos(usd)))
        .collect()
}

/// What each level pays for a bill in 1e-12 USD, in nanos: the account below the operator first.
pub fn charges(bill_picos: i128, markups_bps: &[i64]) -> Vec<i64> {
    let rules: Vec<Rule> = markups_bps.iter().copied().map(Rule::markup).collect();
    price::charges(bill_picos, &rules)
}

/// What a customer of the operator pays for a bill in 1e-12 USD, in nanos.
pub fn charge(bill_picos: i128) -> i64 {
    charges(bill_picos, &[OPERATOR_BPS])[0]
}
