//! What the payment of an order changes: the credit is granted, or the money goes back because of the
//! card's cap, or the order is marked. What does not match its order gets no credit, and people are
//! told.

use super::application::{Applied, Decision, Heard, Notice, Write, by_stripe};
use super::card;
use super::create::day_start_ms;
use super::due_top_up;
use super::order::{COLUMNS, Order, OrderKind, OrderState, WIDTH, read_order, stripe_id};
use super::payment::{Payment, PaymentState, Receipt};
use super::refund::AskedRefund;
use super::terms::{FIRST_WEEK_MS, Terms};
use super::waiting::record;
use crate::alarm::{Alarm, AlarmKind};
use crate::hrana::{Batch, HranaFault, Reply, Statement, Transaction};
use crate::ledger::Posting;
use crate::stripe::StripeId;

/// In what a payment does not match its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// There is no such order.
    Order,
    /// Test money for live credit, or the other way round.
    Mode,
    /// It was made in another way than the order.
    Kind,
    /// Another account pays.
    Customer,
    /// Another currency, or none.
    Currency,
    /// Another amount, or none.
    Amount,
    /// The order has another session or payment.
    Session,
}

impl Mismatch {
    /// One word for the log and for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Mode => "mode",
            Self::Kind => "kind",
            Self::Customer => "customer",
            Self::Currency => "currency",
            Self::Amount => "amount",
            Self::Session => "session",
        }
    }
}

/// What a card paid in the day: `{card}` and `{day}` are arguments.
pub(super) fn card_spent(card: &str, day: &str) -> String {
    format!(
        "(SELECT coalesce(sum(x.price_cents), 0) FROM orders x WHERE x.card_fingerprint = {card} \
           AND x.state = 'paid' AND x.paid_at_ms >= {day})"
    )
}

const MARK: &str = "\
UPDATE orders SET state = ?4, session_id = coalesce(session_id, ?5), failure = ?6,
  checkout_url = coalesce(?7, checkout_url), expires_at_ms = coalesce(?8, expires_at_ms)
WHERE id = ?1 AND account_id = ?2 AND state = ?3 AND (?5 IS NULL OR coalesce(session_id, ?5) = ?5)";

const REFUSE: &str = "\
UPDATE orders SET state = 'refused', failure = 'card_cap', session_id = coalesce(?3, session_id),
  payment_intent_id = ?4, card_fingerprint = ?5, receipt_url = ?6, invoice_url = ?7,
  refunded_cents = price_cents
WHERE id = ?1 AND account_id = ?2 AND state IN ('new', 'open', 'pending', 'failed', 'expired')
  AND (?3 IS NULL OR coalesce(session_id, ?3) = ?3)";

fn pay() -> String {
    let spent = card_spent("?5", "?9");
    format!(
        "UPDATE orders SET state = 'paid', session_id = coalesce(?3, session_id), \
           payment_intent_id = ?4, card_fingerprint = ?5, receipt_url = ?6, invoice_url = ?7, \
           failure = NULL, paid_at_ms = ?8 \
         WHERE id = ?1 AND account_id = ?2 \
           AND state IN ('new', 'open', 'pending', 'failed', 'expired') \
           AND (?3 IS NULL OR coalesce(session_id, ?3) = ?3) \
           AND {spent} + price_cents <= CASE WHEN \
             (SELECT a.created_at_ms FROM accounts a WHERE a.id = account_id) > ?10 \
             THEN ?11 ELSE ?12 END"
    )
}

/// Reads the order of a payment, its customer at Stripe, and whether the card may pay that much.
/// Whose order it is, only its id tells.
pub(super) fn read(payment: &Payment, terms: &Terms, now_ms: i64) -> Batch {
    let spent = card_spent(
        "CASE WHEN ?2 IS NULL THEN ?3 || o.account_id ELSE ?2 END",
        "?4",
    );
    let sql = format!(
        "SELECT {COLUMNS}, c.stripe_id, {spent} + o.price_cents <= CASE \
           WHEN a.created_at_ms > ?5 THEN ?6 ELSE ?7 END \
         FROM orders o JOIN accounts a ON a.id = o.account_id \
         LEFT JOIN stripe_customers c ON c.account_id = o.account_id WHERE o.id = ?1"
    );
    let (card, prefix) = match &payment.state {
        PaymentState::Paid(receipt) => receipt.card.counted_by(),
        PaymentState::Open { .. }
        | PaymentState::Pending
        | PaymentState::Failed(_)
        | PaymentState::Expired => (None, String::new()),
    };
    let statement = Statement::new(sql)
        .bind(payment.order.as_str())
        .bind(card)
        .bind(prefix)
        .bind(day_start_ms(now_ms))
        .bind(now_ms.saturating_sub(FIRST_WEEK_MS))
        .bind(terms.caps.card_day_first_week.get())
        .bind(terms.caps.card_day.get());
    let mut batch = Batch::new();
    batch.step(None, statement);
    batch
}

