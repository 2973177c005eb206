//! `POST /v1/payment_intents`: a saved card charged while its owner is away.

use serde_json::{Map, Value};

use super::cards::Later;
use super::check::CURRENCIES;
use super::form::{self, Fields};
use super::method::{Instrument, Method};
use super::objects::{Cause, Objects};
use super::payment::{Bill, Intent, Status, Verdict, attempt, message, open};
use super::refusal::Refusal;

/// The most that can be charged, in cents.
const MAX_AMOUNT: i64 = 99_999_999;

/// Refuses an amount that Stripe would not charge.
pub fn chargeable(amount: i64, currency: &str, param: &str) -> Result<(), Refusal> {
    let least = CURRENCIES.iter().find(|(name, _)| *name == currency);
    let least = least.map_or(50, |(_, least)| *least);
    let cents = |amount: i64| format!("{}.{:02} {currency}", amount / 100, amount % 100);
    let refused = if amount < least {
        let message = format!("Amount must be at least {}", cents(least));
        Refusal::invalid(message).code("amount_too_small")
    } else if amount > MAX_AMOUNT {
        let message = format!("Amount must be no more than {}", cents(MAX_AMOUNT));
        Refusal::invalid(message).code("amount_too_large")
    } else {
        return Ok(());
    };
    Err(refused.param(param))
}

/// Does the call. 402 when the card is not charged: the intent exists all the same.
pub fn create(objects: &mut Objects, fields: &Fields, cause: &Cause) -> Result<Value, Refusal> {
    let owned = |name: &str| form::text(fields, name).map(str::to_owned);
    let bill = Bill {
        amount: form::integer(fields, "amount").unwrap_or_default(),
        currency: owned("currency").unwrap_or_default(),
        customer: owned("customer"),
        description: owned("description"),
        receipt_email: owned("receipt_email"),
        metadata: form::metadata(fields, "metadata"),
        setup_future_usage: None,
    };
    chargeable(bill.amount, &bill.currency, "amount")?;
    if let Some(customer) = &bill.customer
        && objects.customers.get(customer).is_none()
    {
        return Err(Refusal::no_such("customer", customer, "customer"));
    }
    let method = owned("payment_method");
    let instrument = match &method {
        Some(id) => Some(usable(objects, id, bill.customer.as_deref())?),
        None => None,
    };
    let (confirm, away) = (
        form::is_true(fields, "confirm"),
        form::is_true(fields, "off_session"),
    );
    if away && !confirm {
        let message = "`off_session` can only be set when `confirm` is true";
        return Err(Refusal::invalid(message).param("off_session"));
    }
    if confirm && !away {
        // Stripe would want a `return_url` and send the owner through the bank's pages.
        let message = "The simulator confirms a payment in the call only with `off_session`";
        return Err(Refusal::invalid(message).param("off_session"));
    }
    if confirm && method.is_none() {
        return Err(Refusal::missing("payment_method"));
    }
    let id = open(objects, bill, cause);
    if let (Some(method), Some(instrument)) = (method, instrument) {
        if confirm {
            attempt(objects, &id, &method, (verdict(instrument), cause));
        } else if let Some(intent) = objects.intents.get_mut(&id) {
            intent.method = Some(method);
            intent.status = Status::RequiresConfirmation;
        }
    }
    outcome(objects, &id)
}

fn usable(objects: &Objects, id: &str, customer: Option<&str>) -> Result<Instrument, Refusal> {
    let method = objects.methods.get(id);
    let method = method.ok_or_else(|| Refusal::no_such("PaymentMethod", id, "payment_method"))?;
    match (method.customer.as_deref(), customer) {
        (Some(owner), Some(customer)) if owner == customer => Ok(method.instrument),
        (Some(_), None) => Err(Refusal::invalid(
            "The payment method belongs to a customer: include the `customer` parameter.",
        )),
        (Some(_), Some(_)) => Err(Refusal::invalid(
            "The payment method does not belong to the customer of the `customer` parameter.",
        )),
        (None, _) => Err(Refusal::invalid(
            "The payment method was used before without being attached to a customer, or was \
             detached from one: it may not be used again.",
        )),
    }
    .map_err(|refusal| refusal.param("payment_method"))
}

fn verdict(instrument: Instrument) -> Verdict {
    let card = match instrument {
        Instrument::Card(card) => card,
        Instrument::Bank => return Verdict::Pending,
    };
    match card.later {
        Later::Charged => Verdict::Paid,
        Later::NeedsOwner => Verdict::Failed {
            code: "authentication_required",
            reason: "authentication_required",
        },
        Later::Declined => Verdict::Failed {
            code: "card_declined",
            reason: "generic_decline",
        },
    }
}

fn outcome(objects: &Objects, id: &str) -> Result<Value, Refusal> {
    let intent = objects.intents.get(id);
    let intent = intent.ok_or_else(|| Refusal::not_found("payment_intent", id))?;
    match &intent.last_error {
        None => Ok(intent.json()),
        Some(error) => Err(card_error(intent, error)),
    }
}

fn card_error(intent: &Intent, error: &Value) -> Refusal {
    let mut more = Map::new();
    for name in ["charge", "decline_code", "payment_method"] {
        more.insert(name.to_owned(), error[name].clone());
    }
    more.insert("payment_intent".to_owned(), intent.json());
    let code = match error["code"].as_str() {
        Some("authentication_required") => "authentication_required",
        _ => "card_declined",
    };
    Refusal {
        status: 402,
        kind: "card_error",
        code: Some(code),
        message: message(code).to_owned(),
        param: None,
        more,
    }
}

/// The saved methods of a customer, newest last.
pub fn saved<'a>(objects: &'a Objects, customer: &'a str) -> impl Iterator<Item = &'a Method> {
    let methods = objects.methods.iter();
    methods.filter(move |method| method.customer.as_deref() == Some(customer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_that_stripe_would_not_charge_are_refused() {
        let check = |amount: i64, currency: &str, expect: Option<&str>| {
            let refused = chargeable(amount, currency, "amount").err();
            let code = refused.and_then(|refusal| refusal.code);
            assert_eq!(code, expect, "{amount} {currency}");
        };
        check(50, "usd", None);
        check(49, "usd", Some("amount_too_small"));
        check(-50, "usd", Some("amount_too_small"));
        check(30, "gbp", None);
        check(99_999_999, "usd", None);
        check(100_000_000, "usd", Some("amount_too_large"));
    }
}
