//! What a seller earns: charges, cost and margin of the accounts right below it, by day, model and
//! customer, from the roll-ups. Calls of the last minutes are not in them yet. The cost is what the
//! seller itself was charged; the operator's is what the provider bills.

use crate::accounts::id;
use crate::calendar::rfc3339;
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement};
use crate::ids::AccountId;
use crate::money::Nanos;
use crate::spending::MOST_PARTS;

/// How many models and customers are listed at most, those with the highest charges.
pub const MOST_EARNERS: u32 = 100;

/// The most days of a range.
pub const MAX_DAYS: i64 = 366;

const DAY_MS: i64 = 86_400_000;

/// UTC days, counted since 1970, from the first to the last; never empty, at most [`MAX_DAYS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    first: i64,
    last: i64,
}

impl Days {
    /// These days; `None` when the last is before the first, or there are too many.
    #[must_use]
    pub const fn new(first: i64, last: i64) -> Option<Self> {
        let beyond = last.saturating_sub(first);
        if first >= 0 && beyond >= 0 && beyond < MAX_DAYS {
            Some(Self { first, last })
        } else {
            None
        }
    }

    /// The `count` days that end with today, at least one and at most [`MAX_DAYS`].
    #[must_use]
    pub fn until_today(now_ms: i64, count: i64) -> Self {
        let last = now_ms.div_euclid(DAY_MS).max(0);
        let first = last.saturating_sub(count.clamp(1, MAX_DAYS).saturating_sub(1));
        Self {
            first: first.max(0),
            last,
        }
    }

    /// The first day.
    #[must_use]
    pub const fn first(self) -> i64 {
        self.first
    }

    /// The last day.
    #[must_use]
    pub const fn last(self) -> i64 {
        self.last
    }

    fn each(self) -> impl Iterator<Item = i64> {
        self.first..=self.last
    }
}

/// What calls brought and cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earnings {
    /// Calls that were charged.
    pub calls: u64,
    /// Tokens of prompts.
    pub prompt_tokens: u64,
    /// Tokens of answers.
    pub completion_tokens: u64,
    /// What customers were charged, true-ups included.
    pub charges: Nanos,
    /// What that cost the seller.
    pub cost: Nanos,
}

impl Earnings {
    /// What is left to the seller; below zero where a true-up came out of its own pocket.
    #[must_use]
    pub fn margin(&self) -> Nanos {
        Nanos::new(self.charges.get().saturating_sub(self.cost.get()))
    }

    fn add(&mut self, other: &Self) {
        let sum = |one: Nanos, other: Nanos| Nanos::new(one.get().saturating_add(other.get()));
        self.calls = self.calls.saturating_add(other.calls);
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self
            .completion_tokens
            .saturating_add(other.completion_tokens);
        self.charges = sum(self.charges, other.charges);
        self.cost = sum(self.cost, other.cost);
    }
}

/// What a customer brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerEarnings {
    /// The account.
    pub id: AccountId,
    /// What people call it.
    pub name: String,
    /// What its calls, and those below it, brought.
    pub earnings: Earnings,
}

/// A seller's revenue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revenue {
    /// All of it.
    pub total: Earnings,
    /// By UTC day, the oldest first and none left out.
    pub days: Vec<(i64, Earnings)>,
    /// By model, the highest charges first, at most [`MOST_EARNERS`].
    pub models: Vec<(String, Earnings)>,
    /// By customer, the highest charges first, at most [`MOST_EARNERS`].
    pub customers: Vec<CustomerEarnings>,
    /// The charges of each day by model; days and models without a call are left out.
    pub parts: Vec<DayCharges>,
}

/// What customers were charged on one UTC day for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCharges {
    /// The day, counted since 1970.
    pub day: i64,
    /// The model's slug; `None` for all but the [`MOST_PARTS`] with the highest charges.
    pub model: Option<String>,
    /// True-ups included.
    pub charges: Nanos,
}

/// The batch that reads a revenue.
#[derive(Clone, Debug)]
pub struct RevenueBatch {
    /// What to execute: reads only.
    pub batch: Batch,
    days: Days,
}

const SUMS: &str = "\
sum(u.settled), sum(u.prompt_tokens), sum(u.completion_tokens),
  sum(u.charge_nanos + u.true_up_nanos), sum(u.base_nanos)";

