//! Words that would tell a caller about the operator, and errors that must not say them.

use tollgate_core::error::ApiError;

use crate::json;

/// A word that no provider's text may carry to a caller.
const TOLD_BY_NOBODY: [&str; 9] = [
    "sk-",
    "api key",
    "api-key",
    "bearer",
    "your key",
    "key limit",
    "openrouter",
    "://",
    "www.",
];

/// How a message with the provider's own words begins.
const PROVIDERS_WORDS: &str = "the provider refused this request: ";

/// Most bytes of a message or a parameter: names are shown up to 64 characters, provider's words
/// up to 300, each of at most 4 bytes, and paths have a few numbers.
const LONGEST: usize = 1_400;

/// Checks an error for a caller: it is short, its JSON is valid whatever is quoted in it, and it
/// says nothing of the operator.
///
/// # Panics
/// When a property is broken.
pub(crate) fn check_error(error: &ApiError) {
    let value = json::value(error.to_json("req_1", "docs").as_bytes());
    let value = value.expect("no number is out of range");
    assert_eq!(value["error"]["code"], error.code.row().code);
    assert_eq!(value["error"]["message"], *error.message);
    assert!((400..600).contains(&error.status()));
    let param = error.param.as_deref().unwrap_or_default();
    assert!(error.message.len() <= LONGEST, "{}", error.message);
    assert!(param.len() <= LONGEST, "{param}");
    assert!(!error.message.contains(['\n', '\r']), "{}", error.message);
    if let Some(words) = error.message.strip_prefix(PROVIDERS_WORDS) {
        let words = words.to_lowercase();
        for told in TOLD_BY_NOBODY {
            assert!(!words.contains(told), "`{told}` in {words}");
        }
        assert!(!words.contains('@'), "{words}");
    }
}
