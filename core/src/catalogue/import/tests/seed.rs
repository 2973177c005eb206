//! The seed that a new installation sells from is read in full, and holds a model for every way in
//! which prices differ.

use super::*;

const SEED: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../xtask/seed/models.json"
));

#[test]
fn every_model_of_the_seed_can_be_sold() {
    let Import { models, refused } = import(SEED, 0).unwrap();
    assert_eq!(refused, []);
    let makers: BTreeSet<&str> = models
        .iter()
        .filter_map(|(model, _)| model.slug.split_once('/'))
        .map(|(maker, _)| maker)
        .collect();
    assert!(
        models.len() >= 36 && makers.len() >= 8,
        "{} {makers:?}",
        models.len()
    );
    let document: Value = serde_json::from_slice(SEED).unwrap();
    for (model, cost) in &models {
        assert!(cost.prices.prompt() > Picos::ZERO, "{}", model.slug);
        assert!(cost.prices.completion() > Picos::ZERO, "{}", model.slug);
        assert!(model.context_length.is_some(), "{}", model.slug);
        assert_eq!(Cost::from_json(&cost.to_json(), 0).as_ref(), Ok(cost));
    }
    for listed in document["data"].as_array().unwrap() {
        let source = &listed["source"];
        let named = source["package"].is_string() && source["entry"].is_string();
        assert!(named && source["date"].is_string(), "{}", listed["id"]);
    }
}

#[test]
fn the_seed_carries_cache_reasoning_long_context_and_hourly_prices() {
    let models = import(SEED, 0).unwrap().models;
    let check = |slug: &str, expect: &str| {
        let found = models.iter().find(|(model, _)| model.slug == slug);
        assert_eq!(
            found.map(|(_, cost)| cost.to_json()).as_deref(),
            Some(expect)
        );
    };
    check(
        "anthropic/claude-haiku-4.5",
        concat!(
            r#"{"overrides":[],"prices":{"completion":5000000,"input_cache_read":100000,"#,
            r#""input_cache_write":1250000,"input_cache_write_1h":2000000,"prompt":1000000}}"#,
        ),
    );
    check(
        "qwen/qwen-plus-2025-07-28",
        concat!(
            r#"{"overrides":[{"min_prompt_tokens":256000,"prices":{"completion":3600000,"#,
            r#""internal_reasoning":12000000,"prompt":1200000}}],"#,
            r#""prices":{"completion":1200000,"internal_reasoning":4000000,"prompt":400000}}"#,
        ),
    );
    check(
        "deepseek/deepseek-v4-pro",
        concat!(
            r#"{"overrides":[{"prices":{"completion":1980000,"input_cache_read":22000,"#,
            r#""prompt":660000},"utc_end":100,"utc_start":1000},"#,
            r#"{"prices":{"completion":1980000,"input_cache_read":22000,"prompt":660000},"#,
            r#""utc_end":600,"utc_start":400}],"#,
            r#""prices":{"completion":3960000,"input_cache_read":44000,"prompt":1320000}}"#,
        ),
    );
}
