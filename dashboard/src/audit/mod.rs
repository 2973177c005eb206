//! The audit log as people read it: an account its own, the operator everybody's. What is written into it
//! belongs to each change in the core.

use maud::{Markup, html};
use serde_json::{Map, Value};
use tollgate_core::audit::{AuditEntry, AuditQuery, AuditScope, read_audit_entry};
use tollgate_core::hrana::{Batch, HranaFault};
use tollgate_core::people::Role;

use crate::answer::Answer;
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{
    Choice, Column, Field, Table, Tone, Zone, busy, card, empty_state, link_button, moment,
    page_head, pager, submit, table,
};
use crate::place::Person;
use crate::visit::Visit;

const ROWS: u32 = 50;

/// The longest value that is shown whole, in characters.
const MAX_SHOWN: usize = 120;

/// `GET /audit`. htmx asks for the table alone.
pub async fn page(visit: &Visit, person: &Person) -> Outcome<Answer> {
    let language = person.language();
    let everything = person.session.role == Role::Operator;
    let (lines, more) = read(visit, person, everything).await?;
    let query = &visit.asked.query;
    let href =
        |more: &[(&str, &str)]| query.address("/audit", &["action", "subject", "actor"], more);
    let newer = query.given("before").map(|_| href(&[]));
    let last = lines
        .last()
        .filter(|_| more)
        .map(|line| line.id.to_string());
    let older = last.map(|last| href(&[("before", &last)]));
    let filtered = ["action", "subject", "actor"]
        .iter()
        .any(|name| query.given(name).is_some());
    let list = html! {
        @if !lines.is_empty() {
            (entries(person, &lines, everything))
        } @else if filtered {
            (empty_state(language.tr("Nothing was found"),
                language.tr("No change fits these filters."),
                link_button(language.tr("Show all changes"), "/audit", Tone::Plain)))
        } @else {
            (empty_state(language.tr("No changes yet"),
                language.tr("Every change that somebody makes stands here, with what was there before."),
                html! {}))
        }
        (pager(language, newer.as_deref(), older.as_deref()))
    };
    if visit.wants_part() {
        return Ok(Answer::html(list));
    }
    let title = language.tr("Audit log");
    let text = if everything {
        language.tr("Every change that anybody made.")
    } else {
        language.tr("Every change that was made to your account.")
    };
    let body = html! {
        (page_head(title, text, html! {}))
        (card("", html! {
            (filters(language, visit, everything))
            div id="changes" { (list) }
        }))
    };
    Ok(person.page(visit, (title, "/audit"), body))
}

async fn read(
    visit: &Visit,
    person: &Person,
    everything: bool,
) -> Outcome<(Vec<AuditEntry>, bool)> {
    let query = &visit.asked.query;
    let account = person.account();
    let log = AuditQuery {
        scope: if everything {
            AuditScope::Everything(account)
        } else {
            AuditScope::Own(account)
        },
        actor: query.get("actor"),
        action: query.get("action"),
        subject: query.get("subject"),
        before: query.get("before").parse().ok(),
        count: ROWS + 1,
    };
    let mut batch = Batch::new();
    let step = batch.step(None, log.statement());
    let reply = visit.execute(&batch).await?;
    let mut lines: Vec<AuditEntry> = reply
        .rows_of(step)?
        .iter()
        .map(read_audit_entry)
        .collect::<Result<_, HranaFault>>()?;
    let shown = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = lines.len() > shown;
    lines.truncate(shown);
    Ok((lines, more))
}

