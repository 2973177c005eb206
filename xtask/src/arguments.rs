//! Values that people type: amounts, percentages, dates, durations, limits, names and ids. Each is
//! read strictly, and what is wrong with it is said in one sentence. No clock is read here.

use jiff::Timestamp;
use jiff::civil::Date;
use tollgate_core::accounts::AccountKind;
use tollgate_core::ids::{AccountId, KeyId, RuleId};
use tollgate_core::money::{MoneyError, Nanos};

use crate::failure::Failure;

/// The dearest markup, in hundredths of a percent: 100,000 %.
const MAX_MARKUP_BPS: i64 = 10_000_000;

/// A limit beyond this limits nothing, so it is a typing error.
const MAX_LIMIT: u64 = 1_000_000_000_000;

const MAX_TEXT_BYTES: usize = 200;
const MS_PER_MINUTE: i64 = 60_000;
/// Keys that end later do not end.
const MAX_DAYS: i64 = 36_525;

/// An amount of US dollars, at most nine decimals, of either sign.
///
/// # Errors
/// When the text is no such amount.
pub fn usd(text: &str) -> Result<Nanos, Failure> {
    let amount = Nanos::parse_usd(text).and_then(|amount| {
        // The lowest amount has no opposite, so it cannot be taken from a balance.
        Nanos::ZERO.minus(amount).map(|_| amount)
    });
    amount.map_err(|error| {
        let hint = match error {
            MoneyError::TooPrecise => "an amount has at most nine decimals",
            MoneyError::Overflow => "an amount is at most 9223372036 dollars",
            MoneyError::NotADecimal | MoneyError::Negative => {
                "an amount is in US dollars, such as `100` or `0.05`"
            }
        };
        Failure::new(format!("`{text}` is no amount: {error}")).hint(hint)
    })
}

/// An amount of US dollars that is zero or more.
///
/// # Errors
/// As [`usd`], and when it is below zero.
pub fn usd_from_zero(text: &str) -> Result<Nanos, Failure> {
    let amount = usd(text)?;
    if amount < Nanos::ZERO {
        return Err(Failure::new(format!("`{text}` is below zero"))
            .hint("the least charge of a call is `0` or more"));
    }
    Ok(amount)
}

/// A markup such as `20%`, `20` or `12.5%`, in hundredths of a percent.
///
/// # Errors
/// When it is no percentage, has more than two decimals, or is below 0 % or above 100000 %.
pub fn markup(text: &str) -> Result<i64, Failure> {
    let wrong = |why: &str| {
        Failure::new(format!("`{text}` is no markup: {why}"))
            .hint("a markup is between `0%` and `100000%` with at most two decimals, such as `20%`")
    };
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    // Nine decimals of an amount are read exactly; a hundredth of a percent is two of them.
    let nanos = Nanos::parse_usd(number).map_err(|error| match error {
        MoneyError::Overflow => wrong("it is above the highest"),
        MoneyError::NotADecimal | MoneyError::TooPrecise | MoneyError::Negative => {
            wrong("it is not a plain percentage")
        }
    })?;
    if nanos < Nanos::ZERO {
        return Err(wrong("it is below zero, which would sell below cost"));
    }
    let (bps, rest) = (nanos.get() / 10_000_000, nanos.get() % 10_000_000);
    if rest != 0 {
        return Err(wrong("it has more than two decimals"));
    }
    if bps > MAX_MARKUP_BPS {
        return Err(wrong("it is above the highest"));
    }
    Ok(bps)
}

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

/// A limit: a whole number of at least `least`, or `none` for no limit.
///
/// # Errors
/// When the text is neither, or the number limits nothing.
pub fn limit(flag: &str, text: &str, least: u64) -> Result<Option<u64>, Failure> {
    if text == "none" {
        return Ok(None);
    }
    let wrong = |why: &str| {
        Failure::new(format!("`--{flag} {text}` is no limit: {why}")).hint(format!(
            "a limit is a whole number from `{least}` on, or `none`"
        ))
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        let why = if text.starts_with('-') {
            "it is below zero"
        } else {
            "it is not a whole number"
        };
        return Err(wrong(why));
    }
    match text.parse::<u64>() {
        Ok(limit) if limit < least => Err(wrong("it is too small")),
        Ok(limit) if limit <= MAX_LIMIT => Ok(Some(limit)),
        Ok(_) | Err(_) => Err(wrong("it is so large that it limits nothing")),
    }
}

