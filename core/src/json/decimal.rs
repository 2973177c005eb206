//! JSON numbers without floats: compared and rounded on their digits, so that no range check and
//! no cost depends on binary rounding.

use std::cmp::Ordering;

/// A number as `0.DIGITS × 10^point`, the digits without zeros at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Splits a number that follows JSON's grammar. `None` when its exponent is beyond 32 bits.
    pub(super) fn from_checked(text: &'a str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Some(Self {
            negative,
            whole,
            fraction,
            exponent: i64::from(exponent.parse::<i32>().ok()?),
        })
    }

    /// Whether `low ≤ self ≤ high`.
    #[must_use]
    pub fn is_within(&self, low: i32, high: i32) -> bool {
        self.compare(low) != Ordering::Less && self.compare(high) != Ordering::Greater
    }

    /// The number times `10^places`, rounded up (towards positive infinity). `None` beyond i128.
    #[must_use]
    pub fn scaled_up(&self, places: i64) -> Option<i128> {
        let (digits, point) = self.normal();
        if digits.is_empty() {
            return Some(0);
        }
        let kept = point.checked_add(places)?;
        if kept > 38 {
            return None;
        }
        let kept = usize::try_from(kept.max(0)).ok()?;
        let (kept_digits, rest) = digits.split_at(kept.min(digits.len()));
        let padded = format!("0{kept_digits:0<kept$}");
        let magnitude: i128 = padded.parse().ok()?;
        match (self.negative, rest.is_empty()) {
            (true, _) => magnitude.checked_neg(),
            (false, true) => Some(magnitude),
            (false, false) => magnitude.checked_add(1),
        }
    }

    fn compare(&self, bound: i32) -> Ordering {
        let bound_digits = bound.unsigned_abs().to_string();
        let bound = Decimal {
            negative: bound < 0,
            whole: &bound_digits,
            fraction: "",
            exponent: 0,
        };
        let ((left, left_point), (right, right_point)) = (self.normal(), bound.normal());
        let sign = |negative: bool, digits: &str| match (digits.is_empty(), negative) {
            (true, _) => 0_i8,
            (false, true) => -1,
            (false, false) => 1,
        };
        let left_sign = sign(self.negative, &left);
        let by_sign = left_sign.cmp(&sign(bound.negative, &right));
        let by_size = left_point.cmp(&right_point).then_with(|| left.cmp(&right));
        by_sign.then(if left_sign < 0 {
            by_size.reverse()
        } else {
            by_size
        })
    }

    /// The digits without zeros at either end, and where the point is before them.
    fn normal(&self) -> (String, i64) {
        let all = format!("{}{}", self.whole, self.fraction);
        let digits = all.trim_start_matches('0');
        if digits.is_empty() {
            return (String::new(), 0);
        }
        let zeros = all.len().saturating_sub(digits.len());
        let shift = i64::try_from(self.whole.len()).unwrap_or(i64::MAX);
        let zeros = i64::try_from(zeros).unwrap_or(i64::MAX);
        let point = self.exponent.saturating_add(shift).saturating_sub(zeros);
        (digits.trim_end_matches('0').to_owned(), point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_exact_for_any_way_to_write_a_number() {
        let check = |text: &str, low: i32, high: i32, expect: bool| {
            let number = Decimal::from_checked(text).unwrap();
            assert_eq!(
                number.is_within(low, high),
                expect,
                "{text} in {low}..={high}"
            );
        };
        for inside in [
            "0", "-0", "0.0", "2", "2.0", "2.000e0", "0.2e1", "20e-1", "1e-999", "1.5",
        ] {
            check(inside, 0, 2, true);
        }
        for outside in [
            "2.0000000000000000000001",
            "-1e-999",
            "3",
            "2e1",
            "1e9",
            "-2",
            "0.3e1",
        ] {
            check(outside, 0, 2, false);
        }
        for inside in ["-2", "-2.0", "-1.999", "0", "2", "-20e-1"] {
            check(inside, -2, 2, true);
        }
        for outside in ["-2.0001", "-3", "-1e2", "2.5"] {
            check(outside, -2, 2, false);
        }
        assert_eq!(Decimal::from_checked("1e99999999999"), None);
    }

    #[test]
    fn a_provider_cost_rounds_up_and_never_to_zero() {
        let check = |text: &str, expect: Option<i128>| {
            let number = Decimal::from_checked(text).unwrap();
            assert_eq!(number.scaled_up(12), expect, "{text}");
        };
        check("0", Some(0));
        check("0.00", Some(0));
        check("1", Some(1_000_000_000_000));
        check("0.0015", Some(1_500_000_000));
        check("1.5e-05", Some(15_000_000));
        check("1e-12", Some(1));
        check("1e-13", Some(1));
        check("1e-99", Some(1));
        check("0.0000000000011", Some(2));
        check("-0.0000000000011", Some(-1));
        check("1e25", Some(10_i128.pow(37)));
        check("1e26", None);
        check("9e99", None);
    }
}
