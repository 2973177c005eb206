//! Models that are not sold, each with its reason: prices that cannot be billed exactly, and
//! answers that no count of tokens bounds.

use super::*;

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
