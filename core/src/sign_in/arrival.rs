//! The transaction in which a person arrives: the proof is used up, whoever is new gets an account
//! below the seller, and a session begins. It takes place as a whole or not at all.

use serde_json::json;

use super::session::{BEGIN_SESSION, bind_lifetimes};
use super::{LocalPath, Token, TokenHash};
use crate::accounts::AccountKind;
use crate::audit::{Change, Entry};
use crate::hrana::{Batch, HranaFault, Reply, Statement, StepIndex, Transaction};
use crate::ids::{AccountId, PersonId};
use crate::people::Role;

/// The session that begins when the proof is right.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// A new token, for the browser's cookie.
    pub token: Token,
    /// The token that the cookie had: its session ends.
    pub replaces: Option<Token>,
    /// The browser, in words that its owner knows it by.
    pub agent: String,
}

/// Ids for a person whom nobody knows yet. Drawn for every arrival, used for the first one only.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// A new id for the account.
    pub account: AccountId,
    /// A new id for the person.
    pub person: PersonId,
    /// The language of the pages, as a tag such as `en`.
    pub language: String,
}

/// What became of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// The session began.
    Done(SignedIn),
    /// It did not.
    Refused(Refusal),
}

/// A person who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who it is.
    pub person: PersonId,
    /// What the person may see.
    pub role: Role,
    /// Whether the person and its account are new.
    pub joined: bool,
    /// Where the person wanted to go.
    pub next: LocalPath,
}

/// Why nobody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is another code.
    WrongCode {
        /// How often it may be tried again.
        tries_left: u64,
    },
    /// The code, link or state is unknown here, was used, is too old or was tried five times.
    Ended,
    /// The person closed the account.
    Closed,
    /// Nobody has this address here, and the seller takes no new customers.
    NotOpen,
    /// Another GitHub account belongs to the person with this address.
    OtherGithub,
}

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
}

/// Whoever arrives with a proof.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    pub seller: &'a AccountId,
    pub proof: Proof<'a>,
    pub session: &'a NewSession,
    pub newcomer: Option<&'a Newcomer>,
    pub now_ms: i64,
}

/// The batch of an arrival, and where its answers stand.
#[derive(Clone, Debug)]
pub struct SignInBatch {
    /// What to execute. It may be sent again after a lost reply.
    pub batch: Batch,
    claim: StepIndex,
    commit: StepIndex,
    session: StepIndex,
    person: StepIndex,
    joining: Option<PersonId>,
}

// Who arrives is not known before the transaction runs, so every statement looks it up by the proof:
// `?1` is the seller, `?2` to `?4` what the proof consists of, `?5` now.
const CODE_EMAIL: &str = "\
(SELECT c.email FROM sign_in_codes c WHERE c.seller_id = ?1 AND c.browser_hash = ?2
  AND c.code_hash = ?3 AND c.ended_at_ms = ?5)";

// A code that was not sent is never right: nobody can have read it, only guessed.
const CLAIM_CODE: &str = "\
UPDATE sign_in_codes SET tries = tries + 1,
  ended_at_ms = CASE WHEN code_hash = ?3 AND sent = 1 THEN ?5 END
WHERE seller_id = ?1 AND browser_hash = ?2 AND ended_at_ms IS NULL AND expires_at_ms > ?5 AND tries < 5
RETURNING ended_at_ms IS NOT NULL, 5 - tries";

const LINK_PERSON: &str = "\
(SELECT l.person_id FROM sign_in_links l JOIN people p ON p.id = l.person_id
  WHERE l.hash = ?2 AND l.used_at_ms = ?5 AND p.seller_id = ?1)";

const CLAIM_LINK: &str = "\
UPDATE sign_in_links SET used_at_ms = ?5
WHERE hash = ?2 AND used_at_ms IS NULL AND expires_at_ms > ?5
  AND EXISTS (SELECT 1 FROM people p WHERE p.id = person_id AND p.seller_id = ?1)
RETURNING 1";

