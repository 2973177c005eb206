use super::*;
use crate::error::{ApiError, ErrorCode};
use crate::money::Nanos;
use crate::tokens;
use serde_json::{Value, json};

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

/// Words that would tell a caller about the operator.
const SECRETS: [&str; 12] = [
    "sk-or-",
    "gen-",
    "openrouter",
    "provider_name",
    "OpenAI",
    "is_byok",
    "cost_details",
    "0.0099",
    "credits",
    "@",
    "org-",
    "iad",
];

fn assert_says_nothing_of_the_operator(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "`{secret}` in {text}");
    }
}

const USAGE: &str = r#"{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,
    "prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3,"audio_tokens":1,
    "video_tokens":0},"completion_tokens_details":{"reasoning_tokens":7},"cost":0.0099,
    "is_byok":false,"cost_details":{"upstream_inference_cost":0.0099,
    "upstream_inference_prompt_cost":0,"upstream_inference_completions_cost":0.0099}}"#;

fn usage() -> Usage {
    Usage {
        prompt_tokens: 10,
        cached_tokens: 4,
        cache_write_tokens: 3,
        prompt_audio_tokens: 1,
        completion_tokens: 20,
        reasoning_tokens: 7,
        ..Usage::default()
    }
}

#[test]
fn the_provider_hears_only_what_is_on_the_list() {
    let headers = request_headers("sk-or-v1-x", true, Attribution::default());
    assert_eq!(
        headers,
        [
            ("authorization", "Bearer sk-or-v1-x".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("accept", "text/event-stream".to_owned()),
        ]
    );
    let attribution = Attribution {
        site_url: Some("https://t.example"),
        title: Some("T"),
    };
    let headers = request_headers("k", false, attribution);
    assert_eq!(headers[2], ("accept", "application/json".to_owned()));
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, REQUEST_HEADERS);
}

#[test]
fn a_generation_is_asked_for_by_a_plain_id_only() {
    let check = |id: &str, expect: Option<&str>| {
        assert_eq!(generation_path(id).as_deref(), expect, "{id}");
    };
    check("gen-17_aB", Some("/generation?id=gen-17_aB"));
    for bad in ["", "a&b=c", "a/../b", "a b", "é", &"a".repeat(129)] {
        check(bad, None);
    }
}

#[test]
fn max_price_is_written_in_the_providers_units() {
    let price = |usd: &str| Picos::parse_usd(usd).unwrap();
    let mut max = MaxPrice {
        prompt: price("0.00000015"),
        completion: price("0.0000006"),
        ..MaxPrice::default()
    };
    assert_eq!(max.to_json(), r#"{"prompt":"0.15","completion":"0.6"}"#);
    max.request = price("0.005");
    max.image = price("0.001");
    let expect = r#"{"prompt":"0.15","completion":"0.6","request":"0.005","image":"0.001"}"#;
    assert_eq!(max.to_json(), expect);
    assert_eq!(
        MaxPrice::default().to_json(),
        r#"{"prompt":"0","completion":"0"}"#
    );
}

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

#[test]
fn lying_counts_are_as_good_as_no_counts() {
    let check = |usage: &str, expect: Option<(u64, u64)>| {
        let chunk = format!("{{\"choices\":[],\"usage\":{usage}}}");
        let found = read_chunk(&chunk).unwrap().usage;
        let found = found.map(|usage| (usage.prompt_tokens, usage.completion_tokens));
        assert_eq!(found, expect, "{usage}");
        let answer = format!("{{\"choices\":[{{}}],\"usage\":{usage}}}");
        let found = read_answer(answer.as_bytes()).unwrap().usage;
        let found = found.map(|usage| (usage.prompt_tokens, usage.completion_tokens));
        assert_eq!(found, expect, "{usage}");
    };
    let counts = |prompt: &str| format!("{{\"prompt_tokens\":{prompt},\"completion_tokens\":2}}");
    check(&counts("1"), Some((1, 2)));
    check(&counts("0"), Some((0, 2)));
    check(&counts("4294967295"), Some((4_294_967_295, 2)));
    for lie in [
        "-1",
        "12.0",
        "1e3",
        "\"12\"",
        "null",
        "true",
        "[]",
        "{}",
        "4294967296",
        "18446744073709551616",
        "1e400",
        "-0",
    ] {
        check(&counts(lie), None);
    }
    for other in [
        "null",
        "{}",
        "[]",
        "1",
        "\"x\"",
        "{\"completion_tokens\":1}",
    ] {
        check(other, None);
    }
    let part = |details: &str| {
        format!(
            "{{\"prompt_tokens\":5,\"completion_tokens\":2,\"prompt_tokens_details\":{details}}}"
        )
    };
    check(&part("null"), Some((5, 2)));
    check(&part("{}"), Some((5, 2)));
    check(&part("{\"cached_tokens\":null}"), Some((5, 2)));
    check(&part("{\"cached_tokens\":5}"), Some((5, 2)));
    check(&part("{\"cached_tokens\":-5}"), None);
    check(&part("{\"cached_tokens\":1.5}"), None);
    check(&part("7"), None);
    // Parts beyond the whole raise the whole.
    check(
        &part("{\"cached_tokens\":5,\"cache_write_tokens\":4}"),
        Some((9, 2)),
    );
    let reasoning = r#"{"prompt_tokens":5,"completion_tokens":2,
        "completion_tokens_details":{"reasoning_tokens":8}}"#;
    check(reasoning, Some((5, 8)));
}

