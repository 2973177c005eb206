//! The card that an account saved for automatic top-up, without buying or with a purchase: kept, replaced
//! by a later one, forgotten. The number is Stripe's; only what people know a card by is kept.

use serde_json::json;

use super::customer::SavedCard;
use super::order::Order;
use super::payment::Receipt;
use crate::accounts::Commit;
use crate::audit::{Change, Entry};
use crate::hrana::{Batch, Statement};
use crate::ids::AccountId;
use crate::stripe::{Card, Link, Session, SessionStatus, StripeId};

/// A card that was saved on a page of its own, as its session shows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedNow {
    customer: StripeId,
    method: StripeId,
    card: Card,
    livemode: bool,
    /// When the page was made, in Unix milliseconds.
    from_ms: i64,
}

// Whose card it is, only the customer tells that Stripe names; hearing it again changes nothing.
const SAVE: &str = "\
UPDATE stripe_customers SET payment_method_id = ?2, card = ?3, card_expires = ?4,
  card_fingerprint = coalesce(?5, ?6 || account_id), card_from_ms = ?7
WHERE stripe_id = ?1 AND card_from_ms <= ?7";

const SAVE_BOUGHT: &str = "\
UPDATE stripe_customers SET payment_method_id = ?2, card = ?3, card_fingerprint = ?4,
  card_expires = ?5, card_from_ms = ?6
WHERE account_id = ?1 AND card_from_ms <= ?6";

const STOP: &str = "\
UPDATE auto_top_ups SET enabled = 0, stopped_by = 'card_removed', updated_at_ms = ?2
WHERE enabled = 1 AND account_id IN
  (SELECT c.account_id FROM stripe_customers c WHERE c.payment_method_id = ?1)";

const FORGET: &str = "\
UPDATE stripe_customers SET payment_method_id = NULL, card = NULL, card_expires = NULL,
  card_fingerprint = NULL
WHERE payment_method_id = ?1";

/// A row for an account in whose log the removal of the card of `?5` does not stand yet.
const NOT_TOLD: &str = "\
(SELECT a.id FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM audit_log l
  WHERE l.subject = a.id AND l.action = 'card.remove' AND l.after = ?5))";

impl SavedNow {
    /// The card of a session that was retrieved by `retrieve_session`; `None` for one that saves none by
    /// itself, or not yet, or whose card was removed since.
    #[must_use]
    pub fn from_session(session: &Session) -> Option<Self> {
        let setup = session.setup_intent.as_ref().and_then(Link::object)?;
        let method = setup.payment_method.as_ref().and_then(Link::object)?;
        let customer = session.customer.clone()?;
        let done = session.status == Some(SessionStatus::Complete) && setup.status == "succeeded";
        let theirs = method.customer.as_ref() == Some(&customer);
        (done && theirs).then(|| Self {
            customer,
            method: method.id.clone(),
            card: method.details.card(),
            livemode: session.livemode,
            from_ms: session.created.saturating_mul(1_000),
        })
    }

    /// Keeps the card for its account, unless a later page saved another; `None` for test money where
    /// money is real, or the other way round. It may be sent again.
    #[must_use]
    pub fn keep(&self, livemode: bool) -> Option<Statement> {
        let (fingerprint, prefix) = self.card.counted_by();
        (self.livemode == livemode).then(|| {
            Statement::new(SAVE)
                .bind(self.customer.as_str())
                .bind(self.method.as_str())
                .bind(self.card.label.as_str())
                .bind(self.card.expires.as_deref())
                .bind(fingerprint)
                .bind(prefix)
                .bind(self.from_ms)
        })
    }
}

/// Keeps the card that was saved with a purchase, if one was, unless a later page saved another.
pub(super) fn keep_bought(order: &Order, receipt: &Receipt) -> Option<Statement> {
    let method = receipt.saved.as_ref()?;
    let keep = Statement::new(SAVE_BOUGHT)
        .bind(order.account.as_str())
        .bind(method.as_str())
        .bind(receipt.card.label.as_str())
        .bind(receipt.fingerprint(&order.account))
        .bind(receipt.card.expires.as_deref())
        .bind(order.created_at_ms);
    Some(keep)
}

/// Forgets a card that its owner removed at Stripe, and stops what it paid for. It may be sent again.
#[must_use]
pub fn forget_card(method: &StripeId, now_ms: i64) -> Commit {
    Batch::transaction(forget(method, now_ms))
}

/// The same for a person of the account, after Stripe removed it: with its line in the log, once, also where
/// Stripe's event about it was faster.
#[must_use]
pub fn remove_card(account: &AccountId, card: &SavedCard, change: &Change) -> Commit {
    let method = card.payment_method.as_str();
    let entry = change.of(Entry {
        action: "card.remove",
        table: NOT_TOLD,
        subject: account.as_str(),
        before: "'{}'",
        after: json!({ "card": card.label, "payment_method": method }).to_string(),
    });
    let forget = forget(&card.payment_method, change.at_ms);
    Batch::transaction([entry].into_iter().chain(forget))
}

fn forget(method: &StripeId, now_ms: i64) -> [Statement; 2] {
    let stop = Statement::new(STOP).bind(method.as_str()).bind(now_ms);
    [stop, Statement::new(FORGET).bind(method.as_str())]
}
