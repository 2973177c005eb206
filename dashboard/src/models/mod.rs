//! The operator's catalogue: every model with what the provider bills, its switch, the switch of its
//! provider, and the names that are never sold. Where models come from is in `import`.

mod import;
mod switches;

use maud::{Markup, html};
use tollgate_core::catalogue::{
    Cost, Dimension, ModelLine, ModelsQuery, ProviderLine, RefusalLine, providers_statement,
    read_model_line, read_provider_line, read_refusal_line, refused_models_statement,
};
use tollgate_core::hrana::{Batch, HranaFault};

use crate::answer::Answer;
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{
    ButtonForm, Column, Field, Kind, Table, Tone, badge, busy, button_form, card, empty_state,
    forward, page_head, submit, table,
};
use crate::place::Operator;
use crate::visit::Visit;

pub use import::{fetch, paste};
pub use switches::{accept, refuse, switch, switch_provider};

const ROWS: u32 = 50;

/// What the page says besides its lists.
#[derive(Default)]
struct Said<'a> {
    /// What came of an import.
    import: Option<Markup>,
    /// What was wrong with a form: the field and the text.
    problem: Option<(&'static str, &'a str)>,
}

struct Catalogue {
    models: Vec<ModelLine>,
    more: bool,
    providers: Vec<ProviderLine>,
    refusals: Vec<RefusalLine>,
}

/// `GET /models`. htmx asks for the table alone.
pub async fn page(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    if visit.wants_part() {
        let catalogue = read(visit, operator).await?;
        return Ok(Answer::html(list(visit, operator, &catalogue)));
    }
    show(visit, operator, Said::default()).await
}

async fn read(visit: &Visit, operator: &Operator) -> Outcome<Catalogue> {
    let query = &visit.asked.query;
    let page = ModelsQuery {
        operator: operator.account(),
        search: query.get("search"),
        after: query.get("after"),
        count: ROWS + 1,
        now_ms: visit.now_ms,
    };
    let mut batch = Batch::new();
    let models = batch.step(None, page.statement());
    let providers = batch.step(None, providers_statement(operator.account()));
    let refusals = batch.step(None, refused_models_statement(operator.account()));
    let reply = visit.execute(&batch).await?;
    let mut models: Vec<ModelLine> = reply
        .rows_of(models)?
        .iter()
        .map(read_model_line)
        .collect::<Result<_, HranaFault>>()?;
    let providers = reply.rows_of(providers)?.iter().map(read_provider_line);
    let refusals = reply.rows_of(refusals)?.iter().map(read_refusal_line);
    let shown = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = models.len() > shown;
    models.truncate(shown);
    Ok(Catalogue {
        models,
        more,
        providers: providers.collect::<Result<_, HranaFault>>()?,
        refusals: refusals.collect::<Result<_, HranaFault>>()?,
    })
}

async fn show(visit: &Visit, operator: &Operator, said: Said<'_>) -> Outcome<Answer> {
    let language = operator.language();
    let catalogue = read(visit, operator).await?;
    let title = language.tr("Models");
    let error = |field: &str| {
        let found = said.problem.filter(|(known, _)| *known == field);
        found.map(|(_, text)| text)
    };
    let body = html! {
        (page_head(title, language.tr("What can be sold, and what the providers bill for it. Only you see this."), html! {}))
        @if let Some(import) = &said.import { (import) }
        (card(language.tr("Catalogue"), html! {
            form method="get" action="/models" class="filters" role="search" hx-get="/models"
                hx-target="#models" hx-trigger="input delay:300ms" hx-sync="this:replace"
                hx-indicator="#searching" {
                (Field::search("search", language.tr("Part of a name"))
                    .value(visit.asked.query.get("search")).max_length(200))
                (submit(language.tr("Show"), Tone::Plain))
                (busy(language, "searching"))
            }
            div id="models" { (list(visit, operator, &catalogue)) }
        }))
        (card(language.tr("Providers"), switches::providers(operator, &catalogue.providers)))
        (card(language.tr("Names that are never sold"),
            switches::refusals(operator, &catalogue.refusals, &visit.asked.form, ["pattern", "reason"].map(error))))
        (card(language.tr("Import"), import::forms(operator, error("models"))))
    };
    let status = if said.problem.is_some() { 422 } else { 200 };
    Ok(operator
        .page(visit, (title, "/models"), body)
        .status(status))
}

