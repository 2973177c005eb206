//! `provider.max_price`: what a caller is willing to pay. OpenRouter answers 404 when a model is
//! dearer, so a gateway that sends the limit in wrong units notices here.

use serde_json::Value;

use super::pricing::Price;
use super::request::Invalid;

const DECIMALS: usize = 12;
const TOKENS_PER_UNIT: u128 = 1_000_000;

/// Whether `price` is within the request's `provider.max_price`; without one everything is.
/// Prompt and completion are limited in USD per million tokens, request and image in USD each. Of
/// conditional prices the dearest counts.
pub fn allows(request: &Value, price: &Price) -> Result<bool, Invalid> {
    let Some(limits) = request.pointer("/provider/max_price") else {
        return Ok(true);
    };
    let long = price.long_context;
    let dearest = [
        (
            "prompt",
            long.map_or(price.prompt, |long| long.prompt.max(price.prompt)),
            TOKENS_PER_UNIT,
        ),
        (
            "completion",
            long.map_or(price.completion, |long| {
                long.completion.max(price.completion)
            }),
            TOKENS_PER_UNIT,
        ),
        ("request", price.request, 1),
        ("image", price.image, 1),
    ];
    for (name, picos, units) in dearest {
        let limit = match limits.get(name) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => parse_picos(text),
            Some(value) => parse_picos(&value.to_string()),
        };
        let limit =
            limit.ok_or_else(|| Invalid(format!("provider.max_price.{name}: not a price")))?;
        if u128::from(picos) * units > limit {
            return Ok(false);
        }
    }
    Ok(true)
}

/// USD as a plain decimal, in 1e-12 USD.
fn parse_picos(text: &str) -> Option<u128> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(rest) || rest.len() > DECIMALS {
        return None;
    }
    format!("{whole}{rest:0<DECIMALS$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::models::find;

    #[test]
    fn a_limit_in_the_wrong_unit_finds_no_endpoint() {
        let check = |model: &str, limits: Value, expect: Option<bool>| {
            let request = json!({"provider": {"max_price": limits}});
            let allowed = allows(&request, &find(model).unwrap().price);
            assert_eq!(allowed.ok(), expect, "{model} {request}");
        };
        check("sim/echo", Value::Null, Some(true));
        check("sim/echo", json!({}), Some(true));
        check(
            "sim/echo",
            json!({"prompt": 0.15, "completion": 0.6}),
            Some(true),
        );
        check(
            "sim/echo",
            json!({"prompt": "0.15", "completion": "0.6"}),
            Some(true),
        );
        check("sim/echo", json!({"prompt": 0.149_999}), Some(false));
        check("sim/echo", json!({"completion": 0.599_999}), Some(false));
        check("sim/echo", json!({"prompt": "0.00000015"}), Some(false));
        check(
            "sim/per-request",
            json!({"prompt": 0, "request": 0.01}),
            Some(true),
        );
        check("sim/per-request", json!({"request": 0.009}), Some(false));
        check("sim/per-image", json!({"image": 0.000_9}), Some(false));
        check(
            "sim/long-context",
            json!({"prompt": 1.25, "completion": 10}),
            Some(false),
        );
        check(
            "sim/long-context",
            json!({"prompt": 2.5, "completion": 15}),
            Some(true),
        );
        check("sim/echo", json!({"prompt": -1}), None);
        check("sim/echo", json!({"prompt": "cheap"}), None);
    }
}
