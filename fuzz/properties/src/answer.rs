//! One-shot answers and failures of a provider: whatever the bytes, the caller reads valid JSON
//! with allow-listed members, and no error tells about the operator.

use tollgate_core::money::Nanos;
use tollgate_core::openrouter::{failure, read_answer};
use tollgate_core::usage::Usage;

use crate::json;
use crate::secrets::check_error;

/// What a caller may see of an answer.
const ANSWER: [&str; 8] = [
    "choices",
    "created",
    "id",
    "model",
    "object",
    "service_tier",
    "system_fingerprint",
    "usage",
];

/// Statuses of each kind that is told apart.
const STATUSES: [u16; 9] = [302, 400, 401, 402, 403, 404, 408, 429, 500];

/// Checks a body, as an answer and as a failure.
///
/// # Panics
/// When a property is broken.
pub fn check(body: &[u8]) {
    match read_answer(body) {
        Ok(answer) => {
            let usage = answer.usage.unwrap_or_default();
            check_usage(&usage);
            let charge = Nanos::new(1_500);
            let text = answer.to_caller("gen-tollgate", Some((&usage, charge)));
            assert!(json::is_json(&text), "{text}");
            if let Ok(value) = serde_json::from_str(&text) {
                json::check_members(&value, &ANSWER);
                assert_eq!(value["id"], "gen-tollgate");
                assert_eq!(value["usage"]["prompt_tokens"], usage.prompt_tokens);
            }
        }
        Err(fault) => check_error(&fault.into_error()),
    }
    for status in STATUSES {
        let told = failure(status, Some("7"), body);
        assert_eq!(told.retry, matches!(status, 429 | 503));
        check_error(&told.error);
    }
}

/// Checks that no part of a usage is larger than its whole, and nothing is absurdly large.
///
/// # Panics
/// When it is.
pub(crate) fn check_usage(usage: &Usage) {
    let cached = usage.cached_tokens + usage.cache_write_tokens;
    assert!(cached <= usage.prompt_tokens, "{usage:?}");
    assert!(
        usage.prompt_audio_tokens <= usage.prompt_tokens,
        "{usage:?}"
    );
    assert!(
        usage.reasoning_tokens <= usage.completion_tokens,
        "{usage:?}"
    );
    let most = u64::from(u32::MAX) * 2;
    assert!(usage.prompt_tokens <= most && usage.completion_tokens <= most);
}
