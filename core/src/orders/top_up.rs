//! Automatic top-up: the saved card pays by itself when the free balance falls below a threshold, one
//! order at a time, within a limit a month and all caps. A payment that fails switches it off.

use serde_json::json;

use super::create::{day_start_ms, spent};
use super::grant::card_spent;
use super::order::{COLUMNS, Order, read_order, stripe_id, word};
use super::terms::{Caps, FIRST_WEEK_MS, Terms};
use crate::accounts::Commit;
use crate::alarm::{Alarm, AlarmKind};
use crate::audit::{Change, Entry};
use crate::calendar::Periods;
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement, StepIndex};
use crate::ids::{AccountId, OrderId};
use crate::money::Nanos;
use crate::stripe::{Cents, NewPaymentIntent, StripeError, StripeId, StripeRequest};

/// How long a payment may take before it is given up, in milliseconds. Stripe keeps idempotency keys
/// for a day, so that it can be asked again that long.
const LIFE_MS: i64 = 23 * 3_600_000;

/// What an account set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// Whether it works.
    pub enabled: bool,
    /// It buys when less than this is free.
    pub threshold: Nanos,
    /// What it buys.
    pub amount: Cents,
    /// The most of a UTC month.
    pub month_limit: Cents,
}

/// What an account set, and why it was switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTopUp {
    /// What it set.
    pub top_up: TopUp,
    /// The word for why it was switched off; `None` when a person did.
    pub stopped_by: Option<String>,
}

/// Why settings are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopUpRefusal {
    /// The amount is not between these two.
    Amount {
        /// The least.
        min: Cents,
        /// The most.
        max: Cents,
    },
    /// The threshold is below zero.
    Threshold,
    /// The limit of the month is below the amount.
    MonthLimit,
}

/// An account that is to be topped up now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTopUp {
    /// Whose.
    pub account: AccountId,
    /// What it buys.
    pub amount: Cents,
    /// How many were begun before.
    pub attempts: i64,
    /// The account at Stripe.
    pub customer: StripeId,
    /// The saved card.
    pub payment_method: StripeId,
}

/// The batch that begins one, and where its answers stand.
#[derive(Clone, Debug)]
pub struct TopUpBatch {
    /// What to execute.
    pub batch: Batch,
    commit: StepIndex,
    order: StepIndex,
}

const READ: &str = "\
SELECT enabled, threshold_nanos, amount_cents, month_limit_cents, stopped_by FROM auto_top_ups
WHERE account_id = ?1";

// It works only with a card that is saved.
const EDIT: &str = "\
INSERT INTO auto_top_ups (account_id, enabled, threshold_nanos, amount_cents, month_limit_cents,
  updated_at_ms)
SELECT a.id, ?2, ?3, ?4, ?5, ?6 FROM accounts a WHERE a.id = ?1 AND a.kind <> 'operator'
  AND (?2 = 0 OR EXISTS (SELECT 1 FROM stripe_customers c WHERE c.account_id = a.id
    AND c.payment_method_id IS NOT NULL))
ON CONFLICT (account_id) DO UPDATE SET enabled = excluded.enabled,
  threshold_nanos = excluded.threshold_nanos, amount_cents = excluded.amount_cents,
  month_limit_cents = excluded.month_limit_cents, stopped_by = NULL,
  updated_at_ms = excluded.updated_at_ms";

const BEFORE: &str = "\
coalesce((SELECT json_object('enabled', t.enabled, 'threshold_nanos', t.threshold_nanos,
  'amount_cents', t.amount_cents, 'month_limit_cents', t.month_limit_cents)
  FROM auto_top_ups t WHERE t.account_id = r.id), '{}')";

const STOP: &str = "\
UPDATE auto_top_ups SET enabled = 0, stopped_by = ?2, updated_at_ms = ?3
WHERE account_id = ?1 AND enabled = 1";

const COUNT: &str = "\
UPDATE auto_top_ups SET attempts = attempts + 1 WHERE account_id = ?1 AND attempts = ?2";

const FAIL: &str = "\
UPDATE orders SET state = 'failed', failure = ?3
WHERE id = ?1 AND account_id = ?2 AND kind = 'auto_top_up' AND state IN ('new', 'pending')";

