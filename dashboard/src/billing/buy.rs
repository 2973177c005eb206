//! Buying credit: the form, the order that is written before Stripe is asked, and the way to Stripe's
//! page. An order that Stripe did not answer for stays, and is gone on with by the next click or by the
//! scheduled task.

use maud::{Markup, html};
use tollgate_core::hrana::Batch;
use tollgate_core::ids::{OrderId, PackId};
use tollgate_core::orders::{
    Attached, Choice, Created, Item, NewOrder, Order, OrderState, Pack, StripeCustomer,
    attach_session, choose, customer_statement, fail_order, offered, order_statement,
    packs_statement, read_order, read_pack, read_stripe_customer, save_customer,
};
use tollgate_core::stripe::{
    Cents, NewCustomer, NewSession, StripeError, StripeId, read_customer, read_session,
};
use tollgate_edge::clock::random_bytes;

use super::page::{Desk, Typed, Wrong, amount, show};
use super::words::{choice_refusal, order_refusal};
use super::{first, order, outside, receipt_name, seller};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::page::{Field, Tone, card, form as form_of, submit, usd};
use crate::payments::terms;
use crate::place::Buyer;
use crate::stripe_client::ask;
use crate::visit::Visit;

/// How long Stripe's page stays open, in milliseconds. Until then an order counts towards the caps.
const OPEN_MS: i64 = 2 * 3_600_000;

/// What the choice of a free amount is called in the form.
const OTHER: &str = "other";

/// The form: packs as cards, and a free amount.
pub(super) fn form(
    visit: &Visit,
    buyer: &Buyer,
    (desk, typed): (&Desk, &Typed<'_>),
) -> Outcome<Markup> {
    let language = buyer.language();
    let offered = offered(&desk.packs);
    let default = offered
        .first()
        .map_or(OTHER.to_owned(), |it| name_of(&it.0));
    let chosen = typed.value("choice", &default);
    let caps = terms(visit)?.caps;
    let hint = language.fill(
        "From {min} to {max}; as much credit as you pay.",
        &[("min", &caps.min_amount), ("max", &caps.max_amount)],
    );
    // A repetition of the same form makes no second order.
    let once = OrderId::from_random(random_bytes()?);
    let body = html! {
        fieldset {
            legend class="sr-only" { (language.tr("What to buy")) }
            @if let Some(error) = typed.error("choice") {
                p class="field-error" role="alert" { (error) }
            }
            div class="grid grid-cols-2 gap-3 sm:grid-cols-3" {
                @for (choice, price, credit) in &offered {
                    @let name = name_of(choice);
                    (pack(&name, name == chosen, html! {
                        span class="tile-value block text-xl sm:text-2xl" { (price) }
                        span class="tile-note block" {
                            (language.fill("{credit} of credit", &[("credit", &usd(*credit))]))
                        }
                    }))
                }
                (pack(OTHER, chosen == OTHER, html! {
                    span class="tile-value block text-xl sm:text-2xl" { (language.tr("Other")) }
                    span class="tile-note block" { (language.tr("An amount of your own")) }
                }))
            }
        }
        (amount(typed, ("amount", language.tr("Your own amount")), "").hint(&hint).placeholder("15.00"))
        (Field::checkbox(
            "save_card",
            language.tr("Save the card for automatic top-up"),
            typed.ticked(("/billing/orders", "save_card"), false),
        ))
        (submit(language.tr("Go on to the payment"), Tone::Primary))
    };
    let form = form_of(
        "/billing/orders",
        buyer.place.csrf(),
        Some(once.as_str()),
        body,
    );
    Ok(card(
        language.tr("Buy credit"),
        html! {
            p class="muted" { (language.tr("Taxes are part of the price. You pay on Stripe's page; we never see the card's number.")) }
            (form)
        },
    ))
}

fn pack(value: &str, chosen: bool, text: Markup) -> Markup {
    html! {
        label class="tile flex cursor-pointer items-start gap-2 p-3 sm:gap-3 sm:p-4 has-checked:border-primary has-checked:ring-1 has-checked:ring-primary" {
            input type="radio" class="radio radio-primary mt-2" name="choice" value=(value) checked[chosen] required;
            span { (text) }
        }
    }
}

/// What a choice is called in the form: a pack's id, or an amount in cents.
fn name_of(choice: &Choice) -> String {
    match choice {
        Choice::Pack(id) => id.to_string(),
        Choice::Amount(cents) => cents.get().to_string(),
    }
}

/// What the form says; `Err` names the field that says nothing.
fn parse_choice(choice: &str, amount: &str) -> Result<Choice, &'static str> {
    if choice == OTHER {
        let cents = Cents::parse_usd(amount).ok_or("amount")?;
        return Ok(Choice::Amount(cents));
    }
    // Whoever typed an amount and left a pack chosen may mean either.
    if !amount.is_empty() {
        return Err("both");
    }
    match PackId::parse(choice) {
        Some(pack) => Ok(Choice::Pack(pack)),
        None => {
            let cents = choice.parse().map_err(|_| "choice")?;
            Ok(Choice::Amount(Cents::new(cents)))
        }
    }
}

