//! The form in which a cost is stored: compact JSON with whole 1e-12 USD, keys in alphabetical
//! order, so that equal prices are equal text. Since when they hold is stored beside it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::cost::{ClockWindow, Cost, Dimension, Override, UnitPrices};
use crate::money::{MoneyError, Picos};

/// Why stored text is not a cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredCostError {
    /// Not the JSON that `Cost::to_json` writes; the text says what differs.
    NotTheForm(String),
    /// A price for something that Tollgate does not know.
    UnknownDimension(String),
    /// No price for prompt tokens or for answer tokens.
    NoBasePrice,
    /// A price that is none.
    Price(MoneyError),
    /// A daily window that is none.
    Window,
}

impl fmt::Display for StoredCostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTheForm(why) => write!(f, "not a stored cost: {why}"),
            Self::UnknownDimension(key) => write!(f, "unknown price `{key}`"),
            Self::NoBasePrice => f.write_str("no price for `prompt` or `completion`"),
            Self::Price(error) => write!(f, "{error}"),
            Self::Window => f.write_str("not a daily window"),
        }
    }
}

impl std::error::Error for StoredCostError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCost {
    overrides: Vec<StoredOverride>,
    prices: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredOverride {
    min_prompt_tokens: Option<u64>,
    prices: BTreeMap<String, i64>,
    utc_end: Option<u16>,
    utc_start: Option<u16>,
}

impl Cost {
    /// The stored form of the prices and their overrides.
    #[must_use]
    pub fn to_json(&self) -> String {
        let overrides: Vec<Value> = self.overrides.iter().map(override_to_json).collect();
        let prices = prices_to_json(self.prices.iter());
        let mut object = Map::new();
        object.insert("overrides".to_owned(), Value::from(overrides));
        object.insert("prices".to_owned(), prices);
        Value::Object(object).to_string()
    }

