//! Stripe's objects as they travel, cut down to the members that Tollgate reads. What has another type
//! than Stripe's reference says is refused as a whole, and amounts are whole numbers or nothing.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Cents, Decline, StripeId};

/// An object that Stripe names, or shows where it was asked to with `expand`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Link<T> {
    /// Only its id.
    Id(StripeId),
    /// All of it.
    Object(Box<T>),
}

impl<T> Link<T> {
    /// The object, where it was shown.
    #[must_use]
    pub const fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

/// Our own words on an object of Stripe's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The order that a payment is for.
    pub order_id: Option<String>,
    /// The refund that we asked for.
    pub refund_id: Option<String>,
    /// `auto_topup` for a payment without a person.
    pub kind: Option<String>,
}

/// Where a Checkout Session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Its page can be used.
    Open,
    /// Its page was used; the payment may still be on its way.
    Complete,
    /// Its page is closed, and nothing was paid.
    Expired,
}

/// Whether a Checkout Session is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionPayment {
    /// The money is there.
    Paid,
    /// It is not, or not yet.
    Unpaid,
    /// Nothing is to be paid now.
    NoPaymentRequired,
}

/// A Checkout Session: Stripe's page on which somebody pays.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// `cs_…`
    pub id: StripeId,
    /// The page, while it can be used.
    pub url: Option<String>,
    /// Where it is.
    pub status: Option<SessionStatus>,
    /// Whether it is paid.
    pub payment_status: SessionPayment,
    /// What we named it: the id of an order.
    pub client_reference_id: Option<String>,
    /// Everything that is paid, taxes included.
    pub amount_total: Option<Cents>,
    /// In lower case.
    pub currency: Option<String>,
    /// Who pays.
    pub customer: Option<StripeId>,
    /// The payment; shown when the session was retrieved by `retrieve_session`.
    pub payment_intent: Option<Link<PaymentIntent>>,
    /// The invoice; shown as above.
    pub invoice: Option<Link<Invoice>>,
    /// The card that is saved without a payment; shown as above.
    pub setup_intent: Option<Link<SetupIntent>>,
    /// Whether the money is real.
    pub livemode: bool,
    /// When it was made, in Unix seconds.
    pub created: i64,
    /// When its page closes, in Unix seconds.
    pub expires_at: i64,
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentIntentStatus {
    /// The money is there.
    Succeeded,
    /// A bank takes its time.
    Processing,
    /// A person must do something, such as to authenticate.
    RequiresAction,
    /// The last method was refused.
    RequiresPaymentMethod,
    /// It was not yet tried.
    RequiresConfirmation,
    /// It was only reserved.
    RequiresCapture,
    /// It will never be paid.
    Canceled,
}

/// Why a payment was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PaymentFailure {
    /// Such as `card_declined` or `authentication_required`.
    pub code: Option<String>,
    /// What the card's bank said, such as `insufficient_funds`.
    pub decline_code: Option<String>,
}

impl PaymentFailure {
    /// What its codes mean.
    #[must_use]
    pub fn decline(&self) -> Decline {
        Decline::of(self.code.as_deref(), self.decline_code.as_deref())
    }
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentIntent {
    /// `pi_…`
    pub id: StripeId,
    /// What is to be paid.
    pub amount: Cents,
    /// What was paid.
    pub amount_received: Cents,
    /// In lower case.
    pub currency: String,
    /// How far it is.
    pub status: PaymentIntentStatus,
    /// Who pays.
    pub customer: Option<StripeId>,
    /// Our words.
    #[serde(default)]
    pub metadata: Metadata,
    /// The last attempt; shown when the payment was retrieved by `retrieve_payment_intent`.
    pub latest_charge: Option<Link<Charge>>,
    /// With what it is paid.
    pub payment_method: Option<Link<PaymentMethod>>,
    /// Why the last attempt failed.
    pub last_payment_error: Option<PaymentFailure>,
    /// `off_session` when the method was saved for later payments without a person.
    pub setup_future_usage: Option<String>,
    /// Whether the money is real.
    pub livemode: bool,
}

/// A card, or another method, that is saved without a payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SetupIntent {
    /// `seti_…`
    pub id: StripeId,
    /// `succeeded` once the method is saved.
    pub status: String,
    /// The method.
    pub payment_method: Option<Link<PaymentMethod>>,
}

