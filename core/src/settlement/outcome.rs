//! What is known of a call when it ends, and what that costs.

use crate::catalogue::Cost;
use crate::money::Nanos;
use crate::pricing::{PriceRule, charges, cost_of};
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

    /// The same certainty about another usage.
    #[must_use]
    pub fn map_usage(self, change: impl FnOnce(Usage) -> Usage) -> Self {
        match self {
            Self::Exact(usage) => Self::Exact(change(usage)),
            Self::AtLeast(usage) => Self::AtLeast(change(usage)),
            Self::Unknown(usage) => Self::Unknown(change(usage)),
            Self::NotSent => Self::NotSent,
        }
    }

    /// Whether the usage is our own estimate, which the provider's record may correct.
    #[must_use]
    pub const fn is_estimate(&self) -> bool {
        match self {
            Self::AtLeast(_) | Self::Unknown(_) => true,
            Self::Exact(_) | Self::NotSent => false,
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

/// What a call is priced with: fixed when it is admitted, whatever changes afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    /// What the provider bills.
    pub cost: Cost,
    /// The rule of each level, from the level below the root down to the caller.
    pub rules_from_root: Vec<PriceRule>,
    /// The moment whose prices hold, in Unix milliseconds.
    pub at_ms: i64,
}

impl Prices {
    /// Prices an outcome: `charge = min(price of the usage, hold)` at every level. Holds and
    /// charges are in the order from the caller up.
    #[must_use]
    pub fn price(&self, outcome: &Outcome, holds: &[Nanos]) -> Priced {
        let Some(usage) = outcome.usage() else {
            let charges = holds.iter().map(|_| Nanos::ZERO).collect();
            return Priced {
                cost: Nanos::ZERO,
                charges,
                shortfall: Nanos::ZERO,
            };
        };
        // A usage whose price is no amount is beyond every hold: it charges the whole hold.
        let beyond = Nanos::new(i64::MAX);
        let cost = cost_of(&self.cost, usage, self.at_ms).unwrap_or(beyond);
        let rules: Vec<&PriceRule> = self.rules_from_root.iter().collect();
        let mut prices = charges(cost, &rules).unwrap_or_default();
        prices.reverse();
        let charges = holds.iter().enumerate().map(|(level, hold)| {
            let price = prices.get(level).copied().unwrap_or(beyond);
            price.min(*hold)
        });
        let price = prices.first().copied().unwrap_or(beyond);
        let hold = holds.first().copied().unwrap_or(Nanos::ZERO);
        let shortfall = price.minus(hold).unwrap_or(Nanos::ZERO).max(Nanos::ZERO);
        Priced {
            cost,
            charges: charges.collect(),
            shortfall,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::UnitPrices;
    use crate::ids::RuleId;
    use crate::money::Picos;

    /// A level that doubles a cost of one nano a token, and a caller's level that doubles that.
    fn price(outcome: Outcome, holds: &[i64]) -> (i64, Vec<i64>, i64) {
        let nano = Picos::new(1_000).unwrap();
        let doubling = PriceRule {
            id: RuleId::from_random([0; 10]),
            pattern: "*".to_owned(),
            markup_bps: 10_000,
            min_charge: Nanos::ZERO,
            priority: 0,
            starts_at_ms: 0,
            ends_at_ms: None,
        };
        let prices = Prices {
            cost: Cost {
                prices: UnitPrices::new(nano, nano),
                ..Cost::default()
            },
            rules_from_root: vec![doubling.clone(), doubling],
            at_ms: 0,
        };
        let holds: Vec<_> = holds.iter().copied().map(Nanos::new).collect();
        let priced = prices.price(&outcome, &holds);
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
