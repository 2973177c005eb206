//! The statement of an account: its ledger entries page by page, the latest first.

use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::AccountId;
use crate::money::Nanos;

use super::EntryKind;

/// One entry of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// Its place in the ledger: the page after this one begins below it.
    pub place: i64,
    /// Why credit moved.
    pub kind: EntryKind,
    /// More credit if positive.
    pub amount: Nanos,
    /// The business event.
    pub reference: String,
    /// What people read.
    pub reason: String,
    /// When, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// Reads a page of at most `count` entries below a place, or the latest ones.
#[must_use]
pub fn statement_page(account: &AccountId, below: Option<i64>, count: u32) -> Statement {
    Statement::new(
        "SELECT id, kind, amount_nanos, reference, reason, created_at_ms FROM ledger_entries \
         WHERE account_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
    )
    .bind(account.as_str())
    .bind(below.unwrap_or(i64::MAX))
    .bind(i64::from(count))
}

/// Reads the row of an entry.
pub fn read_statement_line(row: &Row) -> Result<StatementLine, HranaFault> {
    let word: String = row.get(1)?;
    Ok(StatementLine {
        place: row.get(0)?,
        kind: EntryKind::parse(&word).ok_or(HranaFault::UnexpectedColumn(1))?,
        amount: Nanos::new(row.get(2)?),
        reference: row.get(3)?,
        reason: row.get(4)?,
        created_at_ms: row.get(5)?,
    })
}