/// One attempt to take money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Charge {
    /// `ch_…`
    pub id: StripeId,
    /// Stripe's receipt.
    pub receipt_url: Option<String>,
    /// With what it was paid.
    pub payment_method_details: Option<MethodDetails>,
}

/// What an attempt was paid with: the name of a method, and what that method tells.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MethodDetails {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    methods: Map<String, Value>,
}

/// A payment method: a card, or a bank account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentMethod {
    /// `pm_…`
    pub id: StripeId,
    /// Who saved it; `None` once it was removed.
    pub customer: Option<StripeId>,
    /// Which, and what it tells.
    #[serde(flatten)]
    pub details: MethodDetails,
}

/// What tells one card, or another way to pay, from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// `card`, or another of Stripe's words, such as `us_bank_account`.
    pub kind: String,
    /// The same for the same card number, whoever uses it; ways to pay without a number have none.
    pub fingerprint: Option<String>,
    /// What people know it by, such as `visa 4242`.
    pub label: String,
    /// The month it ends with, such as `12/2034`, if it does.
    pub expires: Option<String>,
}

impl Card {
    /// What caps count it by: its fingerprint. A way to pay that has no number of its own counts for the
    /// account alone: then it is what goes before the account's id.
    #[must_use]
    pub fn counted_by(&self) -> (Option<String>, String) {
        let prefix = format!("{}:", self.kind);
        let fingerprint = self.fingerprint.as_ref().map(|fingerprint| {
            if self.kind == "card" {
                fingerprint.clone()
            } else {
                format!("{prefix}{fingerprint}")
            }
        });
        (fingerprint, prefix)
    }
}

impl MethodDetails {
    /// The card, or what stands for one.
    #[must_use]
    pub fn card(&self) -> Card {
        let method = self.methods.get(&self.kind);
        let text = |name: &str| method.and_then(|method| method.get(name)?.as_str());
        let name = text("brand").unwrap_or(&self.kind);
        let label = match text("last4") {
            Some(last4) => format!("{name} {last4}"),
            None => name.to_owned(),
        };
        let number = |name: &str| method.and_then(|method| method.get(name)?.as_u64());
        let ends = number("exp_month").zip(number("exp_year"));
        Card {
            kind: self.kind.clone(),
            fingerprint: text("fingerprint").map(str::to_owned),
            label,
            expires: ends.map(|(month, year)| format!("{month:02}/{year}")),
        }
    }
}

/// An invoice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Invoice {
    /// `in_…`
    pub id: StripeId,
    /// Its page.
    pub hosted_invoice_url: Option<String>,
}

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// The bank has not said yet.
    Pending,
    /// The payer must do something.
    RequiresAction,
    /// The money is on its way back.
    Succeeded,
    /// The money came back to us.
    Failed,
    /// It was taken back before it was sent.
    Canceled,
}

/// Money that goes back to who paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// `re_…`
    pub id: StripeId,
    /// How much of the payment.
    pub amount: Cents,
    /// In lower case.
    pub currency: String,
    /// How far it is; Stripe says nothing for some old ones.
    pub status: Option<RefundStatus>,
    /// The payment.
    pub payment_intent: Option<StripeId>,
    /// Our words.
    #[serde(default)]
    pub metadata: Metadata,
}

/// How far a dispute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank only asks; no money moves.
    WarningNeedsResponse,
    /// The bank reads the answer to what it asked.
    WarningUnderReview,
    /// The bank had only asked.
    WarningClosed,
    /// The bank wants evidence.
    NeedsResponse,
    /// The bank reads the evidence.
    UnderReview,
    /// The payer was right.
    Lost,
    /// We were.
    Won,
    /// It was settled before it became one.
    Prevented,
}

/// A payer who told the bank that a payment was not right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// `dp_…` or `du_…`
    pub id: StripeId,
    /// How much of the payment.
    pub amount: Cents,
    /// In lower case.
    pub currency: String,
    /// How far it is.
    pub status: DisputeStatus,
    /// Stripe's word for why, such as `fraudulent`.
    pub reason: String,
    /// The payment.
    pub payment_intent: Option<StripeId>,
}

/// Who pays.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Customer {
    /// `cus_…`
    pub id: StripeId,
}

/// Stripe's page on which a customer sees invoices and cards.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Portal {
    /// The page.
    pub url: String,
}

/// A page of a list, the latest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Page<T> {
    /// The objects.
    pub data: Vec<T>,
    /// Whether there are more after the last one.
    pub has_more: bool,
}
