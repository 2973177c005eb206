//! Checkout sessions: the object, and the call that makes one. What its hosted page does stands in
//! `checkout.rs`.

use serde_json::{Value, json};

use super::cart::{self, Cart};
use super::form::{self, Fields};
use super::invoice;
use super::objects::{Cause, Objects, with_nulls};
use super::payment::Bill;
use super::refusal::Refusal;
use super::setup;

const MIN_LIFE_S: i64 = 30 * 60;
const MAX_LIFE_S: i64 = 24 * 60 * 60;
/// The client's clock, and the way of the call.
const SLACK_S: i64 = 60;

/// Fields of Stripe's that say nothing here.
const NULLS: &[&str] = &[
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "allowed_payment_method_types",
    "billing_address_collection",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer_account",
    "integration_identifier",
    "managed_payments",
    "origin_context",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "subscription",
    "wallet_options",
];

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its page can be used.
    Open,
    /// Its owner went through with it.
    Complete,
    /// It was closed, or its time is over.
    Expired,
}

impl Status {
    /// Stripe's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

/// What comes of a session.
#[derive(Clone, Debug)]
pub enum Purpose {
    /// A payment, whose intent is made when its owner pays.
    Payment(Bill),
    /// A saved card.
    Setup(setup::Wish),
}

/// A Checkout session.
#[derive(Debug)]
pub struct Session {
    /// `cs_test_…`
    pub id: String,
    /// Unix time in seconds.
    pub created: i64,
    /// Unix time in seconds.
    pub expires_at: i64,
    /// Where it stands.
    pub status: Status,
    /// Whether the money came.
    pub paid: bool,
    /// What comes of it.
    pub purpose: Purpose,
    /// Cents of all items.
    pub amount_subtotal: i64,
    /// Cents of tax, which the page adds or finds inside.
    pub amount_tax: i64,
    /// Cents to pay.
    pub amount_total: i64,
    /// `usd`
    pub currency: Option<String>,
    /// Who pays.
    pub customer: Option<String>,
    /// Made when its owner tried to pay.
    pub intent: Option<String>,
    /// Made when its owner saved a card.
    pub setup: Option<String>,
    /// Made when it was paid.
    pub invoice: Option<String>,
    /// What the wanted invoice says.
    pub invoice_text: Option<invoice::Text>,
    /// Whether a customer is made for one who is none.
    pub makes_customer: bool,
    /// Whether taxes are worked out.
    pub automatic_tax: bool,
    /// Whether they come on top of the prices.
    pub tax_exclusive: bool,
    /// What is bought, for the page.
    pub titles: Vec<String>,
    /// Where its owner goes afterwards.
    pub success_url: String,
    /// Where its owner goes instead.
    pub cancel_url: Option<String>,
    /// The address known, or given on the page.
    pub email: Option<String>,
    given_email: Option<String>,
    client_reference_id: Option<String>,
    metadata: Value,
    method_types: Vec<String>,
    updates_address: bool,
    locale: Option<String>,
    page: String,
}

impl Session {
    /// The object.
    #[must_use]
    pub fn json(&self) -> Value {
        let complete = self.status == Status::Complete;
        let (mode, payment_status) = match (&self.purpose, self.paid) {
            (Purpose::Setup(_), _) => ("setup", "no_payment_required"),
            (Purpose::Payment(_), true) => ("payment", "paid"),
            (Purpose::Payment(_), false) => ("payment", "unpaid"),
        };
        let details = json!({
            "address": null, "business_name": null, "email": self.email, "individual_name": null,
            "name": null, "phone": null, "tax_exempt": "none", "tax_ids": [],
        });
        let total = json!({
            "amount_discount": 0, "amount_shipping": 0, "amount_tax": self.amount_tax,
        });
        let payment = mode == "payment";
        let object = json!({
            "id": self.id,
            "object": "checkout.session",
            "amount_subtotal": payment.then_some(self.amount_subtotal),
            "amount_total": payment.then_some(self.amount_total),
            "automatic_tax": {
                "enabled": self.automatic_tax,
                "liability": self.automatic_tax.then(|| json!({"type": "self"})),
                "provider": self.automatic_tax.then_some("stripe"),
                "status": self.automatic_tax.then_some(
                    if complete { "complete" } else { "requires_location_inputs" }
                ),
            },
            "cancel_url": self.cancel_url,
            "client_reference_id": self.client_reference_id,
            "created": self.created,
            "currency": self.currency,
            "custom_fields": [],
            "custom_text": {
                "after_submit": null, "shipping_address": null, "submit": null,
                "terms_of_service_acceptance": null,
            },
            "customer": self.customer,
            "customer_creation": payment.then_some(
                if self.makes_customer { "always" } else { "if_required" }
            ),
            "customer_details": if complete { details } else { Value::Null },
            "customer_email": self.given_email,
            "discounts": payment.then(|| json!([])),
            "expires_at": self.expires_at,
            "invoice": self.invoice,
            "invoice_creation": payment.then(|| self.invoice_creation()),
            "livemode": false,
            "locale": self.locale,
            "metadata": self.metadata,
            "mode": mode,
            "payment_intent": self.intent,
            "payment_method_collection": if payment { "if_required" } else { "always" },
            "payment_method_options": {},
            "payment_method_types": self.method_types,
            "payment_status": payment_status,
            "setup_intent": self.setup,
            "shipping_options": [],
            "status": self.status.name(),
            "success_url": self.success_url,
            "total_details": payment.then_some(total),
            "ui_mode": "hosted_page",
            // Stripe shows the address of the page only while it can be used.
            "url": (self.status == Status::Open).then_some(&self.page),
        });
        with_nulls(object, NULLS)
    }