// The customers come first, so that each is one range of the primary key of `usage_days`.
const BELOW: &str = "\
FROM accounts a CROSS JOIN usage_days u
WHERE a.parent_id = ?1 AND u.account_id = a.id AND u.day >= ?2 AND u.day <= ?3";

/// Reads a seller's revenue of these days in one round trip.
#[must_use]
pub fn revenue_batch(seller: &AccountId, days: Days) -> RevenueBatch {
    let top = "ORDER BY sum(u.charge_nanos + u.true_up_nanos) DESC, 1 LIMIT ?4";
    let mut batch = Batch::new();
    for sql in [
        format!("SELECT u.day, {SUMS} {BELOW} GROUP BY u.day ORDER BY u.day"),
        format!("SELECT u.model, {SUMS} {BELOW} GROUP BY u.model {top}"),
        format!("SELECT a.id, {SUMS}, a.name {BELOW} GROUP BY a.id {top}"),
    ] {
        let limited = sql.contains("?4");
        let statement = within(sql, seller, days);
        let most = limited.then(|| i64::from(MOST_EARNERS));
        batch.step(None, most.into_iter().fold(statement, Statement::bind));
    }
    let parts = format!(
        "SELECT u.day, CASE WHEN u.model IN (SELECT u.model {BELOW} GROUP BY u.model \
           ORDER BY sum(u.charge_nanos + u.true_up_nanos) DESC, 1 LIMIT ?4) THEN u.model ELSE '' END AS part, \
           sum(u.charge_nanos + u.true_up_nanos) {BELOW} GROUP BY u.day, part"
    );
    let most = i64::try_from(MOST_PARTS).unwrap_or(i64::MAX);
    batch.step(None, within(parts, seller, days).bind(most));
    RevenueBatch { batch, days }
}

fn within(sql: String, seller: &AccountId, days: Days) -> Statement {
    Statement::new(sql)
        .bind(seller.as_str())
        .bind(days.first)
        .bind(days.last)
}

impl RevenueBatch {
    /// What the reply to the batch says.
    pub fn read(&self, reply: &Reply) -> Result<Revenue, HranaFault> {
        let [days, models, customers, parts] = [0, 1, 2, 3];
        if !(0..self.batch.steps().len()).all(|step| reply.is_ok(step)) {
            return Err(HranaFault::Malformed);
        }
        let mut all: Vec<(i64, Earnings)> = self
            .days
            .each()
            .map(|day| (day, Earnings::default()))
            .collect();
        let mut total = Earnings::default();
        for row in reply.rows(days) {
            let (day, earnings) = (row.get::<i64>(0)?, read_earnings(row, 1)?);
            total.add(&earnings);
            if let Some(entry) = all.iter_mut().find(|(known, _)| *known == day) {
                entry.1 = earnings;
            }
        }
        let models = reply.rows(models).iter();
        let models = models.map(|row| Ok((row.get(0)?, read_earnings(row, 1)?)));
        let customers = reply.rows(customers).iter().map(|row| {
            Ok(CustomerEarnings {
                id: id(row, 0, AccountId::parse)?,
                earnings: read_earnings(row, 1)?,
                name: row.get(6)?,
            })
        });
        let parts = reply.rows(parts).iter().map(|row| {
            let model: String = row.get(1)?;
            Ok(DayCharges {
                day: row.get(0)?,
                model: Some(model).filter(|model| !model.is_empty()),
                charges: Nanos::new(row.get(2)?),
            })
        });
        Ok(Revenue {
            parts: parts.collect::<Result<_, _>>()?,
            total,
            days: all,
            models: models.collect::<Result<_, _>>()?,
            customers: customers.collect::<Result<_, _>>()?,
        })
    }
}

/// Reads five columns from this one on.
fn read_earnings(row: &Row, column: usize) -> Result<Earnings, HranaFault> {
    let at = |offset: usize| column.saturating_add(offset);
    Ok(Earnings {
        calls: row.get(at(0))?,
        prompt_tokens: row.get(at(1))?,
        completion_tokens: row.get(at(2))?,
        charges: Nanos::new(row.get(at(3))?),
        cost: Nanos::new(row.get(at(4))?),
    })
}

