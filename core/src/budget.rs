//! Budgets: what calls may be charged in a period. A key has one, and an account has one as its spend
//! limit. What open calls hold counts as spent, so that parallel calls cannot exceed a budget.
//! Periods are UTC days, weeks from Monday and months; a charge falls into the period in which its
//! call is settled.

use serde::{Deserialize, Serialize};

use crate::calendar::Periods;
use crate::money::Nanos;

/// How long a budget lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// For ever.
    Total,
    /// A UTC day.
    Day,
    /// A UTC week, from Monday.
    Week,
    /// A UTC month.
    Month,
}

impl Period {
    /// Every period, in the order in which they are tested.
    pub const ALL: [Self; 4] = [Self::Total, Self::Day, Self::Week, Self::Month];

    /// The word for it in columns, JSON and commands.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The next moment, in Unix milliseconds, at which the budget is whole again; `None`: never.
    #[must_use]
    pub fn resets_at_ms(self, now_ms: i64) -> Option<i64> {
        let now = Periods::of(now_ms);
        match self {
            Self::Total => None,
            Self::Day => Some(now.day_end_ms()),
            Self::Week => Some(now.week_end_ms()),
            Self::Month => now.month_end_ms(),
        }
    }
}

/// The most that may be charged, by period. `None` is no budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// For ever.
    pub total: Option<Nanos>,
    /// In a day.
    pub day: Option<Nanos>,
    /// In a week.
    pub week: Option<Nanos>,
    /// In a month.
    pub month: Option<Nanos>,
}

impl Budget {
    /// The budget of one period.
    #[must_use]
    pub const fn of(&self, period: Period) -> Option<Nanos> {
        match period {
            Period::Total => self.total,
            Period::Day => self.day,
            Period::Week => self.week,
            Period::Month => self.month,
        }
    }
}

/// What was charged so far: for ever, and in the last periods with a charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// For ever.
    pub total: Nanos,
    /// The number of a day, and what was charged in it.
    pub day: (i64, Nanos),
    /// The number of a week, and what was charged in it.
    pub week: (i64, Nanos),
    /// The number of a month, and what was charged in it.
    pub month: (i64, Nanos),
}

impl Spent {
    /// What was charged in the period that holds this moment. A clock that runs behind does not
    /// open a budget anew.
    #[must_use]
    pub fn within(&self, period: Period, now_ms: i64) -> Nanos {
        let now = Periods::of(now_ms);
        let of = |(number, spent): (i64, Nanos), now: i64| {
            if number >= now { spent } else { Nanos::ZERO }
        };
        match period {
            Period::Total => self.total,
            Period::Day => of(self.day, now.day),
            Period::Week => of(self.week, now.week),
            Period::Month => of(self.month, now.month),
        }
    }
}

/// A budget, what was charged of it, and what open calls hold of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    /// The most that may be charged.
    pub budget: Budget,
    /// What was charged.
    pub spent: Spent,
    /// What open calls hold.
    pub held: Nanos,
}

/// A budget that a call does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which.
    pub period: Period,
    /// What may be charged in it.
    pub budget: Nanos,
    /// What was charged in it.
    pub spent: Nanos,
    /// What open calls hold.
    pub held: Nanos,
    /// What the call would hold.
    pub needed: Nanos,
    /// When it is whole again, in Unix milliseconds.
    pub resets_at_ms: Option<i64>,
}

impl Purse {
    /// The first budget that a hold of `needed` does not fit.
    #[must_use]
    pub fn exceeded(&self, needed: Nanos, now_ms: i64) -> Option<Exceeded> {
        Period::ALL.into_iter().find_map(|period| {
            let budget = self.budget.of(period)?;
            let spent = self.spent.within(period, now_ms);
            let left = left(budget, spent, self.held);
            (left < needed).then(|| Exceeded {
                period,
                budget,
                spent,
                held: self.held,
                needed,
                resets_at_ms: period.resets_at_ms(now_ms),
            })
        })
    }

