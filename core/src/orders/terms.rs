//! What the operator sets for all sales: caps, the fee, and whether the money is real.

use crate::money::Nanos;
use crate::stripe::Cents;

/// How long an account is new, in milliseconds.
pub(super) const FIRST_WEEK_MS: i64 = 7 * 86_400_000;

/// How much may be bought. Days are UTC days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// The least of a free amount.
    pub min_amount: Cents,
    /// The most of a free amount.
    pub max_amount: Cents,
    /// What one account may buy in a day.
    pub account_day: Cents,
    /// The same in the first seven days of the account.
    pub account_day_first_week: Cents,
    /// What one card may pay in a day, whoever uses it.
    pub card_day: Cents,
    /// The same for an account in its first seven days.
    pub card_day_first_week: Cents,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            min_amount: Cents::new(500),
            max_amount: Cents::new(100_000),
            account_day: Cents::new(200_000),
            account_day_first_week: Cents::new(20_000),
            card_day: Cents::new(200_000),
            card_day_first_week: Cents::new(20_000),
        }
    }
}

/// What of a payment the operator keeps before the reseller's part: what Stripe takes, and more if
/// the operator likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// Of the price, in hundredths of a percent.
    pub bps: u32,
    /// Of every payment.
    pub fixed: Cents,
}

impl Default for Fee {
    fn default() -> Self {
        Self {
            bps: 290,
            fixed: Cents::new(30),
        }
    }
}

impl Fee {
    /// What the reseller earns: the price less the fee, down to a whole number of nanos for each cent
    /// of the price, so that any part of it can be taken back exactly. `None` when nothing is left.
    #[must_use]
    pub fn proceeds(&self, price: Cents) -> Option<Nanos> {
        let receipts = i128::from(price.to_nanos()?.get());
        let share = receipts.saturating_mul(i128::from(self.bps));
        let share = share.saturating_add(9_999).div_euclid(10_000);
        let fixed = i128::from(self.fixed.to_nanos()?.get());
        let left = receipts.saturating_sub(share).saturating_sub(fixed);
        let price = i128::from(price.get());
        let each = left.checked_div(price)?;
        let proceeds = i64::try_from(each.saturating_mul(price)).ok()?;
        (proceeds > 0).then_some(Nanos::new(proceeds))
    }
}

/// Everything that is set for sales.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// How much may be bought.
    pub caps: Caps,
    /// What the operator keeps of a reseller's sale.
    pub fee: Fee,
    /// Whether the money is real.
    pub livemode: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reseller_earns_the_price_less_the_fee_and_never_less_than_something() {
        let check = |price: i64, (bps, fixed): (u32, i64), expect: Option<i64>| {
            let fee = Fee {
                bps,
                fixed: Cents::new(fixed),
            };
            let got = fee.proceeds(Cents::new(price)).map(Nanos::get);
            assert_eq!(got, expect, "{price} {bps} {fixed}");
        };
        check(1_000, (290, 30), Some(9_410_000_000));
        check(2_500, (290, 30), Some(23_975_000_000));
        check(1_000, (0, 0), Some(10_000_000_000));
        check(1, (0, 0), Some(10_000_000));
        // 333 cents: 3_330_000_000 - 96_570_000 - 300_000_000 = 2_933_430_000 = 333 × 8_809_099 + 33.
        check(333, (290, 30), Some(333 * 8_809_099));
        check(30, (290, 30), None);
        check(31, (290, 30), Some(31 * 32_580));
        check(1_000, (10_000, 0), None);
        check(1_000, (u32::MAX, 0), None);
        check(0, (0, 0), None);
        check(-5, (0, 0), None);
        check(i64::MAX, (290, 30), None);
    }
}
