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
    before: StepIndex,
    address: StepIndex,
    operator: StepIndex,
}

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
        let before = why(Statement::new(
            "SELECT 1 FROM accounts WHERE id = ?1 AND parent_id = ?2 AND kind = 'reseller'",
        )
        .bind(self.account.as_str())
        .bind(self.operator.as_str()));
        let address = why(Statement::new(
            "SELECT 1 FROM people WHERE seller_id = ?1 AND email = ?2 AND closed_at_ms IS NULL",
        )
        .bind(self.operator.as_str())
        .bind(self.person.email.as_str()));
        let operator = why(may);
        TakeInBatch {
            batch,
            commit,
            before,
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
        let known = [self.before, self.address, self.operator];
        if !known.iter().all(|step| reply.is_ok(*step)) {
            return Ok(TakenIn::Contended);
        }
        let found = |step: StepIndex| !reply.rows(step).is_empty();
        Ok(if !found(self.operator) {
            TakenIn::Impossible
        } else if found(self.before) {
            TakenIn::Before
        } else if found(self.address) {
            TakenIn::AddressTaken
        } else {
            TakenIn::Contended
        })
    }
}
