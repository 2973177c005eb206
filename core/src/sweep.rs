//! The sweep: finds holds whose Worker is gone and says how they end. A Worker that is gone may
//! have sent the call, so none of them is given back without asking the provider.

use serde::Deserialize;

use crate::catalogue::Cost;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, KeyId, RequestId, RuleId};
use crate::money::Nanos;
use crate::pricing::PriceRule;
use crate::settlement::{LevelCharge, Outcome, Prices, Resolution, ResolutionFacts};
use crate::usage::Usage;

/// How far behind now the sweep starts to look at least, in milliseconds: an admission may commit
/// this long after its id was drawn.
pub(crate) const LOOK_BACK_MS: i64 = 600_000;

/// A hold whose lease ran out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverdueHold {
    /// The call.
    pub request: RequestId,
    /// The provider's own id of the call, if it was stored before the Worker went.
    pub provider_id: Option<String>,
    /// Plausible tokens of the prompt.
    pub prompt_estimate: u64,
    account: AccountId,
    key: KeyId,
    reserved_tokens: u64,
    levels: Vec<LevelCharge>,
    prices: Prices,
}

const OVERDUE: &str = "\
SELECT r.id, r.account_id, r.key_id, r.provider_id, r.prompt_estimate, r.reserved_tokens, r.levels,
  r.created_at_ms, c.effective_from_ms, c.prices,
  (SELECT json_group_array(json_object('id', p.id, 'markup_bps', p.markup_bps,
      'min_charge', p.min_charge_nanos))
    FROM json_each(r.levels) l JOIN price_rules p ON p.id = l.value ->> 'rule')
FROM requests r LEFT JOIN costs c ON c.id = r.cost_id
WHERE r.id >= (SELECT from_request_id FROM sweeps WHERE id = 1) AND r.state = 'held'
  AND r.lease_until_ms < ?1 AND r.id > ?2
ORDER BY r.id LIMIT ?3";

// Held requests and recent ones stay ahead of the mark; nothing is written when it does not move.
const ADVANCE: &str = "\
UPDATE sweeps SET from_request_id = min(?1, coalesce((SELECT min(r.id) FROM requests r
    WHERE r.id >= sweeps.from_request_id AND r.state = 'held'), ?1))
WHERE id = 1 AND from_request_id < min(?1, coalesce((SELECT min(r.id) FROM requests r
    WHERE r.id >= sweeps.from_request_id AND r.state = 'held'), ?1))";

/// Finds holds of every account whose lease has been overdue for `grace_ms`, the oldest first: a
/// Worker that renews late is not dead. A page is what comes after an id, at most so many.
#[must_use]
pub fn overdue_statement(
    now_ms: i64,
    grace_ms: i64,
    (after, limit): (RequestId, u32),
) -> Statement {
    Statement::new(OVERDUE)
        .bind(now_ms.saturating_sub(grace_ms))
        .bind(after.get())
        .bind(i64::from(limit))
}

/// Moves the mark from which the sweep looks for holds.
#[must_use]
pub fn advance_statement(now_ms: i64) -> Statement {
    Statement::new(ADVANCE).bind(RequestId::first_at(now_ms.saturating_sub(LOOK_BACK_MS)).get())
}

/// Reads a row that `overdue_statement` selects.
pub fn read_overdue(row: &Row) -> Result<OverdueHold, HranaFault> {
    let text = |column: usize| row.get::<String>(column);
    let at_ms = row.get(7)?;
    let (levels, rules_from_root) =
        read_levels(&text(6)?, &text(10)?).ok_or(HranaFault::UnexpectedColumn(6))?;
    Ok(OverdueHold {
        request: RequestId::from_stored(row.get(0)?),
        account: AccountId::parse(&text(1)?).ok_or(HranaFault::UnexpectedColumn(1))?,
        key: KeyId::parse(&text(2)?).ok_or(HranaFault::UnexpectedColumn(2))?,
        provider_id: row.get(3)?,
        prompt_estimate: row.get(4)?,
        reserved_tokens: row.get(5)?,
        levels,
        prices: Prices {
            cost: Cost::from_json(&text(9)?, row.get(8)?)
                .map_err(|_| HranaFault::UnexpectedColumn(9))?,
            rules_from_root,
            at_ms,
        },
    })
}

impl OverdueHold {
    /// The default where the provider has no record: the prompt was read, nothing was answered.
    #[must_use]
    pub fn default_outcome(&self) -> Outcome {
        Outcome::Unknown(Usage {
            prompt_tokens: self.prompt_estimate,
            ..Usage::default()
        })
    }

    /// How the hold ends with this outcome.
    #[must_use]
    pub fn resolution(&self, outcome: Outcome, now_ms: i64) -> Resolution {
        let holds: Vec<Nanos> = self.levels.iter().map(|level| level.hold).collect();
        let priced = self.prices.price(&outcome, &holds);
        Resolution {
            request: self.request,
            account: self.account.clone(),
            key: self.key.clone(),
            created_at_ms: self.prices.at_ms,
            reserved_tokens: self.reserved_tokens,
            levels: self.levels.clone(),
            outcome,
            cost: Nanos::ZERO,
            shortfall: Nanos::ZERO,
            facts: ResolutionFacts {
                resolved_at_ms: now_ms,
                ..ResolutionFacts::default()
            },
        }
        .with_prices(&priced)
    }
}

#[derive(Deserialize)]
struct StoredLevel<'a> {
    account: &'a str,
    rule: &'a str,
    rules_version: i64,
    hold: i64,
}

#[derive(Deserialize)]
struct StoredRule<'a> {
    id: &'a str,
    markup_bps: i64,
    min_charge: i64,
}

/// The holds from the caller up, and their rules from the root down.
fn read_levels(levels: &str, rules: &str) -> Option<(Vec<LevelCharge>, Vec<PriceRule>)> {
    let stored: Vec<StoredLevel<'_>> = serde_json::from_str(levels).ok()?;
    let rules: Vec<StoredRule<'_>> = serde_json::from_str(rules).ok()?;
    let mut from_root = Vec::with_capacity(stored.len());
    for level in stored.iter().rev() {
        let rule = rules.iter().find(|rule| rule.id == level.rule)?;
        from_root.push(PriceRule {
            id: RuleId::parse(rule.id)?,
            pattern: "*".to_owned(),
            markup_bps: rule.markup_bps,
            min_charge: Nanos::new(rule.min_charge),
            priority: 0,
            starts_at_ms: 0,
            ends_at_ms: None,
        });
    }
    let levels: Option<Vec<LevelCharge>> = stored
        .iter()
        .map(|level| {
            Some(LevelCharge {
                account: AccountId::parse(level.account)?,
                rule: RuleId::parse(level.rule)?,
                rules_version: level.rules_version,
                hold: Nanos::new(level.hold),
                charge: Nanos::ZERO,
            })
        })
        .collect();
    Some((levels?, from_root))
}
