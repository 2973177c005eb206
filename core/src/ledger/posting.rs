//! The transaction of a posting, and what the database said to it. Refused postings change nothing,
//! and the same batch may be sent again after a lost reply.

use super::{Family, LedgerEntry, Line, Movement, Posting};
use crate::audit::{Change, Entry};
use crate::hrana::{Batch, Condition, HranaFault, Reply, Statement, StepIndex, Transaction};
use crate::money::Nanos;

/// What the database said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// The entries are in the ledger and the balances moved.
    Now,
    /// The same posting was made before; nothing changed.
    Before,
    /// Another entry has one of the references; nothing changed.
    ReferenceTaken,
    /// The accounts are not a reseller and an account right below it; nothing changed.
    NotRelated,
    /// What is to be taken back was never entered, or with another amount; nothing changed.
    NothingToReverse,
    /// Who gives a transfer has debt, or less free credit than it gives; nothing changed.
    NotCovered {
        /// The credit that would make it possible.
        missing: Nanos,
    },
    /// There is no such account, it is the operator's, or the amount does not fit its balance;
    /// nothing changed.
    Impossible,
    /// Nothing changed, though it could have. Try again.
    Contended,
}

/// The batch of a posting, and where its answers stand.
#[derive(Clone, Debug)]
pub struct PostBatch {
    /// What to execute.
    pub batch: Batch,
    begin: StepIndex,
    commit: StepIndex,
    /// A step for each entry: whether its reference is there, and the same entry.
    existing: Vec<StepIndex>,
    related: Option<StepIndex>,
    reversed: Vec<StepIndex>,
    cover: Option<Cover>,
}

/// The debit that must be covered.
#[derive(Clone, Copy, Debug)]
struct Cover {
    amount: Nanos,
    /// The step that runs without error when the debit was made.
    made: StepIndex,
    /// The step that reads what is free and owed.
    wallet: StepIndex,
}

const INSERT: &str = "\
INSERT INTO ledger_entries (account_id, kind, amount_nanos, reference, reason, created_at_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (reference) DO NOTHING";

// The operator is charged by nobody, so it has no credit.
//
// Beyond 64 bits SQL goes on with a float, which the table refuses unless a later term brings it back
// into range, rounded. So every column is the sum of itself and one term that cannot overflow.
//
// A credit repays the debt first.
const CREDIT: &str = "\
UPDATE accounts SET balance_nanos = balance_nanos + (?2 - min(debt_nanos, ?2)),
  debt_nanos = debt_nanos - min(debt_nanos, ?2) WHERE id = ?1 AND kind <> 'operator'";

// The amount of a debit is below zero, and not the least integer, of which there is no negative. A
// clawback takes what is free; the rest is debt.
const CLAWBACK: &str = "\
UPDATE accounts SET balance_nanos = balance_nanos - min(balance_nanos - held_nanos, -?2),
  debt_nanos = debt_nanos + (-?2 - min(balance_nanos - held_nanos, -?2))
WHERE id = ?1 AND kind <> 'operator' AND ?2 >= -9223372036854775807";

const COVERED: &str = "\
UPDATE accounts SET balance_nanos = balance_nanos + ?2
WHERE id = ?1 AND kind <> 'operator' AND debt_nanos = 0 AND balance_nanos - held_nanos >= -?2";

const EXISTING: &str = "\
SELECT account_id = ?2 AND kind = ?3 AND amount_nanos = ?4 FROM ledger_entries WHERE reference = ?1";

const REVERSED: &str = "\
SELECT 1 FROM ledger_entries WHERE reference = ?1 AND account_id = ?2 AND kind = ?3
  AND amount_nanos = -?4";

const PARENT_AND_CHILD: &str = "\
SELECT 1 FROM accounts c JOIN accounts p ON p.id = c.parent_id
WHERE p.kind = 'reseller' AND p.id = ?1 AND c.id = ?2";

const EITHER_ABOVE: &str = "\
SELECT 1 FROM accounts c JOIN accounts p ON p.id = c.parent_id
WHERE p.kind = 'reseller' AND ((p.id = ?1 AND c.id = ?2) OR (p.id = ?2 AND c.id = ?1))";

const OPERATOR_AND_CHILD: &str = "\
SELECT 1 FROM accounts c JOIN accounts p ON p.id = c.parent_id
WHERE p.kind = 'operator' AND p.id = ?1 AND c.id = ?2";

const WALLET: &str = "SELECT balance_nanos - held_nanos, debt_nanos FROM accounts WHERE id = ?1";

impl LedgerEntry {
    /// The batch that posts this entry alone and logs who did it.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> PostBatch {
        Posting::from(self.clone()).to_batch(change)
    }
}

impl Posting {
    /// The batch: one transaction, and reads that tell why it did not commit. Each entry leaves a
    /// line in its own account's audit log, by the actor and at the moment of `change`.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> PostBatch {
        let mut batch = Batch::new();
        let begin = batch.steps().len();
        let mut transaction = batch.begin(None);
        let covered = self.enter(&mut transaction, change);
        let commit = transaction.commit();
        let mut why = |statement| batch.step(Some(Condition::not_ok(commit)), statement);
        let existing = self.lines.iter().map(|line| why(line.existing())).collect();
        let related = self.family.as_ref().map(|family| why(family.statement()));
        let reversals = self.lines.iter().filter_map(Line::reversed);
        let reversed = reversals.map(&mut why).collect();
        let cover = covered.map(|(line, made)| Cover {
            amount: line.entry.amount,
            made,
            wallet: why(Statement::new(WALLET).bind(line.entry.account.as_str())),
        });
        PostBatch {
            batch,
            begin,
            commit,
            existing,
            related,
            reversed,
            cover,
        }
    }

    /// Makes the posting a part of a transaction that has more to do: all of it takes place, or none.
    pub(crate) fn append(&self, transaction: &mut Transaction<'_>, change: &Change) {
        self.enter(transaction, change);
    }

    /// Adds the entries. The debit that must be covered is returned with the step that tells whether
    /// it was.
    fn enter(
        &self,
        transaction: &mut Transaction<'_>,
        change: &Change,
    ) -> Option<(&Line, StepIndex)> {
        if let Some(family) = &self.family {
            transaction.require_row(&family.statement());
        }
        let mut covered = None;
        for line in &self.lines {
            if let Some(statement) = line.reversed() {
                transaction.require_row(&statement);
            }
            line.post(transaction, change);
            let made = transaction.require_change();
            if line.movement == Movement::Covered {
                covered = Some((line, made));
            }
        }
        covered
    }
}

