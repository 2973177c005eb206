//! Fetches a list of models, compares it with what is stored, and stores it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tollgate_core::catalogue::{
    Changes, Import, Refused, Sources, costs_statement, read_cost_line, read_refusal_line,
    refused_models_statement, store,
};

use crate::admin::Session;
use crate::arguments;
use crate::failure::{Failure, OrFail};
use crate::report::{Report, moment};

/// The catalogue of a fresh local stack.
pub const SEED: &[u8] = include_bytes!("../../seed/models.json");

/// Where the seed's costs are from, for models that do not say it themselves.
pub const SEED_SOURCE: &str = "xtask/seed/models.json";

/// OpenRouter's list is about 2 MB.
const MAX_DOCUMENT: u64 = 64 << 20;
const TIMEOUT: Duration = Duration::from_secs(60);

/// What the person asked for.
pub(super) struct Order<'a> {
    pub from: &'a str,
    pub effective_from: Option<&'a str>,
    pub source: Option<&'a str>,
    pub dry_run: bool,
}

/// What an import did, or would do: slugs, and what was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Models that are new.
    pub added: Vec<String>,
    /// Models whose cost is another from the given moment on.
    pub changed: Vec<String>,
    /// Models whose cost stays.
    pub unchanged: Vec<String>,
    /// Models that were left out.
    pub refused: Vec<Refused>,
}

pub(super) fn run(session: &Session<'_>, order: &Order<'_>) -> Result<Report, Failure> {
    let effective_from_ms = match order.effective_from {
        None => session.now_ms,
        Some(text) => arguments::moment(text)?,
    };
    if effective_from_ms < session.now_ms {
        return Err(Failure::new(format!(
            "`{}` is in the past, and calls were charged by the costs of then",
            order.effective_from.unwrap_or_default()
        ))
        .hint("leave `--effective-from` out: then the costs hold from now on"));
    }
    let source = match order.source {
        Some(text) => arguments::line("source", text)?,
        None => order.from.to_owned(),
    };
    let document = fetch(order.from)?;
    let list = read(&document, &source, effective_from_ms)?.without_refused(session)?;
    let imported = compare(session, &list, effective_from_ms)?;
    if !order.dry_run {
        save(session, &list)?;
    }
    Ok(report(&imported, effective_from_ms, order.dry_run))
}

/// Imports a list of models whose costs hold from now on.
///
/// # Errors
/// When it is no list of models, or the database refuses it; then nothing was changed.
pub fn import(session: &Session<'_>, document: &[u8], source: &str) -> Result<Imported, Failure> {
    let list = read(document, source, session.now_ms)?.without_refused(session)?;
    let imported = compare(session, &list, session.now_ms)?;
    save(session, &list)?;
    Ok(imported)
}

/// A list of models that was read, and where.
struct List {
    import: Import,
    sources: Sources,
}

impl List {
    /// Leaves out the models that the operator refuses. Before there is an operator nothing is refused.
    fn without_refused(self, session: &Session<'_>) -> Result<Self, Failure> {
        let refusals = match session.find_operator()? {
            Some(operator) => {
                session.list(refused_models_statement(&operator.id), read_refusal_line)?
            }
            None => Vec::new(),
        };
        Ok(Self {
            import: self.import.without(&refusals),
            ..self
        })
    }
}

fn read(document: &[u8], source: &str, effective_from_ms: i64) -> Result<List, Failure> {
    // The error has its own hint.
    let import = tollgate_core::catalogue::import(document, effective_from_ms)
        .map_err(|error| Failure::new(error.to_string()))?;
    let sources = Sources {
        document: source.to_owned(),
        models: sources_of(document),
    };
    Ok(List { import, sources })
}

fn save(session: &Session<'_>, list: &List) -> Result<(), Failure> {
    let operator = session.operator()?;
    let change = session.change(&operator.id);
    session.commit(&store(&list.import, &list.sources, &change))
}

fn compare(session: &Session<'_>, list: &List, at_ms: i64) -> Result<Imported, Failure> {
    let lines = session.list(costs_statement(), read_cost_line)?;
    let Changes {
        added,
        changed,
        unchanged,
    } = list.import.changes(&lines, at_ms);
    Ok(Imported {
        added,
        changed,
        unchanged,
        refused: list.import.refused.clone(),
    })
}

