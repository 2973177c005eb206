//! What a priced call asks of the database, and the batch that answers it in one round trip.

use serde::Serialize;

use super::decide::{Decision, Refusal, decide};
use super::idempotency::{FirstCall, Idempotency};
use super::snapshot::{Snapshot, read_snapshot, snapshot_statement};
use crate::budget::{Budget, Period, fits_sql};
use crate::calendar::Periods;
use crate::hrana::{Batch, Condition, HranaFault, Reply, Statement, StepIndex, Value};
use crate::ids::{AccountId, RequestId, RuleId};
use crate::key::KeyHash;
use crate::limits::{Limits, Window, count_sql, room_sql};
use crate::money::Nanos;

/// A call that has a price and wants its hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The call's id.
    pub request: RequestId,
    /// Random; tells a retry of this call from another call that drew the same id.
    pub nonce: i64,
    /// The caller's key.
    pub key_hash: KeyHash,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
    /// Until when the hold is the Worker's own, in Unix milliseconds.
    pub lease_until_ms: i64,
    /// The version of the key's settings that the call was priced with.
    pub key_version: i64,
    /// The key's limits of that version.
    pub limits: Limits,
    /// The key's budget of that version.
    pub budget: Budget,
    /// The request's `Idempotency-Key`, if it has one.
    pub idempotency: Option<Idempotency>,
    /// The version of the catalogue that the call was priced with.
    pub catalogue_version: i64,
    /// What to hold, from the caller's account up to the child of the root.
    pub levels: Vec<LevelHold>,
    /// The model's slug.
    pub model: String,
    /// The provider's name.
    pub provider: &'static str,
    /// The row of `costs` that the call was priced with.
    pub cost_id: i64,
    /// Whether the answer is streamed.
    pub streamed: bool,
    /// The `max_tokens` that the caller named, if any.
    pub wanted_max_tokens: Option<u64>,
    /// The `max_tokens` that is sent upstream.
    pub max_tokens: u64,
    /// Plausible tokens of the prompt, for a call whose usage nobody reports.
    pub prompt_estimate: u64,
    /// Tokens that the call reserves of the key's tokens a minute.
    pub reserved_tokens: u64,
}

/// What one level of the chain holds for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelHold {
    /// The account that is charged.
    pub account: AccountId,
    /// The parent's rule that priced it.
    pub rule: RuleId,
    /// The version of the parent's rules.
    pub rules_version: i64,
    /// The upper bound of the charge.
    pub hold: Nanos,
}

/// What the database said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The hold is committed. The snapshot is from just before it.
    Admitted(Snapshot),
    /// Nothing changed; price the call again with this snapshot.
    Reprice(Snapshot),
    /// Nothing changed.
    Refused(Refusal, Snapshot),
    /// Nothing changed: no such key.
    UnknownKey,
    /// Nothing changed: another call has this id. Draw a new one.
    IdTaken,
    /// Nothing changed, though it could have: another transaction was in the way. Try again.
    Contended,
}

/// The batch of an `Ask`, and where its answers stand.
#[derive(Clone, Debug)]
pub struct AdmitBatch {
    /// What to execute.
    pub batch: Batch,
    commit: StepIndex,
    retaken: StepIndex,
    existing: StepIndex,
    first_call: Option<StepIndex>,
}

const SNAPSHOT_STEP: StepIndex = 0;

// Takes the hold of every level that may be charged at the prices it was asked at. A level whose
// balance does not cover its hold breaks the table's CHECK, and so the transaction.
const HOLD: &str = "\
UPDATE accounts SET held_nanos = accounts.held_nanos + (n.value ->> 'hold')
FROM json_each(?1) n, accounts p
WHERE accounts.id = n.value ->> 'account' AND accounts.status = 'active'
  AND p.id = accounts.parent_id AND p.rules_version = n.value ->> 'rules_version'{fits}";

const INSERT: &str = "\
INSERT INTO requests (id, nonce, account_id, key_id, state, levels, lease_until_ms, model, provider,
  cost_id, streamed, max_tokens, prompt_estimate, reserved_tokens, created_at_ms)
SELECT ?1, ?2, k.account_id, k.id, 'held', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
FROM keys k WHERE k.hash = ?3";

// The nonce is told of the account's own request only. It is one read: a hold that an earlier attempt
// takes between two would look like another call's.
const EXISTING: &str = "\
SELECT (SELECT r.nonce FROM keys k WHERE k.account_id = r.account_id AND k.hash = ?2)
FROM requests r WHERE r.id = ?1";