    fn invoice_creation(&self) -> Value {
        let text = self.invoice_text.as_ref();
        json!({
            "enabled": text.is_some(),
            "invoice_data": {
                "account_tax_ids": null,
                "custom_fields": null,
                "description": text.and_then(|text| text.description.as_deref()),
                "footer": text.and_then(|text| text.footer.as_deref()),
                "issuer": null,
                "metadata": text.map(|text| &text.metadata),
                "rendering_options": null,
            },
        })
    }

    /// Whether the page may write its owner's address to the customer.
    #[must_use]
    pub fn updates_address(&self) -> bool {
        self.updates_address
    }

    /// Whether a bank account may pay.
    #[must_use]
    pub fn takes_bank(&self) -> bool {
        self.method_types
            .iter()
            .any(|kind| kind == "us_bank_account")
    }
}

/// `POST /v1/checkout/sessions`
pub fn create(objects: &mut Objects, fields: &Fields, cause: &Cause) -> Result<Value, Refusal> {
    let owned = |path: &str| form::text(fields, path).map(str::to_owned);
    let mode = form::text(fields, "mode").ok_or_else(|| Refusal::missing("mode"))?;
    let success_url = owned("success_url").ok_or_else(|| Refusal::missing("success_url"))?;
    let customer = cart::customer(objects, fields)?;
    let cart = match mode {
        "setup" => cart::none(fields)?,
        _ => cart::read(fields)?,
    };
    let saves = form::text(fields, "payment_intent_data.setup_future_usage");
    let wants_invoice = form::is_true(fields, "invoice_creation.enabled");
    let always = form::text(fields, "customer_creation") == Some("always");
    let known = customer.as_deref().and_then(|id| objects.customers.get(id));
    let email = known.and_then(|known| known.email().map(str::to_owned));
    let id = objects.id("cs_test_a1", 32);
    let session = Session {
        page: format!("{}/pay/{id}", cause.origin),
        created: cause.at,
        expires_at: expiry(fields, cause.at)?,
        status: Status::Open,
        paid: false,
        purpose: purpose(fields, mode, (&cart, customer.clone())),
        amount_subtotal: cart.subtotal,
        amount_tax: 0,
        amount_total: cart.subtotal,
        currency: cart.currency,
        intent: None,
        setup: None,
        invoice: None,
        invoice_text: wants_invoice.then(|| invoice::Text {
            description: owned("invoice_creation.invoice_data.description"),
            footer: owned("invoice_creation.invoice_data.footer"),
            metadata: form::metadata(fields, "invoice_creation.invoice_data.metadata"),
        }),
        makes_customer: always || saves.is_some() || wants_invoice,
        automatic_tax: form::is_true(fields, "automatic_tax.enabled"),
        tax_exclusive: cart.tax_exclusive,
        titles: cart.titles,
        success_url,
        cancel_url: owned("cancel_url"),
        email: email.or_else(|| owned("customer_email")),
        given_email: owned("customer_email"),
        customer,
        client_reference_id: owned("client_reference_id"),
        metadata: form::metadata(fields, "metadata"),
        method_types: method_types(fields),
        updates_address: form::text(fields, "customer_update.address") == Some("auto"),
        locale: owned("locale"),
        id,
    };
    let object = session.json();
    objects.sessions.insert(&session.id.clone(), session);
    Ok(object)
}

fn purpose(fields: &Fields, mode: &str, of: (&Cart, Option<String>)) -> Purpose {
    let owned = |path: &str| form::text(fields, path).map(str::to_owned);
    let (cart, customer) = of;
    match mode {
        "setup" => Purpose::Setup(setup::Wish {
            description: owned("setup_intent_data.description"),
            metadata: form::metadata(fields, "setup_intent_data.metadata"),
        }),
        _ => Purpose::Payment(Bill {
            amount: cart.subtotal,
            currency: cart.currency.clone().unwrap_or_default(),
            customer,
            description: owned("payment_intent_data.description"),
            receipt_email: owned("payment_intent_data.receipt_email"),
            metadata: form::metadata(fields, "payment_intent_data.metadata"),
            setup_future_usage: owned("payment_intent_data.setup_future_usage"),
        }),
    }
}

fn method_types(fields: &Fields) -> Vec<String> {
    let wanted: Vec<String> = form::texts(fields, "allowed_payment_method_types")
        .map(str::to_owned)
        .collect();
    if wanted.is_empty() {
        vec!["card".to_owned(), "us_bank_account".to_owned()]
    } else {
        wanted
    }
}

fn expiry(fields: &Fields, now: i64) -> Result<i64, Refusal> {
    let Some(at) = form::integer(fields, "expires_at") else {
        return Ok(now + MAX_LIFE_S);
    };
    let refuse = |message: &str| Err(Refusal::invalid(message).param("expires_at"));
    if at < now + MIN_LIFE_S - SLACK_S {
        return refuse(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
        );
    }
    if at > now + MAX_LIFE_S + SLACK_S {
        return refuse(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
        );
    }
    Ok(at)
}

/// `POST /v1/checkout/sessions/{id}/expire`
pub fn expire(objects: &mut Objects, id: &str, cause: &Cause) -> Result<Value, Refusal> {
    let session = objects.sessions.get_mut(id);
    let session = session.ok_or_else(|| Refusal::not_found("checkout.session", id))?;
    if session.status != Status::Open {
        let status = session.status.name();
        return Err(Refusal::invalid(format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout \
             Session has a status of {status}."
        )));
    }
    session.status = Status::Expired;
    let object = session.json();
    objects.emit("checkout.session.expired", object.clone(), cause);
    Ok(object)
}

/// Expires all sessions whose time is over.
pub fn sweep(objects: &mut Objects, cause: &Cause) {
    let over = objects
        .sessions
        .iter()
        .filter(|session| session.status == Status::Open && session.expires_at <= cause.at);
    let over: Vec<String> = over.map(|session| session.id.clone()).collect();
    for id in over {
        // They are open, so that nothing is refused.
        let _ = expire(objects, &id, cause);
    }
}
