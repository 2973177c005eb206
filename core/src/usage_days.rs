//! Roll-ups and retention: adds resolved requests to `usage_days` after the fact, and lets old ones
//! go once they are counted there. The call itself writes nothing for it. These statements serve the
//! whole database, in bites, so that no call waits long for the write lock.

use crate::accounts::Commit;
use crate::hrana::{Batch, HranaFault, Row, Statement};
use crate::ids::RequestId;
use crate::sweep::LOOK_BACK_MS;

const MS_PER_DAY: i64 = 86_400_000;

/// How long an `Idempotency-Key` is kept, in milliseconds.
const IDEMPOTENCY_MS: i64 = MS_PER_DAY;

/// Requests with ids in a range, all of which are there to be taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bite {
    /// How many requests are in it; never zero.
    pub requests: u64,
    from: RequestId,
    to: RequestId,
}

// Before the border every request is resolved, its true-up is done, and no other can come: an
// admission may commit `LOOK_BACK_MS` after its id was drawn.
const ROLL_UP_PLAN: &str = "\
WITH mark AS (SELECT rolled_to_id AS id FROM usage_marks WHERE id = 1),
bite AS (SELECT r.id, r.state FROM requests r
  WHERE r.id >= (SELECT id FROM mark) AND r.id < ?1 ORDER BY r.id LIMIT ?2),
border AS (SELECT min(
  CASE WHEN (SELECT count(*) FROM bite) < ?2 THEN ?1 ELSE (SELECT max(id) + 1 FROM bite) END,
  coalesce((SELECT min(id) FROM bite WHERE state = 'held'), ?1),
  coalesce((SELECT min(request_id) FROM true_ups WHERE request_id >= (SELECT id FROM mark)), ?1)
) AS id)
SELECT mark.id, border.id, (SELECT count(*) FROM bite WHERE id < border.id) FROM mark, border";

const PRUNE_PLAN: &str = "\
WITH mark AS (SELECT pruned_to_id AS from_id, min(rolled_to_id, ?1) AS to_id
  FROM usage_marks WHERE id = 1),
bite AS (SELECT r.id FROM requests r WHERE r.id >= (SELECT from_id FROM mark)
  AND r.id < (SELECT to_id FROM mark) ORDER BY r.id LIMIT ?2)
SELECT from_id,
  CASE WHEN (SELECT count(*) FROM bite) < ?2 THEN to_id ELSE (SELECT max(id) + 1 FROM bite) END,
  (SELECT count(*) FROM bite) FROM mark";

// Nothing that the plan saw is relied on.
const STILL_OPEN: &str = "\
INSERT INTO guard (ok) SELECT 0
WHERE EXISTS (SELECT 1 FROM requests WHERE id >= ?1 AND id < ?2 AND state = 'held')
  OR EXISTS (SELECT 1 FROM true_ups WHERE request_id >= ?1 AND request_id < ?2)";

const ADD: &str = "\
ON CONFLICT (account_id, day, key_id, model) DO UPDATE SET
  settled = settled + excluded.settled,
  voided = voided + excluded.voided,
  prompt_tokens = prompt_tokens + excluded.prompt_tokens,
  cached_tokens = cached_tokens + excluded.cached_tokens,
  cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
  completion_tokens = completion_tokens + excluded.completion_tokens,
  reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,
  charge_nanos = charge_nanos + excluded.charge_nanos,
  base_nanos = base_nanos + excluded.base_nanos,
  true_up_nanos = true_up_nanos + excluded.true_up_nanos";

/// The columns of `usage_days` in the order in which [`USAGE`] selects them.
pub(crate) const COLUMNS: &str = "\
account_id, day, key_id, model, caller_id, settled, voided, prompt_tokens, cached_tokens,
  cache_write_tokens, completion_tokens, reasoning_tokens, charge_nanos, base_nanos, true_up_nanos";

/// Resolved requests as rows of `usage_days`: the rows of `requests r` are still to be chosen, and
/// the groups to be made of the first five columns.
///
/// The reference of a true-up is `true_up:REQUEST:ACCOUNT`. Counts and costs beyond anything that a
/// call can have come from an absurd answer of the provider; they are cut off, because one of them
/// must not stop the sums of everybody.
pub(crate) const USAGE: &str = "\
SELECT l.value ->> 'account' AS account_id, r.created_at_ms / 86400000 AS day, r.key_id, r.model,
  r.account_id AS caller_id,
  sum(r.state = 'settled') AS settled, sum(r.state = 'voided') AS voided,
  sum(min(coalesce(r.prompt_tokens, 0), 1000000000000)) AS prompt_tokens,
  sum(min(coalesce(r.cached_tokens, 0), 1000000000000)) AS cached_tokens,
  sum(min(coalesce(r.cache_write_tokens, 0), 1000000000000)) AS cache_write_tokens,
  sum(min(coalesce(r.completion_tokens, 0), 1000000000000)) AS completion_tokens,
  sum(min(coalesce(r.reasoning_tokens, 0), 1000000000000)) AS reasoning_tokens,
  sum(coalesce(l.value ->> 'charge', 0)) AS charge_nanos,
  sum(coalesce(r.levels ->> ('$[' || (l.key + 1) || '].charge'),
      min(coalesce(r.cost_nanos, 0), 1000000000000000))
    - CASE WHEN r.trued_up_at_ms IS NULL THEN 0 ELSE coalesce((SELECT e.amount_nanos
        FROM ledger_entries e WHERE e.reference = 'true_up:' || r.id || ':' ||
          (r.levels ->> ('$[' || (l.key + 1) || '].account'))), 0) END) AS base_nanos,
  sum(CASE WHEN r.trued_up_at_ms IS NULL THEN 0 ELSE -coalesce((SELECT e.amount_nanos
    FROM ledger_entries e WHERE e.reference = 'true_up:' || r.id || ':' ||
      (l.value ->> 'account')), 0) END) AS true_up_nanos