    /// What a new hold can take of the tightest budget, below zero when that was lowered below what is
    /// gone already; `None` where there is no budget.
    #[must_use]
    pub fn left(&self, now_ms: i64) -> Option<Nanos> {
        let periods = Period::ALL.into_iter();
        periods
            .filter_map(|period| self.left_in(period, now_ms))
            .min()
    }

    /// What a new hold can take of the budget of one period; `None` where there is none.
    #[must_use]
    pub fn left_in(&self, period: Period, now_ms: i64) -> Option<Nanos> {
        let budget = self.budget.of(period)?;
        Some(left(budget, self.spent.within(period, now_ms), self.held))
    }
}

/// Less than nothing, if more is gone than the budget has: then not even a free call fits, as in
/// `fits_sql`. So it is when the sum is beyond 64 bits.
fn left(budget: Nanos, spent: Nanos, held: Nanos) -> Nanos {
    let left = spent.plus(held).and_then(|gone| budget.minus(gone));
    left.unwrap_or(Nanos::new(i64::MIN))
}

/// SQL that is true when a hold of `needed` fits the budget of one period. `row` is the alias of a
/// row of `keys` or `accounts`, `columns` the prefix of its budgets (`budget`, `spend_limit`), and
/// `[day, week, month]` are placeholders of the numbers of the present periods.
#[must_use]
pub(crate) fn fits_sql(
    period: Period,
    (row, columns): (&str, &str),
    needed: &str,
    [day, week, month]: [&str; 3],
) -> String {
    let word = period.as_str();
    let now = match period {
        Period::Total => None,
        Period::Day => Some(day),
        Period::Week => Some(week),
        Period::Month => Some(month),
    };
    let spent = now.map_or_else(
        || format!("{row}.charged_nanos"),
        |now| format!("iif({row}.charged_{word} >= {now}, {row}.charged_{word}_nanos, 0)"),
    );
    format!("{spent} + {row}.held_nanos + {needed} <= {row}.{columns}_{word}_nanos")
}

/// Assignments that add a charge to the counters of a row of `keys` or `accounts`, without its
/// total. `charge`, `day`, `week` and `month` are SQL.
#[must_use]
pub(crate) fn count_sql(charge: &str, [day, week, month]: [&str; 3]) -> String {
    let one = |word: &str, now: &str| {
        format!(
            "charged_{word}_nanos = {charge} + iif(charged_{word} >= {now}, charged_{word}_nanos, 0), \
             charged_{word} = max(charged_{word}, {now})"
        )
    };
    [one("day", day), one("week", week), one("month", month)].join(", ")
}

/// A purse as JSON arrays that the database makes: budgets and charges in the order of `Period`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WirePurse {
    budget: [Option<i64>; 4],
    spent: [i64; 7],
    held: i64,
}

/// SQL for a `WirePurse` of a row of `keys` or `accounts`.
#[must_use]
pub(crate) fn purse_sql(row: &str, columns: &str) -> String {
    format!(
        "json_object('budget', json_array({row}.{columns}_total_nanos, {row}.{columns}_day_nanos, \
         {row}.{columns}_week_nanos, {row}.{columns}_month_nanos), 'spent', \
         json_array({row}.charged_nanos, {row}.charged_day, {row}.charged_day_nanos, \
         {row}.charged_week, {row}.charged_week_nanos, {row}.charged_month, \
         {row}.charged_month_nanos), 'held', {row}.held_nanos)"
    )
}

