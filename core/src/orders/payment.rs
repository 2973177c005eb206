//! What is heard of the payment of an order, from a session or from a payment that was retrieved from
//! Stripe. Events are not believed in what they show: they only say that it is time to ask.

use super::order::OrderKind;
use crate::ids::{AccountId, OrderId};
use crate::stripe::{
    Card, Cents, Charge, Link, PaymentIntent, PaymentIntentStatus, Session, SessionPayment,
    SessionStatus, StripeId,
};

/// The payment of an order as it is at Stripe now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The order that it says it is for.
    pub order: OrderId,
    /// How that order must have come about.
    pub kind: OrderKind,
    /// The session of a checkout, or the payment of an automatic top-up.
    pub session: StripeId,
    /// Who pays.
    pub customer: Option<StripeId>,
    /// Everything that is paid.
    pub amount: Option<Cents>,
    /// In lower case.
    pub currency: Option<String>,
    /// Whether the money is real.
    pub livemode: bool,
    /// How far it is.
    pub state: PaymentState,
}

/// How far a payment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Stripe's page is open.
    Open {
        /// The page.
        url: Option<String>,
        /// When it closes, in Unix milliseconds.
        expires_at_ms: i64,
    },
    /// The money takes its time.
    Pending,
    /// The money is there.
    Paid(Box<Receipt>),
    /// It was refused, for this word.
    Failed(&'static str),
    /// The page closed.
    Expired,
}

/// What is known of money that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The payment.
    pub payment_intent: StripeId,
    /// What was received.
    pub received: Cents,
    /// With what it was paid.
    pub card: Card,
    /// The method, if it was saved for payments without a person.
    pub saved: Option<StripeId>,
    /// Stripe's receipt.
    pub receipt_url: Option<String>,
    /// Stripe's invoice.
    pub invoice_url: Option<String>,
}

/// Why an object of Stripe's says nothing about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPayment {
    /// It is not ours: something else is sold through the same account at Stripe.
    NotOurs,
    /// It says that it is paid, without its charge. Retrieve it as `retrieve_session` or
    /// `retrieve_payment_intent` do.
    Incomplete,
}

impl Payment {
    /// What a session says that was retrieved by `retrieve_session`.
    pub fn from_session(session: &Session) -> Result<Self, NoPayment> {
        let order = session.client_reference_id.as_deref();
        let order = order.and_then(OrderId::parse).ok_or(NoPayment::NotOurs)?;
        Ok(Self {
            order,
            kind: OrderKind::Checkout,
            session: session.id.clone(),
            customer: session.customer.clone(),
            amount: session.amount_total,
            currency: session.currency.clone(),
            livemode: session.livemode,
            state: session_state(session)?,
        })
    }

    /// What the payment of an automatic top-up says that was retrieved by `retrieve_payment_intent`.
    pub fn from_intent(intent: &PaymentIntent) -> Result<Self, NoPayment> {
        let words = &intent.metadata;
        let order = words.order_id.as_deref().and_then(OrderId::parse);
        let ours = words.kind.as_deref() == Some("auto_topup");
        let order = order.filter(|_| ours).ok_or(NoPayment::NotOurs)?;
        Ok(Self {
            order,
            kind: OrderKind::AutoTopUp,
            session: intent.id.clone(),
            customer: intent.customer.clone(),
            amount: Some(intent.amount),
            currency: Some(intent.currency.clone()),
            livemode: intent.livemode,
            state: intent_state(intent)?,
        })
    }
}

fn session_state(session: &Session) -> Result<PaymentState, NoPayment> {
    let intent = session.payment_intent.as_ref();
    match session.status {
        Some(SessionStatus::Expired) => return Ok(PaymentState::Expired),
        Some(SessionStatus::Open) | None => {
            return Ok(PaymentState::Open {
                url: session.url.clone(),
                expires_at_ms: session.expires_at.saturating_mul(1_000),
            });
        }
        Some(SessionStatus::Complete) => {}
    }
    match session.payment_status {
        SessionPayment::Paid => {
            let intent = intent.and_then(Link::object);
            let intent = intent.ok_or(NoPayment::Incomplete)?;
            let invoice = session.invoice.as_ref().and_then(Link::object);
            let invoice_url = invoice.and_then(|it| it.hosted_invoice_url.clone());
            receipt(intent, invoice_url)
        }
        // A price is never zero, so nothing was paid that would have to be.
        SessionPayment::NoPaymentRequired => Ok(PaymentState::Failed("nothing_paid")),
        SessionPayment::Unpaid => Ok(intent
            .and_then(Link::object)
            .and_then(unpaid)
            .unwrap_or(PaymentState::Pending)),
    }
}

fn intent_state(intent: &PaymentIntent) -> Result<PaymentState, NoPayment> {
    match unpaid(intent) {
        Some(state) => Ok(state),
        None => receipt(intent, None),
    }
}

/// How far a payment is that is not paid; `None` for one that is.
fn unpaid(intent: &PaymentIntent) -> Option<PaymentState> {
    match intent.status {
        PaymentIntentStatus::Succeeded => None,
        PaymentIntentStatus::Processing
        | PaymentIntentStatus::RequiresCapture
        | PaymentIntentStatus::RequiresConfirmation => Some(PaymentState::Pending),
        PaymentIntentStatus::RequiresAction => {
            Some(PaymentState::Failed("authentication_required"))
        }
        PaymentIntentStatus::RequiresPaymentMethod => {
            let why = intent.last_payment_error.as_ref();
            let why = why.map(|why| why.decline().word());
            Some(PaymentState::Failed(why.unwrap_or("card_declined")))
        }
        PaymentIntentStatus::Canceled => Some(PaymentState::Failed("canceled")),
    }
}

fn receipt(intent: &PaymentIntent, invoice_url: Option<String>) -> Result<PaymentState, NoPayment> {
    let charge: Option<&Charge> = intent.latest_charge.as_ref().and_then(Link::object);
    let charge = charge.ok_or(NoPayment::Incomplete)?;
    let details = charge.payment_method_details.as_ref();
    let saved = intent.setup_future_usage.as_deref() == Some("off_session");
    let method = intent.payment_method.as_ref().map(|method| match method {
        Link::Id(id) => id.clone(),
        Link::Object(method) => method.id.clone(),
    });
    Ok(PaymentState::Paid(Box::new(Receipt {
        payment_intent: intent.id.clone(),
        received: intent.amount_received,
        card: details.ok_or(NoPayment::Incomplete)?.card(),
        saved: method.filter(|_| saved),
        receipt_url: charge.receipt_url.clone(),
        invoice_url,
    })))
}

impl Receipt {
    /// What the caps of a card count by. A way to pay that has no number of its own counts for the
    /// account alone.
    pub(super) fn fingerprint(&self, account: &AccountId) -> String {
        let (fingerprint, prefix) = self.card.counted_by();
        fingerprint.unwrap_or_else(|| format!("{prefix}{account}"))
    }
}
