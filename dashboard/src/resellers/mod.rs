//! The operator's resellers: the list, and taking in a new one with the first of its people. One of them
//! alone has the page of a customer.

use maud::{Markup, html};
use tollgate_core::accounts::AccountKind;
use tollgate_core::ids::{AccountId, PersonId};
use tollgate_core::ledger::Amount;
use tollgate_core::people::EmailAddress;
use tollgate_core::selling::{CustomerLine, GiftProblem, NewSeller, TakenIn, read_gift};
use tollgate_edge::clock::random_bytes;

use crate::answer::Answer;
use crate::change::busy;
use crate::customers::{lines_table, read_page};
use crate::fault::{Fault, Outcome};
use crate::form::Form;
use crate::language::Language;
use crate::page::{
    Field, Tone, Zone, card, empty_state, filter_form, form, forward, link_button, page_head,
    submit,
};
use crate::place::Operator;
use crate::visit::Visit;

/// What was wrong with the form: the field and the text.
type Problem = (&'static str, &'static str);

/// `GET /resellers`.
pub async fn page(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    show(visit, operator, &Form::default(), None).await
}

/// `POST /resellers`: takes one in.
pub async fn create(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let language = operator.language();
    let typed = &visit.asked.form;
    let opening = match opening(language, typed.get("opening")) {
        Ok(opening) => opening,
        Err(problem) => return show(visit, operator, typed, Some(problem)).await,
    };
    let Some(email) = EmailAddress::parse(typed.get("email")) else {
        let problem = ("email", language.tr("This is not an e-mail address."));
        return show(visit, operator, typed, Some(problem)).await;
    };
    let account = match AccountId::parse(typed.get("once")) {
        Some(account) => account,
        None => AccountId::from_random(random_bytes()?),
    };
    let person = PersonId::from_random(random_bytes()?);
    let named = (&account, typed.get("name"));
    let Some(reseller) = NewSeller::new(operator.account(), named, (person, email), opening) else {
        let text = language.tr("Type a name: one line of at most 80 characters.");
        return show(visit, operator, typed, Some(("name", text))).await;
    };
    let batch = reseller.to_batch(&operator.change(visit));
    let mut taken = batch.read(&visit.execute(&batch.batch).await?)?;
    if taken == TakenIn::Contended {
        taken = batch.read(&visit.execute(&batch.batch).await?)?;
    }
    match taken {
        TakenIn::Now | TakenIn::Before => Ok(Answer::see_other(format!(
            "/customers/{account}?done=created"
        ))),
        TakenIn::AddressTaken => {
            let text =
                language.tr("Somebody signs in here with this address already. Take another one.");
            show(visit, operator, typed, Some(("email", text))).await
        }
        TakenIn::IdTaken => {
            let text = language.tr(
                "This form was sent before with other values. Open the page anew and try again.",
            );
            show(visit, operator, typed, Some(("name", text))).await
        }
        TakenIn::Impossible => Err(Fault::NotFound),
        TakenIn::Contended => Err(busy()),
    }
}

/// What the wholesale wallet begins with; nothing is fine.
fn opening(language: Language, text: &str) -> Result<Option<Amount>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    // The reason is the core's own; only the amount was typed.
    match read_gift(text, "opening credit") {
        Ok((amount, _)) => Ok(Some(amount)),
        Err(GiftProblem::TooMuch) => Err((
            "opening",
            language.tr("The most that is given at once is $100,000."),
        )),
        Err(GiftProblem::NotAnAmount | GiftProblem::Nothing | GiftProblem::NoReason) => Err((
            "opening",
            language.tr("Type an amount of US dollars above zero, or leave it empty."),
        )),
    }
}

async fn show(
    visit: &Visit,
    operator: &Operator,
    typed: &Form,
    problem: Option<Problem>,
) -> Outcome<Answer> {
    let language = operator.language();
    let (lines, more) = read_page(visit, operator.account(), AccountKind::Reseller).await?;
    let title = language.tr("Resellers");
    let body = html! {
        (page_head(title, language.tr("Who sells with prices and a brand of their own. Each pays for its customers' calls from a wholesale wallet."), html! {}))
        (card("", list(visit, operator, &lines, more)))
        (card(language.tr("Take in a reseller"), new_form(operator, typed, problem)?))
    };
    let status = if problem.is_some() { 422 } else { 200 };
    Ok(operator
        .page(visit, (title, "/resellers"), body)
        .status(status))
}

fn list(visit: &Visit, operator: &Operator, lines: &[CustomerLine], more: bool) -> Markup {
    let language = operator.language();
    let query = &visit.asked.query;
    let href = |more: &[(&str, &str)]| query.address("/resellers", &["search"], more);
    let first = query.given("after").map(|_| href(&[]));
    let last = lines.last().filter(|_| more);
    let next = last.map(|line| href(&[("after", line.id.as_str())]));
    html! {
        (filter_form("/resellers", html! {
            (Field::search("search", language.tr("Name or e-mail address begins with"))
                .value(query.get("search")).max_length(200))
            (submit(language.tr("Show"), Tone::Plain))
        }))
        @if !lines.is_empty() {
            (lines_table(language, lines, &Zone::named(&operator.session.time_zone)))
        } @else if query.given("search").is_some() {
            (empty_state(language.tr("Nobody was found"),
                language.tr("Search for the beginning of a name or of an e-mail address."),
                link_button(language.tr("Show all resellers"), "/resellers", Tone::Plain)))
        } @else {
            (empty_state(language.tr("No resellers yet"),
                language.tr("Take in the first one below. Whoever has the e-mail address signs in with a code."),
                html! {}))
        }
        (forward(language, first.as_deref(), next.as_deref()))
    }
}

fn new_form(operator: &Operator, typed: &Form, problem: Option<Problem>) -> Outcome<Markup> {
    let language = operator.language();
    let once = match AccountId::parse(typed.get("once")) {
        Some(once) => once,
        None => AccountId::from_random(random_bytes()?),
    };
    let error = |field: &str| {
        let found = problem.filter(|(known, _)| *known == field);
        found.map(|(_, text)| text)
    };
    Ok(form(
        "/resellers",
        operator.place.csrf(),
        Some(once.as_str()),
        html! {
            (Field::text("name", language.tr("Name")).value(typed.get("name")).required()
                .max_length(80).error(error("name")))
            (Field::email("email", language.tr("E-mail address of its first person"))
                .value(typed.get("email")).required().autocomplete("off").error(error("email"))
                .hint(language.tr("The person signs in here with a code; there is no invitation to send.")))
            (Field::usd("opening", language.tr("Credit to begin with")).value(typed.get("opening"))
                .error(error("opening")).hint(language.tr("Empty: none.")))
            (submit(language.tr("Take in"), Tone::Primary))
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reseller_may_begin_with_nothing_but_not_with_less() {
        let check = |text: &str, expect: Result<Option<i64>, &str>| {
            let opening = opening(Language::English, text);
            let opening = opening.map(|amount| amount.map(|amount| amount.get().get()));
            assert_eq!(opening.map_err(|(field, _)| field), expect, "{text}");
        };
        check("", Ok(None));
        check("100", Ok(Some(100_000_000_000)));
        check("0", Err("opening"));
        check("-1", Err("opening"));
        check("1e9", Err("opening"));
        check("100001", Err("opening"));
    }
}