impl From<WirePurse> for Purse {
    fn from(wire: WirePurse) -> Self {
        let [total, day, week, month] = wire.budget.map(|nanos| nanos.map(Nanos::new));
        let [
            all,
            day_number,
            of_day,
            week_number,
            of_week,
            month_number,
            of_month,
        ] = wire.spent;
        Self {
            budget: Budget {
                total,
                day,
                week,
                month,
            },
            spent: Spent {
                total: Nanos::new(all),
                day: (day_number, Nanos::new(of_day)),
                week: (week_number, Nanos::new(of_week)),
                month: (month_number, Nanos::new(of_month)),
            },
            held: Nanos::new(wire.held),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T12:00:00Z, a Sunday.
    const NOON_MS: i64 = 1_795_348_800_000;
    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn a_budget_is_whole_again_at_the_next_utc_day_monday_or_month() {
        let check = |period: Period, at_ms: i64, expect: Option<&str>| {
            let resets = period
                .resets_at_ms(at_ms)
                .and_then(crate::calendar::rfc3339);
            assert_eq!(resets.as_deref(), expect, "{period:?}");
        };
        check(Period::Total, NOON_MS, None);
        check(Period::Day, NOON_MS, Some("2026-11-23T00:00:00Z"));
        check(Period::Week, NOON_MS, Some("2026-11-23T00:00:00Z"));
        check(
            Period::Week,
            NOON_MS + 12 * HOUR_MS,
            Some("2026-11-30T00:00:00Z"),
        );
        check(Period::Month, NOON_MS, Some("2026-12-01T00:00:00Z"));
        let december = NOON_MS + 20 * 24 * HOUR_MS;
        check(Period::Month, december, Some("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn what_was_spent_and_is_held_leaves_the_rest_of_the_tightest_budget() {
        let now = Periods::of(NOON_MS);
        let purse = |budget: Budget| Purse {
            budget,
            spent: Spent {
                total: Nanos::new(1_000),
                day: (now.day, Nanos::new(10)),
                week: (now.week, Nanos::new(100)),
                month: (now.month, Nanos::new(500)),
            },
            held: Nanos::new(5),
        };
        let of = |period: Period, nanos: i64| {
            let mut budget = Budget::default();
            let cell = match period {
                Period::Total => &mut budget.total,
                Period::Day => &mut budget.day,
                Period::Week => &mut budget.week,
                Period::Month => &mut budget.month,
            };
            *cell = Some(Nanos::new(nanos));
            budget
        };
        let check = |budget: Budget, left: Option<i64>, fits: bool| {
            let purse = purse(budget);
            assert_eq!(purse.left(NOON_MS), left.map(Nanos::new), "{budget:?}");
            let exceeded = purse.exceeded(Nanos::new(7), NOON_MS);
            assert_eq!(exceeded.is_none(), fits, "{budget:?}");
        };
        check(Budget::default(), None, true);
        check(of(Period::Total, 1_012), Some(7), true);
        check(of(Period::Total, 1_011), Some(6), false);
        check(of(Period::Day, 22), Some(7), true);
        check(of(Period::Week, 111), Some(6), false);
        check(of(Period::Month, 0), Some(-505), false);
        check(of(Period::Day, i64::MAX), Some(i64::MAX - 15), true);
        let both = Budget {
            day: Some(Nanos::new(100)),
            ..of(Period::Month, 506)
        };
        check(both, Some(1), false);
    }

    #[test]
    fn a_budget_below_what_is_gone_stops_free_calls_as_the_database_does() {
        let check = |budget: i64, held: i64, fits: bool| {
            let purse = Purse {
                budget: Budget {
                    total: Some(Nanos::new(budget)),
                    ..Budget::default()
                },
                spent: Spent {
                    total: Nanos::new(10),
                    ..Spent::default()
                },
                held: Nanos::new(held),
            };
            let exceeded = purse.exceeded(Nanos::ZERO, NOON_MS);
            assert_eq!(exceeded.is_none(), fits, "{budget} {held}");
        };
        check(15, 5, true);
        check(14, 5, false);
        check(0, 0, false);
        check(i64::MAX, i64::MAX, false);
    }

    #[test]
    fn yesterday_s_charges_leave_today_s_budget_alone_but_a_slow_clock_opens_nothing() {
        let today = Periods::of(NOON_MS);
        let check = |day: i64, expect: i64| {
            let spent = Spent {
                day: (day, Nanos::new(9)),
                ..Spent::default()
            };
            assert_eq!(spent.within(Period::Day, NOON_MS), Nanos::new(expect));
        };
        check(today.day - 1, 0);
        check(today.day, 9);
        check(today.day + 1, 9);
    }
}
