//! What an operator's side reads of OpenRouter: the record of a call, and the list of models with
//! their prices. A number is read exactly or not at all.

use serde_json::Value;
use tollgate_core::catalogue::{Cost, Import, UnitPrices, import};
use tollgate_core::json::parse_object;
use tollgate_core::money::{Nanos, Picos};
use tollgate_core::openrouter::{GenerationRecord, read_generation};
use tollgate_core::settlement::{Outcome, Prices};

use crate::answer::check_usage;

/// Checks a body, as a record and as a list of models.
///
/// # Panics
/// When a property is broken.
pub fn check(body: &[u8]) {
    check_record(body);
    if let Ok(import) = import(body, 5) {
        check_import(body, &import);
    }
}

fn check_record(body: &[u8]) {
    let Ok(record) = read_generation(body) else {
        assert_eq!(at(1).recorded(body), None);
        return;
    };
    if let Some(usage) = &record.usage {
        check_usage(usage);
    }
    assert!(record.total_cost.is_none_or(|cost| cost >= Nanos::ZERO));
    check_bill(body, &record);
    // Where a name occurs twice, readers differ in which one counts.
    let unique = parse_object(body).is_ok();
    if let (true, Ok(value)) = (unique, serde_json::from_slice::<Value>(body)) {
        check_numbers(&value["data"], record.total_cost);
        let prompt = value["data"]["native_tokens_prompt"].as_u64();
        if let Some(usage) = &record.usage {
            assert!(prompt.is_some_and(|prompt| prompt <= usage.prompt_tokens));
        }
    }
}

/// Prices of so many nanos for each token.
fn at(nanos: i64) -> Prices {
    let price = Picos::new(nanos * 1_000).expect("a price");
    Prices {
        cost: Cost {
            prices: UnitPrices::new(price, price),
            ..Cost::default()
        },
        rules_from_root: Vec::new(),
        at_ms: 0,
    }
}

/// A call is free only where the record says so, and then what was used costs something here; what
/// was used is charged exactly; and a record without usage and cost decides nothing.
fn check_bill(body: &[u8], record: &GenerationRecord<'_>) {
    let says_free = record.total_cost == Some(Nanos::ZERO);
    let exact = record.usage.map(Outcome::Exact);
    let (priced, unpriced) = (at(1).recorded(body), at(0).recorded(body));
    let expect = if says_free {
        Some(Outcome::NotSent)
    } else {
        exact
    };
    assert_eq!(priced.map(|recorded| recorded.outcome), expect);
    let answered = record
        .usage
        .is_some_and(|usage| usage.completion_tokens > 0);
    let expect = if answered { exact } else { expect };
    assert_eq!(unpriced.map(|recorded| recorded.outcome), expect);
    for recorded in [priced, unpriced].into_iter().flatten() {
        assert_eq!(recorded.reported_cost, record.total_cost);
    }
}

/// The cost is the number that any reader sees, rounded up to a nano.
fn check_numbers(data: &Value, cost: Option<Nanos>) {
    let seen = data["total_cost"].as_f64();
    let (Some(seen), Some(cost)) = (seen, cost) else {
        assert!(cost.is_none(), "{cost:?} out of {data}");
        return;
    };
    let nanos = cost.get() as f64;
    let error = 1.0 + seen.abs() * 1e9 * 1e-12;
    assert!((nanos - seen * 1e9).abs() <= error, "{cost:?} for {seen}");
    assert!(seen <= 0.0 || cost > Nanos::ZERO, "{seen} became nothing");
}

fn check_import(body: &[u8], import: &Import) {
    for (model, cost) in &import.models {
        let plain = model.slug.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(plain && !model.slug.is_empty(), "{:?}", model.slug);
        assert_eq!(model.free, model.slug.ends_with(":free"));
        let details: Value = serde_json::from_str(&model.details).expect("details are JSON");
        assert_eq!(details.get("pricing"), None);
        assert_eq!(
            Cost::from_json(&cost.to_json(), 5).as_ref(),
            Ok(cost),
            "what is stored is what was read"
        );
        let billed = cost.prices.iter().any(|(_, price)| price > Picos::ZERO);
        assert!(billed || model.free, "`{}` is given away", model.slug);
    }
    for refused in &import.refused {
        assert!(!refused.reason.is_empty());
        assert!(refused.slug.len() <= 200, "{}", refused.slug);
    }
    if let Ok(document) = serde_json::from_slice::<Value>(body) {
        let listed = document["data"].as_array().map_or(0, Vec::len);
        assert_eq!(import.models.len() + import.refused.len(), listed);
    }
}
