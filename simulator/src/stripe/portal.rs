//! Sessions of the customer portal. How its page looks stands in `page.rs`.

use serde_json::{Value, json};

use super::form::{self, Fields};
use super::method;
use super::objects::{Cause, Objects};
use super::refusal::Refusal;

/// A portal session.
#[derive(Debug)]
pub struct Portal {
    /// Whose cards and invoices it shows.
    pub customer: String,
    /// Where its owner goes back to.
    pub return_url: Option<String>,
}

/// Removes a card of the customer's, as the page's button does; `None` when it is not theirs.
pub fn remove(objects: &mut Objects, id: &str, card: &str, cause: &Cause) -> Option<Value> {
    let owner = objects.portals.get(id)?.customer.as_str();
    let theirs = objects.methods.get(card)?.customer.as_deref() == Some(owner);
    theirs.then(|| method::detach(objects, card, cause).ok())?
}

/// `POST /v1/billing_portal/sessions`
pub fn create(objects: &mut Objects, fields: &Fields, cause: &Cause) -> Result<Value, Refusal> {
    let customer = form::text(fields, "customer").ok_or_else(|| Refusal::missing("customer"))?;
    if objects.customers.get(customer).is_none() {
        return Err(Refusal::no_such("customer", customer, "customer"));
    }
    let portal = Portal {
        customer: customer.to_owned(),
        return_url: form::text(fields, "return_url").map(str::to_owned),
    };
    let id = objects.id("bps_1", 23);
    let object = json!({
        "id": id,
        "object": "billing_portal.session",
        "configuration": "bpc_1SimulatedPortal",
        "created": cause.at,
        "customer": portal.customer,
        "customer_account": null,
        "flow": null,
        "livemode": false,
        "locale": form::text(fields, "locale"),
        "on_behalf_of": null,
        "return_url": portal.return_url,
        "url": format!("{}/portal/{id}", cause.origin),
    });
    objects.portals.insert(&id, portal);
    Ok(object)
}
