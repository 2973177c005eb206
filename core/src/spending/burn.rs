//! How fast an account spends, and how long its credit lasts at that rate.

use crate::money::Nanos;

/// How many full days count at most.
pub const BURN_DAYS: usize = 7;

/// A rate of spending, and what it means for the credit that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burn {
    /// What an average day costs, rounded up.
    pub per_day: Nanos,
    /// Whole days that the free credit lasts at that rate.
    pub days_left: i64,
}

/// The burn rate is the average of the last seven full UTC days, beginning with the first of them that
/// has any spend: an account that started on Tuesday is not diluted by the Monday before. Today is not a
/// full day and does not count. `None` when none of these days has spend.
///
/// `full_days` are the spends of full days, the oldest first; `free` is the balance less what is held.
#[must_use]
pub fn burn(full_days: &[Nanos], free: Nanos) -> Option<Burn> {
    let first = full_days.len().saturating_sub(BURN_DAYS);
    let last_days = full_days.iter().skip(first);
    let counted: Vec<Nanos> = last_days
        .skip_while(|spend| **spend <= Nanos::ZERO)
        .copied()
        .collect();
    let days = i64::try_from(counted.len()).ok()?;
    let sum = counted
        .into_iter()
        .try_fold(Nanos::ZERO, Nanos::plus)
        .ok()?
        .get();
    // Rounded up, so that a spend of less than a nano a day is no rate of zero.
    let per_day = sum
        .saturating_add(days.saturating_sub(1))
        .checked_div(days)?;
    let days_left = free.get().max(0).checked_div(per_day)?;
    (per_day > 0).then_some(Burn {
        per_day: Nanos::new(per_day),
        days_left,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_lasts_as_long_as_the_last_full_days_say() {
        let check = |days: &[i64], free: i64, expect: Option<(i64, i64)>| {
            let days: Vec<Nanos> = days.iter().copied().map(Nanos::new).collect();
            let burn = burn(&days, Nanos::new(free));
            let burn = burn.map(|burn| (burn.per_day.get(), burn.days_left));
            assert_eq!(burn, expect, "{days:?} {free}");
        };
        check(&[], 100, None);
        check(&[0, 0], 100, None);
        check(&[10], 100, Some((10, 10)));
        check(&[10], 99, Some((10, 9)));
        check(&[10], 0, Some((10, 0)));
        check(&[10], -5, Some((10, 0)));
        // Days before the first with spend do not count, days after it do.
        check(&[0, 0, 0, 0, 0, 30, 0], 100, Some((15, 6)));
        check(&[7, 0, 0, 0, 0, 0, 0], 100, Some((1, 100)));
        // Only the last seven.
        check(&[1_000, 7, 7, 7, 7, 7, 7, 7], 70, Some((7, 10)));
        check(&[1_000, 0, 0, 0, 0, 0, 0, 0], 70, None);
        // Rounded up.
        check(&[1, 1, 0], 10, Some((1, 10)));
        check(&[2, 2, 0], 10, Some((2, 5)));
        // A day on which more was given back than spent.
        check(&[-5, 0, 10], 10, Some((10, 1)));
        check(&[10, -20], 10, None);
        check(&[i64::MAX, i64::MAX], 10, None);
    }
}