impl Ask {
    /// The batch: snapshot, gate, and behind the gate one transaction. When it does not commit, two
    /// more reads tell why.
    #[must_use]
    pub fn to_batch(&self) -> AdmitBatch {
        let mut batch = Batch::new();
        batch.step(None, snapshot_statement(&self.key_hash));
        let gate = batch.step(None, self.gate());
        let mut transaction = batch.begin(Some(Condition::ok(gate)));
        transaction.then(self.count());
        transaction.require_change();
        transaction.then(self.hold());
        transaction.require_changes(self.levels.len());
        transaction.then(self.insert());
        transaction.require_change();
        if let Some(idempotency) = &self.idempotency {
            transaction.then(idempotency.take(&self.key_hash, (self.request, self.now_ms)));
            transaction.require_change();
        }
        let commit = transaction.commit();
        let refused = Condition::not_ok(commit);
        let existing = Statement::new(EXISTING)
            .bind(self.request.get())
            .bind(&self.key_hash.0[..]);
        let existing = batch.step(Some(refused.clone()), existing);
        let first_call = self.idempotency.as_ref().map(|idempotency| {
            let first_call = idempotency.first_call(&self.key_hash, self.now_ms);
            batch.step(Some(refused.clone()), first_call)
        });
        let lost_race = refused.and(Condition::ok(gate));
        let retaken = batch.step(Some(lost_race), snapshot_statement(&self.key_hash));
        AdmitBatch {
            batch,
            commit,
            retaken,
            existing,
            first_call,
        }
    }

    /// What the caller's account is to hold.
    #[must_use]
    pub fn own_hold(&self) -> Nanos {
        self.levels.first().map_or(Nanos::ZERO, |level| level.hold)
    }

    /// The units that the call takes of a window.
    #[must_use]
    pub const fn amount(&self, window: Window) -> u64 {
        match window {
            Window::MinuteRequests | Window::HourRequests | Window::DayRequests => 1,
            Window::MinuteTokens => self.reserved_tokens,
        }
    }

    /// A read that fails when the call is hopeless, so that it never queues for the write lock:
    /// `abs` of the least integer is an error.
    fn gate(&self) -> Statement {
        let mut arguments = Arguments::default();
        let periods = arguments.bind_periods(self.now_ms);
        let key = self.key_sql(&mut arguments, &periods);
        let levels = arguments.bind(levels_json(&self.levels));
        let fits = levels_fit_sql("a", &periods);
        let sql = format!(
            "SELECT abs(CASE WHEN EXISTS (SELECT 1 FROM keys k WHERE {key}) \
             AND json_array_length({levels}) = (SELECT count(*) FROM json_each({levels}) n \
             JOIN accounts a ON a.id = n.value ->> 'account' JOIN accounts p ON p.id = a.parent_id \
             WHERE a.status = 'active' AND p.rules_version = n.value ->> 'rules_version' \
             AND a.balance_nanos - a.held_nanos >= n.value ->> 'hold'{fits}) \
             THEN 1 ELSE -9223372036854775808 END)"
        );
        arguments.into_statement(sql)
    }

    /// Counts the call on its key, if the key may make it.
    fn count(&self) -> Statement {
        let mut arguments = Arguments::default();
        let periods = arguments.bind_periods(self.now_ms);
        let hold = arguments.bind(self.own_hold().get());
        let now = arguments.bind(self.now_ms);
        let mut counted = format!(
            "open_holds = open_holds + 1, held_nanos = held_nanos + {hold}, last_used_at_ms = {now}"
        );
        for window in self.limited_windows() {
            let bucket = arguments.bind(window.bucket(self.now_ms));
            let amount = arguments.bind(to_integer(self.amount(window)));
            counted.push_str(", ");
            counted.push_str(&count_sql(window, [&bucket, &amount]));
        }
        let key = self.key_sql(&mut arguments, &periods);
        arguments.into_statement(format!("UPDATE keys AS k SET {counted} WHERE {key}"))
    }

    fn hold(&self) -> Statement {
        let mut arguments = Arguments::default();
        arguments.bind(levels_json(&self.levels));
        let periods = arguments.bind_periods(self.now_ms);
        arguments.into_statement(HOLD.replace("{fits}", &levels_fit_sql("accounts", &periods)))
    }

    /// SQL that is true when `keys AS k` is the caller's key, has the settings that the call was
    /// priced with, and has room for it. The limits are part of those settings, so only those that
    /// are set are tested: the database compiles every statement anew.
    fn key_sql(&self, arguments: &mut Arguments, periods: &[String; 3]) -> String {
        let hash = arguments.bind(&self.key_hash.0[..]);
        let version = arguments.bind(self.key_version);
        let now = arguments.bind(self.now_ms);
        let catalogue = arguments.bind(self.catalogue_version);
        let mut sql = format!(
            "k.hash = {hash} AND k.version = {version} AND k.revoked_at_ms IS NULL \
             AND (k.expires_at_ms IS NULL OR k.expires_at_ms > {now}) \
             AND (SELECT version FROM catalogue WHERE id = 1) = {catalogue}"
        );
        if let Some(limit) = self.limits.parallel_calls {
            let limit = arguments.bind(to_integer(limit));
            sql.push_str(&format!(" AND k.open_holds < {limit}"));
        }
        let budgeted = |period: &Period| self.budget.of(*period).is_some();
        let [day, week, month] = periods;
        for period in Period::ALL.into_iter().filter(budgeted) {
            let hold = arguments.bind(self.own_hold().get());
            sql.push_str(" AND ");
            sql.push_str(&fits_sql(
                period,
                ("k", "budget"),
                &hold,
                [day, week, month],
            ));
        }
        for window in self.limited_windows() {
            let limit = window.limit_of(&self.limits).unwrap_or_default();
            let [bucket, amount, limit] = [
                arguments.bind(window.bucket(self.now_ms)),
                arguments.bind(to_integer(self.amount(window))),
                arguments.bind(to_integer(limit)),
            ];
            sql.push_str(" AND ");
            sql.push_str(&room_sql(window, [&bucket, &amount, &limit]));
        }
        sql
    }

