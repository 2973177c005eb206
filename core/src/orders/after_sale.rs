//! What refunds and disputes have in common: they are about a payment, may be heard of before it was
//! granted, and wait until it is.

use super::application::{Applied, Decision, Heard, Write};
use super::grant::{Mismatch, recorded};
use super::order::{COLUMNS, Order, read_order};
use super::waiting::wait;
use crate::hrana::{Batch, HranaFault, Reply, Statement, StepIndex};
use crate::stripe::StripeId;

const NOT_GRANTED: &str = "NOT EXISTS (SELECT 1 FROM orders o WHERE o.payment_intent_id = ?5)";

/// What an event is about.
pub(super) enum Found {
    /// The order and its payment.
    Order(Box<Order>, StripeId),
    /// None that is granted: what is to be done then.
    None(Decision),
}

/// Reads the order of a payment. Whose it is, only the payment tells.
pub(super) fn order_of(payment: Option<&StripeId>) -> Statement {
    Statement::new(format!(
        "SELECT {COLUMNS} FROM orders o WHERE o.payment_intent_id = ?1"
    ))
    .bind(payment.map(StripeId::as_str))
}

/// The order that the first step of the reply read; both steps must have been read.
pub(super) fn find(
    heard: &Heard,
    payment: Option<&StripeId>,
    reply: &Reply,
) -> Result<Found, HranaFault> {
    if !reply.is_ok(0) || !reply.is_ok(1) {
        return Ok(Found::None(Decision::Done(Applied::Busy)));
    }
    let Some(payment) = payment else {
        let unmatched = Applied::Unmatched(Mismatch::Order);
        return Ok(Found::None(recorded(heard, unmatched, None)));
    };
    let Some(row) = reply.rows(0).first() else {
        return Ok(Found::None(waits(heard, payment, (NOT_GRANTED, 0))));
    };
    let order = Box::new(read_order(row)?);
    Ok(Found::Order(order, payment.clone()))
}

/// Keeps the event until its payment is granted, or until another refund makes room for it.
pub(super) fn waits(heard: &Heard, payment: &StripeId, while_so: (&str, i64)) -> Decision {
    let Some(wait) = wait(heard, payment, while_so) else {
        return Decision::Done(Applied::Waits);
    };
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    transaction.then(wait);
    // If the condition did not hold any more, what was read is old.
    let id = heard.stamp.as_ref().map(|stamp| stamp.id.as_str());
    let there = Statement::new(
        "INSERT INTO guard (ok) SELECT 0 WHERE NOT EXISTS \
         (SELECT 1 FROM stripe_events WHERE id = ?1)",
    );
    transaction.then(there.bind(id));
    let commit = transaction.commit();
    Decision::Write(Write {
        batch,
        commit,
        applied: Applied::Waits,
        payment: None,
    })
}

/// The transaction that books it; others that wait for the same payment are looked at afterwards.
pub(super) fn booked(batch: Batch, commit: StepIndex, payment: &StripeId) -> Decision {
    Decision::Write(Write {
        batch,
        commit,
        applied: Applied::Booked,
        payment: Some(payment.clone()),
    })
}
