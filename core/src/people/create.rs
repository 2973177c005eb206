//! People who do not sign up by themselves: the operator's own, a reseller's, whoever is invited to an
//! account. They sign in by a code to their address, so an invitation needs no secret.

use serde_json::json;

use super::EmailAddress;
use crate::accounts::{Commit, NewAccount, commit};
use crate::audit::{Change, Entry};
use crate::hrana::Statement;
use crate::ids::{AccountId, PersonId};

/// A person to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPerson {
    /// A new id.
    pub id: PersonId,
    /// The account that the person is to see.
    pub account: AccountId,
    /// Where codes are sent. Nobody else may have it at the same seller.
    pub email: EmailAddress,
}

impl NewPerson {
    /// Creates the person.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        commit(self.statements(change))
    }

    /// What creates the person, each to change a row.
    pub(super) fn statements(&self, change: &Change) -> [Statement; 2] {
        let insert = Statement::new(
            "INSERT INTO people (id, seller_id, account_id, email, created_at_ms) \
             SELECT ?1, coalesce(a.parent_id, a.id), a.id, ?3, ?4 FROM accounts a WHERE a.id = ?2",
        )
        .bind(self.id.as_str())
        .bind(self.account.as_str())
        .bind(self.email.as_str())
        .bind(change.at_ms);
        let entry = change.of(Entry {
            action: "person.create",
            table: "people",
            subject: self.id.as_str(),
            before: "'{}'",
            after: json!({ "account": self.account.as_str() }).to_string(),
        });
        [insert, entry]
    }
}

/// A reseller and the first of its people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReseller {
    /// The reseller's account.
    pub account: NewAccount,
    /// Who signs in for it; the person's account must be that one.
    pub person: NewPerson,
}

impl NewReseller {
    /// Creates both, or neither: when somebody has the address already.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let [account, account_entry] = self.account.statements(change);
        let [person, person_entry] = self.person.statements(change);
        commit([account, account_entry, person, person_entry])
    }
}
