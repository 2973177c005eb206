//! Failures of the provider: the one public error of each, the waiting time, and which of the
//! provider's words a caller is shown.

use super::*;

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