    fn limited_windows(&self) -> impl Iterator<Item = Window> {
        let limited = |window: &Window| window.limit_of(&self.limits).is_some();
        Window::ALL.into_iter().filter(limited)
    }

    fn insert(&self) -> Statement {
        Statement::new(INSERT)
            .bind(self.request.get())
            .bind(self.nonce)
            .bind(&self.key_hash.0[..])
            .bind(levels_json(&self.levels))
            .bind(self.lease_until_ms)
            .bind(self.model.as_str())
            .bind(self.provider)
            .bind(self.cost_id)
            .bind(self.streamed)
            .bind(to_integer(self.max_tokens))
            .bind(to_integer(self.prompt_estimate))
            .bind(to_integer(self.reserved_tokens))
            .bind(self.now_ms)
    }
}

/// What levels hold, as the column `requests.levels` keeps it.
pub(super) fn levels_json(levels: &[LevelHold]) -> String {
    let levels: Vec<_> = levels
        .iter()
        .map(|level| WireHold {
            account: level.account.as_str(),
            rule: level.rule.as_str(),
            rules_version: level.rules_version,
            hold: level.hold.get(),
        })
        .collect();
    serde_json::to_string(&levels).unwrap_or_default()
}

/// SQL that is true when the hold of the level `n` fits the spend limits of its account, `row`.
fn levels_fit_sql(row: &str, [day, week, month]: &[String; 3]) -> String {
    let fits = Period::ALL.map(|period| {
        let needed = "(n.value ->> 'hold')";
        let fits = fits_sql(period, (row, "spend_limit"), needed, [day, week, month]);
        let word = period.as_str();
        format!(" AND ({row}.spend_limit_{word}_nanos IS NULL OR {fits})")
    });
    fits.concat()
}

impl AdmitBatch {
    /// What the reply to the batch says. `ask` is the one that the batch was made from.
    pub fn read(&self, ask: &Ask, reply: &Reply) -> Result<Admission, HranaFault> {
        let Some(row) = reply.rows(SNAPSHOT_STEP).first() else {
            return if reply.is_ok(SNAPSHOT_STEP) {
                Ok(Admission::UnknownKey)
            } else {
                Err(HranaFault::UnexpectedColumn(0))
            };
        };
        if reply.is_ok(self.commit) {
            return Ok(Admission::Admitted(read_snapshot(row)?));
        }
        // The reply to an earlier attempt may have been lost: that hold is this call's.
        if let Some(existing) = reply.rows(self.existing).first() {
            return Ok(if existing.get::<Option<i64>>(0)? == Some(ask.nonce) {
                Admission::Admitted(read_snapshot(row)?)
            } else {
                Admission::IdTaken
            });
        }
        let first_call = self.first_call.and_then(|step| reply.rows(step).first());
        let first_call = first_call.map(FirstCall::read).transpose()?;
        if first_call
            .as_ref()
            .is_some_and(|first_call| first_call.request == ask.request)
        {
            // An earlier attempt came through just now; the next one finds its hold.
            return Ok(Admission::Contended);
        }
        let snapshot = read_snapshot(reply.rows(self.retaken).first().unwrap_or(row))?;
        Ok(match decide(&snapshot, ask, first_call) {
            Decision::Admit => Admission::Contended,
            Decision::Reprice => Admission::Reprice(snapshot),
            Decision::Refuse(refusal) => Admission::Refused(refusal, snapshot),
        })
    }
}

/// The arguments of a statement whose text is put together from what a call needs.
#[derive(Default)]
struct Arguments(Vec<Value>);

impl Arguments {
    /// Takes the next argument; returns its placeholder, such as `?3`.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("?{}", self.0.len())
    }

    /// Takes the numbers of the periods of a moment.
    fn bind_periods(&mut self, now_ms: i64) -> [String; 3] {
        let now = Periods::of(now_ms);
        [now.day, now.week, now.month].map(|number| self.bind(number))
    }

    fn into_statement(self, sql: String) -> Statement {
        self.0
            .into_iter()
            .fold(Statement::new(sql), Statement::bind)
    }
}

/// Token counts beyond 63 bits are refused long before; the database has no such integers.
fn to_integer(count: u64) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

#[derive(Serialize)]
struct WireHold<'a> {
    account: &'a str,
    rule: &'a str,
    rules_version: i64,
    hold: i64,
}