/// `POST /billing/orders`: writes the order and leads to Stripe's page.
pub async fn buy(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let form = &visit.asked.form;
    let wrong = |field, why: String| show(visit, buyer, Some(Wrong { field, why }));
    let choice = match parse_choice(form.get("choice"), form.get("amount")) {
        Ok(choice) => choice,
        Err("amount") => {
            let why = language.tr("Type an amount in dollars, such as 15 or 15.50.");
            return wrong("amount", why.to_owned()).await;
        }
        Err("both") => {
            let why = language.tr("Choose “Other” to buy this amount, or leave the field empty.");
            return wrong("amount", why.to_owned()).await;
        }
        Err(_) => {
            let why = language.tr("Choose what to buy.");
            return wrong("choice", why.to_owned()).await;
        }
    };
    let (packs, customer) = read_offer(visit, buyer).await?;
    let terms = terms(visit)?;
    let item = match choose(&packs, &choice, &terms.caps) {
        Ok(item) => item,
        Err(refusal) => {
            let field = match choice {
                Choice::Pack(_) => "choice",
                Choice::Amount(_) => "amount",
            };
            return wrong(field, choice_refusal(language, refusal)).await;
        }
    };
    match write(visit, buyer, item).await? {
        Created::Now(order) | Created::Before(order) => {
            lead(visit, buyer, (*order, customer)).await
        }
        Created::Refused(refusal) => wrong("choice", order_refusal(language, refusal)).await,
        Created::Contended => {
            let why =
                language.tr("The database was busy. Nothing was ordered; press the button again.");
            wrong("choice", why.to_owned()).await
        }
    }
}

async fn read_offer(visit: &Visit, buyer: &Buyer) -> Outcome<(Vec<Pack>, Option<StripeCustomer>)> {
    let mut batch = Batch::new();
    let packs = batch.step(None, packs_statement(seller(buyer)?, visit.now_ms));
    let customer = batch.step(None, customer_statement(buyer.account()));
    let reply = visit.execute(&batch).await?;
    let packs = reply.rows_of(packs)?.iter().map(read_pack);
    let customer = first(reply.rows_of(customer)?, read_stripe_customer)?;
    Ok((packs.collect::<Result<_, _>>()?, customer))
}

/// Writes the order under the id of the form, or under a new one if another order has that.
async fn write(visit: &Visit, buyer: &Buyer, item: Item) -> Outcome<Created> {
    let fresh = OrderId::from_random(random_bytes()?);
    let id = OrderId::parse(visit.asked.form.get("once")).unwrap_or_else(|| fresh.clone());
    let mut new = NewOrder {
        id,
        account: buyer.account().clone(),
        person: Some(buyer.session.person.as_str()),
        item,
        saves_card: visit.asked.form.is_ticked("save_card"),
        expires_at_ms: visit.now_ms.saturating_add(OPEN_MS),
        now_ms: visit.now_ms,
    };
    let terms = terms(visit)?;
    let create = new.to_batch(&terms);
    let created = create.read(&new, &visit.execute(&create.batch).await?)?;
    if created != Created::Contended {
        return Ok(created);
    }
    // The same form with another choice, such as after a step back in the browser.
    new.id = fresh;
    let create = new.to_batch(&terms);
    Ok(create.read(&new, &visit.execute(&create.batch).await?)?)
}

/// `POST /billing/orders/{id}/pay`: goes on with an order that is not paid.
pub async fn pay(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let id = visit.id(OrderId::parse)?;
    let mut batch = Batch::new();
    let order = batch.step(None, order_statement(buyer.account(), &id));
    let customer = batch.step(None, customer_statement(buyer.account()));
    let reply = visit.execute(&batch).await?;
    let order = first(reply.rows_of(order)?, read_order)?.ok_or(Fault::NotFound)?;
    let customer = first(reply.rows_of(customer)?, read_stripe_customer)?;
    lead(visit, buyer, (order, customer)).await
}

