//! Disputes: opened and moved on by controls only, as the owner's bank would.

use serde_json::{Value, json};

use super::objects::{Cause, Objects};
use super::refusal::Refusal;

/// What the bank does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opens a dispute.
    Created,
    /// Opens an inquiry, which takes no money.
    Warning,
    /// Takes the money.
    FundsWithdrawn,
    /// Gives it back.
    FundsReinstated,
    /// Decides for the seller.
    ClosedWon,
    /// Decides for the owner of the card.
    ClosedLost,
    /// Ends an inquiry.
    WarningClosed,
}

impl Phase {
    /// The phase of that name, as the control spells it.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Some(match name {
            "created" => Self::Created,
            "warning" => Self::Warning,
            "funds_withdrawn" => Self::FundsWithdrawn,
            "funds_reinstated" => Self::FundsReinstated,
            "closed_won" => Self::ClosedWon,
            "closed_lost" => Self::ClosedLost,
            "warning_closed" => Self::WarningClosed,
            _ => return None,
        })
    }

    /// The event, and the dispute's status where it changes.
    fn effect(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Created => ("charge.dispute.created", Some("needs_response")),
            Self::Warning => ("charge.dispute.created", Some("warning_needs_response")),
            Self::FundsWithdrawn => ("charge.dispute.funds_withdrawn", None),
            Self::FundsReinstated => ("charge.dispute.funds_reinstated", None),
            Self::ClosedWon => ("charge.dispute.closed", Some("won")),
            Self::ClosedLost => ("charge.dispute.closed", Some("lost")),
            Self::WarningClosed => ("charge.dispute.closed", Some("warning_closed")),
        }
    }
}

/// A dispute.
#[derive(Debug)]
pub struct Dispute {
    /// `dp_…`
    pub id: String,
    /// Of which charge.
    pub charge: String,
    /// Of which intent.
    pub intent: String,
    /// Unix time in seconds.
    pub created: i64,
    amount: i64,
    currency: String,
    reason: String,
    status: &'static str,
}

impl Dispute {
    /// The object.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": [],
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": {},
            "evidence_details": {
                "due_by": self.created + 7 * 24 * 60 * 60, "enhanced_eligibility": {},
                "has_evidence": false, "past_due": false, "submission_count": 0,
                "submission_method": "manual",
            },
            "intended_submission_method": null,
            "is_charge_refundable": self.status.starts_with("warning_"),
            "livemode": false,
            "metadata": {},
            "payment_intent": self.intent,
            "payment_method_details": {
                "card": {"brand": "visa", "case_type": "chargeback", "network": "visa",
                    "network_reason_code": "10"},
                "type": "card",
            },
            "reason": self.reason,
            "status": self.status,
        })
    }
}

/// What a new dispute is about.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The payment.
    pub intent: &'a str,
    /// Cents; all of the charge without it.
    pub amount: Option<i64>,
    /// Stripe's reason.
    pub reason: &'a str,
}

/// Does what the bank does to the dispute of a payment. The last one counts when there are several.
pub fn moves(
    objects: &mut Objects,
    claim: Claim<'_>,
    phase: Phase,
    cause: &Cause,
) -> Result<Value, Refusal> {
    let (event, status) = phase.effect();
    let id = if matches!(phase, Phase::Created | Phase::Warning) {
        open(objects, claim, cause)?
    } else {
        let mut all = objects.disputes.iter().rev();
        let last = all.find(|dispute| dispute.intent == claim.intent);
        let last = last.ok_or_else(|| Refusal::not_found("dispute of", claim.intent))?;
        last.id.clone()
    };
    let dispute = objects.disputes.get_mut(&id);
    let dispute = dispute.ok_or_else(|| Refusal::not_found("dispute", &id))?;
    if let Some(status) = status {
        dispute.status = status;
    }
    let charge = dispute.charge.clone();
    let object = dispute.json();
    if let Some(charge) = objects.charges.get_mut(&charge) {
        match phase {
            Phase::Created => charge.disputed = true,
            Phase::ClosedWon => charge.disputed = false,
            Phase::Warning
            | Phase::FundsWithdrawn
            | Phase::FundsReinstated
            | Phase::ClosedLost
            | Phase::WarningClosed => {}
        }
    }
    objects.emit(event, object.clone(), cause);
    Ok(object)
}

fn open(objects: &mut Objects, claim: Claim<'_>, cause: &Cause) -> Result<String, Refusal> {
    let intent = objects.intents.get(claim.intent);
    let charge = intent.and_then(|intent| intent.latest_charge.as_deref());
    let charge = charge
        .and_then(|id| objects.charges.get(id))
        .filter(|charge| charge.is_paid());
    let charge = charge
        .ok_or_else(|| Refusal::invalid(format!("No payment '{}' that was paid", claim.intent)))?;
    let dispute = Dispute {
        id: String::new(),
        charge: charge.id.clone(),
        intent: charge.intent.clone(),
        created: cause.at,
        amount: claim.amount.unwrap_or(charge.bill.amount),
        currency: charge.bill.currency.clone(),
        reason: claim.reason.to_owned(),
        status: "needs_response",
    };
    let id = objects.id("dp_1", 23);
    let dispute = Dispute {
        id: id.clone(),
        ..dispute
    };
    objects.disputes.insert(&id, dispute);
    Ok(id)
}
