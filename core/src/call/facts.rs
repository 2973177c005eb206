//! What a Worker reads to price a call, and may keep: a caller's accounts and their rules, and a
//! model with its costs. Both carry the versions that admission compares, so that an old copy can
//! misprice nothing.

use crate::accounts::price_rule;
use crate::admission::{Snapshot, read_snapshot, snapshot_statement};
use crate::catalogue::{Cost, Model, on_sale_sql};
use crate::hrana::{HranaFault, Row, Statement};
use crate::key::KeyHash;
use crate::pricing::PriceRule;

/// A caller's key and accounts, and the rules that price its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerFacts {
    /// The key and its accounts at one moment.
    pub snapshot: Snapshot,
    /// The rules of each level's parent, in the order of the snapshot's levels. Rules that have
    /// ended are not among them; rules that will start are.
    pub rules: Vec<Vec<PriceRule>>,
}

/// A model and what the provider bills for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFacts {
    /// The version of the catalogue that these facts are from.
    pub catalogue_version: i64,
    /// The model.
    pub model: Model,
    /// The provider's name.
    pub provider: String,
    /// Costs with their row ids, the earliest first.
    pub costs: Vec<(i64, Cost)>,
}

impl ModelFacts {
    /// The cost that holds at a moment in Unix milliseconds, and its row id.
    #[must_use]
    pub fn cost_at(&self, at_ms: i64) -> Option<(i64, &Cost)> {
        let past = self
            .costs
            .iter()
            .filter(|(_, cost)| cost.effective_from_ms <= at_ms);
        past.max_by_key(|(_, cost)| cost.effective_from_ms)
            .map(|(id, cost)| (*id, cost))
    }
}

const RULES: &str = "\
SELECT c.key, r.id, r.pattern, r.markup_bps, r.min_charge_nanos, r.priority, r.starts_at_ms,
  r.ends_at_ms
FROM keys k JOIN accounts l ON l.id = k.account_id JOIN json_each(l.chain) c
  JOIN accounts a ON a.id = c.value JOIN price_rules r ON r.account_id = a.parent_id
WHERE k.hash = ?1 AND (r.ends_at_ms IS NULL OR r.ends_at_ms > ?2)";

const MODELS: &str = "\
SELECT (SELECT version FROM catalogue WHERE id = 1), m.slug, m.provider, m.name,
  m.context_length, m.max_completion_tokens, m.max_image_tokens, m.hidden_reasoning, m.free,
  m.details, c.id, c.effective_from_ms, c.prices
FROM models m JOIN costs c ON c.model = m.slug WHERE ";

/// Two reads for `read_caller`. The snapshot comes first: rules that are newer than its versions
/// are caught by admission, rules that are older cannot be read.
#[must_use]
pub fn caller_statements(hash: &KeyHash, now_ms: i64) -> [Statement; 2] {
    let rules = Statement::new(RULES).bind(&hash.0[..]).bind(now_ms);
    [snapshot_statement(hash), rules]
}

/// Reads what `caller_statements` select; `None`: no such key.
pub fn read_caller(snapshot: &[Row], rules: &[Row]) -> Result<Option<CallerFacts>, HranaFault> {
    let Some(row) = snapshot.first() else {
        return Ok(None);
    };
    let snapshot = read_snapshot(row)?;
    let mut by_level: Vec<Vec<PriceRule>> = snapshot.levels.iter().map(|_| Vec::new()).collect();
    for row in rules {
        let depth = usize::try_from(row.get::<u64>(0)?).unwrap_or(usize::MAX);
        let level = by_level
            .get_mut(depth)
            .ok_or(HranaFault::UnexpectedColumn(0))?;
        level.push(price_rule(row)?);
    }
    Ok(Some(CallerFacts {
        snapshot,
        rules: by_level,
    }))
}

/// Reads one model, or with `None` every model, that is on sale: neither it nor its provider is switched
/// off, and the operator does not refuse its name. Models and costs are the same for every account.
#[must_use]
pub fn model_statement(slug: Option<&str>) -> Statement {
    let on_sale = on_sale_sql();
    let order = "ORDER BY m.slug, c.effective_from_ms";
    match slug {
        Some(slug) => {
            Statement::new(format!("{MODELS}m.slug = ?1 AND {on_sale} {order}")).bind(slug)
        }
        None => Statement::new(format!("{MODELS}{on_sale} {order}")),
    }
}

/// Reads what `model_statement` selects, one entry a model. A model with a stored cost that cannot
/// be read is left out: it has no price, so it is not sold.
pub fn read_model(rows: &[Row]) -> Result<Vec<ModelFacts>, HranaFault> {
    let mut models: Vec<ModelFacts> = Vec::new();
    let mut unreadable: Vec<String> = Vec::new();
    for row in rows {
        let slug: String = row.get(1)?;
        if models.last().is_none_or(|last| last.model.slug != slug) {
            models.push(read_model_row(row)?);
        }
        match (
            Cost::from_json(&row.get::<String>(12)?, row.get(11)?),
            models.last_mut(),
        ) {
            (Ok(cost), Some(model)) => model.costs.push((row.get(10)?, cost)),
            (Err(_), _) | (_, None) => unreadable.push(slug),
        }
    }
    models.retain(|model| !unreadable.contains(&model.model.slug));
    Ok(models)
}

fn read_model_row(row: &Row) -> Result<ModelFacts, HranaFault> {
    Ok(ModelFacts {
        catalogue_version: row.get(0)?,
        provider: row.get(2)?,
        model: Model {
            slug: row.get(1)?,
            name: row.get(3)?,
            context_length: row.get(4)?,
            max_completion_tokens: row.get(5)?,
            max_image_tokens: row.get(6)?,
            hidden_reasoning: row.get(7)?,
            free: row.get(8)?,
            details: row.get(9)?,
        },
        costs: Vec::new(),
    })
}
