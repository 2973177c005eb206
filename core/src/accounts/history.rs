//! What people read of an account's past: ledger entries, calls and the audit log, the latest first.
//! What each of them means is decided where it is written.

use super::read::id;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, KeyId, RequestId};
use crate::money::Nanos;

/// A movement of credit that is not usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// The word for why; see `ledger::EntryKind`.
    pub kind: String,
    /// More credit if positive.
    pub amount: Nanos,
    /// The business event.
    pub reference: String,
    /// What people read.
    pub reason: String,
    /// When, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// A call as one account of its chain sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLine {
    /// The call's id.
    pub id: RequestId,
    /// The account whose key made it.
    pub account: AccountId,
    /// The key.
    pub key: KeyId,
    /// The model's slug.
    pub model: String,
    /// `held`, `settled` or `voided`.
    pub state: String,
    /// How it was resolved; see `settlement::Outcome`. `None` while held.
    pub outcome: Option<String>,
    /// What it holds, or held, of the reading account's credit.
    pub hold: Nanos,
    /// What the reading account was charged; `None` while held.
    pub charge: Option<Nanos>,
    /// Tokens of the prompt, once known.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, once known.
    pub completion_tokens: Option<u64>,
    /// The HTTP status that the caller got.
    pub status: Option<u64>,
    /// The public error that the caller got.
    pub error_code: Option<String>,
    /// When it began, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// A change that a person made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// The account whose log it is in.
    pub account: String,
    /// Who made it.
    pub actor: String,
    /// What was done, such as `key.revoke`.
    pub action: String,
    /// The id of what was changed.
    pub subject: String,
    /// JSON of what was there.
    pub before: String,
    /// JSON of what is there now.
    pub after: String,
    /// When, in Unix milliseconds.
    pub created_at_ms: i64,
}

// A range of ids is a range of time: without its start, an account that makes no calls would read
// the calls of everybody.
const CALLS: &str = "\
SELECT q.id, q.account_id, q.key_id, q.model, q.state, q.outcome, json_extract(l.value, '$.hold'),
  json_extract(l.value, '$.charge'), q.prompt_tokens, q.completion_tokens, q.status, q.error_code,
  q.created_at_ms
FROM requests q JOIN json_each(q.levels) l ON json_extract(l.value, '$.account') = ?1
WHERE q.id >= ?2 ORDER BY q.id DESC LIMIT ?3";

const AUDIT: &str = "\
SELECT account_id, actor, action, subject, before, after, created_at_ms FROM audit_log";

/// Reads the last `count` ledger entries of an account.
#[must_use]
pub fn ledger_statement(account: &AccountId, count: u32) -> Statement {
    Statement::new(
        "SELECT kind, amount_nanos, reference, reason, created_at_ms FROM ledger_entries \
         WHERE account_id = ?1 ORDER BY id DESC LIMIT ?2",
    )
    .bind(account.as_str())
    .bind(i64::from(count))
}

/// Reads the row of a ledger entry.
pub fn read_ledger_line(row: &Row) -> Result<LedgerLine, HranaFault> {
    Ok(LedgerLine {
        kind: row.get(0)?,
        amount: Nanos::new(row.get(1)?),
        reference: row.get(2)?,
        reason: row.get(3)?,
        created_at_ms: row.get(4)?,
    })
}

/// Reads the last `count` calls since a moment in Unix milliseconds that charge an account: its own
/// and those of the accounts below it.
#[must_use]
pub fn calls_statement(account: &AccountId, since_ms: i64, count: u32) -> Statement {
    Statement::new(CALLS)
        .bind(account.as_str())
        .bind(RequestId::first_at(since_ms).get())
        .bind(i64::from(count))
}

/// Reads the row of a call.
pub fn read_call_line(row: &Row) -> Result<CallLine, HranaFault> {
    Ok(CallLine {
        id: RequestId::from_stored(row.get(0)?),
        account: id(row, 1, AccountId::parse)?,
        key: id(row, 2, KeyId::parse)?,
        model: row.get(3)?,
        state: row.get(4)?,
        outcome: row.get(5)?,
        hold: Nanos::new(row.get(6)?),
        charge: row.get::<Option<i64>>(7)?.map(Nanos::new),
        prompt_tokens: row.get(8)?,
        completion_tokens: row.get(9)?,
        status: row.get(10)?,
        error_code: row.get(11)?,
        created_at_ms: row.get(12)?,
    })
}

/// Reads the last `count` lines of the audit log of one account, or of all of them.
#[must_use]
pub fn audit_statement(account: Option<&AccountId>, count: u32) -> Statement {
    let count = i64::from(count);
    match account {
        Some(account) => Statement::new(format!(
            "{AUDIT} WHERE account_id = ?1 ORDER BY id DESC LIMIT ?2"
        ))
        .bind(account.as_str())
        .bind(count),
        None => Statement::new(format!("{AUDIT} ORDER BY id DESC LIMIT ?1")).bind(count),
    }
}

/// Reads the row of a line of the audit log.
pub fn read_audit_line(row: &Row) -> Result<AuditLine, HranaFault> {
    Ok(AuditLine {
        account: row.get(0)?,
        actor: row.get(1)?,
        action: row.get(2)?,
        subject: row.get(3)?,
        before: row.get(4)?,
        after: row.get(5)?,
        created_at_ms: row.get(6)?,
    })
}
