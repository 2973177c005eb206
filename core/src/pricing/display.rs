//! Prices as a caller sees them: the model object of OpenRouter's `/models` with every unit price
//! taken through the caller's chain of markups. Nothing in it tells the operator's cost.

use serde_json::{Map, Value};

use super::rule::PriceRule;
use crate::catalogue::{Cost, Dimension, Model, Override};
use crate::money::{MoneyError, Picos};

/// The public model object as JSON in OpenRouter's shape, prices in USD per unit as decimal
/// strings, each level's markup rounded up to 1e-12 USD. Minimum charges are not in it, since they
/// are per call. An error when a price with its markups is no amount: such a model is not sold.
pub fn public_model(
    model: &Model,
    cost: &Cost,
    rules_from_root: &[&PriceRule],
) -> Result<String, MoneyError> {
    let usd = |price: Picos| {
        let marked_up = rules_from_root
            .iter()
            .try_fold(price, |price, rule| rule.unit_price(price))?;
        Ok(Value::from(marked_up.to_usd()))
    };
    let mut pricing = Map::new();
    for (dimension, price) in cost.prices.iter() {
        pricing.insert(dimension.key().to_owned(), usd(price)?);
    }
    // OpenRouter's readers expect these two even where nothing is billed by them.
    for dimension in [Dimension::Request, Dimension::Image] {
        let key = dimension.key().to_owned();
        pricing.entry(key).or_insert_with(|| Value::from("0"));
    }
    if !cost.overrides.is_empty() {
        let shown = cost.overrides.iter().map(|entry| shown(entry, &usd));
        pricing.insert("overrides".to_owned(), shown.collect::<Result<Value, _>>()?);
    }
    let mut object: Map<String, Value> = serde_json::from_str(&model.details).unwrap_or_default();
    object.insert("id".to_owned(), Value::from(model.slug.as_str()));
    object.insert("name".to_owned(), Value::from(model.name.as_str()));
    object.insert("pricing".to_owned(), Value::Object(pricing));
    // What the model could take and this gateway refuses is not offered.
    let modalities = if model.max_image_tokens.is_some() {
        &["text", "image"][..]
    } else {
        &["text"]
    };
    if let Some(Value::Object(architecture)) = object.get_mut("architecture") {
        architecture.insert("input_modalities".to_owned(), Value::from(modalities));
    }
    Ok(Value::Object(object).to_string())
}

fn shown(
    entry: &Override,
    usd: &impl Fn(Picos) -> Result<Value, MoneyError>,
) -> Result<Value, MoneyError> {
    let mut object = Map::new();
    if let Some(min) = entry.min_prompt_tokens {
        object.insert("min_prompt_tokens".to_owned(), Value::from(min));
    }
    if let Some(window) = entry.window {
        object.insert("utc_start".to_owned(), Value::from(window.utc_start()));
        object.insert("utc_end".to_owned(), Value::from(window.utc_end()));
    }
    for (dimension, price) in &entry.prices {
        object.insert(dimension.key().to_owned(), usd(*price)?);
    }
    Ok(Value::Object(object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::import;
    use crate::ids::RuleId;
    use crate::money::Nanos;

    const LISTED: &str = r#"{"data":[{
        "id":"maker/model","name":"Maker: Model","created":1,"context_length":1000000,
        "architecture":{"input_modalities":["text"],"output_modalities":["text"]},
        "top_provider":{"max_completion_tokens":64000,"is_moderated":false},
        "secret":"of the operator",
        "pricing":{"prompt":"0.00000125","completion":"0.00001","internal_reasoning":"0",
            "overrides":[{"min_prompt_tokens":200000,"prompt":"0.0000025"},
                {"utc_start":1630,"utc_end":30,"completion":"0.000005"}]}}]}"#;

    fn rule(markup_bps: i64) -> PriceRule {
        PriceRule {
            id: RuleId::from_random([0; 10]),
            pattern: "*".to_owned(),
            markup_bps,
            min_charge: Nanos::ZERO,
            priority: 0,
            starts_at_ms: 0,
            ends_at_ms: None,
        }
    }

    fn pricing(markups: &[i64]) -> Value {
        let (model, cost) = import(LISTED.as_bytes(), 0).unwrap().models.remove(0);
        let rules: Vec<PriceRule> = markups.iter().map(|bps| rule(*bps)).collect();
        let chain: Vec<&PriceRule> = rules.iter().collect();
        let text = public_model(&model, &cost, &chain).unwrap();
        assert!(!text.contains("secret"), "{text}");
        let mut object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["id"], "maker/model");
        assert_eq!(object["context_length"], 1_000_000);
        assert_eq!(object["top_provider"]["max_completion_tokens"], 64_000);
        object["pricing"].take()
    }

    #[test]
    fn callers_see_the_prices_that_they_pay() {
        let check = |markups: &[i64], prompt: &str, completion: &str, long: &str, night: &str| {
            let expect = serde_json::json!({
                "prompt": prompt, "completion": completion, "request": "0", "image": "0",
                "overrides": [
                    {"min_prompt_tokens": 200_000, "prompt": long},
                    {"utc_start": 1630, "utc_end": 30, "completion": night},
                ],
            });
            assert_eq!(pricing(markups), expect);
        };
        check(&[], "0.00000125", "0.00001", "0.0000025", "0.000005");
        check(&[2_000], "0.0000015", "0.000012", "0.000003", "0.000006");
        check(
            &[2_000, 5_000],
            "0.00000225",
            "0.000018",
            "0.0000045",
            "0.000009",
        );
        check(
            &[1],
            "0.000001250125",
            "0.000010001",
            "0.00000250025",
            "0.0000050005",
        );
        check(
            &[1, 1],
            "0.000001250251",
            "0.000010002001",
            "0.000002500501",
            "0.000005001001",
        );
    }

    #[test]
    fn a_price_that_is_no_amount_is_not_shown_as_a_small_one() {
        let (model, cost) = import(LISTED.as_bytes(), 0).unwrap().models.remove(0);
        let refused = public_model(&model, &cost, &[&rule(i64::MAX)]);
        assert_eq!(refused, Err(MoneyError::Overflow));
    }
}
