//! Sessions: read with the site in one round trip, kept alive while they are used, ended by their
//! owner. A session counts only at the host of the seller where the person signed in.

use super::{Token, TokenHash};
use crate::accounts::AccountKind;
use crate::audit::Change;
use crate::brand::{Site, read_site, site_statement};
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement, StepIndex};
use crate::ids::{AccountId, PersonId};
use crate::people::{EmailAddress, Role};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A session that is used is written this often at most, in milliseconds.
const TOUCH_EVERY_MS: i64 = 5 * 60_000;

/// How long a session lasts, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lifetime {
    /// Without being used.
    idle_ms: i64,
    /// However much it is used.
    most_ms: i64,
}

impl Lifetime {
    const fn of(role: Role) -> Self {
        match role {
            Role::EndUser | Role::Reseller => Self {
                idle_ms: 14 * DAY_MS,
                most_ms: 90 * DAY_MS,
            },
            Role::Operator => Self {
                idle_ms: 12 * HOUR_MS,
                most_ms: 24 * HOUR_MS,
            },
        }
    }
}

/// A request for a page: the host that it names, and the token in its cookie.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The `Host` header.
    pub host: &'a str,
    /// The session's cookie, if it is a token.
    pub session: Option<&'a Token>,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

/// The batch of a visitor, and where its answers stand. A page may add its own reads to the batch.
#[derive(Clone, Debug)]
pub struct VisitBatch {
    /// What to execute.
    pub batch: Batch,
    site: StepIndex,
    session: Option<(StepIndex, TokenHash)>,
    now_ms: i64,
}

/// Where somebody is, and who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The site of the host.
    pub site: Site,
    /// The session, if the cookie has one that counts here.
    pub session: Option<Session>,
}

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names the session.
    pub hash: TokenHash,
    /// Who it is.
    pub person: PersonId,
    /// The person's address.
    pub email: EmailAddress,
    /// What the person is called; may be empty.
    pub name: String,
    /// An IANA time zone.
    pub time_zone: String,
    /// A language tag.
    pub language: String,
    /// What the person may see.
    pub role: Role,
    /// The person's account.
    pub account: AccountId,
    /// What that account is called.
    pub account_name: String,
    /// Whether it may be charged; people of a suspended account still see it and pay.
    pub active: bool,
    /// The account above it; none for the operator's own.
    pub parent: Option<AccountId>,
    /// Whether the second factor is missing.
    pub second_factor: SecondFactor,
    /// Whether a GitHub account signs in as this person, too.
    pub has_github: bool,
    /// When it began, in Unix milliseconds.
    pub created_at_ms: i64,
    /// Whether `touch_statement` is due.
    pub touch_due: bool,
}

impl Session {
    /// A change that this person makes to its own account, for the audit log.
    #[must_use]
    pub fn change(&self, at_ms: i64) -> Change {
        Change {
            account: self.account.clone(),
            actor: format!("person:{}", self.person),
            at_ms,
        }
    }
}

/// What is known of the second factor in a session. Operators need one; others may have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// The person has none and needs none.
    NotNeeded,
    /// The person needs one and has none: nothing else is open until it is set up.
    NotSetUp,
    /// The person has one and did not give it in this session: nothing else is open.
    Missing,
    /// It was given.
    Given,
}

impl SecondFactor {
    const fn of(role: Role, set_up: bool, given: bool) -> Self {
        match (set_up, given, role) {
            (true, true, _) => Self::Given,
            (true, false, _) => Self::Missing,
            (false, _, Role::Operator) => Self::NotSetUp,
            (false, _, Role::EndUser | Role::Reseller) => Self::NotNeeded,
        }
    }

    /// Whether the pages behind the sign-in are open.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::NotNeeded | Self::Given => true,
            Self::NotSetUp | Self::Missing => false,
        }
    }
}

/// Begins a session `?5` for the person that a `WHERE` behind it names by `p.id`; the browser is `?6`,
/// now `?2`, the rest is of `bind_lifetimes`.
pub(super) const BEGIN_SESSION: &str = "\
INSERT INTO sessions (hash, person_id, seller_id, agent, expires_at_ms, seen_at_ms, created_at_ms)
SELECT ?5, p.id, p.seller_id, ?6, ?2 + CASE a.kind WHEN 'operator' THEN ?7 ELSE ?8 END, ?2, ?2
FROM people p JOIN accounts a ON a.id = p.account_id AND p.closed_at_ms IS NULL";

