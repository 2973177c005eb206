//! What a call costs, in exact integers: unit prices and amounts are 1e-12 USD (picos).
//! Written without a look at the gateway's own pricing, so that the two can be held against each
//! other. Nothing is rounded: every amount is a whole number of picos.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Unit prices in 1e-12 USD per token, image or request, with OpenRouter's names. A dimension that
/// is `None` is not listed, and its units are priced as plain input or output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Per input token that was neither read from nor written to a cache.
    pub prompt: u64,
    /// Per output token; for reasoning tokens too unless `internal_reasoning` is listed.
    pub completion: u64,
    /// Per call.
    pub request: u64,
    /// Per input image, besides the tokens it counts as.
    pub image: u64,
    /// Per input token read from a cache.
    pub input_cache_read: Option<u64>,
    /// Per input token written to a cache.
    pub input_cache_write: Option<u64>,
    /// Per hidden reasoning token.
    pub internal_reasoning: Option<u64>,
    /// Other prices for long prompts.
    pub long_context: Option<LongContext>,
}

/// Prices that replace the base prices when a prompt is longer than a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongContext {
    /// The override applies to prompts of strictly more tokens than this.
    pub min_prompt_tokens: u64,
    /// 1e-12 USD per input token.
    pub prompt: u64,
    /// 1e-12 USD per output token.
    pub completion: u64,
}

/// What one call used. `prompt` contains the cached, written and image tokens, `completion`
/// contains the reasoning tokens, as OpenRouter reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens, all kinds.
    pub prompt: u64,
    /// Input tokens read from a cache.
    pub cached: u64,
    /// Input tokens written to a cache.
    pub cache_write: u64,
    /// Output tokens, all kinds.
    pub completion: u64,
    /// Output tokens of hidden reasoning.
    pub reasoning: u64,
    /// Input images.
    pub images: u64,
}

/// An amount of 1e-12 USD, printed as a plain decimal number of USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(pub i128);

/// The parts of a call's cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Input tokens, images and the price of the call itself.
    pub prompt: Usd,
    /// Output tokens.
    pub completion: Usd,
    /// What caching saved; negative when writing the cache cost more than it saved.
    pub cache_discount: Usd,
}

const PICOS_PER_USD: u128 = 1_000_000_000_000;

impl Price {
    /// A price of so much per input and output token, and nothing else.
    #[must_use]
    pub const fn per_token(prompt: u64, completion: u64) -> Self {
        Self {
            prompt,
            completion,
            request: 0,
            image: 0,
            input_cache_read: None,
            input_cache_write: None,
            internal_reasoning: None,
            long_context: None,
        }
    }

    /// What `usage` costs.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Cost {
        let (prompt_price, completion_price) = match self.long_context {
            Some(long) if usage.prompt > long.min_prompt_tokens => (long.prompt, long.completion),
            Some(_) | None => (self.prompt, self.completion),
        };
        let amount = |units: u64, price: u64| i128::from(units) * i128::from(price);
        let fresh = usage.prompt - usage.cached - usage.cache_write;
        let visible = usage.completion - usage.reasoning;
        let cached = amount(usage.cached, self.input_cache_read.unwrap_or(prompt_price));
        let written = amount(
            usage.cache_write,
            self.input_cache_write.unwrap_or(prompt_price),
        );
        let reasoning_price = self.internal_reasoning.unwrap_or(completion_price);
        Cost {
            prompt: Usd(amount(fresh, prompt_price)
                + cached
                + written
                + amount(usage.images, self.image)
                + i128::from(self.request)),
            completion: Usd(
                amount(visible, completion_price) + amount(usage.reasoning, reasoning_price)
            ),
            cache_discount: Usd(amount(usage.cached + usage.cache_write, prompt_price)
                - cached
                - written),
        }
    }
}

impl Cost {
    /// The whole cost of the call.
    #[must_use]
    pub fn total(&self) -> Usd {
        Usd(self.prompt.0 + self.completion.0)
    }
}

/// A unit price of `picos` as OpenRouter writes it: `0.00000015`.
#[must_use]
pub fn unit_price_text(picos: u64) -> String {
    Usd(i128::from(picos)).to_string()
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (whole, rest) = (magnitude / PICOS_PER_USD, magnitude % PICOS_PER_USD);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{rest:012}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

// A JSON number with exactly these digits; a float would not keep them.
impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Price = Price::per_token(150_000, 600_000);

    #[test]
    fn amounts_print_as_plain_decimals_without_loss() {
        let check = |picos: i128, expect: &str| {
            assert_eq!(Usd(picos).to_string(), expect);
            assert_eq!(serde_json::to_string(&Usd(picos)).unwrap(), expect);
        };
        check(0, "0");
        check(1, "0.000000000001");
        check(-150_000, "-0.00000015");
        check(1_500_000_000_000, "1.5");
        check(123_456_789_000_000_000_001, "123456789.000000000001");
    }

    #[test]
    fn every_dimension_of_usage_has_its_price() {
        let check = |price: Price, usage: Usage, expect: i128| {
            assert_eq!(price.cost(&usage).total(), Usd(expect), "{usage:?}");
        };
        let usage = |prompt, completion| Usage {
            prompt,
            completion,
            ..Usage::default()
        };
        check(BASE, usage(10, 5), 4_500_000);
        check(Price { request: 7, ..BASE }, usage(0, 0), 7);
        check(
            Price { image: 9, ..BASE },
            Usage {
                images: 2,
                ..usage(0, 0)
            },
            18,
        );
        let cached = Usage {
            cached: 4,
            cache_write: 3,
            ..usage(10, 0)
        };
        check(BASE, cached, 1_500_000);
        let cache = Price {
            input_cache_read: Some(1),
            input_cache_write: Some(100),
            ..BASE
        };
        check(cache, cached, 3 * 150_000 + 4 + 300);
        assert_eq!(cache.cost(&cached).cache_discount, Usd(7 * 150_000 - 304));
        let thinking = Usage {
            reasoning: 3,
            ..usage(0, 5)
        };
        check(BASE, thinking, 3_000_000);
        check(
            Price {
                internal_reasoning: Some(2),
                ..BASE
            },
            thinking,
            1_200_006,
        );
        let long = LongContext {
            min_prompt_tokens: 10,
            prompt: 2,
            completion: 3,
        };
        let long = Price {
            long_context: Some(long),
            ..BASE
        };
        check(long, usage(10, 5), 4_500_000);
        check(long, usage(11, 5), 37);
    }
}
