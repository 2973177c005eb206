//! Nothing that a provider sends makes a reader panic, and what is passed on of it is JSON. Each
//! reader's own rules are in the files beside this one.

use super::*;

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
