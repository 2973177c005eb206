//! A host that whoever writes to the database gives a seller, without asking: the operator's first one,
//! and those of a local stack. What sellers ask for, and what the operator verifies, is in `domain`.

use serde_json::json;

use crate::accounts::{Commit, commit};
use crate::audit::{Change, Entry};
use crate::hrana::Statement;
use crate::ids::AccountId;

/// A host that shows a seller's pages from now on, verified by whoever adds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDomain {
    /// The host as browsers name it, with its port if it has one, in lower case.
    pub host: String,
    /// The operator or reseller whose pages it shows.
    pub account: AccountId,
    /// Scheme, host and port of every link that is made for it.
    pub origin: String,
}

impl NewDomain {
    /// Adds the host.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let insert = Statement::new(
            "INSERT INTO domains (host, account_id, origin, verified_at_ms, created_at_ms) \
             SELECT ?1, a.id, ?3, ?4, ?4 FROM accounts a WHERE a.id = ?2 AND a.kind <> 'customer'",
        )
        .bind(self.host.as_str())
        .bind(self.account.as_str())
        .bind(self.origin.as_str())
        .bind(change.at_ms);
        let entry = change.of(Entry {
            action: "domain.create",
            table: "(SELECT host AS id FROM domains)",
            subject: &self.host,
            before: "'{}'",
            after: json!({ "account": self.account.as_str(), "origin": self.origin }).to_string(),
        });
        commit([insert, entry])
    }
}
