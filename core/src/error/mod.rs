//! The public error: what a caller reads when a call is refused or fails, in OpenAI's shape.
//! The rows (status, texts, retry advice) are in `table`; internal text never comes here.

mod table;

pub use table::{ErrorCode, ErrorKind, Row};

use std::borrow::Cow;
use std::fmt;

use crate::json::ObjectWriter;

/// A wait longer than this many seconds is told with `x-should-retry: false`: the official SDKs
/// would otherwise try again at once, ignoring a long `Retry-After`.
pub const LONGEST_RETRY_AFTER_SECONDS: u64 = 60;

/// One refusal or failure as the caller sees it. Text comes from the table unless it is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The row of the error table.
    pub code: ErrorCode,
    /// One lower-case sentence without a full stop.
    pub message: Cow<'static, str>,
    /// The request field at fault, as a path such as `messages[0].content`.
    pub param: Option<String>,
    /// What to do about it.
    pub hint: Cow<'static, str>,
    /// A JSON object with more facts, shown as `details`.
    pub details: Option<String>,
    /// Seconds for a `Retry-After` header.
    pub retry_after_seconds: Option<u64>,
    never_retry: bool,
}

impl ApiError {
    /// The error with the texts of its row.
    #[must_use]
    pub const fn new(code: ErrorCode) -> Self {
        let row = code.row();
        Self {
            code,
            message: Cow::Borrowed(row.message),
            param: None,
            hint: Cow::Borrowed(row.hint),
            details: None,
            retry_after_seconds: None,
            never_retry: row.never_retry,
        }
    }

    /// Replaces the message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Names the request field at fault.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Replaces the hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Adds facts for programs; `object` is the text of a JSON object.
    #[must_use]
    pub fn with_details(mut self, object: String) -> Self {
        self.details = Some(object);
        self
    }

    /// Says when to try again. Beyond `LONGEST_RETRY_AFTER_SECONDS` it also forbids SDKs to retry.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.never_retry |= seconds > LONGEST_RETRY_AFTER_SECONDS;
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Forbids SDKs to retry, for an answer that may have cost money.
    #[must_use]
    pub fn without_retry(mut self) -> Self {
        self.never_retry = true;
        self
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.code.row().status
    }

    /// Whether the answer carries `x-should-retry: false`.
    #[must_use]
    pub const fn forbids_retry(&self) -> bool {
        self.never_retry
    }

    /// The whole body: `{"error":{…}}`.
    #[must_use]
    pub fn to_json(&self, request_id: &str, docs_base_url: &str) -> String {
        let mut body = ObjectWriter::new();
        body.raw("error", &self.object(request_id, docs_base_url));
        body.end()
    }

    /// The inner object alone, for an error chunk in the middle of a stream.
    #[must_use]
    pub fn object(&self, request_id: &str, docs_base_url: &str) -> String {
        let row = self.code.row();
        let mut error = ObjectWriter::new();
        error.string("message", &self.message);
        error.string("type", row.kind.as_str());
        error.string("code", row.code);
        match &self.param {
            Some(param) => error.string("param", param),
            None => error.raw("param", "null"),
        }
        error.string("hint", &self.hint);
        error.string("docs_url", &format!("{docs_base_url}#{}", row.code));
        error.string("request_id", request_id);
        if let Some(details) = &self.details {
            error.raw("details", details);
        }
        error.end()
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.row().code, self.message)
    }
}

impl std::error::Error for ApiError {}

/// The error table for `docs/API.md`. Each code is an anchor, so that `docs_url` leads to its row.
#[must_use]
pub fn markdown_table() -> String {
    let mut out = String::from(
        "| Status | Code | Type | When | Hint | SDKs retry |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for code in ErrorCode::ALL {
        let row = code.row();
        let retried = matches!(row.status, 408 | 409 | 429 | 500..) && !row.never_retry;
        out.push_str(&format!(
            "| {} | <a id=\"{code}\"></a>`{code}` | `{}` | {} | {} | {} |\n",
            row.status,
            row.kind.as_str(),
            row.when,
            row.hint,
            if retried { "yes" } else { "no" },
            code = row.code,
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_error_table_is_the_one_in_the_code() {
        let published = include_str!("../../../docs/API.md");
        assert!(
            published.contains(&markdown_table()),
            "run `cargo xtask docs`"
        );
    }

    #[test]
    fn every_row_follows_the_house_style_and_codes_are_unique() {
        let mut seen = std::collections::HashSet::new();
        for code in ErrorCode::ALL {
            let row = code.row();
            assert!(seen.insert(row.code), "{} twice", row.code);
            assert!((400..600).contains(&row.status), "{}", row.code);
            for text in [row.message, row.hint] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
                assert!(!text.starts_with(char::is_uppercase), "{text}");
            }
            assert!(row.when.ends_with('.'), "{}", row.when);
            assert!(!row.when.contains('|') && !row.hint.contains('|'));
        }
    }

    #[test]
    fn a_caller_reads_what_is_wrong_where_and_what_to_do() {
        let error = ApiError::new(ErrorCode::InvalidValue)
            .with_message("`temperature` must be a number from 0 to 2")
            .with_param("temperature")
            .with_details("{\"a\":1}".to_owned());
        let json = error.to_json("req_1", "https://docs.example/errors");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"error": {
                "message": "`temperature` must be a number from 0 to 2",
                "type": "invalid_request_error",
                "code": "invalid_value",
                "param": "temperature",
                "hint": ErrorCode::InvalidValue.row().hint,
                "docs_url": "https://docs.example/errors#invalid_value",
                "request_id": "req_1",
                "details": {"a": 1},
            }})
        );
        let plain = ApiError::new(ErrorCode::Internal).to_json("req_\"\n", "");
        let value: serde_json::Value = serde_json::from_str(&plain).unwrap();
        assert_eq!(value["error"]["param"], serde_json::Value::Null);
        assert_eq!(value["error"]["request_id"], "req_\"\n");
    }

    #[test]
    fn sdks_do_not_retry_what_may_have_cost_money_or_resets_late() {
        let check = |error: ApiError, expect: bool| assert_eq!(error.forbids_retry(), expect);
        let limited = || ApiError::new(ErrorCode::RateLimitRequests);
        check(limited(), false);
        check(limited().with_retry_after(60), false);
        check(limited().with_retry_after(61), true);
        check(limited().without_retry(), true);
        check(ErrorCode::ProviderTimeout.into(), true);
        check(ErrorCode::ProviderMalformed.into(), true);
        check(ErrorCode::AnswerTooLarge.into(), true);
        check(ErrorCode::ResellerUnavailable.into(), true);
        check(ErrorCode::DatabaseUnavailable.into(), false);
    }
}
