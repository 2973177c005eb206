//! A seller's price rules: which there are and were, and how one is created, replaced and ended. A
//! rule never changes, so that a charge can name it; to replace one is to end it and create another,
//! in one transaction.

use crate::accounts::{NewRule, end_rule_steps, id, raise_rules_version};
use crate::audit::{Change, ChangeBatch, actor_sql};
use crate::hrana::{Batch, Condition, HranaFault, Reply, Row, Statement, StepIndex};
use crate::ids::{AccountId, RuleId};
use crate::money::Nanos;
use crate::pricing::PriceRule;

/// Rules of a seller that have not ended, at most: each call looks at all of them.
pub const MAX_LIVE_RULES: u32 = 200;

/// A rule, and who made and ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLine {
    /// The rule.
    pub rule: PriceRule,
    /// When it was created, in Unix milliseconds.
    pub created_at_ms: i64,
    /// Who created it: a person of the seller's by name, else what kind of actor, such as `admin`.
    pub created_by: Option<String>,
    /// Who ended it, or said when it will end, in the same way.
    pub ended_by: Option<String>,
}

/// The columns of a rule `r`, and who did what the audit log says of it.
fn line_sql() -> String {
    let by = |action: &str| {
        format!(
            "(SELECT {actor} FROM audit_log l WHERE l.subject = r.id AND l.account_id = r.account_id \
             AND l.action = '{action}' ORDER BY l.id DESC LIMIT 1)",
            actor = actor_sql("r.account_id")
        )
    };
    format!(
        "SELECT r.id, r.pattern, r.markup_bps, r.min_charge_nanos, r.priority, r.starts_at_ms, \
         r.ends_at_ms, r.created_at_ms, {created}, {ended} FROM price_rules r",
        created = by("rule.create"),
        ended = by("rule.end")
    )
}

/// Reads the seller's rules that have not ended at `now_ms`, in the order in which they win; those
/// that are announced for later are among them. There are at most [`MAX_LIVE_RULES`] that the pages
/// made.
#[must_use]
pub fn live_rules_statement(seller: &AccountId, now_ms: i64) -> Statement {
    Statement::new(format!(
        "{line} WHERE r.account_id = ?1 AND (r.ends_at_ms IS NULL OR r.ends_at_ms > ?2) \
         ORDER BY r.priority DESC, length(r.pattern) DESC, r.starts_at_ms DESC, r.id",
        line = line_sql()
    ))
    .bind(seller.as_str())
    .bind(now_ms)
}

/// Reads the next `count` of the seller's rules that have ended at `now_ms`, the latest end first,
/// after the last one that was seen.
#[must_use]
pub fn ended_rules_statement(
    seller: &AccountId,
    (after, count): (Option<&RuleId>, u32),
    now_ms: i64,
) -> Statement {
    Statement::new(format!(
        "{line} WHERE r.account_id = ?1 AND r.ends_at_ms <= ?2 AND (?3 IS NULL \
         OR (r.ends_at_ms, r.id) < (SELECT s.ends_at_ms, s.id FROM price_rules s \
         WHERE s.id = ?3 AND s.account_id = ?1)) ORDER BY r.ends_at_ms DESC, r.id DESC LIMIT ?4",
        line = line_sql()
    ))
    .bind(seller.as_str())
    .bind(now_ms)
    .bind(after.map(RuleId::as_str))
    .bind(i64::from(count))
}

/// Reads a row of either statement.
pub fn read_rule_line(row: &Row) -> Result<RuleLine, HranaFault> {
    Ok(RuleLine {
        rule: PriceRule {
            id: id(row, 0, RuleId::parse)?,
            pattern: row.get(1)?,
            markup_bps: row.get(2)?,
            min_charge: Nanos::new(row.get(3)?),
            priority: row.get(4)?,
            starts_at_ms: row.get(5)?,
            ends_at_ms: row.get(6)?,
        },
        created_at_ms: row.get(7)?,
        created_by: row.get(8)?,
        ended_by: row.get(9)?,
    })
}

/// What the database said to a rule that is to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The rule is there, and what it replaces will end at its start.
    Now,
    /// It was saved before, under the same id; nothing changed.
    Before,
    /// There is no such rule to replace, or it has ended; nothing changed.
    NothingToReplace,
    /// The seller has [`MAX_LIVE_RULES`] already; nothing changed.
    TooMany,
    /// The account sells nothing, or the id is another rule's; nothing changed.
    Impossible,
    /// Nothing changed, though it could have. Try again.
    Contended,
}

