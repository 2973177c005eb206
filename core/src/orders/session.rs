//! Stripe's page of an order: kept once Stripe made it, given up when Stripe refuses to.

use super::order::{COLUMNS, Order, OrderState, read_order};
use crate::hrana::{Batch, HranaFault, Reply, Statement, StepIndex};
use crate::ids::{AccountId, OrderId};
use crate::stripe::Session;

/// What the database said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attached {
    /// The order has this session; its page is open, or was used by now.
    Done(Box<Order>),
    /// The order has another session, or is over: send nobody to this page.
    Superseded(Box<Order>),
    /// The account has no such order.
    NoOrder,
}

/// The batch that keeps a session, and where its answer stands.
#[derive(Clone, Debug)]
pub struct AttachBatch {
    /// What to execute.
    pub batch: Batch,
    order: StepIndex,
}

const ATTACH: &str = "\
UPDATE orders SET state = 'open', session_id = ?3, checkout_url = ?4, expires_at_ms = ?5
WHERE id = ?1 AND account_id = ?2 AND state = 'new' AND (session_id IS NULL OR session_id = ?3)
  AND kind = 'checkout'";

const FAIL: &str = "\
UPDATE orders SET state = 'failed', failure = ?3
WHERE id = ?1 AND account_id = ?2 AND state IN ('new', 'open', 'pending')";

const EXPIRE: &str = "\
UPDATE orders SET state = 'expired'
WHERE id = ?1 AND account_id = ?2 AND state = 'new' AND session_id IS NULL";

/// Keeps the page that Stripe made for an order. It may be sent again.
#[must_use]
pub fn attach_session(account: &AccountId, order: &OrderId, session: &Session) -> AttachBatch {
    let mut batch = Batch::new();
    let attach = Statement::new(ATTACH)
        .bind(order.as_str())
        .bind(account.as_str())
        .bind(session.id.as_str())
        .bind(session.url.as_deref())
        .bind(session.expires_at.saturating_mul(1_000));
    batch.step(None, attach);
    let read = format!("SELECT {COLUMNS} FROM orders o WHERE o.id = ?1 AND o.account_id = ?2");
    let read = Statement::new(read)
        .bind(order.as_str())
        .bind(account.as_str());
    let order = batch.step(None, read);
    AttachBatch { batch, order }
}

impl AttachBatch {
    /// What the reply to the batch says about the session that was to be kept.
    pub fn read(&self, session: &Session, reply: &Reply) -> Result<Attached, HranaFault> {
        let Some(row) = reply.rows(self.order).first() else {
            return Ok(Attached::NoOrder);
        };
        let order = Box::new(read_order(row)?);
        let same = order.session.as_ref() == Some(&session.id);
        Ok(match order.state {
            OrderState::Open | OrderState::Pending | OrderState::Paid if same => {
                Attached::Done(order)
            }
            OrderState::New
            | OrderState::Open
            | OrderState::Pending
            | OrderState::Paid
            | OrderState::Failed
            | OrderState::Expired
            | OrderState::Refused => Attached::Superseded(order),
        })
    }
}

/// Ends an order for which Stripe finally refused a page; `why` is one word.
#[must_use]
pub fn fail_order(account: &AccountId, order: &OrderId, why: &'static str) -> Statement {
    Statement::new(FAIL)
        .bind(order.as_str())
        .bind(account.as_str())
        .bind(why)
}

/// Ends an order of which Stripe never knew.
pub(super) fn expire_order(account: &AccountId, order: &OrderId) -> Statement {
    Statement::new(EXPIRE)
        .bind(order.as_str())
        .bind(account.as_str())
}
