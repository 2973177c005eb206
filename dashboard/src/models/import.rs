//! Bringing a list of models into the catalogue: pasted, uploaded, or fetched from the provider. What is
//! sold of it and what is not is decided by `core::catalogue`.

use maud::{Markup, html};
use tollgate_core::catalogue::{
    Import, RefusalLine, Sources, import, read_refusal_line, refused_models_statement, store,
};
use tollgate_core::hrana::{Batch, HranaFault};
use worker::Method;

use super::{Said, show};
use crate::answer::Answer;
use crate::change::busy;
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::outbound::{Outbound, send};
use crate::page::{ButtonForm, Field, Kind, Tone, alert_with, button_form, submit, upload_form};
use crate::place::Operator;
use crate::visit::Visit;

pub(super) fn forms(operator: &Operator, error: Option<&str>) -> Markup {
    let language = operator.language();
    html! {
        p class="muted" { (language.tr("Costs of an import hold from now on; calls of the past keep theirs. Models that the list does not have stay as they are.")) }
        (button_form(language, &ButtonForm {
            action: "/models/fetch",
            csrf: operator.place.csrf(),
            label: language.tr("Fetch OpenRouter's list now"),
            tone: Tone::Primary,
            values: &[],
            confirm: None,
        }))
        (upload_form("/models/import", operator.place.csrf(), None, html! {
            (Field::file("file", language.tr("Or a file with OpenRouter's models as JSON"), "application/json,.json")
                .error(error))
            (Field::textarea("models", language.tr("Or its text"), 4))
            (submit(language.tr("Import"), Tone::Plain))
        }))
    }
}

/// `POST /models/import`: a file or a text.
pub async fn paste(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let form = &visit.asked.form;
    let (json, source) = match form.file("file") {
        Some(file) => (file, "uploaded"),
        None => (form.get("models").as_bytes(), "pasted"),
    };
    bring_in(visit, operator, (json, source)).await
}

/// `POST /models/fetch`: the provider's own list.
pub async fn fetch(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let url = format!("{}/models", visit.config.openrouter_base_url);
    let inbound = send(Outbound {
        service: "OpenRouter",
        method: Method::Get,
        url: url.clone(),
        headers: &[("accept", "application/json".to_owned())],
        body: None,
    })
    .await?;
    if inbound.status != 200 {
        return Err(Fault::Service {
            service: "OpenRouter",
            what: format!("status {}", inbound.status),
        });
    }
    bring_in(visit, operator, (&inbound.body, &url)).await
}

async fn bring_in(
    visit: &Visit,
    operator: &Operator,
    (json, source): (&[u8], &str),
) -> Outcome<Answer> {
    let imported = match import(json, visit.now_ms) {
        Ok(imported) => imported,
        Err(error) => {
            let text = error.to_string();
            let said = Said {
                problem: Some(("models", &text)),
                ..Said::default()
            };
            return show(visit, operator, said).await;
        }
    };
    let mut refused = Batch::new();
    let step = refused.step(None, refused_models_statement(operator.account()));
    let reply = visit.execute(&refused).await?;
    let refusals: Vec<RefusalLine> = reply
        .rows_of(step)?
        .iter()
        .map(read_refusal_line)
        .collect::<Result<_, HranaFault>>()?;
    let imported = imported.without(&refusals);
    let sources = Sources {
        document: source.to_owned(),
        ..Sources::default()
    };
    let (batch, commit) = store(&imported, &sources, &operator.change(visit));
    if !visit.execute(&batch).await?.is_ok(commit) {
        return Err(busy());
    }
    let said = Said {
        import: Some(report(operator.language(), &imported)),
        ..Said::default()
    };
    show(visit, operator, said).await
}

fn report(language: Language, imported: &Import) -> Markup {
    let values: [(&str, &dyn std::fmt::Display); 2] = [
        ("models", &imported.models.len()),
        ("refused", &imported.refused.len()),
    ];
    let title = language.fill("Imported: {models}. Left out: {refused}.", &values);
    alert_with(
        Kind::Success,
        &title,
        html! {
            @if !imported.refused.is_empty() {
                details {
                    summary { (language.tr("Which, and why")) }
                    ul { @for refused in &imported.refused { li { code { (refused.slug) } ": " (refused.reason) } } }
                }
            }
        },
    )
}
