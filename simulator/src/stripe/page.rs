//! The pages that Stripe hosts, without looks: Checkout, receipt, invoice and customer portal. What
//! their buttons do stands in `checkout.rs`.

use std::fmt::Write as _;

use super::cards::CARDS;
use super::checkout::waits_for_bank;
use super::intents::saved;
use super::method::Instrument;
use super::objects::Objects;
use super::session::{Purpose, Session, Status};

/// Escapes text for elements and for attributes in double quotes.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn money(cents: i64, currency: &str) -> String {
    let currency = currency.to_uppercase();
    format!("{}.{:02} {}", cents / 100, cents % 100, escape(&currency))
}

fn whole(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Simulated Stripe</title><style>{STYLE}</style></head>\
         <body><main><p class=\"note\">Simulated Stripe: no money moves.</p>\
         <h1>{title}</h1>{body}</main></body></html>\n"
    )
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f4f5f7;color:#111}\
    main{max-width:30rem;margin:2rem auto;padding:1.5rem;background:#fff;border-radius:.75rem}\
    .note{color:#666;font-size:.85rem}h1{font-size:1.4rem}label{display:block;margin:.5rem 0}\
    select,input,button{font:inherit;padding:.5rem;width:100%;box-sizing:border-box}\
    button{margin-top:.5rem;border:1px solid #555;border-radius:.5rem;background:#fff}\
    button.go{background:#111;color:#fff}[role=alert]{color:#a00}";

/// The page of a session, with what happened to the button just pressed. `None`: no such session.
#[must_use]
pub fn checkout(objects: &Objects, id: &str, message: Option<&str>) -> Option<String> {
    let session = objects.sessions.get(id)?;
    let mut body = String::new();
    if let Some(message) = message {
        // Writing to a string cannot fail, here and below.
        let _ = write!(
            body,
            "<p role=\"alert\" id=\"message\">{}</p>",
            escape(message)
        );
    }
    let title = match session.purpose {
        Purpose::Payment(_) => "Pay",
        Purpose::Setup(_) => "Save a card",
    };
    match session.status {
        Status::Open => open(&mut body, session),
        Status::Complete if waits_for_bank(objects, id) => body.push_str(
            "<p id=\"state\">The payment is under way at the bank.</p>\
             <form method=\"post\">\
             <button class=\"go\" name=\"action\" value=\"settle\">The money comes</button>\
             <button name=\"action\" value=\"bounce\">The money does not come</button></form>",
        ),
        Status::Complete => body.push_str("<p id=\"state\">This session is complete.</p>"),
        Status::Expired => body.push_str("<p id=\"state\">This session has expired.</p>"),
    }
    Some(whole(title, &body))
}

fn open(body: &mut String, session: &Session) {
    body.push_str("<ul>");
    for title in &session.titles {
        let _ = write!(body, "<li>{}</li>", escape(title));
    }
    body.push_str("</ul>");
    if let (Purpose::Payment(bill), Some(currency)) = (&session.purpose, &session.currency) {
        let total = money(session.amount_subtotal, currency);
        let _ = write!(body, "<p><strong id=\"total\">{total}</strong></p>");
        if bill.setup_future_usage.is_some() {
            body.push_str("<p>The card is saved for later payments.</p>");
        }
    }
    if let Some(email) = &session.email {
        let _ = write!(body, "<p>{}</p>", escape(email));
    }
    body.push_str("<form method=\"post\"><label>Card<select name=\"card\" id=\"card\">");
    for card in CARDS {
        let _ = write!(
            body,
            "<option value=\"{}\">{}</option>",
            card.name, card.about
        );
    }
    body.push_str("</select></label>");
    if session.automatic_tax {
        body.push_str(
            "<label>Tax in percent<input name=\"tax_percent\" type=\"number\" min=\"0\" \
             max=\"100\" value=\"0\"></label>",
        );
    }
    body.push_str("<button class=\"go\" name=\"action\" value=\"pay\" id=\"pay\">Pay</button>");
    body.push_str("<button name=\"action\" value=\"fail\" id=\"fail\">Fail</button>");
    if session.takes_bank() {
        body.push_str("<button name=\"action\" value=\"later\" id=\"later\">Pay later</button>");
    }
    body.push_str("</form>");
    if let Some(url) = &session.cancel_url {
        let _ = write!(
            body,
            "<p><a id=\"cancel\" href=\"{}\">Cancel</a></p>",
            escape(url)
        );
    }
}

/// The receipt of a charge. `None`: no such charge.
#[must_use]
pub fn receipt(objects: &Objects, id: &str) -> Option<String> {
    let charge = objects.charges.get(id)?;
    let paid = money(charge.bill.amount, &charge.bill.currency);
    let back = money(charge.refunded, &charge.bill.currency);
    let body = format!(
        "<dl><dt>Paid</dt><dd id=\"paid\">{paid}</dd><dt>Refunded</dt><dd>{back}</dd>\
         <dt>Charge</dt><dd>{}</dd></dl>",
        escape(&charge.id)
    );
    Some(whole("Receipt", &body))
}

/// An invoice. `None`: no such invoice.
#[must_use]
pub fn invoice(objects: &Objects, id: &str) -> Option<String> {
    let invoice = objects.invoices.get(id)?;
    let body = format!(
        "<dl><dt>Number</dt><dd>{}</dd><dt>Paid</dt><dd id=\"paid\">{}</dd></dl>",
        escape(&invoice.number),
        money(invoice.total, &invoice.currency)
    );
    Some(whole("Invoice", &body))
}

/// The portal of a customer. `None`: no such portal session.
#[must_use]
pub fn portal(objects: &Objects, id: &str) -> Option<String> {
    let portal = objects.portals.get(id)?;
    let mut body = String::from("<h2>Saved cards</h2><ul>");
    for method in saved(objects, &portal.customer) {
        let about = match method.instrument {
            Instrument::Card(card) => format!("{} {}", card.brand, card.last4()),
            Instrument::Bank => "bank account 6789".to_owned(),
        };
        let _ = write!(
            body,
            "<li><form method=\"post\">{about} <button name=\"remove\" value=\"{}\">Remove</button>\
             </form></li>",
            escape(&method.id)
        );
    }
    body.push_str("</ul><h2>Invoices</h2><ul>");
    let invoices = objects.invoices.iter();
    for invoice in invoices.filter(|made| made.customer.as_deref() == Some(&portal.customer)) {
        let paid = money(invoice.total, &invoice.currency);
        let _ = write!(
            body,
            "<li><a href=\"../invoice/{}\">{}</a>: {paid}</li>",
            escape(&invoice.id),
            escape(&invoice.number)
        );
    }
    body.push_str("</ul>");
    if let Some(url) = &portal.return_url {
        let _ = write!(
            body,
            "<p><a id=\"return\" href=\"{}\">Return</a></p>",
            escape(url)
        );
    }
    Some(whole("Billing", &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_seller_writes_is_shown_and_never_run() {
        let check = |text: &str, expect: &str| assert_eq!(escape(text), expect, "{text}");
        check("50 credits", "50 credits");
        check("<b a=\"x\">&'", "&lt;b a=&quot;x&quot;&gt;&amp;&#39;");
    }
}
