//! What a model costs by the gateway's own `GET models`, in OpenRouter's shape, and what a usage
//! costs by it. Worked out from scratch, so that it can disagree with any gateway, ours included.

use std::collections::BTreeMap;

use serde_json::Value;

use super::usd::Usd;

/// Characters of the messages' frame and roles that a provider may count beside a prompt's own.
const FRAME: u64 = 64;
/// Output tokens of a model that does not list its most.
const MOST_OUTPUT: u64 = 131_072;

/// A model and its prices for one key.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name in a request.
    pub slug: String,
    /// The most output tokens of one call.
    pub most_output: u64,
    plain: BTreeMap<String, Usd>,
    long: Vec<(u64, BTreeMap<String, Usd>)>,
    /// Whether a price depends on something that is not in a usage, such as the time of day.
    pub conditional: bool,
}

/// What an answer says that it used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input tokens.
    pub prompt: u64,
    /// Those of them that were read from a cache.
    pub cached: u64,
    /// Those of them that were written to one.
    pub written: u64,
    /// All output tokens.
    pub completion: u64,
    /// Those of them that nobody sees.
    pub reasoning: u64,
}

impl Model {
    /// Reads an entry of `GET models`. `None` when prompt or completion have no price, or a
    /// negative one, which is OpenRouter's way to say that nobody knows it.
    #[must_use]
    pub fn read(entry: &Value) -> Option<Self> {
        let slug = entry["id"].as_str()?.to_owned();
        let plain = dimensions(&entry["pricing"]);
        let known = |name| plain.get(name).is_some_and(|price| *price >= Usd::ZERO);
        if !known("prompt") || !known("completion") {
            return None;
        }
        let none = Vec::new();
        let overrides = entry["pricing"]["overrides"].as_array().unwrap_or(&none);
        let by_length = |entry: &Value| {
            let min = entry["min_prompt_tokens"].as_u64()?;
            Some((min, dimensions(entry)))
        };
        let top = &entry["top_provider"]["max_completion_tokens"];
        let most = top.as_u64().or_else(|| entry["context_length"].as_u64());
        Some(Self {
            slug,
            most_output: most.unwrap_or(MOST_OUTPUT),
            long: overrides.iter().filter_map(by_length).collect(),
            conditional: overrides.iter().any(|entry| {
                entry.get("utc_start").is_some() || entry["min_prompt_tokens"].is_null()
            }),
            plain,
        })
    }

    /// Whether a kind of token has a price of its own.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.plain.get(name).is_some_and(|price| *price > Usd::ZERO)
    }

    /// What an output token costs that everybody sees.
    #[must_use]
    pub fn per_output(&self) -> Usd {
        self.at("completion", 0).unwrap_or_default()
    }

    /// What a usage costs by the list.
    #[must_use]
    pub fn price(&self, usage: Usage) -> Usd {
        let at = |name| self.at(name, usage.prompt);
        let prompt = at("prompt").unwrap_or_default();
        let completion = at("completion").unwrap_or_default();
        let read = at("input_cache_read").unwrap_or(prompt);
        let write = at("input_cache_write").unwrap_or(prompt);
        // OpenRouter lists zero where reasoning costs what other output does.
        let reasoning = at("internal_reasoning").filter(|price| *price > Usd::ZERO);
        let plain = usage.prompt.saturating_sub(usage.cached + usage.written);
        let seen = usage.completion.saturating_sub(usage.reasoning);
        at("request").unwrap_or_default()
            + prompt.times(plain)
            + read.times(usage.cached)
            + write.times(usage.written)
            + completion.times(seen)
            + reasoning.unwrap_or(completion).times(usage.reasoning)
    }

    /// The most that a call with so many bytes of prompt and so many output tokens costs: a token
    /// covers at least a byte, at the dearest price that could apply.
    #[must_use]
    pub fn at_most(&self, prompt_bytes: u64, output: u64) -> Usd {
        let input = ["prompt", "input_cache_read", "input_cache_write"];
        self.dearest(&["request"])
            + self.dearest(&input).times(prompt_bytes + FRAME)
            + self
                .dearest(&["completion", "internal_reasoning"])
                .times(output)
    }

    fn at(&self, name: &str, prompt: u64) -> Option<Usd> {
        let long = self.long.iter().filter(|(min, _)| prompt > *min);
        let long = long.filter_map(|(min, prices)| Some((min, prices.get(name)?)));
        let longest = long.max_by_key(|(min, _)| **min);
        let price = longest.map(|(_, price)| price);
        price.or_else(|| self.plain.get(name)).copied()
    }

    fn dearest(&self, names: &[&str]) -> Usd {
        let tables = self.long.iter().map(|(_, prices)| prices);
        let prices = tables
            .chain([&self.plain])
            .flat_map(|table| names.iter().filter_map(|name| table.get(*name)));
        prices.copied().max().unwrap_or_default()
    }
}

