//! Extensions: a streamed call that took only a first portion of its hold takes more of it while its
//! answer goes on. An extension names the whole hold that is wanted, so sending it twice is the same
//! as sending it once, and it records how far the answer is.

use super::ask::{LevelHold, levels_json};
use super::decide::Refusal;
use super::snapshot::{Snapshot, read_snapshot, snapshot_statement};
use crate::budget::{Period, fits_sql};
use crate::calendar::Periods;
use crate::hrana::{Batch, Condition, HranaFault, Reply, Statement, StepIndex};
use crate::ids::{AccountId, KeyId, RequestId};
use crate::key::KeyHash;
use crate::money::Nanos;
use crate::settlement::Progress;

/// A hold that is to grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The call.
    pub request: RequestId,
    /// The caller's account.
    pub account: AccountId,
    /// The caller's key.
    pub key: KeyId,
    /// The key's hash, to read the snapshot that explains a refusal.
    pub key_hash: KeyHash,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
    /// Until when the hold is the Worker's own then, in Unix milliseconds.
    pub lease_until_ms: i64,
    /// How far the answer is.
    pub progress: Progress,
    /// What is held now, from the caller's account up.
    pub from: Vec<LevelHold>,
    /// What is to be held: at no level less than now.
    pub to: Vec<LevelHold>,
}

/// What the database said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extended {
    /// The larger hold is committed.
    Now,
    /// The hold was resolved by somebody else.
    Gone,
    /// Nothing changed, for this reason.
    Refused(Box<(Refusal, Snapshot)>),
    /// Nothing changed, though it could have. Try again.
    Contended,
}

/// The batch of an `Extension`, and where its answers stand.
#[derive(Clone, Debug)]
pub struct ExtensionBatch {
    /// What to execute.
    pub batch: Batch,
    commit: StepIndex,
    state: StepIndex,
    snapshot: StepIndex,
}

const GROW_LEVELS: &str = "\
UPDATE accounts SET held_nanos = accounts.held_nanos + (n.value ->> 'hold') - (h.value ->> 'hold')
FROM requests r, json_each(r.levels) h, json_each(?3) n
WHERE r.id = ?1 AND r.account_id = ?2 AND r.state = 'held' AND accounts.status = 'active'
  AND h.value ->> 'account' = accounts.id AND n.value ->> 'account' = accounts.id
  AND n.value ->> 'hold' >= h.value ->> 'hold'";

const GROW_KEY: &str = "\
UPDATE keys AS k SET held_nanos = k.held_nanos + ?4 - json_extract(r.levels, '$[0].hold')
FROM requests r WHERE r.id = ?1 AND r.account_id = ?2 AND k.id = ?3 AND k.account_id = ?2";

const GROW_REQUEST: &str = "\
UPDATE requests SET levels = ?3, lease_until_ms = max(lease_until_ms, ?4),
  provider_id = coalesce(?5, provider_id), progress_tokens = max(progress_tokens, ?6)
WHERE id = ?1 AND account_id = ?2 AND state = 'held'";

const STATE: &str = "SELECT state FROM requests WHERE id = ?1 AND account_id = ?2";

impl Extension {
    /// The batch: one transaction, and two reads that tell why it did not commit.
    #[must_use]
    pub fn to_batch(&self) -> ExtensionBatch {
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        transaction.then(self.grow_levels());
        transaction.require_changes(self.to.len());
        transaction.then(self.grow_key());
        transaction.require_change();
        transaction.then(
            self.identify(GROW_REQUEST.to_owned())
                .bind(levels_json(&self.to))
                .bind(self.lease_until_ms)
                .bind(self.progress.provider_id.as_deref())
                .bind(i64::try_from(self.progress.tokens).unwrap_or(i64::MAX)),
        );
        transaction.require_change();
        let commit = transaction.commit();
        let refused = Condition::not_ok(commit);
        let state = batch.step(Some(refused.clone()), self.identify(STATE.to_owned()));
        let snapshot = batch.step(Some(refused), snapshot_statement(&self.key_hash));
        ExtensionBatch {
            batch,
            commit,
            state,
            snapshot,
        }
    }

