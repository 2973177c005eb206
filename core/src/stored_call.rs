//! A call as the database keeps it, with everything that prices it: for those who resolve or correct
//! a call that they did not make. Where its row is looked for is decided by the sweep and the true-up.

use serde::Deserialize;

use crate::catalogue::Cost;
use crate::hrana::{HranaFault, Row};
use crate::ids::{AccountId, KeyId, RequestId, RuleId};
use crate::money::Nanos;
use crate::pricing::PriceRule;
use crate::settlement::{
    LevelCharge, Outcome, Priced, Prices, Recorded, Resolution, ResolutionFacts,
};
use crate::usage::Usage;

/// A row of `requests` with its prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCall {
    /// The call.
    pub request: RequestId,
    /// The caller's account.
    pub account: AccountId,
    /// The caller's key.
    pub key: KeyId,
    /// The provider's own id of the call, if it is known.
    pub provider_id: Option<String>,
    /// Plausible tokens of the prompt.
    pub prompt_estimate: u64,
    /// Tokens of the answer that its Worker had counted when it last wrote.
    pub progress_tokens: u64,
    /// What each level holds, and was charged if the call is resolved; from the caller up.
    pub levels: Vec<LevelCharge>,
    reserved_tokens: u64,
    prices: Prices,
}

/// What a statement selects for `read_stored_call`, as its first columns, from `FROM`.
pub(crate) const COLUMNS: &str = "\
r.id, r.account_id, r.key_id, r.provider_id, r.prompt_estimate, r.progress_tokens,
  r.reserved_tokens, r.levels, r.created_at_ms, c.effective_from_ms, c.prices,
  (SELECT json_group_array(json_object('id', p.id, 'markup_bps', p.markup_bps,
      'min_charge', p.min_charge_nanos))
    FROM json_each(r.levels) l JOIN price_rules p ON p.id = l.value ->> 'rule')";

/// How many columns `COLUMNS` are.
pub(crate) const WIDTH: usize = 12;

/// Reads a row that begins with `COLUMNS`.
pub(crate) fn read_stored_call(row: &Row) -> Result<StoredCall, HranaFault> {
    let text = |column: usize| row.get::<String>(column);
    let (levels, rules_from_root) =
        read_levels(&text(7)?, &text(11)?).ok_or(HranaFault::UnexpectedColumn(7))?;
    Ok(StoredCall {
        request: RequestId::from_stored(row.get(0)?),
        account: AccountId::parse(&text(1)?).ok_or(HranaFault::UnexpectedColumn(1))?,
        key: KeyId::parse(&text(2)?).ok_or(HranaFault::UnexpectedColumn(2))?,
        provider_id: row.get(3)?,
        prompt_estimate: row.get(4)?,
        progress_tokens: row.get(5)?,
        reserved_tokens: row.get(6)?,
        levels,
        prices: Prices {
            cost: Cost::from_json(&text(10)?, row.get(9)?)
                .map_err(|_| HranaFault::UnexpectedColumn(10))?,
            rules_from_root,
            at_ms: row.get(8)?,
        },
    })
}

impl StoredCall {
    /// What an outcome of this call is charged, at every level.
    #[must_use]
    pub fn price(&self, outcome: &Outcome) -> Priced {
        let holds: Vec<Nanos> = self.levels.iter().map(|level| level.hold).collect();
        self.prices.price(outcome, &holds)
    }

    /// Reads the body of the provider's record (`GET /generation`); `None` if it says nothing usable.
    #[must_use]
    pub fn recorded(&self, body: &[u8]) -> Option<Recorded> {
        self.prices.recorded(body)
    }

    /// What is charged while the provider has no record: the estimated prompt, and of the answer what
    /// the Worker had counted. Without such a count nothing of the answer is charged.
    #[must_use]
    pub fn default_outcome(&self) -> Outcome {
        let usage = Usage {
            prompt_tokens: self.prompt_estimate,
            completion_tokens: self.progress_tokens,
            ..Usage::default()
        };
        if self.progress_tokens > 0 {
            Outcome::AtLeast(usage)
        } else {
            Outcome::Unknown(usage)
        }
    }

    /// How its hold ends with this outcome.
    #[must_use]
    pub fn resolution(&self, outcome: Outcome, now_ms: i64) -> Resolution {
        let priced = self.price(&outcome);
        Resolution {
            request: self.request,
            nonce: None,
            account: self.account.clone(),
            key: self.key.clone(),
            created_at_ms: self.prices.at_ms,
            reserved_tokens: self.reserved_tokens,
            levels: self.levels.clone(),
            outcome,
            cost: Nanos::ZERO,
            shortfall: Nanos::ZERO,
            facts: ResolutionFacts {
                provider_id: self.provider_id.clone(),
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
    // There is none before the call is resolved.
    #[serde(default)]
    charge: i64,
}

#[derive(Deserialize)]
struct StoredRule<'a> {
    id: &'a str,
    markup_bps: i64,
    min_charge: i64,
}

/// The levels from the caller up, and their rules from the root down, of JSON as [`COLUMNS`] selects it.
pub(crate) fn read_levels(levels: &str, rules: &str) -> Option<(Vec<LevelCharge>, Vec<PriceRule>)> {
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
                charge: Nanos::new(level.charge),
            })
        })
        .collect();
    Some((levels?, from_root))
}
