//! The reads behind the overview page: one batch, and what its reply says.

use super::burn::{Burn, burn};
use crate::accounts::{Account, View, read_account, viewed_account_statement};
use crate::calendar::Periods;
use crate::hrana::{Batch, HranaFault, Reply, Row, StepIndex};
use crate::ids::RequestId;
use crate::money::Nanos;
use crate::sweep::LOOK_BACK_MS;
use crate::usage_days::USAGE;

/// How many UTC days an overview covers, today included.
pub const DAYS: usize = 30;

/// How many models and how many keys are listed at most, those with the highest spend.
pub const MOST_SHARES: usize = 20;

/// How many models have a part of their own in each day's spend, those with the highest spend.
pub const MOST_PARTS: usize = 6;

const DAY_MS: i64 = 86_400_000;

/// What an account has and spends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The account with its wallet.
    pub account: Account,
    /// The spend of the last [`DAYS`] UTC days, the oldest first and none left out; the last is today.
    pub days: Vec<DaySpend>,
    /// What of these days was spent on which model; days and models without a call are left out.
    pub parts: Vec<DayPart>,
    /// The models with the highest spend in these days, at most [`MOST_SHARES`].
    pub models: Vec<Share>,
    /// The account's own keys with the highest spend in these days, at most [`MOST_SHARES`].
    pub keys: Vec<Share>,
    /// How long the credit lasts; `None` when the last full days tell nothing.
    pub burn: Option<Burn>,
    /// Until when calls of the accounts below this one are counted, in Unix milliseconds; `None` while
    /// none were.
    pub counted_to_ms: Option<i64>,
}

/// What one UTC day cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DaySpend {
    /// The day, counted since 1970.
    pub day: i64,
    /// Calls that ended.
    pub calls: u64,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// What was charged, true-ups included.
    pub spend: Nanos,
}

/// What of one UTC day was spent on one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayPart {
    /// The day, counted since 1970.
    pub day: i64,
    /// The model's slug; `None` for all but the [`MOST_PARTS`] with the highest spend.
    pub model: Option<String>,
    /// What was charged, true-ups included.
    pub spend: Nanos,
}

/// What a model or a key cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The model's slug, or the key's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Calls that ended.
    pub calls: u64,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// What was charged, true-ups included.
    pub spend: Nanos,
}

// Roll-ups and what is not rolled up yet are one statement, so that no call is counted twice or not at
// all while the mark moves. Parts of it are told apart by the first column.
const SPENDING: &str = "\
WITH seen AS (SELECT {seen} AS id),
mark AS (SELECT rolled_to_id AS id FROM usage_marks WHERE id = 1),
recent AS ({usage} WHERE r.account_id = (SELECT id FROM seen) AND r.id >= max(?4, (SELECT id FROM mark))
  AND r.created_at_ms >= ?3 * 86400000 AND r.state <> 'held' AND l.key = 0
  GROUP BY 1, 2, 3, 4, 5),
spending AS MATERIALIZED (SELECT day, key_id, model, caller_id, settled + voided AS calls,
    prompt_tokens + completion_tokens AS tokens, charge_nanos + true_up_nanos AS spend
  FROM usage_days WHERE account_id = (SELECT id FROM seen) AND day >= ?3
  UNION ALL SELECT day, key_id, model, caller_id, settled + voided,
    prompt_tokens + completion_tokens, charge_nanos + true_up_nanos FROM recent),
most AS (SELECT model FROM spending GROUP BY model ORDER BY sum(spend) DESC, model LIMIT ?6)
SELECT 'mark', '', '', (SELECT id FROM mark), 0, 0
UNION ALL SELECT 'day', CAST(day AS TEXT), '', sum(calls), sum(tokens), sum(spend)
  FROM spending GROUP BY day
UNION ALL SELECT 'part', CAST(day AS TEXT), part, sum(calls), sum(tokens), sum(spend)
  FROM (SELECT day, calls, tokens, spend,
    CASE WHEN model IN (SELECT model FROM most) THEN model ELSE '' END AS part FROM spending)
  GROUP BY day, part
UNION ALL SELECT * FROM (SELECT 'model', model, model, sum(calls), sum(tokens), sum(spend) AS total
  FROM spending GROUP BY model ORDER BY total DESC, model LIMIT ?5)
UNION ALL SELECT * FROM (SELECT 'key', key_id, coalesce((SELECT k.name FROM keys k WHERE k.id = key_id), ''),
  sum(calls), sum(tokens), sum(spend) AS total
  FROM spending WHERE caller_id = ?1 GROUP BY key_id ORDER BY total DESC, key_id LIMIT ?5)";

