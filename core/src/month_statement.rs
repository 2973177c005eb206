//! The statement of an account for a UTC month: what it had, every ledger entry, the usage of every day,
//! and what it has then. It adds up to the nano. What an account has here is its balance less its debt,
//! what is held included.
//!
//! A call counts on the UTC day on which it began, a true-up on the day on which it was posted.

use crate::accounts::View;
use crate::calendar::{Periods, date, rfc3339};
use crate::csv::{self, Cell};
use crate::hrana::{HranaFault, Row, Statement};
use crate::money::{MoneyError, Nanos};
use crate::usage_days::USAGE;

/// How many ledger entries are listed at most, the first of the month; the rest is one line.
pub const MOST_ENTRIES: u32 = 1_000;

const DAY_MS: i64 = 86_400_000;

/// The statement of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthStatement {
    /// The month, counted since January 1970.
    pub month: i64,
    /// What the account had when the month began.
    pub opening: Nanos,
    /// What happened, in order.
    pub lines: Vec<StatementLine>,
    /// What it had when the month ended, or has now.
    pub closing: Nanos,
}

/// One line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// The moment in Unix milliseconds; of what is summed by day, the day's last.
    pub at_ms: i64,
    /// What happened.
    pub event: StatementEvent,
    /// More credit if positive.
    pub amount: Nanos,
    /// What the account has after it.
    pub balance: Nanos,
}

/// What happened to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementEvent {
    /// A ledger entry.
    Entry {
        /// The word for why; see `ledger::EntryKind`.
        kind: String,
        /// The business event.
        reference: String,
        /// What people read.
        reason: String,
    },
    /// Entries beyond [`MOST_ENTRIES`].
    MoreEntries,
    /// The calls of a day, charged as they ended.
    Usage {
        /// How many of them ended.
        calls: u64,
    },
    /// The true-ups of a day, of whatever day their calls were.
    TrueUps {
        /// How many.
        calls: u64,
    },
}

// Everything is read at one moment. What happened after the month is taken off what the account has now,
// so that no month needs the sums of all months before it. An account with accounts below it finds its
// calls that are not rolled up yet among everybody's; any other by the index. The bound that makes a
// branch empty is an id that no call has.
const STATEMENT: &str = "\
WITH seen AS (SELECT {seen} AS id),
account AS (SELECT a.id, a.balance_nanos - a.debt_nanos AS nanos, a.kind <> 'customer' AS sells
  FROM accounts a WHERE a.id = (SELECT id FROM seen)),
mark AS (SELECT rolled_to_id AS id FROM usage_marks WHERE id = 1),
own AS ({usage} WHERE r.account_id = (SELECT id FROM seen) AND r.state <> 'held' AND l.key = 0
    AND r.id >= (SELECT iif(a.sells, 9223372036854775807, m.id) FROM account a, mark m)
  GROUP BY 1, 2, 3, 4, 5),
below AS ({usage} WHERE r.state <> 'held' AND l.value ->> 'account' = (SELECT id FROM seen)
    AND r.id >= (SELECT iif(a.sells, m.id, 9223372036854775807) FROM account a, mark m)
  GROUP BY 1, 2, 3, 4, 5),
days AS MATERIALIZED (SELECT day, sum(calls) AS calls, sum(charge_nanos) AS nanos FROM (
    SELECT day, settled + voided AS calls, charge_nanos FROM usage_days
      WHERE account_id = (SELECT id FROM seen) AND day >= ?3
    UNION ALL SELECT day, settled + voided, charge_nanos FROM own WHERE day >= ?3
    UNION ALL SELECT day, settled + voided, charge_nanos FROM below WHERE day >= ?3)
  GROUP BY day),
entries AS MATERIALIZED (SELECT id, kind, amount_nanos, reference, reason, created_at_ms
  FROM ledger_entries
  WHERE account_id = (SELECT id FROM seen) AND created_at_ms >= ?3 * 86400000)
SELECT 'account', 0, 0, nanos, '', '' FROM account
UNION ALL SELECT 'after', 0, 0, coalesce(sum(nanos), 0), '', '' FROM (
    SELECT amount_nanos AS nanos FROM entries WHERE created_at_ms >= ?4 * 86400000
    UNION ALL SELECT -nanos FROM days WHERE day >= ?4)
UNION ALL SELECT 'usage', day, calls, -nanos, '', '' FROM days WHERE day < ?4
UNION ALL SELECT 'true_ups', created_at_ms / 86400000, count(*), sum(amount_nanos), '', '' FROM entries
  WHERE kind = 'true_up' AND created_at_ms < ?4 * 86400000 GROUP BY 2
UNION ALL SELECT 'entries', 0, 0, coalesce(sum(amount_nanos), 0), '', '' FROM entries
  WHERE kind <> 'true_up' AND created_at_ms < ?4 * 86400000
UNION ALL SELECT * FROM (SELECT kind, created_at_ms, 0, amount_nanos, reference, reason FROM entries
  WHERE kind <> 'true_up' AND created_at_ms < ?4 * 86400000 ORDER BY id LIMIT ?5)";

/// A statement that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthQuery {
    month: i64,
    first_day: i64,
    end_day: i64,
}

impl MonthQuery {
    /// The statement of a month, counted since January 1970 (`calendar::Periods`); `None` when there is no
    /// such month in the calendar.
    #[must_use]
    pub fn new(month: i64) -> Option<Self> {
        let begins = |month: i64| {
            let before = Periods {
                day: 0,
                week: 0,
                month: month.checked_sub(1)?,
            };
            Some(before.month_end_ms()?.div_euclid(DAY_MS))
        };
        Some(Self {
            month,
            first_day: begins(month)?,
            end_day: begins(month.checked_add(1)?)?,
        })
    }

