//! Payment intents and their charges: made by the hosted page or by a call while the owner is away.
//! Parameters of the call are read in `intents.rs`.

use serde_json::{Value, json};

use super::method::{Instrument, billing_details};
use super::objects::{Cause, Objects, with_nulls};

/// Fields of Stripe's that say nothing here.
const INTENT_NULLS: &[&str] = &[
    "allowed_payment_method_types",
    "application",
    "application_fee_amount",
    "canceled_at",
    "cancellation_reason",
    "customer_account",
    "excluded_payment_method_types",
    "managed_payments",
    "next_action",
    "on_behalf_of",
    "payment_method_configuration_details",
    "payment_record",
    "processing",
    "review",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
];

/// The same of a charge.
const CHARGE_NULLS: &[&str] = &[
    "application",
    "application_fee",
    "application_fee_amount",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_number",
    "review",
    "shipping",
    "source",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

/// Where an intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing tried yet, or the last try failed.
    RequiresPaymentMethod,
    /// A method is chosen and not charged yet.
    RequiresConfirmation,
    /// The bank will tell.
    Processing,
    /// Paid.
    Succeeded,
}

impl Status {
    /// Stripe's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
        }
    }
}

/// What is to be paid, whoever asks for it.
#[derive(Clone, Debug)]
pub struct Bill {
    /// Cents.
    pub amount: i64,
    /// `usd`
    pub currency: String,
    /// Who pays.
    pub customer: Option<String>,
    /// For receipts.
    pub description: Option<String>,
    /// Where receipts go.
    pub receipt_email: Option<String>,
    /// The caller's own.
    pub metadata: Value,
    /// `off_session` when the card is to be saved.
    pub setup_future_usage: Option<String>,
}

/// A payment intent.
#[derive(Debug)]
pub struct Intent {
    /// `pi_…`
    pub id: String,
    /// What is to be paid.
    pub bill: Bill,
    /// Where it stands.
    pub status: Status,
    /// What is or was charged.
    pub method: Option<String>,
    /// The last try.
    pub latest_charge: Option<String>,
    /// Why the last try failed.
    pub last_error: Option<Value>,
    created: i64,
}

impl Intent {
    /// The object.
    #[must_use]
    pub fn json(&self) -> Value {
        let paid = self.status == Status::Succeeded;
        let object = json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.bill.amount,
            "amount_capturable": 0,
            "amount_received": if paid { self.bill.amount } else { 0 },
            "automatic_payment_methods": {"allow_redirects": "always", "enabled": true},
            "capture_method": "automatic_async",
            "client_secret": format!("{}_secret_simulated", self.id),
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.bill.currency,
            "customer": self.bill.customer,
            "description": self.bill.description,
            "last_payment_error": self.last_error,
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.bill.metadata,
            "payment_method": self.method,
            "payment_method_options": {},
            "payment_method_types": ["card", "us_bank_account"],
            "receipt_email": self.bill.receipt_email,
            "setup_future_usage": self.bill.setup_future_usage,
            "status": self.status.name(),
        });
        with_nulls(object, INTENT_NULLS)
    }
}

/// How a try to charge ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The money came.
    Paid,
    /// The bank will tell.
    Pending,
    /// It did not come.
    Failed {
        /// Stripe's error code.
        code: &'static str,
        /// The bank's reason.
        reason: &'static str,
    },
}

/// One try to charge.
#[derive(Debug)]
pub struct Charge {
    /// `ch_…`, `py_…` for a bank account
    pub id: String,
    /// Of which intent.
    pub intent: String,
    /// What is to be paid.
    pub bill: Bill,
    /// Cents given back, or about to be.
    pub refunded: i64,
    /// Whether the owner's bank disputes it.
    pub disputed: bool,
    /// What was charged.
    pub instrument: Instrument,
    /// Of which payment method.
    pub method: String,
    verdict: Verdict,
    created: i64,
    receipt_url: String,
}

