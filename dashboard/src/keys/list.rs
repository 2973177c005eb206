//! The keys of an account: those that work, and those that were revoked last.

use maud::{Markup, html};
use tollgate_core::accounts::{
    KeyLine, KeyStatus, MOST_LIVE_KEYS, View, key_list_statements, read_key_line,
};
use tollgate_core::hrana::Batch;

use crate::answer::Answer;
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{
    Column, Kind, Table, Tone, Zone, ago, alert, badge, card, empty_state, link_button, moment,
    money, page_head, table,
};
use crate::place::Buyer;
use crate::visit::Visit;

/// `GET /keys`.
pub async fn page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let mut batch = Batch::new();
    let [live, revoked] = key_list_statements(View::own(buyer.account()));
    let [live, revoked] = [live, revoked].map(|statement| batch.step(None, statement));
    let reply = visit.execute(&batch).await?;
    let read = |step| {
        let rows = reply.rows_of(step)?.iter();
        rows.map(read_key_line).collect::<Result<Vec<_>, _>>()
    };
    let (live, revoked) = (read(live)?, read(revoked)?);
    let has_room = u32::try_from(live.len()).is_ok_and(|count| count < MOST_LIVE_KEYS);
    let create = html! {
        (link_button(language.tr("Quick start"), "/quick-start", Tone::Plain))
        @if has_room { (link_button(language.tr("Create a key"), "/keys/new", Tone::Primary)) }
    };
    let title = language.tr("Keys");
    let about = language.tr("Your programs call with a key. What it may do and spend is set here, and holds from its next call on.");
    let body = html! {
        (page_head(title, about, create))
        @if !has_room {
            (alert(Kind::Info, &language.fill(
                "You have {most} keys, which is the most. Revoke one to create another.",
                &[("most", &MOST_LIVE_KEYS)],
            )))
        }
        @if live.is_empty() {
            (card("", empty_state(
                language.tr("No key yet"),
                language.tr("Create one, copy it, and give it to your program."),
                link_button(language.tr("Create a key"), "/keys/new", Tone::Primary),
            )))
        } @else {
            (card("", lines(visit, buyer, language.tr("Keys"), &live)))
        }
        @if !revoked.is_empty() {
            @let caption = language.tr("Revoked keys");
            (card(caption, lines(visit, buyer, caption, &revoked)))
        }
    };
    Ok(buyer.page(visit, (title, "/keys"), body))
}

fn lines(visit: &Visit, buyer: &Buyer, caption: &str, keys: &[KeyLine]) -> Markup {
    let language = buyer.language();
    let zone = Zone::named(&buyer.session.time_zone);
    let columns = [
        Column::text(language.tr("Name")),
        Column::text(language.tr("Status")),
        Column::number(language.tr("Spent")),
        Column::number(language.tr("Budget left")).wide_only(),
        Column::text(language.tr("Last used")),
        Column::text(language.tr("Created")).wide_only(),
    ];
    let rows: Vec<Vec<Markup>> = keys
        .iter()
        .map(|line| {
            let key = &line.key;
            vec![
                html! {
                    a href={ "/keys/" (key.id) } { (key.name) }
                    div class="muted" { code { (key.prefix) "…" } }
                },
                status(language, line.status(visit.now_ms)),
                money(key.charged),
                match line.purse.left(visit.now_ms) {
                    Some(left) => money(left.max(tollgate_core::money::Nanos::ZERO)),
                    None => html! { span class="muted" { (language.tr("No budget")) } },
                },
                match line.last_used_at_ms {
                    Some(at_ms) => ago(language, at_ms, visit.now_ms, &zone),
                    None => html! { span class="muted" { (language.tr("Never")) } },
                },
                moment(language, key.created_at_ms, &zone),
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

/// Whether a key works, in a word.
pub(super) fn status(language: Language, status: KeyStatus) -> Markup {
    match status {
        KeyStatus::Active => badge(Kind::Success, language.tr("Active")),
        KeyStatus::Expired => badge(Kind::Warning, language.tr("Expired")),
        KeyStatus::Revoked => badge(Kind::Neutral, language.tr("Revoked")),
    }
}
