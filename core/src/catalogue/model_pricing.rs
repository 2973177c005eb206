//! Reads the `pricing` object of a model in OpenRouter's `/models` (`PublicPricing` and
//! `PricingOverride`). Whatever is not understood to the last key is refused: a price that is
//! misread is somebody's money.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::cost::{ClockWindow, Cost, Dimension, Override, UnitPrices};
use crate::money::{MoneyError, Picos};

/// A JSON object whose values are still text, so that no number passes through a float.
pub(super) type RawObject<'a> = BTreeMap<String, &'a RawValue>;

/// The cost in a `pricing` object, or why it cannot be used, in words.
pub(super) fn read(
    pricing: &RawObject,
    effective_from_ms: i64,
    free: bool,
) -> Result<Cost, String> {
    let mut prices = BTreeMap::new();
    let mut overrides = Vec::new();
    for (key, value) in pricing {
        match key.as_str() {
            "discount" => check_discount(value)?,
            "overrides" => overrides = read_overrides(value, free)?,
            _ => {
                let (dimension, price) = read_price(key, value)?;
                if !(dimension.falls_back() && price == Picos::ZERO) {
                    prices.insert(dimension, price);
                }
            }
        }
    }
    let base = |dimension: Dimension| {
        let price = prices.get(&dimension).copied();
        price.ok_or_else(|| format!("no price `{}`", dimension.key()))
    };
    let (prompt, completion) = (base(Dimension::Prompt)?, base(Dimension::Completion)?);
    let request = prices.get(&Dimension::Request).copied().unwrap_or_default();
    if !free && [prompt, completion, request] == [Picos::ZERO; 3] {
        return Err("every price is zero, but the model is not marked `:free`".to_owned());
    }
    let none = UnitPrices::new(prompt, completion);
    Ok(Cost {
        effective_from_ms,
        prices: prices
            .into_iter()
            .fold(none, |all, (dimension, price)| all.with(dimension, price)),
        overrides,
    })
}

/// A discount is checked and otherwise ignored: OpenRouter does not say whether the listed prices
/// are before or after it, and the listed price is the dearer reading.
fn check_discount(value: &RawValue) -> Result<(), String> {
    let text = value.get();
    let refusal = || format!("the discount `{text}` is not a fraction of the price");
    let discount = Picos::parse_usd(text).or_else(|error| match error {
        // More decimals than fit are no reason to refuse what is ignored.
        MoneyError::TooPrecise => Ok(Picos::ZERO),
        MoneyError::NotADecimal | MoneyError::Negative | MoneyError::Overflow => Err(refusal()),
    })?;
    let all = Picos::parse_usd("1").map_err(|_| refusal())?;
    if discount > all {
        return Err(refusal());
    }
    Ok(())
}

fn read_overrides(value: &RawValue, free: bool) -> Result<Vec<Override>, String> {
    let entries: Vec<RawObject> = serde_json::from_str(value.get())
        .map_err(|error| format!("`overrides` cannot be read: {error}"))?;
    entries
        .iter()
        .map(|entry| read_override(entry, free))
        .collect()
}

fn read_override(entry: &RawObject, free: bool) -> Result<Override, String> {
    let mut min_prompt_tokens = None;
    let (mut start, mut end) = (None, None);
    let mut prices = BTreeMap::new();
    for (key, value) in entry {
        match key.as_str() {
            "min_prompt_tokens" => min_prompt_tokens = Some(read_whole(key, value)?),
            "utc_start" => start = Some(read_whole(key, value)?),
            "utc_end" => end = Some(read_whole(key, value)?),
            _ => {
                let (dimension, price) = read_price(key, value)?;
                if price == Picos::ZERO && !free {
                    return Err(format!("an override sets `{key}` to zero"));
                }
                prices.insert(dimension, price);
            }
        }
    }
    let window = match (start, end) {
        (None, None) => None,
        (Some(start), Some(end)) => Some(read_window(start, end)?),
        (Some(_), None) | (None, Some(_)) => {
            return Err("an override has only one end of its daily window".to_owned());
        }
    };
    Ok(Override {
        min_prompt_tokens,
        window,
        prices,
    })
}

fn read_window(start: u64, end: u64) -> Result<ClockWindow, String> {
    let clock = |value: u64| u16::try_from(value).ok();
    clock(start)
        .zip(clock(end))
        .and_then(|(start, end)| ClockWindow::new(start, end))
        .ok_or_else(|| format!("`{start}` to `{end}` is not a daily window"))
}

fn read_price(key: &str, value: &RawValue) -> Result<(Dimension, Picos), String> {
    let dimension = Dimension::from_key(key).ok_or_else(|| format!("unknown price `{key}`"))?;
    let text = text_of(value);
    let price = Picos::parse_usd(&text).map_err(|error| match error {
        MoneyError::Negative => format!("`{key}` is `{text}`: it has no fixed price"),
        MoneyError::NotADecimal | MoneyError::TooPrecise | MoneyError::Overflow => {
            format!("`{key}` is `{text}`: {error}")
        }
    })?;
    Ok((dimension, price))
}

/// OpenRouter types these as `double`, so `200000.0` is a whole number too.
fn read_whole(key: &str, value: &RawValue) -> Result<u64, String> {
    let text = value.get();
    let whole = match text.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|byte| byte == b'0') => whole,
        Some(_) | None => text,
    };
    whole
        .parse()
        .map_err(|_| format!("`{key}` is `{text}`: not a whole number"))
}

fn text_of(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}
