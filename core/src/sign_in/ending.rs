//! How sessions end: by their owner, one or all of them, or because they are too old. Also what is
//! left of sign-ins that nobody needs any more.

use serde_json::json;

use super::{Token, TokenHash};
use crate::accounts::Commit;
use crate::audit::{Change, ChangeBatch, Entry};
use crate::hrana::{Batch, HranaFault, Row, Statement};
use crate::ids::PersonId;

/// The limits of codes look back one day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLine {
    /// Names it.
    pub hash: TokenHash,
    /// The browser, in words.
    pub agent: String,
    /// When it was last used, to a few minutes, in Unix milliseconds.
    pub seen_at_ms: i64,
    /// When it began, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// Reads the sessions of a person that have not ended, the one used last first.
#[must_use]
pub fn sessions_statement(person: &PersonId, now_ms: i64) -> Statement {
    Statement::new(
        "SELECT hash, agent, seen_at_ms, created_at_ms FROM sessions \
         WHERE person_id = ?1 AND expires_at_ms > ?2 ORDER BY seen_at_ms DESC, hash",
    )
    .bind(person.as_str())
    .bind(now_ms)
}

/// Reads the row of a session.
pub fn read_session_line(row: &Row) -> Result<SessionLine, HranaFault> {
    let hash = row.get::<Vec<u8>>(0)?;
    Ok(SessionLine {
        hash: TokenHash::from_stored(&hash).ok_or(HranaFault::UnexpectedColumn(0))?,
        agent: row.get(1)?,
        seen_at_ms: row.get(2)?,
        created_at_ms: row.get(3)?,
    })
}

/// Ends the session of this cookie, if there is one.
#[must_use]
pub fn sign_out_statement(session: &Token) -> Statement {
    Statement::new("DELETE FROM sessions WHERE hash = ?1").bind(session.hash().as_bytes())
}

const SESSIONS_BEFORE: &str = "\
json_object('sessions', (SELECT count(*) FROM sessions s WHERE s.person_id = r.id))";

/// Ends one session of a person. `Refused`: it has ended, or is somebody else's.
#[must_use]
pub fn end_session(person: &PersonId, session: &TokenHash, change: &Change) -> ChangeBatch {
    let entry = change.of(Entry {
        action: "session.end",
        table: "people",
        subject: person.as_str(),
        before: SESSIONS_BEFORE,
        // Not which one: people take the log along, and what names a session is made from its secret.
        after: json!({ "ended": 1 }).to_string(),
    });
    let end = Statement::new("DELETE FROM sessions WHERE hash = ?1 AND person_id = ?2")
        .bind(session.as_bytes())
        .bind(person.as_str());
    let known = Statement::new("SELECT 1 FROM people WHERE id = ?1").bind(person.as_str());
    ChangeBatch::new(&known, [entry, end])
}

/// Whoever can still get in: the line in the log is of those alone, so that a form that comes twice leaves one.
const NOT_OUT: &str = "\
(SELECT p.id FROM people p WHERE EXISTS (SELECT 1 FROM sessions s WHERE s.person_id = p.id)
  OR EXISTS (SELECT 1 FROM sign_in_links l WHERE l.person_id = p.id))";

/// Ends every session of a person, but for one if it is to stay, and every link to sign in that was
/// not used. Where there is neither, nothing changes.
#[must_use]
pub fn sign_out_everywhere(
    person: &PersonId,
    stays: Option<&TokenHash>,
    change: &Change,
) -> Commit {
    let entry = change.of(Entry {
        action: "session.end_all",
        table: NOT_OUT,
        subject: person.as_str(),
        before: SESSIONS_BEFORE,
        after: json!({ "sessions": i64::from(stays.is_some()) }).to_string(),
    });
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    transaction.then(entry);
    let sessions = Statement::new("DELETE FROM sessions WHERE person_id = ?1 AND hash IS NOT ?2");
    transaction.then(
        sessions
            .bind(person.as_str())
            .bind(stays.map(TokenHash::as_bytes)),
    );
    let links = Statement::new("DELETE FROM sign_in_links WHERE person_id = ?1");
    transaction.then(links.bind(person.as_str()));
    let step = transaction.commit();
    (batch, step)
}

/// Deletes what has ended and is looked at by nobody: for a task that runs now and then.
#[must_use]
pub fn cleanup_batch(now_ms: i64) -> Batch {
    let mut batch = Batch::new();
    for (sql, before_ms) in [
        ("DELETE FROM sessions WHERE expires_at_ms <= ?1", now_ms),
        (
            "DELETE FROM sign_in_links WHERE expires_at_ms <= ?1",
            now_ms,
        ),
        ("DELETE FROM oauth_states WHERE expires_at_ms <= ?1", now_ms),
        (
            "DELETE FROM sign_in_codes WHERE created_at_ms <= ?1",
            now_ms.saturating_sub(DAY_MS),
        ),
    ] {
        batch.step(None, Statement::new(sql).bind(before_ms));
    }
    batch
}
