//! What the owner of a session does on its hosted page, and what becomes of the session, its payment
//! and its invoice. How the page looks stands in `page.rs`.

use serde_json::{Value, json};

use super::cards::{self, CARDS, Card};
use super::customer;
use super::form::{self, Field, Fields};
use super::invoice;
use super::method::{self, Instrument};
use super::objects::{Cause, Objects};
use super::payment::{self, Verdict};
use super::session::{Purpose, Status};
use super::setup;

/// The most that the page adds as tax.
const MAX_TAX_PERCENT: i64 = 100;

/// A button of the page.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// Pays with a card.
    Pay(&'static Card),
    /// Pays from a bank account; the money comes later or not.
    PayLater,
    /// The bank tells whether the money came.
    Settle {
        /// It came.
        paid: bool,
    },
}

impl Deed {
    /// The button that a form of the page stands for; `None` when it has no such button.
    #[must_use]
    pub fn read(fields: &Fields) -> Option<Self> {
        let card = match form::text(fields, "card") {
            Some(name) => cards::find(name)?,
            None => CARDS.first()?,
        };
        match form::text(fields, "action")? {
            "pay" => Some(Self::Pay(card)),
            "fail" => Some(Self::Pay(
                CARDS.iter().find(|card| card.declined.is_some())?,
            )),
            "later" => Some(Self::PayLater),
            "settle" => Some(Self::Settle { paid: true }),
            "bounce" => Some(Self::Settle { paid: false }),
            _ => None,
        }
    }
}

/// Where the owner is afterwards.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// At the seller's page.
    Leaves(String),
    /// Still here, and reads this.
    Stays(&'static str),
}

/// Presses a button. `tax_percent` is what the page works out when the session asks for taxes.
/// `None` when there is no such session.
pub fn press(
    objects: &mut Objects,
    id: &str,
    (deed, tax_percent): (Deed, i64),
    cause: &Cause,
) -> Option<Outcome> {
    let session = objects.sessions.get(id)?;
    let waits = waits_for_bank(objects, id);
    let outcome = match (deed, session.status) {
        (Deed::Settle { paid }, Status::Complete) if waits => {
            settle(objects, id, paid, cause)?;
            Outcome::Stays(if paid {
                "The money came."
            } else {
                "The money did not come."
            })
        }
        (Deed::Settle { .. }, _) => Outcome::Stays("There is no money under way."),
        (Deed::Pay(_) | Deed::PayLater, Status::Complete) => {
            Outcome::Stays("This session is already complete.")
        }
        (Deed::Pay(_) | Deed::PayLater, Status::Expired) => {
            Outcome::Stays("This session has expired.")
        }
        (Deed::PayLater, Status::Open) if !session.takes_bank() => {
            Outcome::Stays("This session takes cards only.")
        }
        (Deed::Pay(_) | Deed::PayLater, Status::Open) => {
            let tax_percent = tax_percent.clamp(0, MAX_TAX_PERCENT);
            go_through(objects, id, (deed, tax_percent), cause)?
        }
    };
    Some(outcome)
}

/// Whether the session is complete and its money under way.
#[must_use]
pub fn waits_for_bank(objects: &Objects, id: &str) -> bool {
    let intent = objects
        .sessions
        .get(id)
        .and_then(|session| session.intent.as_deref());
    intent
        .and_then(|intent| objects.intents.get(intent))
        .is_some_and(|intent| intent.status == payment::Status::Processing)
}

fn go_through(
    objects: &mut Objects,
    id: &str,
    (deed, tax_percent): (Deed, i64),
    cause: &Cause,
) -> Option<Outcome> {
    let instrument = match deed {
        Deed::Pay(card) => Instrument::Card(card),
        Deed::PayLater | Deed::Settle { .. } => Instrument::Bank,
    };
    let verdict = match instrument {
        Instrument::Bank => Verdict::Pending,
        Instrument::Card(card) => card
            .declined
            .map_or(Verdict::Paid, |reason| Verdict::Failed {
                code: "card_declined",
                reason,
            }),
    };
    let session = objects.sessions.get(id)?;
    match session.purpose.clone() {
        Purpose::Payment(_) => {
            tax(objects, id, tax_percent)?;
            pay(objects, id, (instrument, verdict), cause)?;
        }
        Purpose::Setup(wish) => {
            if verdict == Verdict::Paid {
                save(objects, id, (instrument, wish), cause)?;
            }
        }
    }
    if let Verdict::Failed { code, .. } = verdict {
        return Some(Outcome::Stays(payment::message(code)));
    }
    let session = objects.sessions.get(id)?;
    let target = session.success_url.replace("{CHECKOUT_SESSION_ID}", id);
    Some(Outcome::Leaves(target))
}

