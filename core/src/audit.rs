//! The audit log: every change that a person makes, with before and after, written by the same
//! transaction that makes the change; and what the database said to such a change.

mod page;

use crate::hrana::{Batch, Condition, Reply, Statement, StepIndex};
use crate::ids::AccountId;

pub use page::{AuditEntry, AuditQuery, AuditScope, read_audit_entry};

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
    /// A table with a column `id`, or such a subselect in parentheses; never text from outside.
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

/// SQL for who made the change of the row `l` of `audit_log`, as an account may know it: a person of the
/// account's own by name or address, anyone else only by what kind of actor it is. `account` is an SQL
/// expression for the account's id.
pub(crate) fn actor_sql(account: &str) -> String {
    format!(
        "coalesce((SELECT coalesce(nullif(p.name, ''), p.email) FROM people p \
         WHERE 'person:' || p.id = l.actor AND p.id = substr(l.actor, 8) AND p.account_id = {account}), \
         substr(l.actor, 1, instr(l.actor || ':', ':') - 1))"
    )
}

/// What the database said to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was made.
    Now,
    /// There is nothing to change for who asks: no such thing, or another's.
    NotFound,
    /// It is there, but not so that it can be changed like this; nothing changed.
    Refused,
    /// Nothing changed, though it could have. Try again.
    Contended,
}

/// A change as one transaction, and a read that tells why it did not take place.
#[derive(Clone, Debug)]
pub struct ChangeBatch {
    /// What to execute.
    pub batch: Batch,
    begin: StepIndex,
    commit: StepIndex,
    subject: StepIndex,
}

impl ChangeBatch {
    /// The transaction of `steps`, if `subject`, a `SELECT` of what is to be changed as far as who asks
    /// may change it, finds a row. Every step must change something.
    pub(crate) fn new(subject: &Statement, steps: impl IntoIterator<Item = Statement>) -> Self {
        Self::with_tail(subject, steps, None)
    }

    /// The same, with a last step that may find nothing to change.
    pub(crate) fn with_tail(
        subject: &Statement,
        steps: impl IntoIterator<Item = Statement>,
        tail: Option<Statement>,
    ) -> Self {
        let mut batch = Batch::new();
        let begin = batch.steps().len();
        let mut transaction = batch.begin(None);
        transaction.require_row(subject);
        for step in steps {
            transaction.then(step);
            transaction.require_change();
        }
        if let Some(tail) = tail {
            transaction.then(tail);
        }
        let commit = transaction.commit();
        let subject = batch.step(Some(Condition::not_ok(commit)), subject.clone());
        Self {
            batch,
            begin,
            commit,
            subject,
        }
    }

    /// The step that runs without error when the change is made.
    pub(crate) const fn commit(&self) -> StepIndex {
        self.commit
    }

    /// What the reply to the batch says.
    #[must_use]
    pub fn read(&self, reply: &Reply) -> Changed {
        // The step before the commit is the last test: when it ran, the commit itself was in the way.
        let made = reply.is_ok(self.commit.saturating_sub(1));
        if reply.is_ok(self.commit) {
            Changed::Now
        } else if !reply.is_ok(self.begin) || !reply.is_ok(self.subject) || made {
            Changed::Contended
        } else if reply.rows(self.subject).is_empty() {
            Changed::NotFound
        } else {
            Changed::Refused
        }
    }
}
