//! What a caller is told of a refusal, and of its limits. What it does not concern, such as the
//! money of the accounts above it, is not told.

use super::ask::Ask;
use super::decide::{RateRefusal, Refusal};
use super::idempotency::FirstCall;
use super::snapshot::{KeyState, Snapshot};
use crate::budget::{Exceeded, Period};
use crate::calendar::rfc3339;
use crate::error::{ApiError, ErrorCode};
use crate::json::ObjectWriter;
use crate::limits::Window;
use crate::money::Nanos;

/// What helps a caller whose credit does not suffice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Help<'a> {
    /// The longest answer, in tokens, that what is left affords, if it is known.
    pub affordable_max_tokens: Option<u64>,
    /// The page that sells credit, if there is one.
    pub top_up_url: Option<&'a str>,
}

impl Refusal {
    /// The public error.
    #[must_use]
    pub fn to_error(&self, help: Help<'_>) -> ApiError {
        match self {
            Self::KeyRevoked => ErrorCode::KeyRevoked.into(),
            Self::KeyExpired => ErrorCode::KeyExpired.into(),
            Self::DuplicateRequest(first) => first.to_error(),
            Self::IdempotencyKeyReused(request) => {
                let mut details = ObjectWriter::new();
                details.string("first_request_id", &request.to_string());
                ApiError::new(ErrorCode::IdempotencyKeyReused).with_details(details.end())
            }
            Self::AccountSuspended => ErrorCode::AccountSuspended.into(),
            Self::ResellerUnavailable { .. } => ErrorCode::ResellerUnavailable.into(),
            Self::ModelNotAllowed => ApiError::new(ErrorCode::ModelNotAllowed).with_param("model"),
            Self::MaxTokensTooLarge { limit } => ApiError::new(ErrorCode::MaxTokensTooLarge)
                .with_message(format!(
                    "`max_tokens` is above this key's limit of `{limit}`"
                ))
                .with_param("max_tokens"),
            Self::TooManyParallel { limit } => ApiError::new(ErrorCode::TooManyParallel)
                .with_message(format!(
                    "this key has `{limit}` calls running, as many as it may"
                ))
                .with_retry_after(1),
            Self::RateLimited(rate) => rate.to_error(),
            Self::KeyBudgetExceeded(exceeded) => {
                exceeded.to_error((ErrorCode::KeyBudgetExceeded, "this key's budget"), help)
            }
            Self::SpendLimitExceeded(exceeded) => exceeded.to_error(
                (ErrorCode::SpendLimitExceeded, "this account's spend limit"),
                help,
            ),
            Self::InsufficientCredits {
                balance,
                held,
                needed,
            } => {
                let mut details = ObjectWriter::new();
                details.raw("balance", &balance.to_usd());
                details.raw("held", &held.to_usd());
                details.raw("needed", &needed.to_usd());
                help.write(&mut details);
                if let Some(url) = help.top_up_url {
                    details.string("top_up_url", url);
                }
                ApiError::new(ErrorCode::InsufficientCredits)
                    .with_message(format!(
                        "this call could cost up to `{needed}`; of the balance of `{balance}`, \
                         `{held}` is held by running calls"
                    ))
                    .with_details(details.end())
            }
        }
    }
}

impl Help<'_> {
    fn write(self, details: &mut ObjectWriter) {
        if let Some(affordable) = self.affordable_max_tokens {
            details.number("affordable_max_tokens", affordable);
        }
    }
}

impl Exceeded {
    fn to_error(self, (code, what): (ErrorCode, &str), help: Help<'_>) -> ApiError {
        let Self {
            budget,
            spent,
            held,
            needed,
            ..
        } = self;
        let mut details = ObjectWriter::new();
        details.string("period", self.period.as_str());
        details.raw("budget", &budget.to_usd());
        details.raw("spent", &spent.to_usd());
        details.raw("held", &held.to_usd());
        details.raw("needed", &needed.to_usd());
        help.write(&mut details);
        let lasts = match self.period {
            Period::Total => "in all",
            Period::Day => "a day",
            Period::Week => "a week",
            Period::Month => "a month",
        };
        let mut error = ApiError::new(code);
        match self.resets_at_ms.and_then(rfc3339) {
            Some(resets_at) => {
                details.string("resets_at", &resets_at);
                error = error.with_hint(format!(
                    "lower `max_tokens`, or wait until `{resets_at}`, when it begins anew"
                ));
            }
            None => details.raw("resets_at", "null"),
        }
        error
            .with_message(format!(
                "this call could cost up to `{needed}`; of {what} of `{budget}` {lasts}, \
                 `{spent}` is spent and `{held}` is held by running calls"
            ))
            .with_details(details.end())
    }
}