/// The batch that reads an overview.
#[derive(Clone, Debug)]
pub struct OverviewBatch {
    /// What to execute.
    pub batch: Batch,
    account: StepIndex,
    spending: StepIndex,
    today: i64,
}

/// Reads what an account has and spends, at this moment in Unix milliseconds.
#[must_use]
pub fn overview(view: View<'_>, now_ms: i64) -> OverviewBatch {
    let today = Periods::of(now_ms).day;
    let first_day = today.saturating_sub(i64::try_from(DAYS).unwrap_or_default().saturating_sub(1));
    // A call's id may be a little older than its moment.
    let first_ms = first_day
        .saturating_mul(DAY_MS)
        .saturating_sub(LOOK_BACK_MS);
    let mut batch = Batch::new();
    let account = batch.step(None, viewed_account_statement(view));
    let spending = view
        .statement(&SPENDING.replace("{usage}", USAGE))
        .bind(first_day)
        .bind(RequestId::first_at(first_ms).get())
        .bind(i64::try_from(MOST_SHARES).unwrap_or(i64::MAX))
        .bind(i64::try_from(MOST_PARTS).unwrap_or(i64::MAX));
    let spending = batch.step(None, spending);
    OverviewBatch {
        batch,
        account,
        spending,
        today,
    }
}

impl OverviewBatch {
    /// What the reply to the batch says; `None` when there is no such account for who reads.
    pub fn read(&self, reply: &Reply) -> Result<Option<Overview>, HranaFault> {
        if !reply.is_ok(self.account) || !reply.is_ok(self.spending) {
            let code = reply.failures().next().map(|(_, code)| code.to_owned());
            return Err(HranaFault::Refused(code));
        }
        let Some(account) = reply.rows(self.account).first() else {
            return Ok(None);
        };
        let account = read_account(account)?;
        let length = i64::try_from(DAYS).unwrap_or_default();
        let first_day = self.today.saturating_sub(length).saturating_add(1);
        let mut days: Vec<DaySpend> = (first_day..=self.today)
            .map(|day| DaySpend {
                day,
                ..DaySpend::default()
            })
            .collect();
        let (mut models, mut keys, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        let mut counted_to_ms = None;
        for row in reply.rows(self.spending) {
            let part: String = row.get(0)?;
            match part.as_str() {
                "mark" => {
                    let mark: i64 = row.get(3)?;
                    counted_to_ms = (mark > 0).then(|| RequestId::from_stored(mark).at_ms());
                }
                "day" => {
                    let spend = read_day(row)?;
                    // A call from a clock that runs ahead belongs to no day that is shown yet.
                    if let Some(day) = days.iter_mut().find(|day| day.day == spend.day) {
                        *day = spend;
                    }
                }
                "part" => parts.push(read_part(row)?),
                "model" => models.push(read_share(row)?),
                "key" => keys.push(read_share(row)?),
                _ => return Err(HranaFault::UnexpectedColumn(0)),
            }
        }
        let full_days: Vec<Nanos> = days
            .iter()
            .rev()
            .skip(1)
            .rev()
            .map(|day| day.spend)
            .collect();
        let free = account.balance.minus(account.held).unwrap_or_default();
        Ok(Some(Overview {
            burn: burn(&full_days, free),
            account,
            days,
            parts,
            models,
            keys,
            counted_to_ms,
        }))
    }
}

impl Overview {
    /// The spend of the last `days` UTC days, today included: 1 is today's, [`DAYS`] is everything.
    #[must_use]
    pub fn spend_of_last(&self, days: usize) -> Nanos {
        let last = self.days.iter().rev().take(days);
        last.fold(Nanos::ZERO, |sum, day| {
            sum.plus(day.spend).unwrap_or(Nanos::new(i64::MAX))
        })
    }
}

fn read_day(row: &Row) -> Result<DaySpend, HranaFault> {
    let day: String = row.get(1)?;
    Ok(DaySpend {
        day: day.parse().map_err(|_| HranaFault::UnexpectedColumn(1))?,
        calls: row.get(3)?,
        tokens: row.get(4)?,
        spend: Nanos::new(row.get(5)?),
    })
}

fn read_part(row: &Row) -> Result<DayPart, HranaFault> {
    let day: String = row.get(1)?;
    let model: String = row.get(2)?;
    Ok(DayPart {
        day: day.parse().map_err(|_| HranaFault::UnexpectedColumn(1))?,
        model: Some(model).filter(|model| !model.is_empty()),
        spend: Nanos::new(row.get(5)?),
    })
}

fn read_share(row: &Row) -> Result<Share, HranaFault> {
    Ok(Share {
        id: row.get(1)?,
        name: row.get(2)?,
        calls: row.get(3)?,
        tokens: row.get(4)?,
        spend: Nanos::new(row.get(5)?),
    })
}
