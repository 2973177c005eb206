//! OpenRouter's failures, told to the caller without telling about the operator: its credential,
//! its credits and its account are its own trouble.

use super::scrub::scrub;
use crate::error::{ApiError, ErrorCode};
use crate::json::{self, Raw};

/// What went wrong at the provider, for the operator's log and alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The operator's credential is refused.
    Credential,
    /// The operator's credit at the provider is used up.
    Credits,
    /// The request is invalid in the provider's eyes.
    Rejected,
    /// The content is refused.
    Refused,
    /// The model or a provider for it within the quoted price does not exist.
    NotFound,
    /// The provider took too long.
    Timeout,
    /// The provider has too many calls.
    Overloaded,
    /// The provider answered with a redirect, which is never followed.
    Redirect,
    /// Anything else.
    Broken,
}

impl Cause {
    /// The word for logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Credits => "credits",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
            Self::NotFound => "not_found",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Redirect => "redirect",
            Self::Broken => "broken",
        }
    }

    const fn code(self) -> ErrorCode {
        match self {
            Self::Credential | Self::Credits | Self::NotFound | Self::Redirect | Self::Broken => {
                ErrorCode::ProviderUnavailable
            }
            Self::Rejected => ErrorCode::ProviderRejected,
            Self::Refused => ErrorCode::ContentRefused,
            Self::Timeout => ErrorCode::ProviderTimeout,
            Self::Overloaded => ErrorCode::ProviderOverloaded,
        }
    }
}

/// A failure of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the caller reads.
    pub error: ApiError,
    /// What the operator's log says.
    pub cause: Cause,
    /// Whether the same request may be sent once more under the same hold: 429 and 503, which
    /// promise that nothing was begun.
    pub retry: bool,
}

/// Reads an answer whose status is not 200; `retry_after` is the header of that name.
#[must_use]
pub fn failure(status: u16, retry_after: Option<&str>, body: &[u8]) -> Failure {
    let body = std::str::from_utf8(body).ok().and_then(json::read_value);
    let error = body.and_then(|body| body.get("error"));
    let mut failure = classify(status, error);
    failure.retry = matches!(status, 429 | 503);
    // The header can also be a date; then the caller is not told when.
    let seconds = retry_after.and_then(|seconds| seconds.trim().parse().ok());
    if let Some(seconds) = seconds.filter(|_| failure.retry) {
        failure.error = failure.error.with_retry_after(seconds);
    }
    failure
}

/// Reads an `error` object inside an answer or chunk whose status was 200. Never to be retried:
/// the model has begun.
pub(super) fn failure_in_answer(error: Raw<'_>) -> Failure {
    let code = error.get("code").and_then(Raw::as_u64);
    let status = code.and_then(|code| u16::try_from(code).ok());
    let mut failure = classify(status.unwrap_or(500), Some(error));
    failure.error = failure.error.without_retry();
    failure
}

fn classify(status: u16, error: Option<Raw<'_>>) -> Failure {
    let cause = match status {
        300..=399 => Cause::Redirect,
        400 | 413 | 422 => Cause::Rejected,
        401 => Cause::Credential,
        402 => Cause::Credits,
        403 if concerns_operator(error) => Cause::Credential,
        403 => Cause::Refused,
        404 => Cause::NotFound,
        408 | 504 | 524 => Cause::Timeout,
        429 => Cause::Overloaded,
        _ => Cause::Broken,
    };
    let mut api_error = ApiError::new(cause.code());
    if cause == Cause::Rejected {
        if error_type(error).as_deref() == Some("context_length_exceeded") {
            api_error = ApiError::new(ErrorCode::ContextLengthExceeded);
        }
        if let Some(text) = error.and_then(provider_text) {
            api_error =
                api_error.with_message(format!("the provider refused this request: {text}"));
        }
    }
    Failure {
        error: api_error,
        cause,
        retry: false,
    }
}

/// A 403 is about the content unless it speaks of keys or permissions ("Key limit exceeded", "Only
/// management keys can perform this operation").
fn concerns_operator(error: Option<Raw<'_>>) -> bool {
    let kind = error_type(error);
    if matches!(
        kind.as_deref(),
        Some("authentication" | "permission_denied" | "payment_required")
    ) {
        return true;
    }
    let message = error
        .and_then(|error| error.get("message"))
        .and_then(Raw::as_str);
    let message = message.unwrap_or_default().to_ascii_lowercase();
    let words = ["key", "permission", "credit", "account", "limit exceeded"];
    words.iter().any(|word| message.contains(word))
}

/// OpenRouter's own class of the error (`ApiErrorType`).
fn error_type(error: Option<Raw<'_>>) -> Option<std::borrow::Cow<'_, str>> {
    error?.get("metadata")?.get("error_type")?.as_str()
}

/// The provider's words if they may be shown. OpenRouter says "Provider returned error" and quotes
/// the real answer in `metadata.raw`, as JSON text.
fn provider_text(error: Raw<'_>) -> Option<String> {
    let raw = error
        .get("metadata")
        .and_then(|metadata| metadata.get("raw"));
    if let Some(raw) = raw.and_then(Raw::as_str) {
        let inner = json::read_value(&raw)?;
        let inner = inner.get("error").unwrap_or(inner);
        return scrub(&inner.get("message")?.as_str()?);
    }
    scrub(&error.get("message")?.as_str()?)
}