impl Line {
    fn post(&self, transaction: &mut Transaction<'_>, change: &Change) {
        let entry = &self.entry;
        transaction.then(
            Statement::new(INSERT)
                .bind(entry.account.as_str())
                .bind(entry.kind.as_str())
                .bind(entry.amount.get())
                .bind(entry.reference.as_str())
                .bind(entry.reason.as_str())
                .bind(change.at_ms),
        );
        transaction.require_change();
        let change = Change {
            account: entry.account.clone(),
            ..change.clone()
        };
        transaction.then(
            change.of(Entry {
                action: "ledger.post",
                table: "accounts",
                subject: entry.account.as_str(),
                before: "json_object('balance_nanos', r.balance_nanos, 'debt_nanos', r.debt_nanos)",
                after: serde_json::json!({
                    "kind": entry.kind.as_str(),
                    "amount_nanos": entry.amount.get(),
                    "reference": entry.reference,
                    "reason": entry.reason,
                })
                .to_string(),
            }),
        );
        transaction.require_change();
        let move_sql = match self.movement {
            Movement::Credit => CREDIT,
            Movement::Clawback => CLAWBACK,
            Movement::Covered => COVERED,
        };
        transaction.then(
            Statement::new(move_sql)
                .bind(entry.account.as_str())
                .bind(entry.amount.get()),
        );
    }

    fn existing(&self) -> Statement {
        self.identify(EXISTING, &self.entry.reference)
    }

    fn reversed(&self) -> Option<Statement> {
        let reference = self.reverses.as_ref()?;
        Some(self.identify(REVERSED, reference))
    }

    fn identify(&self, sql: &'static str, reference: &str) -> Statement {
        Statement::new(sql)
            .bind(reference)
            .bind(self.entry.account.as_str())
            .bind(self.entry.kind.as_str())
            .bind(self.entry.amount.get())
    }
}

impl Family {
    fn statement(&self) -> Statement {
        let (sql, one, other) = match self {
            Self::ParentAndChild(parent, child) => (PARENT_AND_CHILD, parent, child),
            Self::EitherAbove(one, other) => (EITHER_ABOVE, one, other),
            Self::OperatorAndChild(operator, child) => (OPERATOR_AND_CHILD, operator, child),
        };
        Statement::new(sql).bind(one.as_str()).bind(other.as_str())
    }
}

impl PostBatch {
    /// What the reply to the batch says.
    pub fn read(&self, reply: &Reply) -> Result<Posted, HranaFault> {
        if reply.is_ok(self.commit) {
            return Ok(Posted::Now);
        }
        let whys = self.existing.iter().chain(&self.related);
        let mut whys = whys.chain(&self.reversed);
        let last_made = self.commit.saturating_sub(1);
        let untested = !reply.is_ok(self.begin) || reply.is_ok(last_made);
        let known = whys.all(|step| reply.is_ok(*step));
        if let Some(before) = self.before(reply)? {
            return Ok(before);
        }
        if untested || !known {
            return Ok(Posted::Contended);
        }
        let missing = |step: &StepIndex| reply.rows(*step).is_empty();
        if self.related.iter().any(missing) {
            return Ok(Posted::NotRelated);
        }
        if self.reversed.iter().any(missing) {
            return Ok(Posted::NothingToReverse);
        }
        match &self.cover {
            Some(cover) if !reply.is_ok(cover.made) => cover.read(reply),
            Some(_) | None => Ok(Posted::Impossible),
        }
    }

    /// What the references say: all of them are these entries, or some are others.
    fn before(&self, reply: &Reply) -> Result<Option<Posted>, HranaFault> {
        let mut found = 0_usize;
        let mut same = 0_usize;
        for step in &self.existing {
            if let Some(row) = reply.rows(*step).first() {
                found = found.saturating_add(1);
                same = same.saturating_add(usize::from(row.get::<bool>(0)?));
            }
        }
        Ok(if found == 0 {
            None
        } else if same == self.existing.len() {
            Some(Posted::Before)
        } else {
            Some(Posted::ReferenceTaken)
        })
    }
}

impl Cover {
    /// A credit repays debt first, so both are missing. A wallet that has enough by now changed
    /// after the transaction.
    fn read(&self, reply: &Reply) -> Result<Posted, HranaFault> {
        let Some(row) = reply.rows(self.wallet).first() else {
            return Ok(Posted::Contended);
        };
        let (free, debt): (i64, i64) = (row.get(0)?, row.get(1)?);
        let wanted = 0_i64.saturating_sub(self.amount.get());
        let missing = debt.saturating_add(wanted.saturating_sub(free).max(0));
        Ok(if missing > 0 {
            Posted::NotCovered {
                missing: Nanos::new(missing),
            }
        } else {
            Posted::Contended
        })
    }
}
