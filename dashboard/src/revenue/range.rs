//! Which days are asked for: so many until today, or from one date to another.

use jiff::civil::{Date, date as civil};
use tollgate_core::selling::Days;

use crate::form::Form;
use crate::page::Zone;

const DAY_MS: i64 = 86_400_000;

/// Without anything else, this many days are shown.
const USUAL_DAYS: i64 = 30;

/// A range of UTC days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub days: Days,
    /// How many days until today, if that is what was asked for.
    pub until_today: Option<i64>,
    /// Whether what was asked for could not be shown.
    pub corrected: bool,
}

impl Range {
    pub(super) fn of(query: &Form, now_ms: i64) -> Self {
        let usual = |days: i64, corrected| Self {
            days: Days::until_today(now_ms, days),
            until_today: Some(days),
            corrected,
        };
        if query.given("from").is_none() && query.given("to").is_none() {
            return usual(query.get("days").parse().unwrap_or(USUAL_DAYS), false);
        }
        let read = |name| query.get(name).parse().ok().and_then(number);
        let today = Days::until_today(now_ms, 1).last();
        let last = if query.given("to").is_some() {
            read("to")
        } else {
            Some(today)
        };
        let first = if query.given("from").is_some() {
            read("from")
        } else {
            last
        };
        let days = first
            .zip(last)
            .and_then(|(first, last)| Days::new(first, last));
        days.map_or_else(
            || usual(USUAL_DAYS, true),
            |days| Self {
                days,
                until_today: None,
                corrected: false,
            },
        )
    }

    pub(super) fn from(&self) -> Date {
        date(self.days.first())
    }

    pub(super) fn to(&self) -> Date {
        date(self.days.last())
    }
}

/// The date of a day that is counted since 1970.
pub(super) fn date(day: i64) -> Date {
    Zone::named("UTC").date(day.saturating_mul(DAY_MS))
}

fn number(date: Date) -> Option<i64> {
    let since = civil(1970, 1, 1).until(date).ok()?;
    Some(i64::from(since.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_was_asked_for_or_the_last_month() {
        // 2026-11-22.
        let now_ms = 20_779 * DAY_MS + 5;
        let check = |query: &str, from: &str, to: &str, corrected: bool| {
            let range = Range::of(&Form::parse(query.as_bytes()), now_ms);
            let found = (range.from().to_string(), range.to().to_string());
            assert_eq!(found, (from.to_owned(), to.to_owned()), "{query}");
            assert_eq!(range.corrected, corrected, "{query}");
        };
        check("", "2026-10-24", "2026-11-22", false);
        check("days=7", "2026-11-16", "2026-11-22", false);
        check("days=x", "2026-10-24", "2026-11-22", false);
        check("days=-4", "2026-11-22", "2026-11-22", false);
        check(
            "from=2026-01-01&to=2026-01-31",
            "2026-01-01",
            "2026-01-31",
            false,
        );
        check("from=2026-11-01", "2026-11-01", "2026-11-22", false);
        check("to=2026-11-01", "2026-11-01", "2026-11-01", false);
        check(
            "from=2026-02-01&to=2026-01-31",
            "2026-10-24",
            "2026-11-22",
            true,
        );
        check("from=2020-02-01", "2026-10-24", "2026-11-22", true);
        check("from=soon&to=2026-01-31", "2026-10-24", "2026-11-22", true);
        check(
            "from=1960-01-01&to=1960-01-02",
            "2026-10-24",
            "2026-11-22",
            true,
        );
    }
}
