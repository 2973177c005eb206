//! Reading the audit log a page at a time: an account its own, the operator all of it.

use super::actor_sql;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::AccountId;

/// Whose log is read, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditScope<'a> {
    /// An account reads its own.
    Own(&'a AccountId),
    /// The operator reads everybody's; anyone else who asks for it gets nothing.
    Everything(&'a AccountId),
}

/// Which lines of the log a page shows, the latest first.
#[derive(Clone, Copy, Debug)]
pub struct AuditQuery<'a> {
    /// Whose.
    pub scope: AuditScope<'a>,
    /// Only lines by this actor, such as `admin:alice` or `person:per_…`; empty: all.
    pub actor: &'a str,
    /// Only actions that begin like this, such as `rule.`; empty: all.
    pub action: &'a str,
    /// Only lines about what has this id; empty: all.
    pub subject: &'a str,
    /// Only lines before this one.
    pub before: Option<i64>,
    /// How many.
    pub count: u32,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number: later lines have higher ones.
    pub id: i64,
    /// The account whose log it is in.
    pub account: String,
    /// Who made the change, for people: a name or address, or for a stranger only the kind of actor.
    pub by: String,
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

impl AuditQuery<'_> {
    /// Reads the page.
    #[must_use]
    pub fn statement(&self) -> Statement {
        let (reader, by, scope) = match self.scope {
            AuditScope::Own(account) => (account, actor_sql("?1"), "l.account_id = ?1"),
            AuditScope::Everything(operator) => (
                operator,
                "coalesce((SELECT coalesce(nullif(p.name, ''), p.email) FROM people p \
                 WHERE 'person:' || p.id = l.actor AND p.id = substr(l.actor, 8)), l.actor)"
                    .to_owned(),
                "EXISTS (SELECT 1 FROM accounts o WHERE o.id = ?1 AND o.kind = 'operator')",
            ),
        };
        let tests = [
            (self.before.is_some(), " AND l.id < ?2"),
            (!self.actor.is_empty(), " AND l.actor = ?3"),
            (
                !self.action.is_empty(),
                " AND substr(l.action, 1, length(?4)) = ?4",
            ),
            (!self.subject.is_empty(), " AND l.subject = ?5"),
        ];
        let tests: String = tests
            .into_iter()
            .filter_map(|(wanted, test)| wanted.then_some(test))
            .collect();
        Statement::new(format!(
            "SELECT l.id, l.account_id, {by}, l.action, l.subject, l.before, l.after, \
             l.created_at_ms FROM audit_log l WHERE {scope}{tests} ORDER BY l.id DESC LIMIT ?6"
        ))
        .bind(reader.as_str())
        .bind(self.before)
        .bind(self.actor)
        .bind(self.action)
        .bind(self.subject)
        .bind(i64::from(self.count))
    }
}

/// Reads a row of the page.
pub fn read_audit_entry(row: &Row) -> Result<AuditEntry, HranaFault> {
    Ok(AuditEntry {
        id: row.get(0)?,
        account: row.get(1)?,
        by: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        before: row.get(5)?,
        after: row.get(6)?,
        created_at_ms: row.get(7)?,
    })
}
