//! A refund: its row, what it moves in the ledger, what Stripe is asked, and how what it took is given
//! back, once, when it fails. How it is asked for here is in `refundable`, what Stripe says in `refunded`.

use super::application::by_stripe;
use super::order::{Order, Part, stripe_id, word};
use crate::alarm::{Alarm, AlarmKind};
use crate::hrana::{Batch, HranaFault, Row, Statement, StepIndex, Transaction};
use crate::ids::{AccountId, OrderId, RefundId};
use crate::ledger::{Amount, Posting, Proceeds, Sale};
use crate::money::Nanos;
use crate::stripe::{Cents, NewRefund, StripeError, StripeId, StripeRequest};

/// Where a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefundState {
    /// Stripe may not know of it yet.
    Asked,
    /// The bank has not said yet.
    Pending,
    /// The money is on its way.
    Succeeded,
    /// The money did not go, and the credit is back.
    Failed,
}

impl RefundState {
    /// Every state, in the order in which they follow each other.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Pending, Self::Succeeded, Self::Failed];

    /// The word that the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The state that the word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A refund for which Stripe is, or was, to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedRefund {
    /// Its id, and its idempotency key.
    pub id: RefundId,
    /// What was paid for.
    pub order: OrderId,
    /// Who gets the money.
    pub account: AccountId,
    /// The account above.
    pub seller: AccountId,
    /// The payment.
    pub payment_intent: StripeId,
    /// How much money.
    pub amount: Cents,
    /// The credit that was taken for it.
    pub credit: Nanos,
    /// What was taken from the reseller for it.
    pub proceeds: Option<Nanos>,
}

const INSERT: &str = "\
INSERT INTO refunds (id, order_id, account_id, stripe_id, amount_cents, credit_nanos,
  proceeds_nanos, state, created_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

const FAIL: &str = "\
UPDATE refunds SET state = 'failed', stripe_id = coalesce(stripe_id, ?3)
WHERE id = ?1 AND account_id = ?2 AND state = ?4";

const LOWER: &str = "\
UPDATE orders SET refunded_cents = refunded_cents - ?3 WHERE id = ?1 AND account_id = ?2";

const ASKED: &str = "\
SELECT r.id, r.order_id, r.account_id, o.seller_id, o.payment_intent_id, r.amount_cents,
  r.credit_nanos, r.proceeds_nanos FROM refunds r JOIN orders o ON o.id = r.order_id
WHERE r.state = 'asked' AND r.created_at_ms <= ?1 AND r.created_at_ms > ?2
ORDER BY r.created_at_ms LIMIT ?3";

/// How long Stripe is left alone with a refund before it is asked again, in milliseconds.
const PAUSE_MS: i64 = 120_000;

/// How long it is asked again, in milliseconds. Stripe forgets idempotency keys after a day, and would
/// send the money a second time.
const PATIENCE_MS: i64 = 23 * 3_600_000;

/// Reads refunds of which Stripe may not know: ask again.
#[must_use]
pub fn asked_refunds_statement(now_ms: i64, limit: u32) -> Statement {
    let from_ms = now_ms.saturating_sub(PATIENCE_MS);
    asked_between(now_ms.saturating_sub(PAUSE_MS), from_ms, limit)
}

/// Reads refunds of which Stripe has said nothing for so long that asking again might send the money
/// twice: raise their alarm.
#[must_use]
pub fn stuck_refunds_statement(now_ms: i64, limit: u32) -> Statement {
    asked_between(now_ms.saturating_sub(PATIENCE_MS), i64::MIN, limit)
}

fn asked_between(to_ms: i64, from_ms: i64, limit: u32) -> Statement {
    Statement::new(ASKED)
        .bind(to_ms)
        .bind(from_ms)
        .bind(i64::from(limit))
}

/// Reads the row of such a refund.
pub fn read_asked_refund(row: &Row) -> Result<AskedRefund, HranaFault> {
    Ok(AskedRefund {
        id: word(row, 0, RefundId::parse)?,
        order: word(row, 1, OrderId::parse)?,
        account: word(row, 2, AccountId::parse)?,
        seller: word(row, 3, AccountId::parse)?,
        payment_intent: stripe_id(row, 4)?.ok_or(HranaFault::UnexpectedColumn(4))?,
        amount: Cents::new(row.get(5)?),
        credit: Nanos::new(row.get(6)?),
        proceeds: row.get::<Option<i64>>(7)?.map(Nanos::new),
    })
}