fn filters(language: Language, visit: &Visit, everything: bool) -> Markup {
    let query = &visit.asked.query;
    let chosen = query.get("action");
    let kinds = [
        ("", language.tr("All")),
        ("key.", language.tr("Keys")),
        ("rule.", language.tr("Prices")),
        ("account.", language.tr("Accounts")),
        ("person.", language.tr("People")),
        ("session.", language.tr("Sign-ins")),
        ("ledger.", language.tr("Credit")),
        ("brand.", language.tr("Brand")),
        ("domain.", language.tr("Domains")),
        ("model", language.tr("Models")),
        ("catalogue.", language.tr("Imports")),
        ("provider", language.tr("Providers")),
    ]
    .map(|(value, label)| Choice {
        value,
        label,
        chosen: value == chosen,
    });
    html! {
        form method="get" action="/audit" class="filters" hx-get="/audit" hx-target="#changes"
            hx-trigger="input delay:300ms, change" hx-sync="this:replace" hx-indicator="#filtering" {
            (Field::select("action", language.tr("What"), &kinds))
            (Field::search("subject", language.tr("Id of what was changed"))
                .value(query.get("subject")).max_length(300))
            @if everything {
                (Field::search("actor", language.tr("Who, as in admin:alice")).value(query.get("actor"))
                    .max_length(200))
            }
            (submit(language.tr("Show"), Tone::Plain))
            (busy(language, "filtering"))
        }
    }
}

fn entries(person: &Person, lines: &[AuditEntry], everything: bool) -> Markup {
    let language = person.language();
    let zone = Zone::named(&person.session.time_zone);
    let columns = [
        Column::text(language.tr("When")),
        Column::text(if everything {
            language.tr("Who, in the log of")
        } else {
            language.tr("Who")
        }),
        Column::text(language.tr("What")),
        Column::text(language.tr("Before and after")),
    ];
    let rows: Vec<Vec<Markup>> = lines
        .iter()
        .map(|line| {
            let subject = href("subject", &line.subject);
            vec![
                moment(language, line.created_at_ms, &zone),
                html! {
                    (line.by)
                    @if everything { br; code class="muted" { (line.account) } }
                },
                html! {
                    code { (line.action) }
                    br;
                    a class="link" href=(subject) { code { (line.subject) } }
                },
                differences(&line.before, &line.after),
            ]
        })
        .collect();
    table(&Table {
        caption: language.tr("Changes, the latest first"),
        columns: &columns,
        rows: &rows,
        body_id: None,
    })
}

fn href(name: &str, value: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("/audit?{}", query.append_pair(name, value).finish())
}

/// Each value that the change set, with what was there. What else was there has stayed, unless nothing is
/// there any more.
fn differences(before: &str, after: &str) -> Markup {
    let (Some(before), Some(after)) = (object(before), object(after)) else {
        return html! { code { (short(before)) " → " (short(after)) } };
    };
    let gone = before.keys().filter(|_| after.is_empty());
    let names: Vec<&String> = after.keys().chain(gone).collect();
    html! {
        @if names.is_empty() { span class="muted" { "–" } }
        @for name in names {
            div {
                span class="muted" { (name) ": " }
                @if let Some(value) = before.get(name) { (value_text(value)) " → " }
                (after.get(name).map_or_else(|| "–".to_owned(), value_text))
            }
        }
    }
}

fn object(json: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(json).ok()
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => short(text),
        other => short(&other.to_string()),
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= MAX_SHOWN {
        return text.to_owned();
    }
    let cut: String = text.chars().take(MAX_SHOWN).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_value_by_value() {
        let check = |before: &str, after: &str, expect: &[&str]| {
            let page = differences(before, after).into_string();
            let plain = page
                .replace("<span class=\"muted\">", "")
                .replace("</span>", "");
            for text in expect {
                assert!(plain.contains(text), "{plain}");
            }
        };
        check("{}", r#"{"name":"a"}"#, &["name: a"]);
        check(
            r#"{"status":"active"}"#,
            r#"{"status":"suspended"}"#,
            &["status: active → suspended"],
        );
        check(r#"{"reason":"x"}"#, "{}", &["reason: x → –"]);
        let edited = differences(r#"{"limit":4,"name":"a"}"#, r#"{"limit":5}"#).into_string();
        assert!(!edited.contains("name"), "{edited}");
        check(r#"{"limit":null}"#, r#"{"limit":5}"#, &["limit: – → 5"]);
        check("{}", "{}", &["–"]);
        check("{}", r#"{"name":"<script>"}"#, &["&lt;script&gt;"]);
        check("broken", "{}", &["broken → {}"]);
        check("{}", &format!(r#"{{"a":"{}"}}"#, "é".repeat(200)), &["é…"]);
    }
}
