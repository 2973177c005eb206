//! The second factor and GitHub: what protects the account, and what else opens it.

use maud::{Markup, html};
use tollgate_core::people::{self, Role};
use tollgate_core::sign_in;

use super::carry_out;
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::page::{ButtonForm, Confirm, Kind, Tone, badge, button_form, card_with, link_button};
use crate::place::Person;
use crate::sign_in::signed_out;
use crate::visit::Visit;

/// Both.
pub fn section(person: &Person) -> Markup {
    html! { (second_factor(person)) (github(person)) }
}

fn second_factor(person: &Person) -> Markup {
    let language = person.language();
    let is_set_up = person.session.has_totp;
    let state = if is_set_up {
        badge(Kind::Success, language.tr("On"))
    } else {
        badge(Kind::Neutral, language.tr("Off"))
    };
    card_with(
        language.tr("Second factor"),
        state,
        html! {
            p class="muted mb-4" {
                (language.tr("A code of an authenticator app, asked for at every sign-in. Whoever gets into your mailbox then still does not get in here."))
            }
            @if !is_set_up {
                (link_button(language.tr("Set up the second factor"), "/second-factor", Tone::Plain))
            } @else if person.session.role == Role::Operator {
                p { (language.tr("Operators cannot go without it. If the app is lost, it is taken away on the command line.")) }
            } @else {
                (button_form(language, &ButtonForm {
                    action: "/settings/second-factor/remove",
                    csrf: person.place.csrf(),
                    label: language.tr("Take it away"),
                    tone: Tone::Plain,
                    values: &[],
                    confirm: Some(Confirm {
                        id: "remove-second-factor",
                        title: language.tr("Take the second factor away?"),
                        text: language.tr("All your sessions end, this one too. You then sign in with a code by e-mail alone."),
                    }),
                }))
            }
        },
    )
}

fn github(person: &Person) -> Markup {
    let language = person.language();
    let is_linked = person.session.has_github;
    let state = if is_linked {
        badge(Kind::Success, language.tr("Connected"))
    } else {
        badge(Kind::Neutral, language.tr("Not connected"))
    };
    card_with(
        "GitHub",
        state,
        html! {
            @if is_linked {
                p class="muted mb-4" { (language.tr("A GitHub account signs in here as you.")) }
                (button_form(language, &ButtonForm {
                    action: "/settings/github/remove",
                    csrf: person.place.csrf(),
                    label: language.tr("Disconnect"),
                    tone: Tone::Plain,
                    values: &[],
                    confirm: Some(Confirm {
                        id: "remove-github",
                        title: language.tr("Disconnect GitHub?"),
                        text: language.tr("You then sign in with a code by e-mail. Signing in with GitHub connects it again, if its verified address is yours here."),
                    }),
                }))
            } @else {
                p class="muted" {
                    (language.tr("Sign in with GitHub once to connect it. Its verified primary address must be the one you have here."))
                }
            }
        },
    )
}

/// `POST /settings/second-factor/remove`, for those who need none.
pub async fn remove_second_factor(visit: &Visit, person: &Person) -> Outcome<Answer> {
    if person.session.role == Role::Operator {
        return Err(Fault::NotFound);
    }
    let change = person.change(visit);
    carry_out(
        visit,
        sign_in::remove_second_factor(&person.session.person, &change),
    )
    .await?;
    Ok(signed_out("/sign-in?done=removed"))
}

/// `POST /settings/github/remove`.
pub async fn unlink_github(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let change = person.change(visit);
    carry_out(
        visit,
        people::unlink_github(&person.session.person, &change),
    )
    .await?;
    Ok(Answer::see_other("/settings?done=removed"))
}
