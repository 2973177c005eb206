//! Invoices that Checkout makes for payments with `invoice_creation`. Subscriptions are not played.

use serde_json::{Value, json};

use super::objects::{Cause, Objects, with_nulls};

/// Fields of Stripe's that say nothing here. No `parent`: no subscription made it.
const NULLS: &[&str] = &[
    "account_country",
    "account_name",
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_account",
    "customer_address",
    "customer_email",
    "customer_name",
    "customer_phone",
    "customer_shipping",
    "customer_tax_exempt",
    "default_payment_method",
    "default_source",
    "due_date",
    "ending_balance",
    "from_invoice",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "on_behalf_of",
    "parent",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "test_clock",
    "total_discount_amounts",
    "total_pretax_credit_amounts",
];

/// A paid invoice.
#[derive(Debug)]
pub struct Invoice {
    /// `in_…`
    pub id: String,
    /// What was paid, in cents.
    pub total: i64,
    /// `usd`
    pub currency: String,
    /// `SIM-0001`
    pub number: String,
    /// Who paid.
    pub customer: Option<String>,
    created: i64,
    subtotal: i64,
    tax: i64,
    origin: String,
    text: Text,
}

/// What the caller wants an invoice to say.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its description.
    pub description: Option<String>,
    /// Its footer.
    pub footer: Option<String>,
    /// The caller's own.
    pub metadata: Value,
}

impl Invoice {
    /// The object.
    #[must_use]
    pub fn json(&self) -> Value {
        let page = format!("{}/invoice/{}", self.origin, self.id);
        let taxed = json!({
            "amount": self.tax, "tax_behavior": "exclusive", "taxability_reason": "standard_rated",
            "taxable_amount": self.subtotal, "type": "tax_rate_details",
        });
        let object = json!({
            "id": self.id,
            "object": "invoice",
            "amount_due": self.total,
            "amount_overpaid": 0,
            "amount_paid": self.total,
            "amount_remaining": 0,
            "attempt_count": 1,
            "attempted": true,
            "auto_advance": false,
            // A one-off invoice is no subscription's: it must not grant a subscription's credits.
            "billing_reason": "manual",
            "collection_method": "charge_automatically",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.text.description,
            "footer": self.text.footer,
            "hosted_invoice_url": page,
            "invoice_pdf": format!("{page}/pdf"),
            "livemode": false,
            "metadata": self.text.metadata,
            "number": self.number,
            "period_end": self.created,
            "period_start": self.created,
            "status": "paid",
            "subtotal": self.subtotal,
            "total": self.total,
            "total_excluding_tax": self.total - self.tax,
            "total_taxes": if self.tax == 0 { json!([]) } else { json!([taxed]) },
        });
        let settled = json!({
            "amount_shipping": 0,
            "automatic_tax": {
                "disabled_reason": null, "enabled": self.tax != 0, "liability": null,
                "provider": null, "status": null,
            },
            "default_tax_rates": [],
            "discounts": [],
            "effective_at": self.created,
            "issuer": {"type": "self"},
            "lines": {
                "object": "list", "data": [], "has_more": false,
                "url": format!("/v1/invoices/{}/lines", self.id),
            },
            "payment_settings": {
                "default_mandate": null, "payment_method_options": null,
                "payment_method_types": null,
            },
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "starting_balance": 0,
            "status_transitions": {
                "finalized_at": self.created, "marked_uncollectible_at": null,
                "paid_at": self.created, "voided_at": null,
            },
            "subtotal_excluding_tax": self.total - self.tax,
            "webhooks_delivered_at": self.created,
        });
        let mut object = with_nulls(object, NULLS);
        if let (Some(object), Value::Object(settled)) = (object.as_object_mut(), settled) {
            object.extend(settled);
        }
        object
    }
}

/// Makes the invoice of a session whose payment just came; `None` when it wants none.
pub fn make(objects: &mut Objects, session: &str, cause: &Cause) -> Option<String> {
    let text = objects.sessions.get(session)?.invoice_text.clone()?;
    let id = objects.id("in_1", 23);
    let number = format!("SIM-{:04}", objects.invoices.iter().len() + 1);
    let session = objects.sessions.get(session)?;
    let invoice = Invoice {
        id: id.clone(),
        number,
        total: session.amount_total,
        currency: session.currency.clone()?,
        customer: session.customer.clone(),
        created: cause.at,
        subtotal: session.amount_subtotal,
        tax: session.amount_tax,
        origin: cause.origin.clone(),
        text,
    };
    let object = invoice.json();
    objects.invoices.insert(&id, invoice);
    objects.emit("invoice.paid", object.clone(), cause);
    objects.emit("invoice.payment_succeeded", object, cause);
    Some(id)
}
