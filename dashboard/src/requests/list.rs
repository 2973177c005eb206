//! The list of calls, page by page, with filters. How it stays current is in `live`.

use maud::{Markup, html};
use tollgate_core::accounts::{KeyLine, View, key_list_statements, read_key_line};
use tollgate_core::hrana::Batch;
use tollgate_core::request_log::{Cursor, LogPage, RequestLine, RequestStatus, SCAN};

use super::live::poller;
use super::search::Search;
use crate::answer::Answer;
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{
    Choice, Column, Field, Kind, Table, Tone, Zone, alert_with, badge, busy, card, card_with,
    empty_state, link_button, moment, money, page_head, pager, submit, table,
};
use crate::place::Buyer;
use crate::visit::Visit;

/// The id of the table's body, where new calls arrive.
pub(super) const BODY: &str = "calls";

/// The id of what tells screen readers that new calls arrived.
pub(super) const NEWS: &str = "news";

/// `GET /requests`.
pub async fn page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let search = Search::read(&visit.asked.query);
    let view = View::own(buyer.account());
    let mut batch = Batch::new();
    let log = batch.step(None, search.query.statement(view));
    let keys = key_list_statements(view).map(|statement| batch.step(None, statement));
    let reply = visit.execute(&batch).await?;
    let log = search.query.read(reply.rows_of(log)?)?;
    let log = html! { (results(visit, buyer, &search, &log)) };
    if visit.wants_part() {
        return Ok(Answer::html(log));
    }
    let mut lines = Vec::new();
    for step in keys {
        for row in reply.rows_of(step)? {
            lines.push(read_key_line(row)?);
        }
    }
    let title = language.tr("Requests");
    let about = language.tr("Every call of your keys with what it cost. Calls that were refused before they began, such as for a limit or for want of credit, cost nothing and are not listed.");
    let body = html! {
        (page_head(title, about, html! {}))
        (filters(language, &search, &lines))
        (log)
    };
    Ok(buyer.page(visit, (title, "/requests"), body))
}

fn filters(language: Language, search: &Search, keys: &[KeyLine]) -> Markup {
    let mut key_choices = vec![Choice {
        value: "",
        label: language.tr("Every key"),
        chosen: search.typed("key").is_empty(),
    }];
    key_choices.extend(keys.iter().map(|line| Choice {
        value: line.key.id.as_str(),
        label: &line.key.name,
        chosen: search.typed("key") == line.key.id.as_str(),
    }));
    let wanted = search.typed("key");
    if key_choices.iter().all(|choice| choice.value != wanted) {
        // A key that was revoked long ago is not in the list.
        key_choices.push(Choice {
            value: wanted,
            label: wanted,
            chosen: true,
        });
    }
    let mut statuses = vec![Choice {
        value: "",
        label: language.tr("Every status"),
        chosen: search.typed("status").is_empty(),
    }];
    statuses.extend(RequestStatus::ALL.map(|status| Choice {
        value: status.as_str(),
        label: status_name(language, status),
        chosen: search.typed("status") == status.as_str(),
    }));
    let day_error = language.tr("Type a day as in 2026-12-31.");
    let wrong = |name| search.is_wrong_day(name).then_some(day_error);
    html! {
        form method="get" action="/requests" class="filters" hx-get="/requests" hx-target="#log"
            hx-swap="outerHTML" hx-push-url="true" hx-indicator="#looking" hx-trigger="change, submit" {
            (Field::select("key", language.tr("Key"), &key_choices))
            (Field::search("model", language.tr("Model")).value(search.typed("model"))
                .placeholder("openai/gpt-4o-mini").autocomplete("off"))
            (Field::select("status", language.tr("Status"), &statuses))
            (Field::date("from", language.tr("From (UTC day)")).value(search.typed("from")).error(wrong("from")))
            (Field::date("to", language.tr("To (UTC day)")).value(search.typed("to")).error(wrong("to")))
            (submit(language.tr("Show"), Tone::Plain))
            (busy(language, "looking"))
        }
    }
}

/// The part of the page that a filter changes.
fn results(visit: &Visit, buyer: &Buyer, search: &Search, page: &LogPage) -> Markup {
    let language = buyer.language();
    if page.lines.is_empty() {
        return nothing(visit, language, search, page);
    }
    let zone = Zone::named(&buyer.session.time_zone);
    let rows: Vec<Vec<Markup>> = page
        .lines
        .iter()
        .map(|line| cells(language, line, &zone))
        .collect();
    let link = |cursor: Option<Cursor>| cursor.map(|cursor| search.at(cursor));
    let older = link(page.older.filter(|_| !stopped_at(page.older, search, page)));
    let newer = link(page.newer.filter(|_| !stopped_at(page.newer, search, page)));
    html! {
        div id="log" class="grid gap-4" {
            (card_with(language.tr("Calls"), exports(language, search), html! {
                (table(&Table {
                    caption: language.tr("Requests"),
                    columns: &columns(language),
                    rows: &rows,
                    body_id: Some(BODY),
                }))
                (pager(language, newer.as_deref(), older.as_deref()))
            }))
            (go_on(language, search, page))
            @if search.is_live(visit.now_ms) {
                p id=(NEWS) class="sr-only" role="status" {}
                (poller(search, &page.lines, visit.now_ms))
            }
        }
    }
}

/// The found calls as files: all of them, not only those of the page.
fn exports(language: Language, search: &Search) -> Markup {
    let address =
        |format: &str| search.address("/requests/export", &[("format", format.to_owned())]);
    html! {
        (link_button(language.tr("Export as CSV"), &address("csv"), Tone::Quiet))
        (link_button(language.tr("Export as JSON"), &address("json"), Tone::Quiet))
    }
}

