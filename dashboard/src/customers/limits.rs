//! The limits of one customer: how often and how much it may call, and what it may spend.

use maud::{Markup, html};
use tollgate_core::accounts::{BudgetEdit, LimitEdit, ModelPatternsError, model_patterns};
use tollgate_core::audit::Changed;
use tollgate_core::budget::Period;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::selling::{Customer, limit_customer, limit_spending};

use super::detail::{Problem, problem, show};
use crate::answer::Answer;
use crate::change::make;
use crate::fault::{Fault, Outcome};
use crate::form::Form;
use crate::language::Language;
use crate::page::{Field, Tone, form, submit};
use crate::place::Seller;
use crate::visit::Visit;

/// The most that a limit may be: what is more limits nobody.
const MAX_LIMIT: u64 = 1_000_000_000;

/// A limit that is a number: its field, its name, what it is, and what sets it.
type Numeric = (
    &'static str,
    &'static str,
    fn(&Limits) -> Option<u64>,
    fn(Option<u64>) -> LimitEdit,
);

const fn numeric(language: Language) -> [Numeric; 7] {
    [
        (
            "requests_per_minute",
            language.tr("Calls a minute"),
            |limits| limits.requests_per_minute,
            LimitEdit::RequestsPerMinute,
        ),
        (
            "requests_per_hour",
            language.tr("Calls an hour"),
            |limits| limits.requests_per_hour,
            LimitEdit::RequestsPerHour,
        ),
        (
            "requests_per_day",
            language.tr("Calls a day"),
            |limits| limits.requests_per_day,
            LimitEdit::RequestsPerDay,
        ),
        (
            "tokens_per_minute",
            language.tr("Tokens a minute"),
            |limits| limits.tokens_per_minute,
            LimitEdit::TokensPerMinute,
        ),
        (
            "parallel_calls",
            language.tr("Calls at the same time"),
            |limits| limits.parallel_calls,
            LimitEdit::ParallelCalls,
        ),
        (
            "max_tokens",
            language.tr("Tokens of an answer, at most"),
            |limits| limits.max_tokens,
            LimitEdit::MaxTokens,
        ),
        (
            "default_max_tokens",
            language.tr("Tokens of an answer, if a call does not say"),
            |limits| limits.default_max_tokens,
            LimitEdit::DefaultMaxTokens,
        ),
    ]
}

const fn spending(language: Language) -> [(Period, &'static str, &'static str); 4] {
    [
        (Period::Day, "spend_day", language.tr("Spend a day")),
        (Period::Week, "spend_week", language.tr("Spend a week")),
        (Period::Month, "spend_month", language.tr("Spend a month")),
        (Period::Total, "spend_total", language.tr("Spend in all")),
    ]
}

/// Both forms.
pub(super) fn forms(
    seller: &Seller,
    customer: &Customer,
    typed: &Form,
    problems: &[Problem],
) -> Markup {
    let language = seller.language();
    let id = &customer.account.id;
    let csrf = seller.place.csrf();
    html! {
        p class="muted" { (language.tr("Empty fields are no limit. The next call sees a change. Days, weeks and months are those of UTC.")) }
        (form(&format!("/customers/{id}/spend-limits"), csrf, None, html! {
            div class="grid gap-5 sm:grid-cols-2 lg:grid-cols-4" {
                @for (period, name, label) in spending(language) {
                    @let stored = customer.purse.budget.of(period).map(Nanos::to_usd).unwrap_or_default();
                    @let value = typed.all(name).next().unwrap_or(&stored);
                    (Field::usd(name, label).value(value).error(problem(problems, name)))
                }
            }
            div class="actions" { (submit(language.tr("Save what it may spend"), Tone::Plain)) }
        }))
        (form(&format!("/customers/{id}/limits"), csrf, None, html! {
            p class="muted" { (language.tr("These hold for each key that sets none of its own.")) }
            div class="grid gap-5 sm:grid-cols-2 lg:grid-cols-4" {
                @for (name, label, of, _) in numeric(language) {
                    @let stored = of(&customer.account.limits).map(|limit| limit.to_string()).unwrap_or_default();
                    @let value = typed.all(name).next().unwrap_or(&stored);
                    @let least = least(name).to_string();
                    (Field::number(name, label).value(value).min(&least).step("1").error(problem(problems, name)))
                }
            }
            @let stored = customer.account.limits.allowed_models.clone().unwrap_or_default().join("\n");
            (Field::textarea("allowed_models", language.tr("Allowed models"), 3)
                .value(typed.all("allowed_models").next().unwrap_or(&stored))
                .error(problem(problems, "allowed_models"))
                .hint(language.tr("One a line; * stands for any text. Empty: all that you sell.")))
            div class="actions" { (submit(language.tr("Save limits"), Tone::Plain)) }
        }))
    }
}