impl Proof<'_> {
    /// Uses the proof up; changes nothing when it is no proof.
    const fn claim(&self) -> &'static str {
        match self {
            Self::Code { .. } => CLAIM_CODE,
            Self::Link(_) => CLAIM_LINK,
        }
    }

    /// An SQL expression: the address that was proven.
    const fn email(&self) -> &'static str {
        match self {
            Self::Code { .. } => CODE_EMAIL,
            Self::Link(_) => "NULL",
        }
    }

    /// An SQL expression: the id of the person, once there is one.
    fn person(&self) -> String {
        match self {
            Self::Code { .. } => format!(
                "(SELECT p.id FROM people p WHERE p.seller_id = ?1 AND p.email = {CODE_EMAIL})"
            ),
            Self::Link(_) => LINK_PERSON.to_owned(),
        }
    }

    /// An SQL expression: where the person wanted to go.
    const fn next(&self) -> &'static str {
        match self {
            Self::Code { .. } => {
                "(SELECT c.next FROM sign_in_codes c WHERE c.seller_id = ?1 AND c.browser_hash = ?2)"
            }
            Self::Link(_) => "NULL",
        }
    }

    fn bind(&self, statement: Statement) -> Statement {
        match self {
            Self::Code { browser, code_hash } => statement
                .bind(browser.as_bytes())
                .bind(&code_hash[..])
                .bind(None::<i64>),
            Self::Link(hash) => statement
                .bind(hash.as_bytes())
                .bind(None::<i64>)
                .bind(None::<i64>),
        }
    }
}