    fn identify(&self, sql: String) -> Statement {
        Statement::new(sql)
            .bind(self.request.get())
            .bind(self.account.as_str())
    }

    fn grow_levels(&self) -> Statement {
        let more = "((n.value ->> 'hold') - (h.value ->> 'hold'))";
        let mut sql = GROW_LEVELS.to_owned();
        for period in Period::ALL {
            let fits = fits_sql(
                period,
                ("accounts", "spend_limit"),
                more,
                ["?4", "?5", "?6"],
            );
            sql.push_str(&format!(
                " AND (accounts.spend_limit_{}_nanos IS NULL OR {fits})",
                period.as_str()
            ));
        }
        self.in_periods(self.identify(sql).bind(levels_json(&self.to)))
    }

    fn grow_key(&self) -> Statement {
        let more = "(?4 - json_extract(r.levels, '$[0].hold'))";
        let mut sql = GROW_KEY.to_owned();
        for period in Period::ALL {
            let fits = fits_sql(period, ("k", "budget"), more, ["?5", "?6", "?7"]);
            sql.push_str(&format!(
                " AND (k.budget_{}_nanos IS NULL OR {fits})",
                period.as_str()
            ));
        }
        let own = self.to.first().map_or(Nanos::ZERO, |level| level.hold);
        let statement = self.identify(sql).bind(self.key.as_str()).bind(own.get());
        self.in_periods(statement)
    }

    fn in_periods(&self, statement: Statement) -> Statement {
        let now = Periods::of(self.now_ms);
        statement.bind(now.day).bind(now.week).bind(now.month)
    }

    /// What each level would take besides, from the caller's account up.
    fn more(&self) -> impl Iterator<Item = Nanos> {
        let levels = self.to.iter().zip(&self.from);
        levels.map(|(to, from)| to.hold.minus(from.hold).unwrap_or(Nanos::ZERO))
    }

    fn refusal(&self, snapshot: &Snapshot) -> Option<Refusal> {
        let mut levels = snapshot.levels.iter().zip(self.more());
        if let Some((caller, more)) = levels.next() {
            if !caller.active {
                return Some(Refusal::AccountSuspended);
            }
            if let Some(exceeded) = snapshot.key.purse.exceeded(more, self.now_ms) {
                return Some(Refusal::KeyBudgetExceeded(exceeded));
            }
            if let Some(exceeded) = caller.purse.exceeded(more, self.now_ms) {
                return Some(Refusal::SpendLimitExceeded(exceeded));
            }
            if caller.free() < more {
                return Some(Refusal::InsufficientCredits {
                    balance: caller.balance,
                    held: caller.purse.held,
                    needed: more,
                });
            }
        }
        for (level, more) in levels {
            if !level.active {
                return Some(Refusal::ResellerUnavailable { dry: None });
            }
            if level.available(self.now_ms) < more {
                let dry = Some(level.account.clone());
                return Some(Refusal::ResellerUnavailable { dry });
            }
        }
        None
    }
}

impl ExtensionBatch {
    /// What the reply to the batch says. `extension` is the one that the batch was made from.
    pub fn read(&self, extension: &Extension, reply: &Reply) -> Result<Extended, HranaFault> {
        if reply.is_ok(self.commit) {
            return Ok(Extended::Now);
        }
        let held = match reply.rows(self.state).first() {
            Some(row) => row.get::<String>(0)? == "held",
            None if reply.is_ok(self.state) => false,
            None => return Ok(Extended::Contended),
        };
        if !held {
            return Ok(Extended::Gone);
        }
        let Some(row) = reply.rows(self.snapshot).first() else {
            return Ok(Extended::Contended);
        };
        let snapshot = read_snapshot(row)?;
        Ok(match extension.refusal(&snapshot) {
            Some(refusal) => Extended::Refused(Box::new((refusal, snapshot))),
            None => Extended::Contended,
        })
    }
}
