//! What Stripe says of a refund: one that we asked for goes on, and one that was made in Stripe's own
//! pages takes its credit back, as debt where it is spent. Its credit is taken as soon as Stripe knows
//! the refund, and given back when it fails: so the end is the same in whatever order that is heard.

use super::after_sale::{Found, booked, find, order_of, waits};
use super::application::{Applied, Decision, Heard, by_stripe};
use super::grant::{Mismatch, add_record, alarmed, recorded};
use super::order::{Order, Part, stripe_id, word};
use super::refund::{AskedRefund, RefundState};
use crate::alarm::{Alarm, AlarmKind};
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement};
use crate::ids::{OrderId, RefundId};
use crate::ledger::Posting;
use crate::money::Nanos;
use crate::stripe::{Cents, Refund, RefundStatus, StripeId};

/// A refund as the database keeps it.
struct Known {
    id: RefundId,
    order: OrderId,
    amount: Cents,
    part: Part,
    state: RefundState,
    stripe_id: Option<StripeId>,
}

const KNOWN: &str = "\
SELECT id, order_id, amount_cents, credit_nanos, proceeds_nanos, state, stripe_id FROM refunds
WHERE stripe_id = ?1 OR id = ?2 OR id = ?3 ORDER BY stripe_id IS NULL";

const FORWARD: &str = "\
UPDATE refunds SET state = ?4, stripe_id = ?3
WHERE id = ?1 AND account_id = ?2 AND state = ?5 AND coalesce(stripe_id, ?3) = ?3";

const RAISE: &str = "\
UPDATE orders SET refunded_cents = refunded_cents + ?3
WHERE id = ?1 AND account_id = ?2 AND refunded_cents + ?3 <= price_cents";

const NO_ROOM: &str = "\
EXISTS (SELECT 1 FROM orders o WHERE o.payment_intent_id = ?5
  AND o.refunded_cents + ?7 > o.price_cents)";

pub(super) fn read(refund: &Refund) -> Batch {
    let known = Statement::new(KNOWN)
        .bind(refund.id.as_str())
        .bind(refund.metadata.refund_id.as_deref())
        .bind(RefundId::named(refund.id.as_str()).as_str());
    let mut batch = Batch::new();
    batch.step(None, order_of(refund.payment_intent.as_ref()));
    batch.step(None, known);
    batch
}

fn read_known(row: &Row) -> Result<Known, HranaFault> {
    Ok(Known {
        id: word(row, 0, RefundId::parse)?,
        order: word(row, 1, OrderId::parse)?,
        amount: Cents::new(row.get(2)?),
        part: Part {
            credit: Nanos::new(row.get(3)?),
            proceeds: row.get::<Option<i64>>(4)?.map(Nanos::new),
        },
        state: word(row, 5, RefundState::parse)?,
        stripe_id: stripe_id(row, 6)?,
    })
}

pub(super) fn decide(
    heard: &Heard,
    refund: &Refund,
    reply: &Reply,
) -> Result<Decision, HranaFault> {
    let (order, payment) = match find(heard, refund.payment_intent.as_ref(), reply)? {
        Found::Order(order, payment) => (order, payment),
        Found::None(decision) => return Ok(decision),
    };
    if refund.currency != "usd" || refund.amount <= Cents::ZERO || refund.amount > order.price {
        let detail = format!("refund {} does not fit order {}", refund.id, order.id);
        return Ok(alarmed(heard, Mismatch::Amount, detail));
    }
    let known = reply.rows(1).iter().map(read_known);
    let known = known.collect::<Result<Vec<_>, _>>()?;
    let fits = |known: &&Known| {
        let id = known.stripe_id.as_ref().unwrap_or(&refund.id);
        *id == refund.id && known.order == order.id && known.amount == refund.amount
    };
    Ok(match known.iter().find(fits) {
        Some(known) => go_on(heard, &order, (known, refund, &payment)),
        None => begin(heard, &order, (refund, &payment)),
    })
}

const fn state_of(refund: &Refund) -> RefundState {
    match refund.status {
        Some(RefundStatus::Succeeded) => RefundState::Succeeded,
        Some(RefundStatus::Failed | RefundStatus::Canceled) => RefundState::Failed,
        Some(RefundStatus::Pending | RefundStatus::RequiresAction) | None => RefundState::Pending,
    }
}

/// A refund that has a row goes on to what Stripe says, never back.
fn go_on(
    heard: &Heard,
    order: &Order,
    (known, refund, payment): (&Known, &Refund, &StripeId),
) -> Decision {
    let state = state_of(refund).max(known.state);
    if state == known.state && known.stripe_id.is_some() {
        return recorded(heard, Applied::Before, Some(payment));
    }
    let row = AskedRefund::of(order, payment, (known.id.clone(), known.amount, known.part));
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    if state == RefundState::Failed && known.state != RefundState::Failed {
        let from = (known.state, Some(&refund.id), heard.now_ms);
        row.fail(&mut transaction, from);
        transaction.then(failed(order, refund).raise(heard.now_ms));
    } else {
        let forward = Statement::new(FORWARD)
            .bind(known.id.as_str())
            .bind(order.account.as_str())
            .bind(refund.id.as_str())
            .bind(state.as_str())
            .bind(known.state.as_str());
        transaction.then(forward);
        transaction.require_change();
    }
    add_record(&mut transaction, heard);
    let commit = transaction.commit();
    booked(batch, commit, payment)
}

fn failed(order: &Order, refund: &Refund) -> Alarm {
    let detail = format!(
        "refund {} of {} of order {} failed: the money came back",
        refund.id, refund.amount, order.id
    );
    Alarm::for_operator(AlarmKind::RefundFailed, detail)
}

/// A refund that nobody asked for here.
fn begin(heard: &Heard, order: &Order, (refund, payment): (&Refund, &StripeId)) -> Decision {
    let state = state_of(refund);
    let ended = state == RefundState::Failed;
    let no_room = refund.amount > order.price.less(order.refunded);
    if no_room && !ended {
        return waits(heard, payment, (NO_ROOM, refund.amount.get()));
    }
    let id = RefundId::named(refund.id.as_str());
    let row = AskedRefund::of(
        order,
        payment,
        (id, refund.amount, order.part(refund.amount)),
    );
    let change = by_stripe(&order.account, heard.now_ms);
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    let insert = row.insert_as((state, Some(&refund.id), heard.now_ms));
    transaction.then(insert);
    if !ended {
        let raise = Statement::new(RAISE)
            .bind(order.id.as_str())
            .bind(order.account.as_str())
            .bind(refund.amount.get());
        transaction.then(raise);
        transaction.require_change();
    }
    if let Some(sale) = row.sale() {
        Posting::refund(&sale).append(&mut transaction, &change);
        // Heard of only when it was over: the ledger is the same as if it had been heard of in time.
        if ended {
            Posting::refund_failed(&sale).append(&mut transaction, &change);
        }
    }
    if ended {
        transaction.then(failed(order, refund).raise(heard.now_ms));
    }
    add_record(&mut transaction, heard);
    let commit = transaction.commit();
    booked(batch, commit, payment)
}
