//! Unix milliseconds as dates, in UTC. The clock itself belongs to the shells.

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime};

const DAY_MS: i64 = 86_400_000;

/// The UTC day, week (from Monday) and month of a moment, counted since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Weeks since Monday, 1969-12-29.
    pub week: i64,
    /// Months since January 1970.
    pub month: i64,
}

impl Periods {
    /// The periods that hold this moment, in Unix milliseconds.
    #[must_use]
    pub fn of(at_ms: i64) -> Self {
        let day = at_ms.div_euclid(DAY_MS);
        // 1970-01-01 was a Thursday: three days after its week's Monday.
        let week = day.saturating_add(3).div_euclid(7);
        let date = OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1_000)).ok();
        let month = date.map_or(0, |date| {
            let years = i64::from(date.year()).saturating_sub(1970);
            let of_year = i64::from(u8::from(date.month())).saturating_sub(1);
            years.saturating_mul(12).saturating_add(of_year)
        });
        Self { day, week, month }
    }

    /// The first moment after the day, in Unix milliseconds.
    #[must_use]
    pub const fn day_end_ms(&self) -> i64 {
        self.day.saturating_add(1).saturating_mul(DAY_MS)
    }

    /// The first moment after the week, in Unix milliseconds.
    #[must_use]
    pub const fn week_end_ms(&self) -> i64 {
        let monday = self.week.saturating_add(1).saturating_mul(7);
        monday.saturating_sub(3).saturating_mul(DAY_MS)
    }

    /// The first moment after the month, in Unix milliseconds; `None` beyond year 9999.
    #[must_use]
    pub fn month_end_ms(&self) -> Option<i64> {
        let next = self.month.saturating_add(1);
        let year = i32::try_from(next.div_euclid(12).saturating_add(1970)).ok()?;
        let of_year = u8::try_from(next.rem_euclid(12).saturating_add(1)).ok()?;
        let first = Date::from_calendar_date(year, Month::try_from(of_year).ok()?, 1).ok()?;
        let seconds = first.midnight().assume_utc().unix_timestamp();
        seconds.checked_mul(1_000)
    }
}

/// The moment as RFC 3339 text, such as `2026-11-22T12:00:00.5Z`; `None` beyond year 9999.
#[must_use]
pub fn rfc3339(at_ms: i64) -> Option<String> {
    let nanos = i128::from(at_ms).saturating_mul(1_000_000);
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()?
        .format(&Rfc3339)
        .ok()
}

/// A UTC day, counted since 1970, as `2026-11-22`; `None` beyond year 9999.
#[must_use]
pub fn date(day: i64) -> Option<String> {
    let midnight = rfc3339(day.checked_mul(DAY_MS)?)?;
    midnight.get(..10).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_weeks_and_months_turn_over_where_the_calendar_does() {
        let check = |day: i64, week: i64, month: i64| {
            let expect = Periods { day, week, month };
            assert_eq!(Periods::of(day * 86_400_000), expect);
            assert_eq!(Periods::of(day * 86_400_000 + 86_399_999), expect);
        };
        check(0, 0, 0);
        check(3, 0, 0);
        check(4, 1, 0);
        check(30, 4, 0);
        check(31, 4, 1);
        check(58, 8, 1);
        check(59, 8, 2);
        check(11_016, 1_574, 361); // 2000-02-29
        check(11_017, 1_574, 362);
        check(20_454, 2_922, 672); // 2026-01-01
        check(20_779, 2_968, 682); // 2026-11-22, a Sunday
        check(20_780, 2_969, 682);
    }

    #[test]
    fn moments_print_as_rfc_3339() {
        assert_eq!(
            rfc3339(1_795_348_800_500).as_deref(),
            Some("2026-11-22T12:00:00.5Z")
        );
        assert_eq!(rfc3339(i64::MAX), None);
        assert_eq!(date(20_779).as_deref(), Some("2026-11-22"));
        assert_eq!(date(i64::MAX), None);
    }
}
