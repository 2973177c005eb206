//! One key: what it did, what is left of its budgets, its settings, and its end.

use maud::{Markup, html};
use tollgate_core::accounts::{
    KeyLine, KeyStatus, View, edit_key, key_line_statement, read_key_line, revoke_key,
};
use tollgate_core::budget::Period;
use tollgate_core::hrana::Batch;
use tollgate_core::ids::KeyId;
use tollgate_core::money::Nanos;

use super::fields::fields;
use super::list::status;
use super::settings::{Filled, Settings};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::page::{
    ButtonForm, Column, Confirm, Kind, Table, Tone, Zone, ago, alert, button_form, card, card_with,
    definition_list, form, link_button, moment, money, page_head, submit, table,
};
use crate::place::Buyer;
use crate::requests::link_to;
use crate::visit::Visit;

/// `GET /keys/{id}`.
pub async fn page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let line = find(visit, buyer).await?;
    let filled = Filled::of(&Settings::of(&line));
    Ok(show(visit, buyer, &line, &filled, None))
}

/// `POST /keys/{id}`: changes what is different.
pub async fn edit(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let line = find(visit, buyer).await?;
    let before = Settings::of(&line);
    let settings = match Settings::read(language, &visit.asked.form, Some(&before), visit.now_ms) {
        Ok(settings) => settings,
        Err(filled) => return Ok(show(visit, buyer, &line, &filled, None).status(422)),
    };
    let id = &line.key.id;
    if let Some(edit) = settings.edit(&before) {
        let (batch, committed) = edit_key(buyer.account(), id, &edit, &buyer.change(visit));
        // Sent once: a repetition would enter the audit log a second time.
        let reply = visit.database.execute(&batch).await?;
        if !reply.is_ok(committed) {
            let line = find(visit, buyer).await?;
            // The same form may have come twice, and the other one was first.
            if settings.edit(&Settings::of(&line)).is_some() {
                let error =
                    language.tr("The key was not changed. If it is not revoked, please try again.");
                let filled = Filled::of(&settings);
                return Ok(show(visit, buyer, &line, &filled, Some(error)).status(409));
            }
        }
    }
    Ok(Answer::see_other(format!("/keys/{id}?done=saved")))
}

/// `POST /keys/{id}/revoke`. A key that was revoked before stays as it is.
pub async fn revoke(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let id = visit.id(KeyId::parse)?;
    let (mut batch, _) = revoke_key(buyer.account(), &id, &buyer.change(visit));
    let after = key_line_statement(View::own(buyer.account()), &id);
    let after = batch.step(None, after);
    let reply = visit.execute(&batch).await?;
    let row = reply.rows_of(after)?.first().ok_or(Fault::NotFound)?;
    if read_key_line(row)?.key.revoked_at_ms.is_none() {
        return Err(Fault::Bug("a key that is there was not revoked"));
    }
    Ok(Answer::see_other(format!("/keys/{id}?done=revoked")))
}

async fn find(visit: &Visit, buyer: &Buyer) -> Outcome<KeyLine> {
    let id = visit.id(KeyId::parse)?;
    let mut batch = Batch::new();
    let step = batch.step(None, key_line_statement(View::own(buyer.account()), &id));
    let reply = visit.execute(&batch).await?;
    let row = reply.rows_of(step)?.first().ok_or(Fault::NotFound)?;
    Ok(read_key_line(row)?)
}

fn show(
    visit: &Visit,
    buyer: &Buyer,
    line: &KeyLine,
    filled: &Filled,
    error: Option<&str>,
) -> Answer {
    let language = buyer.language();
    let key = &line.key;
    let path = format!("/keys/{}", key.id);
    let is_revoked = line.status(visit.now_ms) == KeyStatus::Revoked;
    let requests = link_to(&[("key", key.id.as_str())]);
    let actions = html! {
        (link_button(language.tr("Its requests"), &requests, Tone::Plain))
        @if !is_revoked { (revoke_button(buyer, &path)) }
    };
    let body = html! {
        (page_head(&key.name, "", actions))
        @if let Some(error) = error { (alert(Kind::Danger, error)) }
        (card("", facts(visit, buyer, line)))
        (budgets(visit, buyer, line))
        @if is_revoked {
            p class="muted" { (language.tr("This key is revoked for good. Its requests stay in the log.")) }
        } @else {
            (card_with(language.tr("Settings"), html! {}, form(&path, buyer.place.csrf(), None, html! {
                (fields(language, filled))
                div class="actions" { (submit(language.tr("Save"), Tone::Primary)) }
            })))
        }
    };
    buyer.page(visit, (&key.name, "/keys"), body)
}

