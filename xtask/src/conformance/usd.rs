//! Amounts of US dollars that a gateway tells, exactly, in whole 1e-12 USD. Nothing here knows what
//! an amount is for.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use serde_json::Value;

const PICOS_PER_USD: i128 = 1_000_000_000_000;
const PICOS_PER_NANO: i128 = 1_000;
/// Digits before the point beyond which a number is no amount.
const MOST_DIGITS: usize = 15;

/// An amount of US dollars, in 1e-12 USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(i128);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many 1e-9 USD.
    #[must_use]
    pub const fn of_nanos(nanos: i128) -> Self {
        Self(nanos.saturating_mul(PICOS_PER_NANO))
    }

    /// The amount in whole 1e-9 USD, the nearest.
    #[must_use]
    pub const fn nanos(self) -> i128 {
        self.0
            .saturating_add(PICOS_PER_NANO / 2)
            .div_euclid(PICOS_PER_NANO)
    }

    /// The amount in 1e-12 USD.
    #[must_use]
    pub const fn picos(self) -> i128 {
        self.0
    }

    /// What so many units cost at this price each.
    #[must_use]
    pub fn times(self, units: u64) -> Self {
        Self(self.0.saturating_mul(i128::from(units)))
    }

    /// How many units this amount pays at a price each; `None` when the price is nothing.
    #[must_use]
    pub fn buys(self, price: Self) -> Option<u64> {
        let units = self.0.max(0).checked_div(price.0)?;
        u64::try_from(units).ok()
    }

    /// A part of the amount, rounded down.
    #[must_use]
    pub const fn over(self, parts: u32) -> Self {
        Self(self.0.div_euclid(parts as i128))
    }

    /// The amount for people, rounded up to two digits that count.
    #[must_use]
    pub fn coarse(self) -> Self {
        let digits = self.0.unsigned_abs().checked_ilog10().unwrap_or(0);
        let step = 10_i128.saturating_pow(digits.saturating_sub(1));
        let steps = self.0.saturating_add(step - 1).div_euclid(step);
        Self(steps.saturating_mul(step))
    }

    /// How far two amounts are apart.
    #[must_use]
    pub const fn apart(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).saturating_abs())
    }

    /// Reads a JSON number, or a number in a text, as gateways write amounts. Digits beyond 1e-12
    /// are cut off.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            // The shortest text that names the number: what the gateway wrote.
            Value::Number(number) => Self::parse(&number.to_string()),
            Value::String(text) => Self::parse(text),
            _ => None,
        }
    }

    /// The amount as a decimal number.
    #[must_use]
    pub fn plain(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let picos = self.0.unsigned_abs();
        let unit = PICOS_PER_USD.unsigned_abs();
        let part = format!("{:012}", picos % unit);
        let part = part.trim_end_matches('0');
        let point = if part.is_empty() { "" } else { "." };
        format!("{sign}{}{point}{part}", picos / unit)
    }

    fn parse(text: &str) -> Option<Self> {
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{part}");
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
        let wanted = usize::try_from(point.checked_add(12)?).unwrap_or(0);
        if wanted > MOST_DIGITS + 12 {
            return None;
        }
        let digits: String = digits.chars().chain("0".repeat(wanted).chars()).collect();
        let picos: i128 = match digits.get(..wanted)? {
            "" => 0,
            digits => digits.parse().ok()?,
        };
        Some(Self(if negative { -picos } else { picos }))
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Usd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = self.plain();
        write!(f, "{sign}${}", amount.trim_start_matches('-'))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_is_read_as_it_was_written() {
        let check = |value: Value, expect: Option<(i128, &str)>| {
            let read = Usd::read(&value);
            let told = read.map(|usd| (usd.picos(), usd.to_string()));
            let expect = expect.map(|(picos, text)| (picos, text.to_owned()));
            assert_eq!(told, expect, "{value}");
        };
        check(json!(0), Some((0, "$0")));
        check(json!(12), Some((12_000_000_000_000, "$12")));
        check(json!(0.0000243), Some((24_300_000, "$0.0000243")));
        check(json!(2.5e-7), Some((250_000, "$0.00000025")));
        check(json!(1e-12), Some((1, "$0.000000000001")));
        check(json!(1e-13), Some((0, "$0")));
        check(json!(1e-40), Some((0, "$0")));
        check(json!(-1.5), Some((-1_500_000_000_000, "-$1.5")));
        check(json!("0.00000060"), Some((600_000, "$0.0000006")));
        check(json!("1e3"), Some((1_000_000_000_000_000, "$1000")));
        check(json!("-1"), Some((-1_000_000_000_000, "-$1")));
        check(json!(1e30), None);
        check(json!(""), None);
        check(json!("."), None);
        check(json!("free"), None);
        check(json!("1.2.3"), None);
        check(json!("1e99999999999"), None);
        check(json!(null), None);
    }

    #[test]
    fn a_coarse_amount_is_never_less() {
        let check = |picos: i128, coarse: i128| assert_eq!(Usd(picos).coarse(), Usd(coarse));
        check(0, 0);
        check(7, 7);
        check(41, 41);
        check(410, 410);
        check(411, 420);
        check(999, 1_000);
        check(1_686_779_808, 1_700_000_000);
    }

    #[test]
    fn sums_are_compared_in_whole_nanos() {
        let check = |picos: i128, nanos: i128| assert_eq!(Usd(picos).nanos(), nanos, "{picos}");
        check(1_499, 1);
        check(1_500, 2);
        check(-400, 0);
        check(-1_600, -2);
    }
}
