//! The pages that Stripe hosts: Checkout, receipt, invoice and customer portal. What their buttons do
//! stands in `checkout.rs`.

use maud::{Markup, html};

use super::cards::CARDS;
use super::checkout::waits_for_bank;
use super::intents::saved;
use super::method::Instrument;
use super::objects::Objects;
use super::session::{Purpose, Session, Status};

/// A page without its frame.
#[derive(Debug)]
pub struct Page {
    /// What the window is called.
    pub title: &'static str,
    /// What is on it.
    pub content: Markup,
}

fn page(title: &'static str, content: Markup) -> Option<Page> {
    let content = html! {
        header { strong { "Simulated Stripe" } p.quiet { "No money moves." } }
        main { h1 { (title) } (content) }
    };
    Some(Page { title, content })
}

fn money(cents: i64, currency: &str) -> String {
    let currency = currency.to_uppercase();
    format!("{}.{:02} {currency}", cents / 100, cents % 100)
}

/// The page of a session, with what happened to the button just pressed. `None`: no such session.
#[must_use]
pub fn checkout(objects: &Objects, id: &str, message: Option<&str>) -> Option<Page> {
    let session = objects.sessions.get(id)?;
    let title = match session.purpose {
        Purpose::Payment(_) => "Pay",
        Purpose::Setup(_) => "Save a card",
    };
    let content = html! {
        @if let Some(message) = message {
            p #message role="alert" { (message) }
        }
        @match session.status {
            Status::Open => (open(session)),
            Status::Complete if waits_for_bank(objects, id) => {
                p #state { "The payment is under way at the bank." }
                form method="post" {
                    p { button.wide #settle name="action" value="settle" { "The money comes" } }
                    p { button.wide #bounce name="action" value="bounce" { "The money does not come" } }
                }
            }
            Status::Complete => p #state { "This session is complete." },
            Status::Expired => p #state { "This session has expired." },
        }
    };
    page(title, content)
}

fn open(session: &Session) -> Markup {
    let saves = match &session.purpose {
        Purpose::Payment(bill) => bill.setup_future_usage.is_some(),
        Purpose::Setup(_) => true,
    };
    let pays = matches!(session.purpose, Purpose::Payment(_));
    html! {
        ul { @for title in &session.titles { li { (title) } } }
        @if let (true, Some(currency)) = (pays, &session.currency) {
            p { strong #total { (money(session.amount_subtotal, currency)) } }
        }
        @if saves {
            p { "The card is saved for later payments." }
        }
        @if let Some(email) = &session.email {
            p { (email) }
        }
        form method="post" {
            p {
                label for="card" { "Card" }
                select #card name="card" {
                    @for card in CARDS {
                        option value=(card.name) { (card.about) }
                    }
                }
            }
            @if session.automatic_tax {
                p {
                    label for="tax_percent" { "Tax in percent" }
                    input #tax_percent name="tax_percent" type="number" min="0" max="100" value="0";
                }
            }
            p { button.wide #pay name="action" value="pay" { @if pays { "Pay" } @else { "Save" } } }
            p { button.wide #fail name="action" value="fail" { "Fail" } }
            @if session.takes_bank() {
                p { button.wide #later name="action" value="later" { "Pay later from a bank account" } }
            }
        }
        @if let Some(url) = &session.cancel_url {
            p { a #cancel href=(url) { "Cancel" } }
        }
    }
}

/// The receipt of a charge. `None`: no such charge.
#[must_use]
pub fn receipt(objects: &Objects, id: &str) -> Option<Page> {
    let charge = objects.charges.get(id)?;
    let content = html! {
        dl {
            dt { "Paid" } dd #paid { (money(charge.bill.amount, &charge.bill.currency)) }
            dt { "Refunded" } dd { (money(charge.refunded, &charge.bill.currency)) }
            dt { "Charge" } dd { (charge.id) }
        }
    };
    page("Receipt", content)
}

/// An invoice. `None`: no such invoice.
#[must_use]
pub fn invoice(objects: &Objects, id: &str) -> Option<Page> {
    let invoice = objects.invoices.get(id)?;
    let content = html! {
        dl {
            dt { "Number" } dd { (invoice.number) }
            dt { "Paid" } dd #paid { (money(invoice.total, &invoice.currency)) }
        }
    };
    page("Invoice", content)
}

/// The portal of a customer. `None`: no such portal session.
#[must_use]
pub fn portal(objects: &Objects, id: &str, message: Option<&str>) -> Option<Page> {
    let portal = objects.portals.get(id)?;
    let is_theirs = |customer: &Option<String>| customer.as_deref() == Some(&portal.customer);
    let invoices = objects.invoices.iter();
    let content = html! {
        @if let Some(message) = message {
            p #message role="alert" { (message) }
        }
        h2 { "Saved cards" }
        ul.list {
            @for method in saved(objects, &portal.customer) {
                li {
                    form method="post" {
                        (about(method.instrument)) " "
                        button name="remove" value=(method.id) { "Remove" }
                    }
                }
            }
        }
        h2 { "Invoices" }
        ul.list {
            @for invoice in invoices.filter(|invoice| is_theirs(&invoice.customer)) {
                li {
                    a href={ "../invoice/" (invoice.id) } { (invoice.number) }
                    ": " (money(invoice.total, &invoice.currency))
                }
            }
        }
        @if let Some(url) = &portal.return_url {
            p { a #return href=(url) { "Return" } }
        }
    };
    page("Billing", content)
}

fn about(instrument: Instrument) -> String {
    match instrument {
        Instrument::Card(card) => format!("{} {}", card.brand, card.last4()),
        Instrument::Bank => "bank account 6789".to_owned(),
    }
}
