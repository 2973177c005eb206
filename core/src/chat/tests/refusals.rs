//! Bodies that are refused: what is wrong is named with its place, and nonsense never panics.
//! Messages and tools have files of their own.

use super::fields::body_with;
use super::*;

fn refusal(body: &str) -> (ErrorCode, String) {
    let error = parse(body.as_bytes()).expect_err(body);
    (error.code, error.param.unwrap_or_default())
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    use ErrorCode as E;
    let check = |body: &str, code: E, param: &str| {
        assert_eq!(refusal(body), (code, param.to_owned()), "{body}");
    };
    check("{}", E::MissingField, "model");
    check(
        r#"{"model":null,"messages":[]}"#,
        E::InvalidValue,
        "messages",
    );
    check(r#"{"model":"m"}"#, E::MissingField, "messages");
    check(
        r#"{"model":"m","messages":null}"#,
        E::MissingField,
        "messages",
    );
    check(
        r#"{"model":"m\u0000","messages":[]}"#,
        E::InvalidValue,
        "model",
    );
    check(
        &body_with("model", &format!("\"{}\"", "m".repeat(257))),
        E::InvalidValue,
        "model",
    );
    check(
        &body(r#""unheard_of":1"#),
        E::UnsupportedParameter,
        "unheard_of",
    );
    check(
        &body(r#""unheard_of":null"#),
        E::UnsupportedParameter,
        "unheard_of",
    );
    check(&body(r#""Model":"x""#), E::UnsupportedParameter, "Model");
    check(&body(r#""mod\u0065l":"x""#), E::DuplicateField, "model");
    check(&body(r#""max_tokens":-1"#), E::InvalidValue, "max_tokens");
    check(&body(r#""max_tokens":1e9"#), E::InvalidValue, "max_tokens");
    check(&body(r#""max_tokens":"1""#), E::InvalidValue, "max_tokens");
    check(
        &body(r#""max_tokens":18446744073709551616"#),
        E::InvalidValue,
        "max_tokens",
    );
    let differ = r#""max_tokens":1,"max_completion_tokens":2"#;
    check(&body(differ), E::InvalidValue, "max_completion_tokens");
    check(
        &body(r#""temperature":1e99999999999"#),
        E::InvalidValue,
        "temperature",
    );
    check(
        &body(r#""stream_options":{"include_usage":true}"#),
        E::InvalidValue,
        "stream_options",
    );
    let options = r#""stream":false,"stream_options":{}"#;
    check(&body(options), E::InvalidValue, "stream_options");
    let options = r#""stream":true,"stream_options":{"x":true}"#;
    check(&body(options), E::UnsupportedParameter, "stream_options.x");
    let thoughts = r#""max_tokens":100,"reasoning":{"max_tokens":100}"#;
    check(&body(thoughts), E::InvalidValue, "reasoning.max_tokens");
    check(
        &body(r#""reasoning":{"budget":1}"#),
        E::UnsupportedParameter,
        "reasoning.budget",
    );
    check(
        &body(r#""response_format":{}"#),
        E::MissingField,
        "response_format.type",
    );
    let choice = r#""tool_choice":{"type":"web_search"}"#;
    check(&body(choice), E::UnsupportedParameter, "tool_choice.type");
}

#[test]
fn nonsense_is_refused_without_a_panic() {
    let seed = r#"{"model":"m","stream":true,"max_tokens":5,"tools":[{"type":"function","function":
        {"name":"f","parameters":{}}}],"messages":[{"role":"user","content":[{"type":"image_url",
        "image_url":{"url":"data:image/png;base64,AA=="}}]}],"stop":["a"],"temperature":0.5}"#;
    assert!(parse(seed.as_bytes()).is_ok());
    for at in 0..seed.len() {
        for value in [
            &b"null"[..],
            b"0",
            b"-",
            b"\"",
            b"[",
            b"}",
            b"\\u0000",
            b"\xFF",
            b"",
        ] {
            for width in [1, 4, 9] {
                let end = (at + width).min(seed.len());
                let mut bytes = seed.as_bytes()[..at].to_vec();
                bytes.extend_from_slice(value);
                bytes.extend_from_slice(&seed.as_bytes()[end..]);
                if let Ok(request) = parse(&bytes) {
                    let _sent = upstream(&request);
                }
            }
        }
    }
}