/// Who is due: `?1` is now, `?2` the start of the day, `?3` that of the month, `?4` when an account
/// made since is new, `?5` and `?6` the caps of an account, `?7` and `?8` those of a card.
fn due() -> String {
    let account = spent("t.account_id", "?2", "?1");
    let card = card_spent("c.card_fingerprint", "?2");
    format!(
        "FROM auto_top_ups t JOIN accounts a ON a.id = t.account_id \
           JOIN accounts p ON p.id = a.parent_id \
           JOIN stripe_customers c ON c.account_id = t.account_id \
         WHERE t.enabled = 1 AND a.status = 'active' AND p.status = 'active' \
           AND c.payment_method_id IS NOT NULL AND c.card_fingerprint IS NOT NULL \
           AND a.balance_nanos - a.held_nanos - a.debt_nanos < t.threshold_nanos \
           AND NOT EXISTS (SELECT 1 FROM orders x WHERE x.account_id = t.account_id \
             AND x.kind = 'auto_top_up' AND x.state IN ('new', 'pending')) \
           AND t.amount_cents + (SELECT coalesce(sum(x.price_cents), 0) FROM orders x \
             WHERE x.account_id = t.account_id AND x.kind = 'auto_top_up' AND x.state = 'paid' \
             AND x.created_at_ms >= ?3) <= t.month_limit_cents \
           AND t.amount_cents + {account} <= CASE WHEN a.created_at_ms > ?4 THEN ?5 ELSE ?6 END \
           AND t.amount_cents + {card} <= CASE WHEN a.created_at_ms > ?4 THEN ?7 ELSE ?8 END"
    )
}

fn bind_due(sql: String, caps: &Caps, now_ms: i64) -> Statement {
    Statement::new(sql)
        .bind(now_ms)
        .bind(day_start_ms(now_ms))
        .bind(month_start_ms(now_ms))
        .bind(now_ms.saturating_sub(FIRST_WEEK_MS))
        .bind(caps.account_day_first_week.get())
        .bind(caps.account_day.get())
        .bind(caps.card_day_first_week.get())
        .bind(caps.card_day.get())
}

/// The first moment of the UTC month.
fn month_start_ms(now_ms: i64) -> i64 {
    let mut before = Periods::of(now_ms);
    before.month = before.month.saturating_sub(1);
    before.month_end_ms().unwrap_or(now_ms)
}

/// Reads what an account set; no row: nothing.
#[must_use]
pub fn top_up_statement(account: &AccountId) -> Statement {
    Statement::new(READ).bind(account.as_str())
}

/// Reads the row of what an account set.
pub fn read_top_up(row: &Row) -> Result<KeptTopUp, HranaFault> {
    Ok(KeptTopUp {
        top_up: TopUp {
            enabled: row.get(0)?,
            threshold: Nanos::new(row.get(1)?),
            amount: Cents::new(row.get(2)?),
            month_limit: Cents::new(row.get(3)?),
        },
        stopped_by: row.get(4)?,
    })
}

impl TopUp {
    /// Sets it for an account. The transaction does not take place where it is to be switched on and
    /// no card is saved.
    pub fn edit(
        &self,
        account: &AccountId,
        caps: &Caps,
        change: &Change,
    ) -> Result<Commit, TopUpRefusal> {
        self.check(caps)?;
        let entry = change.of(Entry {
            action: "top_up.edit",
            table: "accounts",
            subject: account.as_str(),
            before: BEFORE,
            after: json!({
                "enabled": i64::from(self.enabled),
                "threshold_nanos": self.threshold.get(),
                "amount_cents": self.amount.get(),
                "month_limit_cents": self.month_limit.get(),
            })
            .to_string(),
        });
        let edit = Statement::new(EDIT)
            .bind(account.as_str())
            .bind(self.enabled)
            .bind(self.threshold.get())
            .bind(self.amount.get())
            .bind(self.month_limit.get())
            .bind(change.at_ms);
        Ok(crate::accounts::commit([entry, edit]))
    }

    fn check(&self, caps: &Caps) -> Result<(), TopUpRefusal> {
        if self.amount < caps.min_amount || self.amount > caps.max_amount {
            return Err(TopUpRefusal::Amount {
                min: caps.min_amount,
                max: caps.max_amount,
            });
        }
        if self.threshold < Nanos::ZERO {
            return Err(TopUpRefusal::Threshold);
        }
        if self.month_limit < self.amount {
            return Err(TopUpRefusal::MonthLimit);
        }
        Ok(())
    }
}

/// Finds accounts that are to be topped up now.
#[must_use]
pub fn due_top_ups_statement(terms: &Terms, now_ms: i64, limit: u32) -> Statement {
    let sql = format!(
        "SELECT t.account_id, t.amount_cents, t.attempts, c.stripe_id, c.payment_method_id {} \
         ORDER BY t.account_id LIMIT ?9",
        due()
    );
    bind_due(sql, &terms.caps, now_ms).bind(i64::from(limit))
}

/// Reads the row of an account that is to be topped up.
pub fn read_due_top_up(row: &Row) -> Result<DueTopUp, HranaFault> {
    Ok(DueTopUp {
        account: word(row, 0, AccountId::parse)?,
        amount: Cents::new(row.get(1)?),
        attempts: row.get(2)?,
        customer: stripe_id(row, 3)?.ok_or(HranaFault::UnexpectedColumn(3))?,
        payment_method: stripe_id(row, 4)?.ok_or(HranaFault::UnexpectedColumn(4))?,
    })
}