#[test]
fn chunks_pass_without_usage_unless_it_is_asked_for() {
    let choices =
        r#"[{"index":0,"delta":{"role":"assistant","content":"hé"},"finish_reason":null}]"#;
    let check = |choices: &str, usage_text: &str, asked: bool, expect: Option<(bool, bool)>| {
        let data = format!(
            r#"{{"id":"gen-1","provider":"OpenAI","model":"m","object":"chat.completion.chunk",
            "created":1,"choices":{choices},"usage":{usage_text}}}"#
        );
        let chunk = read_chunk(&data).unwrap();
        assert_eq!(chunk.provider_id.as_deref(), Some("gen-1"));
        let shown = usage();
        let text = chunk.to_caller("req_1", asked.then_some((&shown, Nanos::new(1))));
        let found = text.map(|text| {
            assert_says_nothing_of_the_operator(&text);
            let value = value(&text);
            assert_eq!(value["id"], "req_1");
            assert_eq!(value["object"], "chat.completion.chunk");
            let has_choices = value["choices"]
                .as_array()
                .is_some_and(|list| !list.is_empty());
            (has_choices, value.get("usage").is_some())
        });
        assert_eq!(found, expect, "{data}");
    };
    check(choices, "null", false, Some((true, false)));
    check(choices, USAGE, false, Some((true, false)));
    check(choices, USAGE, true, Some((true, true)));
    check("[]", USAGE, true, Some((false, true)));
    check("[]", USAGE, false, None);
    check("null", USAGE, false, None);
    let data = format!("{{\"choices\":{choices}}}");
    let chunk = read_chunk(&data).unwrap();
    assert_eq!(chunk.finish_reason, None);
    for bad in ["", "[DONE]", "{", "[]", "1", "\"x\""] {
        assert_eq!(read_chunk(bad).err(), Some(ChunkFault::NotJson), "{bad}");
    }
    assert_eq!(
        ApiError::from(ChunkFault::NotJson).code,
        ErrorCode::ProviderMalformed
    );
}

