//! Money as integers: `Nanos` for amounts, `Picos` for unit prices. The only rounding in the whole
//! system is `round_up_to_nanos`; no float appears, and a failed conversion is an error, never zero.

use std::fmt;

const NANOS_PER_USD: i64 = 1_000_000_000;
const PICOS_PER_NANO: i128 = 1_000;

/// An amount of money in 1e-9 USD. May be negative (a ledger entry that takes money away).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(i64);

/// A unit price in 1e-12 USD per unit (a token, an image, a request). Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Picos(i64);

/// Why text or arithmetic did not yield an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// The text is not a plain decimal number such as `12` or `0.00000015`.
    NotADecimal,
    /// The text has more decimals than the type can hold without rounding.
    TooPrecise,
    /// A unit price below zero.
    Negative,
    /// The value does not fit 64 bits.
    Overflow,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotADecimal => "not a plain decimal number",
            Self::TooPrecise => "more decimals than Tollgate keeps",
            Self::Negative => "a price below zero",
            Self::Overflow => "an amount beyond 64 bits",
        })
    }
}

impl std::error::Error for MoneyError {}

impl Nanos {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of `nanos` × 1e-9 USD.
    #[must_use]
    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The amount in 1e-9 USD.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `Overflow`.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.0
            .checked_add(other.0)
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }

    /// The difference, or `Overflow`.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.0
            .checked_sub(other.0)
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }

    /// Reads US dollars: `100`, `1.00`, `-0.5`, `0.000000001`. At most nine decimals.
    pub fn parse_usd(text: &str) -> Result<Self, MoneyError> {
        parse_decimal(text, 9).map(Self)
    }

    /// US dollars as a plain decimal without trailing zeros, valid as a JSON number.
    #[must_use]
    pub fn to_usd(self) -> String {
        let magnitude = self.0.unsigned_abs();
        let unit = NANOS_PER_USD.unsigned_abs();
        let whole = magnitude.checked_div(unit).unwrap_or_default();
        let rest = magnitude.checked_rem(unit).unwrap_or_default();
        let sign = if self.0 < 0 { "-" } else { "" };
        if rest == 0 {
            return format!("{sign}{whole}");
        }
        let decimals = format!("{rest:09}");
        format!("{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.to_usd())
    }
}

impl Picos {
    /// Free.
    pub const ZERO: Self = Self(0);

    /// A price of `picos` × 1e-12 USD per unit; refuses a price below zero.
    pub const fn new(picos: i64) -> Result<Self, MoneyError> {
        if picos < 0 {
            Err(MoneyError::Negative)
        } else {
            Ok(Self(picos))
        }
    }

    /// The price in 1e-12 USD per unit.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads USD per unit as OpenRouter writes it: `0.00000015`. At most twelve decimals.
    pub fn parse_usd(text: &str) -> Result<Self, MoneyError> {
        Self::new(parse_decimal(text, 12)?)
    }

    /// USD per unit as a plain decimal without trailing zeros.
    #[must_use]
    pub fn to_usd(self) -> String {
        self.shifted(12)
    }

    /// USD per million units, as a plain decimal: the unit of OpenRouter's `max_price`.
    #[must_use]
    pub fn to_usd_per_million(self) -> String {
        self.shifted(6)
    }

    /// The price of `units` in 1e-12 USD, exact.
    #[must_use]
    pub fn times(self, units: u64) -> i128 {
        i128::from(self.0).saturating_mul(i128::from(units))
    }

    fn shifted(self, decimals: usize) -> String {
        let digits = format!("{:0>width$}", self.0, width = decimals.saturating_add(1));
        let (whole, rest) = digits.split_at(digits.len().saturating_sub(decimals));
        let rest = rest.trim_end_matches('0');
        if rest.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}.{rest}")
        }
    }
}

/// The one place where money is rounded: 1e-12 USD up to the next 1e-9 USD.
pub fn round_up_to_nanos(picos: i128) -> Result<Nanos, MoneyError> {
    let whole = picos.div_euclid(PICOS_PER_NANO);
    let up = i128::from(picos.rem_euclid(PICOS_PER_NANO) != 0);
    let nanos = whole.checked_add(up).ok_or(MoneyError::Overflow)?;
    i64::try_from(nanos)
        .map(Nanos)
        .map_err(|_| MoneyError::Overflow)
}

fn parse_decimal(text: &str, decimals: usize) -> Result<i64, MoneyError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || digits.ends_with('.') || !all_digits(whole) || !all_digits(rest) {
        return Err(MoneyError::NotADecimal);
    }
    let rest = rest.trim_end_matches('0');
    if rest.len() > decimals {
        return Err(MoneyError::TooPrecise);
    }
    let sign = if negative { "-" } else { "" };
    format!("{sign}{whole}{rest:0<decimals$}")
        .parse()
        .map_err(|_| MoneyError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usd_text_and_nanos_are_the_same_amount() {
        let check = |text: &str, expect: Result<i64, MoneyError>| {
            assert_eq!(Nanos::parse_usd(text).map(Nanos::get), expect, "{text}");
        };
        check("0", Ok(0));
        check("1", Ok(1_000_000_000));
        check("100.50", Ok(100_500_000_000));
        check("-0.5", Ok(-500_000_000));
        check("0.000000001", Ok(1));
        check("0.0000000010", Ok(1));
        check("0.0000000001", Err(MoneyError::TooPrecise));
        check("9223372036.854775807", Ok(i64::MAX));
        check("-9223372036.854775808", Ok(i64::MIN));
        check("9223372036.854775808", Err(MoneyError::Overflow));
        for bad in [
            "", "-", ".", "1.", ".5", "+1", "1e3", "1,0", " 1", "--1", "1.2.3", "NaN",
        ] {
            check(bad, Err(MoneyError::NotADecimal));
        }
    }

    #[test]
    fn amounts_print_without_trailing_zeros() {
        let check = |nanos: i64, expect: &str| assert_eq!(Nanos::new(nanos).to_usd(), expect);
        check(0, "0");
        check(1, "0.000000001");
        check(-1, "-0.000000001");
        check(1_500_000_000, "1.5");
        check(i64::MIN, "-9223372036.854775808");
    }

    #[test]
    fn unit_prices_read_and_print_as_openrouter_writes_them() {
        let check = |text: &str, picos: i64, per_million: &str| {
            let price = Picos::parse_usd(text).unwrap();
            assert_eq!((price.get(), price.to_usd().as_str()), (picos, text));
            assert_eq!(price.to_usd_per_million(), per_million);
        };
        check("0.00000015", 150_000, "0.15");
        check("0.000003", 3_000_000, "3");
        check("0.04", 40_000_000_000, "40000");
        check("0", 0, "0");
        assert_eq!(Picos::parse_usd("-1"), Err(MoneyError::Negative));
    }

    #[test]
    fn rounding_is_up_and_only_to_the_next_nano() {
        let check =
            |picos: i128, nanos: i64| assert_eq!(round_up_to_nanos(picos), Ok(Nanos(nanos)));
        check(0, 0);
        check(1, 1);
        check(999, 1);
        check(1_000, 1);
        check(1_001, 2);
        check(-1, 0);
        check(-1_000, -1);
        assert_eq!(round_up_to_nanos(i128::MAX), Err(MoneyError::Overflow));
    }
}