impl DueTopUp {
    /// The batch that writes the order, unless the account is not due any more.
    #[must_use]
    pub fn begin(&self, id: &OrderId, terms: &Terms, now_ms: i64) -> TopUpBatch {
        let sql = format!(
            "INSERT INTO orders (id, account_id, seller_id, kind, attempt, price_cents, currency, \
               credit_nanos, proceeds_nanos, state, livemode, expires_at_ms, created_at_ms) \
             SELECT ?9, a.id, a.parent_id, 'auto_top_up', t.attempts + 1, t.amount_cents, 'usd', \
               ?12, CASE p.kind WHEN 'reseller' THEN ?13 END, 'new', ?14, ?15, ?1 {} \
               AND t.account_id = ?10 AND t.attempts = ?11 AND t.amount_cents = ?16 \
               AND (p.kind <> 'reseller' OR ?13 IS NOT NULL)",
            due()
        );
        let insert = bind_due(sql, &terms.caps, now_ms)
            .bind(id.as_str())
            .bind(self.account.as_str())
            .bind(self.attempts)
            .bind(self.amount.to_nanos().map(Nanos::get))
            .bind(terms.fee.proceeds(self.amount).map(Nanos::get))
            .bind(terms.livemode)
            .bind(now_ms.saturating_add(LIFE_MS))
            .bind(self.amount.get());
        let count = Statement::new(COUNT)
            .bind(self.account.as_str())
            .bind(self.attempts);
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        for statement in [insert, count] {
            transaction.then(statement);
            transaction.require_change();
        }
        let commit = transaction.commit();
        let sql = format!("SELECT {COLUMNS} FROM orders o WHERE o.id = ?1 AND o.account_id = ?2");
        let read = Statement::new(sql)
            .bind(id.as_str())
            .bind(self.account.as_str());
        let order = batch.step(None, read);
        TopUpBatch {
            batch,
            commit,
            order,
        }
    }

    /// What to ask Stripe; `name` is what the receipt calls it. Give the answer to an `Application`, or
    /// a final refusal to `give_up_top_up`. The same order asks for the same payment.
    #[must_use]
    pub fn to_request(&self, order: &Order, name: &str) -> StripeRequest {
        let request = NewPaymentIntent {
            account: &order.account,
            order: &order.id,
            attempt: order.attempt.unwrap_or_default(),
            price: order.price,
            customer: &self.customer,
            payment_method: &self.payment_method,
            name,
        };
        request.to_request()
    }
}

impl TopUpBatch {
    /// The order that was written; `None` when the account is not due any more.
    pub fn read(&self, reply: &Reply) -> Result<Option<Order>, HranaFault> {
        if !reply.is_ok(self.commit) {
            return Ok(None);
        }
        reply.rows(self.order).first().map(read_order).transpose()
    }
}

/// Ends an automatic top-up that Stripe finally refused: the order fails, and no other is begun until
/// a person switches it on again.
#[must_use]
pub fn give_up_top_up(
    account: &AccountId,
    order: &OrderId,
    error: &StripeError,
    now_ms: i64,
) -> (Batch, StepIndex) {
    fail(account, order, error.word(), now_ms)
}

pub(super) fn fail(
    account: &AccountId,
    order: &OrderId,
    why: &'static str,
    now_ms: i64,
) -> (Batch, StepIndex) {
    let fail = Statement::new(FAIL)
        .bind(order.as_str())
        .bind(account.as_str())
        .bind(why);
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    transaction.then(fail);
    transaction.require_change();
    for statement in stop(account, why, now_ms) {
        transaction.then(statement);
    }
    let commit = transaction.commit();
    (batch, commit)
}

/// Switches it off because a payment failed, and tells the account's people.
pub(super) fn stop(account: &AccountId, why: &str, now_ms: i64) -> [Statement; 2] {
    let stop = Statement::new(STOP)
        .bind(account.as_str())
        .bind(why)
        .bind(now_ms);
    let alarm = Alarm {
        account: Some(account.clone()),
        kind: AlarmKind::TopUpStopped,
        detail: format!("automatic top-up was switched off: {why}"),
    };
    [stop, alarm.raise(now_ms)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_where_the_calendar_says() {
        // 2026-11-22T12:00:00Z and 2026-11-01T00:00:00Z.
        assert_eq!(month_start_ms(1_795_348_800_000), 1_793_491_200_000);
        assert_eq!(month_start_ms(1_793_491_200_000), 1_793_491_200_000);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let caps = Caps::default();
        let check = |(threshold, amount, month): (i64, i64, i64), expect| {
            let top_up = TopUp {
                enabled: true,
                threshold: Nanos::new(threshold),
                amount: Cents::new(amount),
                month_limit: Cents::new(month),
            };
            assert_eq!(top_up.check(&caps), expect, "{threshold} {amount} {month}");
        };
        let range = Err(TopUpRefusal::Amount {
            min: caps.min_amount,
            max: caps.max_amount,
        });
        check((0, 500, 500), Ok(()));
        check((i64::MAX, 100_000, i64::MAX), Ok(()));
        check((0, 499, 500), range);
        check((0, 100_001, 200_000), range);
        check((-1, 500, 500), Err(TopUpRefusal::Threshold));
        check((0, 500, 499), Err(TopUpRefusal::MonthLimit));
    }
}
