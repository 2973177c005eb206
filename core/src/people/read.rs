//! What others read of people: the operator of everybody, a seller of whoever signs in at its pages.

use super::EmailAddress;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, PersonId};

/// A person as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Its id.
    pub id: PersonId,
    /// Its account.
    pub account: AccountId,
    /// Its address.
    pub email: EmailAddress,
    /// What it is called; may be empty.
    pub name: String,
    /// Whether it has a second factor.
    pub has_totp: bool,
    /// When it closed the account, in Unix milliseconds.
    pub closed_at_ms: Option<i64>,
    /// When it was last seen in a session that has not ended, in Unix milliseconds.
    pub seen_at_ms: Option<i64>,
    /// Since when it exists, in Unix milliseconds.
    pub created_at_ms: i64,
}

const PERSON: &str = "\
SELECT p.id, p.account_id, p.email, p.name, p.totp_sealed IS NOT NULL, p.closed_at_ms,
  (SELECT max(s.seen_at_ms) FROM sessions s WHERE s.person_id = p.id), p.created_at_ms
FROM people p";

/// Reads the people of an account, the oldest first.
#[must_use]
pub fn people_statement(account: &AccountId) -> Statement {
    Statement::new(format!(
        "{PERSON} WHERE p.account_id = ?1 ORDER BY p.created_at_ms, p.id"
    ))
    .bind(account.as_str())
}

/// Reads whoever signs in at a seller's pages with this address; not who closed the account.
#[must_use]
pub fn person_by_email_statement(seller: &AccountId, email: &EmailAddress) -> Statement {
    Statement::new(format!(
        "{PERSON} WHERE p.seller_id = ?1 AND p.email = ?2 AND p.closed_at_ms IS NULL"
    ))
    .bind(seller.as_str())
    .bind(email.as_str())
}

/// Reads the row of a person.
pub fn read_person(row: &Row) -> Result<Person, HranaFault> {
    let [id, account, email] = [row.get::<String>(0)?, row.get(1)?, row.get(2)?];
    Ok(Person {
        id: PersonId::parse(&id).ok_or(HranaFault::UnexpectedColumn(0))?,
        account: AccountId::parse(&account).ok_or(HranaFault::UnexpectedColumn(1))?,
        email: EmailAddress::parse(&email).ok_or(HranaFault::UnexpectedColumn(2))?,
        name: row.get(3)?,
        has_totp: row.get(4)?,
        closed_at_ms: row.get(5)?,
        seen_at_ms: row.get(6)?,
        created_at_ms: row.get(7)?,
    })
}
