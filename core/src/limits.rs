//! Limits of a key and its sliding windows: what they allow, and when they allow again.
//!
//! A window is kept in 60 buckets as a JSON object from bucket number to count. Counting takes the
//! current bucket and the 60 before it, a little more than the window's length: a burst across any
//! border stays within the limit, and a caller at exactly the allowed rate gets 60 of 61 calls.

use std::collections::BTreeMap;

use crate::hrana::{HranaFault, Row};
use crate::pattern;

const BUCKETS: i64 = 60;

/// What a key may do, with its account's defaults filled in. `None` is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls a minute.
    pub requests_per_minute: Option<u64>,
    /// Calls an hour.
    pub requests_per_hour: Option<u64>,
    /// Calls a day.
    pub requests_per_day: Option<u64>,
    /// Tokens a minute: reserved at admission, corrected at settlement.
    pub tokens_per_minute: Option<u64>,
    /// Calls at the same time.
    pub parallel_calls: Option<u64>,
    /// The most that a caller may ask for as `max_tokens`.
    pub max_tokens: Option<u64>,
    /// What is sent as `max_tokens` at most when the caller names none.
    pub default_max_tokens: Option<u64>,
    /// Model patterns; `*` stands for any text.
    pub allowed_models: Option<Vec<String>>,
}

impl Limits {
    /// The limits that are numbers, each with its name in forms, JSON and columns.
    #[must_use]
    pub const fn numbers(&self) -> [(&'static str, Option<u64>); 7] {
        [
            ("requests_per_minute", self.requests_per_minute),
            ("requests_per_hour", self.requests_per_hour),
            ("requests_per_day", self.requests_per_day),
            ("tokens_per_minute", self.tokens_per_minute),
            ("parallel_calls", self.parallel_calls),
            ("max_tokens", self.max_tokens),
            ("default_max_tokens", self.default_max_tokens),
        ]
    }

    /// Whether the key may call this model.
    #[must_use]
    pub fn allows_model(&self, slug: &str) -> bool {
        let Some(patterns) = &self.allowed_models else {
            return true;
        };
        patterns
            .iter()
            .any(|pattern| pattern::matches(pattern, slug))
    }
}

/// Reads the eight limits from `first` on, in the order of `Limits`.
pub(crate) fn read_limits(row: &Row, first: usize) -> Result<Limits, HranaFault> {
    let at = |offset: usize| first.saturating_add(offset);
    let patterns: Option<String> = row.get(at(7))?;
    let patterns = patterns.map(|json| serde_json::from_str(&json)).transpose();
    Ok(Limits {
        requests_per_minute: row.get(at(0))?,
        requests_per_hour: row.get(at(1))?,
        requests_per_day: row.get(at(2))?,
        tokens_per_minute: row.get(at(3))?,
        parallel_calls: row.get(at(4))?,
        max_tokens: row.get(at(5))?,
        default_max_tokens: row.get(at(6))?,
        allowed_models: patterns.map_err(|_| HranaFault::UnexpectedColumn(at(7)))?,
    })
}

/// A sliding window that a key's calls are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Calls of the last minute.
    MinuteRequests,
    /// Calls of the last hour.
    HourRequests,
    /// Calls of the last day.
    DayRequests,
    /// Tokens of the last minute.
    MinuteTokens,
}

impl Window {
    /// All windows, in the order in which they are tested.
    pub const ALL: [Self; 4] = [
        Self::MinuteRequests,
        Self::HourRequests,
        Self::DayRequests,
        Self::MinuteTokens,
    ];

    /// The column of `keys` that keeps the counts.
    #[must_use]
    const fn column(self) -> &'static str {
        match self {
            Self::MinuteRequests => "minute_requests",
            Self::HourRequests => "hour_requests",
            Self::DayRequests => "day_requests",
            Self::MinuteTokens => "minute_tokens",
        }
    }

    /// The limit that these limits set on the window.
    #[must_use]
    pub const fn limit_of(self, limits: &Limits) -> Option<u64> {
        match self {
            Self::MinuteRequests => limits.requests_per_minute,
            Self::HourRequests => limits.requests_per_hour,
            Self::DayRequests => limits.requests_per_day,
            Self::MinuteTokens => limits.tokens_per_minute,
        }
    }

    /// The number of the bucket that holds this moment.
    #[must_use]
    pub const fn bucket(self, at_ms: i64) -> i64 {
        at_ms.div_euclid(self.bucket_ms())
    }

    /// How long something stays in the window, in milliseconds, its bucket's rest not counted.
    #[must_use]
    pub const fn length_ms(self) -> i64 {
        self.bucket_ms().saturating_mul(BUCKETS)
    }

    const fn bucket_ms(self) -> i64 {
        match self {
            Self::MinuteRequests | Self::MinuteTokens => 1_000,
            Self::HourRequests => 60_000,
            Self::DayRequests => 1_440_000,
        }
    }
}

