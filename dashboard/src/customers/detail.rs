//! One customer: what it has and brings, who its people are, and the forms to suspend it, to give it
//! credit and to limit it.

use maud::{Markup, html};
use tollgate_core::accounts::AccountKind;
use tollgate_core::audit::Changed;
use tollgate_core::ids::{AccountId, RequestId};
use tollgate_core::ledger::Posted;
use tollgate_core::people::Role;
use tollgate_core::selling::{
    Customer, Gift, GiftProblem, customer_batch, read_gift, suspend_customer,
};

use super::limits;
use crate::answer::Answer;
use crate::change::{busy, make};
use crate::fault::{Fault, Outcome};
use crate::form::Form;
use crate::language::Language;
use crate::page::{
    ButtonForm, Column, Confirm, Field, Kind, Stat, Table, Tone, Zone, badge, button_form, card,
    count, day, definition_list, form, link_button, money, page_head, share, submit, table, tiles,
    usd,
};
use crate::place::Seller;
use crate::visit::Visit;

/// What was wrong with a form of the page: the field and the text.
pub(super) type Problem = (&'static str, String);

/// `GET /customers/{id}`.
pub async fn page(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    show(visit, seller, &Form::default(), &[]).await
}

/// The page, with what was typed into one of its forms and what was wrong with it.
pub(super) async fn show(
    visit: &Visit,
    seller: &Seller,
    typed: &Form,
    problems: &[Problem],
) -> Outcome<Answer> {
    let id = visit.id(AccountId::parse)?;
    let batch = customer_batch(seller.account(), &id, visit.now_ms);
    let reply = visit.execute(&batch.batch).await?;
    let customer = batch.read(&reply)?.ok_or(Fault::NotFound)?;
    let language = seller.language();
    let name = &customer.account.name;
    let active = match customer.account.kind {
        AccountKind::Reseller => "/resellers",
        AccountKind::Customer | AccountKind::Operator => "/customers",
    };
    let body = html! {
        (page_head(name, "", html! {
            (link_button(language.tr("Back to the list"), active, Tone::Plain))
            (suspension(seller, &customer))
        }))
        @if !customer.account.active {
            p { (badge(Kind::Danger, language.tr("suspended"))) " " (language.tr("Its calls are refused.")) }
        }
        (numbers(language, &customer))
        div class="grid gap-6 lg:grid-cols-2" {
            (card(language.tr("Give credit"), grant_form(visit, seller, typed, problems)))
            (card(language.tr("Account"), facts(seller, &customer)))
        }
        (card(language.tr("Limits"), limits::forms(seller, &customer, typed, problems)))
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    Ok(seller.page(visit, (name, active), body).status(status))
}

fn numbers(language: Language, customer: &Customer) -> Markup {
    let account = &customer.account;
    let held = language.fill(
        "{held} of it is held by calls",
        &[("held", &usd(account.held))],
    );
    let owes = language.fill("Owes {debt}", &[("debt", &usd(account.debt))]);
    let hint = if account.debt.get() > 0 { &owes } else { &held };
    let share = share(customer.margin, customer.spent);
    tiles(&[
        Stat {
            label: language.tr("Balance"),
            value: money(account.balance),
            hint: Some(hint),
            trend: None,
        },
        Stat {
            label: language.tr("Spend in 30 days"),
            value: money(customer.spent),
            hint: None,
            trend: None,
        },
        Stat {
            label: language.tr("Your margin in 30 days"),
            value: money(customer.margin),
            hint: share.as_deref(),
            trend: None,
        },
        Stat {
            label: language.tr("Spend since it exists"),
            value: money(account.charged),
            hint: None,
            trend: None,
        },
    ])
}

fn facts(seller: &Seller, customer: &Customer) -> Markup {
    let language = seller.language();
    let zone = Zone::named(&seller.session.time_zone);
    let account = &customer.account;
    let people: Vec<Vec<Markup>> = customer
        .people
        .iter()
        .map(|person| {
            vec![
                html! { (person.email) },
                html! { (person.name) },
                day(language, person.created_at_ms, &zone),
            ]
        })
        .collect();
    html! {
        (definition_list(&[
            (language.tr("Id"), html! { code { (account.id) } }),
            (language.tr("Since"), day(language, account.created_at_ms, &zone)),
            (language.tr("Working keys"), html! { (count(customer.keys)) }),
        ]))
        @if people.is_empty() {
            p class="muted" { (language.tr("Nobody signs in for this account.")) }
        } @else {
            (table(&Table {
                caption: language.tr("People"),
                columns: &[
                    Column::text(language.tr("E-mail")),
                    Column::text(language.tr("Name")),
                    Column::text(language.tr("Since")),
                ],
                rows: &people,
                body_id: None,
            }))
        }
    }
}

fn suspension(seller: &Seller, customer: &Customer) -> Markup {
    let language = seller.language();
    let account = &customer.account;
    let (path, label, tone) = if account.active {
        ("suspend", language.tr("Suspend"), Tone::Danger)
    } else {
        ("resume", language.tr("Resume"), Tone::Primary)
    };
    let confirm = account.active.then_some(Confirm {
        id: "suspend",
        title: language.tr("Suspend this account?"),
        text: language.tr("Its next call is refused, and so are those of accounts below it. Its people still see what they have."),
    });
    button_form(
        language,
        &ButtonForm {
            action: &format!("/customers/{}/{path}", account.id),
            csrf: seller.place.csrf(),
            label,
            tone,
            values: &[],
            confirm,
        },
    )
}

fn grant_form(visit: &Visit, seller: &Seller, typed: &Form, problems: &[Problem]) -> Markup {
    let language = seller.language();
    let hint = match seller.session.role {
        Role::Operator => language.tr("It is made out of nothing: nobody pays for it."),
        Role::Reseller | Role::EndUser => {
            language.tr("It comes out of your own balance, which must cover it.")
        }
    };
    // The id of the form is that of the visit which showed it first.
    let once = match RequestId::parse(typed.get("once")) {
        Some(once) => once,
        None => visit.request,
    };
    form(
        &format!("/customers/{}/grants", visit.param("id")),
        seller.place.csrf(),
        Some(&once.to_string()),
        html! {
            (Field::usd("amount", language.tr("Amount")).value(typed.get("amount")).required()
                .hint(hint).error(problem(problems, "amount")))
            (Field::text("reason", language.tr("Reason")).value(typed.get("reason")).required()
                .max_length(200).error(problem(problems, "reason"))
                .hint(language.tr("The customer reads it in the statement.")))
            (submit(language.tr("Give credit"), Tone::Primary))
        },
    )
}

/// What was wrong with a field.
pub(super) fn problem<'a>(problems: &'a [Problem], field: &str) -> Option<&'a str> {
    let found = problems.iter().find(|(known, _)| *known == field);
    found.map(|(_, text)| text.as_str())
}

