//! What a person can show: a code, a link, what GitHub says. Who that is, is not known before the
//! transaction runs, so every statement looks it up by the proof: `?1` is the seller, `?2` now, `?3`
//! and `?4` are the proof's own.

use super::TokenHash;
use crate::hrana::Statement;
use crate::people::{EmailAddress, PersonName};

/// What a person has shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proof<'a> {
    /// A code and the token of the browser that asked for it.
    Code {
        browser: TokenHash,
        code_hash: &'a [u8; 32],
    },
    /// The token of a one-time link.
    Link(TokenHash),
    /// What GitHub says, `email` being verified.
    Github {
        id: i64,
        email: Option<&'a EmailAddress>,
        name: &'a PersonName,
    },
}

const CODE_EMAIL: &str = "\
(SELECT c.email FROM sign_in_codes c WHERE c.seller_id = ?1 AND c.browser_hash = ?4
  AND c.code_hash = ?3 AND c.ended_at_ms = ?2)";

// A code that was not sent is never right: nobody can have read it, only guessed.
const CLAIM_CODE: &str = "\
UPDATE sign_in_codes SET tries = tries + 1,
  ended_at_ms = CASE WHEN code_hash = ?3 AND sent = 1 THEN ?2 END
WHERE seller_id = ?1 AND browser_hash = ?4 AND ended_at_ms IS NULL AND expires_at_ms > ?2 AND tries < 5
RETURNING ended_at_ms IS NOT NULL, 5 - tries";

const LINK_PERSON: &str = "\
(SELECT l.person_id FROM sign_in_links l JOIN people p ON p.id = l.person_id
  WHERE l.hash = ?4 AND l.used_at_ms = ?2 AND p.seller_id = ?1)";

const CLAIM_LINK: &str = "\
UPDATE sign_in_links SET used_at_ms = ?2
WHERE hash = ?4 AND used_at_ms IS NULL AND expires_at_ms > ?2
  AND EXISTS (SELECT 1 FROM people p WHERE p.id = person_id AND p.seller_id = ?1)
RETURNING 1";

const GITHUB_PERSON: &str = "\
(SELECT p.id FROM people p WHERE p.seller_id = ?1 AND p.github_id = ?4 AND p.closed_at_ms IS NULL)";

// Somebody who has the address and no GitHub account, where nobody has this GitHub account.
pub(super) const CONNECTED_BY_ADDRESS: &str = "\
r.seller_id = ?1 AND r.email = ?3 AND r.github_id IS NULL AND r.closed_at_ms IS NULL
  AND NOT EXISTS (SELECT 1 FROM people p WHERE p.seller_id = ?1 AND p.github_id = ?4
    AND p.closed_at_ms IS NULL)";

impl Proof<'_> {
    /// Uses the proof up; changes nothing when it is no proof. What GitHub says was used up with the
    /// state.
    pub(super) const fn claim(&self) -> Option<&'static str> {
        match self {
            Self::Code { .. } => Some(CLAIM_CODE),
            Self::Link(_) => Some(CLAIM_LINK),
            Self::Github { .. } => None,
        }
    }

    /// A word for the audit log.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Code { .. } => "code",
            Self::Link(_) => "link",
            Self::Github { .. } => "github",
        }
    }

    /// An SQL expression: the address that was proven.
    pub(super) const fn email(&self) -> &'static str {
        match self {
            Self::Code { .. } => CODE_EMAIL,
            Self::Link(_) => "NULL",
            Self::Github { .. } => "?3",
        }
    }

    /// An SQL expression: the id of the person, once there is one.
    pub(super) fn person(&self) -> String {
        match self {
            Self::Code { .. } => format!(
                "(SELECT p.id FROM people p WHERE p.seller_id = ?1 AND p.email = {CODE_EMAIL} \
                   AND p.closed_at_ms IS NULL)"
            ),
            Self::Link(_) => LINK_PERSON.to_owned(),
            Self::Github { .. } => GITHUB_PERSON.to_owned(),
        }
    }

    /// An SQL expression: when the second factor was given, if the proof counts as one.
    pub(super) const fn second_factor(&self) -> &'static str {
        match self {
            Self::Code { .. } | Self::Github { .. } => "NULL",
            Self::Link(_) => {
                "(SELECT ?2 FROM sign_in_links l WHERE l.hash = ?4 AND l.second_factor = 1)"
            }
        }
    }

    /// What is known besides of whoever is new: the GitHub account, and what the person is called.
    pub(super) fn profile(&self) -> (Option<i64>, &str) {
        match self {
            Self::Code { .. } | Self::Link(_) => (None, ""),
            Self::Github { id, name, .. } => (Some(*id), name.as_str()),
        }
    }

    /// Binds `?3` and `?4`.
    pub(super) fn bind(&self, statement: Statement) -> Statement {
        match self {
            Self::Code { browser, code_hash } => {
                statement.bind(&code_hash[..]).bind(browser.as_bytes())
            }
            Self::Link(hash) => statement.bind(None::<i64>).bind(hash.as_bytes()),
            Self::Github { id, email, .. } => {
                statement.bind(email.map(EmailAddress::as_str)).bind(*id)
            }
        }
    }
}
