//! How the second factor is set up, given and taken away. Each try is counted before the code is
//! looked at, each step is used once, and the session gets a new token when its rights grow.

use serde_json::json;

use super::{Token, TokenHash};
use crate::accounts::{Commit, commit};
use crate::audit::{Change, Entry};
use crate::calendar::Periods;
use crate::hrana::{Batch, HranaFault, Reply, Statement, StepIndex};
use crate::ids::PersonId;
use crate::sealing::Sealed;

/// How many wrong codes of a person are looked at in a UTC day: with three codes right at any time,
/// a stranger who has the first factor guesses one day in 17,000.
const WRONG_PER_DAY: i64 = 20;

/// The beginning of a line in the audit log about the person `p`.
const ENTRY: &str = "\
INSERT INTO audit_log (account_id, actor, action, subject, before, after, created_at_ms)
SELECT p.account_id, 'person:' || p.id,";

/// A person is about to give a code.
#[derive(Clone, Debug)]
pub struct TrySecondFactor {
    /// Who.
    pub person: PersonId,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

/// Whether the code may be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecondFactorTry {
    /// It was counted as wrong until `GiveSecondFactor` says that it was right.
    Counted {
        /// The sealed secret.
        sealed: Vec<u8>,
        /// The step that was used last.
        used_step: i64,
    },
    /// There were too many wrong ones today.
    TooMany,
    /// The person has none.
    NotSetUp,
}

/// The batch of a try, and where its answers stand.
#[derive(Clone, Debug)]
pub struct TryBatch {
    /// What to execute.
    pub batch: Batch,
    counted: StepIndex,
    set_up: StepIndex,
}

impl TrySecondFactor {
    /// Counts the try and reads what the code is compared with.
    #[must_use]
    pub fn to_batch(&self) -> TryBatch {
        let count = Statement::new(
            "UPDATE people SET totp_day = ?2, \
               totp_tries = CASE WHEN totp_day = ?2 THEN totp_tries + 1 ELSE 1 END \
             WHERE id = ?1 AND closed_at_ms IS NULL AND totp_sealed IS NOT NULL \
               AND (totp_day <> ?2 OR totp_tries < ?3) RETURNING totp_sealed, totp_step",
        )
        .bind(self.person.as_str())
        .bind(Periods::of(self.now_ms).day)
        .bind(WRONG_PER_DAY);
        // One line a day, when somebody who has the first factor has guessed for as long as is allowed.
        let entry = Statement::new(format!(
            "{ENTRY} 'person.totp_shut', p.id, '{{}}', json_object('tries', p.totp_tries), ?4 \
             FROM people p WHERE p.id = ?1 AND p.totp_day = ?2 AND p.totp_tries = ?3 \
               AND NOT EXISTS (SELECT 1 FROM audit_log l WHERE l.subject = p.id \
                 AND l.action = 'person.totp_shut' AND l.created_at_ms >= ?2 * 86400000)"
        ))
        .bind(self.person.as_str())
        .bind(Periods::of(self.now_ms).day)
        .bind(WRONG_PER_DAY)
        .bind(self.now_ms);
        let set_up = Statement::new(
            "SELECT 1 FROM people WHERE id = ?1 AND closed_at_ms IS NULL AND totp_sealed IS NOT NULL",
        )
        .bind(self.person.as_str());
        let mut batch = Batch::new();
        let counted = batch.step(None, count);
        batch.step(None, entry);
        TryBatch {
            counted,
            set_up: batch.step(None, set_up),
            batch,
        }
    }
}

impl TryBatch {
    /// Reads whether the code may be looked at.
    ///
    /// # Errors
    /// When the database did not say.
    pub fn read(&self, reply: &Reply) -> Result<SecondFactorTry, HranaFault> {
        if let Some(row) = reply.rows_of(self.counted)?.first() {
            return Ok(SecondFactorTry::Counted {
                sealed: row.get(0)?,
                used_step: row.get(1)?,
            });
        }
        Ok(match reply.rows_of(self.set_up)?.first() {
            Some(_) => SecondFactorTry::TooMany,
            None => SecondFactorTry::NotSetUp,
        })
    }
}