/// Leads to where the order can be paid, or to the order if there is nothing to pay any more.
async fn lead(
    visit: &Visit,
    buyer: &Buyer,
    (order, customer): (Order, Option<StripeCustomer>),
) -> Outcome<Answer> {
    match order.state {
        OrderState::New => {}
        OrderState::Open => return Ok(to_stripe(visit, &order)),
        OrderState::Pending
        | OrderState::Paid
        | OrderState::Failed
        | OrderState::Expired
        | OrderState::Refused => return Ok(to_order(&order.id)),
    }
    match open(visit, buyer, (&order, customer)).await? {
        Ok(order) => Ok(to_stripe(visit, &order)),
        Err(error) if error.is_final() => {
            let mut batch = Batch::new();
            let fail = fail_order(&order.account, &order.id, error.word());
            batch.step(None, fail);
            visit.execute(&batch).await?;
            Ok(to_order(&order.id))
        }
        Err(_) => order::unanswered(visit, buyer, &order.id).await,
    }
}

/// Has Stripe make the page of an order, and keeps it.
async fn open(
    visit: &Visit,
    buyer: &Buyer,
    (order, customer): (&Order, Option<StripeCustomer>),
) -> Outcome<Result<Order, StripeError>> {
    let customer = match customer {
        Some(customer) => customer.id,
        None => match make_customer(visit, buyer).await? {
            Ok(id) => id,
            Err(error) => return Ok(Err(error)),
        },
    };
    let at = format!("{}/billing/orders/{}", buyer.place.site.origin, order.id);
    let session = NewSession {
        order: &order.id,
        price: order.price,
        name: &receipt_name(order.credit),
        customer: &customer,
        success_url: &format!("{at}/done?session_id={{CHECKOUT_SESSION_ID}}"),
        cancel_url: &format!("{at}/canceled"),
        expires_at_ms: order.expires_at_ms,
        save_card: order.saves_card,
        automatic_tax: visit.config.stripe_automatic_tax,
    };
    let session = match ask(visit, session.to_request(), read_session).await {
        Ok(session) => session,
        Err(error) => return Ok(Err(error)),
    };
    let attach = attach_session(&order.account, &order.id, &session);
    let reply = visit.execute(&attach.batch).await?;
    match attach.read(&session, &reply)? {
        Attached::Done(order) | Attached::Superseded(order) => Ok(Ok(*order)),
        Attached::NoOrder => Err(Fault::NotFound),
    }
}

/// Makes the account a customer at Stripe; an account has one.
pub(super) async fn make_customer(
    visit: &Visit,
    buyer: &Buyer,
) -> Outcome<Result<StripeId, StripeError>> {
    let session = &buyer.session;
    let request = NewCustomer {
        account: buyer.account(),
        email: session.email.as_str(),
        name: &session.account_name,
    };
    let customer = match ask(visit, request.to_request(), read_customer).await {
        Ok(customer) => customer,
        Err(error) => return Ok(Err(error)),
    };
    let (batch, step) = save_customer(buyer.account(), &customer.id, visit.now_ms);
    let reply = visit.execute(&batch).await?;
    let kept = first(reply.rows_of(step)?, read_stripe_customer)?;
    Ok(Ok(kept.map_or(customer.id, |kept| kept.id)))
}

fn to_stripe(visit: &Visit, order: &Order) -> Answer {
    let url = order.checkout_url.as_deref();
    let open = url.filter(|_| order.state == OrderState::Open);
    match open.and_then(|url| outside(visit, url)) {
        Some(url) => Answer::see_other(url),
        None => to_order(&order.id),
    }
}

fn to_order(order: &OrderId) -> Answer {
    Answer::see_other(format!("/billing/orders/{order}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_pays_for_something_else_than_they_chose() {
        let pack = PackId::from_random([1; 10]);
        let check = |choice: &str, amount: &str, expect: Result<Choice, &str>| {
            assert_eq!(parse_choice(choice, amount), expect, "{choice} {amount}");
        };
        let cents = |cents| Ok(Choice::Amount(Cents::new(cents)));
        check(pack.as_str(), "", Ok(Choice::Pack(pack.clone())));
        check("2500", "", cents(2_500));
        check("other", "15", cents(1_500));
        check("other", "$15.50", cents(1_550));
        check("other", "", Err("amount"));
        check("other", "much", Err("amount"));
        check("2500", "15", Err("both"));
        check("", "", Err("choice"));
        check("nothing", "", Err("choice"));
    }
}