    /// Reads the statement; the rows are for [`Self::read`].
    #[must_use]
    pub fn statement(&self, view: View<'_>) -> Statement {
        view.statement(&STATEMENT.replace("{usage}", USAGE))
            .bind(self.first_day)
            .bind(self.end_day)
            .bind(i64::from(MOST_ENTRIES))
    }

    /// What the rows say; `None` when there is no such account for who reads.
    pub fn read(&self, rows: &[Row]) -> Result<Option<MonthStatement>, HranaFault> {
        let mut sums = Sums::default();
        let mut events = Vec::new();
        for row in rows {
            let word: String = row.get(0)?;
            let amount = Nanos::new(row.get(3)?);
            match word.as_str() {
                "account" => sums.now = Some(amount),
                "after" => sums.after = amount,
                "entries" => sums.entries = amount,
                "usage" | "true_ups" => events.push(day_line(row, &word, amount)?),
                _ => {
                    sums.listed = add(sums.listed, amount)?;
                    events.push(entry_line(row, word, amount)?);
                }
            }
        }
        let Some(now) = sums.now else {
            return Ok(None);
        };
        let closing = now.minus(sums.after).map_err(beyond)?;
        let unlisted = sums.entries.minus(sums.listed).map_err(beyond)?;
        if unlisted != Nanos::ZERO {
            let at_ms = day_end(self.end_day.saturating_sub(1));
            events.push((at_ms, StatementEvent::MoreEntries, unlisted));
        }
        // What happened at the same moment stays in the order of the ledger.
        events.sort_by_key(|(at_ms, _, _)| *at_ms);
        let sum = events
            .iter()
            .try_fold(Nanos::ZERO, |sum, (_, _, amount)| add(sum, *amount))?;
        let opening = closing.minus(sum).map_err(beyond)?;
        let mut balance = opening;
        let lines = events.into_iter().map(|(at_ms, event, amount)| {
            balance = add(balance, amount)?;
            Ok(StatementLine {
                at_ms,
                event,
                amount,
                balance,
            })
        });
        Ok(Some(MonthStatement {
            month: self.month,
            opening,
            lines: lines.collect::<Result<_, HranaFault>>()?,
            closing,
        }))
    }
}

#[derive(Default)]
struct Sums {
    /// What the account has now.
    now: Option<Nanos>,
    /// What happened after the month.
    after: Nanos,
    /// All entries of the month but true-ups, and those of them that are listed.
    entries: Nanos,
    listed: Nanos,
}

type Event = (i64, StatementEvent, Nanos);

fn day_line(row: &Row, word: &str, amount: Nanos) -> Result<Event, HranaFault> {
    let calls = row.get(2)?;
    let event = if word == "usage" {
        StatementEvent::Usage { calls }
    } else {
        StatementEvent::TrueUps { calls }
    };
    Ok((day_end(row.get(1)?), event, amount))
}

fn entry_line(row: &Row, kind: String, amount: Nanos) -> Result<Event, HranaFault> {
    let event = StatementEvent::Entry {
        kind,
        reference: row.get(4)?,
        reason: row.get(5)?,
    };
    Ok((row.get(1)?, event, amount))
}

fn day_end(day: i64) -> i64 {
    let next = day.saturating_add(1).saturating_mul(DAY_MS);
    next.saturating_sub(1)
}

fn add(sum: Nanos, amount: Nanos) -> Result<Nanos, HranaFault> {
    sum.plus(amount).map_err(beyond)
}

/// A sum that is no amount is in column 3.
const fn beyond(_: MoneyError) -> HranaFault {
    HranaFault::UnexpectedColumn(3)
}

impl MonthStatement {
    /// The month as `2026-11`.
    #[must_use]
    pub fn month_text(&self) -> String {
        let first = MonthQuery::new(self.month).and_then(|query| date(query.first_day));
        let text = first.as_deref().and_then(|date| date.get(..7));
        text.unwrap_or_default().to_owned()
    }

    /// The statement as a CSV file, amounts in US dollars.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut file = csv::header(&[
            "time",
            "event",
            "reference",
            "reason",
            "amount_usd",
            "balance_usd",
        ]);
        let bound = |word: &str, balance: Nanos| {
            let word = Cell::Text(word.to_owned());
            let balance = Cell::Number(balance.to_usd());
            csv::line(&[
                Cell::Empty,
                word,
                Cell::Empty,
                Cell::Empty,
                Cell::Empty,
                balance,
            ])
        };
        file.push_str(&bound("opening", self.opening));
        for line in &self.lines {
            let (word, reference, reason) = match &line.event {
                StatementEvent::Entry {
                    kind,
                    reference,
                    reason,
                } => (
                    kind.as_str(),
                    Some(reference.as_str()),
                    Some(reason.as_str()),
                ),
                StatementEvent::MoreEntries => ("more_entries", None, None),
                StatementEvent::Usage { .. } => ("usage", None, None),
                StatementEvent::TrueUps { .. } => ("true_ups", None, None),
            };
            file.push_str(&csv::line(&[
                Cell::number(rfc3339(line.at_ms)),
                Cell::text(Some(word)),
                Cell::text(reference),
                Cell::text(reason),
                Cell::Number(line.amount.to_usd()),
                Cell::Number(line.balance.to_usd()),
            ]));
        }
        file.push_str(&bound("closing", self.closing));
        file
    }
}
