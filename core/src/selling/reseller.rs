//! How the operator takes in a reseller: the account, the first of its people, who signs in by a code to
//! the address, and the credit that it begins with. All of it, or nothing.

use crate::accounts::{AccountKind, NewAccount};
use crate::audit::Change;
use crate::catalogue::is_operator;
use crate::hrana::{Batch, Condition, HranaFault, Reply, Statement, StepIndex};
use crate::ids::{AccountId, PersonId};
use crate::ledger::{Amount, Grant, Posting};
use crate::limits::Limits;
use crate::line::line;
use crate::people::{EmailAddress, NewPerson};

/// The longest name of an account, in characters.
pub const MAX_ACCOUNT_NAME: usize = 80;

/// A reseller to take in. Its ids are drawn before the form is shown: sent twice, it is made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSeller {
    operator: AccountId,
    account: AccountId,
    name: String,
    person: NewPerson,
    opening: Option<Amount>,
}

/// What the database said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenIn {
    /// The reseller is there.
    Now,
    /// It was there before, under the same id; nothing changed.
    Before,
    /// Another account has the id, or this one with another name or address; nothing changed.
    IdTaken,
    /// Somebody signs in with this address already; nothing changed.
    AddressTaken,
    /// Who asks is not the operator; nothing changed.
    Impossible,
    /// Nothing changed, though it could have. Try again.
    Contended,
}

/// The batch that takes a reseller in, and where its answers stand.
#[derive(Clone, Debug)]
pub struct TakeInBatch {
    /// What to execute.
    pub batch: Batch,
    commit: StepIndex,
    same: StepIndex,
    address: StepIndex,
    operator: StepIndex,
}

const SAME: &str = "\
SELECT a.kind = 'reseller' AND a.name = ?2 AND EXISTS (SELECT 1 FROM people p
  WHERE p.account_id = a.id AND p.email = ?3) FROM accounts a WHERE a.id = ?1";

impl NewSeller {
    /// A reseller of the operator's with the first of its people, and what its wholesale wallet begins
    /// with. `None` when the name is no line of at most 80 characters.
    #[must_use]
    pub fn new(
        operator: &AccountId,
        (account, name): (&AccountId, &str),
        (person, email): (PersonId, EmailAddress),
        opening: Option<Amount>,
    ) -> Option<Self> {
        Some(Self {
            operator: operator.clone(),
            account: account.clone(),
            name: line(name, MAX_ACCOUNT_NAME)?.to_owned(),
            person: NewPerson {
                id: person,
                account: account.clone(),
                email,
            },
            opening,
        })
    }

    /// The batch.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> TakeInBatch {
        let account = NewAccount {
            id: self.account.clone(),
            kind: AccountKind::Reseller,
            parent: Some(self.operator.clone()),
            name: self.name.clone(),
            limits: Limits::default(),
        };
        let may = is_operator(&self.operator);
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        transaction.require_row(&may);
        let account = account.statements(change);
        for statement in account.into_iter().chain(self.person.statements(change)) {
            transaction.then(statement);
            transaction.require_change();
        }
        if let Some(amount) = self.opening {
            let grant = Grant {
                operator: self.operator.clone(),
                to: self.account.clone(),
                amount,
                event: format!("opening:{}", self.account),
                reason: "opening credit".to_owned(),
            };
            Posting::grant(&grant).append(&mut transaction, change);
        }
        let commit = transaction.commit();
        let mut why = |statement| batch.step(Some(Condition::not_ok(commit)), statement);
        let same = why(Statement::new(SAME)
            .bind(self.account.as_str())
            .bind(self.name.as_str())
            .bind(self.person.email.as_str()));
        let address = why(Statement::new(
            "SELECT 1 FROM people WHERE seller_id = ?1 AND email = ?2 AND closed_at_ms IS NULL",
        )
        .bind(self.operator.as_str())
        .bind(self.person.email.as_str()));
        let operator = why(may);
        TakeInBatch {
            batch,
            commit,
            same,
            address,
            operator,
        }
    }
}

impl TakeInBatch {
    /// What the reply to the batch says.
    pub fn read(&self, reply: &Reply) -> Result<TakenIn, HranaFault> {
        if reply.is_ok(self.commit) {
            return Ok(TakenIn::Now);
        }
        let known = [self.same, self.address, self.operator];
        if !known.iter().all(|step| reply.is_ok(*step)) {
            return Ok(TakenIn::Contended);
        }
        let found = |step: StepIndex| !reply.rows(step).is_empty();
        let same = reply.rows(self.same).first();
        Ok(if !found(self.operator) {
            TakenIn::Impossible
        } else if let Some(row) = same {
            if row.get(0)? {
                TakenIn::Before
            } else {
                TakenIn::IdTaken
            }
        } else if found(self.address) {
            TakenIn::AddressTaken
        } else {
            TakenIn::Contended
        })
    }
}
