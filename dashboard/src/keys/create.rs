//! Making a key: the form, and the one page that shows the secret.

use maud::{Markup, html};
use tollgate_core::accounts::{KeyCreated, KeyCreation, MOST_LIVE_KEYS, NewKey};
use tollgate_core::ids::KeyId;
use tollgate_core::key::ApiKey;
use tollgate_edge::clock::random_bytes;

use super::examples::{example_model, examples};
use super::fields::fields;
use super::settings::{Filled, Settings};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::page::{Kind, Tone, alert, card, copy_box, form, link_button, page_head, submit};
use crate::place::Buyer;
use crate::visit::Visit;

/// `GET /keys/new`.
pub async fn new_page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let once = KeyId::from_random(random_bytes()?);
    Ok(ask(visit, buyer, &once, &Filled::default(), None))
}

/// `POST /keys`: answers with the secret, once.
pub async fn create(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let form = &visit.asked.form;
    let id = KeyId::parse(form.get("once")).ok_or(Fault::NotFound)?;
    let settings = match Settings::read(language, form, None, visit.now_ms) {
        Ok(settings) => settings,
        Err(filled) => return Ok(ask(visit, buyer, &id, &filled, None).status(422)),
    };
    let key = ApiKey::from_random(random_bytes()?);
    let creation = KeyCreation {
        key: NewKey {
            id: id.clone(),
            account: buyer.account().clone(),
            key: key.clone(),
            name: settings.name.clone(),
            expires_at_ms: settings.expires_at_ms,
            limits: settings.limits.clone(),
        },
        budget: settings.budget,
    };
    let batch = creation.to_batch(&buyer.change(visit));
    // Sent once: after a lost reply, a repetition could not tell this secret from that of a twin.
    let reply = visit.database.execute(&batch.batch).await?;
    let filled = Filled::of(&settings);
    match batch.read(&reply)? {
        KeyCreated::Now => Ok(show_once(visit, buyer, &creation)),
        KeyCreated::Before => Ok(made_before(visit, buyer, &id)),
        KeyCreated::TooMany => {
            let error = language.fill(
                "You have {most} keys, which is the most. Revoke one, then create this one.",
                &[("most", &MOST_LIVE_KEYS)],
            );
            Ok(ask(visit, buyer, &id, &filled, Some(&error)).status(422))
        }
        KeyCreated::Contended => {
            let once = KeyId::from_random(random_bytes()?);
            let error = language.tr("The key was not created. Please try again.");
            Ok(ask(visit, buyer, &once, &filled, Some(error)).status(409))
        }
        KeyCreated::NoAccount => Err(Fault::NotFound),
    }
}

fn ask(visit: &Visit, buyer: &Buyer, once: &KeyId, filled: &Filled, error: Option<&str>) -> Answer {
    let language = buyer.language();
    let title = language.tr("Create a key");
    let about = language.tr(
        "The key is shown once, on the next page. A name is enough; the rest can be changed later.",
    );
    let body = html! {
        (page_head(title, about, html! {}))
        @if let Some(error) = error { (alert(Kind::Danger, error)) }
        (card("", form("/keys", buyer.place.csrf(), Some(once.as_str()), html! {
            (fields(language, filled))
            div class="actions" {
                (submit(language.tr("Create the key"), Tone::Primary))
                (link_button(language.tr("Cancel"), "/keys", Tone::Plain))
            }
        })))
    };
    buyer.page(visit, (title, "/keys"), body)
}

fn show_once(visit: &Visit, buyer: &Buyer, creation: &KeyCreation) -> Answer {
    let language = buyer.language();
    let key = &creation.key;
    let title = language.tr("Your new key");
    let model = example_model(key.limits.allowed_models.as_deref());
    let body = html! {
        (page_head(title, &key.name, html! {}))
        (alert(Kind::Warning, language.tr("Copy the key now. Nobody can show it again, also we cannot. If it is lost, revoke it and create another.")))
        (card(language.tr("Key"), html! {
            (copy_box(language, "secret", language.tr("Your key"), key.key.reveal()))
            p class="muted" { (language.tr("Whoever has it can spend your credit within its budgets. Keep it out of repositories and web pages.")) }
        }))
        (examples(language, &visit.config.gateway_url, key.key.reveal(), &model))
        (next_steps(buyer, &key.id))
    };
    // Every page is sent with `no-store`; a reload sends the form again, and that finds the key made.
    buyer.page(visit, (title, "/keys"), body)
}

fn next_steps(buyer: &Buyer, id: &KeyId) -> Markup {
    let language = buyer.language();
    html! {
        div class="actions" {
            (link_button(language.tr("I have copied it"), &format!("/keys/{id}"), Tone::Primary))
            (link_button(language.tr("Watch its calls"), &crate::requests::link_to(&[("key", id.as_str())]), Tone::Plain))
        }
    }
}

fn made_before(visit: &Visit, buyer: &Buyer, id: &KeyId) -> Answer {
    let language = buyer.language();
    let title = language.tr("This key was created before");
    let text = language.tr("Its secret was shown once, when it was created, and cannot be shown again. If you did not copy it, revoke the key and create another.");
    let body = html! {
        (page_head(title, "", html! {}))
        (alert(Kind::Info, text))
        div class="actions" {
            (link_button(language.tr("Open the key"), &format!("/keys/{id}"), Tone::Primary))
            (link_button(language.tr("Create another"), "/keys/new", Tone::Plain))
        }
    };
    buyer.page(visit, (title, "/keys"), body)
}