/// A pattern of model names.
///
/// # Errors
/// When it can match no model's name.
pub fn pattern(text: &str) -> Result<String, Failure> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > MAX_TEXT_BYTES || !plain {
        return Err(
            Failure::new(format!("`{text}` is no pattern of model names")).hint(
                "a pattern is a model's name in which `*` stands for any text, such as `openai/*`",
            ),
        );
    }
    Ok(text.to_owned())
}

/// A name or a reason: one line that people read. `what` is the word for it.
///
/// # Errors
/// When it is empty, too long or more than a line.
pub fn line(what: &str, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
        return Err(
            Failure::new(format!("the {what} is empty, too long or more than a line"))
                .hint(format!("a {what} has 1 to {MAX_TEXT_BYTES} bytes")),
        );
    }
    Ok(text.to_owned())
}

/// A reference that names a business event.
///
/// # Errors
/// When it is not a plain word.
pub fn reference(text: &str) -> Result<String, Failure> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > MAX_TEXT_BYTES || !plain {
        return Err(Failure::new(format!("`{text}` is no reference"))
            .hint("a reference is one word, such as `invoice-17`"));
    }
    Ok(text.to_owned())
}

/// The kind of an account that can be created below another one.
///
/// # Errors
/// When the text is none of the two.
pub fn kind(text: &str) -> Result<AccountKind, Failure> {
    match AccountKind::parse(text) {
        Some(kind @ (AccountKind::Reseller | AccountKind::Customer)) => Ok(kind),
        Some(AccountKind::Operator) => {
            Err(Failure::new("there is one operator, and nothing above it")
                .hint("create it with `cargo xtask admin operator create --name NAME`"))
        }
        None => Err(Failure::new(format!("`{text}` is no kind of account"))
            .hint("an account is a `reseller` or a `customer`")),
    }
}

/// An account's id.
///
/// # Errors
/// When the text does not have its form.
pub fn account(text: &str) -> Result<AccountId, Failure> {
    AccountId::parse(text).ok_or_else(|| {
        Failure::new(format!("`{text}` is no account"))
            .hint("accounts are called `acc_…`; `cargo xtask admin account list` shows them")
    })
}

/// A key's id.
///
/// # Errors
/// When the text does not have its form.
pub fn key(text: &str) -> Result<KeyId, Failure> {
    if text.starts_with("tg_live_") {
        // The text may be a whole key, which must not end in a log.
        return Err(Failure::new("that is a key, not a key's id").hint(
            "ids are called `key_…`; `cargo xtask admin key list --account ACC` shows them",
        ));
    }
    KeyId::parse(text).ok_or_else(|| {
        Failure::new(format!("`{text}` is no key's id"))
            .hint("ids are called `key_…`; `cargo xtask admin key list --account ACC` shows them")
    })
}