impl AskedRefund {
    pub(super) fn of(
        order: &Order,
        payment: &StripeId,
        (id, amount, part): (RefundId, Cents, Part),
    ) -> Self {
        Self {
            id,
            order: order.id.clone(),
            account: order.account.clone(),
            seller: order.seller.clone(),
            payment_intent: payment.clone(),
            amount,
            credit: part.credit,
            proceeds: part.proceeds,
        }
    }

    /// The refund of all of an order whose credit was not given. Its id follows from the order's.
    pub(super) fn of_refused(order: &Order, payment: &StripeId) -> Self {
        let nothing = Part {
            credit: Nanos::ZERO,
            proceeds: None,
        };
        let id = RefundId::named(order.id.as_str());
        Self::of(order, payment, (id, order.price, nothing))
    }

    /// What to ask Stripe; give the answer to an `Application`, or a final refusal to `give_up`.
    #[must_use]
    pub fn to_request(&self) -> StripeRequest {
        let request = NewRefund {
            refund: &self.id,
            order: &self.order,
            payment_intent: &self.payment_intent,
            amount: self.amount,
        };
        request.to_request()
    }

    /// What to tell the operator of a refund that is stuck.
    #[must_use]
    pub fn stuck(&self) -> Alarm {
        let detail = format!(
            "stripe has said nothing of refund {} of {} of payment {} for a day: look there",
            self.id, self.amount, self.payment_intent
        );
        Alarm::for_operator(AlarmKind::RefundFailed, detail)
    }

    /// Gives the credit back, because Stripe finally refused, and tells the operator. Nothing happens
    /// if that was done before, or if Stripe knows the refund after all.
    #[must_use]
    pub fn give_up(&self, error: &StripeError, now_ms: i64) -> (Batch, StepIndex) {
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        self.fail(&mut transaction, (RefundState::Asked, None, now_ms));
        let detail = format!(
            "{} of order {} could not be sent back: {}",
            self.amount,
            self.order,
            error.word()
        );
        let alarm = Alarm::for_operator(AlarmKind::RefundFailed, detail);
        transaction.then(alarm.raise(now_ms));
        let commit = transaction.commit();
        (batch, commit)
    }

    /// Takes the refund from this state to `failed`, and gives back what it took.
    pub(super) fn fail(
        &self,
        transaction: &mut Transaction<'_>,
        (from, stripe_id, now_ms): (RefundState, Option<&StripeId>, i64),
    ) {
        let fail = Statement::new(FAIL)
            .bind(self.id.as_str())
            .bind(self.account.as_str())
            .bind(stripe_id.map(StripeId::as_str))
            .bind(from.as_str());
        transaction.then(fail);
        transaction.require_change();
        let lower = Statement::new(LOWER)
            .bind(self.order.as_str())
            .bind(self.account.as_str())
            .bind(self.amount.get());
        transaction.then(lower);
        transaction.require_change();
        if let Some(sale) = self.sale() {
            let change = by_stripe(&self.account, now_ms);
            Posting::refund_failed(&sale).append(transaction, &change);
        }
    }

    pub(super) fn insert(&self, now_ms: i64) -> Statement {
        self.insert_as((RefundState::Asked, None, now_ms))
    }

    pub(super) fn insert_as(
        &self,
        (state, stripe_id, now_ms): (RefundState, Option<&StripeId>, i64),
    ) -> Statement {
        Statement::new(INSERT)
            .bind(self.id.as_str())
            .bind(self.order.as_str())
            .bind(self.account.as_str())
            .bind(stripe_id.map(StripeId::as_str))
            .bind(self.amount.get())
            .bind(self.credit.get())
            .bind(self.proceeds.map(Nanos::get))
            .bind(state.as_str())
            .bind(now_ms)
    }

    /// What it moves in the ledger; `None` for nothing.
    pub(super) fn sale(&self) -> Option<Sale> {
        let proceeds = self.proceeds.and_then(Amount::new);
        Some(Sale {
            customer: self.account.clone(),
            credit: Amount::new(self.credit)?,
            proceeds: proceeds.map(|amount| Proceeds {
                reseller: self.seller.clone(),
                amount,
            }),
            event: self.id.to_string(),
            reason: "refund".to_owned(),
        })
    }
}
