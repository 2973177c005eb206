//! What keeps models from sale: their switch, that of their provider, and the refuse list.

use maud::{Markup, html};
use tollgate_core::audit::{ChangeBatch, Changed};
use tollgate_core::catalogue::{
    NewRefusal, ProviderLine, RefusalLine, RefusalProblem, accept_models, switch_model,
};

use super::{Said, show};
use crate::answer::Answer;
use crate::change::{busy, make};
use crate::fault::{Fault, Outcome};
use crate::form::Form;
use crate::page::{
    ButtonForm, Column, Confirm, Field, Kind, Table, Tone, badge, button_form, count, form, submit,
    table,
};
use crate::place::Operator;
use crate::visit::Visit;

pub(super) fn providers(operator: &Operator, providers: &[ProviderLine]) -> Markup {
    let language = operator.language();
    let rows: Vec<Vec<Markup>> = providers
        .iter()
        .map(|provider| {
            let enabled = if provider.enabled { "0" } else { "1" };
            let id = format!("kill-{}", provider.name);
            vec![
                html! { (provider.name) },
                if provider.enabled {
                    badge(Kind::Success, language.tr("on"))
                } else {
                    badge(Kind::Danger, language.tr("off"))
                },
                html! { (count(provider.models)) },
                button_form(
                    language,
                    &ButtonForm {
                        action: "/models/provider",
                        csrf: operator.place.csrf(),
                        label: if provider.enabled {
                            language.tr("Switch off")
                        } else {
                            language.tr("Switch on")
                        },
                        tone: Tone::Quiet,
                        values: &[("name", &provider.name), ("enabled", enabled)],
                        confirm: provider.enabled.then_some(Confirm {
                            id: &id,
                            title: language.tr("Switch this provider off?"),
                            text: language.tr(
                                "The next call of any of its models is refused, for everybody.",
                            ),
                        }),
                    },
                ),
            ]
        })
        .collect();
    table(&Table {
        caption: language.tr("Providers"),
        columns: &[
            Column::text(language.tr("Name")),
            Column::text(language.tr("State")),
            Column::number(language.tr("Models")),
            Column::text(language.tr("Actions")),
        ],
        rows: &rows,
        body_id: None,
    })
}

pub(super) fn refusals(
    operator: &Operator,
    refusals: &[RefusalLine],
    typed: &Form,
    [wrong_pattern, wrong_reason]: [Option<&str>; 2],
) -> Markup {
    let language = operator.language();
    let rows: Vec<Vec<Markup>> = refusals
        .iter()
        .map(|line| {
            vec![
                html! { code { (line.pattern) } },
                html! { (line.reason) },
                html! { (count(line.models)) },
                button_form(
                    language,
                    &ButtonForm {
                        action: "/models/refusals/remove",
                        csrf: operator.place.csrf(),
                        label: language.tr("Allow again"),
                        tone: Tone::Quiet,
                        values: &[("pattern", &line.pattern)],
                        confirm: None,
                    },
                ),
            ]
        })
        .collect();
    html! {
        @if rows.is_empty() {
            p class="muted" { (language.tr("Nothing is refused by its name.")) }
        } @else {
            (table(&Table {
                caption: language.tr("Names that are never sold"),
                columns: &[
                    Column::text(language.tr("Models")),
                    Column::text(language.tr("Reason")),
                    Column::number(language.tr("In the catalogue")),
                    Column::text(language.tr("Actions")),
                ],
                rows: &rows,
                body_id: None,
            }))
        }
        (form("/models/refusals", operator.place.csrf(), None, html! {
            (Field::text("pattern", language.tr("Models")).value(typed.get("pattern")).required()
                .max_length(200).placeholder("maker/*").error(wrong_pattern))
            (Field::text("reason", language.tr("Reason")).value(typed.get("reason")).required()
                .max_length(200).error(wrong_reason))
            (submit(language.tr("Never sell these"), Tone::Plain))
        }))
    }
}

/// `POST /models/switch`.
pub async fn switch(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let form = &visit.asked.form;
    let switched = (form.get("slug"), wanted(form)?);
    let change = operator.change(visit);
    carry_out(visit, &switch_model(operator.account(), switched, &change)).await
}

/// Which way a switch goes. Whatever else is sent, no button of ours sends.
fn wanted(form: &Form) -> Outcome<bool> {
    match form.get("enabled") {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(Fault::NotFound),
    }
}

/// `POST /models/provider`: the switch of all models of a provider.
pub async fn switch_provider(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let form = &visit.asked.form;
    let switched = (form.get("name"), wanted(form)?);
    let change = operator.change(visit);
    let batch = tollgate_core::catalogue::switch_provider(operator.account(), switched, &change);
    carry_out(visit, &batch).await
}

/// `POST /models/refusals`.
pub async fn refuse(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let form = &visit.asked.form;
    let language = operator.language();
    let refusal = match NewRefusal::new(form.get("pattern"), form.get("reason")) {
        Ok(refusal) => refusal,
        Err(problem) => {
            let problem = match problem {
                RefusalProblem::Pattern => (
                    "pattern",
                    language.tr("Type a model's name, in which * stands for any text."),
                ),
                RefusalProblem::Reason => (
                    "reason",
                    language.tr("Say why, in one line of at most 200 characters."),
                ),
            };
            let said = Said {
                problem: Some(problem),
                ..Said::default()
            };
            return show(visit, operator, said).await;
        }
    };
    let change = operator.change(visit);
    carry_out(visit, &refusal.to_batch(operator.account(), &change)).await
}

/// `POST /models/refusals/remove`.
pub async fn accept(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let pattern = visit.asked.form.get("pattern");
    let change = operator.change(visit);
    carry_out(visit, &accept_models(operator.account(), pattern, &change)).await
}

async fn carry_out(visit: &Visit, batch: &ChangeBatch) -> Outcome<Answer> {
    match make(visit, batch).await? {
        // A second click finds that it is done.
        Changed::Now | Changed::Refused => Ok(Answer::see_other("/models?done=saved")),
        Changed::NotFound => Err(Fault::NotFound),
        Changed::Contended => Err(busy()),
    }
}
