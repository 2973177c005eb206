//! Requests to Stripe, ready to send: method, path, form, and the idempotency key that makes sending
//! one again harmless. The credential and the headers belong to the shell.

use form_urlencoded::Serializer;
use sha2::{Digest, Sha256};

use super::{Cents, StripeId};
use crate::ids::{AccountId, OrderId, RefundId};

/// How many sessions a page of `SessionsSince` has at most, which is what Stripe allows.
const PAGE: &str = "100";

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Asks.
    Get,
    /// Does.
    Post,
}

/// A request to `https://api.stripe.com`, or to what stands in for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeRequest {
    /// Whether it asks or does.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// `application/x-www-form-urlencoded`; empty for `Get`.
    pub body: String,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// Makes the account a customer at Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCustomer<'a> {
    /// Whose customer object it is.
    pub account: &'a AccountId,
    /// Where Stripe sends receipts.
    pub email: &'a str,
    /// What the account is called.
    pub name: &'a str,
}

/// Opens a page on which a person pays for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession<'a> {
    /// What is paid for.
    pub order: &'a OrderId,
    /// What it costs, taxes included.
    pub price: Cents,
    /// What the page and the invoice call it.
    pub name: &'a str,
    /// Who pays.
    pub customer: &'a StripeId,
    /// Where Stripe sends who has paid; `{CHECKOUT_SESSION_ID}` in it is filled in by Stripe.
    pub success_url: &'a str,
    /// Where Stripe sends who changed their mind.
    pub cancel_url: &'a str,
    /// When the page closes, in Unix milliseconds: 30 minutes to 24 hours from now.
    pub expires_at_ms: i64,
    /// Whether the card is saved for automatic top-up.
    pub save_card: bool,
    /// Whether Stripe works out taxes.
    pub automatic_tax: bool,
}

/// Opens a page on which a person saves a card and buys nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCardPage<'a> {
    /// Whose card it will be.
    pub account: &'a AccountId,
    /// The account at Stripe.
    pub customer: &'a StripeId,
    /// Names the form: sent twice it makes one page.
    pub once: &'a str,
    /// Where Stripe sends who has saved one; `{CHECKOUT_SESSION_ID}` in it is filled in by Stripe.
    pub success_url: &'a str,
    /// Where Stripe sends who changed their mind.
    pub cancel_url: &'a str,
}

/// Charges the saved card while nobody is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPaymentIntent<'a> {
    /// Who pays.
    pub account: &'a AccountId,
    /// What is paid for.
    pub order: &'a OrderId,
    /// How many automatic top-ups the account began, this one included.
    pub attempt: i64,
    /// What it costs.
    pub price: Cents,
    /// The account at Stripe.
    pub customer: &'a StripeId,
    /// The saved card.
    pub payment_method: &'a StripeId,
    /// What the receipt calls it.
    pub name: &'a str,
}

/// Sends money back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund<'a> {
    /// Our row of it.
    pub refund: &'a RefundId,
    /// What was paid for.
    pub order: &'a OrderId,
    /// The payment.
    pub payment_intent: &'a StripeId,
    /// How much of it.
    pub amount: Cents,
}

/// Opens Stripe's page of a customer's invoices and cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPortal<'a> {
    /// Whose page.
    pub customer: &'a StripeId,
    /// Where its way back leads.
    pub return_url: &'a str,
}

/// One page of the sessions that were made since a moment, the latest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionsSince<'a> {
    /// The moment, in Unix milliseconds.
    pub created_at_ms: i64,
    /// The last session of the page before.
    pub after: Option<&'a StripeId>,
}

impl NewCustomer<'_> {
    /// The request; read the answer with `read_customer`. An account keeps the first customer that it
    /// gets.
    #[must_use]
    pub fn to_request(&self) -> StripeRequest {
        let fields = [
            ("email", self.email),
            ("name", self.name),
            ("metadata[account_id]", self.account.as_str()),
        ];
        let key = format!("customer:{}", self.account);
        post_as_it_is("/v1/customers", &fields, &key)
    }
}

impl NewSession<'_> {
    /// The request; read the answer with `read_session`. The same order makes the same session as long
    /// as everything else is the same, too; an order keeps the first session that it gets.
    #[must_use]
    pub fn to_request(&self) -> StripeRequest {
        let order = self.order.as_str();
        let price = self.price.get().to_string();
        let expires_at = self.expires_at_ms.div_euclid(1_000).to_string();
        let mut fields = vec![
            ("mode", "payment"),
            ("client_reference_id", order),
            ("customer", self.customer.as_str()),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", &price),
            // So that what is paid is the order's price, whatever the taxes.
            ("line_items[0][price_data][tax_behavior]", "inclusive"),
            ("line_items[0][price_data][product_data][name]", self.name),
            ("metadata[order_id]", order),
            ("payment_intent_data[metadata][order_id]", order),
            ("invoice_creation[enabled]", "true"),
            ("success_url", self.success_url),
            ("cancel_url", self.cancel_url),
            ("expires_at", &expires_at),
        ];
        if self.automatic_tax {
            fields.push(("automatic_tax[enabled]", "true"));
            fields.push(("customer_update[address]", "auto"));
        }
        if self.save_card {
            fields.push(("payment_intent_data[setup_future_usage]", "off_session"));
        }
        let key = format!("order:{order}");
        post_as_it_is("/v1/checkout/sessions", &fields, &key)
    }
}

