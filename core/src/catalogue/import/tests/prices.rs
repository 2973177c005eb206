//! Prices that are accepted: exact to the last digit, with their overrides, zeros and discounts.
//! Prices that are refused are in `refusals.rs`.

use super::*;

#[test]
fn every_price_is_read_to_the_last_digit() {
    let check = |pricing: &str, expect: &str| {
        let cost = import_one(&model("", pricing)).map(|(_, cost)| cost.to_json());
        assert_eq!(cost.as_deref(), Ok(expect), "{pricing}");
    };
    check(
        PRICED,
        r#"{"overrides":[],"prices":{"completion":2000000,"prompt":1000000}}"#,
    );
    check(
        r#"{"prompt":"0.00000003125","completion":0.0000001}"#,
        r#"{"overrides":[],"prices":{"completion":100000,"prompt":31250}}"#,
    );
    check(
        r#"{"prompt":"0","completion":"0","request":"0.01"}"#,
        r#"{"overrides":[],"prices":{"completion":0,"prompt":0,"request":10000000000}}"#,
    );
    check(
        r#"{"prompt":"0.000000000001","completion":"0.000000000002","request":"0.000000000003",
            "image":"0.000000000004","image_token":"0.000000000005","image_output":"0.000000000006",
            "audio":"0.000000000007","audio_output":"0.000000000008",
            "input_audio_cache":"0.000000000009","input_cache_read":"0.00000000001",
            "input_cache_write":"0.000000000011","input_cache_write_1h":"0.000000000012",
            "internal_reasoning":"0.000000000013","web_search":"0.000000000014"}"#,
        concat!(
            r#"{"overrides":[],"prices":{"audio":7,"audio_output":8,"completion":2,"image":4,"#,
            r#""image_output":6,"image_token":5,"input_audio_cache":9,"input_cache_read":10,"#,
            r#""input_cache_write":11,"input_cache_write_1h":12,"internal_reasoning":13,"#,
            r#""prompt":1,"request":3,"web_search":14}}"#,
        ),
    );
}

#[test]
fn a_token_price_of_zero_is_no_price_and_other_zeros_are() {
    let pricing = r#"{"prompt":"0.000001","completion":"0.000002","request":"0","image":"0",
        "web_search":"0","internal_reasoning":"0","input_cache_read":"0","input_cache_write":"0",
        "discount":0}"#;
    let (_, cost) = import_one(&model("", pricing)).unwrap();
    let expect = concat!(
        r#"{"overrides":[],"prices":{"completion":2000000,"image":0,"prompt":1000000,"#,
        r#""request":0,"web_search":0}}"#,
    );
    assert_eq!(cost.to_json(), expect);
}

#[test]
fn overrides_are_read_in_their_order_with_their_conditions() {
    let pricing = r#"{"prompt":"0.000001","completion":"0.000002","overrides":[
        {"min_prompt_tokens":200000,"prompt":"0.000002","input_cache_read":"0.0000002"},
        {"min_prompt_tokens":300000.0,"utc_start":1630,"utc_end":30,"completion":"0.000003"},
        {"prompt":"0.000004"}]}"#;
    let (_, cost) = import_one(&model("", pricing)).unwrap();
    let expect = concat!(
        r#"{"overrides":[{"min_prompt_tokens":200000,"#,
        r#""prices":{"input_cache_read":200000,"prompt":2000000}},"#,
        r#"{"min_prompt_tokens":300000,"prices":{"completion":3000000},"#,
        r#""utc_end":30,"utc_start":1630},{"prices":{"prompt":4000000}}],"#,
        r#""prices":{"completion":2000000,"prompt":1000000}}"#,
    );
    assert_eq!(
        (cost.to_json().as_str(), cost.effective_from_ms),
        (expect, 5)
    );
}

#[test]
fn a_discount_never_lowers_a_price() {
    let check = |discount: &str, accepted: bool| {
        let pricing =
            format!(r#"{{"prompt":"0.000001","completion":"0.000002","discount":{discount}}}"#);
        let cost = import_one(&model("", &pricing)).map(|(_, cost)| cost);
        let undiscounted = import_one(&model("", PRICED)).map(|(_, cost)| cost);
        assert_eq!(cost == undiscounted, accepted, "{discount}: {cost:?}");
        assert_eq!(cost.is_ok(), accepted, "{discount}");
    };
    check("0", true);
    check("0.25", true);
    check("0.3333333333333333", true);
    check("1", true);
    check("1.5", false);
    check("-0.1", false);
    check(r#""0.1""#, false);
    check("null", false);
}

#[test]
fn only_a_model_marked_free_has_a_price_of_zero() {
    let free = r#"{"id":"maker/model:free","pricing":{"prompt":"0","completion":"0"}}"#;
    let (model, cost) = import_one(free).unwrap();
    assert!(model.free);
    assert_eq!(
        cost.to_json(),
        r#"{"overrides":[],"prices":{"completion":0,"prompt":0}}"#
    );
    let paid = r#"{"id":"maker/model:freedom","pricing":{"prompt":"0","completion":"0"}}"#;
    assert!(import_one(paid).is_err());
}