/// Reads a document from an `http` address or a file.
///
/// # Errors
/// When it cannot be read.
pub fn fetch(from: &str) -> Result<Vec<u8>, Failure> {
    if !from.starts_with("https://") && !from.starts_with("http://") {
        return fs::read(from)
            .or_fail(|| format!("cannot read `{from}`"))
            .map_err(|failure| failure.hint("name a file, or an address with `https://`"));
    }
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(TIMEOUT))
        .build();
    let get = ureq::Agent::from(config).get(from);
    let mut response = get.call().map_err(|error| unfetched(from, &error))?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(Failure::new(format!("`{from}` answered {status}"))
            .hint("OpenRouter's list is at `https://openrouter.ai/api/v1/models`"));
    }
    let body = response.body_mut().with_config().limit(MAX_DOCUMENT);
    body.read_to_vec().map_err(|error| unfetched(from, &error))
}

fn unfetched(from: &str, error: &ureq::Error) -> Failure {
    Failure::new(format!("cannot fetch `{from}`: {error}"))
        .hint("check the address and the network; a file can be imported, too")
}

#[derive(Deserialize)]
struct Document {
    data: Vec<Listed>,
}

/// OpenRouter's list has no `source`; the seed has one for every model.
#[derive(Deserialize)]
struct Listed {
    id: Option<Value>,
    source: Option<Value>,
}

fn sources_of(document: &[u8]) -> BTreeMap<String, String> {
    let Ok(document) = serde_json::from_slice::<Document>(document) else {
        return BTreeMap::new();
    };
    let named = document.data.into_iter().filter_map(|listed| {
        let id = listed.id?.as_str()?.to_owned();
        Some((id, source_text(&listed.source?)?))
    });
    named.collect()
}

fn source_text(source: &Value) -> Option<String> {
    if let Some(text) = source.as_str() {
        return Some(text.to_owned());
    }
    let parts: Vec<&str> = ["package", "entry", "url", "date"]
        .into_iter()
        .filter_map(|key| source.get(key)?.as_str())
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn report(imported: &Imported, effective_from_ms: i64, dry_run: bool) -> Report {
    let Imported {
        added,
        changed,
        unchanged,
        refused,
    } = imported;
    let mut text = format!(
        "{}{} added, {} changed, {} unchanged, {} refused; in force from {}\n",
        if dry_run {
            "dry run, nothing was stored: "
        } else {
            ""
        },
        added.len(),
        changed.len(),
        unchanged.len(),
        refused.len(),
        moment(effective_from_ms),
    );
    for slug in changed {
        // Writing to a string does not fail.
        let _ = writeln!(text, "changed  {slug}");
    }
    for Refused { slug, reason } in refused {
        let _ = writeln!(text, "refused  {slug}: {reason}");
    }
    let refused: Vec<Value> = refused
        .iter()
        .map(|Refused { slug, reason }| json!({ "model": slug, "reason": reason }))
        .collect();
    let json = json!({
        "dry_run": dry_run,
        "effective_from_ms": effective_from_ms,
        "added": added,
        "changed": changed,
        "unchanged": unchanged,
        "refused": refused,
    });
    Report { text, json }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_of_the_seed_can_be_sold_and_says_where_its_cost_is_from() {
        let list = read(SEED, SEED_SOURCE, 0).unwrap();
        assert_eq!(list.import.refused, []);
        assert!(list.import.models.len() >= 30);
        for (model, _) in &list.import.models {
            let source = &list.sources.models[&model.slug];
            assert!(
                source.starts_with("litellm 1.109.1, "),
                "{}: {source}",
                model.slug
            );
            assert!(source.ends_with(", 2026-11-22"), "{}: {source}", model.slug);
        }
    }

    #[test]
    fn a_source_is_a_text_or_its_known_parts() {
        let check = |json: &str, expect: Option<&str>| {
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(source_text(&value).as_deref(), expect, "{json}");
        };
        check(r#""a page""#, Some("a page"));
        check(
            r#"{"date":"d","entry":"e","package":"p","x":"y"}"#,
            Some("p, e, d"),
        );
        check(r#"{"x":"y"}"#, None);
        check("7", None);
    }
}
