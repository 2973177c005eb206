//! Setup intents: a card saved without a payment, by a Checkout session of mode `setup`.

use serde_json::{Value, json};

use super::objects::{Cause, Objects, with_nulls};

/// Fields of Stripe's that say nothing here.
const NULLS: &[&str] = &[
    "allowed_payment_method_types",
    "application",
    "automatic_payment_methods",
    "cancellation_reason",
    "excluded_payment_method_types",
    "last_setup_error",
    "latest_attempt",
    "mandate",
    "next_action",
    "on_behalf_of",
    "payment_method_configuration_details",
    "single_use_mandate",
];

/// A setup intent. Only succeeded ones exist.
#[derive(Debug)]
pub struct Setup {
    id: String,
    created: i64,
    customer: Option<String>,
    method: String,
    kind: &'static str,
    description: Option<String>,
    metadata: Value,
}

impl Setup {
    /// The object.
    #[must_use]
    pub fn json(&self) -> Value {
        let object = json!({
            "id": self.id,
            "object": "setup_intent",
            "client_secret": format!("{}_secret_simulated", self.id),
            "created": self.created,
            "customer": self.customer,
            "description": self.description,
            "livemode": false,
            "metadata": self.metadata,
            "payment_method": self.method,
            "payment_method_options": {},
            "payment_method_types": [self.kind],
            "status": "succeeded",
            "usage": "off_session",
        });
        with_nulls(object, NULLS)
    }
}

/// What a session says of the setup that it makes.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Its description.
    pub description: Option<String>,
    /// Its metadata.
    pub metadata: Value,
}

/// Makes a setup intent for a saved payment method and returns its id.
pub fn make(objects: &mut Objects, method: &str, wish: Wish, cause: &Cause) -> String {
    let saved = objects.methods.get(method);
    let setup = Setup {
        customer: saved.and_then(|saved| saved.customer.clone()),
        kind: saved.map_or("card", |saved| saved.instrument.name()),
        id: objects.id("seti_1", 23),
        created: cause.at,
        method: method.to_owned(),
        description: wish.description,
        metadata: wish.metadata,
    };
    let (id, object) = (setup.id.clone(), setup.json());
    objects.setups.insert(&id, setup);
    objects.emit("setup_intent.succeeded", object, cause);
    id
}