    /// Reads what `to_json` wrote; the prices hold from `effective_from_ms` (Unix milliseconds).
    pub fn from_json(text: &str, effective_from_ms: i64) -> Result<Self, StoredCostError> {
        let stored: StoredCost = serde_json::from_str(text)
            .map_err(|error| StoredCostError::NotTheForm(error.to_string()))?;
        let prices = prices_from_json(&stored.prices)?;
        let base = |dimension| {
            let price = prices.get(&dimension).copied();
            price.ok_or(StoredCostError::NoBasePrice)
        };
        let none = UnitPrices::new(base(Dimension::Prompt)?, base(Dimension::Completion)?);
        Ok(Self {
            effective_from_ms,
            prices: prices
                .into_iter()
                .fold(none, |all, (dimension, price)| all.with(dimension, price)),
            overrides: stored
                .overrides
                .into_iter()
                .map(override_from_json)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn override_to_json(entry: &Override) -> Value {
    let mut object = Map::new();
    if let Some(min) = entry.min_prompt_tokens {
        object.insert("min_prompt_tokens".to_owned(), Value::from(min));
    }
    let prices = entry.prices.iter();
    let prices = prices_to_json(prices.map(|(dimension, price)| (*dimension, *price)));
    object.insert("prices".to_owned(), prices);
    if let Some(window) = entry.window {
        object.insert("utc_end".to_owned(), Value::from(window.utc_end()));
        object.insert("utc_start".to_owned(), Value::from(window.utc_start()));
    }
    Value::Object(object)
}

fn override_from_json(stored: StoredOverride) -> Result<Override, StoredCostError> {
    let window = match (stored.utc_start, stored.utc_end) {
        (None, None) => None,
        (Some(start), Some(end)) => {
            Some(ClockWindow::new(start, end).ok_or(StoredCostError::Window)?)
        }
        (Some(_), None) | (None, Some(_)) => return Err(StoredCostError::Window),
    };
    Ok(Override {
        min_prompt_tokens: stored.min_prompt_tokens,
        window,
        prices: prices_from_json(&stored.prices)?,
    })
}

fn prices_to_json(prices: impl Iterator<Item = (Dimension, Picos)>) -> Value {
    let sorted: BTreeMap<&str, i64> = prices
        .map(|(dimension, price)| (dimension.key(), price.get()))
        .collect();
    let entries = sorted.into_iter();
    Value::Object(
        entries
            .map(|(key, picos)| (key.to_owned(), Value::from(picos)))
            .collect(),
    )
}

fn prices_from_json(
    stored: &BTreeMap<String, i64>,
) -> Result<BTreeMap<Dimension, Picos>, StoredCostError> {
    stored
        .iter()
        .map(|(key, picos)| {
            let dimension = Dimension::from_key(key)
                .ok_or_else(|| StoredCostError::UnknownDimension(key.clone()))?;
            let price = Picos::new(*picos).map_err(StoredCostError::Price)?;
            Ok((dimension, price))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picos(value: i64) -> Picos {
        Picos::new(value).unwrap()
    }

    #[test]
    fn the_stored_form_of_a_cost_never_changes() {
        let check = |cost: Cost, expect: &str| {
            assert_eq!(cost.to_json(), expect);
            assert_eq!(Cost::from_json(expect, cost.effective_from_ms), Ok(cost));
        };
        let plain = UnitPrices::new(picos(150_000), picos(600_000));
        check(
            Cost {
                effective_from_ms: 7,
                prices: plain.clone(),
                overrides: vec![],
            },
            r#"{"overrides":[],"prices":{"completion":600000,"prompt":150000}}"#,
        );
        let every = Dimension::ALL
            .into_iter()
            .zip(1..)
            .fold(plain, |all, (dimension, price)| {
                all.with(dimension, picos(price))
            });
        let long = Override {
            min_prompt_tokens: Some(200_000),
            window: None,
            prices: [(Dimension::Prompt, picos(9))].into(),
        };
        let night = Override {
            min_prompt_tokens: None,
            window: ClockWindow::new(1630, 30),
            prices: [(Dimension::InputCacheRead, picos(0))].into(),
        };
        check(
            Cost {
                effective_from_ms: -1,
                prices: every,
                overrides: vec![long, night],
            },
            concat!(
                r#"{"overrides":[{"min_prompt_tokens":200000,"prices":{"prompt":9}},"#,
                r#"{"prices":{"input_cache_read":0},"utc_end":30,"utc_start":1630}],"#,
                r#""prices":{"audio":7,"audio_output":8,"completion":2,"image":4,"#,
                r#""image_output":6,"image_token":5,"input_audio_cache":9,"#,
                r#""input_cache_read":10,"input_cache_write":11,"input_cache_write_1h":12,"#,
                r#""internal_reasoning":13,"prompt":1,"request":3,"web_search":14}}"#,
            ),
        );
    }

    #[test]
    fn stored_text_that_tollgate_did_not_write_is_refused() {
        let check = |text: &str, expect: &str| {
            let error = Cost::from_json(text, 0).unwrap_err().to_string();
            assert!(error.starts_with(expect), "{text}: {error}");
        };
        check("", "not a stored cost: EOF");
        check("{}", "not a stored cost: missing field `overrides`");
        check(
            r#"{"overrides":[],"prices":{},"note":1}"#,
            "not a stored cost: unknown field `note`",
        );
        check(r#"{"overrides":[],"prices":{}}"#, "no price for `prompt`");
        check(
            r#"{"overrides":[],"prices":{"prompt":1}}"#,
            "no price for `prompt` or `completion`",
        );
        let with = |prices: &str, overrides: &str| {
            format!(
                r#"{{"overrides":[{overrides}],"prices":{{"completion":1,"prompt":1{prices}}}}}"#
            )
        };
        check(&with(r#","video":1"#, ""), "unknown price `video`");
        check(&with(r#","image":-1"#, ""), "a price below zero");
        check(
            &with(r#","image":0.5"#, ""),
            "not a stored cost: invalid type",
        );
        check(
            &with("", r#"{"prices":{"video":1}}"#),
            "unknown price `video`",
        );
        check(
            &with("", r#"{"prices":{},"region":1}"#),
            "not a stored cost: unknown field `region`",
        );
        check(
            &with("", r#"{"prices":{},"utc_start":100}"#),
            "not a daily window",
        );
        check(
            &with("", r#"{"prices":{},"utc_start":1,"utc_end":1}"#),
            "not a daily window",
        );
    }
}
