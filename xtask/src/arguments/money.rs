//! Amounts of US dollars and markups, read exactly: no digit that was typed is rounded away.

use tollgate_core::money::{MoneyError, Nanos};

use crate::failure::Failure;

/// The dearest markup, in hundredths of a percent: 100,000 %.
const MAX_MARKUP_BPS: i64 = 10_000_000;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::same;

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
}
