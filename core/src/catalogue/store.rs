//! The transaction that brings imported models and costs into the database.

use super::Import;
use crate::audit::{Change, Entry};
use crate::hrana::{Batch, Statement, StepIndex};

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

/// Adds the models, and their costs from the moment that each names on. Models that the import
/// does not know stay as they are. The step tells whether the transaction took place.
#[must_use]
pub fn store(import: &Import, source: &str, change: &Change) -> (Batch, StepIndex) {
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    let count = |value: Option<u64>| value.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
    for (model, cost) in &import.models {
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
                .bind(source)
                .bind(change.at_ms),
        );
    }
    transaction.then(Statement::new(
        "UPDATE catalogue SET version = version + 1 WHERE id = 1",
    ));
    transaction.require_change();
    transaction.then(change.of(Entry {
        action: "catalogue.import",
        table: "catalogue",
        subject: "1",
        before: "json_object('version', r.version - 1)",
        after: serde_json::json!({ "models": import.models.len(), "source": source }).to_string(),
    }));
    transaction.require_change();
    let commit = transaction.commit();
    (batch, commit)
}
