//! The books: every account and key at one moment, against ledger entries, roll-ups, and the
//! requests that are not rolled up yet.

use super::{Drift, MOST_DRIFTS, Snapshot, What, compare};
use crate::calendar::Periods;
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement};
use crate::sweep::LOOK_BACK_MS;

/// What the accounts and keys say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    /// How many accounts were compared.
    pub accounts: u64,
    /// How many keys were compared.
    pub keys: u64,
    /// How many ledger entries were added up.
    pub entries: u64,
    /// How many rows of `usage_days` were added up.
    pub usage_days: u64,
    /// The UTC days since 1970 on which requests may be that are still there; [`super::day`] looks
    /// at each.
    pub days: std::ops::Range<i64>,
    /// What does not add up.
    pub drifts: Vec<Drift>,
}

/// The batch that reads the books.
#[derive(Clone, Debug)]
pub struct BooksBatch(Snapshot);

const EXTENT: &str = "\
SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM keys),
  (SELECT count(*) FROM ledger_entries), (SELECT count(*) FROM usage_days),
  (SELECT created_at_ms FROM requests ORDER BY id LIMIT 1),
  (SELECT created_at_ms FROM requests ORDER BY id DESC LIMIT 1),
  (SELECT count(*) FROM requests WHERE id < (SELECT pruned_to_id FROM usage_marks WHERE id = 1))";

// `sum` of integers fails when it overflows; it never becomes a float.
const ACCOUNTS: &str = "\
WITH mark AS (SELECT rolled_to_id AS id FROM usage_marks WHERE id = 1),
entries AS (SELECT account_id, sum(amount_nanos) AS nanos,
    sum(CASE WHEN kind = 'true_up' AND CAST(substr(reference, 9) AS INTEGER) < (SELECT id FROM mark)
      THEN -amount_nanos ELSE 0 END) AS true_ups
  FROM ledger_entries GROUP BY account_id),
rolled AS (SELECT account_id, sum(charge_nanos) AS charged, sum(true_up_nanos) AS true_ups
  FROM usage_days GROUP BY account_id),
recent AS (SELECT l.value ->> 'account' AS account_id,
    sum(CASE WHEN r.state = 'held' THEN 0 ELSE coalesce(l.value ->> 'charge', 0) END) AS charged,
    sum(CASE WHEN r.state = 'held' THEN l.value ->> 'hold' ELSE 0 END) AS held
  FROM requests r JOIN json_each(r.levels) l WHERE r.id >= (SELECT id FROM mark) GROUP BY 1),
everyone AS (SELECT id FROM accounts UNION SELECT account_id FROM rolled
  UNION SELECT account_id FROM recent),
sums AS (SELECT i.id,
    coalesce(e.nanos, 0) - coalesce(u.charged, 0) - coalesce(r.charged, 0) AS net,
    coalesce(a.balance_nanos - a.debt_nanos, 0) AS net_found,
    coalesce(r.held, 0) AS held, coalesce(a.held_nanos, 0) AS held_found,
    coalesce(u.charged, 0) + coalesce(r.charged, 0) AS charged,
    coalesce(a.charged_nanos, 0) AS charged_found,
    coalesce(e.true_ups, 0) AS true_ups, coalesce(u.true_ups, 0) AS true_ups_found
  FROM everyone i LEFT JOIN accounts a ON a.id = i.id LEFT JOIN entries e ON e.account_id = i.id
  LEFT JOIN rolled u ON u.account_id = i.id LEFT JOIN recent r ON r.account_id = i.id)
SELECT id, net, net_found, held, held_found, charged, charged_found, true_ups, true_ups_found
FROM sums
WHERE net <> net_found OR held <> held_found OR charged <> charged_found
  OR true_ups <> true_ups_found
ORDER BY id LIMIT ?1";

const KEYS: &str = "\
WITH mark AS (SELECT rolled_to_id AS id FROM usage_marks WHERE id = 1),
rolled AS (SELECT key_id, sum(charge_nanos) AS charged FROM usage_days
  WHERE account_id = caller_id GROUP BY key_id),
