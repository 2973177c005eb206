//! JSON as serde_json reads it, for comparison with the gateway's own reader.

use serde_json::Value;
use serde_json::value::RawValue;

/// Whether the text follows JSON's grammar. Numbers may be of any size and surrogates alone, as the
/// grammar has it (RFC 8259, 7 and 8.2).
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// The value, or `None` when it has a number that no float can hold, which is valid JSON.
///
/// # Panics
/// When the bytes are not JSON.
pub(crate) fn value(bytes: &[u8]) -> Option<Value> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(bytes)),
    }
}

/// The names of an object's members, in order.
///
/// # Panics
/// When the value is not an object.
pub(crate) fn names(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// Checks that an object of a chat answer has no member off the list, nor any of its choices.
///
/// # Panics
/// When it has, or is no object.
pub(crate) fn check_members(answer: &Value, allowed: &[&str]) {
    for name in names(answer) {
        assert!(allowed.contains(&name), "`{name}` in {answer}");
    }
    for choice in answer["choices"].as_array().expect("choices") {
        for name in names(choice) {
            assert!(CHOICE.contains(&name), "`{name}` in {choice}");
        }
    }
}

/// What a caller may see of a choice.
const CHOICE: [&str; 6] = [
    "delta",
    "finish_reason",
    "index",
    "logprobs",
    "message",
    "native_finish_reason",
];