/// Works out the tax: on top of the prices, or the part of them that is tax.
fn tax(objects: &mut Objects, id: &str, percent: i64) -> Option<()> {
    let session = objects.sessions.get_mut(id)?;
    let percent = if session.automatic_tax { percent } else { 0 };
    if session.tax_exclusive {
        session.amount_tax = session.amount_subtotal * percent / 100;
        session.amount_total = session.amount_subtotal + session.amount_tax;
    } else {
        session.amount_tax = session.amount_subtotal * percent / (100 + percent);
    }
    Some(())
}

fn pay(
    objects: &mut Objects,
    id: &str,
    (instrument, verdict): (Instrument, Verdict),
    cause: &Cause,
) -> Option<()> {
    let customer = owner(objects, id, cause)?;
    let session = objects.sessions.get(id)?;
    let Purpose::Payment(bill) = &session.purpose else {
        return None;
    };
    let mut bill = bill.clone();
    bill.amount = session.amount_total;
    bill.customer.clone_from(&customer);
    bill.receipt_email = bill.receipt_email.or_else(|| session.email.clone());
    let saves = bill.setup_future_usage.is_some();
    let intent = match session.intent.clone() {
        Some(intent) => {
            objects.intents.get_mut(&intent)?.bill = bill;
            intent
        }
        None => payment::open(objects, bill, cause),
    };
    objects.sessions.get_mut(id)?.intent = Some(intent.clone());
    // A card that is declined is not saved.
    let failed = matches!(verdict, Verdict::Failed { .. });
    let saver = customer.as_deref().filter(|_| saves && !failed);
    let method = method::make(objects, instrument, saver, cause);
    payment::attempt(objects, &intent, &method, (verdict, cause));
    if failed {
        return Some(());
    }
    complete(
        objects,
        id,
        verdict == Verdict::Paid,
        "checkout.session.completed",
        cause,
    )
}

fn save(
    objects: &mut Objects,
    id: &str,
    (instrument, wish): (Instrument, setup::Wish),
    cause: &Cause,
) -> Option<()> {
    let customer = owner(objects, id, cause)?;
    let method = method::make(objects, instrument, customer.as_deref(), cause);
    let setup = setup::make(objects, &method, wish, cause);
    let session = objects.sessions.get_mut(id)?;
    session.setup = Some(setup);
    session.status = Status::Complete;
    let object = session.json();
    objects.emit("checkout.session.completed", object, cause);
    Some(())
}

/// The session's customer: the given one, or one made now when the session wants that.
fn owner(objects: &mut Objects, id: &str, cause: &Cause) -> Option<Option<String>> {
    let session = objects.sessions.get_mut(id)?;
    // The page asks for an address; this is what its owner types.
    let email = session
        .email
        .get_or_insert_with(|| "buyer@example.com".to_owned())
        .clone();
    let (known, updates) = (session.customer.clone(), session.updates_address());
    let makes = session.makes_customer;
    match known {
        Some(customer) if updates => {
            objects
                .customers
                .get_mut(&customer)?
                .moves_to(typed_address());
            Some(Some(customer))
        }
        Some(customer) => Some(Some(customer)),
        None if makes => {
            let fields = Fields::from([("email".to_owned(), Field::Text(email))]);
            let made = customer::create(objects, &fields, cause);
            let customer = made["id"].as_str().map(str::to_owned);
            objects.sessions.get_mut(id)?.customer.clone_from(&customer);
            Some(customer)
        }
        None => Some(None),
    }
}

fn typed_address() -> Value {
    json!({
        "city": "San Francisco", "country": "US", "line1": "1 Simulated Street", "line2": null,
        "postal_code": "94103", "state": "CA",
    })
}

fn complete(
    objects: &mut Objects,
    id: &str,
    paid: bool,
    event: &'static str,
    cause: &Cause,
) -> Option<()> {
    let session = objects.sessions.get_mut(id)?;
    session.status = Status::Complete;
    session.paid = paid;
    if paid {
        let invoice = invoice::make(objects, id, cause);
        objects.sessions.get_mut(id)?.invoice = invoice;
    }
    let object = objects.sessions.get(id)?.json();
    objects.emit(event, object, cause);
    Some(())
}

fn settle(objects: &mut Objects, id: &str, paid: bool, cause: &Cause) -> Option<()> {
    let intent = objects.sessions.get(id)?.intent.clone()?;
    let verdict = if paid {
        Verdict::Paid
    } else {
        Verdict::Failed {
            code: "payment_intent_payment_attempt_failed",
            reason: "insufficient_funds",
        }
    };
    payment::conclude(objects, &intent, verdict, cause);
    let event = if paid {
        "checkout.session.async_payment_succeeded"
    } else {
        "checkout.session.async_payment_failed"
    };
    complete(objects, id, paid, event, cause)
}
