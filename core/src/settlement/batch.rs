//! The batch that resolves a hold at every level, once: whoever comes second changes nothing.

use std::borrow::Cow;

use serde::Serialize;

use super::outcome::{Outcome, Priced};
use crate::admission::{Ask, KeyState, LevelHold};
use crate::budget;
use crate::calendar::Periods;
use crate::hrana::{Batch, Condition, HranaFault, Reply, Statement, StepIndex};
use crate::ids::{AccountId, KeyId, RequestId, RuleId};
use crate::limits::Window;
use crate::money::Nanos;

/// A hold, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The call.
    pub request: RequestId,
    /// What tells the call from another one that drew the same id; `None` when the id was read from
    /// the database.
    pub nonce: Option<i64>,
    /// The caller's account.
    pub account: AccountId,
    /// The caller's key.
    pub key: KeyId,
    /// When the call began, in Unix milliseconds.
    pub created_at_ms: i64,
    /// Tokens that admission reserved of the key's tokens a minute.
    pub reserved_tokens: u64,
    /// What each level is charged, from the caller up.
    pub levels: Vec<LevelCharge>,
    /// What is known of the call.
    pub outcome: Outcome,
    /// What the provider bills, by our cost table.
    pub cost: Nanos,
    /// What of the price the hold did not cover.
    pub shortfall: Nanos,
    /// What the usage log tells besides.
    pub facts: ResolutionFacts,
}

/// What one level of the chain is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelCharge {
    /// The account that is charged.
    pub account: AccountId,
    /// The parent's rule that priced it.
    pub rule: RuleId,
    /// The version of the parent's rules.
    pub rules_version: i64,
    /// What was held.
    pub hold: Nanos,
    /// What is charged: at most the hold.
    pub charge: Nanos,
}

/// What the usage log tells of a call besides money.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolutionFacts {
    /// The HTTP status that the caller got; `None` if none was sent.
    pub status: Option<u16>,
    /// The code of the error that the caller got.
    pub error_code: Option<&'static str>,
    /// Why the model stopped, as the provider says.
    pub finish_reason: Option<String>,
    /// The provider's own id of the call.
    pub provider_id: Option<String>,
    /// What the provider says it bills the operator, if it says so.
    pub reported_cost: Option<Nanos>,
    /// Milliseconds from the request to the first byte of the answer.
    pub first_byte_ms: Option<i64>,
    /// Milliseconds from the request to the end of the answer.
    pub total_ms: Option<i64>,
    /// Now, in Unix milliseconds.
    pub resolved_at_ms: i64,
}

/// What the database said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// This batch resolved the hold.
    Now,
    /// The hold was resolved before, by a lost attempt of this batch or by the sweep.
    Before,
    /// There is no such hold.
    NoHold,
    /// Nothing changed, though it could have. Try again.
    Contended,
}

/// The batch of a `Resolution`, and where its answers stand.
#[derive(Clone, Debug)]
pub struct ResolutionBatch {
    /// What to execute.
    pub batch: Batch,
    commit: StepIndex,
    state: StepIndex,
}

// What was held is read from the hold itself, so that a batch made from older facts cannot release
// more or less than was taken, nor charge more.
const CHARGE: &str = "\
UPDATE accounts SET balance_nanos = balance_nanos - (n.value ->> 'charge'),
  charged_nanos = charged_nanos + (n.value ->> 'charge'),
  held_nanos = held_nanos - (h.value ->> 'hold'), {counted}
FROM requests r, json_each(r.levels) h, json_each(?3) n
WHERE r.id = ?1 AND r.account_id = ?2 AND r.state = 'held' AND (?7 IS NULL OR r.nonce = ?7)
  AND h.value ->> 'account' = accounts.id AND n.value ->> 'account' = accounts.id
  AND n.value ->> 'charge' <= h.value ->> 'hold'";

// The tokens that were reserved are corrected to the tokens that were used, in the bucket that
// reserved them, if it is still there.
const RELEASE: &str = "\
UPDATE keys SET open_holds = open_holds - 1, charged_nanos = charged_nanos + ?4,
  held_nanos = held_nanos - (SELECT json_extract(levels, '$[0].hold') FROM requests WHERE id = ?1),
  {counted},
  minute_tokens = CASE WHEN json_type(minute_tokens, ?8) IS NULL THEN minute_tokens
    ELSE json_set(minute_tokens, ?8, max(0, json_extract(minute_tokens, ?8) + ?9)) END