/// Nothing was found: there is nothing, or looking ended before the calls did.
fn nothing(visit: &Visit, language: Language, search: &Search, page: &LogPage) -> Markup {
    let start = html! {
        (link_button(language.tr("Create a key"), "/keys/new", Tone::Primary))
        (link_button(language.tr("Quick start"), "/quick-start", Tone::Plain))
    };
    let all = link_button(language.tr("Show all requests"), "/requests", Tone::Plain);
    let live = search.is_live(visit.now_ms) && !page.stopped_looking;
    let again = live.then(|| search.address("/requests", &[]));
    html! {
        div id="log" class="grid gap-4" hx-get=[again] hx-trigger=[live.then_some("every 5s")]
            hx-swap=[live.then_some("outerHTML")] {
            @if page.stopped_looking {
                (go_on(language, search, page))
            } @else if search.is_empty() && search.query.cursor.is_none() {
                (card("", empty_state(
                    language.tr("No call yet"),
                    language.tr("Create a key and make a first call; it appears here at once."),
                    start,
                )))
            } @else {
                (card("", empty_state(
                    language.tr("No call found"),
                    language.tr("Choose another key, model, status or time."),
                    all,
                )))
            }
        }
    }
}

/// Whether the way in this direction is the one on which looking ended.
fn stopped_at(way: Option<Cursor>, search: &Search, page: &LogPage) -> bool {
    let ascending = matches!(search.query.cursor, Some(Cursor::Newer(_)));
    page.stopped_looking && way.is_some_and(|way| matches!(way, Cursor::Newer(_)) == ascending)
}

/// Where looking ended before the calls did, the way on.
fn go_on(language: Language, search: &Search, page: &LogPage) -> Markup {
    let ways = [page.older, page.newer];
    let way = ways
        .into_iter()
        .find(|way| stopped_at(*way, search, page))
        .flatten();
    let text = language.fill(
        "{calls} calls were looked at; there may be more that fit.",
        &[("calls", &SCAN)],
    );
    html! {
        @if let Some(way) = way {
            (alert_with(Kind::Info, "", html! {
                p { (text) }
                div class="actions" {
                    (link_button(language.tr("Continue looking"), &search.at(way), Tone::Plain))
                }
            }))
        }
    }
}

pub(super) const fn columns(language: Language) -> [Column<'static>; 7] {
    [
        Column::text(language.tr("Time")),
        Column::text(language.tr("Model")),
        Column::text(language.tr("Status")),
        Column::number(language.tr("Charge")),
        Column::number(language.tr("Tokens in, out")).wide_only(),
        Column::number(language.tr("Duration")).wide_only(),
        Column::text(language.tr("Key")).wide_only(),
    ]
}

/// A call as a row. The cells that change while it runs have an id, by which htmx replaces them.
pub(super) fn cells(language: Language, line: &RequestLine, zone: &Zone) -> Vec<Markup> {
    let [status, charge, tokens, duration] = changing(language, line, false);
    vec![
        html! {
            a href={ "/requests/" (line.id) } {
                (moment(language, line.created_at_ms, zone))
            }
        },
        html! { (line.model) },
        status,
        charge,
        tokens,
        duration,
        html! { a href={ "/keys/" (line.key) } { (line.key_name) } },
    ]
}

/// The cells that change while a call runs; `swap` marks them for htmx.
pub(super) fn changing(language: Language, line: &RequestLine, swap: bool) -> [Markup; 4] {
    let part = |name: &str, content: Markup| {
        html! {
            span id={ (name) "-" (line.id) } hx-swap-oob=[swap.then_some("true")] { (content) }
        }
    };
    let charge = match line.charge {
        Some(charge) => money(charge),
        None => html! { span class="muted" { (money(line.hold)) " " (language.tr("held")) } },
    };
    let tokens = match line.tokens {
        Some(tokens) => html! {
            @if line.estimated { "≈ " }
            (tokens.prompt) ", " (tokens.completion)
        },
        None => html! { span class="muted" { "–" } },
    };
    [
        part("status", status(language, line)),
        part("charge", charge),
        part("tokens", tokens),
        part("duration", html! { (duration(line.total_ms)) }),
    ]
}

/// Seconds with a tenth, or milliseconds.
pub(super) fn duration(ms: Option<u64>) -> String {
    match ms {
        None => "–".to_owned(),
        Some(ms @ ..1_000) => format!("{ms} ms"),
        Some(ms) => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    }
}

/// How a call ended, with the error's code.
pub(super) fn status(language: Language, line: &RequestLine) -> Markup {
    let kind = match line.status {
        RequestStatus::Held => Kind::Info,
        RequestStatus::Ok => Kind::Success,
        RequestStatus::Failed => Kind::Danger,
    };
    html! {
        (badge(kind, status_name(language, line.status)))
        @if let Some(code) = &line.error_code { " " code class="muted" { (code) } }
    }
}

const fn status_name(language: Language, status: RequestStatus) -> &'static str {
    match status {
        RequestStatus::Held => language.tr("Running"),
        RequestStatus::Ok => language.tr("OK"),
        RequestStatus::Failed => language.tr("Failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let check = |ms: Option<u64>, expect: &str| assert_eq!(duration(ms), expect);
        check(None, "–");
        check(Some(0), "0 ms");
        check(Some(999), "999 ms");
        check(Some(1_000), "1.0 s");
        check(Some(61_299), "61.2 s");
    }
}
