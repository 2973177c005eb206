//! Who is still to be told that a payment switched automatic top-up off. The mail itself is the shell's;
//! it may be sent again under the same name until it is marked as told.

use super::order::word;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, PersonId};

/// How long it is tried to tell, in milliseconds: as long as a mail provider knows that a mail was sent
/// before.
const PATIENCE_MS: i64 = 23 * 3_600_000;

/// A person to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoppedTopUp {
    /// Whose top-up it was.
    pub account: AccountId,
    /// How many payments were begun when it stopped.
    pub attempts: i64,
    /// Why, in a word.
    pub stopped_by: String,
    /// Who is to be told.
    pub person: PersonId,
    /// The person's address.
    pub email: String,
    /// The tag of the person's language.
    pub language: String,
    /// What the seller calls itself.
    pub seller: String,
    /// Scheme, host and port of the seller's pages, if it has any.
    pub origin: Option<String>,
}

const READ: &str = "\
SELECT t.account_id, t.attempts, coalesce(t.stopped_by, ''), p.id, p.email, p.language,
  coalesce(b.name, s.name), (SELECT d.origin FROM domains d WHERE d.account_id = p.seller_id
    AND d.verified_at_ms IS NOT NULL ORDER BY d.created_at_ms, d.host LIMIT 1)
FROM (SELECT * FROM auto_top_ups WHERE untold = 1 AND updated_at_ms >= ?1
  ORDER BY updated_at_ms LIMIT ?2) t
JOIN people p ON p.account_id = t.account_id AND p.closed_at_ms IS NULL
JOIN accounts s ON s.id = p.seller_id LEFT JOIN brands b ON b.account_id = s.id
ORDER BY t.account_id, p.id";

const TOLD: &str = "\
UPDATE auto_top_ups SET untold = 0 WHERE account_id = ?1 AND attempts = ?2 AND untold = 1";

/// Finds who is to be told, of at most so many accounts, in the order of their accounts.
#[must_use]
pub fn stopped_top_ups_statement(now_ms: i64, accounts: u32) -> Statement {
    Statement::new(READ)
        .bind(now_ms.saturating_sub(PATIENCE_MS))
        .bind(i64::from(accounts))
}

/// Reads the row of a person who is to be told.
pub fn read_stopped_top_up(row: &Row) -> Result<StoppedTopUp, HranaFault> {
    Ok(StoppedTopUp {
        account: word(row, 0, AccountId::parse)?,
        attempts: row.get(1)?,
        stopped_by: row.get(2)?,
        person: word(row, 3, PersonId::parse)?,
        email: row.get(4)?,
        language: row.get(5)?,
        seller: row.get(6)?,
        origin: row.get(7)?,
    })
}

/// Leaves aside whom no mail reached for too long; the account's page tells all the same.
#[must_use]
pub fn forget_untold_statement(now_ms: i64) -> Statement {
    Statement::new("UPDATE auto_top_ups SET untold = 0 WHERE untold = 1 AND updated_at_ms < ?1")
        .bind(now_ms.saturating_sub(PATIENCE_MS))
}

impl StoppedTopUp {
    /// Names the mail: the same for every attempt to send it.
    #[must_use]
    pub fn mail_name(&self) -> String {
        format!(
            "top-up-stopped:{}:{}:{}",
            self.account, self.attempts, self.person
        )
    }

    /// Marks the account's people as told; for when a mail went to each of them.
    #[must_use]
    pub fn told(&self) -> Statement {
        Statement::new(TOLD)
            .bind(self.account.as_str())
            .bind(self.attempts)
    }
}