/// A row of the export: one customer's calls of one model on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportLine {
    /// The UTC day, counted since 1970.
    pub day: i64,
    /// The customer.
    pub customer: AccountId,
    /// What people call it.
    pub name: String,
    /// The model's slug.
    pub model: String,
    /// What the calls brought.
    pub earnings: Earnings,
}

/// The names of the export's columns.
pub const EXPORT_HEADER: [&str; 10] = [
    "day",
    "customer",
    "customer_name",
    "model",
    "calls",
    "prompt_tokens",
    "completion_tokens",
    "charge_usd",
    "cost_usd",
    "margin_usd",
];

impl ExportLine {
    /// The row's cells, in the order of [`EXPORT_HEADER`]: amounts are exact US dollars. Names are as
    /// people typed them, so whoever writes a file guards the cells.
    #[must_use]
    pub fn cells(&self) -> [String; 10] {
        let day = rfc3339(self.day.saturating_mul(DAY_MS)).unwrap_or_default();
        let date = day.split('T').next().unwrap_or_default();
        [
            date.to_owned(),
            self.customer.to_string(),
            self.name.clone(),
            self.model.clone(),
            self.earnings.calls.to_string(),
            self.earnings.prompt_tokens.to_string(),
            self.earnings.completion_tokens.to_string(),
            self.earnings.charges.to_usd(),
            self.earnings.cost.to_usd(),
            self.earnings.margin().to_usd(),
        ]
    }
}

/// Reads the next `count` rows of the export, by day, customer and model, after the last that was read.
#[must_use]
pub fn export_statement(
    seller: &AccountId,
    days: Days,
    (after, count): (Option<&ExportLine>, u32),
) -> Statement {
    // What was read is left out by its day first, so that a page reads no day twice but one.
    let from = after.map_or(days.first, |line| line.day.max(days.first));
    let rest = match after {
        Some(_) => "AND (u.day, a.id, u.model) > (?5, ?6, ?7)",
        None => "",
    };
    let statement = Statement::new(format!(
        "SELECT u.day, a.id, u.model, {SUMS}, a.name {BELOW} {rest} \
         GROUP BY u.day, a.id, u.model ORDER BY u.day, a.id, u.model LIMIT ?4"
    ))
    .bind(seller.as_str())
    .bind(from)
    .bind(days.last)
    .bind(i64::from(count));
    match after {
        Some(line) => statement
            .bind(line.day)
            .bind(line.customer.as_str())
            .bind(line.model.as_str()),
        None => statement,
    }
}

/// Reads a row of the export.
pub fn read_export_line(row: &Row) -> Result<ExportLine, HranaFault> {
    Ok(ExportLine {
        day: row.get(0)?,
        customer: id(row, 1, AccountId::parse)?,
        model: row.get(2)?,
        earnings: read_earnings(row, 3)?,
        name: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_days_is_bounded_and_never_empty() {
        let check = |first: i64, last: i64, expect: bool| {
            assert_eq!(Days::new(first, last).is_some(), expect, "{first} {last}");
        };
        check(20_000, 20_000, true);
        check(20_000, 20_365, true);
        check(20_000, 20_366, false);
        check(20_000, 19_999, false);
        check(-1, 5, false);
        check(0, i64::MAX, false);
        let now_ms = 20_779 * DAY_MS + 5;
        let check = |count: i64, first: i64| {
            let days = Days::until_today(now_ms, count);
            assert_eq!((days.first(), days.last()), (first, 20_779), "{count}");
        };
        check(30, 20_750);
        check(1, 20_779);
        check(0, 20_779);
        check(i64::MIN, 20_779);
        check(i64::MAX, 20_414);
    }

    #[test]
    fn an_exported_row_has_exact_dollars() {
        let line = ExportLine {
            day: 20_779,
            customer: AccountId::parse("acc_a").unwrap(),
            name: "=1+1".to_owned(),
            model: "a/b".to_owned(),
            earnings: Earnings {
                calls: 2,
                prompt_tokens: 3,
                completion_tokens: 4,
                charges: Nanos::new(1_500_000_001),
                cost: Nanos::new(1_500_000_002),
            },
        };
        let cells = line.cells();
        assert_eq!(
            cells.join(","),
            "2026-11-22,acc_a,=1+1,a/b,2,3,4,1.500000001,1.500000002,-0.000000001"
        );
        assert_eq!(cells.len(), EXPORT_HEADER.len());
    }
}
