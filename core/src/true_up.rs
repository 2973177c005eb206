//! True-ups: a call that was settled by an estimate is corrected to the provider's own record, once.
//! Here is which calls are due, what a record changes, and the one batch that posts it. The row in
//! `true_ups` is written by the settlement; asking the provider belongs to the shell.

use std::cmp::Ordering;

use crate::hrana::{Batch, Condition, HranaFault, Reply, Row, Statement, StepIndex, Transaction};
use crate::ids::{AccountId, RequestId};
use crate::ledger::EntryKind;
use crate::money::Nanos;
use crate::settlement::{Recorded, bind_usage};
use crate::stored_call::{COLUMNS, StoredCall, WIDTH, read_stored_call};

/// Pauses before the next question after one that brought no record, in milliseconds. The settlement
/// makes the first question due five seconds after it; after the last one the estimate stays.
const PAUSES_MS: [i64; 4] = [30_000, 120_000, 600_000, 1_800_000];

/// A call whose record is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTrueUp {
    /// The call.
    pub request: RequestId,
    /// The caller's account, as the queue names it.
    pub account: AccountId,
    attempts: u64,
}

/// What to do about a call whose record is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask again later.
    Later(Statement),
    /// The estimate stays, and the operator is told.
    GiveUp(Statement),
}

/// What a record changes about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    request: RequestId,
    account: AccountId,
    levels: Vec<LevelCorrection>,
    recorded: Recorded,
    cost: Nanos,
    shortfall: Nanos,
}

/// What one level still owes, or gets back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LevelCorrection {
    account: AccountId,
    /// Above zero it owes. Never below the negative of what it was charged.
    owed: Nanos,
}

/// What the database said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TruedUp {
    /// This batch posted the correction.
    Now {
        /// What no level's free balance could pay, over all levels: the operator's loss.
        untaken: Nanos,
    },
    /// The call was trued up or given up before; nothing changed.
    Before,
    /// Nothing changed, though it could have. Try again.
    Contended,
}

/// The batch of a `Correction`, and where its answers stand.
#[derive(Clone, Debug)]
pub struct TrueUpBatch {
    /// What to execute.
    pub batch: Batch,
    commit: StepIndex,
    /// For each level that owes, how much, and the step that tells what was taken.
    taken: Vec<(Nanos, StepIndex)>,
    waiting: StepIndex,
}

const DUE: &str = "\
FROM true_ups t LEFT JOIN requests r ON r.id = t.request_id AND r.account_id = t.account_id
  AND r.state <> 'held' AND r.trued_up_at_ms IS NULL
  LEFT JOIN costs c ON c.id = r.cost_id
WHERE t.due_at_ms <= ?1 ORDER BY t.due_at_ms, t.request_id LIMIT ?2";

const LEAVE_QUEUE: &str = "DELETE FROM true_ups WHERE request_id = ?1 AND account_id = ?2";

// The entry is what can really be taken: neither from what is held nor below zero, and never debt.
const TAKE: &str = "\
INSERT INTO ledger_entries (account_id, kind, amount_nanos, reference, reason, created_at_ms)
SELECT id, ?3, -min(?4, balance_nanos - held_nanos), ?2, ?5, ?6 FROM accounts
WHERE id = ?1 AND balance_nanos > held_nanos";

const GIVE: &str = "\
INSERT INTO ledger_entries (account_id, kind, amount_nanos, reference, reason, created_at_ms)
SELECT id, ?3, ?4, ?2, ?5, ?6 FROM accounts WHERE id = ?1";

// The balance moves by what the entry says. A credit repays the debt first.
const MOVE: &str = "\
UPDATE accounts SET
  balance_nanos = balance_nanos + (e.amount_nanos - max(0, min(debt_nanos, e.amount_nanos))),
  debt_nanos = debt_nanos - max(0, min(debt_nanos, e.amount_nanos))
FROM ledger_entries e WHERE e.reference = ?2 AND accounts.id = ?1 AND e.account_id = ?1";

const TAKEN: &str = "\
SELECT -amount_nanos FROM ledger_entries WHERE reference = ?2 AND account_id = ?1";

