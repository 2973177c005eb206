//! Invoices that Checkout makes for payments with `invoice_creation`. Subscriptions are not played.

use serde_json::{Value, json};

use super::objects::{Cause, Objects};

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
        json!({
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
            "parent": null,
            "period_end": self.created,
            "period_start": self.created,
            "status": "paid",
            "subtotal": self.subtotal,
            "total": self.total,
            "total_excluding_tax": self.total - self.tax,
            "total_taxes": if self.tax == 0 { json!([]) } else { json!([taxed]) },
        })
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
