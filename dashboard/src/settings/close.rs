//! The end of an account: what happens is said first, and the address is typed to confirm it.

use maud::html;
use tollgate_core::accounts::{Account, account_statement, read_account};
use tollgate_core::hrana::Batch;
use tollgate_core::people::{EmailAddress, Role, close_account, unpaid_orders_statement};

use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::page::{
    Field, Kind, Tone, alert_with, card, form, link_button, money, page_head, submit,
};
use crate::place::Buyer;
use crate::sign_in::signed_out;
use crate::visit::Visit;

/// `GET /settings/close`, for end users.
pub async fn page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    show(visit, buyer, None).await
}

async fn show(visit: &Visit, buyer: &Buyer, error: Option<&str>) -> Outcome<Answer> {
    let (account, unpaid) = account(visit, buyer).await?;
    let language = buyer.language();
    let title = language.tr("Close the account");
    let left = account.balance > tollgate_core::money::Nanos::ZERO;
    let body = html! {
        (page_head(title, "", html! {}))
        @if left {
            (alert_with(Kind::Warning, language.tr("There is credit left"), html! {
                (money(account.balance)) " "
                (language.tr("is not paid out when the account closes. What you bought and did not use can be refunded before."))
                " " a class="link" href="/billing" { (language.tr("To billing")) }
            }))
        }
        @if let Some(order) = &unpaid {
            (alert_with(Kind::Warning, language.tr("An order may still be paid"), html! {
                (language.tr("Nobody could use its credit after the end. Cancel it, or wait until it is over."))
                " " a class="link" href={ "/billing/orders/" (order) } { (language.tr("To the order")) }
            }))
        }
        (card(language.tr("What happens"), html! {
            ul class="list-disc pl-5 mb-4" {
                li { (language.tr("Every key is refused from the next call on.")) }
                li { (language.tr("Automatic top-ups stop.")) }
                li { (language.tr("You are signed out everywhere. If you sign in here again with this address, you get a new account, with nothing of this one.")) }
                li { (language.tr("Receipts and the ledger are kept, because the law asks for them.")) }
                li { (language.tr("It cannot be undone from here.")) }
            }
            (form("/settings/close", buyer.place.csrf(), None, html! {
                (Field::text("confirm", language.tr("Type your e-mail address to confirm"))
                    .error(error).required().autocomplete("off")
                    .hint(buyer.session.email.as_str()))
                div class="actions" {
                    (submit(language.tr("Close my account"), Tone::Danger))
                    (link_button(language.tr("Keep it"), "/settings", Tone::Plain))
                }
            }))
        }))
    };
    let status = if error.is_some() { 422 } else { 200 };
    Ok(buyer.page(visit, (title, "/settings"), body).status(status))
}

/// `POST /settings/close`.
pub async fn close(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let typed = EmailAddress::parse(visit.asked.form.get("confirm"));
    if typed.as_ref() != Some(&buyer.session.email) {
        let error = buyer
            .language()
            .tr("This is not the address of this account.");
        return show(visit, buyer, Some(error)).await;
    }
    let change = buyer.change(visit);
    let (batch, closed) = close_account(buyer.account(), &change);
    // Sent once: a repetition would enter the audit log again.
    if visit.database.execute(&batch).await?.is_ok(closed) {
        return Ok(signed_out("/sign-in?done=closed"));
    }
    // The page says which order is in the way.
    Ok(show(visit, buyer, None).await?.status(409))
}

/// The account, and the first of its orders that may still be paid; resellers, whose customers would be
/// left alone, ask the operator.
async fn account(visit: &Visit, buyer: &Buyer) -> Outcome<(Account, Option<String>)> {
    if buyer.session.role != Role::EndUser {
        return Err(Fault::NotFound);
    }
    let mut batch = Batch::new();
    let row = batch.step(None, account_statement(buyer.account()));
    let orders = unpaid_orders_statement(buyer.account(), visit.now_ms);
    let orders = batch.step(None, orders);
    let reply = visit.execute(&batch).await?;
    let row = reply.rows_of(row)?.first().ok_or(Fault::NotFound)?;
    let unpaid = reply.rows_of(orders)?.first();
    let unpaid = unpaid.map(|row| row.get(0)).transpose()?;
    Ok((read_account(row)?, unpaid))
}
