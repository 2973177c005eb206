//! The table of all models: what a reference call costs the seller and its customer, which rule says so,
//! and beside it what a draft would make of it.

use maud::{Markup, html};
use tollgate_core::catalogue::Dimension;
use tollgate_core::pricing::{NotSold, Offer, PriceRule, Reference, UnitOffer};
use tollgate_core::selling::{Market, PreviewLine, preview};

use super::MODELS;
use super::draft::{FIELDS, Typed};
use crate::language::Language;
use crate::page::{
    Column, Kind, Table, Tone, badge, count, empty_state, forward, link_button, money, percent,
    share, table,
};

pub(super) fn table_of(
    language: Language,
    market: &Market,
    draft: Option<&PriceRule>,
    typed: &Typed<'_>,
    now_ms: i64,
) -> Markup {
    let reference = Reference {
        usage: typed.usage,
        at_ms: draft.map_or(now_ms, |draft| draft.starts_at_ms),
    };
    let others = draft.map(|draft| market.with_draft(draft, typed.replaces.as_ref()));
    let mut lines = preview(market, others.as_deref(), &reference);
    if lines.is_empty() {
        return nothing(language, typed);
    }
    let all = lines.len();
    let changed = lines.iter().filter(|line| line.changed).count();
    // What changes stands first; the order is otherwise that of the names.
    lines.sort_by_key(|line| !line.changed);
    let shown = usize::try_from(MODELS).unwrap_or(usize::MAX);
    lines.truncate(shown);
    let rows: Vec<Vec<Markup>> = lines
        .iter()
        .map(|line| row(language, line, draft.is_some()))
        .collect();
    let tokens: [(&str, &dyn std::fmt::Display); 2] = [
        ("prompt", &count(typed.usage.prompt_tokens)),
        ("answer", &count(typed.usage.completion_tokens)),
    ];
    html! {
        div class="panel-head" {
            h2 { (language.tr("All models")) }
        }
        p class="muted" role="status" {
            (language.fill("A call with {prompt} tokens of prompt and {answer} of answer.", &tokens))
            @if draft.is_some() {
                " "
                (language.fill("The draft changes the price of {changed} of {all} models.",
                    &[("changed", &changed), ("all", &all)]))
            }
        }
        (table(&Table {
            caption: language.tr("All models"),
            columns: &columns(language, draft.is_some()),
            rows: &rows,
            body_id: None,
        }))
        @if all > lines.len() {
            p class="muted" {
                (language.fill("{n} more are not shown. Search for a part of their names.", &[("n", &(all - lines.len()))]))
            }
        }
        @if draft.is_none() { (next(language, market, typed, all)) }
    }
}

fn next(language: Language, market: &Market, typed: &Typed<'_>, all: usize) -> Markup {
    let full = u32::try_from(all).is_ok_and(|all| all >= MODELS);
    let names = ["search", "prompt_tokens", "completion_tokens"];
    let href = |more: &[(&str, &str)]| typed.form.address("/prices", &names, more);
    let first = (!typed.after.is_empty()).then(|| href(&[]));
    let next = market.last().filter(|_| full);
    let next = next.map(|last| href(&[("after", last)]));
    forward(language, first.as_deref(), next.as_deref())
}

fn nothing(language: Language, typed: &Typed<'_>) -> Markup {
    if typed.search.is_empty() {
        return empty_state(
            language.tr("There are no models"),
            language.tr(
                "As soon as the operator puts models on sale, they stand here with your prices.",
            ),
            html! {},
        );
    }
    let all = typed.form.address("/prices", &FIELDS, &[]);
    empty_state(
        language.tr("No model has that name"),
        language.tr("Search for a part of a name, such as gpt."),
        link_button(language.tr("Show all models"), &all, Tone::Plain),
    )
}

fn columns(language: Language, with_draft: bool) -> Vec<Column<'static>> {
    let mut columns = vec![
        Column::text(language.tr("Model")),
        Column::text(language.tr("Rule")).wide_only(),
        Column::number(language.tr("Input, 1M tokens")).wide_only(),
        Column::number(language.tr("Output, 1M tokens")).wide_only(),
        Column::number(language.tr("Your cost")),
        Column::number(language.tr("Charge")),
        Column::number(language.tr("Margin")),
    ];
    if with_draft {
        columns.extend([
            Column::text(language.tr("With the draft")),
            Column::number(language.tr("New charge")),
            Column::number(language.tr("New margin")),
        ]);
    }
    columns
}

fn row(language: Language, line: &PreviewLine<'_>, with_draft: bool) -> Vec<Markup> {
    let mut cells = vec![
        html! { span class="font-semibold" { (line.name) } br; span class="muted" { (line.slug) } },
        match &line.now {
            Ok(offer) => caught_by(language, offer),
            Err(why) => badge(Kind::Neutral, not_sold(language, *why)),
        },
        unit(&line.now, Dimension::Prompt),
        unit(&line.now, Dimension::Completion),
    ];
    cells.extend(amounts(&line.now, true));
    if with_draft {
        let then = line.then.as_ref().unwrap_or(&line.now);
        cells.push(match then {
            _ if !line.changed => html! { span class="muted" { (language.tr("no change")) } },
            Ok(offer) => html! { (badge(Kind::Info, language.tr("changes"))) " " (caught_by(language, offer)) },
            Err(why) => badge(Kind::Warning, not_sold(language, *why)),
        });
        cells.extend(amounts(then, false));
    }
    cells
}

fn caught_by(language: Language, offer: &Offer<'_>) -> Markup {
    html! {
        code { (offer.rule.pattern) } " +" (percent(offer.rule.markup_bps))
        @if offer.by_minimum { " " (badge(Kind::Neutral, language.tr("minimum"))) }
    }
}

/// Cost, charge and margin; or the latter two.
fn amounts(offer: &Result<Offer<'_>, NotSold>, with_cost: bool) -> Vec<Markup> {
    let none = || html! { "–" };
    let Ok(offer) = offer else {
        return vec![none(); if with_cost { 3 } else { 2 }];
    };
    let margin = html! {
        (money(offer.margin()))
        @if let Some(share) = share(offer.margin(), offer.charge) { " " span class="muted" { (share) } }
    };
    let cost = with_cost.then(|| money(offer.base));
    cost.into_iter()
        .chain([money(offer.charge), margin])
        .collect()
}

fn unit(offer: &Result<Offer<'_>, NotSold>, dimension: Dimension) -> Markup {
    let unit: Option<&UnitOffer> = offer.as_ref().ok().and_then(|offer| offer.unit(dimension));
    html! {
        @if let Some(unit) = unit {
            "$" (unit.charge.to_usd_per_million()) br;
            span class="muted" { "$" (unit.base.to_usd_per_million()) }
        } @else { "–" }
    }
}

const fn not_sold(language: Language, why: NotSold) -> &'static str {
    match why {
        NotSold::NotOffered => language.tr("not offered to you"),
        NotSold::NoRule => language.tr("no rule: not sold"),
        NotSold::NoAmount(_) => language.tr("too dear to be charged"),
    }
}