/// The session in which a person gave a code that is right.
#[derive(Clone, Debug)]
pub struct GiveSecondFactor {
    /// Who.
    pub person: PersonId,
    /// The session, which ends.
    pub session: TokenHash,
    /// A new token: the session goes on under it.
    pub token: Token,
    /// The step of the code (`TotpSecret::step_of`).
    pub step: i64,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

impl GiveSecondFactor {
    /// Uses the step up and opens the session. Changes nothing when the step was used meanwhile or
    /// the session ended.
    #[must_use]
    pub fn to_batch(&self) -> Commit {
        let step = Statement::new(
            "UPDATE people SET totp_step = ?2, totp_tries = max(totp_tries - 1, 0) \
             WHERE id = ?1 AND totp_step < ?2 AND totp_sealed IS NOT NULL AND closed_at_ms IS NULL",
        )
        .bind(self.person.as_str())
        .bind(self.step);
        let entry = Statement::new(format!(
            "{ENTRY} 'session.second_factor', p.id, '{{\"given\":false}}', '{{\"given\":true}}', ?2 \
             FROM people p WHERE p.id = ?1"
        ))
        .bind(self.person.as_str())
        .bind(self.now_ms);
        commit([step, self.open_session(), entry])
    }

    fn open_session(&self) -> Statement {
        Statement::new(
            "UPDATE sessions SET hash = ?2, second_factor_at_ms = ?3 \
             WHERE hash = ?1 AND person_id = ?4 AND expires_at_ms > ?3",
        )
        .bind(self.session.as_bytes())
        .bind(self.token.hash().as_bytes())
        .bind(self.now_ms)
        .bind(self.person.as_str())
    }
}

/// A person sets up the second factor, with a first code that is right.
#[derive(Clone, Debug)]
pub struct SetUpSecondFactor {
    /// The sealed secret.
    pub sealed: Sealed,
    /// The session in which it happens, and the code.
    pub given: GiveSecondFactor,
}

impl SetUpSecondFactor {
    /// Stores the secret for a person who has none yet, and opens the session. Other sessions of the
    /// person are closed until the second factor is given in them.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let GiveSecondFactor { person, step, .. } = &self.given;
        let entry = change.of(totp_entry(person, "person.totp_set_up", true));
        let store = Statement::new(
            "UPDATE people SET totp_sealed = ?2, totp_sealing_key = ?3, totp_step = ?4, \
             totp_tries = 0 WHERE id = ?1 AND totp_sealed IS NULL AND closed_at_ms IS NULL",
        )
        .bind(person.as_str())
        .bind(&self.sealed.bytes[..])
        .bind(self.sealed.key.as_str())
        .bind(*step);
        commit([entry, store, self.given.open_session()])
    }
}

/// Takes the second factor away from a person and ends its sessions: when the app is lost, or another
/// one is to be set up. An operator then sets one up before anything else.
#[must_use]
pub fn remove_second_factor(person: &PersonId, change: &Change) -> Commit {
    let entry = change.of(totp_entry(person, "person.totp_remove", false));
    let on_person = |sql: &'static str| Statement::new(sql).bind(person.as_str());
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    transaction.then(entry);
    transaction.then(on_person(
        "UPDATE people SET totp_sealed = NULL, totp_sealing_key = NULL, totp_tries = 0 \
         WHERE id = ?1 AND totp_sealed IS NOT NULL",
    ));
    transaction.require_change();
    transaction.then(on_person("DELETE FROM sessions WHERE person_id = ?1"));
    let step = transaction.commit();
    (batch, step)
}

fn totp_entry<'a>(person: &'a PersonId, action: &'static str, set_up: bool) -> Entry<'a> {
    Entry {
        action,
        table: "people",
        subject: person.as_str(),
        before: "json_object('totp', json(iif(r.totp_sealed IS NULL, 'false', 'true')))",
        after: json!({ "totp": set_up }).to_string(),
    }
}