impl NewCardPage<'_> {
    /// The request; read the answer with `read_session`. The page is open for a day.
    #[must_use]
    pub fn to_request(&self) -> StripeRequest {
        let account = self.account.as_str();
        let fields = [
            ("mode", "setup"),
            ("currency", "usd"),
            // Other ways to pay want their owner there, or take days.
            ("allowed_payment_method_types[0]", "card"),
            ("client_reference_id", account),
            ("customer", self.customer.as_str()),
            ("metadata[account_id]", account),
            ("setup_intent_data[metadata][account_id]", account),
            ("success_url", self.success_url),
            ("cancel_url", self.cancel_url),
        ];
        let key = format!("card:{account}:{}", self.once);
        post_as_it_is("/v1/checkout/sessions", &fields, &key)
    }
}

impl NewPaymentIntent<'_> {
    /// The request; read the answer with `read_payment_intent`.
    #[must_use]
    pub fn to_request(&self) -> StripeRequest {
        let price = self.price.get().to_string();
        let fields = [
            ("amount", price.as_str()),
            ("currency", "usd"),
            ("customer", self.customer.as_str()),
            ("payment_method", self.payment_method.as_str()),
            ("off_session", "true"),
            ("confirm", "true"),
            // Nobody is there to be sent anywhere; without this Stripe wants to know where to.
            ("automatic_payment_methods[enabled]", "true"),
            ("automatic_payment_methods[allow_redirects]", "never"),
            ("description", self.name),
            ("metadata[kind]", "auto_topup"),
            ("metadata[order_id]", self.order.as_str()),
            ("expand[0]", "latest_charge"),
        ];
        let key = format!("topup:{}:{}", self.account, self.attempt);
        post("/v1/payment_intents", &fields, key)
    }
}

impl NewRefund<'_> {
    /// The request; read the answer with `read_refund`.
    #[must_use]
    pub fn to_request(&self) -> StripeRequest {
        let amount = self.amount.get().to_string();
        let fields = [
            ("payment_intent", self.payment_intent.as_str()),
            ("amount", &amount),
            ("reason", "requested_by_customer"),
            ("metadata[order_id]", self.order.as_str()),
            ("metadata[refund_id]", self.refund.as_str()),
        ];
        post("/v1/refunds", &fields, self.refund.to_string())
    }
}

impl NewPortal<'_> {
    /// The request; read the answer with `read_portal`.
    #[must_use]
    pub fn to_request(&self) -> StripeRequest {
        let fields = [
            ("customer", self.customer.as_str()),
            ("return_url", self.return_url),
        ];
        StripeRequest {
            idempotency_key: None,
            ..post("/v1/billing_portal/sessions", &fields, String::new())
        }
    }
}

impl SessionsSince<'_> {
    /// The request; read the answer with `read_page`.
    #[must_use]
    pub fn to_request(&self) -> StripeRequest {
        let since = self.created_at_ms.div_euclid(1_000).to_string();
        let mut fields = vec![("limit", PAGE), ("created[gte]", &since)];
        if let Some(after) = self.after {
            fields.push(("starting_after", after.as_str()));
        }
        get(format!("/v1/checkout/sessions?{}", encode(&fields)))
    }
}

/// Asks for a session with its payment, charge and invoice, or with the card that it saved; read the answer with `read_session`.
#[must_use]
pub fn retrieve_session(session: &StripeId) -> StripeRequest {
    let fields = [
        ("expand[0]", "payment_intent.latest_charge"),
        ("expand[1]", "invoice"),
        ("expand[2]", "setup_intent.payment_method"),
    ];
    get(format!(
        "/v1/checkout/sessions/{session}?{}",
        encode(&fields)
    ))
}

/// Asks for a payment with its charge; read the answer with `read_payment_intent`.
#[must_use]
pub fn retrieve_payment_intent(payment_intent: &StripeId) -> StripeRequest {
    let fields = [("expand[0]", "latest_charge")];
    get(format!(
        "/v1/payment_intents/{payment_intent}?{}",
        encode(&fields)
    ))
}

/// Asks for a refund; read the answer with `read_refund`.
#[must_use]
pub fn retrieve_refund(refund: &StripeId) -> StripeRequest {
    get(format!("/v1/refunds/{refund}"))
}

/// Takes a saved card, or another method, from its customer for ever; read the answer with
/// `read_payment_method`. Refused if it has none any more.
#[must_use]
pub fn detach_payment_method(method: &StripeId) -> StripeRequest {
    StripeRequest {
        method: Method::Post,
        path: format!("/v1/payment_methods/{method}/detach"),
        body: String::new(),
        idempotency_key: None,
    }
}

/// Closes the page of a session; read the answer with `read_session`. Refused once it was used.
#[must_use]
pub fn expire_session(session: &StripeId) -> StripeRequest {
    StripeRequest {
        method: Method::Post,
        path: format!("/v1/checkout/sessions/{session}/expire"),
        body: String::new(),
        idempotency_key: None,
    }
}

fn get(path: String) -> StripeRequest {
    StripeRequest {
        method: Method::Get,
        path,
        body: String::new(),
        idempotency_key: None,
    }
}

fn post(path: &str, fields: &[(&str, &str)], idempotency_key: String) -> StripeRequest {
    StripeRequest {
        method: Method::Post,
        path: path.to_owned(),
        body: encode(fields),
        idempotency_key: Some(idempotency_key),
    }
}

/// The same with a key that follows from the fields as well. Stripe refuses a key that comes with other
/// fields for a day; what people may change meanwhile (a name, an address, the host they are at) must
/// not lock them out that long. For what moves no money by itself.
fn post_as_it_is(path: &str, fields: &[(&str, &str)], what: &str) -> StripeRequest {
    let request = post(path, fields, String::new());
    let digest = Sha256::digest(request.body.as_bytes());
    let digest: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    StripeRequest {
        idempotency_key: Some(format!("{what}:{digest}")),
        ..request
    }
}

fn encode(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[cfg(test)]
mod tests;