impl Arrival<'_> {
    /// The batch that lets the person in, or says why not.
    pub(super) fn to_batch(self) -> SignInBatch {
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        let claim = transaction.then(self.statement(self.proof.claim()));
        transaction.require_change();
        if let Some(newcomer) = self.newcomer {
            self.join(newcomer, &mut transaction);
        }
        self.begin_session(&mut transaction);
        let commit = transaction.commit();
        let session = batch.step(None, self.session_statement());
        let person = batch.step(None, self.person_statement());
        SignInBatch {
            batch,
            claim,
            commit,
            session,
            person,
            joining: self.newcomer.map(|newcomer| newcomer.person.clone()),
        }
    }

    fn statement(&self, sql: impl Into<std::borrow::Cow<'static, str>>) -> Statement {
        let statement = Statement::new(sql).bind(self.seller.as_str());
        self.proof.bind(statement).bind(self.now_ms)
    }

    /// Makes an account and its person for whoever has none here. Transactions come one after the
    /// other, so of two that arrive at once the second finds the first one's person.
    fn join(&self, newcomer: &Newcomer, transaction: &mut Transaction<'_>) {
        let (email, person) = (self.proof.email(), self.proof.person());
        let account = self.statement(format!(
            "INSERT INTO accounts (id, parent_id, kind, chain, name, created_at_ms) \
             SELECT ?6, s.id, 'customer', CASE s.chain WHEN '[]' THEN json_array(?6) \
               ELSE '[\"' || ?6 || '\",' || substr(s.chain, 2) END, {email}, ?5 \
             FROM accounts s WHERE s.id = ?1 AND s.status = 'active' AND s.kind <> 'customer' \
               AND {email} IS NOT NULL AND {person} IS NULL \
               AND NOT EXISTS (SELECT 1 FROM people p WHERE p.seller_id = ?1 AND p.email = {email})"
        ));
        transaction.then(account.bind(newcomer.account.as_str()));
        let insert = self.statement(format!(
            "INSERT INTO people (id, seller_id, account_id, email, language, created_at_ms) \
             SELECT ?7, ?1, a.id, {email}, ?8, ?5 FROM accounts a WHERE a.id = ?6"
        ));
        let insert = insert
            .bind(newcomer.account.as_str())
            .bind(newcomer.person.as_str())
            .bind(newcomer.language.as_str());
        transaction.then(insert);
        for entry in self.entries(newcomer) {
            transaction.then(entry);
        }
    }

    /// The lines of the audit log about who joined: they are written only if somebody did. The
    /// address is not in them, so that it can be erased.
    fn entries(&self, newcomer: &Newcomer) -> [Statement; 2] {
        let change = Change {
            account: newcomer.account.clone(),
            actor: format!("person:{}", newcomer.person),
            at_ms: self.now_ms,
        };
        let account = change.of(Entry {
            action: "account.create",
            table: "accounts",
            subject: newcomer.account.as_str(),
            before: "'{}'",
            after: json!({
                "kind": AccountKind::Customer.as_str(),
                "parent": self.seller.as_str(),
            })
            .to_string(),
        });
        let person = change.of(Entry {
            action: "person.create",
            table: "people",
            subject: newcomer.person.as_str(),
            before: "'{}'",
            after: json!({ "account": newcomer.account.as_str() }).to_string(),
        });
        [account, person]
    }

    fn begin_session(&self, transaction: &mut Transaction<'_>) {
        let hash = self.session.token.hash();
        let begin = self
            .statement(format!(
                "{BEGIN_SESSION} WHERE p.id = {}",
                self.proof.person()
            ))
            .bind(hash.as_bytes())
            .bind(self.session.agent.as_str());
        transaction.then(bind_lifetimes(begin));
        if let Some(old) = &self.session.replaces {
            let end = Statement::new(
                "DELETE FROM sessions WHERE hash = ?1 AND EXISTS \
                 (SELECT 1 FROM sessions s WHERE s.hash = ?2)",
            );
            transaction.then(end.bind(old.hash().as_bytes()).bind(hash.as_bytes()));
        }
    }

    /// Reads whose session it is, by its new token: also when this batch was executed before.
    fn session_statement(&self) -> Statement {
        let next = self.proof.next();
        self.statement(format!(
            "SELECT p.id, a.kind, {next} FROM sessions s JOIN people p ON p.id = s.person_id \
             JOIN accounts a ON a.id = p.account_id WHERE s.hash = ?6"
        ))
        .bind(self.session.token.hash().as_bytes())
    }

    /// Reads why no session began.
    fn person_statement(&self) -> Statement {
        let (email, person) = (self.proof.email(), self.proof.person());
        self.statement(format!(
            "SELECT p.closed_at_ms IS NOT NULL FROM people p WHERE p.seller_id = ?1 \
             AND (p.id = {person} OR p.email = {email}) ORDER BY p.id = {person} DESC, ?5 LIMIT 1"
        ))
    }
}

impl SignInBatch {
    /// Reads what became of the proof.
    ///
    /// # Errors
    /// When the database did not say; nothing changed, or sending the batch again tells.
    pub fn read(&self, reply: &Reply) -> Result<SignIn, HranaFault> {
        if let Some(row) = reply.rows_of(self.session)?.first() {
            let person = row.get::<String>(0)?;
            let person = PersonId::parse(&person).ok_or(HranaFault::UnexpectedColumn(0))?;
            let kind = row.get::<String>(1)?;
            let kind = AccountKind::parse(&kind).ok_or(HranaFault::UnexpectedColumn(1))?;
            return Ok(SignIn::Done(SignedIn {
                joined: self.joining.as_ref() == Some(&person),
                person,
                role: Role::of(kind),
                next: LocalPath::or_home(row.get::<Option<String>>(2)?.as_deref()),
            }));
        }
        let Some(claimed) = reply.rows_of(self.claim)?.first() else {
            return Ok(SignIn::Refused(Refusal::Ended));
        };
        reply.rows_of(self.commit)?;
        if !claimed.get::<bool>(0)? {
            let tries_left = claimed.get(1)?;
            return Ok(SignIn::Refused(Refusal::WrongCode { tries_left }));
        }
        Ok(SignIn::Refused(match reply.rows_of(self.person)?.first() {
            Some(row) if row.get(0)? => Refusal::Closed,
            Some(_) => Refusal::OtherGithub,
            None => Refusal::NotOpen,
        }))
    }
}
