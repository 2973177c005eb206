//! The first page of who has a wallet: what is on it, what is spent, and for a new account what to do
//! next. Operators have no wallet; their first page is another.

mod first_steps;
mod spend;
mod wallet;

use maud::html;
use tollgate_core::accounts::{View, key_list_statements};
use tollgate_core::people::Role;
use tollgate_core::spending::overview;

use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::page::{Kind, Tone, alert, link_button, page_head};
use crate::place::Person;
use crate::visit::Visit;

use first_steps::Steps;

/// `GET /`.
pub async fn page(visit: &Visit, person: &Person) -> Outcome<Answer> {
    if person.session.role == Role::Operator {
        return Ok(Answer::see_other("/prices"));
    }
    let view = View::own(person.account());
    let mut asked = overview(view, visit.now_ms);
    let [live_keys, _] = key_list_statements(view);
    let live_keys = asked.batch.step(None, live_keys);
    let reply = visit.execute(&asked.batch).await?;
    let overview = asked.read(&reply)?.ok_or(Fault::NotFound)?;
    let language = person.language();
    let wallet = wallet::wallet(language, &overview);
    if visit.wants_part() {
        return Ok(Answer::html(wallet));
    }
    let steps = Steps {
        credit: overview.account.balance.get() > 0 || overview.account.charged.get() > 0,
        key: !reply.rows_of(live_keys)?.is_empty(),
        call: overview.account.charged.get() > 0 || overview.days.iter().any(|day| day.calls > 0),
    };
    let title = language.tr("Overview");
    let actions = html! {
        (link_button(language.tr("Buy credit"), "/billing", Tone::Primary))
        (link_button(language.tr("Create a key"), "/keys/new", Tone::Plain))
    };
    let body = html! {
        (page_head(title, language.tr("What you have, and what your calls cost. Days are UTC days."), actions))
        @if !overview.account.active {
            (alert(Kind::Danger, language.tr("This account is suspended: every call is refused. Your credit is untouched. Ask support what to do.")))
        }
        (wallet)
        @if !steps.done() { (first_steps::checklist(language, &steps)) }
        @if steps.call { (spend::cards(language, person, &overview)) }
    };
    Ok(person.page(visit, (title, "/"), body))
}