impl Usage {
    /// Reads the `usage` of an answer; `None` when it has no counts.
    #[must_use]
    pub fn read(usage: &Value) -> Option<Self> {
        let details = |of: &str, name: &str| usage[of][name].as_u64().unwrap_or(0);
        Some(Self {
            prompt: usage["prompt_tokens"].as_u64()?,
            cached: details("prompt_tokens_details", "cached_tokens"),
            written: details("prompt_tokens_details", "cache_write_tokens"),
            completion: usage["completion_tokens"].as_u64()?,
            reasoning: details("completion_tokens_details", "reasoning_tokens"),
        })
    }
}

fn dimensions(prices: &Value) -> BTreeMap<String, Usd> {
    let none = serde_json::Map::new();
    let prices = prices.as_object().unwrap_or(&none).iter();
    let known = prices.filter_map(|(name, price)| Some((name.clone(), Usd::read(price)?)));
    known.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_usage_costs_what_the_list_says() {
        let model = Model::read(&json!({
            "id": "maker/model",
            "top_provider": {"max_completion_tokens": 1_000},
            "pricing": {
                "prompt": "0.000003", "completion": "0.000015", "request": "0.01",
                "input_cache_read": "0.0000003", "input_cache_write": "0.00000375",
                "internal_reasoning": "0.00002",
                "overrides": [{"min_prompt_tokens": 100, "prompt": "0.000006"}],
            },
        }))
        .unwrap();
        let check = |[prompt, cached, written, completion, reasoning]: [u64; 5], nanos: i128| {
            let usage = Usage {
                prompt,
                cached,
                written,
                completion,
                reasoning,
            };
            assert_eq!(model.price(usage), Usd::of_nanos(nanos), "{usage:?}");
        };
        check([0, 0, 0, 0, 0], 10_000_000);
        check([100, 0, 0, 0, 0], 10_300_000);
        check([101, 0, 0, 0, 0], 10_606_000);
        check([100, 50, 25, 0, 0], 10_183_750);
        check([0, 0, 0, 10, 0], 10_150_000);
        check([0, 0, 0, 10, 4], 10_170_000);
        let most = model.at_most(36, 10);
        assert_eq!(most, Usd::of_nanos(10_000_000 + 600_000 + 200_000));
        assert_eq!(model.most_output, 1_000);
    }

    #[test]
    fn a_model_without_a_price_is_not_taken_for_a_free_one() {
        let check = |pricing: Value, expect: bool| {
            let entry = json!({"id": "maker/model", "pricing": pricing});
            assert_eq!(Model::read(&entry).is_some(), expect, "{entry}");
        };
        check(json!({"prompt": "0", "completion": "0"}), true);
        check(json!({"prompt": 0.1, "completion": 0.2}), true);
        check(json!({"prompt": "-1", "completion": "-1"}), false);
        check(json!({"prompt": "0.1"}), false);
        check(json!({}), false);
        check(json!(null), false);
    }
}
