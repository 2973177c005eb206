//! Connecting an authenticator app. The secret is not stored before a first code proves that the app has
//! it: until then it is made from the session, so that reloading the page shows the same one.

use maud::{Markup, html};
use tollgate_core::sign_in::{
    Code, GiveSecondFactor, LocalPath, SecondFactor, SetUpSecondFactor, Token, TotpSecret,
};
use tollgate_edge::clock::random_bytes;

use super::{code_field, next, next_field, qr, sign_out};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::page::{Kind, Tone, alert, copy_box, form, link_button, submit};
use crate::place::Person;
use crate::sign_in::session_cookie;
use crate::visit::Visit;

/// What connects the app, and asks for its first code.
pub fn show(visit: &Visit, person: &Person, error: Option<&str>) -> Outcome<Answer> {
    let language = person.language();
    let secret = secret(visit, person)?;
    let uri = secret.uri(&person.place.site.brand.name, &person.session.email);
    let needed = person.session.second_factor == SecondFactor::NotSetUp;
    let title = language.tr("Set up the second factor");
    let body = html! {
        h1 class="door-title" { (title) }
        @if needed {
            (alert(Kind::Info, language.tr("Operators sign in with two factors. Nothing else opens before this is done.")))
        }
        p class="door-text" {
            (language.tr("Read this picture with an authenticator app, such as the one of your phone or password manager. Then type the code that the app shows."))
        }
        @if let Some(picture) = qr::picture(language.tr("QR code for the authenticator app"), &uri) {
            (picture)
        }
        (by_hand(language, &secret, &uri))
        (form("/second-factor", person.place.csrf(), None, html! {
            (next_field(visit))
            (code_field(language.tr("Code of the app"), error))
            (submit(language.tr("Set it up"), Tone::Primary))
        }))
        @if needed { (sign_out(person)) }
        @else {
            p class="mt-6" { (link_button(language.tr("Not now"), "/settings", Tone::Quiet)) }
        }
    };
    let status = if error.is_some() { 422 } else { 200 };
    Ok(person.place.door(visit, title, body).status(status))
}

fn by_hand(language: Language, secret: &TotpSecret, uri: &str) -> Markup {
    html! {
        details class="mb-4" {
            summary { (language.tr("No camera? Type or open it instead")) }
            div class="mt-2" {
                (copy_box(language, "totp-secret", language.tr("Secret for the app"), &secret.reveal()))
                p class="mt-2" {
                    a class="link" href=(uri) { (language.tr("Open in an app on this device")) }
                }
            }
        }
    }
}

/// Stores the secret if the code is right, and lets the person on under a new token.
pub async fn enter(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let language = person.language();
    let secret = secret(visit, person)?;
    let step = Code::parse(visit.asked.form.get("code"))
        .and_then(|code| secret.step_of(&code, visit.now_ms, 0));
    let Some(step) = step else {
        let error = language.tr("This is not the code that the app shows now. Check that the clock of its device is right.");
        return show(visit, person, Some(error));
    };
    let owner = &person.session.person;
    let sealed = secret
        .seal(&visit.sealing()?, owner, random_bytes()?)
        .ok_or(Fault::Bug("a secret of 20 bytes cannot be sealed"))?;
    let set_up = SetUpSecondFactor {
        sealed,
        given: GiveSecondFactor {
            person: owner.clone(),
            session: person.session.hash,
            token: Token::from_random(random_bytes()?),
            step,
            now_ms: visit.now_ms,
        },
    };
    let (batch, commit) = set_up.to_batch(&person.change(visit));
    if !visit.database.execute(&batch).await?.is_ok(commit) {
        // Set up in another window meanwhile: the page then asks for a code of it.
        return Ok(Answer::see_other("/second-factor"));
    }
    let next = next(visit).unwrap_or_else(LocalPath::home);
    let to = match person.session.second_factor {
        SecondFactor::NotSetUp => next.as_str(),
        SecondFactor::NotNeeded | SecondFactor::Missing | SecondFactor::Given => {
            "/settings?done=protected"
        }
    };
    Ok(Answer::see_other(to).with("set-cookie", session_cookie(&set_up.given.token)))
}

/// Made from the session and the Worker's secret: nobody who reads the database knows it.
fn secret(visit: &Visit, person: &Person) -> Outcome<TotpSecret> {
    let purpose = format!("totp set-up {}", person.session.hash.to_text());
    let [secret @ .., _, _, _, _, _, _, _, _, _, _, _, _] = visit.sealing()?.derive(&purpose);
    Ok(TotpSecret::from_random(secret))
}