#[test]
fn a_failure_in_mid_stream_is_told_in_a_chunk_that_sdks_raise() {
    let data = r#"{"id":"gen-1","object":"chat.completion.chunk","created":1,"model":"m",
        "provider":"OpenAI","error":{"code":402,"message":"Insufficient credits. Add more using
        https://openrouter.ai/credits"},
        "choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#
        .replace('\n', " ");
    let chunk = read_chunk(&data).unwrap();
    assert_eq!(chunk.finish_reason.as_deref(), Some("error"));
    let failure = chunk.error.unwrap();
    assert_eq!((failure.cause, failure.retry), (Cause::Credits, false));
    let head = Head {
        id: "req_1",
        model: "m",
        created: 1,
    };
    let text = error_chunk(head, &failure.error, "req_1", "https://docs.example/e");
    assert_says_nothing_of_the_operator(&text);
    let value = value(&text);
    assert_eq!(value["error"]["code"], "provider_unavailable");
    assert_eq!(value["choices"][0]["finish_reason"], "error");
    let usage = value_of_usage_chunk(head);
    assert_eq!(usage["usage"]["total_tokens"], 30);
    assert_eq!(usage["choices"], json!([]));
}

fn value_of_usage_chunk(head: Head<'_>) -> Value {
    value(&usage_chunk(head, &usage(), Nanos::new(5)))
}

#[test]
fn each_failure_of_the_provider_has_one_public_face() {
    use ErrorCode as E;
    let check = |status: u16, body: &str, code: E, cause: Cause| {
        let failure = failure(status, None, body.as_bytes());
        assert_eq!(
            (failure.error.code, failure.cause),
            (code, cause),
            "{status} {body}"
        );
        assert_eq!(failure.retry, matches!(status, 429 | 503), "{status}");
        assert_says_nothing_of_the_operator(&failure.error.to_json("req_1", "https://d.example"));
    };
    let error = |message: &str| format!("{{\"error\":{{\"code\":1,\"message\":\"{message}\"}}}}");
    check(
        401,
        &error("No auth credentials found"),
        E::ProviderUnavailable,
        Cause::Credential,
    );
    check(
        402,
        &error("Insufficient credits"),
        E::ProviderUnavailable,
        Cause::Credits,
    );
    check(
        403,
        &error("Your chosen model requires moderation"),
        E::ContentRefused,
        Cause::Refused,
    );
    check(403, "", E::ContentRefused, Cause::Refused);
    check(
        403,
        &error("Key limit exceeded"),
        E::ProviderUnavailable,
        Cause::Credential,
    );
    check(
        403,
        &error("Only management keys can do this"),
        E::ProviderUnavailable,
        Cause::Credential,
    );
    let typed = r#"{"error":{"message":"No","metadata":{"error_type":"permission_denied"}}}"#;
    check(403, typed, E::ProviderUnavailable, Cause::Credential);
    check(
        404,
        &error("No endpoints found"),
        E::ProviderUnavailable,
        Cause::NotFound,
    );
    for status in [408, 504, 524] {
        check(status, "<html>", E::ProviderTimeout, Cause::Timeout);
    }
    check(
        429,
        &error("Rate limit exceeded"),
        E::ProviderOverloaded,
        Cause::Overloaded,
    );
    for status in [400, 413, 422] {
        check(status, "\u{fffd}", E::ProviderRejected, Cause::Rejected);
    }
    let long =
        r#"{"error":{"message":"too long","metadata":{"error_type":"context_length_exceeded"}}}"#;
    check(400, long, E::ContextLengthExceeded, Cause::Rejected);
    for status in [301, 302, 307, 399] {
        check(status, "", E::ProviderUnavailable, Cause::Redirect);
    }
    for status in [0, 101, 204, 405, 418, 500, 502, 503, 529, 999] {
        check(
            status,
            &error("boom"),
            E::ProviderUnavailable,
            Cause::Broken,
        );
    }
}

#[test]
fn the_providers_waiting_time_is_given_on() {
    let check = |header: Option<&str>, seconds: Option<u64>, forbids_retry: bool| {
        let error = failure(429, header, b"").error;
        assert_eq!(
            (error.retry_after_seconds, error.forbids_retry()),
            (seconds, forbids_retry)
        );
    };
    check(None, None, false);
    check(Some("7"), Some(7), false);
    check(Some(" 7 "), Some(7), false);
    check(Some("3600"), Some(3600), true);
    check(Some("Wed, 21 Oct 2026 07:28:00 GMT"), None, false);
    check(Some("-1"), None, false);
    assert_eq!(failure(400, Some("7"), b"").error.retry_after_seconds, None);
}

#[test]
fn a_providers_words_are_shown_only_when_they_speak_of_the_request() {
    let fixed = ErrorCode::ProviderRejected.row().message;
    let check = |message: &str, expect: Option<&str>| {
        let body = json!({"error": {"code": 400, "message": message}}).to_string();
        let shown = failure(400, None, body.as_bytes()).error.message;
        match expect {
            Some(text) => assert_eq!(shown, format!("{fixed}: {text}")),
            None => assert_eq!(shown, fixed, "{message}"),
        }
    };
    check("temperature: range 0..1", Some("temperature: range 0..1"));
    check("a\n\tb\u{0}\u{7}c", Some("a b c"));
    check(
        "see https://docs.example/x or mail a@b.example",
        Some("see [removed] or mail [removed]"),
    );
    check(
        "id req_0123456789abcdefghij is bad",
        Some("id [removed] is bad"),
    );
    check("", None);
    check("Provider returned error", None);
    for secret in [
        "Incorrect API key provided: sk-or-v1-0123456789abcdef",
        "invalid api_key",
        "Your account is not active",
        "This request requires more Credits",
        "visit openrouter.ai/settings",
        "You exceeded your current quota",
        "organization must be verified",
        "Authorization header missing",
        "bad API\nkey",
        "the  key  limit: your \t key",
    ] {
        check(secret, None);
    }
    let long = "word ".repeat(200);
    let expect = long.chars().take(300).chain(['…']).collect::<String>();
    check(&long, Some(&expect));

    let check_raw = |raw: &str, expect: Option<&str>| {
        let body = json!({"error": {"code": 400, "message": "Provider returned error",
            "metadata": {"raw": raw, "provider_name": "OpenAI"}}});
        let shown = failure(400, None, body.to_string().as_bytes())
            .error
            .message;
        let expect = expect.map_or(fixed.to_owned(), |text| format!("{fixed}: {text}"));
        assert_eq!(shown, expect, "{raw}");
    };
    check_raw(
        r#"{"error":{"message":"'n' must be 1"}}"#,
        Some("'n' must be 1"),
    );
    check_raw(r#"{"message":"bad image"}"#, Some("bad image"));
    check_raw(r#"{"error":{"message":"your account is blocked"}}"#, None);
    check_raw("plain text of nobody knows whom", None);
    check_raw(r#"{"error":{"message":5}}"#, None);
}

#[test]
fn a_generation_record_gives_the_final_usage_and_cost() {
    let record = |more: &str| format!("{{\"data\":{{{more}}}}}");
    let full = record(
        r#""id":"gen-1","total_cost":1.5e-05,"native_tokens_prompt":10,"native_tokens_completion":25,
        "native_tokens_reasoning":5,"native_tokens_cached":3,"num_media_prompt":1,"cancelled":true,
        "finish_reason":"stop","tokens_prompt":99"#,
    );
    let found = read_generation(full.as_bytes()).unwrap();
    let usage = Usage {
        prompt_tokens: 10,
        cached_tokens: 3,
        completion_tokens: 25,
        reasoning_tokens: 5,
        images: 1,
        ..Usage::default()
    };
    assert_eq!(found.usage, Some(usage));
    assert_eq!(found.total_cost, Some(Nanos::new(15_000)));
    assert_eq!(
        (found.cancelled, found.finish_reason.as_deref()),
        (true, Some("stop"))
    );

    let cost = |text: &str| {
        let body = record(&format!("\"total_cost\":{text}"));
        let nanos = read_generation(body.as_bytes()).unwrap().total_cost;
        nanos.map(Nanos::get)
    };
    assert_eq!(cost("0"), Some(0));
    assert_eq!(cost("0.0015"), Some(1_500_000));
    assert_eq!(cost("0.0012345678901234"), Some(1_234_568));
    assert_eq!(cost("1e-15"), Some(1));
    for lie in ["-1", "-1e-30", "\"1\"", "null", "1e30", "9e99999", "[]"] {
        assert_eq!(cost(lie), None, "{lie}");
    }
    let null = record(r#""native_tokens_prompt":null,"native_tokens_completion":1"#);
    assert_eq!(read_generation(null.as_bytes()).unwrap().usage, None);
    for bad in ["", "{}", "[]", "{\"data\":null}", "{\"data\":[]}", "<html>"] {
        let fault = read_generation(bad.as_bytes()).unwrap_err();
        assert_eq!(fault, GenerationFault::NotARecord, "{bad}");
    }
}

#[test]
fn insurance_covers_only_what_the_provider_promises() {
    let used = |completion_tokens: u64| Usage {
        completion_tokens,
        ..Usage::default()
    };
    assert!(is_insured(Some("error"), Some(&used(5))));
    assert!(is_insured(Some("error"), None));
    assert!(is_insured(None, Some(&used(0))));
    assert!(!is_insured(None, Some(&used(1))));
    assert!(!is_insured(None, None));
    assert!(!is_insured(Some("stop"), Some(&used(0))));
}

#[test]
fn no_answer_of_a_provider_can_make_us_panic() {
    let seed = format!(
        r#"{{"id":"g","model":"m","created":1,"error":null,"choices":[{{"index":0,"delta":{{"content":
        "a\ud83d","tool_calls":[{{"function":{{"arguments":"x"}}}}]}},"finish_reason":"stop"}}],
        "usage":{USAGE}}}"#
    );
    let shown = usage();
    for at in 0..seed.len() {
        for junk in [
            &b"null"[..],
            b"-1.5",
            b"\"",
            b"[",
            b"}",
            b"\\u",
            b"\xFF",
            b"{",
            b"",
        ] {
            for width in [1, 5] {
                let end = (at + width).min(seed.len());
                let mut bytes = seed.as_bytes()[..at].to_vec();
                bytes.extend_from_slice(junk);
                bytes.extend_from_slice(&seed.as_bytes()[end..]);
                if let Ok(answer) = read_answer(&bytes) {
                    let text = answer.to_caller("i", Some((&shown, Nanos::ZERO)));
                    assert!(crate::json::read_value(&text).is_some(), "{text}");
                }
                let _failure = failure(400, None, &bytes);
                let _record = read_generation(&bytes);
                if let Ok(chunk) = std::str::from_utf8(&bytes).map(read_chunk)
                    && let Ok(chunk) = chunk
                    && let Some(text) = chunk.to_caller("i", None)
                {
                    assert!(crate::json::read_value(&text).is_some(), "{text}");
                }
            }
        }
    }
}
