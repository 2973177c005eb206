//! Tables for what is read from a models document, what is refused and why, and the seed.

use super::*;

fn model(fields: &str, pricing: &str) -> String {
    format!(r#"{{"id":"maker/model"{fields},"pricing":{pricing}}}"#)
}

fn import_one(model: &str) -> Result<(Model, Cost), String> {
    let document = format!(r#"{{"data":[{model}],"total_count":1}}"#);
    let Import {
        mut models,
        mut refused,
    } = import(document.as_bytes(), 5).unwrap();
    models.pop().ok_or_else(|| refused.remove(0).reason)
}

const PRICED: &str = r#"{"prompt":"0.000001","completion":"0.000002"}"#;

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
fn a_model_that_cannot_be_billed_is_refused_with_its_reason() {
    let check = |pricing: &str, reason: &str| {
        let got = import_one(&model("", pricing)).unwrap_err();
        assert!(got.starts_with(reason), "{pricing}: {got}");
    };
    let with = |more: &str| format!(r#"{{"prompt":"0.000001","completion":"0.000002",{more}}}"#);
    check("null", "no `pricing`");
    check("[]", "cannot be read: invalid type");
    check("{}", "no price `prompt`");
    check(r#"{"prompt":"1"}"#, "no price `completion`");
    check(&with(r#""video":"0""#), "unknown price `video`");
    check(
        &with(r#""request":"-1""#),
        "`request` is `-1`: it has no fixed price",
    );
    check(
        &with(r#""request":-0.5"#),
        "`request` is `-0.5`: it has no fixed price",
    );
    check(
        &with(r#""request":null"#),
        "`request` is `null`: not a plain decimal number",
    );
    check(
        &with(r#""request":"""#),
        "`request` is ``: not a plain decimal number",
    );
    check(
        &with(r#""request":1e-7"#),
        "`request` is `1e-7`: not a plain decimal number",
    );
    check(
        &with(r#""request":"0.0000000000001""#),
        "`request` is `0.0000000000001`: more decimals",
    );
    check(
        &with(r#""request":"9999999999""#),
        "`request` is `9999999999`: an amount beyond",
    );
    check(
        r#"{"prompt":"-1","completion":"-1"}"#,
        "`completion` is `-1`: it has no fixed price",
    );
    check(
        r#"{"prompt":"0","completion":"0"}"#,
        "every price is zero, but the model is not",
    );
    check(
        r#"{"prompt":"0","completion":"0","image":"1","request":"0"}"#,
        "every price is zero, but the model is not",
    );
    check(
        &with(r#""overrides":{}"#),
        "`overrides` cannot be read: invalid type",
    );
    check(
        &with(r#""overrides":[{"region":"eu"}]"#),
        "unknown price `region`",
    );
    check(
        &with(r#""overrides":[{"prompt":"0"}]"#),
        "an override sets `prompt` to zero",
    );
    check(
        &with(r#""overrides":[{"utc_start":100}]"#),
        "an override has only one end",
    );
    check(
        &with(r#""overrides":[{"utc_start":100,"utc_end":100}]"#),
        "`100` to `100` is not",
    );
    check(
        &with(r#""overrides":[{"utc_start":100,"utc_end":99999}]"#),
        "`100` to `99999` is",
    );
    check(
        &with(r#""overrides":[{"min_prompt_tokens":0.5}]"#),
        "`min_prompt_tokens` is `0.5`: not a whole number",
    );
    check(
        &with(r#""overrides":[{"min_prompt_tokens":-1}]"#),
        "`min_prompt_tokens` is `-1`: not a whole number",
    );
}

#[test]
fn a_model_whose_answers_are_not_metered_is_refused() {
    let check = |model: &str, reason: &str| {
        let got = import_one(model).err().unwrap_or_default();
        assert!(
            got.starts_with(reason) && got.is_empty() == reason.is_empty(),
            "{model}: {got}"
        );
    };
    let output = |kinds: &str| {
        model(
            &format!(r#","architecture":{{"output_modalities":{kinds}}}"#),
            PRICED,
        )
    };
    check(&output(r#"["text"]"#), "");
    check(&output(r#"["text","image"]"#), "it answers with `image`");
    check(&output(r#"["embeddings"]"#), "it answers with `embeddings`");
    let searching = |slug: &str, price: &str| {
        let prices = format!(r#""prompt":"1","completion":"1","web_search":"{price}""#);
        format!(r#"{{"id":"{slug}","pricing":{{{prices}}}}}"#)
    };
    check(&searching("openai/gpt-4o", "0.01"), "");
    check(&searching("perplexity/sonar", "0"), "");
    check(
        &searching("perplexity/sonar", "0.005"),
        "it bills the searches of every call",
    );
    check(
        &searching("openai/gpt-4o-search-preview", "0.01"),
        "it bills the searches",
    );
    check(
        &searching("openai/o3-deep-research", "0.01"),
        "it bills the searches",
    );
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

#[test]
fn limits_and_modalities_of_a_model_are_read() {
    let check = |fields: &str, expect: (Option<u64>, Option<u64>, Option<u64>, bool)| {
        let text = format!(r#"{{"id":"openai/gpt-4o"{fields},"pricing":{PRICED}}}"#);
        let (model, _) = import_one(&text).unwrap();
        let limits = (model.context_length, model.max_completion_tokens);
        let got = (
            limits.0,
            limits.1,
            model.max_image_tokens,
            model.hidden_reasoning,
        );
        assert_eq!(got, expect, "{fields}");
    };
    check("", (None, None, None, false));
    check(
        r#","context_length":null,"top_provider":null"#,
        (None, None, None, false),
    );
    check(r#","context_length":0"#, (None, None, None, false));
    check(
        r#","context_length":128000,"top_provider":{"max_completion_tokens":16384}"#,
        (Some(128_000), Some(16_384), None, false),
    );
    check(
        r#","architecture":{"input_modalities":["text","image"],"output_modalities":["text"]}"#,
        (None, None, Some(1_445), false),
    );
    check(
        r#","supported_parameters":["tools","reasoning"]"#,
        (None, None, None, true),
    );
    check(
        r#","supported_parameters":["tools"],"reasoning":null"#,
        (None, None, None, false),
    );
    check(
        r#","reasoning":{"mandatory":false}"#,
        (None, None, None, true),
    );
}

#[test]
fn callers_are_shown_listed_fields_only() {
    let fields = r#","name":"M","created":1,"benchmarks":{"x":1},"links":{"details":"/x"},
        "per_request_limits":{"prompt_tokens":1},"default_parameters":{"temperature":0.7}"#;
    let (found, _) = import_one(&model(fields, PRICED)).unwrap();
    let expect = concat!(
        r#"{"created":1,"default_parameters":{"temperature":0.7},"id":"maker/model","name":"M","#,
        r#""per_request_limits":null}"#,
    );
    assert_eq!((found.details.as_str(), found.name.as_str()), (expect, "M"));
}

#[test]
fn one_bad_model_never_spoils_the_rest() {
    let good = |slug: &str| format!(r#"{{"id":"{slug}","pricing":{PRICED}}}"#);
    let document = format!(
        r#"{{"data":[{}, 7, {{"id":"a/bad"}}, {{"id":"a b","pricing":{PRICED}}}, {}, {},
            {{"id":"a/odd","context_length":"long","pricing":{PRICED}}}, {}]}}"#,
        good("a/one"),
        good("a/one"),
        good("a/*"),
        good("a/two"),
    );
    let Import { models, refused } = import(document.as_bytes(), 0).unwrap();
    let slugs: Vec<&str> = models
        .iter()
        .map(|(model, _)| model.slug.as_str())
        .collect();
    assert_eq!(slugs, ["a/one", "a/two"]);
    let refused: Vec<(&str, &str)> = refused
        .iter()
        .map(|one| (one.slug.as_str(), one.reason.split(':').next().unwrap()))
        .collect();
    assert_eq!(
        refused,
        [
            ("data[1]", "cannot be read"),
            ("a/bad", "no `pricing`"),
            ("a b", "its id is not a plain name"),
            ("a/one", "the document lists it twice"),
            ("a/*", "its id is not a plain name"),
            ("a/odd", "cannot be read"),
        ]
    );
}

#[test]
fn a_document_of_another_shape_says_what_was_expected() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"data":{}}"#,
        r#"{"error":{"code":401}}"#,
        "{\"data\":[]",
    ] {
        let error = import(text.as_bytes(), 0).unwrap_err().to_string();
        assert!(
            error.starts_with("not a list of models: "),
            "{text}: {error}"
        );
        assert!(
            error.contains("\nhint: expected OpenRouter's"),
            "{text}: {error}"
        );
    }
    assert_eq!(import(br#"{"data":[]}"#, 0), Ok(Import::default()));
}

#[test]
fn every_model_of_the_seed_can_be_sold() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../xtask/seed/models.json");
    let seed = std::fs::read(path).unwrap();
    let Import { models, refused } = import(&seed, 0).unwrap();
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
    let document: Value = serde_json::from_slice(&seed).unwrap();
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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../xtask/seed/models.json");
    let models = import(&std::fs::read(path).unwrap(), 0).unwrap().models;
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
