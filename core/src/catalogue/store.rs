//! The transaction that brings imported models and costs into the database, and what people read of
//! them afterwards. How a call reads its model is in `call`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::sale::raise_version;
use super::{Cost, Import, StoredCostError};
use crate::audit::{Change, Entry};
use crate::hrana::{Batch, HranaFault, Row, Statement, StepIndex};

/// Where prices were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The document as a whole, such as its address.
    pub document: String,
    /// What the document says of single models, by slug.
    pub models: BTreeMap<String, String>,
}

/// A stored cost with its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostLine {
    /// The model's slug.
    pub model: String,
    /// Whether the model is switched on.
    pub enabled: bool,
    /// What the provider bills; the error says why the model is not sold.
    pub cost: Result<Cost, StoredCostError>,
    /// From when on it holds, in Unix milliseconds.
    pub effective_from_ms: i64,
    /// Where it was read.
    pub source: String,
}

/// What storing an import would change: slugs, in the order of the import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Models that are new.
    pub added: Vec<String>,
    /// Models whose cost is another from the moment of the import on.
    pub changed: Vec<String>,
    /// Models whose cost stays.
    pub unchanged: Vec<String>,
}

impl Import {
    /// What storing it would change about `known`, what [`costs_statement`] reads, at a moment in Unix
    /// milliseconds.
    #[must_use]
    pub fn changes(&self, known: &[CostLine], at_ms: i64) -> Changes {
        // The latest of a model stands last.
        let past = known.iter().filter(|line| line.effective_from_ms <= at_ms);
        let known: BTreeMap<&str, &CostLine> =
            past.map(|line| (line.model.as_str(), line)).collect();
        let mut changes = Changes::default();
        for (model, cost) in &self.models {
            let kind = match known.get(model.slug.as_str()) {
                None => &mut changes.added,
                Some(line) if line.cost.as_ref().map(Cost::to_json) == Ok(cost.to_json()) => {
                    &mut changes.unchanged
                }
                Some(_) => &mut changes.changed,
            };
            kind.push(model.slug.clone());
        }
        changes
    }
}

// All models in one statement each: the write lock is held for a moment only, and the calls of
// customers wait for it.
const UPSERT_MODELS: &str = "\
INSERT INTO models (slug, provider, name, context_length, max_completion_tokens, max_image_tokens,
  hidden_reasoning, free, details, imported_at_ms)
SELECT json_extract(m.value, '$.slug'), 'openrouter', json_extract(m.value, '$.name'),
  json_extract(m.value, '$.context_length'), json_extract(m.value, '$.max_completion_tokens'),
  json_extract(m.value, '$.max_image_tokens'), json_extract(m.value, '$.hidden_reasoning'),
  json_extract(m.value, '$.free'), json_extract(m.value, '$.details'), ?2
FROM json_each(?1) m WHERE true
ON CONFLICT (slug) DO UPDATE SET name = excluded.name, context_length = excluded.context_length,
  max_completion_tokens = excluded.max_completion_tokens,
  max_image_tokens = excluded.max_image_tokens, hidden_reasoning = excluded.hidden_reasoning,
  free = excluded.free, details = excluded.details, imported_at_ms = excluded.imported_at_ms";

// A cost that has not changed is not written again, so that the history shows changes only.
const INSERT_COSTS: &str = "\
INSERT INTO costs (model, effective_from_ms, prices, source, recorded_at_ms)
SELECT n.model, n.effective_from_ms, n.prices, n.source, ?2
FROM (SELECT json_extract(value, '$.slug') AS model, json_extract(value, '$.prices') AS prices,
    json_extract(value, '$.effective_from_ms') AS effective_from_ms,
    json_extract(value, '$.source') AS source FROM json_each(?1)) n
WHERE n.prices IS NOT (SELECT c.prices FROM costs c WHERE c.model = n.model
  AND c.effective_from_ms <= n.effective_from_ms ORDER BY c.effective_from_ms DESC LIMIT 1)
ON CONFLICT (model, effective_from_ms) DO UPDATE SET prices = excluded.prices,
  source = excluded.source, recorded_at_ms = excluded.recorded_at_ms";

/// Reads every cost, model by model, the latest last.
#[must_use]
pub fn costs_statement() -> Statement {
    Statement::new(
        "SELECT m.slug, m.enabled, c.prices, c.effective_from_ms, c.source \
         FROM models m JOIN costs c ON c.model = m.slug ORDER BY m.slug, c.effective_from_ms",
    )
}

/// Reads a row that `costs_statement` selects.
pub fn read_cost_line(row: &Row) -> Result<CostLine, HranaFault> {
    let effective_from_ms = row.get(3)?;
    Ok(CostLine {
        model: row.get(0)?,
        enabled: row.get(1)?,
        cost: Cost::from_json(&row.get::<String>(2)?, effective_from_ms),
        effective_from_ms,
        source: row.get(4)?,
    })
}

/// Adds the models, and their costs from the moment that each names on. Models that the import
/// does not know stay as they are. The step tells whether the transaction took place.
#[must_use]
pub fn store(import: &Import, sources: &Sources, change: &Change) -> (Batch, StepIndex) {
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    let models = import.models.iter().map(|(model, cost)| {
        json!({
            "slug": model.slug,
            "name": model.name,
            "context_length": count(model.context_length),
            "max_completion_tokens": count(model.max_completion_tokens),
            "max_image_tokens": count(model.max_image_tokens),
            "hidden_reasoning": model.hidden_reasoning,
            "free": model.free,
            "details": model.details,
            "prices": cost.to_json(),
            "effective_from_ms": cost.effective_from_ms,
            "source": sources.models.get(&model.slug).unwrap_or(&sources.document),
        })
    });
    let models = Value::from_iter(models).to_string();
    for sql in [UPSERT_MODELS, INSERT_COSTS] {
        let statement = Statement::new(sql).bind(models.as_str());
        transaction.then(statement.bind(change.at_ms));
    }
    transaction.then(raise_version());
    transaction.require_change();
    transaction.then(change.of(Entry {
        action: "catalogue.import",
        table: "catalogue",
        subject: "1",
        before: "json_object('version', r.version - 1)",
        after: json!({ "models": import.models.len(), "source": sources.document }).to_string(),
    }));
    transaction.require_change();
    let commit = transaction.commit();
    (batch, commit)
}

/// A number of tokens as SQLite keeps it.
fn count(value: Option<u64>) -> Option<i64> {
    value.map(|value| i64::try_from(value).unwrap_or(i64::MAX))
}
