//! Which models are on sale: the switches of models and providers, and the list of refused names. They
//! are the operator's alone. Each change raises the catalogue's version in its own transaction, so that
//! a call that was priced before is priced anew, and refused.

use serde_json::json;

use super::{Import, Refused};
use crate::audit::{Change, ChangeBatch, Entry};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::AccountId;
use crate::line::line;
use crate::pattern;

/// SQL that is true when the pattern of the row `f` matches the model `m`. `GLOB` reads `*` as a pattern
/// does; its other signs are taken for what they are.
pub(super) const REFUSES: &str = "m.slug GLOB replace(replace(f.pattern, '[', '[[]'), '?', '[?]')";

/// SQL that is true of a row `m` of `models` that may be called.
pub(crate) fn on_sale_sql() -> String {
    format!(
        "m.enabled = 1 AND NOT EXISTS (SELECT 1 FROM providers v \
         WHERE v.name = m.provider AND v.enabled = 0) \
         AND NOT EXISTS (SELECT 1 FROM refused_models f WHERE {REFUSES})"
    )
}

const MAX_REASON_CHARS: usize = 200;

/// Names that the operator refuses to sell, whatever an import brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefusal {
    pattern: String,
    reason: String,
}

/// A pattern of the refuse list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalLine {
    /// Which names.
    pub pattern: String,
    /// Why, for people.
    pub reason: String,
    /// How many models of the catalogue it keeps from sale.
    pub models: u64,
    /// Since when, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// A provider and its switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderLine {
    /// Its name.
    pub name: String,
    /// Whether its models are sold.
    pub enabled: bool,
    /// How many models of the catalogue it has.
    pub models: u64,
}

/// What is wrong with a refusal as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalProblem {
    /// It is no pattern of model names.
    Pattern,
    /// The reason is no line of at most 200 characters.
    Reason,
}

