//! Automatic top-up: the saved card pays by itself when the free balance falls below a threshold, one
//! order at a time, within a limit a month and all caps. A payment that fails switches it off.

use super::create::{day_start_ms, spent};
use super::grant::card_spent;
use super::order::{COLUMNS, Order, read_order, stripe_id, word};
use super::terms::{Caps, FIRST_WEEK_MS, Terms};
use crate::alarm::{Alarm, AlarmKind};
use crate::calendar::Periods;
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement, StepIndex};
use crate::ids::{AccountId, OrderId};
use crate::money::Nanos;
use crate::stripe::{Cents, NewPaymentIntent, StripeError, StripeId, StripeRequest};

/// How long a payment may take before it is given up, in milliseconds. Stripe keeps idempotency keys
/// for a day, so that it can be asked again that long.
const LIFE_MS: i64 = 23 * 3_600_000;

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

const STOP: &str = "\
UPDATE auto_top_ups SET enabled = 0, stopped_by = ?2, untold = 1, updated_at_ms = ?3
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
               credit_nanos, proceeds_nanos, state, livemode, expires_at_ms, created_at_ms, \
               payment_method_id) \
             SELECT ?9, a.id, a.parent_id, 'auto_top_up', t.attempts + 1, t.amount_cents, 'usd', \
               ?12, CASE p.kind WHEN 'reseller' THEN ?13 END, 'new', ?14, ?15, ?1, \
               c.payment_method_id {} AND c.payment_method_id = ?17 \
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
            .bind(self.amount.get())
            .bind(self.payment_method.as_str());
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
}
