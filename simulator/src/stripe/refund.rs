//! Refunds: by the API, by a person in Stripe's dashboard (a control), and their later fate.

use serde_json::{Value, json};

use super::form::{self, Fields};
use super::method::Instrument;
use super::objects::{Cause, Objects};
use super::payment::transaction;
use super::refusal::Refusal;

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The bank will tell.
    Pending,
    /// The owner has the money.
    Succeeded,
    /// The bank sent it back.
    Failed,
    /// It was called off.
    Canceled,
}

impl Status {
    /// Stripe's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let all = [Self::Pending, Self::Succeeded, Self::Failed, Self::Canceled];
        all.into_iter().find(|status| status.name() == name)
    }
}

/// A refund.
#[derive(Debug)]
pub struct Refund {
    /// `re_…`
    pub id: String,
    /// Of which charge.
    pub charge: String,
    /// Of which intent.
    pub intent: String,
    /// Unix time in seconds.
    pub created: i64,
    amount: i64,
    currency: String,
    customer: Option<String>,
    method: String,
    reason: Option<String>,
    metadata: Value,
    status: Status,
}

impl Refund {
    /// The object.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": transaction(&self.id),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "destination_details": {
                "card": {
                    "reference_status": "pending", "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
                "type": "card",
            },
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "payment_method": self.method,
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": self.status.name(),
            "transfer_reversal": null,
        });
        if self.status == Status::Failed {
            object["failure_reason"] = json!("expired_or_canceled_card");
        }
        object
    }
}

/// `POST /v1/refunds`
pub fn create(objects: &mut Objects, fields: &Fields, cause: &Cause) -> Result<Value, Refusal> {
    let charge = charge_of(objects, fields)?;
    let Some(charge) = objects.charges.get_mut(&charge) else {
        return Err(Refusal::no_such("charge", &charge, "charge"));
    };
    let left = charge.bill.amount - charge.refunded;
    if left == 0 {
        let message = format!("Charge {} has already been refunded.", charge.id);
        return Err(Refusal::invalid(message).code("charge_already_refunded"));
    }
    if charge.disputed {
        let message = format!(
            "Charge {} has been charged back; cannot issue a refund.",
            charge.id
        );
        return Err(Refusal::invalid(message).code("charge_disputed"));
    }
    let amount = form::integer(fields, "amount").unwrap_or(left);
    if amount < 1 {
        let message = "This value must be greater than or equal to 1.";
        return Err(Refusal::invalid(message)
            .code("parameter_invalid_integer")
            .param("amount"));
    }
    if amount > left {
        let dollars = |cents: i64| format!("${}.{:02}", cents / 100, cents % 100);
        let message = format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            dollars(amount),
            dollars(left)
        );
        return Err(Refusal::invalid(message).param("amount"));
    }
    charge.refunded += amount;
    let waits = matches!(charge.instrument, Instrument::Card(card) if card.refunds_pending);
    let refund = Refund {
        id: String::new(),
        charge: charge.id.clone(),
        intent: charge.intent.clone(),
        created: cause.at,
        amount,
        currency: charge.bill.currency.clone(),
        customer: charge.bill.customer.clone(),
        method: charge.method.clone(),
        reason: form::text(fields, "reason").map(str::to_owned),
        metadata: form::metadata(fields, "metadata"),
        status: if waits {
            Status::Pending
        } else {
            Status::Succeeded
        },
    };
    let charge = charge.json();
    let refund = Refund {
        id: objects.id("re_3", 23),
        ..refund
    };
    let object = refund.json();
    objects.refunds.insert(&refund.id.clone(), refund);
    objects.emit("charge.refunded", charge, cause);
    objects.emit("refund.created", object.clone(), cause);
    Ok(object)
}

/// The charge that a call means.
fn charge_of(objects: &Objects, fields: &Fields) -> Result<String, Refusal> {
    let intent = form::text(fields, "payment_intent");
    let charge = match (intent, form::text(fields, "charge")) {
        (Some(id), None) => {
            let intent = objects.intents.get(id);
            let intent =
                intent.ok_or_else(|| Refusal::no_such("payment_intent", id, "payment_intent"))?;
            intent.latest_charge.as_deref()
        }
        (None, Some(charge)) => Some(charge),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: charge, payment_intent.";
            return Err(Refusal::invalid(message).code("parameters_exclusive"));
        }
        (None, None) => {
            let message = "One of the following params should be provided for this request: \
                           payment_intent or charge.";
            return Err(Refusal::invalid(message).code("parameter_missing"));
        }
    };
    let known = charge.and_then(|id| objects.charges.get(id));
    match (charge, known) {
        (Some(_), Some(known)) if known.is_paid() => Ok(known.id.clone()),
        (Some(id), None) => Err(Refusal::no_such("charge", id, "charge")),
        (_, _) => Err(Refusal::invalid(
            "This payment does not have a successful charge to refund.",
        )),
    }
}

/// What the bank does with a refund afterwards. A refund that comes back can be made again.
pub fn becomes(
    objects: &mut Objects,
    id: &str,
    status: Status,
    cause: &Cause,
) -> Result<Value, Refusal> {
    let refund = objects.refunds.get_mut(id);
    let refund = refund.ok_or_else(|| Refusal::not_found("refund", id))?;
    let gone = |status| matches!(status, Status::Failed | Status::Canceled);
    let (before, amount, charge) = (refund.status, refund.amount, refund.charge.clone());
    if before == status || gone(before) {
        let message = format!("The refund is {} already.", before.name());
        return Err(Refusal::invalid(message));
    }
    refund.status = status;
    let object = refund.json();
    if gone(status)
        && let Some(charge) = objects.charges.get_mut(&charge)
    {
        charge.refunded -= amount;
    }
    if status == Status::Failed {
        objects.emit("refund.failed", object.clone(), cause);
    }
    objects.emit("refund.updated", object.clone(), cause);
    Ok(object)
}
