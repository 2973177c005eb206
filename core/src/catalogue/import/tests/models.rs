//! What is read of a model beside its prices: limits, kinds of input, and the fields that callers
//! are shown.

use super::*;

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
