//! One call of an account, with the calculation of its price line by line. The account's own people see
//! their prices and nothing of the levels above; a seller sees besides which rule of its own caught the
//! call, its base and its margin.

use super::line::{RequestLine, WIDTH, columns, read_request_line};
use crate::accounts::View;
use crate::catalogue::Cost;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{RequestId, RuleId};
use crate::money::Nanos;
use crate::pricing::{ChargeFacts, ChargeLine, charge_lines};
use crate::stored_call::read_levels;
use crate::usage::Usage;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDetail {
    /// What the log's line tells.
    pub line: RequestLine,
    /// The `max_tokens` that were sent upstream.
    pub max_tokens: u64,
    /// When it ended, in Unix milliseconds.
    pub resolved_at_ms: Option<i64>,
    /// What was charged when it ended, before any true-up; `None` while held.
    pub first_charge: Option<Nanos>,
    /// How the charge came about: lines that add up to it. Empty while held; `None` when the prices of
    /// the call are not there any more.
    pub charge_lines: Option<Vec<ChargeLine>>,
    /// The rule by which the seller who reads, or the one between, priced the call; `None` for the
    /// account's own people.
    pub rule: Option<AppliedRule>,
}

/// The rule that priced a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedRule {
    /// Its id.
    pub id: RuleId,
    /// Which models it prices.
    pub pattern: String,
    /// Added to the base, in hundredths of a percent.
    pub markup_bps: i64,
    /// What a call is charged at least.
    pub min_charge: Nanos,
}

// Prices and rules are read for the calculation and stay here; only what `charge_lines` makes of them is
// shown.
const DETAIL: &str = "\
SELECT {columns}, r.max_tokens, r.resolved_at_ms, r.levels, r.cost_nanos,
  (SELECT c.prices FROM costs c WHERE c.id = r.cost_id),
  (SELECT json_group_array(json_object('id', p.id, 'markup_bps', p.markup_bps,
      'min_charge', p.min_charge_nanos))
    FROM json_each(r.levels) l JOIN price_rules p ON p.id = l.value ->> 'rule'),
  (SELECT p.pattern FROM price_rules p WHERE p.id = r.levels ->> '$[0].rule')
FROM requests r LEFT JOIN keys k ON k.id = r.key_id WHERE r.account_id = {seen} AND r.id = ?3";

/// Reads one call of the account; no row when it is another's. The row is for [`read_request_detail`].
#[must_use]
pub fn request_detail_statement(view: View<'_>, call: RequestId) -> Statement {
    view.statement(&DETAIL.replace("{columns}", &columns()))
        .bind(call.get())
}

/// Reads the row of [`request_detail_statement`] of the same view.
pub fn read_request_detail(view: View<'_>, row: &Row) -> Result<RequestDetail, HranaFault> {
    let at = |offset: usize| WIDTH.saturating_add(offset);
    let line = read_request_line(row)?;
    let levels = row.get::<String>(at(2))?;
    let rules = row.get::<String>(at(5))?;
    let known = read_levels(&levels, &rules);
    let own_level = known.as_ref().and_then(|(levels, _)| levels.first());
    let own_rule = known.as_ref().and_then(|(_, rules)| rules.last());
    let pattern = row.get::<Option<String>>(at(6))?;
    let prices = row.get::<Option<String>>(at(4))?;
    let cost = prices.and_then(|prices| Cost::from_json(&prices, line.created_at_ms).ok());
    let bill = row.get::<Option<i64>>(at(3))?.map(Nanos::new);
    let charge_lines = match (line.charge, bill, &known, &cost) {
        (None, _, _, _) => Some(Vec::new()),
        (Some(charge), Some(bill), Some((_, rules)), Some(cost)) => {
            Some(charge_lines(&ChargeFacts {
                cost,
                rules_from_root: rules,
                at_ms: line.created_at_ms,
                usage: usage(&line),
                bill,
                hold: line.hold,
                charge,
            }))
        }
        (Some(_), _, _, _) => None,
    };
    let rule = pattern.zip(own_rule).filter(|_| view.is_seller());
    Ok(RequestDetail {
        max_tokens: row.get(at(0))?,
        resolved_at_ms: row.get(at(1))?,
        first_charge: own_level
            .filter(|_| line.charge.is_some())
            .map(|level| level.charge),
        charge_lines,
        rule: rule.map(|(pattern, rule)| AppliedRule {
            id: rule.id.clone(),
            pattern,
            markup_bps: rule.markup_bps,
            min_charge: rule.min_charge,
        }),
        line,
    })
}

fn usage(line: &RequestLine) -> Option<Usage> {
    let tokens = line.tokens?;
    Some(Usage {
        prompt_tokens: tokens.prompt,
        cached_tokens: tokens.cached,
        cache_write_tokens: tokens.cache_write,
        completion_tokens: tokens.completion,
        reasoning_tokens: tokens.reasoning,
        ..Usage::default()
    })
}
