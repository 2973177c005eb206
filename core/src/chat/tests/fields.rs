//! The table of fields: a value of each that is accepted and one that is not, and that no property
//! of the provider is left out. Rules between fields are in `refusals.rs`.

use super::*;

/// Field, a value that is accepted, a value that is not.
pub(super) const EXAMPLES: &[(&str, &str, &str)] = &[
    ("model", r#""openai/gpt-4o""#, r#""""#),
    ("messages", r#"[{"role":"user","content":"x"}]"#, "[]"),
    ("max_tokens", "1", "0"),
    ("max_completion_tokens", "18446744073709551615", "1.0"),
    (
        "tools",
        r#"[{"type":"function","function":{"name":"f"}}]"#,
        r#"[{"type":"web_search"}]"#,
    ),
    (
        "response_format",
        r#"{"type":"json_object"}"#,
        r#"{"type":"xml"}"#,
    ),
    (
        "cache_control",
        r#"{"type":"ephemeral","ttl":"1h"}"#,
        r#"{"type":"ephemeral","ttl":"2h"}"#,
    ),
    (
        "prompt_cache_options",
        r#"{"mode":"explicit","ttl":"30m"}"#,
        r#"{"mode":"all"}"#,
    ),
    ("stream", "true", "1"),
    (
        "stream_options",
        r#"{"include_usage":true}"#,
        r#"{"include_usage":1}"#,
    ),
    ("usage", r#"{"include":true}"#, r#"{"include":true,"x":1}"#),
    ("temperature", "2.0", "2.1"),
    ("top_p", "1e-1", "1.01"),
    ("top_k", "0", "-1"),
    ("top_a", "0.5", "\"0.5\""),
    ("min_p", "1", "-0.1"),
    ("frequency_penalty", "-2", "-2.5"),
    ("presence_penalty", "2", "3"),
    ("repetition_penalty", "1.1", "true"),
    ("seed", "-9223372036854775808", "1e3"),
    ("stop", r#"["a","b","c","d"]"#, r#"["a","b","c","d","e"]"#),
    ("logit_bias", r#"{"50256":-100}"#, r#"{"50256":-101}"#),
    ("logprobs", "false", "null0"),
    ("top_logprobs", "20", "21"),
    (
        "tool_choice",
        r#"{"type":"function","function":{"name":"f"}}"#,
        r#""any""#,
    ),
    ("parallel_tool_calls", "false", "0"),
    (
        "reasoning",
        r#"{"effort":"high","exclude":true}"#,
        r#"{"effort":"most"}"#,
    ),
    ("reasoning_effort", r#""none""#, r#""most""#),
    ("include_reasoning", "true", "{}"),
    ("verbosity", r#""low""#, r#""loud""#),
    ("metadata", r#"{"a":"b"}"#, r#"{"a":1}"#),
    ("session_id", r#""s""#, "7"),
    ("prompt_cache_key", r#""k""#, "[]"),
    ("user", r#""u""#, "{}"),
    ("safety_identifier", r#""u""#, "1"),
    ("n", "1", "2"),
    ("store", "false", "true"),
    ("service_tier", r#""default""#, r#""flex""#),
    ("modalities", r#"["text"]"#, r#"["text","image"]"#),
    ("models", "null", r#"["a"]"#),
    ("route", "null", r#""fallback""#),
    ("provider", "null", "{}"),
    ("preset", "null", r#""p""#),
    ("plugins", "null", r#"[{"id":"web"}]"#),
    ("web_search_options", "null", "{}"),
    ("stop_server_tools_when", "null", "[]"),
    ("audio", "null", "{}"),
    ("image_config", "null", "{}"),
    ("prediction", "null", r#"{"type":"content","content":"x"}"#),
    ("transforms", "null", "[]"),
    ("debug", "null", r#"{"echo_upstream_body":true}"#),
    ("trace", "null", "{}"),
    ("functions", "null", "[]"),
    ("function_call", "null", r#""auto""#),
    ("prompt_cache_retention", "null", r#""24h""#),
];

/// The smallest body that has this field with this value.
pub(super) fn body_with(name: &str, value: &str) -> String {
    let hello = match name {
        "model" => r#""messages":[{"role":"user","content":"hi"}],"#.to_owned(),
        "messages" => r#""model":"m","#.to_owned(),
        "stream_options" => format!("{HELLO},\"stream\":true,"),
        _ => format!("{HELLO},"),
    };
    format!("{{{hello}\"{name}\":{value}}}")
}

#[test]
fn every_listed_field_takes_what_it_promises_and_nothing_else() {
    let listed: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    let tested: Vec<_> = EXAMPLES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed, tested);
    for (name, good, bad) in EXAMPLES {
        let body = body_with(name, good);
        let request = parse(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error:?}"));
        let sent = upstream(&request);
        let sent = json::parse_object(sent.as_bytes()).unwrap();
        let value = sent.fields.iter().find(|(field, _)| field == name);
        let treatment = field(name).unwrap().treatment;
        if treatment == Treatment::Passed {
            assert_eq!(value.unwrap().1.text(), *good, "{name}");
        }
        if treatment == Treatment::Refused && *name != "provider" {
            assert!(value.is_none(), "{name}");
        }
        let body = body_with(name, bad);
        let error = parse(body.as_bytes()).expect_err(&body);
        if error.code == ErrorCode::InvalidJson {
            continue;
        }
        let param = error.param.unwrap();
        assert!(param.starts_with(name), "{body}: {param}");
        let refused = field(name).unwrap().treatment == Treatment::Refused;
        assert_eq!(
            refused && error.hint == field(name).unwrap().doc,
            refused,
            "{name}"
        );
    }
    for (name, ..) in EXAMPLES
        .iter()
        .filter(|(name, ..)| !matches!(*name, "model" | "messages"))
    {
        let body = body_with(name, "null");
        assert!(parse(body.as_bytes()).is_ok(), "{body}");
    }
}

#[test]
fn the_field_table_covers_every_property_of_the_provider() {
    // The properties of `ChatRequest` in OpenRouter's OpenAPI description.
    let properties = "cache_control debug frequency_penalty image_config logit_bias logprobs \
        max_completion_tokens max_tokens messages metadata min_p modalities model models \
        parallel_tool_calls plugins prediction presence_penalty prompt_cache_key \
        prompt_cache_options provider reasoning reasoning_effort repetition_penalty \
        response_format route seed service_tier session_id stop stop_server_tools_when stream \
        stream_options temperature tool_choice tools top_a top_k top_logprobs top_p trace user";
    for property in properties.split_whitespace() {
        assert!(field(property).is_some(), "{property}");
    }
    let table = markdown_table();
    assert_eq!(table.lines().count(), FIELDS.len() + 2);
    for line in table.lines() {
        assert_eq!(line.matches('|').count(), 5, "{line}");
    }
}
