//! One call: what it was, how it ended, and how its price came about, line by line.

use maud::{Markup, html};
use tollgate_core::accounts::View;
use tollgate_core::catalogue::Dimension;
use tollgate_core::error::ErrorCode;
use tollgate_core::hrana::Batch;
use tollgate_core::ids::RequestId;
use tollgate_core::money::Picos;
use tollgate_core::pricing::{ChargeItem, ChargeLine};
use tollgate_core::request_log::{
    RequestDetail, RequestLine, RequestStatus, Tokens, read_request_detail,
    request_detail_statement,
};

use super::list::{duration, status};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::page::{
    Column, Kind, Table, Tone, Zone, alert, alert_with, card, definition_list, link_button, moment,
    money, page_head, table,
};
use crate::place::Buyer;
use crate::visit::Visit;

/// `GET /requests/{id}`.
pub async fn page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let id = visit.id(RequestId::parse)?;
    let view = View::own(buyer.account());
    let mut batch = Batch::new();
    let step = batch.step(None, request_detail_statement(view, id));
    let reply = visit.execute(&batch).await?;
    let row = reply.rows_of(step)?.first().ok_or(Fault::NotFound)?;
    let detail = read_request_detail(view, row)?;
    let call = call(buyer, &detail);
    if visit.wants_part() {
        return Ok(Answer::html(call));
    }
    let title = language.tr("Request");
    let back = link_button(language.tr("All requests"), "/requests", Tone::Plain);
    let body = html! {
        (page_head(title, &id.to_string(), back))
        (call)
    };
    Ok(buyer.page(visit, (title, "/requests"), body))
}

/// Everything about the call; htmx asks for it again while it runs.
fn call(buyer: &Buyer, detail: &RequestDetail) -> Markup {
    let language = buyer.language();
    let line = &detail.line;
    let running = line.status == RequestStatus::Held;
    html! {
        div id="call" class="grid gap-4" hx-get=[running.then(|| format!("/requests/{}", line.id))]
            hx-trigger=[running.then_some("every 2s")] hx-swap=[running.then_some("outerHTML")] {
            (error(language, line))
            (card("", facts(buyer, detail)))
            @if let Some(tokens) = line.tokens {
                (card(language.tr("Tokens"), token_list(language, line, tokens)))
            }
            (card(language.tr("Price"), price(buyer, detail)))
        }
    }
}

/// What went wrong, and what to do about it.
fn error(language: Language, line: &RequestLine) -> Markup {
    if line.status != RequestStatus::Failed {
        return html! {};
    }
    let known = line.error_code.as_deref().and_then(|code| {
        let mut all = ErrorCode::ALL.iter();
        all.find(|known| known.row().code == code)
    });
    match known {
        Some(known) => alert_with(
            Kind::Danger,
            known.row().message,
            html! { (known.row().hint) },
        ),
        None if line.http_status.is_none() => alert(
            Kind::Danger,
            language.tr("The caller went away before there was an answer."),
        ),
        None => alert(Kind::Danger, language.tr("The call ended with an error.")),
    }
}

fn facts(buyer: &Buyer, detail: &RequestDetail) -> Markup {
    let language = buyer.language();
    let zone = Zone::named(&buyer.session.time_zone);
    let line = &detail.line;
    let mut facts = vec![
        (language.tr("Status"), status(language, line)),
        (language.tr("Model"), html! { (line.model) }),
        (
            language.tr("Key"),
            html! { a href={ "/keys/" (line.key) } { (line.key_name) } },
        ),
        (
            language.tr("Began"),
            moment(language, line.created_at_ms, &zone),
        ),
    ];
    if let Some(at_ms) = detail.resolved_at_ms {
        facts.push((language.tr("Ended"), moment(language, at_ms, &zone)));
    }
    facts.extend([
        (
            language.tr("First byte after"),
            html! { (duration(line.first_byte_ms)) },
        ),
        (
            language.tr("Whole answer after"),
            html! { (duration(line.total_ms)) },
        ),
        (
            language.tr("Answer"),
            html! {
                @if line.streamed { (language.tr("Streamed")) } @else { (language.tr("In one piece")) }
                @if let Some(status) = line.http_status { ", HTTP " (status) }
                @if let Some(reason) = &line.finish_reason { ", " code { (reason) } }
            },
        ),
        (
            language.tr("Most tokens of the answer"),
            html! { (detail.max_tokens) },
        ),
        (
            language.tr("Id of the answer"),
            html! { code { (line.id.generation_id()) } },
        ),
    ]);
    definition_list(&facts)
}

fn token_list(language: Language, line: &RequestLine, tokens: Tokens) -> Markup {
    let facts = [
        (language.tr("Prompt"), html! { (tokens.prompt) }),
        (
            language.tr("of it from the cache"),
            html! { (tokens.cached) },
        ),
        (
            language.tr("of it written to the cache"),
            html! { (tokens.cache_write) },
        ),
        (language.tr("Answer"), html! { (tokens.completion) }),
        (language.tr("of it reasoning"), html! { (tokens.reasoning) }),
    ];
    html! {
        (definition_list(&facts))
        @if line.estimated {
            p class="muted" {
                @if line.trued_up_at_ms.is_some() {
                    (language.tr("The provider reported no tokens when the call ended; its own record corrected the charge later."))
                } @else {
                    (language.tr("The provider reported no tokens, so these are an estimate. Its own record may correct the charge later."))
                }
            }
        }
    }
}