// What could not be taken at the caller's level is a loss beside what the hold did not cover.
const CORRECT: &str = "\
UPDATE requests SET outcome = ?3, prompt_tokens = ?4, cached_tokens = ?5, cache_write_tokens = ?6,
  completion_tokens = ?7, reasoning_tokens = ?8, cost_nanos = ?9, reported_cost_nanos = ?10,
  shortfall_nanos = ?11 + max(0, ?12 + coalesce((SELECT amount_nanos FROM ledger_entries
    WHERE reference = ?13 AND account_id = ?2), 0)),
  trued_up_at_ms = ?14
WHERE id = ?1 AND account_id = ?2 AND state <> 'held' AND trued_up_at_ms IS NULL";

/// Finds calls of every account whose record may be asked for now, the longest due first.
#[must_use]
pub fn due_statement(now_ms: i64, limit: u32) -> Statement {
    Statement::new(format!(
        "SELECT {COLUMNS},\n  t.request_id, t.account_id, t.attempts\n{DUE}"
    ))
    .bind(now_ms)
    .bind(i64::from(limit))
}

/// Reads a row that `due_statement` selects: its place in the queue.
pub fn read_due(row: &Row) -> Result<DueTrueUp, HranaFault> {
    let column = |offset: usize| WIDTH.saturating_add(offset);
    let account = row.get::<String>(column(1))?;
    Ok(DueTrueUp {
        request: RequestId::from_stored(row.get(column(0))?),
        account: AccountId::parse(&account).ok_or(HranaFault::UnexpectedColumn(column(1)))?,
        attempts: row.get(column(2))?,
    })
}

/// Reads the call of a row that `due_statement` selects. It is missing or unreadable where the call
/// cannot be corrected any more.
pub fn read_due_call(row: &Row) -> Result<StoredCall, HranaFault> {
    read_stored_call(row)
}

/// The reference of a level's entry, by which it enters once.
#[must_use]
pub fn true_up_reference(request: RequestId, account: &AccountId) -> String {
    format!("true_up:{}:{account}", request.get())
}

impl DueTrueUp {
    /// Whether no later question follows this one, so that a record that says nothing yet is final.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.pause_ms().is_none()
    }

    /// What to do when no record is there. Whoever comes second with the same row changes nothing.
    #[must_use]
    pub fn next(&self, now_ms: i64) -> Next {
        let sure = |sql: String| {
            let attempts = i64::try_from(self.attempts).unwrap_or(i64::MAX);
            Statement::new(sql)
                .bind(self.request.get())
                .bind(self.account.as_str())
                .bind(attempts)
        };
        match self.pause_ms() {
            Some(pause_ms) => {
                let later = "UPDATE true_ups SET attempts = attempts + 1, due_at_ms = ?4 \
                     WHERE request_id = ?1 AND account_id = ?2 AND attempts = ?3";
                let due_at_ms = now_ms.saturating_add(pause_ms);
                Next::Later(sure(later.to_owned()).bind(due_at_ms))
            }
            None => Next::GiveUp(sure(format!("{LEAVE_QUEUE} AND attempts = ?3"))),
        }
    }

    fn pause_ms(&self) -> Option<i64> {
        let attempts = usize::try_from(self.attempts).ok()?;
        PAUSES_MS.get(attempts).copied()
    }
}

impl StoredCall {
    /// What a record changes about this settled call: every level pays the price of what is recorded,
    /// at most its hold.
    #[must_use]
    pub fn correction(&self, recorded: Recorded) -> Correction {
        let priced = self.price(&recorded.outcome);
        let levels = self.levels.iter().zip(&priced.charges);
        Correction {
            request: self.request,
            account: self.account.clone(),
            levels: levels
                .map(|(level, charge)| LevelCorrection {
                    account: level.account.clone(),
                    // Both are within 0 and the hold.
                    owed: charge.minus(level.charge).unwrap_or(Nanos::ZERO),
                })
                .collect(),
            recorded,
            cost: priced.cost,
            shortfall: priced.shortfall,
        }
    }
}

impl Correction {
    /// What the caller still owes, or below zero what it gets back.
    #[must_use]
    pub fn owed(&self) -> Nanos {
        self.levels.first().map_or(Nanos::ZERO, |level| level.owed)
    }

