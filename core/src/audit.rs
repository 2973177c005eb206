//! The audit log: every change that a person makes, with before and after, written by the same
//! transaction that makes the change.

use crate::hrana::Statement;
use crate::ids::AccountId;

/// Who changes what, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The account whose log it enters.
    pub account: AccountId,
    /// Who did it, such as `admin:alice`.
    pub actor: String,
    /// Now, in Unix milliseconds.
    pub at_ms: i64,
}

/// What the log says of a change: SQL expressions for `before` and `after` are JSON objects that
/// may read the row `r` of `table` with the subject's id.
pub(crate) struct Entry<'a> {
    pub action: &'static str,
    pub table: &'static str,
    pub subject: &'a str,
    /// A constant SQL expression; never text from outside.
    pub before: &'static str,
    /// JSON, bound as a value.
    pub after: String,
}

impl Change {
    /// Writes the entry if the subject exists; goes before the statement that changes it.
    pub(crate) fn of(&self, entry: Entry<'_>) -> Statement {
        let Entry {
            action,
            table,
            subject,
            before,
            after,
        } = entry;
        let sql = format!(
            "INSERT INTO audit_log (account_id, actor, action, subject, before, after, created_at_ms) \
             SELECT ?1, ?2, ?3, r.id, {before}, ?5, ?6 FROM {table} r WHERE r.id = ?4"
        );
        Statement::new(sql)
            .bind(self.account.as_str())
            .bind(self.actor.as_str())
            .bind(action)
            .bind(subject)
            .bind(after)
            .bind(self.at_ms)
    }
}
