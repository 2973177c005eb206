//! The sweep: finds holds whose Worker is gone. A Worker that is gone may have sent the call, so none
//! of them is given back without asking the provider; how they end is in `stored_call`.

use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::RequestId;
use crate::stored_call::{COLUMNS, StoredCall, read_stored_call};

/// How far behind now the sweep starts to look at least, in milliseconds: an admission may commit
/// this long after its id was drawn.
pub(crate) const LOOK_BACK_MS: i64 = 600_000;

const OVERDUE: &str = "\
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
    Statement::new(format!("SELECT {COLUMNS}\n{OVERDUE}"))
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
pub fn read_overdue(row: &Row) -> Result<StoredCall, HranaFault> {
    read_stored_call(row)
}