WHERE id = ?3 AND account_id = ?2";

const RESOLVE: &str = "\
UPDATE requests SET state = ?4, levels = ?3, outcome = ?5, provider_id = coalesce(?6, provider_id),
  prompt_tokens = ?7, cached_tokens = ?8, cache_write_tokens = ?9, completion_tokens = ?10,
  reasoning_tokens = ?11, cost_nanos = ?12, shortfall_nanos = ?13, status = ?14, error_code = ?15,
  finish_reason = ?16, first_byte_ms = ?17, total_ms = ?18, resolved_at_ms = ?19,
  reported_cost_nanos = ?20
WHERE id = ?1 AND account_id = ?2 AND state = 'held'";

// What was settled by an estimate is compared with the provider's own record later.
const TRUE_UP: &str = "\
INSERT INTO true_ups (request_id, account_id, due_at_ms)
SELECT id, account_id, ?3 FROM requests
WHERE id = ?1 AND account_id = ?2 AND provider_id IS NOT NULL";

/// How long after a call was settled by an estimate the provider's record is asked for, in
/// milliseconds.
const TRUE_UP_AFTER_MS: i64 = 5_000;

const STATE: &str = "\
SELECT state FROM requests WHERE id = ?1 AND account_id = ?2 AND (?3 IS NULL OR nonce = ?3)";

impl Resolution {
    /// The end of an admitted call, not priced yet: `held` is what it holds at each level by now.
    #[must_use]
    pub fn of(
        (ask, key): (&Ask, &KeyState),
        held: &[LevelHold],
        outcome: Outcome,
        facts: ResolutionFacts,
    ) -> Self {
        let levels = held.iter().map(|level| LevelCharge {
            account: level.account.clone(),
            rule: level.rule.clone(),
            rules_version: level.rules_version,
            hold: level.hold,
            charge: Nanos::ZERO,
        });
        Self {
            request: ask.request,
            nonce: Some(ask.nonce),
            account: key.account.clone(),
            key: key.id.clone(),
            created_at_ms: ask.now_ms,
            reserved_tokens: ask.reserved_tokens,
            levels: levels.collect(),
            outcome,
            cost: Nanos::ZERO,
            shortfall: Nanos::ZERO,
            facts,
        }
    }

    /// Puts the prices of an outcome onto the holds.
    #[must_use]
    pub fn with_prices(mut self, priced: &Priced) -> Self {
        for (level, charge) in self.levels.iter_mut().zip(&priced.charges) {
            level.charge = *charge;
        }
        self.cost = priced.cost;
        self.shortfall = priced.shortfall;
        self
    }

    /// What the caller is charged.
    #[must_use]
    pub fn charge(&self) -> Nanos {
        self.levels
            .first()
            .map_or(Nanos::ZERO, |level| level.charge)
    }

    /// The batch: one transaction, and a read that tells why it did not commit.
    #[must_use]
    pub fn to_batch(&self) -> ResolutionBatch {
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        transaction.then(self.charge_levels());
        transaction.require_changes(self.levels.len());
        transaction.then(self.release());
        transaction.require_change();
        transaction.then(self.resolve());
        transaction.require_change();
        if self.outcome.is_estimate() {
            let due_at_ms = self.facts.resolved_at_ms.saturating_add(TRUE_UP_AFTER_MS);
            transaction.then(self.identify(TRUE_UP).bind(due_at_ms));
        }
        let commit = transaction.commit();
        let state = self.identify(STATE).bind(self.nonce);
        let state = batch.step(Some(Condition::not_ok(commit)), state);
        ResolutionBatch {
            batch,
            commit,
            state,
        }
    }

    fn identify(&self, sql: impl Into<Cow<'static, str>>) -> Statement {
        Statement::new(sql)
            .bind(self.request.get())
            .bind(self.account.as_str())
    }

    fn charge_levels(&self) -> Statement {
        let counted = budget::count_sql("(n.value ->> 'charge')", ["?4", "?5", "?6"]);
        let period = Periods::of(self.facts.resolved_at_ms);
        self.identify(CHARGE.replace("{counted}", &counted))
            .bind(self.levels_json())
            .bind(period.day)
            .bind(period.week)
            .bind(period.month)
            .bind(self.nonce)
    }

