//! What the cron asks Stripe about: orders that are neither paid nor over, and sessions that nobody
//! told of. Whatever Stripe answers goes into an `Application`, as everything that is heard does.

use serde_json::json;

use super::due_top_up::{DueTopUp, fail};
use super::order::{COLUMNS, Order, OrderKind, OrderState, WIDTH, read_order, stripe_id};
use super::session::expire_order;
use crate::hrana::{Batch, HranaFault, Row, Statement};
use crate::ids::OrderId;
use crate::stripe::{
    Page, Session, SessionStatus, StripeId, StripeRequest, retrieve_payment_intent,
    retrieve_session,
};

/// How long after its page must have closed an order without one is given up, in milliseconds: Stripe
/// may have made a page that nobody kept, and the list of sessions shows it by then.
const GRACE_MS: i64 = 3_600_000;

/// An order that is neither paid nor over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The order.
    pub order: Order,
    /// What a top-up is paid with: the card that it was begun with, whatever is saved now.
    with: Option<DueTopUp>,
}

/// What to do about an unfinished order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Ask for its session, and apply `Payment::from_session`.
    Session(StripeRequest),
    /// Ask for its payment, and apply `Payment::from_intent`. A final refusal goes to
    /// `give_up_top_up`.
    PaymentIntent(StripeRequest),
    /// Nothing is known at Stripe yet: it is among the sessions that are listed, or nowhere.
    Listed,
    /// Its page would be closed for long. Execute this if the list of sessions was read to its end and
    /// did not show one: otherwise somebody may have paid on it.
    NeverMade(Batch),
    /// It has waited long enough: execute this.
    GiveUp(Batch),
}

/// Finds unfinished orders that were made before a moment. If there are more than the limit, every minute
/// others are found: money from banks is on its way for days, and must not hide who paid just now.
#[must_use]
pub fn unfinished_statement(before_ms: i64, limit: u32) -> Statement {
    let sql = format!(
        "SELECT {COLUMNS}, c.stripe_id, o.payment_method_id FROM orders o \
         LEFT JOIN stripe_customers c ON c.account_id = o.account_id \
         WHERE o.state IN ('new', 'open', 'pending') AND o.created_at_ms < ?1 \
         ORDER BY (o.rowid * 40503 + ?1 / 60000 * 25717) % 65536, o.rowid LIMIT ?2"
    );
    Statement::new(sql).bind(before_ms).bind(i64::from(limit))
}

/// Reads the row of an unfinished order.
pub fn read_unfinished(row: &Row) -> Result<Unfinished, HranaFault> {
    let order = read_order(row)?;
    let customer = stripe_id(row, WIDTH)?;
    let method = stripe_id(row, WIDTH.saturating_add(1))?;
    let with = customer
        .zip(method)
        .map(|(customer, payment_method)| DueTopUp {
            account: order.account.clone(),
            amount: order.price,
            attempts: order.attempt.unwrap_or_default().saturating_sub(1),
            customer,
            payment_method,
        });
    Ok(Unfinished { order, with })
}

impl Unfinished {
    /// What to do about it; `name` is what a receipt calls it, as when it was begun.
    #[must_use]
    pub fn question(&self, name: &str, now_ms: i64) -> Question {
        let Self { order, with } = self;
        match (order.kind, &order.session) {
            (OrderKind::Checkout, Some(session)) => Question::Session(retrieve_session(session)),
            (OrderKind::Checkout, None) => {
                if now_ms < order.expires_at_ms.saturating_add(GRACE_MS) {
                    return Question::Listed;
                }
                let (batch, _) = Batch::transaction([expire_order(&order.account, &order.id)]);
                Question::NeverMade(batch)
            }
            (OrderKind::AutoTopUp, Some(payment)) => {
                Question::PaymentIntent(retrieve_payment_intent(payment))
            }
            (OrderKind::AutoTopUp, None) => match with {
                Some(with) if now_ms < order.expires_at_ms => {
                    Question::PaymentIntent(with.to_request(order, name))
                }
                Some(_) | None => {
                    let (batch, _) = fail(&order.account, &order.id, "unknown", now_ms);
                    Question::GiveUp(batch)
                }
            },
        }
    }
}

/// Of a page of sessions, those that say more than the database knows: to be retrieved and applied.
#[must_use]
pub fn untold_statement(page: &Page<Session>) -> Statement {
    let listed = page.data.iter().filter_map(|session| {
        let order = session.client_reference_id.as_deref();
        let order = order.and_then(OrderId::parse)?;
        let used = session.status == Some(SessionStatus::Complete);
        Some(json!([order.as_str(), session.id.as_str(), used]))
    });
    let listed: serde_json::Value = listed.collect();
    let sql = "SELECT l.value ->> 1 FROM json_each(?1) l JOIN orders o ON o.id = l.value ->> 0 \
               WHERE o.state = 'new' \
                 OR (o.state IN ('open', 'pending', 'failed', 'expired') AND l.value ->> 2) \
               ORDER BY l.key";
    Statement::new(sql).bind(listed.to_string())
}

/// Reads the session of a row of `untold_statement`.
pub fn read_untold(row: &Row) -> Result<StripeId, HranaFault> {
    stripe_id(row, 0)?.ok_or(HranaFault::UnexpectedColumn(0))
}

/// From when on sessions are to be listed so that none of these orders is missed, in Unix
/// milliseconds; `None` when none of them needs it.
#[must_use]
pub fn list_since(unfinished: &[Unfinished]) -> Option<i64> {
    let unknown = unfinished.iter().filter(|it| {
        it.order.kind == OrderKind::Checkout
            && it.order.state == OrderState::New
            && it.order.session.is_none()
    });
    // Stripe's clock may be a little behind.
    let oldest = unknown.map(|it| it.order.created_at_ms).min()?;
    Some(oldest.saturating_sub(60_000))
}