fn list(visit: &Visit, operator: &Operator, catalogue: &Catalogue) -> Markup {
    let language = operator.language();
    let query = &visit.asked.query;
    let href = |more: &[(&str, &str)]| query.address("/models", &["search"], more);
    let first = query.given("after").map(|_| href(&[]));
    let last = catalogue.models.last().filter(|_| catalogue.more);
    let next = last.map(|line| href(&[("after", &line.slug)]));
    html! {
        @if catalogue.models.is_empty() {
            (empty_state(language.tr("No models"),
                language.tr("Import the provider's list below, or search for something else."), html! {}))
        } @else { (rows(operator, &catalogue.models)) }
        (forward(language, first.as_deref(), next.as_deref()))
    }
}

fn rows(operator: &Operator, models: &[ModelLine]) -> Markup {
    let language = operator.language();
    let rows: Vec<Vec<Markup>> = models
        .iter()
        .map(|line| {
            let cost = line.cost.as_ref().and_then(|cost| cost.as_ref().ok());
            let enabled = if line.enabled { "0" } else { "1" };
            vec![
                html! { span class="font-semibold" { (line.name) } br; span class="muted" { (line.slug) } },
                state(language, line),
                price(cost, Dimension::Prompt),
                price(cost, Dimension::Completion),
                others(cost),
                html! { span class="block max-w-56 wrap-anywhere" { (line.source.as_deref().unwrap_or("–")) } },
                button_form(language, &ButtonForm {
                    action: "/models/switch",
                    csrf: operator.place.csrf(),
                    label: if line.enabled { language.tr("Switch off") } else { language.tr("Switch on") },
                    tone: Tone::Quiet,
                    values: &[("slug", &line.slug), ("enabled", enabled)],
                    confirm: None,
                }),
            ]
        })
        .collect();
    table(&Table {
        caption: language.tr("Models and what they cost"),
        columns: &[
            Column::text(language.tr("Model")),
            Column::text(language.tr("State")),
            Column::number(language.tr("Input, 1M tokens")),
            Column::number(language.tr("Output, 1M tokens")),
            Column::text(language.tr("Other costs")).wide_only(),
            Column::text(language.tr("Source")).wide_only(),
            Column::text(language.tr("Actions")),
        ],
        rows: &rows,
        body_id: None,
    })
}

fn state(language: Language, line: &ModelLine) -> Markup {
    let (kind, text) = if line.on_sale() {
        (Kind::Success, language.tr("on sale"))
    } else if !line.enabled {
        (Kind::Danger, language.tr("off"))
    } else if !line.provider_enabled {
        (Kind::Danger, language.tr("its provider is off"))
    } else if line.refused_by.is_some() {
        (Kind::Warning, language.tr("never sold"))
    } else {
        (Kind::Warning, language.tr("no usable cost"))
    };
    html! { (badge(kind, text)) }
}

fn price(cost: Option<&Cost>, dimension: Dimension) -> Markup {
    let price = cost.and_then(|cost| cost.prices.get(dimension));
    html! { @if let Some(price) = price { "$" (price.to_usd_per_million()) } @else { "–" } }
}

/// Every other unit that is billed, for one of it; and how many exceptions there are.
fn others(cost: Option<&Cost>) -> Markup {
    let Some(cost) = cost else {
        return html! { "–" };
    };
    let others = cost
        .prices
        .iter()
        .filter(|(dimension, _)| !matches!(dimension, Dimension::Prompt | Dimension::Completion));
    html! {
        @for (dimension, price) in others { div { (dimension.key()) " $" (price.to_usd()) } }
        @if !cost.overrides.is_empty() { div class="muted" { "+" (cost.overrides.len()) } }
    }
}
