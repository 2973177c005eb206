//! Payment methods: a card of `cards.rs`, or the bank account that pays later.

use serde_json::{Value, json};

use super::cards::Card;
use super::objects::{Cause, Objects};
use super::refusal::Refusal;

/// What is charged.
#[derive(Clone, Copy, Debug)]
pub enum Instrument {
    /// A card: the answer comes at once.
    Card(&'static Card),
    /// A bank account: the money comes days later, or does not.
    Bank,
}

impl Instrument {
    /// `card`, `us_bank_account`
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Card(_) => "card",
            Self::Bank => "us_bank_account",
        }
    }

    /// The `payment_method_details` of a charge.
    #[must_use]
    pub fn charged(self, amount: i64) -> Value {
        match self {
            Self::Card(card) => json!({"card": card.charged(amount), "type": "card"}),
            Self::Bank => json!({"type": "us_bank_account", "us_bank_account": bank()}),
        }
    }
}

fn bank() -> Value {
    json!({
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "SIMULATED BANK",
        "fingerprint": "SimPrintBank6789",
        "last4": "6789",
        "routing_number": "110000000",
    })
}

/// A payment method.
#[derive(Debug)]
pub struct Method {
    /// `pm_…`
    pub id: String,
    /// What it charges.
    pub instrument: Instrument,
    /// Who saved it; none when it was used once or was removed.
    pub customer: Option<String>,
    created: i64,
    email: Option<String>,
}

impl Method {
    /// The object.
    #[must_use]
    pub fn json(&self) -> Value {
        let kind = self.instrument.name();
        let details = match self.instrument {
            Instrument::Card(card) => card.json(),
            Instrument::Bank => bank(),
        };
        let mut object = json!({
            "id": self.id,
            "object": "payment_method",
            "allow_redisplay": if self.customer.is_some() { "limited" } else { "unspecified" },
            "billing_details": billing_details(self.email.as_deref()),
            "created": self.created,
            "customer": self.customer,
            "customer_account": null,
            "livemode": false,
            "metadata": {},
            "type": kind,
        });
        object[kind] = details;
        object
    }
}

/// The `billing_details` of a method or charge.
#[must_use]
pub fn billing_details(email: Option<&str>) -> Value {
    json!({"address": null, "email": email, "name": null, "phone": null, "tax_id": null})
}

/// Makes a payment method, saved for a customer or not.
pub fn make(
    objects: &mut Objects,
    instrument: Instrument,
    customer: Option<&str>,
    cause: &Cause,
) -> String {
    let owner = customer.and_then(|id| objects.customers.get(id));
    let method = Method {
        email: owner.and_then(|owner| owner.email().map(str::to_owned)),
        id: objects.id("pm_1", 23),
        instrument,
        customer: customer.map(str::to_owned),
        created: cause.at,
    };
    let (id, object) = (method.id.clone(), method.json());
    objects.methods.insert(&id, method);
    if customer.is_some() {
        objects.emit("payment_method.attached", object, cause);
    }
    id
}

/// `POST /v1/payment_methods/{id}/detach`
pub fn detach(objects: &mut Objects, id: &str, cause: &Cause) -> Result<Value, Refusal> {
    let method = objects.methods.get_mut(id);
    let method = method.ok_or_else(|| Refusal::not_found("PaymentMethod", id))?;
    if method.customer.take().is_none() {
        return Err(Refusal::invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
        ));
    }
    let object = method.json();
    objects.emit("payment_method.detached", object.clone(), cause);
    Ok(object)
}
