//! What is known of a call when it ends, and what that costs.

use crate::money::{MoneyError, Nanos};
use crate::usage::Usage;

/// What is known of a call when it ends. Only certainty gives money back in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider reported the usage.
    Exact(Usage),
    /// The provider did work and did not report it: it used at least this, by our own count.
    AtLeast(Usage),
    /// The provider does not bill the call: it was not sent, or was refused, or by the provider's
    /// own terms costs nothing.
    NotSent,
    /// Nobody can say; this is the documented default for it.
    Unknown(Usage),
}

impl Outcome {
    /// The word that the database keeps.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Exact(_) => "exact",
            Self::AtLeast(_) => "at_least",
            Self::NotSent => "not_sent",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The usage that is charged, if any.
    #[must_use]
    pub const fn usage(&self) -> Option<&Usage> {
        match self {
            Self::Exact(usage) | Self::AtLeast(usage) | Self::Unknown(usage) => Some(usage),
            Self::NotSent => None,
        }
    }
}

/// What an outcome costs at every level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// What the provider bills, by our cost table.
    pub cost: Nanos,
    /// The charge of each level, in the order of the holds: the caller's first.
    pub charges: Vec<Nanos>,
    /// What of the caller's price its hold did not cover: the operator's loss.
    pub shortfall: Nanos,
}

/// Prices an outcome: `charge = min(price of the usage, hold)` at every level. `cost_of` and
/// `charges_of` are the call's own cost and rules, charges in the order of `holds`.
pub fn price_outcome(
    outcome: &Outcome,
    holds: &[Nanos],
    cost_of: impl FnOnce(&Usage) -> Result<Nanos, MoneyError>,
    charges_of: impl FnOnce(Nanos) -> Result<Vec<Nanos>, MoneyError>,
) -> Priced {
    let nothing = || holds.iter().map(|_| Nanos::ZERO).collect();
    let Some(usage) = outcome.usage() else {
        return Priced {
            cost: Nanos::ZERO,
            charges: nothing(),
            shortfall: Nanos::ZERO,
        };
    };
    // A usage that overflows 64 bits of nanos is beyond every hold: it charges the whole hold.
    let cost = cost_of(usage).unwrap_or(Nanos::new(i64::MAX));
    let prices = charges_of(cost)
        .ok()
        .filter(|prices| prices.len() == holds.len());
    let prices = prices.unwrap_or_else(|| holds.iter().map(|_| Nanos::new(i64::MAX)).collect());
    let charges = prices
        .iter()
        .zip(holds)
        .map(|(price, hold)| *price.min(hold))
        .collect();
    let shortfall = match (prices.first(), holds.first()) {
        (Some(price), Some(hold)) => price.minus(*hold).unwrap_or(Nanos::ZERO).max(Nanos::ZERO),
        (_, None) | (None, _) => Nanos::ZERO,
    };
    Priced {
        cost,
        charges,
        shortfall,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(outcome: Outcome, holds: &[i64]) -> (i64, Vec<i64>, i64) {
        let holds: Vec<_> = holds.iter().copied().map(Nanos::new).collect();
        let doubled = |cost: Nanos| {
            let own = cost.plus(cost)?;
            Ok(vec![own.plus(own)?, own])
        };
        let cost_of = |usage: &Usage| {
            i64::try_from(usage.completion_tokens)
                .map(Nanos::new)
                .map_err(|_| MoneyError::Overflow)
        };
        let priced = price_outcome(&outcome, &holds, cost_of, doubled);
        let charges = priced.charges.into_iter().map(Nanos::get).collect();
        (priced.cost.get(), charges, priced.shortfall.get())
    }

    fn tokens(completion_tokens: u64) -> Usage {
        Usage {
            completion_tokens,
            ..Usage::default()
        }
    }

    #[test]
    fn a_charge_is_the_price_of_the_usage_but_never_more_than_the_hold() {
        let check = |outcome, holds: &[i64], expect| assert_eq!(price(outcome, holds), expect);
        check(
            Outcome::Exact(tokens(10)),
            &[100, 50],
            (10, vec![40, 20], 0),
        );
        check(
            Outcome::Exact(tokens(30)),
            &[100, 50],
            (30, vec![100, 50], 20),
        );
        check(Outcome::AtLeast(tokens(1)), &[100, 50], (1, vec![4, 2], 0));
        check(Outcome::Unknown(tokens(0)), &[100, 50], (0, vec![0, 0], 0));
        check(Outcome::NotSent, &[100, 50], (0, vec![0, 0], 0));
    }

    #[test]
    fn absurd_usage_charges_the_hold_and_never_nothing() {
        let check = |outcome, charges: Vec<i64>| assert_eq!(price(outcome, &[100, 50]).1, charges);
        check(Outcome::Exact(tokens(u64::MAX)), vec![100, 50]);
        check(Outcome::Exact(tokens(1 << 62)), vec![100, 50]);
    }
}