pub(super) fn decide(
    heard: &Heard,
    payment: &Payment,
    (terms, reply): (&Terms, &Reply),
) -> Result<Decision, HranaFault> {
    if !reply.is_ok(0) {
        return Ok(Decision::Done(Applied::Busy));
    }
    let Some(row) = reply.rows(0).first() else {
        return Ok(unmatched(heard, payment, Mismatch::Order));
    };
    let order = read_order(row)?;
    let customer = stripe_id(row, WIDTH)?;
    if let Some(mismatch) = mismatch(&order, customer.as_ref(), (payment, terms)) {
        return Ok(unmatched(heard, payment, mismatch));
    }
    let within_cap: bool = row.get(WIDTH.saturating_add(1))?;
    Ok(match &payment.state {
        PaymentState::Paid(receipt) if !is_payable(order.state) => {
            if order.payment_intent.as_ref() == Some(&receipt.payment_intent) {
                recorded(heard, Applied::Before, Some(&receipt.payment_intent))
            } else {
                unmatched(heard, payment, Mismatch::Session)
            }
        }
        PaymentState::Paid(receipt) if within_cap => grant(heard, &order, (receipt, terms)),
        PaymentState::Paid(receipt) => refuse(heard, &order, receipt),
        PaymentState::Open { url, expires_at_ms } => {
            let page = (url.as_deref(), Some(*expires_at_ms));
            mark(heard, &order, (OrderState::Open, None, page))
        }
        PaymentState::Pending => mark(heard, &order, (OrderState::Pending, None, (None, None))),
        PaymentState::Failed(why) => {
            mark(heard, &order, (OrderState::Failed, Some(why), (None, None)))
        }
        PaymentState::Expired => mark(heard, &order, (OrderState::Expired, None, (None, None))),
    })
}

/// Money that is there counts even if the order was given up before.
const fn is_payable(state: OrderState) -> bool {
    match state {
        OrderState::New
        | OrderState::Open
        | OrderState::Pending
        | OrderState::Failed
        | OrderState::Expired => true,
        OrderState::Paid | OrderState::Refused => false,
    }
}

fn mismatch(
    order: &Order,
    customer: Option<&StripeId>,
    (payment, terms): (&Payment, &Terms),
) -> Option<Mismatch> {
    let received = match &payment.state {
        PaymentState::Paid(receipt) => receipt.received,
        PaymentState::Open { .. }
        | PaymentState::Pending
        | PaymentState::Failed(_)
        | PaymentState::Expired => order.price,
    };
    let session = order.session.as_ref();
    let checks = [
        (
            order.livemode == payment.livemode && order.livemode == terms.livemode,
            Mismatch::Mode,
        ),
        (order.kind == payment.kind, Mismatch::Kind),
        (
            customer.is_some() && customer == payment.customer.as_ref(),
            Mismatch::Customer,
        ),
        (
            payment.currency.as_deref() == Some("usd"),
            Mismatch::Currency,
        ),
        (
            payment.amount == Some(order.price) && received == order.price,
            Mismatch::Amount,
        ),
        (
            session.is_none_or(|session| *session == payment.session),
            Mismatch::Session,
        ),
    ];
    let failed = checks.into_iter().find(|(holds, _)| !holds);
    failed.map(|(_, mismatch)| mismatch)
}

/// Nothing but the event's record.
pub(super) fn recorded(heard: &Heard, applied: Applied, payment: Option<&StripeId>) -> Decision {
    let stamp = heard.stamp.as_ref();
    if stamp.is_none() && payment.is_none() {
        return Decision::Done(applied);
    }
    let record = stamp.map(|stamp| record(stamp, heard.now_ms));
    let (batch, commit) = Batch::transaction(record);
    Decision::Write(Write {
        batch,
        commit,
        applied,
        payment: payment.cloned(),
    })
}

/// No credit is given. Where money is there, people must look.
fn unmatched(heard: &Heard, payment: &Payment, mismatch: Mismatch) -> Decision {
    let PaymentState::Paid(receipt) = &payment.state else {
        return recorded(heard, Applied::Unmatched(mismatch), None);
    };
    let detail = format!(
        "payment {} for order {} was not granted: its {} does not match",
        receipt.payment_intent,
        payment.order,
        mismatch.word()
    );
    alarmed(heard, mismatch, detail)
}

/// Records the event and tells the operator.
pub(super) fn alarmed(heard: &Heard, mismatch: Mismatch, detail: String) -> Decision {
    let alarm = Alarm::for_operator(AlarmKind::PaymentUnmatched, detail);
    let record = heard.stamp.iter().map(|stamp| record(stamp, heard.now_ms));
    let (batch, commit) = Batch::transaction(record.chain([alarm.raise(heard.now_ms)]));
    Decision::Write(Write {
        batch,
        commit,
        applied: Applied::Unmatched(mismatch),
        payment: None,
    })
}