/// A price rule's id.
///
/// # Errors
/// When the text does not have its form.
pub fn rule(text: &str) -> Result<RuleId, Failure> {
    RuleId::parse(text).ok_or_else(|| {
        Failure::new(format!("`{text}` is no price rule"))
            .hint("rules are called `rul_…`; `cargo xtask admin rule list` shows them")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T12:00:00Z.
    const NOW_MS: i64 = 1_795_348_800_000;
    const DAY_MS: i64 = 86_400_000;

    fn same<T: PartialEq + std::fmt::Debug>(
        text: &str,
        got: Result<T, Failure>,
        expect: Result<T, &str>,
    ) {
        match (got, expect) {
            (Ok(got), Ok(expect)) => assert_eq!(got, expect, "{text}"),
            (Err(got), Err(expect)) => {
                let got = got.to_string();
                assert!(
                    got.contains(expect) && got.contains("\nhint: "),
                    "{text}: {got}"
                );
            }
            (got, expect) => panic!("`{text}`: {got:?} is not {expect:?}"),
        }
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        let check = |text: &str, expect: Result<i64, &str>| {
            same(text, usd(text).map(Nanos::get), expect);
        };
        check("100", Ok(100_000_000_000));
        check("-5.00", Ok(-5_000_000_000));
        check("0.000000001", Ok(1));
        check("0.0000000001", Err("more decimals"));
        check("9223372037", Err("beyond 64 bits"));
        check("-9223372036.854775807", Ok(-i64::MAX));
        check("-9223372036.854775808", Err("beyond 64 bits"));
        check("5$", Err("not a plain decimal"));
        check("", Err("not a plain decimal"));
        check("1e3", Err("not a plain decimal"));
        let check = |text: &str, expect: Result<i64, &str>| {
            same(text, usd_from_zero(text).map(Nanos::get), expect);
        };
        check("0", Ok(0));
        check("-0.1", Err("below zero"));
    }

    #[test]
    fn markups_are_hundredths_of_a_percent() {
        let check = |text: &str, expect: Result<i64, &str>| same(text, markup(text), expect);
        check("20%", Ok(2_000));
        check("20", Ok(2_000));
        check("20 %", Ok(2_000));
        check("12.5%", Ok(1_250));
        check("0.01%", Ok(1));
        check("0%", Ok(0));
        check("100000%", Ok(10_000_000));
        check("100000.01%", Err("above the highest"));
        check("99999999999%", Err("above the highest"));
        check("0.001%", Err("more than two decimals"));
        check("-1%", Err("below zero"));
        check("%", Err("not a plain percentage"));
        check("20%%", Err("not a plain percentage"));
        check("a lot", Err("not a plain percentage"));
    }

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

    #[test]
    fn limits_are_whole_numbers_or_none() {
        let check = |text: &str, least: u64, expect: Result<Option<u64>, &str>| {
            same(text, limit("max-tokens", text, least), expect);
        };
        check("none", 0, Ok(None));
        check("0", 0, Ok(Some(0)));
        check("60", 0, Ok(Some(60)));
        check("1000000000000", 0, Ok(Some(1_000_000_000_000)));
        check("0", 1, Err("too small"));
        check("1000000000001", 0, Err("limits nothing"));
        check("99999999999999999999999", 0, Err("limits nothing"));
        check("-1", 0, Err("below zero"));
        check("1.5", 0, Err("not a whole number"));
        check("+1", 0, Err("not a whole number"));
        check("", 0, Err("not a whole number"));
        check("None", 0, Err("not a whole number"));
    }

    #[test]
    fn names_patterns_and_references_are_one_line() {
        let long = "a".repeat(201);
        same("", line("name", "Ada's key"), Ok("Ada's key".to_owned()));
        same("", line("name", "  é  "), Ok("é".to_owned()));
        for text in ["", "  ", "a\nb", long.as_str()] {
            same(text, line("name", text), Err("the name is empty"));
        }
        same("", pattern("openai/*"), Ok("openai/*".to_owned()));
        for text in ["", "open ai", "é", long.as_str()] {
            same(text, pattern(text), Err("no pattern"));
            same(text, reference(text), Err("no reference"));
        }
    }

    #[test]
    fn ids_are_of_the_kind_that_is_asked_for_and_a_key_is_not_repeated() {
        assert!(account("acc_1").is_ok() && key("key_1").is_ok() && rule("rul_1").is_ok());
        same("", kind("reseller"), Ok(AccountKind::Reseller));
        same("", kind("operator"), Err("there is one operator"));
        same("", kind("Customer"), Err("no kind of account"));
        same("", account("key_1"), Err("`key_1` is no account"));
        same("", rule(""), Err("no price rule"));
        same("", key("acc_1"), Err("`acc_1` is no key's id"));
        let secret = "tg_live_secret";
        assert!(!key(secret).unwrap_err().to_string().contains(secret));
    }
}
