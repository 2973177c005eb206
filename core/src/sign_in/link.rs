//! One-time links for whoever can write to the database: the first operator, a demo, somebody who lost
//! the mailbox. A link is no way around the second factor. Its page asks for a click, because programs
//! that look into mails open links, too.

use serde_json::json;

use super::arrival::{Arrival, SignInBatch};
use super::proof::Proof;
use super::{NewSession, Token};
use crate::accounts::{Commit, commit};
use crate::audit::{Change, Entry};
use crate::hrana::Statement;
use crate::ids::{AccountId, PersonId};

/// A link to make.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// Who signs in with it.
    pub person: PersonId,
    /// A new token, which goes into the link.
    pub token: Token,
    /// Until when it may be used, in Unix milliseconds.
    pub expires_at_ms: i64,
}

impl NewLink {
    /// Makes the link, for a person who has not closed the account.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let insert = Statement::new(
            "INSERT INTO sign_in_links (hash, person_id, expires_at_ms, created_at_ms) \
             SELECT ?1, p.id, ?3, ?4 FROM people p WHERE p.id = ?2 AND p.closed_at_ms IS NULL",
        )
        .bind(self.token.hash().as_bytes())
        .bind(self.person.as_str())
        .bind(self.expires_at_ms)
        .bind(change.at_ms);
        let entry = change.of(Entry {
            action: "person.link",
            table: "people",
            subject: self.person.as_str(),
            before: "'{}'",
            after: json!({ "expires_at_ms": self.expires_at_ms }).to_string(),
        });
        commit([insert, entry])
    }
}

/// A person opens a link.
#[derive(Clone, Debug)]
pub struct UseLink {
    /// At whose pages: a link for another seller's is none.
    pub seller: AccountId,
    /// The token in the link.
    pub token: Token,
    /// The session that begins when it is right.
    pub session: NewSession,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

impl UseLink {
    /// The batch that uses the link up and lets the person in.
    #[must_use]
    pub fn to_batch(&self) -> SignInBatch {
        let arrival = Arrival {
            seller: &self.seller,
            proof: Proof::Link(self.token.hash()),
            session: &self.session,
            next: None,
            newcomer: None,
            now_ms: self.now_ms,
        };
        arrival.to_batch()
    }
}