/// `POST /customers/{id}/limits`.
pub async fn set(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let customer = visit.id(AccountId::parse)?;
    let typed = &visit.asked.form;
    let edits = match read_limits(seller.language(), typed) {
        Ok(edits) => edits,
        Err(problems) => return show(visit, seller, typed, &problems).await,
    };
    let change = seller.change(visit);
    let batch = limit_customer(seller.account(), (&customer, &edits), &change);
    done(make(visit, &batch).await?, &customer)
}

/// `POST /customers/{id}/spend-limits`.
pub async fn set_spending(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let customer = visit.id(AccountId::parse)?;
    let typed = &visit.asked.form;
    let edits = match read_spending(seller.language(), typed) {
        Ok(edits) => edits,
        Err(problems) => return show(visit, seller, typed, &problems).await,
    };
    let change = seller.change(visit);
    let batch = limit_spending(seller.account(), (&customer, &edits), &change);
    done(make(visit, &batch).await?, &customer)
}

fn done(changed: Changed, customer: &AccountId) -> Outcome<Answer> {
    match changed {
        Changed::Now => Ok(Answer::see_other(format!(
            "/customers/{customer}?done=saved"
        ))),
        Changed::NotFound | Changed::Refused | Changed::Contended => Err(Fault::NotFound),
    }
}

/// No answer has no token at all; every other limit may stop calls altogether.
fn least(name: &str) -> u64 {
    u64::from(name.ends_with("max_tokens"))
}

fn read_limits(language: Language, typed: &Form) -> Result<Vec<LimitEdit>, Vec<Problem>> {
    let mut edits = Vec::new();
    let mut problems = Vec::new();
    for (name, _, _, edit) in numeric(language) {
        let text = typed.get(name);
        let least = least(name);
        match text.parse::<u64>() {
            _ if text.is_empty() => edits.push(edit(None)),
            Ok(limit) if (least..=MAX_LIMIT).contains(&limit) => edits.push(edit(Some(limit))),
            Ok(_) | Err(_) => problems.push((
                name,
                language.fill(
                    "Type a whole number from {least} to 1,000,000,000, or leave it empty.",
                    &[("least", &least)],
                ),
            )),
        }
    }
    match model_patterns(typed.get("allowed_models")) {
        Ok(patterns) => edits.push(LimitEdit::AllowedModels(patterns)),
        Err(error) => problems.push(("allowed_models", models_problem(language, &error))),
    }
    if problems.is_empty() {
        Ok(edits)
    } else {
        Err(problems)
    }
}

fn models_problem(language: Language, error: &ModelPatternsError) -> String {
    match error {
        ModelPatternsError::TooMany => language.tr("Name at most 100 models.").to_owned(),
        ModelPatternsError::TooLong => language
            .tr("A model's name has at most 200 characters.")
            .to_owned(),
        ModelPatternsError::Character(name) => {
            language.fill("`{name}` is no model's name.", &[("name", name)])
        }
    }
}

fn read_spending(language: Language, typed: &Form) -> Result<Vec<BudgetEdit>, Vec<Problem>> {
    let mut edits = Vec::new();
    let mut problems = Vec::new();
    for (period, name, _) in spending(language) {
        let text = typed.get(name);
        let amount = Nanos::parse_usd(text.strip_prefix('$').unwrap_or(text));
        match amount {
            _ if text.is_empty() => edits.push((period, None)),
            Ok(amount) if amount >= Nanos::ZERO => edits.push((period, Some(amount))),
            Ok(_) | Err(_) => problems.push((
                name,
                language
                    .tr("Type an amount of US dollars such as 20, or leave it empty.")
                    .to_owned(),
            )),
        }
    }
    if problems.is_empty() {
        Ok(edits)
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_none_and_what_is_neither_is_named() {
        let check = |form: &str, expect: &[&str]| {
            let form = Form::parse(form.as_bytes());
            let limits = read_limits(Language::English, &form).err();
            let spending = read_spending(Language::English, &form).err();
            let problems = limits.into_iter().chain(spending).flatten();
            let fields: Vec<&str> = problems.map(|(field, _)| field).collect();
            assert_eq!(fields, expect, "{form:?}");
        };
        check("", &[]);
        check(
            "requests_per_minute=60&spend_day=$5.50&allowed_models=a/*+b",
            &[],
        );
        check(
            "requests_per_minute=-1&max_tokens=x",
            &["requests_per_minute", "max_tokens"],
        );
        check("parallel_calls=1000000001", &["parallel_calls"]);
        check("parallel_calls=0&max_tokens=1", &[]);
        check(
            "max_tokens=0&default_max_tokens=0",
            &["max_tokens", "default_max_tokens"],
        );
        check("parallel_calls=99999999999999999999", &["parallel_calls"]);
        check(
            "spend_week=-1&spend_total=1e3",
            &["spend_week", "spend_total"],
        );
        check("allowed_models=a%00b", &["allowed_models"]);
    }
}
