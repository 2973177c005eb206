//! Sums beside the database's, and what they must agree with.

use std::collections::BTreeMap;

use super::DAY_MS;
use crate::simulation::state::Purse;

/// The sums of an account or a key, kept beside the database's.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Ledger entries.
    pub(super) entries: i128,
    /// Charges: for ever, and of the day, week and month.
    pub(super) charged: [i128; 4],
    /// The numbers of the day, week and month.
    pub(super) periods: [i64; 3],
    /// What open calls hold.
    pub(super) held: i128,
    /// Open calls.
    pub(super) open: i64,
    /// What is counted in the windows of a key, by bucket.
    pub(super) windows: [BTreeMap<i64, i128>; 4],
}

impl Sums {
    /// A charge belongs to the period in which its call is resolved; a clock that runs behind opens
    /// no period anew.
    pub(super) fn charge(&mut self, charge: i64, at_ms: i64) {
        let charge = i128::from(charge);
        self.charged[0] += charge;
        for (index, now) in periods(at_ms).into_iter().enumerate() {
            if now > self.periods[index] {
                self.periods[index] = now;
                self.charged[index + 1] = 0;
            }
            self.charged[index + 1] += charge;
        }
    }

    pub(super) fn agree(&self, purse: &Purse) -> Result<(), String> {
        let held = i128::from(purse.held);
        ensure!(
            held == self.held,
            "holds {held}, but open calls hold {}",
            self.held
        );
        let charged = purse.charged.map(i128::from);
        ensure!(
            charged == self.charged,
            "charged {charged:?}, not {:?}",
            self.charged
        );
        ensure!(
            purse.periods == self.periods,
            "periods {:?}, not {:?}",
            purse.periods,
            self.periods
        );
        Ok(())
    }
}

/// The number of the UTC day, week from Monday and month, since 1970.
fn periods(at_ms: i64) -> [i64; 3] {
    let day = at_ms.div_euclid(DAY_MS);
    // Days since 0000-03-01, so that a leap day is the last of its year (Hinnant's algorithm).
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    [
        day,
        (day + 3).div_euclid(7),
        (era * 400 + year - 1970) * 12 + month + 2,
    ]
}

/// Whether a hold fits every budget; the name of the one that it does not fit.
pub fn fits(purse: &Purse, hold: i64, now_ms: i64) -> Result<(), String> {
    let now = periods(now_ms);
    for (index, name) in ["total", "day", "week", "month"].into_iter().enumerate() {
        let Some(budget) = purse.budget[index] else {
            continue;
        };
        let present = index == 0 || purse.periods[index - 1] >= now[index - 1];
        let spent = if present {
            i128::from(purse.charged[index])
        } else {
            0
        };
        let gone = spent + i128::from(purse.held) + i128::from(hold);
        ensure!(
            gone <= i128::from(budget),
            "{name} budget: {gone} of {budget}"
        );
    }
    Ok(())
}
