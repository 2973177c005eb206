//! The saved card: shown, saved on Stripe's page without buying, removed. What it pays is set in
//! `top_up`; its number never comes here.

use maud::{Markup, html};
use tollgate_core::hrana::Batch;
use tollgate_core::ids::OrderId;
use tollgate_core::orders::{
    SavedCard, StripeCustomer, customer_statement, read_stripe_customer, remove_card,
};
use tollgate_core::stripe::{
    NewCardPage, StripeId, detach_payment_method, read_payment_method, read_session,
};
use tollgate_edge::clock::random_bytes;

use super::buy::make_customer;
use super::page::{Desk, Wrong, show};
use super::{first, outside};
use crate::answer::Answer;
use crate::fault::Outcome;
use crate::log;
use crate::page::{
    ButtonForm, Confirm, Tone, button_form, card_with, definition_list, empty_state,
};
use crate::payments::fulfil_session;
use crate::place::Buyer;
use crate::stripe_client::ask;
use crate::visit::Visit;

/// The card with what can be done about it.
pub(super) fn section(buyer: &Buyer, desk: &Desk) -> Outcome<Markup> {
    let language = buyer.language();
    let saved = desk.customer.as_ref().and_then(|it| it.card.as_ref());
    // A repetition of the same form makes no second page.
    let once = OrderId::from_random(random_bytes()?);
    let label = match saved {
        Some(_) => language.tr("Save another card"),
        None => language.tr("Save a card"),
    };
    let save = ButtonForm {
        action: "/billing/card",
        csrf: buyer.place.csrf(),
        label,
        tone: Tone::Plain,
        values: &[("once", once.as_str())],
        confirm: None,
    };
    let actions = html! {
        (button_form(language, &save))
        @if let Some(card) = saved { (remove_button(buyer, card)) }
    };
    let body = match saved {
        Some(card) => facts(buyer, card),
        None => empty_state(
            language.tr("No saved card"),
            language
                .tr("A saved card pays for automatic top-up. Nothing is charged when you save it."),
            html! {},
        ),
    };
    Ok(card_with(language.tr("Saved card"), actions, body))
}

fn facts(buyer: &Buyer, card: &SavedCard) -> Markup {
    let language = buyer.language();
    let mut facts = vec![(language.tr("Card"), html! { (card.label) })];
    if let Some(expires) = card.expires.as_deref() {
        facts.push((language.tr("Expires"), html! { (expires) }));
    }
    definition_list(&facts)
}

fn remove_button(buyer: &Buyer, card: &SavedCard) -> Markup {
    let language = buyer.language();
    let button = ButtonForm {
        action: "/billing/card/remove",
        csrf: buyer.place.csrf(),
        label: language.tr("Remove"),
        tone: Tone::Danger,
        values: &[("card", card.payment_method.as_str())],
        confirm: Some(Confirm {
            id: "remove-card",
            title: &language.fill("Remove {card}?", &[("card", &card.label)]),
            text: language.tr("Automatic top-up is switched off with it. Your credit stays."),
        }),
    };
    button_form(language, &button)
}

async fn known(visit: &Visit, buyer: &Buyer) -> Outcome<Option<StripeCustomer>> {
    let mut batch = Batch::new();
    batch.step(None, customer_statement(buyer.account()));
    let reply = visit.execute(&batch).await?;
    first(reply.rows_of(0)?, read_stripe_customer)
}

/// The page when Stripe does not answer.
async fn silent(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let why = buyer.language().tr(
        "Stripe, which keeps the card, does not answer. Nothing changed: try again in a minute.",
    );
    let wrong = Wrong {
        field: "card",
        why: why.to_owned(),
    };
    Ok(show(visit, buyer, Some(wrong)).await?.status(502))
}

/// `POST /billing/card`: leads to Stripe's page on which a card is saved.
pub async fn save(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let customer = match known(visit, buyer).await? {
        Some(customer) => customer.id,
        None => match make_customer(visit, buyer).await? {
            Ok(id) => id,
            Err(_) => return silent(visit, buyer).await,
        },
    };
    let drawn = OrderId::from_random(random_bytes()?);
    let once = OrderId::parse(visit.asked.form.get("once")).unwrap_or(drawn);
    let origin = &buyer.place.site.origin;
    let page = NewCardPage {
        account: buyer.account(),
        customer: &customer,
        once: once.as_str(),
        success_url: &format!("{origin}/billing/card/done?session_id={{CHECKOUT_SESSION_ID}}"),
        cancel_url: &format!("{origin}/billing"),
    };
    let Ok(session) = ask(visit, page.to_request(), read_session).await else {
        return silent(visit, buyer).await;
    };
    let url = session.url.as_deref().and_then(|url| outside(visit, url));
    // A page that was used has no address any more.
    Ok(Answer::see_other(url.unwrap_or("/billing")))
}

/// `GET /billing/card/done`: where Stripe leads who has saved a card. The session names whose card it is,
/// so that another one in the address changes nothing of this account.
pub async fn done(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    if let Some(session) = StripeId::parse(visit.asked.query.get("session_id"))
        && let Err(fault) = fulfil_session(visit, &session, None).await
    {
        // What cannot be known now, the webhook tells.
        log::fault(visit, "card", &fault);
    }
    let saved = known(visit, buyer).await?.and_then(|it| it.card);
    Ok(Answer::see_other(match saved {
        Some(_) => "/billing?done=card_saved",
        None => "/billing",
    }))
}

/// `POST /billing/card/remove`: has Stripe forget the card, and forgets it here.
pub async fn remove(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let card = known(visit, buyer).await?.and_then(|it| it.card);
    let Some(card) = card else {
        // It is removed already.
        return Ok(Answer::see_other("/billing"));
    };
    if card.payment_method.as_str() != visit.asked.form.get("card") {
        let why = buyer
            .language()
            .tr("Another card is saved by now, so nothing was removed. Look at it first.");
        let wrong = Wrong {
            field: "card",
            why: why.to_owned(),
        };
        return show(visit, buyer, Some(wrong)).await;
    }
    match ask(
        visit,
        detach_payment_method(&card.payment_method),
        read_payment_method,
    )
    .await
    {
        Ok(_) => {}
        // It was removed at Stripe before.
        Err(error) if error.is_final() => {}
        Err(_) => return silent(visit, buyer).await,
    }
    let (batch, _) = remove_card(buyer.account(), &card, &buyer.change(visit));
    // Stripe's event about the card may have been faster; the line in the log is written all the same.
    visit.execute(&batch).await?;
    Ok(Answer::see_other("/billing?done=card_removed"))
}