fn revoke_button(buyer: &Buyer, path: &str) -> Markup {
    let language = buyer.language();
    button_form(
        language,
        &ButtonForm {
            action: &format!("{path}/revoke"),
            csrf: buyer.place.csrf(),
            label: language.tr("Revoke"),
            tone: Tone::Danger,
            values: &[],
            confirm: Some(Confirm {
                id: "revoke",
                title: language.tr("Revoke this key?"),
                text: language.tr("Its next call is refused, and it cannot be brought back. Calls that have begun end as usual."),
            }),
        },
    )
}

fn facts(visit: &Visit, buyer: &Buyer, line: &KeyLine) -> Markup {
    let language = buyer.language();
    let zone = Zone::named(&buyer.session.time_zone);
    let key = &line.key;
    let mut facts = vec![
        (
            language.tr("Status"),
            status(language, line.status(visit.now_ms)),
        ),
        (
            language.tr("Begins with"),
            html! { code { (key.prefix) "…" } },
        ),
        (language.tr("Id"), html! { code { (key.id) } }),
        (
            language.tr("Created"),
            moment(language, key.created_at_ms, &zone),
        ),
        (
            language.tr("Last used"),
            line.last_used_at_ms.map_or_else(
                || html! { (language.tr("Never")) },
                |at_ms| ago(language, at_ms, visit.now_ms, &zone),
            ),
        ),
        (language.tr("Spent in all"), money(key.charged)),
        (
            language.tr("Calls in flight"),
            html! { (key.open_holds) @if line.purse.held > Nanos::ZERO { ", " (money(line.purse.held)) " " (language.tr("held")) } },
        ),
    ];
    if let Some(at_ms) = key.revoked_at_ms {
        facts.push((language.tr("Revoked"), moment(language, at_ms, &zone)));
    } else if let Some(at_ms) = key.expires_at_ms {
        facts.push((language.tr("Ends"), moment(language, at_ms, &zone)));
    }
    definition_list(&facts)
}

/// What is left of each budget; nothing where there is none.
fn budgets(visit: &Visit, buyer: &Buyer, line: &KeyLine) -> Markup {
    let language = buyer.language();
    let zone = Zone::named(&buyer.session.time_zone);
    let rows: Vec<Vec<Markup>> = Period::ALL
        .into_iter()
        .filter_map(|period| {
            let budget = line.purse.budget.of(period)?;
            let left = line.purse.left_in(period, visit.now_ms)?;
            Some(vec![
                html! { (period_name(language, period)) },
                money(budget),
                money(line.purse.spent.within(period, visit.now_ms)),
                money(left.max(Nanos::ZERO)),
                period.resets_at_ms(visit.now_ms).map_or_else(
                    || html! { (language.tr("Never")) },
                    |at_ms| moment(language, at_ms, &zone),
                ),
            ])
        })
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    let title = language.tr("Budgets");
    let columns = [
        Column::text(language.tr("Budget")),
        Column::number(language.tr("Amount")),
        Column::number(language.tr("Spent")),
        Column::number(language.tr("Left")),
        Column::text(language.tr("Whole again")).wide_only(),
    ];
    let table = table(&Table {
        caption: title,
        columns: &columns,
        rows: &rows,
        body_id: None,
    });
    card(title, table)
}

const fn period_name(language: Language, period: Period) -> &'static str {
    match period {
        Period::Total => language.tr("In all"),
        Period::Day => language.tr("This UTC day"),
        Period::Week => language.tr("This UTC week"),
        Period::Month => language.tr("This UTC month"),
    }
}