/// The batch that saves a rule, and where its answers stand.
#[derive(Clone, Debug)]
pub struct SaveBatch {
    /// What to execute.
    pub batch: Batch,
    begin: StepIndex,
    commit: StepIndex,
    same: StepIndex,
    room: StepIndex,
    replaced: Option<StepIndex>,
}

// A new rule, or what it replaces, counts from the moment at which it is saved.
const ROOM: &str = "\
SELECT 1 WHERE (SELECT count(*) FROM price_rules WHERE account_id = ?1
  AND (ends_at_ms IS NULL OR ends_at_ms > ?2)) < ?3";

const LIVE: &str = "\
SELECT 1 FROM price_rules WHERE id = ?1 AND account_id = ?2
  AND (ends_at_ms IS NULL OR ends_at_ms > ?3)";

const SAME: &str = "\
SELECT pattern = ?3 AND markup_bps = ?4 AND min_charge_nanos = ?5 AND priority = ?6
FROM price_rules WHERE id = ?1 AND account_id = ?2";

/// Creates the rule, whose id is drawn before the form is shown: sent twice, it is saved once. With
/// `replaces`, that rule of the seller's ends where the new one starts.
#[must_use]
pub fn save_rule(rule: &NewRule, replaces: Option<&RuleId>, change: &Change) -> SaveBatch {
    let seller = &rule.account;
    let same = Statement::new(SAME)
        .bind(rule.id.as_str())
        .bind(seller.as_str())
        .bind(rule.pattern.as_str())
        .bind(rule.markup_bps)
        .bind(rule.min_charge.get())
        .bind(rule.priority);
    let room = Statement::new(ROOM)
        .bind(seller.as_str())
        .bind(change.at_ms)
        .bind(i64::from(MAX_LIVE_RULES));
    let live = |rule: &RuleId| {
        Statement::new(LIVE)
            .bind(rule.as_str())
            .bind(seller.as_str())
            .bind(change.at_ms)
    };
    let mut batch = Batch::new();
    let begin = batch.steps().len();
    let mut transaction = batch.begin(None);
    match replaces {
        Some(old) => transaction.require_row(&live(old)),
        None => transaction.require_row(&room),
    };
    let ends = replaces.map(|old| end_rule_steps(seller, old, (change, rule.starts_at_ms)));
    let create = rule.steps(change, replaces);
    let raise = raise_rules_version(seller);
    for step in create
        .into_iter()
        .chain(ends.into_iter().flatten())
        .chain([raise])
    {
        transaction.then(step);
        transaction.require_change();
    }
    let commit = transaction.commit();
    let mut why = |statement| batch.step(Some(Condition::not_ok(commit)), statement);
    let same = why(same);
    let room = why(room);
    let replaced = replaces.map(|old| why(live(old)));
    SaveBatch {
        batch,
        begin,
        commit,
        same,
        room,
        replaced,
    }
}

impl SaveBatch {
    /// What the reply to the batch says.
    pub fn read(&self, reply: &Reply) -> Result<Saved, HranaFault> {
        if reply.is_ok(self.commit) {
            return Ok(Saved::Now);
        }
        if let Some(row) = reply.rows(self.same).first() {
            return Ok(if row.get(0)? {
                Saved::Before
            } else {
                Saved::Impossible
            });
        }
        let known = [self.begin, self.same, self.room].into_iter();
        if !known.chain(self.replaced).all(|step| reply.is_ok(step)) {
            return Ok(Saved::Contended);
        }
        Ok(match self.replaced {
            Some(step) if reply.rows(step).is_empty() => Saved::NothingToReplace,
            None if reply.rows(self.room).is_empty() => Saved::TooMany,
            // The step before the commit is the last test.
            Some(_) | None if reply.is_ok(self.commit.saturating_sub(1)) => Saved::Contended,
            Some(_) | None => Saved::Impossible,
        })
    }
}

/// Ends a rule of the seller's at a moment in Unix milliseconds; one in the past means now.
/// `Refused`: it has ended by then.
#[must_use]
pub fn end_rule(seller: &AccountId, (rule, at_ms): (&RuleId, i64), change: &Change) -> ChangeBatch {
    let own = Statement::new("SELECT 1 FROM price_rules WHERE id = ?1 AND account_id = ?2")
        .bind(rule.as_str())
        .bind(seller.as_str());
    let end = end_rule_steps(seller, rule, (change, at_ms.max(change.at_ms)));
    let raise = raise_rules_version(seller);
    ChangeBatch::new(&own, end.into_iter().chain([raise]))
}
