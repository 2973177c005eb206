//! Whole answers: what a caller is shown of them, and which bodies are faults. Answers in pieces are
//! in `chunks.rs`.

use super::*;
use crate::tokens;

#[test]
fn an_answer_reaches_the_caller_without_the_operators_side() {
    let body = format!(
        r#"{{"id":"gen-1","provider":"OpenAI","model":"openai/gpt-4o","object":"chat.completion",
        "created":1700000000,"system_fingerprint":"fp_1","service_tier":null,
        "openrouter_metadata":{{"region":"iad"}},"choices":[{{"index":0,"logprobs":null,
        "finish_reason":"stop","native_finish_reason":"stop","provider_name":"OpenAI",
        "message":{{"role":"assistant","content":"h\u00e9","refusal":null,"reasoning":"abc",
        "reasoning_details":[{{"type":"reasoning.text","text":"abcd"}}],
        "tool_calls":[{{"id":"c","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}]}}}}],
        "usage":{USAGE}}}"#
    );
    let answer = read_answer(body.as_bytes()).unwrap();
    assert_eq!(answer.provider_id.as_deref(), Some("gen-1"));
    assert_eq!(answer.usage, Some(usage()));
    assert_eq!(answer.reported_cost, Some(Nanos::new(9_900_000)));
    let counted = ["hé", "abcd", "f{}"].map(tokens::estimate);
    assert_eq!(answer.visible_tokens, counted.iter().sum::<u64>());
    assert_eq!(answer.finish_reason.as_deref(), Some("stop"));
    let text = answer.to_caller("req_1", Some((&usage(), Nanos::new(1_500))));
    assert_says_nothing_of_the_operator(&text.replace("openai/gpt-4o", ""));
    assert!(text.contains(r#""cost":0.0000015}"#), "{text}");
    assert_eq!(
        value(&text),
        json!({
            "id": "req_1", "object": "chat.completion", "created": 1_700_000_000,
            "model": "openai/gpt-4o", "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "logprobs": null, "finish_reason": "stop",
                "native_finish_reason": "stop", "message": {"role": "assistant", "content": "hé",
                "refusal": null, "reasoning": "abc",
                "reasoning_details": [{"type": "reasoning.text", "text": "abcd"}],
                "tool_calls": [{"id": "c", "type": "function",
                    "function": {"name": "f", "arguments": "{}"}}]}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3,
                    "audio_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 7}, "cost": 0.000_001_5},
        })
    );
}

#[test]
fn a_body_that_is_no_answer_is_a_fault() {
    let fault = |body: &[u8]| read_answer(body).expect_err("a fault").into_error();
    for body in [
        &b""[..],
        b"<html>",
        b"[]",
        b"null",
        b"\xFF",
        b"{\"choices\":[",
        b"{}{}",
    ] {
        assert_eq!(fault(body).code, ErrorCode::ProviderMalformed);
    }
    for body in [
        "{}",
        "{\"choices\":null}",
        "{\"choices\":[]}",
        "{\"choices\":[1]}",
        "{\"choices\":{}}",
    ] {
        assert_eq!(
            fault(body.as_bytes()).code,
            ErrorCode::ProviderMalformed,
            "{body}"
        );
    }
    let check = |body: &str, code: ErrorCode| {
        let error = fault(body.as_bytes());
        assert_eq!((error.code, error.forbids_retry()), (code, true), "{body}");
    };
    check(
        r#"{"error":{"code":502,"message":"Provider returned error"}}"#,
        ErrorCode::ProviderUnavailable,
    );
    check(
        r#"{"id":"gen-1","error":{"code":429,"message":"x"},"choices":[]}"#,
        ErrorCode::ProviderOverloaded,
    );
    check(
        r#"{"error":{"code":"server_error","message":"x"}}"#,
        ErrorCode::ProviderUnavailable,
    );
    check(r#"{"error":"x"}"#, ErrorCode::ProviderUnavailable);
    check(
        r#"{"error":{"code":99999999999,"message":"x"}}"#,
        ErrorCode::ProviderUnavailable,
    );
    let in_choice = r#"{"choices":[{"error":{"code":408,"message":"x"},"finish_reason":"error"}]}"#;
    check(in_choice, ErrorCode::ProviderTimeout);
}
