//! Where a person is signed in, and how that ends.

use maud::{Markup, html};
use tollgate_core::audit::Changed;
use tollgate_core::sign_in::{self, SessionLine, TokenHash};

use super::carry_out;
use crate::answer::Answer;
use crate::change::{busy, make};
use crate::fault::{Fault, Outcome};
use crate::page::{
    ButtonForm, Column, Confirm, Kind, Table, Tone, Zone, ago, badge, button_form, card_with,
    moment, table,
};
use crate::place::Person;
use crate::sign_in::signed_out;
use crate::visit::Visit;

/// The sessions, with a way to end each and all.
pub fn section(visit: &Visit, person: &Person, lines: &[SessionLine]) -> Markup {
    let language = person.language();
    let columns = [
        Column::text(language.tr("Browser")),
        Column::text(language.tr("Last used")),
        Column::text(language.tr("Since")).wide_only(),
        Column::text(language.tr("Action")),
    ];
    let rows: Vec<Vec<Markup>> = lines.iter().map(|line| row(visit, person, line)).collect();
    card_with(
        language.tr("Where you are signed in"),
        all_button(person),
        table(&Table {
            caption: language.tr("Your sessions"),
            columns: &columns,
            rows: &rows,
            body_id: None,
        }),
    )
}

fn row(visit: &Visit, person: &Person, line: &SessionLine) -> Vec<Markup> {
    let language = person.language();
    let zone = Zone::named(&person.session.time_zone);
    let is_this = line.hash == person.session.hash;
    let end = ButtonForm {
        action: "/settings/sessions/end",
        csrf: person.place.csrf(),
        label: language.tr("Sign out"),
        tone: Tone::Quiet,
        values: &[("session", &line.hash.to_text())],
        confirm: None,
    };
    vec![
        html! {
            (line.agent)
            @if is_this { " " (badge(Kind::Info, language.tr("this one"))) }
        },
        ago(language, line.seen_at_ms, visit.now_ms, &zone),
        moment(language, line.created_at_ms, &zone),
        button_form(language, &end),
    ]
}

fn all_button(person: &Person) -> Markup {
    let language = person.language();
    button_form(
        language,
        &ButtonForm {
            action: "/settings/sessions/end-all",
            csrf: person.place.csrf(),
            label: language.tr("Sign out everywhere"),
            tone: Tone::Plain,
            values: &[],
            confirm: Some(Confirm {
                id: "end-all-sessions",
                title: language.tr("Sign out everywhere?"),
                text: language
                    .tr("Every session ends, this one too, and links to sign in that nobody used stop working."),
            }),
        },
    )
}

/// `POST /settings/sessions/end`.
pub async fn end(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let session = TokenHash::parse(visit.asked.form.get("session")).ok_or(Fault::NotFound)?;
    let change = person.change(visit);
    let end = sign_in::end_session(&person.session.person, &session, &change);
    match make(visit, &end).await? {
        // A second click finds that it has ended.
        Changed::Now | Changed::Refused => {}
        Changed::NotFound => return Err(Fault::NotFound),
        Changed::Contended => return Err(busy()),
    }
    if session == person.session.hash {
        return Ok(signed_out("/sign-in"));
    }
    Ok(Answer::see_other("/settings?done=ended"))
}

/// `POST /settings/sessions/end-all`.
pub async fn end_all(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let change = person.change(visit);
    let end = sign_in::sign_out_everywhere(&person.session.person, None, &change);
    carry_out(visit, end).await?;
    Ok(signed_out("/sign-in"))
}
