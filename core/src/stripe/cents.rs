//! Amounts as Stripe knows them: whole cents of a US dollar.

use serde::{Deserialize, Serialize};

use crate::money::Nanos;

const NANOS_PER_CENT: i64 = 10_000_000;

/// An amount in cents. Stripe's own are never below zero.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Cents(i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of `cents` × 0.01 USD.
    #[must_use]
    pub const fn new(cents: i64) -> Self {
        Self(cents)
    }

    /// US dollars as people type them, with or without a `$` and the commas between thousands; `None`
    /// for anything that is not a whole number of cents.
    #[must_use]
    pub fn parse_usd(text: &str) -> Option<Self> {
        let digits = text.trim();
        let digits = digits.strip_prefix('$').unwrap_or(digits);
        // A comma before two digits would be a decimal one.
        let mut groups = digits.split(',');
        let _ = groups.next();
        let grouped = groups.all(|group| group.split('.').next().is_some_and(|it| it.len() == 3));
        let nanos = grouped
            .then(|| Nanos::parse_usd(&digits.replace(',', "")).ok())
            .flatten()?;
        let whole = nanos.get().checked_rem(NANOS_PER_CENT) == Some(0);
        let cents = nanos.get().checked_div(NANOS_PER_CENT)?;
        whole.then_some(Self(cents))
    }

    /// The amount in cents.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The amount in 1e-9 USD; `None` beyond 64 bits.
    #[must_use]
    pub fn to_nanos(self) -> Option<Nanos> {
        self.0.checked_mul(NANOS_PER_CENT).map(Nanos::new)
    }

    /// What is left, at least nothing.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }
}

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let whole = magnitude.checked_div(100).unwrap_or_default();
        let rest = magnitude.checked_rem(100).unwrap_or_default();
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}${whole}.{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_it_was_meant_or_not_at_all() {
        let check = |text: &str, expect: Option<i64>| {
            assert_eq!(Cents::parse_usd(text).map(Cents::get), expect, "{text}");
        };
        check("25", Some(2_500));
        check(" $25.5 ", Some(2_550));
        check("0.01", Some(1));
        check("1,000.00", Some(100_000));
        check("1,000,000", Some(100_000_000));
        check("-5", Some(-500));
        for wrong in [
            "",
            "$",
            "abc",
            "0.001",
            "10,50",
            "1,00.0",
            "1e3",
            "1 000",
            "99999999999999",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn cents_are_exact_nanos_and_read_as_dollars() {
        let check = |cents: i64, nanos: Option<i64>, text: &str| {
            let amount = Cents::new(cents);
            assert_eq!(amount.to_nanos().map(Nanos::get), nanos);
            assert_eq!(amount.to_string(), text);
        };
        check(0, Some(0), "$0.00");
        check(1, Some(10_000_000), "$0.01");
        check(1_050, Some(10_500_000_000), "$10.50");
        check(-7, Some(-70_000_000), "-$0.07");
        check(i64::MAX, None, "$92233720368547758.07");
    }
}
