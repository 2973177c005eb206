//! The first page of who signed in.

use maud::html;

use crate::answer::Answer;
use crate::fault::Outcome;
use crate::place::Person;
use crate::visit::Visit;

/// `GET /`.
pub async fn page(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let title = person.language().tr("Overview");
    Ok(person.page(visit, (title, "/"), html! { h1 { (title) } }))
}