FROM requests r JOIN json_each(r.levels) l";

/// Reads which requests can be rolled up next, at most `most`. It locks nothing; the row is for
/// [`read_bite`].
#[must_use]
pub fn roll_up_plan(now_ms: i64, most: u32) -> Statement {
    let newest = RequestId::first_at(now_ms.saturating_sub(LOOK_BACK_MS));
    Statement::new(ROLL_UP_PLAN)
        .bind(newest.get())
        .bind(i64::from(most))
}

/// Reads which requests are counted and older than `retention_days`, at most `most`; the row is for
/// [`read_bite`]. `None` when requests are kept for ever, which zero days mean.
#[must_use]
pub fn prune_plan(now_ms: i64, retention_days: i64, most: u32) -> Option<Statement> {
    (retention_days > 0).then(|| {
        let age_ms = retention_days.saturating_mul(MS_PER_DAY);
        let newest = RequestId::first_at(now_ms.saturating_sub(age_ms));
        Statement::new(PRUNE_PLAN)
            .bind(newest.get())
            .bind(i64::from(most))
    })
}

/// The bite of a plan; `None` when there is nothing to take.
pub fn read_bite(row: &Row) -> Result<Option<Bite>, HranaFault> {
    let bite = Bite {
        from: RequestId::from_stored(row.get(0)?),
        to: RequestId::from_stored(row.get(1)?),
        requests: row.get(2)?,
    };
    Ok((bite.requests > 0).then_some(bite))
}

impl Bite {
    /// Adds these requests to `usage_days` and moves the mark, in one transaction. It commits once:
    /// sent again, or beside another run that was faster, it changes nothing.
    #[must_use]
    pub fn roll_up(&self) -> Commit {
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        transaction.then(
            self.range(
                "UPDATE usage_marks SET rolled_to_id = ?2 WHERE id = 1 AND rolled_to_id = ?1",
            ),
        );
        transaction.require_change();
        transaction.then(self.range(STILL_OPEN));
        transaction.then(self.range(format!(
            "INSERT INTO usage_days ({COLUMNS})\n{USAGE}\n\
             WHERE r.id >= ?1 AND r.id < ?2 GROUP BY 1, 2, 3, 4, 5\n{ADD}"
        )));
        let commit = transaction.commit();
        (batch, commit)
    }

    /// Deletes these requests and moves the mark, in one transaction that commits once.
    #[must_use]
    pub fn prune(&self) -> Commit {
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        transaction.then(self.range("DELETE FROM requests WHERE id >= ?1 AND id < ?2"));
        transaction.then(
            self.range(
                "UPDATE usage_marks SET pruned_to_id = ?2 WHERE id = 1 AND pruned_to_id = ?1",
            ),
        );
        transaction.require_change();
        let commit = transaction.commit();
        (batch, commit)
    }

    fn range(&self, sql: impl Into<std::borrow::Cow<'static, str>>) -> Statement {
        Statement::new(sql)
            .bind(self.from.get())
            .bind(self.to.get())
    }
}

/// Deletes `Idempotency-Key`s of every account that are older than 24 hours, at most `most`; a row
/// for each. The oldest have the lowest row ids, so no index is needed to find them.
#[must_use]
pub fn expire_idempotency_keys(now_ms: i64, most: u32) -> Statement {
    Statement::new(
        "DELETE FROM idempotency_keys WHERE created_at_ms < ?1 AND rowid IN \
         (SELECT rowid FROM idempotency_keys ORDER BY rowid LIMIT ?2) RETURNING 1",
    )
    .bind(now_ms.saturating_sub(IDEMPOTENCY_MS))
    .bind(i64::from(most))
}

/// Claims the reconciliation of the day of `now_ms`: a row exactly for the first who asks on that
/// UTC day, however late.
#[must_use]
pub fn claim_reconciliation(now_ms: i64) -> Statement {
    Statement::new(
        "UPDATE usage_marks SET reconciled_day = ?1 WHERE id = 1 AND reconciled_day < ?1 \
         RETURNING reconciled_day",
    )
    .bind(now_ms.div_euclid(MS_PER_DAY))
}