impl Charge {
    /// Whether the money came.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.verdict == Verdict::Paid
    }

    /// The object.
    #[must_use]
    pub fn json(&self) -> Value {
        let (status, failure, network) = match self.verdict {
            Verdict::Paid => ("succeeded", None, "approved_by_network"),
            Verdict::Pending => ("pending", None, "approved_by_network"),
            Verdict::Failed { code, reason } => {
                ("failed", Some((code, reason)), "declined_by_network")
            }
        };
        let paid = self.is_paid();
        let object = json!({
            "id": self.id,
            "object": "charge",
            "amount": self.bill.amount,
            "amount_captured": if paid { self.bill.amount } else { 0 },
            "amount_refunded": self.refunded,
            "balance_transaction": paid.then(|| transaction(&self.id)),
            "billing_details": billing_details(self.bill.receipt_email.as_deref()),
            "calculated_statement_descriptor": "SIMULATED",
            "captured": paid,
            "created": self.created,
            "currency": self.bill.currency,
            "customer": self.bill.customer,
            "description": self.bill.description,
            "disputed": self.disputed,
            "failure_code": failure.map(|(code, _)| code),
            "failure_message": failure.map(|(code, _)| message(code)),
            "fraud_details": {},
            "livemode": false,
            "metadata": self.bill.metadata,
            "outcome": {
                "advice_code": null,
                "network_advice_code": null,
                "network_decline_code": null,
                "network_status": network,
                "reason": failure.map(|(_, reason)| reason),
                "risk_level": "normal",
                "seller_message": if paid { "Payment complete." } else { "Payment not complete." },
                "type": if failure.is_none() { "authorized" } else { "issuer_declined" },
            },
            "paid": paid,
            "payment_intent": self.intent,
            "payment_method": self.method,
            "payment_method_details": self.instrument.charged(self.bill.amount),
            "receipt_email": self.bill.receipt_email,
            "receipt_url": self.receipt_url,
            "refunded": self.refunded >= self.bill.amount,
            "status": status,
        });
        with_nulls(object, CHARGE_NULLS)
    }
}

/// The id of the balance transaction of a charge or refund; it cannot be looked up.
#[must_use]
pub fn transaction(id: &str) -> String {
    let (_, rest) = id.split_once('_').unwrap_or_default();
    format!("txn_{rest}")
}

/// What Stripe tells people about an error code.
#[must_use]
pub fn message(code: &str) -> &'static str {
    match code {
        "authentication_required" => {
            "Your card was declined. This transaction requires authentication."
        }
        "card_declined" => "Your card was declined.",
        _ => "The payment failed.",
    }
}

/// Makes an intent that waits for a method.
pub fn open(objects: &mut Objects, bill: Bill, cause: &Cause) -> String {
    let intent = Intent {
        id: objects.id("pi_3", 23),
        bill,
        status: Status::RequiresPaymentMethod,
        method: None,
        latest_charge: None,
        last_error: None,
        created: cause.at,
    };
    let (id, object) = (intent.id.clone(), intent.json());
    objects.intents.insert(&id, intent);
    objects.emit("payment_intent.created", object, cause);
    id
}

/// Charges a method for an intent; nothing happens when one of them is unknown.
pub fn attempt(objects: &mut Objects, intent: &str, method: &str, end: (Verdict, &Cause)) {
    let (verdict, cause) = end;
    let (Some(bill), Some(instrument)) = (
        objects
            .intents
            .get(intent)
            .map(|intent| intent.bill.clone()),
        objects.methods.get(method).map(|method| method.instrument),
    ) else {
        return;
    };
    let prefix = match instrument {
        Instrument::Card(_) => "ch_3",
        Instrument::Bank => "py_3",
    };
    let id = objects.id(prefix, 23);
    let charge = Charge {
        receipt_url: format!("{}/receipt/{id}", cause.origin),
        id: id.clone(),
        intent: intent.to_owned(),
        bill,
        refunded: 0,
        disputed: false,
        method: method.to_owned(),
        instrument,
        verdict: Verdict::Pending,
        created: cause.at,
    };
    objects.charges.insert(&id, charge);
    if let Some(intent) = objects.intents.get_mut(intent) {
        intent.method = Some(method.to_owned());
        intent.latest_charge = Some(id);
    }
    conclude(objects, intent, verdict, cause);
}

/// Ends the last try of an intent, at once or when the bank tells.
pub fn conclude(objects: &mut Objects, intent: &str, verdict: Verdict, cause: &Cause) {
    let latest = objects
        .intents
        .get(intent)
        .and_then(|intent| intent.latest_charge.clone());
    let Some(charge) = latest.and_then(|id| objects.charges.get_mut(&id)) else {
        return;
    };
    charge.verdict = verdict;
    let (charge_id, method_id, charge) = (charge.id.clone(), charge.method.clone(), charge.json());
    let method = objects
        .methods
        .get(&method_id)
        .map(super::method::Method::json);
    let Some(intent) = objects.intents.get_mut(intent) else {
        return;
    };
    let (of_charge, of_intent) = match verdict {
        Verdict::Paid => {
            intent.status = Status::Succeeded;
            intent.last_error = None;
            ("charge.succeeded", "payment_intent.succeeded")
        }
        Verdict::Pending => {
            intent.status = Status::Processing;
            ("charge.pending", "payment_intent.processing")
        }
        Verdict::Failed { code, reason } => {
            intent.status = Status::RequiresPaymentMethod;
            intent.method = None;
            intent.last_error = Some(json!({
                "charge": charge_id,
                "code": code,
                "decline_code": reason,
                "doc_url": format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")),
                "message": message(code),
                "payment_method": method,
                "type": "card_error",
            }));
            ("charge.failed", "payment_intent.payment_failed")
        }
    };
    let object = intent.json();
    objects.emit(of_charge, charge, cause);
    objects.emit(of_intent, object, cause);
}
