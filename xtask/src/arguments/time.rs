//! Dates, moments and times from now, in Unix milliseconds. The present is an argument: no clock is
//! read here.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::failure::Failure;

const MS_PER_MINUTE: i64 = 60_000;
/// Keys that end later do not end.
const MAX_DAYS: i64 = 36_525;

/// A moment: a date (its start in UTC) or RFC 3339 text, in Unix milliseconds.
///
/// # Errors
/// When the text is neither.
pub fn moment(text: &str) -> Result<i64, Failure> {
    let date = text
        .parse::<Date>()
        .ok()
        .filter(|_| text.len() == 10)
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp());
    let at = date.or_else(|| text.parse::<Timestamp>().ok());
    at.map(Timestamp::as_millisecond).ok_or_else(|| {
        Failure::new(format!("`{text}` is no date"))
            .hint("a date is such as `2027-01-01` or `2027-01-01T12:00:00Z`, in UTC")
    })
}

/// A moment after now: as [`moment`], or a time from now such as `30d`, `12h` or `45m`.
///
/// # Errors
/// When the text is none of these, or is not after now.
pub fn later(text: &str, now_ms: i64) -> Result<i64, Failure> {
    let at = match duration_ms(text) {
        Some(length) => now_ms.saturating_add(length),
        None => moment(text).map_err(|failure| {
            failure
                .hint("give a date such as `2027-01-01`, or a time from now such as `30d` or `12h`")
        })?,
    };
    if at <= now_ms {
        return Err(Failure::new(format!("`{text}` is not in the future"))
            .hint("give a later date, or a time from now such as `30d`"));
    }
    if at > now_ms.saturating_add(MAX_DAYS * 1_440 * MS_PER_MINUTE) {
        return Err(
            Failure::new(format!("`{text}` is more than a hundred years away"))
                .hint("leave the end out: then there is none"),
        );
    }
    Ok(at)
}

/// `45m`, `12h`, `30d` or `8w`, in milliseconds.
fn duration_ms(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let number = text.strip_suffix(unit)?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 1_440,
        'w' => 10_080,
        _ => return None,
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = number.parse().unwrap_or(i64::MAX);
    Some(number.saturating_mul(minutes).saturating_mul(MS_PER_MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::same;

    /// 2026-11-22T12:00:00Z.
    const NOW_MS: i64 = 1_795_348_800_000;
    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn dates_are_the_start_of_the_day_in_utc() {
        let check = |text: &str, expect: Result<i64, &str>| same(text, moment(text), expect);
        check("1970-01-02", Ok(DAY_MS));
        check("2027-01-01", Ok(1_798_761_600_000));
        check("2026-11-22T12:00:00Z", Ok(NOW_MS));
        check("2026-11-22T13:00:00+01:00", Ok(NOW_MS));
        check("2026-11-31", Err("no date"));
        check("2026-11", Err("no date"));
        check("22.11.2026", Err("no date"));
        check("2026-11-22T12:00:00", Err("no date"));
        check("tomorrow", Err("no date"));
        check("", Err("no date"));
    }

    #[test]
    fn an_end_is_in_the_future() {
        let check = |text: &str, expect: Result<i64, &str>| same(text, later(text, NOW_MS), expect);
        check("45m", Ok(NOW_MS + 45 * 60_000));
        check("12h", Ok(NOW_MS + DAY_MS / 2));
        check("30d", Ok(NOW_MS + 30 * DAY_MS));
        check("2w", Ok(NOW_MS + 14 * DAY_MS));
        check("2027-01-01", Ok(1_798_761_600_000));
        check("2026-11-22T12:00:00.001Z", Ok(NOW_MS + 1));
        check("2026-11-22T12:00:00Z", Err("not in the future"));
        check("2020-01-01", Err("not in the future"));
        check("0d", Err("not in the future"));
        check("99999999999999999999d", Err("more than a hundred years"));
        check("2999-01-01", Err("more than a hundred years"));
        check("-1d", Err("no date"));
        check("d", Err("no date"));
        check("30", Err("no date"));
        check("30é", Err("no date"));
        check("é", Err("no date"));
    }
}
