//! Ledger entries: everything that moves credit and is not usage. Each enters once, by its
//! reference, in the transaction that moves the balance.

use crate::audit::{Change, Entry};
use crate::hrana::{Batch, Condition, HranaFault, Reply, Statement, StepIndex};
use crate::ids::AccountId;
use crate::money::Nanos;

/// Why credit moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A paid credit pack.
    Purchase,
    /// A purchase given back.
    Refund,
    /// A purchase disputed at the bank, or won back.
    Dispute,
    /// Credit given by a person.
    Grant,
    /// A correction by a person.
    Adjustment,
    /// Credit moved between accounts.
    Transfer,
    /// The difference to what the provider's own record says.
    TrueUp,
}

impl EntryKind {
    /// The word that the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Grant => "grant",
            Self::Adjustment => "adjustment",
            Self::Transfer => "transfer",
            Self::TrueUp => "true_up",
        }
    }
}

/// One movement of credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Whose credit moves.
    pub account: AccountId,
    /// Why.
    pub kind: EntryKind,
    /// More credit if positive; never zero.
    pub amount: Nanos,
    /// The business event: the same reference enters once.
    pub reference: String,
    /// What people read in the statement.
    pub reason: String,
}

/// What the database said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// The entry is in the ledger and the balance moved.
    Now,
    /// The same entry was posted before; nothing changed.
    Before,
    /// Another entry has this reference; nothing changed.
    ReferenceTaken,
    /// There is no such account, or the amount does not fit its balance.
    Impossible,
}

/// The batch of an entry, and where its answers stand.
#[derive(Clone, Debug)]
pub struct PostBatch {
    /// What to execute.
    pub batch: Batch,
    commit: StepIndex,
    existing: StepIndex,
}

const INSERT: &str = "\
INSERT INTO ledger_entries (account_id, kind, amount_nanos, reference, reason, created_at_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (reference) DO NOTHING";

// A credit repays the debt first.
const CREDIT: &str = "\
UPDATE accounts SET balance_nanos = balance_nanos + ?2 - min(debt_nanos, ?2),
  debt_nanos = debt_nanos - min(debt_nanos, ?2) WHERE id = ?1";

// A clawback takes what is free; the rest is debt.
const CLAWBACK: &str = "\
UPDATE accounts SET balance_nanos = balance_nanos - min(balance_nanos - held_nanos, ?2),
  debt_nanos = debt_nanos + ?2 - min(balance_nanos - held_nanos, ?2) WHERE id = ?1";

const EXISTING: &str = "\
SELECT account_id = ?2 AND kind = ?3 AND amount_nanos = ?4 FROM ledger_entries WHERE reference = ?1";

impl LedgerEntry {
    /// The batch that posts the entry and logs who did it.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> PostBatch {
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        transaction.then(
            Statement::new(INSERT)
                .bind(self.account.as_str())
                .bind(self.kind.as_str())
                .bind(self.amount.get())
                .bind(self.reference.as_str())
                .bind(self.reason.as_str())
                .bind(change.at_ms),
        );
        transaction.require_change();
        transaction.then(
            change.of(Entry {
                action: "ledger.post",
                table: "accounts",
                subject: self.account.as_str(),
                before: "json_object('balance_nanos', r.balance_nanos, 'debt_nanos', r.debt_nanos)",
                after: serde_json::json!({
                    "kind": self.kind.as_str(),
                    "amount_nanos": self.amount.get(),
                    "reference": self.reference,
                    "reason": self.reason,
                })
                .to_string(),
            }),
        );
        transaction.require_change();
        let move_sql = if self.amount > Nanos::ZERO {
            CREDIT
        } else {
            CLAWBACK
        };
        let magnitude = i64::try_from(self.amount.get().unsigned_abs()).unwrap_or(i64::MAX);
        transaction.then(
            Statement::new(move_sql)
                .bind(self.account.as_str())
                .bind(magnitude),
        );
        transaction.require_change();
        let commit = transaction.commit();
        let existing = batch.step(
            Some(Condition::not_ok(commit)),
            Statement::new(EXISTING)
                .bind(self.reference.as_str())
                .bind(self.account.as_str())
                .bind(self.kind.as_str())
                .bind(self.amount.get()),
        );
        PostBatch {
            batch,
            commit,
            existing,
        }
    }
}

impl PostBatch {
    /// What the reply to the batch says.
    pub fn read(&self, reply: &Reply) -> Result<Posted, HranaFault> {
        if reply.is_ok(self.commit) {
            return Ok(Posted::Now);
        }
        Ok(match reply.rows(self.existing).first() {
            None => Posted::Impossible,
            Some(row) if row.get::<bool>(0)? => Posted::Before,
            Some(_) => Posted::ReferenceTaken,
        })
    }
}
