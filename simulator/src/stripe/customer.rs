//! Customers: made and changed by calls, completed by the hosted page.

use serde_json::{Map, Value, json};

use super::form::{self, Field, Fields};
use super::objects::{Cause, Objects};
use super::refusal::Refusal;

/// The fields that a call sets and the object shows as they are.
const TEXTS: [&str; 6] = [
    "business_name",
    "description",
    "email",
    "individual_name",
    "name",
    "phone",
];

/// A customer.
#[derive(Debug)]
pub struct Customer {
    /// `cus_…`
    pub id: String,
    created: i64,
    texts: Map<String, Value>,
    address: Option<Value>,
    metadata: Value,
}

impl Customer {
    /// The e-mail address.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.texts.get("email")?.as_str()
    }

    /// Whether taxes can be worked out.
    #[must_use]
    pub fn has_address(&self) -> bool {
        self.address.is_some()
    }

    /// The address that the owner gave on the hosted page.
    pub fn moves_to(&mut self, address: Value) {
        self.address = Some(address);
    }

    fn set(&mut self, fields: &Fields) {
        for name in TEXTS {
            if let Some(text) = form::text(fields, name) {
                self.texts.insert(name.to_owned(), json!(text));
            }
        }
        if let Some(address) = form::group(fields, "address") {
            let part = |name: &str| match address.get(name) {
                Some(Field::Text(text)) => json!(text),
                Some(Field::Group(_)) | None => Value::Null,
            };
            self.address = Some(json!({
                "city": part("city"), "country": part("country"), "line1": part("line1"),
                "line2": part("line2"), "postal_code": part("postal_code"), "state": part("state"),
            }));
        }
        // Stripe merges metadata key by key.
        if let (Value::Object(new), Some(old)) = (
            form::metadata(fields, "metadata"),
            self.metadata.as_object_mut(),
        ) {
            old.extend(new);
        }
    }

    /// The object.
    #[must_use]
    pub fn json(&self) -> Value {
        let text = |name: &str| self.texts.get(name).cloned().unwrap_or_default();
        let mut object = json!({
            "id": self.id,
            "object": "customer",
            "address": self.address,
            "balance": 0,
            "created": self.created,
            "currency": null,
            "default_source": null,
            "delinquent": false,
            "description": text("description"),
            "discount": null,
            "email": text("email"),
            "invoice_prefix": self.id.get(4..12),
            "invoice_settings": {
                "custom_fields": null, "default_payment_method": null, "footer": null,
                "rendering_options": null,
            },
            "livemode": false,
            "metadata": self.metadata,
            "name": text("name"),
            "next_invoice_sequence": 1,
            "phone": text("phone"),
            "preferred_locales": [],
            "shipping": null,
            "tax_exempt": "none",
            "test_clock": null,
        });
        for name in ["business_name", "individual_name"] {
            if let Some(given) = self.texts.get(name) {
                object[name] = given.clone();
            }
        }
        object
    }
}

/// `POST /v1/customers`; also what the hosted page does for one who is none yet.
pub fn create(objects: &mut Objects, fields: &Fields, cause: &Cause) -> Value {
    let mut customer = Customer {
        id: objects.id("cus_", 14),
        created: cause.at,
        texts: Map::new(),
        address: None,
        metadata: json!({}),
    };
    customer.set(fields);
    let object = customer.json();
    objects.customers.insert(&customer.id.clone(), customer);
    objects.emit("customer.created", object.clone(), cause);
    object
}

/// `POST /v1/customers/{id}`
pub fn update(
    objects: &mut Objects,
    id: &str,
    fields: &Fields,
    cause: &Cause,
) -> Result<Value, Refusal> {
    let customer = objects.customers.get_mut(id);
    let customer = customer.ok_or_else(|| Refusal::not_found("customer", id))?;
    customer.set(fields);
    let object = customer.json();
    objects.emit("customer.updated", object.clone(), cause);
    Ok(object)
}