impl NewRefusal {
    /// Reads what a person typed.
    pub fn new(pattern: &str, reason: &str) -> Result<Self, RefusalProblem> {
        let pattern = pattern.trim();
        if !pattern::is_pattern(pattern) {
            return Err(RefusalProblem::Pattern);
        }
        let reason = line(reason, MAX_REASON_CHARS).ok_or(RefusalProblem::Reason)?;
        Ok(Self {
            pattern: pattern.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// Refuses these names from the next call on. `Refused`: they are refused already.
    #[must_use]
    pub fn to_batch(&self, operator: &AccountId, change: &Change) -> ChangeBatch {
        let insert = Statement::new(
            "INSERT INTO refused_models (pattern, reason, created_at_ms) VALUES (?1, ?2, ?3) \
             ON CONFLICT (pattern) DO NOTHING",
        )
        .bind(self.pattern.as_str())
        .bind(self.reason.as_str())
        .bind(change.at_ms);
        let entry = change.of(Entry {
            action: "models.refuse",
            table: "(SELECT pattern AS id FROM refused_models)",
            subject: &self.pattern,
            before: "'{}'",
            after: json!({ "reason": self.reason }).to_string(),
        });
        ChangeBatch::new(&is_operator(operator), [insert, entry, raise_version()])
    }
}

/// Takes a pattern off the refuse list. `Refused`: it is not on it.
#[must_use]
pub fn accept_models(operator: &AccountId, pattern: &str, change: &Change) -> ChangeBatch {
    let entry = change.of(Entry {
        action: "models.accept",
        table: "(SELECT pattern AS id, reason FROM refused_models)",
        subject: pattern,
        before: "json_object('reason', r.reason)",
        after: "{}".to_owned(),
    });
    let delete = Statement::new("DELETE FROM refused_models WHERE pattern = ?1").bind(pattern);
    ChangeBatch::new(&is_operator(operator), [entry, delete, raise_version()])
}

/// Switches a model on or off: its next call sees it. `Refused`: it is so already, or there is no such
/// model.
#[must_use]
pub fn switch_model(
    operator: &AccountId,
    (slug, enabled): (&str, bool),
    change: &Change,
) -> ChangeBatch {
    let entry = change.of(Entry {
        action: "model.switch",
        table: "(SELECT slug AS id, enabled FROM models)",
        subject: slug,
        before: "json_object('enabled', r.enabled)",
        after: json!({ "enabled": i64::from(enabled) }).to_string(),
    });
    let update = Statement::new("UPDATE models SET enabled = ?2 WHERE slug = ?1 AND enabled <> ?2")
        .bind(slug)
        .bind(enabled);
    ChangeBatch::new(&is_operator(operator), [entry, update, raise_version()])
}

/// Switches a provider with all of its models on or off: the next call sees it. `Refused`: it is so
/// already, or there is no such provider.
#[must_use]
pub fn switch_provider(
    operator: &AccountId,
    (name, enabled): (&str, bool),
    change: &Change,
) -> ChangeBatch {
    let entry = change.of(Entry {
        action: "provider.switch",
        table: "(SELECT name AS id, enabled FROM providers)",
        subject: name,
        before: "json_object('enabled', r.enabled)",
        after: json!({ "enabled": i64::from(enabled) }).to_string(),
    });
    let update =
        Statement::new("UPDATE providers SET enabled = ?2 WHERE name = ?1 AND enabled <> ?2")
            .bind(name)
            .bind(enabled);
    ChangeBatch::new(&is_operator(operator), [entry, update, raise_version()])
}

/// Finds a row if the account is the operator.
pub(crate) fn is_operator(account: &AccountId) -> Statement {
    Statement::new("SELECT 1 FROM accounts WHERE id = ?1 AND kind = 'operator'")
        .bind(account.as_str())
}

/// Lets calls that were priced with the older catalogue be priced again.
pub(crate) fn raise_version() -> Statement {
    Statement::new("UPDATE catalogue SET version = version + 1 WHERE id = 1")
}

/// Reads the refuse list, for the operator.
#[must_use]
pub fn refused_models_statement(operator: &AccountId) -> Statement {
    Statement::new(format!(
        "SELECT f.pattern, f.reason, (SELECT count(*) FROM models m WHERE {REFUSES}), \
         f.created_at_ms FROM refused_models f JOIN accounts o ON o.id = ?1 AND o.kind = 'operator' \
         ORDER BY f.pattern"
    ))
    .bind(operator.as_str())
}

/// Reads a row of the refuse list.
pub fn read_refusal_line(row: &Row) -> Result<RefusalLine, HranaFault> {
    Ok(RefusalLine {
        pattern: row.get(0)?,
        reason: row.get(1)?,
        models: row.get(2)?,
        created_at_ms: row.get(3)?,
    })
}

/// Reads every provider, for the operator.
#[must_use]
pub fn providers_statement(operator: &AccountId) -> Statement {
    Statement::new(
        "SELECT v.name, v.enabled, (SELECT count(*) FROM models m WHERE m.provider = v.name) \
         FROM providers v JOIN accounts o ON o.id = ?1 AND o.kind = 'operator' ORDER BY v.name",
    )
    .bind(operator.as_str())
}

/// Reads the row of a provider.
pub fn read_provider_line(row: &Row) -> Result<ProviderLine, HranaFault> {
    Ok(ProviderLine {
        name: row.get(0)?,
        enabled: row.get(1)?,
        models: row.get(2)?,
    })
}

impl Import {
    /// Leaves out the models that the operator refuses, with the reason that the list gives.
    #[must_use]
    pub fn without(mut self, refusals: &[RefusalLine]) -> Self {
        let refused_by = |slug: &str| {
            refusals
                .iter()
                .find(|refusal| pattern::matches(&refusal.pattern, slug))
        };
        let refused = self.models.iter().filter_map(|(model, _)| {
            let RefusalLine {
                pattern, reason, ..
            } = refused_by(&model.slug)?;
            Some(Refused {
                slug: model.slug.clone(),
                reason: format!("the refuse list has `{pattern}`: {reason}"),
            })
        });
        self.refused.extend(refused);
        self.models
            .retain(|(model, _)| refused_by(&model.slug).is_none());
        self
    }
}