recent AS (SELECT key_id, sum(state = 'held') AS open,
    sum(CASE WHEN state = 'held' THEN coalesce(levels ->> '$[0].hold', 0) ELSE 0 END) AS held,
    sum(CASE WHEN state = 'held' THEN 0 ELSE coalesce(levels ->> '$[0].charge', 0) END) AS charged
  FROM requests WHERE id >= (SELECT id FROM mark) GROUP BY key_id),
everyone AS (SELECT id FROM keys UNION SELECT key_id FROM rolled UNION SELECT key_id FROM recent),
sums AS (SELECT i.id, coalesce(r.open, 0) AS open, coalesce(k.open_holds, 0) AS open_found,
    coalesce(r.held, 0) AS held, coalesce(k.held_nanos, 0) AS held_found,
    coalesce(u.charged, 0) + coalesce(r.charged, 0) AS charged,
    coalesce(k.charged_nanos, 0) AS charged_found
  FROM everyone i LEFT JOIN keys k ON k.id = i.id LEFT JOIN rolled u ON u.key_id = i.id
  LEFT JOIN recent r ON r.key_id = i.id)
SELECT id, open, open_found, held, held_found, charged, charged_found FROM sums
WHERE open <> open_found OR held <> held_found OR charged <> charged_found
ORDER BY id LIMIT ?1";

/// Reads the books, all at one moment.
#[must_use]
pub fn books() -> BooksBatch {
    let limited = |sql| Statement::new(sql).bind(i64::try_from(MOST_DRIFTS).unwrap_or(i64::MAX));
    BooksBatch(Snapshot::of([
        Statement::new(EXTENT),
        limited(ACCOUNTS),
        limited(KEYS),
    ]))
}

impl BooksBatch {
    /// What to execute.
    #[must_use]
    pub const fn batch(&self) -> &Batch {
        &self.0.batch
    }

    /// What the reply to the batch says.
    ///
    /// # Errors
    /// When a statement failed or a row is not as expected: then nothing is known of the books.
    pub fn read(&self, reply: &Reply) -> Result<Books, HranaFault> {
        let extent = self.0.rows(reply, 0)?.first();
        let extent = extent.ok_or(HranaFault::Malformed)?;
        let mut drifts = Vec::new();
        drifts.extend(compare(What::Pruned, "requests", 0, extent.get(6)?));
        for row in self.0.rows(reply, 1)? {
            let whats = [What::Balance, What::Held, What::Charged, What::TrueUps];
            compare_row(row, &whats, &mut drifts)?;
        }
        for row in self.0.rows(reply, 2)? {
            let whats = [What::KeyOpenHolds, What::KeyHeld, What::KeyCharged];
            compare_row(row, &whats, &mut drifts)?;
        }
        Ok(Books {
            accounts: extent.get(0)?,
            keys: extent.get(1)?,
            entries: extent.get(2)?,
            usage_days: extent.get(3)?,
            days: days(extent.get(4)?, extent.get(5)?),
            drifts,
        })
    }
}

/// After the id, what is expected and what was found, pair by pair.
fn compare_row(row: &Row, whats: &[What], drifts: &mut Vec<Drift>) -> Result<(), HranaFault> {
    let id: String = row.get(0)?;
    let mut numbers = 1_usize..;
    for what in whats {
        let mut next = || row.get::<i64>(numbers.next().unwrap_or_default());
        drifts.extend(compare(*what, &id, next()?, next()?));
    }
    Ok(())
}

/// A request's id and its moment may be apart, and so may two of them.
fn days(first_ms: Option<i64>, last_ms: Option<i64>) -> std::ops::Range<i64> {
    let (Some(first_ms), Some(last_ms)) = (first_ms, last_ms) else {
        return 0..0;
    };
    let first = Periods::of(first_ms.saturating_sub(LOOK_BACK_MS)).day;
    let last = Periods::of(last_ms.saturating_add(LOOK_BACK_MS)).day;
    first..last.saturating_add(1)
}
