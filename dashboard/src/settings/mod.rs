//! What people set of themselves: how pages look, where they are signed in, the second factor, GitHub,
//! their data, and the end of it all. The pages are here; what a change means is decided by
//! `core::people` and `core::sign_in`.

mod close;
mod data;
mod profile;
mod protection;
mod sessions;

use maud::html;
use tollgate_core::accounts::Commit;
use tollgate_core::hrana::Batch;
use tollgate_core::people::Role;
use tollgate_core::sign_in::{read_session_line, sessions_statement};

use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::page::{Tone, card, link_button, page_head};
use crate::place::Person;
use crate::visit::Visit;

pub use close::{close, page as close_page};
pub use data::download;
pub use profile::save as save_profile;
pub use protection::{remove_second_factor, unlink_github};
pub use sessions::{end as end_session, end_all as end_all_sessions};

/// `GET /settings`: all of it on one page.
pub async fn page(visit: &Visit, person: &Person) -> Outcome<Answer> {
    show(visit, person, &profile::Typed::of(person)).await
}

async fn show(visit: &Visit, person: &Person, typed: &profile::Typed) -> Outcome<Answer> {
    let language = person.language();
    let mut batch = Batch::new();
    let lines = batch.step(
        None,
        sessions_statement(&person.session.person, visit.now_ms),
    );
    let reply = visit.execute(&batch).await?;
    let lines = reply.rows_of(lines)?.iter().map(read_session_line);
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    let title = language.tr("Settings");
    let body = html! {
        (page_head(title, person.session.email.as_str(), html! {}))
        (profile::section(person, typed))
        (protection::section(person))
        (sessions::section(visit, person, &lines))
        (card(language.tr("Your data"), html! {
            p class="muted mb-4" {
                (language.tr("Everything that is kept of you and your account, as one JSON file: profile, keys without their secrets, orders, ledger, every request. Of requests no prompts or answers are kept."))
            }
            (link_button(language.tr("Download my data"), "/settings/data", Tone::Plain))
        }))
        @if person.session.role == Role::EndUser {
            (card(language.tr("Close the account"), html! {
                p class="muted mb-4" {
                    (language.tr("Stops every key at once and signs you out everywhere. You are asked once more."))
                }
                (link_button(language.tr("Close my account"), "/settings/close", Tone::Danger))
            }))
        }
    };
    let status = if typed.is_refused() { 422 } else { 200 };
    Ok(person
        .page(visit, (title, "/settings"), body)
        .status(status))
}

/// Carries a change out; nothing is found where it cannot be.
async fn carry_out(visit: &Visit, (batch, commit): Commit) -> Outcome<()> {
    // Sent once: a repetition would enter the audit log again.
    let reply = visit.database.execute(&batch).await?;
    if reply.is_ok(commit) {
        Ok(())
    } else {
        Err(Fault::NotFound)
    }
}