fn price(buyer: &Buyer, detail: &RequestDetail) -> Markup {
    let language = buyer.language();
    let line = &detail.line;
    let Some(charge) = line.charge else {
        return html! {
            p {
                (money(line.hold)) " "
                (language.tr("of your credit is held while the call runs. That is the most it can cost; the rest comes back when it ends."))
            }
        };
    };
    html! {
        @match detail.charge_lines.as_deref() {
            None => {
                p class="muted" { (language.tr("The prices of this call are not kept any more.")) }
            }
            Some([]) => p class="muted" { (language.tr("Nothing was used, so nothing was charged.")) },
            Some(lines) => (calculation(language, lines)),
        }
        p class="font-semibold" { (language.tr("Charged")) ": " span.money { (charge) } }
        p class="muted" {
            (language.tr("Held when the call began")) ": " span.money { (line.hold) }
        }
        @if let (Some(at_ms), Some(first)) = (line.trued_up_at_ms, detail.first_charge) {
            p class="muted" {
                (language.tr("First charged")) ": " span.money { (first) } ". "
                (language.tr("Corrected by the provider's record")) ": "
                (moment(language, at_ms, &Zone::named(&buyer.session.time_zone)))
            }
        }
    }
}

/// The lines to the nano, as they add up to the charge.
fn calculation(language: Language, lines: &[ChargeLine]) -> Markup {
    let caption = language.tr("How the charge came about");
    let columns = [
        Column::text(language.tr("For")),
        Column::number(language.tr("Units")),
        Column::number(language.tr("Price")),
        Column::number(language.tr("Amount")),
    ];
    let rows: Vec<Vec<Markup>> = lines
        .iter()
        .map(|line| {
            let (name, units, price) = item(language, line.item);
            vec![
                html! { (name) },
                html! { (units) },
                html! { (price) },
                html! { span.money { (line.amount) } },
            ]
        })
        .collect();
    table(&Table {
        caption,
        columns: &columns,
        rows: &rows,
        body_id: None,
    })
}

/// What a line is for, how many, and the price of one or of a million.
fn item(language: Language, item: ChargeItem) -> (&'static str, String, String) {
    let name = match item {
        ChargeItem::Units {
            dimension,
            units,
            unit_price,
        } => {
            let price = unit_price_text(language, dimension, unit_price);
            return (
                dimension_name(language, dimension),
                units.to_string(),
                price,
            );
        }
        ChargeItem::OtherUnits => language.tr("Other units, whose number was not kept"),
        ChargeItem::Rounding => language.tr("Rounding of the sum"),
        ChargeItem::Minimum => language.tr("Up to the minimum charge"),
        ChargeItem::AboveHold => language.tr("Above what was held, not charged"),
        ChargeItem::NotTaken => language.tr("Corrected later"),
    };
    (name, String::new(), String::new())
}

fn unit_price_text(language: Language, dimension: Dimension, price: Picos) -> String {
    match dimension {
        Dimension::Request | Dimension::Image | Dimension::ImageOutput | Dimension::WebSearch => {
            language.fill("${price} each", &[("price", &price.to_usd())])
        }
        Dimension::Prompt
        | Dimension::Completion
        | Dimension::ImageToken
        | Dimension::Audio
        | Dimension::AudioOutput
        | Dimension::InputAudioCache
        | Dimension::InputCacheRead
        | Dimension::InputCacheWrite
        | Dimension::InputCacheWrite1h
        | Dimension::InternalReasoning => language.fill(
            "${price} a million",
            &[("price", &price.to_usd_per_million())],
        ),
    }
}

const fn dimension_name(language: Language, dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Prompt => language.tr("Prompt tokens"),
        Dimension::Completion => language.tr("Answer tokens"),
        Dimension::Request => language.tr("The call itself"),
        Dimension::Image => language.tr("Images in the prompt"),
        Dimension::ImageToken => language.tr("Prompt tokens of images"),
        Dimension::ImageOutput => language.tr("Images in the answer"),
        Dimension::Audio => language.tr("Prompt tokens of audio"),
        Dimension::AudioOutput => language.tr("Answer tokens of audio"),
        Dimension::InputAudioCache => language.tr("Audio tokens from the cache"),
        Dimension::InputCacheRead => language.tr("Prompt tokens from the cache"),
        Dimension::InputCacheWrite => language.tr("Prompt tokens written to the cache"),
        Dimension::InputCacheWrite1h => {
            language.tr("Prompt tokens written to the cache for an hour")
        }
        Dimension::InternalReasoning => language.tr("Reasoning tokens"),
        Dimension::WebSearch => language.tr("Web searches"),
    }
}
