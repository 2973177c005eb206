//! An account as a customer at Stripe, and the card that it saved there.

use super::order::stripe_id;
use crate::hrana::{Batch, HranaFault, Row, Statement, StepIndex};
use crate::ids::AccountId;
use crate::stripe::StripeId;

/// An account's customer object at Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeCustomer {
    /// `cus_…`
    pub id: StripeId,
    /// The card for automatic top-up.
    pub card: Option<SavedCard>,
}

/// A card that Stripe keeps for payments without a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCard {
    /// `pm_…`
    pub payment_method: StripeId,
    /// What people know it by, such as `visa 4242`.
    pub label: String,
    /// The month it ends with, such as `12/2034`, if it does.
    pub expires: Option<String>,
    /// Tells it from other cards.
    pub fingerprint: String,
}

const READ: &str = "\
SELECT stripe_id, payment_method_id, card, card_fingerprint, card_expires FROM stripe_customers
WHERE account_id = ?1";

const SAVE: &str = "\
INSERT INTO stripe_customers (account_id, stripe_id, created_at_ms) VALUES (?1, ?2, ?3)
ON CONFLICT (account_id) DO NOTHING";

/// Reads the customer of an account; no row: Stripe does not know it yet.
#[must_use]
pub fn customer_statement(account: &AccountId) -> Statement {
    Statement::new(READ).bind(account.as_str())
}

/// Reads the row of a customer.
pub fn read_stripe_customer(row: &Row) -> Result<StripeCustomer, HranaFault> {
    let label: Option<String> = row.get(2)?;
    let fingerprint: Option<String> = row.get(3)?;
    let expires = row.get(4)?;
    let card = stripe_id(row, 1)?.zip(label).zip(fingerprint);
    Ok(StripeCustomer {
        id: stripe_id(row, 0)?.ok_or(HranaFault::UnexpectedColumn(0))?,
        card: card.map(|((payment_method, label), fingerprint)| SavedCard {
            payment_method,
            label,
            expires,
            fingerprint,
        }),
    })
}

/// Keeps the customer that Stripe made, unless the account has one. The returned step reads the one
/// that counts.
#[must_use]
pub fn save_customer(account: &AccountId, customer: &StripeId, now_ms: i64) -> (Batch, StepIndex) {
    let mut batch = Batch::new();
    let save = Statement::new(SAVE)
        .bind(account.as_str())
        .bind(customer.as_str())
        .bind(now_ms);
    batch.step(None, save);
    let step = batch.step(None, customer_statement(account));
    (batch, step)
}
