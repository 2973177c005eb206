//! UTC days as forms send them, `2026-11-03`. Days in the zone of a person are not here: budgets, charts
//! and exports count UTC days.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::page::Zone;

/// The first moment of the day, in Unix milliseconds; `None` for what is no day.
pub fn first_ms(text: &str) -> Option<i64> {
    let day: Date = text.parse().ok()?;
    start_ms(day)
}

/// The first moment after the day, in Unix milliseconds; `None` for what is no day.
pub fn end_ms(text: &str) -> Option<i64> {
    let day: Date = text.parse().ok()?;
    start_ms(day.tomorrow().ok()?)
}

/// The last day that is not over before this moment: what [`end_ms`] made the moment of.
pub fn of_end(end_ms: i64) -> String {
    let day = Zone::named("UTC").date(end_ms.saturating_sub(1));
    day.to_string()
}

fn start_ms(day: Date) -> Option<i64> {
    let start = day.to_zoned(TimeZone::UTC).ok()?;
    Some(start.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_where_the_next_begins() {
        let check = |text: &str, expect: Option<(i64, i64)>| {
            assert_eq!(first_ms(text).zip(end_ms(text)), expect, "{text}");
        };
        check("1970-01-01", Some((0, 86_400_000)));
        check("2024-02-29", Some((1_709_164_800_000, 1_709_251_200_000)));
        check("2026-02-29", None);
        check("", None);
        check("tomorrow", None);
        assert_eq!(of_end(86_400_000), "1970-01-01");
        assert_eq!(of_end(86_400_001), "1970-01-02");
    }
}