    fn resolve(&self) -> Statement {
        let state = if self.outcome == Outcome::NotSent {
            "voided"
        } else {
            "settled"
        };
        let facts = &self.facts;
        let statement = self
            .identify(RESOLVE)
            .bind(self.levels_json())
            .bind(state)
            .bind(self.outcome.as_str())
            .bind(facts.provider_id.as_deref());
        bind_usage(statement, &self.outcome)
            .bind(self.cost.get())
            .bind(self.shortfall.get())
            .bind(facts.status.map(i64::from))
            .bind(facts.error_code)
            .bind(facts.finish_reason.as_deref())
            .bind(facts.first_byte_ms)
            .bind(facts.total_ms)
            .bind(facts.resolved_at_ms)
            .bind(facts.reported_cost.map(Nanos::get))
    }

    fn release(&self) -> Statement {
        let period = Periods::of(self.facts.resolved_at_ms);
        let bucket = Window::MinuteTokens.bucket(self.created_at_ms);
        let used = self.outcome.usage().map_or(0, |usage| {
            i128::from(usage.prompt_tokens).saturating_add(i128::from(usage.completion_tokens))
        });
        let correction = used.saturating_sub(i128::from(self.reserved_tokens));
        let counted = budget::count_sql("?4", ["?5", "?6", "?7"]);
        self.identify(RELEASE.replace("{counted}", &counted))
            .bind(self.key.as_str())
            .bind(self.charge().get())
            .bind(period.day)
            .bind(period.week)
            .bind(period.month)
            .bind(format!("$.\"{bucket}\""))
            .bind(i64::try_from(correction).unwrap_or(i64::MAX >> 1))
    }

    fn levels_json(&self) -> String {
        let levels: Vec<_> = self
            .levels
            .iter()
            .map(|level| WireCharge {
                account: level.account.as_str(),
                rule: level.rule.as_str(),
                rules_version: level.rules_version,
                hold: level.hold.get(),
                charge: level.charge.get(),
            })
            .collect();
        serde_json::to_string(&levels).unwrap_or_default()
    }
}

/// Binds the five token counts of `requests`, from `prompt_tokens` to `reasoning_tokens`; NULL where the
/// outcome has no usage.
pub(crate) fn bind_usage(statement: Statement, outcome: &Outcome) -> Statement {
    let counts = outcome.usage().map(|usage| {
        [
            usage.prompt_tokens,
            usage.cached_tokens,
            usage.cache_write_tokens,
            usage.completion_tokens,
            usage.reasoning_tokens,
        ]
    });
    let columns = counts.map_or([None; 5], |counts| counts.map(Some));
    columns.into_iter().fold(statement, |statement, count| {
        statement.bind(count.map(|count| i64::try_from(count).unwrap_or(i64::MAX)))
    })
}

impl ResolutionBatch {
    /// What the reply to the batch says.
    pub fn read(&self, reply: &Reply) -> Result<Resolved, HranaFault> {
        if reply.is_ok(self.commit) {
            return Ok(Resolved::Now);
        }
        let Some(row) = reply.rows(self.state).first() else {
            return Ok(if reply.is_ok(self.state) {
                Resolved::NoHold
            } else {
                Resolved::Contended
            });
        };
        let held = row.get::<String>(0)? == "held";
        Ok(if held {
            Resolved::Contended
        } else {
            Resolved::Before
        })
    }
}

/// Moves the lease of a hold that is still open, and records how far the answer is and the
/// provider's id once they are known. It returns a row exactly when the hold is still the caller's
/// to relay.
#[must_use]
pub fn renew_lease_statement(
    (request, account): (RequestId, &AccountId),
    lease_until_ms: i64,
    progress: &Progress,
) -> Statement {
    Statement::new(
        "UPDATE requests SET lease_until_ms = ?3, provider_id = coalesce(?4, provider_id), \
         progress_tokens = max(progress_tokens, ?5) \
         WHERE id = ?1 AND account_id = ?2 AND state = 'held' RETURNING id",
    )
    .bind(request.get())
    .bind(account.as_str())
    .bind(lease_until_ms)
    .bind(progress.provider_id.as_deref())
    .bind(i64::try_from(progress.tokens).unwrap_or(i64::MAX))
}

/// How far a call's answer is: what the sweep goes by if its Worker dies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The provider's own id of the call.
    pub provider_id: Option<String>,
    /// Output tokens that were counted.
    pub tokens: u64,
}

#[derive(Serialize)]
struct WireCharge<'a> {
    account: &'a str,
    rule: &'a str,
    rules_version: i64,
    hold: i64,
    charge: i64,
}
