//! Answers in pieces: what a caller is shown of a chunk, the chunk of usage, and a failure in the
//! middle of a stream. Reading a stream's bytes is tested in `sse`.

use super::*;
use crate::error::ApiError;

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
