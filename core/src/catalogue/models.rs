//! The catalogue as the operator reads it: every model with its switch, what keeps it from sale and
//! what the provider bills. Callers and resellers never see it.

use super::sale::REFUSES;
use super::{Cost, StoredCostError};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::AccountId;

/// Which models a page shows, by slug.
#[derive(Clone, Copy, Debug)]
pub struct ModelsQuery<'a> {
    /// Who reads: anyone but the operator gets nothing.
    pub operator: &'a AccountId,
    /// A part of the slug or the name, in any case; empty finds all.
    pub search: &'a str,
    /// The slug after which the page begins; empty begins with the first.
    pub after: &'a str,
    /// How many.
    pub count: u32,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

/// A model in the operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelLine {
    /// The model's slug.
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// The provider's name.
    pub provider: String,
    /// Its own switch.
    pub enabled: bool,
    /// Whether its provider is switched on.
    pub provider_enabled: bool,
    /// The pattern of the refuse list that keeps it from sale.
    pub refused_by: Option<String>,
    /// What the provider bills now; `None`: nothing yet. The error says why it is not sold.
    pub cost: Option<Result<Cost, StoredCostError>>,
    /// Where that was read.
    pub source: Option<String>,
    /// From when on the next cost holds, in Unix milliseconds, if one is announced.
    pub next_cost_from_ms: Option<i64>,
    /// When the model was last imported, in Unix milliseconds.
    pub imported_at_ms: i64,
}

impl ModelLine {
    /// Whether callers can use it, if somebody has a price rule for it.
    #[must_use]
    pub fn on_sale(&self) -> bool {
        self.enabled
            && self.provider_enabled
            && self.refused_by.is_none()
            && matches!(self.cost, Some(Ok(_)))
    }
}

const MODELS: &str = "\
SELECT m.slug, m.name, m.provider, m.enabled,
  coalesce((SELECT v.enabled FROM providers v WHERE v.name = m.provider), 1),
  (SELECT f.pattern FROM refused_models f WHERE {refuses} ORDER BY f.pattern LIMIT 1),
  c.prices, c.effective_from_ms, c.source,
  (SELECT min(n.effective_from_ms) FROM costs n WHERE n.model = m.slug AND n.effective_from_ms > ?5),
  m.imported_at_ms
FROM accounts o JOIN models m LEFT JOIN costs c ON c.model = m.slug AND c.effective_from_ms =
  (SELECT max(d.effective_from_ms) FROM costs d WHERE d.model = m.slug AND d.effective_from_ms <= ?5)
WHERE o.id = ?1 AND o.kind = 'operator' AND m.slug > ?2
  AND (?3 = '' OR instr(lower(m.slug), ?3) OR instr(lower(m.name), ?3))
ORDER BY m.slug LIMIT ?4";

impl ModelsQuery<'_> {
    /// Reads the page.
    #[must_use]
    pub fn statement(&self) -> Statement {
        Statement::new(MODELS.replace("{refuses}", REFUSES))
            .bind(self.operator.as_str())
            .bind(self.after)
            .bind(self.search.trim().to_lowercase())
            .bind(i64::from(self.count))
            .bind(self.now_ms)
    }
}

/// Reads a row of the page.
pub fn read_model_line(row: &Row) -> Result<ModelLine, HranaFault> {
    let prices: Option<String> = row.get(6)?;
    let since: Option<i64> = row.get(7)?;
    let cost = prices.zip(since);
    Ok(ModelLine {
        slug: row.get(0)?,
        name: row.get(1)?,
        provider: row.get(2)?,
        enabled: row.get(3)?,
        provider_enabled: row.get(4)?,
        refused_by: row.get(5)?,
        cost: cost.map(|(prices, since)| Cost::from_json(&prices, since)),
        source: row.get(8)?,
        next_cost_from_ms: row.get(9)?,
        imported_at_ms: row.get(10)?,
    })
}