pub(super) fn bind_lifetimes(statement: Statement) -> Statement {
    statement
        .bind(Lifetime::of(Role::Operator).idle_ms)
        .bind(Lifetime::of(Role::EndUser).idle_ms)
}

const SESSION: &str = "\
SELECT p.id, p.email, p.name, p.time_zone, p.language, a.kind, a.id, a.name, a.status = 'active',
  a.parent_id, p.totp_sealed IS NOT NULL, s.second_factor_at_ms IS NOT NULL, p.github_id IS NOT NULL,
  s.created_at_ms, s.seen_at_ms
FROM sessions s JOIN people p ON p.id = s.person_id AND p.seller_id = s.seller_id
  JOIN accounts a ON a.id = p.account_id
WHERE s.hash = ?1 AND s.expires_at_ms > ?3 AND p.closed_at_ms IS NULL
  AND s.seller_id = (SELECT d.account_id FROM domains d
    WHERE d.host = ?2 AND d.verified_at_ms IS NOT NULL)";

impl Visitor<'_> {
    /// Reads the site and the session in one round trip; nothing is written.
    #[must_use]
    pub fn to_batch(&self) -> VisitBatch {
        let mut batch = Batch::new();
        let site = batch.step(None, site_statement(self.host));
        let session = self.session.map(|token| {
            let read = Statement::new(SESSION)
                .bind(token.hash().as_bytes())
                .bind(self.host.to_ascii_lowercase())
                .bind(self.now_ms);
            (batch.step(None, read), token.hash())
        });
        VisitBatch {
            batch,
            site,
            session,
            now_ms: self.now_ms,
        }
    }
}

impl VisitBatch {
    /// Reads who is where; `None`: the host is nobody's.
    ///
    /// # Errors
    /// When the database did not say.
    pub fn read(&self, reply: &Reply) -> Result<Option<Visit>, HranaFault> {
        let Some(site) = reply.rows_of(self.site)?.first() else {
            return Ok(None);
        };
        let session = match self.session {
            Some((step, hash)) => reply
                .rows_of(step)?
                .first()
                .map(|row| read_session(row, hash, self.now_ms))
                .transpose()?,
            None => None,
        };
        let site = read_site(site)?;
        Ok(Some(Visit { site, session }))
    }
}

fn read_session(row: &Row, hash: TokenHash, now_ms: i64) -> Result<Session, HranaFault> {
    let person = row.get::<String>(0)?;
    let email = row.get::<String>(1)?;
    let kind = row.get::<String>(5)?;
    let account = row.get::<String>(6)?;
    let parent = row.get::<Option<String>>(9)?;
    let kind = AccountKind::parse(&kind).ok_or(HranaFault::UnexpectedColumn(5))?;
    let role = Role::of(kind);
    let parent = parent.map(|id| AccountId::parse(&id).ok_or(HranaFault::UnexpectedColumn(9)));
    let seen_at_ms: i64 = row.get(14)?;
    Ok(Session {
        hash,
        person: PersonId::parse(&person).ok_or(HranaFault::UnexpectedColumn(0))?,
        email: EmailAddress::parse(&email).ok_or(HranaFault::UnexpectedColumn(1))?,
        name: row.get(2)?,
        time_zone: row.get(3)?,
        language: row.get(4)?,
        role,
        account: AccountId::parse(&account).ok_or(HranaFault::UnexpectedColumn(6))?,
        account_name: row.get(7)?,
        active: row.get(8)?,
        parent: parent.transpose()?,
        second_factor: SecondFactor::of(role, row.get(10)?, row.get(11)?),
        has_github: row.get(12)?,
        created_at_ms: row.get(13)?,
        touch_due: now_ms.saturating_sub(seen_at_ms) >= TOUCH_EVERY_MS,
    })
}

/// Notes that the session was used, and lets it last longer, up to its longest. It is not brought
/// back when it ended meanwhile.
#[must_use]
pub fn touch_statement(session: &Session, now_ms: i64) -> Statement {
    let lifetime = Lifetime::of(session.role);
    Statement::new(
        "UPDATE sessions SET seen_at_ms = ?2, expires_at_ms = min(?2 + ?3, created_at_ms + ?4) \
         WHERE hash = ?1 AND expires_at_ms > ?2",
    )
    .bind(session.hash.as_bytes())
    .bind(now_ms)
    .bind(lifetime.idle_ms)
    .bind(lifetime.most_ms)
}
