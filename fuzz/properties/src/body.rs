//! Bodies of callers: the strict reader takes nothing that another JSON reader would refuse or see
//! differently, what is sent to the provider is what was priced, and every refusal is a public
//! error.

use serde_json::Value;
use serde_json::value::RawValue;
use tollgate_core::chat::{ChatRequest, parse};
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::json::{Object, parse_object};
use tollgate_core::openrouter::MaxPrice;

use crate::json;
use crate::secrets::check_error;

/// What callers without a bound of their own get.
const OUTPUT_TOKENS: u64 = 777;

/// What an image is estimated at, at most.
const IMAGE_TOKENS: u64 = 1_000;

const ACCOUNT: &str = "acc_1";

/// The bytes of what the gateway adds to a body on its own account, at most.
const ADDED_BYTES: u64 = 256;

/// Checks a body.
///
/// # Panics
/// When a property is broken.
pub fn check(body: &[u8]) {
    match parse_object(body) {
        Ok(object) => check_object(body, &object),
        Err(refusal) => check_refused_json(body, &refusal),
    }
    match parse(body) {
        Ok(request) => check_request(&request),
        Err(refusal) => {
            assert!((400..=422).contains(&refusal.status()), "{refusal}");
            check_error(&refusal);
        }
    }
}

/// What is accepted reads the same with serde_json, and its text is counted to the byte.
fn check_object(body: &[u8], object: &Object<'_>) {
    let text = std::str::from_utf8(body).expect("UTF-8");
    let theirs: Value = match json::value(body) {
        Some(value) => value,
        None => return,
    };
    let names = json::names(&theirs);
    assert_eq!(names.len(), object.fields.len(), "{text}");
    for (name, raw) in &object.fields {
        let value: Value = serde_json::from_str(raw.text()).expect("a value");
        assert_eq!(theirs[&**name], value, "{name} in {text}");
    }
    let raw: &RawValue = serde_json::from_str(text).expect("JSON");
    assert_eq!(text_bytes(raw), object.text_bytes, "{text}");
}

/// What is refused is no JSON for serde_json either, unless it is refused for a rule of ours.
fn check_refused_json(body: &[u8], refusal: &ApiError) {
    check_error(refusal);
    let ours = ["is not a JSON object", "is nested more than 64 deep"];
    let by_rule = refusal.code == ErrorCode::DuplicateField
        || ours.iter().any(|rule| refusal.message.contains(rule));
    let theirs = serde_json::from_slice::<Value>(body);
    assert!(by_rule || theirs.is_err(), "{refusal} in {theirs:?}");
}

/// `json::Object::text_bytes`, counted on what serde_json sees.
fn text_bytes(raw: &RawValue) -> u64 {
    let text = raw.get();
    let length = |text: &str| u64::try_from(text.len()).expect("64 bits");
    // Two for the brackets, and a comma after each but the last.
    let around = |count: usize| 2 + u64::try_from(count.saturating_sub(1)).expect("64 bits");
    match text.as_bytes().first() {
        Some(b'{') => {
            let members: Members = serde_json::from_str(text).expect("an object");
            let inside = members
                .iter()
                .map(|(name, value)| length(name) + 3 + text_bytes(value));
            around(members.len()) + inside.sum::<u64>()
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).expect("an array");
            around(elements.len()) + elements.iter().map(|raw| text_bytes(raw)).sum::<u64>()
        }
        Some(b'"') => length(&serde_json::from_str::<String>(text).expect("a string")) + 2,
        _ => length(text),
    }
}

type Members<'a> = std::collections::BTreeMap<String, &'a RawValue>;

/// What is sent is JSON for anyone, holds the bound that was priced, and reads as the same call.
fn check_request(request: &ChatRequest<'_>) {
    let max_tokens = request.max_tokens.unwrap_or(OUTPUT_TOKENS);
    let bound = request.bound(max_tokens);
    assert_eq!(bound.output_tokens, max_tokens);
    assert_eq!(bound.images, request.images);
    // What is charged for an answer without usage is within what was held for it.
    let most = request.text_tokens + request.images * IMAGE_TOKENS;
    assert!(request.prompt_estimate <= most, "{request:?}");
    let max_price = MaxPrice::default();
    let sent = request.upstream_body(max_tokens, &max_price, ACCOUNT);
    if let Some(value) = json::value(sent.as_bytes()) {
        assert_eq!(value["model"], *request.model);
        assert_eq!(value["max_tokens"], max_tokens);
        assert_eq!(value["stream"].as_bool().unwrap_or(false), request.stream);
        assert_eq!(value["user"], ACCOUNT);
        assert_eq!(value["usage"]["include"], true);
    }
    // `provider` is the gateway's alone, so it is taken off before the body is read as a caller's.
    let ours = format!(",\"provider\":{{\"max_price\":{}}}}}", max_price.to_json());
    let again = sent.strip_suffix(&ours).expect("`provider` is last");
    let again = format!("{again}}}");
    match parse(again.as_bytes()) {
        Ok(again) => {
            assert_eq!(again.model, request.model);
            assert_eq!(again.stream, request.stream);
            assert_eq!(again.max_tokens, Some(max_tokens));
            assert_eq!(again.images, request.images);
            assert_eq!(again.hour_cache, request.hour_cache);
            assert!(
                again.text_tokens <= request.text_tokens + ADDED_BYTES,
                "{} priced, {} sent: {sent}",
                request.text_tokens,
                again.text_tokens
            );
        }
        // The account's id before a name of the caller's may take it beyond the caller's limit.
        Err(refusal) => {
            let own = ["session_id", "prompt_cache_key"];
            let param = refusal.param.as_deref().unwrap_or_default();
            assert!(own.contains(&param), "{refusal}: {sent}");
        }
    }
}
