//! The transaction that brings imported models and costs into the database, and what people read of
//! them afterwards. How a call reads its model is in `call`.

use std::collections::BTreeMap;

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

const UPSERT_MODEL: &str = "\
INSERT INTO models (slug, provider, name, context_length, max_completion_tokens, max_image_tokens,
  hidden_reasoning, free, details, imported_at_ms)
VALUES (?1, 'openrouter', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (slug) DO UPDATE SET name = excluded.name, context_length = excluded.context_length,
  max_completion_tokens = excluded.max_completion_tokens,
  max_image_tokens = excluded.max_image_tokens, hidden_reasoning = excluded.hidden_reasoning,
  free = excluded.free, details = excluded.details, imported_at_ms = excluded.imported_at_ms";

// A cost that has not changed is not written again, so that the history shows changes only.
const INSERT_COST: &str = "\
INSERT INTO costs (model, effective_from_ms, prices, source, recorded_at_ms)
SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?3 IS NOT (SELECT c.prices FROM costs c
  WHERE c.model = ?1 AND c.effective_from_ms <= ?2 ORDER BY c.effective_from_ms DESC LIMIT 1)
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
    let count = |value: Option<u64>| value.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
    for (model, cost) in &import.models {
        let source = sources.models.get(&model.slug).unwrap_or(&sources.document);
        transaction.then(
            Statement::new(UPSERT_MODEL)
                .bind(model.slug.as_str())
                .bind(model.name.as_str())
                .bind(count(model.context_length))
                .bind(count(model.max_completion_tokens))
                .bind(count(model.max_image_tokens))
                .bind(model.hidden_reasoning)
                .bind(model.free)
                .bind(model.details.as_str())
                .bind(change.at_ms),
        );
        transaction.then(
            Statement::new(INSERT_COST)
                .bind(model.slug.as_str())
                .bind(cost.effective_from_ms)
                .bind(cost.to_json())
                .bind(source.as_str())
                .bind(change.at_ms),
        );
    }
    transaction.then(Statement::new(
        "UPDATE catalogue SET version = version + 1 WHERE id = 1",
    ));
    transaction.require_change();
    transaction.then(
        change.of(Entry {
            action: "catalogue.import",
            table: "catalogue",
            subject: "1",
            before: "json_object('version', r.version - 1)",
            after: serde_json::json!({ "models": import.models.len(), "source": sources.document })
                .to_string(),
        }),
    );
    transaction.require_change();
    let commit = transaction.commit();
    (batch, commit)
}