impl FirstCall {
    fn to_error(&self) -> ApiError {
        let mut details = ObjectWriter::new();
        details.string("first_request_id", &self.request.to_string());
        details.string("first_generation_id", &self.request.generation_id());
        details.string("state", &self.state);
        match self.charge {
            Some(charge) => details.raw("charge", &charge.to_usd()),
            None => details.raw("charge", "null"),
        }
        ApiError::new(ErrorCode::DuplicateRequest)
            .with_message(format!(
                "this call was made before as `{}`, which is {}",
                self.request, self.state
            ))
            .with_details(details.end())
    }
}

/// The `x-tollgate-*` headers of a wallet: what the account has, and what of it its running calls
/// hold, `taken` by this one included.
#[must_use]
pub fn wallet_headers(snapshot: &Snapshot, taken: Nanos) -> Vec<(&'static str, String)> {
    let Some(own) = snapshot.levels.first() else {
        return Vec::new();
    };
    let held = own.purse.held.plus(taken).unwrap_or(own.purse.held);
    vec![
        ("x-tollgate-balance", own.balance.to_usd()),
        ("x-tollgate-held", held.to_usd()),
    ]
}

impl RateRefusal {
    fn to_error(self) -> ApiError {
        let Self { window, limit, .. } = self;
        let (code, what) = match window {
            Window::MinuteRequests => (ErrorCode::RateLimitRequests, "requests a minute"),
            Window::HourRequests => (ErrorCode::RateLimitRequests, "requests an hour"),
            Window::DayRequests => (ErrorCode::RateLimitRequests, "requests a day"),
            Window::MinuteTokens => (ErrorCode::RateLimitTokens, "tokens a minute"),
        };
        let error = ApiError::new(code);
        match self.retry_after_ms {
            Some(wait_ms) => error
                .with_message(format!("this key is limited to `{limit}` {what}"))
                .with_retry_after(retry_after_seconds(window, wait_ms)),
            None => error
                .with_message(format!(
                    "this call alone is above this key's `{limit}` {what}"
                ))
                .with_hint("lower `max_tokens`, or ask for a key with a higher limit")
                .without_retry(),
        }
    }
}

/// The `x-ratelimit-*` headers: for requests the fullest window, for tokens the minute.
/// Resets are whole seconds until the whole window is free again. `admitted` is the call that was
/// admitted since the key's state was read.
#[must_use]
pub fn rate_limit_headers(
    key: &KeyState,
    admitted: Option<&Ask>,
    now_ms: i64,
) -> Vec<(&'static str, String)> {
    let standing = |window: Window| {
        let taken = admitted.map_or(0, |ask| ask.amount(window));
        Standing::of(window, key, now_ms).map(|standing| standing.less(taken, window.length_ms()))
    };
    let request_windows = [
        Window::MinuteRequests,
        Window::HourRequests,
        Window::DayRequests,
    ];
    let fullest = request_windows
        .into_iter()
        .filter_map(standing)
        .min_by_key(|standing| standing.remaining);
    let mut headers = Vec::new();
    if let Some(standing) = fullest {
        headers.push(("x-ratelimit-limit-requests", standing.limit.to_string()));
        headers.push((
            "x-ratelimit-remaining-requests",
            standing.remaining.to_string(),
        ));
        headers.push((
            "x-ratelimit-reset-requests",
            format!("{}s", standing.reset_seconds),
        ));
    }
    if let Some(standing) = standing(Window::MinuteTokens) {
        headers.push(("x-ratelimit-limit-tokens", standing.limit.to_string()));
        headers.push((
            "x-ratelimit-remaining-tokens",
            standing.remaining.to_string(),
        ));
        headers.push((
            "x-ratelimit-reset-tokens",
            format!("{}s", standing.reset_seconds),
        ));
    }
    headers
}

/// How a window stands for its key.
struct Standing {
    limit: u64,
    remaining: u64,
    reset_seconds: u64,
}

impl Standing {
    fn of(window: Window, key: &KeyState, now_ms: i64) -> Option<Self> {
        let limit = window.limit_of(&key.limits)?;
        let counts = key.counts(window);
        Some(Self {
            limit,
            remaining: limit.saturating_sub(counts.used(window, now_ms)),
            reset_seconds: seconds_up(counts.empty_in_ms(window, now_ms)),
        })
    }

    fn less(mut self, taken: u64, length_ms: i64) -> Self {
        self.remaining = self.remaining.saturating_sub(taken);
        if taken > 0 {
            self.reset_seconds = seconds_up(length_ms);
        }
        self
    }
}

/// A window of a minute may be full for a moment longer than that, but official SDKs ignore a
/// `Retry-After` above 60.
fn retry_after_seconds(window: Window, wait_ms: i64) -> u64 {
    let most = match window {
        Window::MinuteRequests | Window::MinuteTokens => 60,
        Window::HourRequests | Window::DayRequests => u64::MAX,
    };
    seconds_up(wait_ms).clamp(1, most)
}

fn seconds_up(ms: i64) -> u64 {
    u64::try_from(ms.saturating_add(999).div_euclid(1_000)).unwrap_or_default()
}