fn grant(heard: &Heard, order: &Order, (receipt, terms): (&Receipt, &Terms)) -> Decision {
    let now_ms = heard.now_ms;
    let event = order.id.as_str();
    let Some(sale) = order.sale(order.part(order.price), event, "credit purchase") else {
        return Decision::Done(Applied::Unmatched(Mismatch::Amount));
    };
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    let pay = bind_receipt(pay(), (heard, order), receipt)
        .bind(now_ms)
        .bind(day_start_ms(now_ms))
        .bind(now_ms.saturating_sub(FIRST_WEEK_MS))
        .bind(terms.caps.card_day_first_week.get())
        .bind(terms.caps.card_day.get());
    transaction.then(pay);
    transaction.require_change();
    Posting::purchase(&sale).append(&mut transaction, &by_stripe(&order.account, now_ms));
    if let Some(keep) = card::keep_bought(order, receipt) {
        transaction.then(keep);
    }
    add_record(&mut transaction, heard);
    let commit = transaction.commit();
    Decision::Write(Write {
        batch,
        commit,
        applied: Applied::Granted {
            account: order.account.clone(),
            order: order.id.clone(),
        },
        payment: Some(receipt.payment_intent.clone()),
    })
}

/// The card has paid too much today: the money goes back, and the credit never was there.
fn refuse(heard: &Heard, order: &Order, receipt: &Receipt) -> Decision {
    let refund = AskedRefund::of_refused(order, &receipt.payment_intent);
    let detail = format!(
        "order {} was refused and {} go back: its card paid as much as it may today",
        order.id, order.price
    );
    let alarm = Alarm::for_operator(AlarmKind::CardOverCap, detail);
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    transaction.then(bind_receipt(REFUSE, (heard, order), receipt));
    transaction.require_change();
    transaction.then(refund.insert(heard.now_ms));
    add_record(&mut transaction, heard);
    transaction.then(alarm.raise(heard.now_ms));
    let commit = transaction.commit();
    Decision::Write(Write {
        batch,
        commit,
        applied: Applied::Refused(Box::new(refund)),
        payment: Some(receipt.payment_intent.clone()),
    })
}

fn bind_receipt(
    sql: impl Into<std::borrow::Cow<'static, str>>,
    (heard, order): (&Heard, &Order),
    receipt: &Receipt,
) -> Statement {
    Statement::new(sql)
        .bind(order.id.as_str())
        .bind(order.account.as_str())
        .bind(session_of(heard).map(StripeId::as_str))
        .bind(receipt.payment_intent.as_str())
        .bind(receipt.fingerprint(&order.account))
        .bind(receipt.receipt_url.as_deref())
        .bind(receipt.invoice_url.as_deref())
}

pub(super) fn add_record(transaction: &mut Transaction<'_>, heard: &Heard) {
    if let Some(stamp) = &heard.stamp {
        transaction.then(record(stamp, heard.now_ms));
    }
}

type Page<'a> = (Option<&'a str>, Option<i64>);

fn mark(
    heard: &Heard,
    order: &Order,
    (to, why, (url, expires_at_ms)): (OrderState, Option<&str>, Page<'_>),
) -> Decision {
    let known = !order.state.is_unfinished() || rank(order.state) >= rank(to);
    if known {
        return recorded(heard, Applied::Before, None);
    }
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    let mark = Statement::new(MARK)
        .bind(order.id.as_str())
        .bind(order.account.as_str())
        .bind(order.state.as_str())
        .bind(to.as_str())
        .bind(session_of(heard).map(StripeId::as_str))
        .bind(why)
        .bind(url)
        .bind(expires_at_ms);
    transaction.then(mark);
    transaction.require_change();
    if to == OrderState::Failed && order.kind == OrderKind::AutoTopUp {
        let why = why.unwrap_or("failed");
        for statement in due_top_up::stop(&order.account, why, heard.now_ms) {
            transaction.then(statement);
        }
    }
    add_record(&mut transaction, heard);
    let commit = transaction.commit();
    Decision::Write(Write {
        batch,
        commit,
        applied: Applied::Marked(to),
        payment: None,
    })
}

fn session_of(heard: &Heard) -> Option<&StripeId> {
    match &heard.notice {
        Notice::Payment(payment) => Some(&payment.session),
        Notice::Refund(_) | Notice::Dispute { .. } => None,
    }
}

/// A payment goes on in this direction only.
const fn rank(state: OrderState) -> u8 {
    match state {
        OrderState::New => 0,
        OrderState::Open => 1,
        OrderState::Pending => 2,
        OrderState::Failed | OrderState::Expired => 3,
        OrderState::Paid | OrderState::Refused => 4,
    }
}
