//! The second factor: a code of an authenticator app, which operators need and others may have. Here it
//! is set up and given. Which code is right and how often one may try is decided by `core::sign_in`;
//! taking it away again is in `settings`.

mod give;
mod qr;
mod set_up;

use maud::{Markup, html};
use tollgate_core::sign_in::{LocalPath, SecondFactor};

use crate::answer::Answer;
use crate::fault::Outcome;
use crate::page::{ButtonForm, Field, Tone, button_form};
use crate::place::Person;
use crate::visit::Visit;

/// `GET /second-factor`: asks for a code; of whoever has no app connected, with what connects it.
pub async fn page(visit: &Visit, person: &Person) -> Outcome<Answer> {
    if !person.session.has_totp {
        return set_up::show(visit, person, None);
    }
    Ok(match person.session.second_factor {
        SecondFactor::Missing => give::show(visit, person, None),
        SecondFactor::NotNeeded | SecondFactor::NotSetUp | SecondFactor::Given => {
            Answer::see_other(next(visit).as_ref().map_or("/settings", LocalPath::as_str))
        }
    })
}

/// `POST /second-factor`: takes the code.
pub async fn enter(visit: &Visit, person: &Person) -> Outcome<Answer> {
    if person.session.has_totp {
        give::enter(visit, person).await
    } else {
        set_up::enter(visit, person).await
    }
}

/// Where the person wanted to go: the page is told by its address, and tells its form.
fn next(visit: &Visit) -> Option<LocalPath> {
    let (query, form) = (&visit.asked.query, &visit.asked.form);
    LocalPath::parse(form.given("next").or_else(|| query.given("next"))?)
}

/// The same in a form.
fn next_field(visit: &Visit) -> Markup {
    html! {
        @if let Some(next) = next(visit) { input type="hidden" name="next" value=(next.as_str()); }
    }
}

/// Where a code is typed.
fn code_field<'a>(label: &'a str, error: Option<&'a str>) -> Field<'a> {
    Field::one_time_code("code", label)
        .error(error)
        .required()
        .autofocus()
}

/// The way out, for whoever has no app at hand.
fn sign_out(person: &Person) -> Markup {
    let language = person.language();
    html! {
        div class="mt-6" {
            (button_form(language, &ButtonForm {
                action: "/sign-out",
                csrf: person.place.csrf(),
                label: language.tr("Sign out"),
                tone: Tone::Quiet,
                values: &[],
                confirm: None,
            }))
        }
    }
}