    /// The batch: one transaction that begins by taking the call out of the queue, which one batch
    /// only can do.
    #[must_use]
    pub fn to_batch(&self, now_ms: i64) -> TrueUpBatch {
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        transaction.then(self.identify(LEAVE_QUEUE));
        transaction.require_changes(1);
        let mut taken = Vec::new();
        for level in &self.levels {
            match level.owed.cmp(&Nanos::ZERO) {
                Ordering::Equal => {}
                Ordering::Greater => {
                    let step = self.take(level, now_ms, &mut transaction);
                    taken.push((level.owed, step));
                }
                Ordering::Less => self.give_back(level, now_ms, &mut transaction),
            }
        }
        transaction.then(self.correct(now_ms));
        transaction.require_change();
        let commit = transaction.commit();
        let waiting = batch.step(
            Some(Condition::not_ok(commit)),
            self.identify("SELECT 1 FROM true_ups WHERE request_id = ?1 AND account_id = ?2"),
        );
        TrueUpBatch {
            batch,
            commit,
            taken,
            waiting,
        }
    }

    fn identify(&self, sql: &'static str) -> Statement {
        Statement::new(sql)
            .bind(self.request.get())
            .bind(self.account.as_str())
    }

    /// Takes what is free; the step tells how much that was.
    fn take(
        &self,
        level: &LevelCorrection,
        now_ms: i64,
        transaction: &mut Transaction<'_>,
    ) -> StepIndex {
        // With nothing free there is no entry, and so nothing moves.
        transaction.then(self.entry(TAKE, level, now_ms));
        transaction.then(self.of_level(MOVE, level));
        transaction.then(self.of_level(TAKEN, level))
    }

    fn give_back(&self, level: &LevelCorrection, now_ms: i64, transaction: &mut Transaction<'_>) {
        transaction.then(self.entry(GIVE, level, now_ms));
        transaction.require_change();
        transaction.then(self.of_level(MOVE, level));
        transaction.require_change();
    }

    fn entry(&self, sql: &'static str, level: &LevelCorrection, now_ms: i64) -> Statement {
        let amount = i64::try_from(level.owed.get().unsigned_abs()).unwrap_or(i64::MAX);
        let reason = if level.owed > Nanos::ZERO {
            "the provider recorded more than was charged"
        } else {
            "the provider recorded less than was charged"
        };
        self.of_level(sql, level)
            .bind(EntryKind::TrueUp.as_str())
            .bind(amount)
            .bind(reason)
            .bind(now_ms)
    }

    /// A statement about a level and the entry of its correction.
    fn of_level(&self, sql: &'static str, level: &LevelCorrection) -> Statement {
        Statement::new(sql)
            .bind(level.account.as_str())
            .bind(true_up_reference(self.request, &level.account))
    }

    fn correct(&self, now_ms: i64) -> Statement {
        let statement = self.identify(CORRECT).bind(self.recorded.outcome.as_str());
        bind_usage(statement, &self.recorded.outcome)
            .bind(self.cost.get())
            .bind(self.recorded.reported_cost.map(Nanos::get))
            .bind(self.shortfall.get())
            .bind(self.owed().get())
            .bind(true_up_reference(self.request, &self.account))
            .bind(now_ms)
    }
}

impl TrueUpBatch {
    /// What the reply to the batch says.
    pub fn read(&self, reply: &Reply) -> Result<TruedUp, HranaFault> {
        if !reply.is_ok(self.commit) {
            let waits = !reply.is_ok(self.waiting) || !reply.rows(self.waiting).is_empty();
            return Ok(if waits {
                TruedUp::Contended
            } else {
                TruedUp::Before
            });
        }
        let mut untaken = Nanos::ZERO;
        for (owed, step) in &self.taken {
            let row = reply.rows(*step).first();
            let taken = row.map_or(Ok(0), |row| row.get::<i64>(0))?;
            let rest = owed.minus(Nanos::new(taken)).unwrap_or_default();
            untaken = untaken.plus(rest).unwrap_or(Nanos::new(i64::MAX));
        }
        Ok(TruedUp::Now { untaken })
    }
}