/// What a window has counted, by bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<i64, u64>);

impl Counts {
    /// Reads the stored JSON; `None` if it is not what Tollgate stores.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().map(Self)
    }

    /// Units in the window at this moment.
    #[must_use]
    pub fn used(&self, window: Window, now_ms: i64) -> u64 {
        let first = window.bucket(now_ms).saturating_sub(BUCKETS);
        self.0
            .range(first..)
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Milliseconds until `amount` more units fit `limit`; zero if they fit now, `None` if never.
    #[must_use]
    pub fn wait_ms(&self, window: Window, now_ms: i64, ask: Room) -> Option<i64> {
        if ask.amount > ask.limit {
            return None;
        }
        let mut used = self.used(window, now_ms);
        let first = window.bucket(now_ms).saturating_sub(BUCKETS);
        let mut free_at = now_ms;
        for (bucket, count) in self.0.range(first..) {
            if used.saturating_add(ask.amount) <= ask.limit {
                break;
            }
            used = used.saturating_sub(*count);
            let leaves = bucket.saturating_add(BUCKETS).saturating_add(1);
            free_at = leaves.saturating_mul(window.bucket_ms());
        }
        Some(free_at.saturating_sub(now_ms).max(0))
    }

    /// Milliseconds until nothing of what was counted is in the window any more.
    #[must_use]
    pub fn empty_in_ms(&self, window: Window, now_ms: i64) -> i64 {
        let leaves = |bucket: i64| bucket.saturating_add(BUCKETS).saturating_add(1);
        let last = self
            .0
            .last_key_value()
            .map_or(i64::MIN, |(bucket, _)| leaves(*bucket));
        last.saturating_mul(window.bucket_ms())
            .saturating_sub(now_ms)
            .max(0)
    }
}

/// How much room a call asks of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The units that the window allows.
    pub limit: u64,
    /// The units that the call takes.
    pub amount: u64,
}

/// SQL that is true when the window of `keys AS k` has room. The arguments are SQL expressions:
/// the current bucket, what the call takes, and the limit.
pub(crate) fn room_sql(window: Window, [bucket, amount, limit]: [&str; 3]) -> String {
    let column = window.column();
    format!(
        "{amount} + (SELECT coalesce(sum(w.value), 0) FROM json_each(k.{column}) w \
         WHERE CAST(w.key AS INTEGER) >= {bucket} - {BUCKETS}) <= {limit}"
    )
}

/// SQL that counts `amount` in the window's current bucket and drops the old ones.
pub(crate) fn count_sql(window: Window, [bucket, amount]: [&str; 2]) -> String {
    let column = window.column();
    format!(
        "{column} = (SELECT json_set(json_group_object(w.key, w.value), '$.\"' || {bucket} || '\"', \
         {amount} + coalesce(json_extract(k.{column}, '$.\"' || {bucket} || '\"'), 0)) \
         FROM json_each(k.{column}) w WHERE CAST(w.key AS INTEGER) >= {bucket} - {BUCKETS})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_leaves_the_window_only_when_it_is_older_than_the_window() {
        let counts = Counts::parse(r#"{"100":10}"#).unwrap();
        let used = |at_ms: i64| counts.used(Window::MinuteRequests, at_ms);
        assert_eq!(used(100_999), 10);
        assert_eq!(used(160_999), 10);
        assert_eq!(used(161_000), 0);
    }

    #[test]
    fn the_wait_is_until_enough_buckets_have_left() {
        let counts = Counts::parse(r#"{"100":6,"110":4}"#).unwrap();
        let check = |limit: u64, amount: u64, expect: Option<i64>| {
            let wait = counts.wait_ms(Window::MinuteRequests, 120_500, Room { limit, amount });
            assert_eq!(wait, expect, "{limit} {amount}");
        };
        check(11, 1, Some(0));
        check(10, 1, Some(40_500));
        check(10, 6, Some(40_500));
        check(10, 7, Some(50_500));
        check(10, 11, None);
        check(0, 1, None);
    }

    #[test]
    fn foreign_json_is_not_read_as_counts() {
        for json in ["", "[]", r#"{"a":1}"#, r#"{"1":-1}"#, r#"{"1":1.5}"#] {
            assert_eq!(Counts::parse(json), None, "{json}");
        }
    }
}