/// `POST /customers/{id}/grants`.
pub async fn grant(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let customer = visit.id(AccountId::parse)?;
    let language = seller.language();
    let typed = &visit.asked.form;
    let again = |field, text: String| (field, text);
    let gift = read_gift(typed.get("amount"), typed.get("reason"));
    let (amount, reason) = match gift {
        Ok(gift) => gift,
        Err(problem) => {
            let (field, text) = gift_problem(language, problem);
            return show(visit, seller, typed, &[again(field, text.to_owned())]).await;
        }
    };
    let once = RequestId::parse(typed.get("once")).unwrap_or(visit.request);
    let gift = Gift {
        seller: seller.account().clone(),
        customer: customer.clone(),
        amount,
        event: format!("{customer}:{once}"),
        reason,
    };
    let by_operator = seller.session.role == Role::Operator;
    let batch = gift.to_posting(by_operator).to_batch(&seller.change(visit));
    let mut posted = batch.read(&visit.execute(&batch.batch).await?)?;
    if posted == Posted::Contended {
        posted = batch.read(&visit.execute(&batch.batch).await?)?;
    }
    let text = match posted {
        Posted::Now | Posted::Before => {
            return Ok(Answer::see_other(format!("/customers/{customer}?done=granted")));
        }
        Posted::NotCovered { missing } => language.fill(
            "Your own balance does not cover this: {missing} is missing. Buy credit first, or give less.",
            &[("missing", &usd(missing))],
        ),
        Posted::ReferenceTaken => language
            .tr("This form was sent before with other values. Open the page anew, see what the balance is, and try again.")
            .to_owned(),
        Posted::Impossible => language
            .tr("The balance cannot hold this amount. Give less.")
            .to_owned(),
        Posted::NotRelated | Posted::NothingToReverse => return Err(Fault::NotFound),
        Posted::Contended => return Err(busy()),
    };
    show(visit, seller, typed, &[again("amount", text)]).await
}

const fn gift_problem(language: Language, problem: GiftProblem) -> (&'static str, &'static str) {
    match problem {
        GiftProblem::NotAnAmount => (
            "amount",
            language.tr("Type an amount of US dollars such as 5 or 0.50."),
        ),
        GiftProblem::Nothing => ("amount", language.tr("Type an amount above zero.")),
        GiftProblem::TooMuch => (
            "amount",
            language.tr("The most that is given at once is $100,000."),
        ),
        GiftProblem::NoReason => (
            "reason",
            language.tr("Say why, in one line of at most 200 characters."),
        ),
    }
}

/// `POST /customers/{id}/suspend`.
pub async fn suspend(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    set_suspended(visit, seller, true).await
}

/// `POST /customers/{id}/resume`.
pub async fn resume(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    set_suspended(visit, seller, false).await
}

async fn set_suspended(visit: &Visit, seller: &Seller, suspended: bool) -> Outcome<Answer> {
    let customer = visit.id(AccountId::parse)?;
    let change = seller.change(visit);
    let batch = suspend_customer(seller.account(), (&customer, suspended), &change);
    let word = if suspended { "suspended" } else { "resumed" };
    match make(visit, &batch).await? {
        Changed::Now | Changed::Refused => Ok(Answer::see_other(format!(
            "/customers/{customer}?done={word}"
        ))),
        Changed::NotFound | Changed::Contended => Err(Fault::NotFound),
    }
}
