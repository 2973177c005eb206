//! What a request may cost at most and probably: tokens of text, images, the hour of cache and the
//! estimate of its prompt. No prices are here.

use super::*;
use crate::tokens;

#[test]
fn an_hour_of_cache_is_noticed_wherever_it_is_asked_for() {
    let hour = r#"{"type":"ephemeral","ttl":"1h"}"#;
    let check = |body: String, expect: bool| {
        assert_eq!(parse(body.as_bytes()).unwrap().hour_cache, expect, "{body}");
    };
    let part = |cache: &str| {
        format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[
                {{"type":"text","text":"x","cache_control":{cache}}}]}}]}}"#
        )
    };
    let tool = |cache: &str| {
        body(&format!(
            r#""tools":[{{"type":"function","function":{{"name":"f"}},"cache_control":{cache}}}]"#
        ))
    };
    check(part(hour), true);
    check(part(r#"{"ttl":"\u0031h","type":"ephemeral"}"#), true);
    check(part(r#"{"type":"ephemeral","ttl":"5m"}"#), false);
    check(part(r#"{"type":"ephemeral"}"#), false);
    check(part("null"), false);
    check(tool(hour), true);
    check(tool(r#"{"type":"ephemeral"}"#), false);
    check(body(&format!("\"cache_control\":{hour}")), true);
    check(body(r#""cache_control":{"type":"ephemeral"}"#), false);
    check(
        body(r#""prompt_cache_options":{"mode":"explicit","ttl":"30m"}"#),
        true,
    );
    check(body(r#""prompt_cache_options":{"mode":"explicit"}"#), false);
}

#[test]
fn pixels_are_not_counted_as_text_and_text_is_limited() {
    let image = |bytes: usize, text: usize| {
        let (pixels, text) = ("A".repeat(bytes), "t".repeat(text));
        format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"{text}"}},
                {{"type":"image_url","image_url":{{"url":"data:image/png;base64,{pixels}"}}}}]}}]}}"#
        )
    };
    let (small, large) = (image(4, 1), image(4_000_000, 1));
    let (small, large) = (
        parse(small.as_bytes()).unwrap(),
        parse(large.as_bytes()).unwrap(),
    );
    assert_eq!(small.text_tokens, large.text_tokens);
    assert_eq!(small.prompt_estimate, large.prompt_estimate);
    let text = |bytes| {
        parse(image(4, bytes).as_bytes())
            .map(|_| ())
            .map_err(|error| error.code)
    };
    assert_eq!(text(1_000_000), Ok(()));
    assert_eq!(text(1_100_000), Err(ErrorCode::BodyTooLarge));
    let huge = vec![b' '; MAX_BODY_BYTES + 1];
    assert_eq!(parse(&huge).unwrap_err().code, ErrorCode::BodyTooLarge);
}

#[test]
fn the_bound_is_above_the_bytes_and_the_estimate_plausible() {
    let body = body("");
    let request = parse(body.as_bytes()).unwrap();
    assert_eq!(
        request.text_tokens,
        u64::try_from(body.len()).unwrap() + 512 + 16
    );
    let bound = request.bound(77);
    assert_eq!(
        (bound.text_tokens, bound.output_tokens),
        (request.text_tokens, 77)
    );
    let usage = request.estimated_usage(9);
    assert_eq!(
        (usage.prompt_tokens, usage.completion_tokens),
        (request.prompt_estimate, 9)
    );
    assert_eq!(request.estimated_usage(0).completion_tokens, 0);
}

#[test]
fn a_prompt_is_estimated_from_what_the_model_reads() {
    let check = |messages: &str, more: &str, text: &str, fixed: u64| {
        let body = format!(r#"{{"model":"m","messages":[{messages}]{more}}}"#);
        let request = parse(body.as_bytes()).unwrap();
        let expect = tokens::estimate(text) + fixed;
        assert_eq!(request.prompt_estimate, expect, "{body}");
    };
    let hello = r#"{"role":"user","content":"hello there"}"#;
    check(hello, "", "hello there", 4);
    check(&format!("{hello},{hello}"), "", "hello therehello there", 8);
    check(
        hello,
        r#","user":"somebody","stop":["x"]"#,
        "hello there",
        4,
    );
    check(
        r#"{"role":"user","content":"\u043f\u0440\u0438\n"}"#,
        "",
        "при\n",
        4,
    );
    check(
        r#"{"role":"user","content":[{"type":"text","text":"what is this?"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#,
        "",
        "what is this?",
        1_004,
    );
    check(
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",
            "function":{"name":"f","arguments":"{\"a\":1}"}}]}"#,
        "",
        r#"f{"a":1}"#,
        4,
    );
    check(
        r#"{"role":"assistant","content":"b","reasoning":"a","reasoning_details":[
            {"type":"reasoning.text","text":"a"}]}"#,
        "",
        "ba",
        4,
    );
    let tool = r#"[{"type":"function","function":{"name":"f"}}]"#;
    check(
        hello,
        &format!(r#","tools":{tool}"#),
        &format!("hello there{tool}"),
        4,
    );
}
