//! The transaction in which a person arrives: the proof is used up, whoever is new gets an account
//! below the seller, and a session begins. It takes place as a whole or not at all.

use serde_json::json;

use super::proof::{CONNECTED_BY_ADDRESS, Proof};
use super::session::{begin_session_sql, bind_lifetimes};
use super::{LocalPath, Token};
use crate::accounts::AccountKind;
use crate::audit::{Change, Entry};
use crate::hrana::{Batch, HranaFault, Reply, Statement, StepIndex, Transaction};
use crate::ids::{AccountId, PersonId};
use crate::people::{EmailAddress, Role};

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
    /// The person's address.
    pub email: EmailAddress,
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
    /// The person closed the account, which was suspended or owes money, so the address signs up no more.
    Closed,
    /// Nobody has this address here, and the seller takes no new customers.
    NotOpen,
    /// Nobody here has this GitHub account, and GitHub verified no address of it.
    NoAddress,
    /// Another GitHub account belongs to the person with this address.
    OtherGithub,
}

/// Whoever arrives with a proof.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    pub seller: &'a AccountId,
    pub proof: Proof<'a>,
    pub session: &'a NewSession,
    pub newcomer: Option<&'a Newcomer>,
    /// Where the person wants to go, if the proof does not say.
    pub next: Option<&'a LocalPath>,
    pub now_ms: i64,
}

/// The batch of an arrival, and where its answers stand.
#[derive(Clone, Debug)]
pub struct SignInBatch {
    /// What to execute. It may be sent again after a lost reply.
    pub batch: Batch,
    claim: Option<StepIndex>,
    commit: StepIndex,
    session: StepIndex,
    person: StepIndex,
    joining: Option<PersonId>,
    /// Where the person goes if the proof does not say.
    next: LocalPath,
    /// Whether no address was proven.
    nameless: bool,
}

/// Whether the person `p`, who closed an account, cannot come back: out of a suspension or a debt. A debt may
/// come later than the end, by a dispute.
const BARRED: &str = "\
(p.barred = 1 OR EXISTS (SELECT 1 FROM accounts o WHERE o.id = p.account_id AND o.debt_nanos > 0))";

impl Arrival<'_> {
    /// The batch that lets the person in, or says why not.
    pub(super) fn to_batch(self) -> SignInBatch {
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        let claim = self.proof.claim().map(|sql| {
            let claim = transaction.then(self.statement(sql));
            transaction.require_change();
            claim
        });
        if let Proof::Github { .. } = self.proof {
            self.connect_github(&mut transaction);
        }
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
            next: self.next.cloned().unwrap_or_else(LocalPath::home),
            nameless: matches!(self.proof, Proof::Github { email: None, .. }),
            joining: self.newcomer.map(|newcomer| newcomer.person.clone()),
        }
    }

    fn statement(&self, sql: impl Into<std::borrow::Cow<'static, str>>) -> Statement {
        let statement = Statement::new(sql).bind(self.seller.as_str());
        self.proof.bind(statement.bind(self.now_ms))
    }

    /// Connects the GitHub account with the person who has its address.
    fn connect_github(&self, transaction: &mut Transaction<'_>) {
        transaction.then(self.statement(format!(
            "INSERT INTO audit_log (account_id, actor, action, subject, before, after, created_at_ms) \
             SELECT r.account_id, 'person:' || r.id, 'person.link_github', r.id, \
               json_object('github_id', NULL), json_object('github_id', ?4), ?2 \
             FROM people r WHERE {CONNECTED_BY_ADDRESS}"
        )));
        transaction.then(self.statement(format!(
            "UPDATE people AS r SET github_id = ?4 WHERE {CONNECTED_BY_ADDRESS}"
        )));
    }

    /// Makes an account and its person for whoever has none here. Transactions come one after the
    /// other, so of two that arrive at once the second finds the first one's person.
    fn join(&self, newcomer: &Newcomer, transaction: &mut Transaction<'_>) {
        let (email, person) = (self.proof.email(), self.proof.person());
        let account = self.statement(format!(
            "INSERT INTO accounts (id, parent_id, kind, chain, name, created_at_ms) \
             SELECT ?5, s.id, 'customer', CASE s.chain WHEN '[]' THEN json_array(?5) \
               ELSE '[\"' || ?5 || '\",' || substr(s.chain, 2) END, {email}, ?2 \
             FROM accounts s WHERE s.id = ?1 AND s.status = 'active' AND s.kind <> 'customer' \
               AND {email} IS NOT NULL AND {person} IS NULL \
               AND NOT EXISTS (SELECT 1 FROM people p WHERE p.seller_id = ?1 AND p.email = {email} \
                 AND (p.closed_at_ms IS NULL OR {BARRED}))"
        ));
        transaction.then(account.bind(newcomer.account.as_str()));
        let insert = self.statement(format!(
            "INSERT INTO people (id, seller_id, account_id, email, language, github_id, name, \
               created_at_ms) \
             SELECT ?6, ?1, a.id, {email}, ?7, ?8, ?9, ?2 FROM accounts a WHERE a.id = ?5"
        ));
        let (github_id, name) = self.proof.profile();
        let insert = insert
            .bind(newcomer.account.as_str())
            .bind(newcomer.person.as_str())
            .bind(newcomer.language.as_str())
            .bind(github_id)
            .bind(name);
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
            .statement(begin_session_sql(
                &self.proof.person(),
                self.proof.second_factor(),
            ))
            .bind(hash.as_bytes())
            .bind(self.session.agent.as_str());
        transaction.then(bind_lifetimes(begin));
        // So that a person sees a sign-in that was somebody else's.
        let entry = format!(
            "INSERT INTO audit_log (account_id, actor, action, subject, before, after, created_at_ms) \
             SELECT p.account_id, 'person:' || p.id, 'session.begin', p.id, '{{}}', \
               json_object('by', '{}', 'agent', s.agent), ?2 \
             FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.hash = ?5",
            self.proof.name()
        );
        transaction.then(self.statement(entry).bind(hash.as_bytes()));
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
        self.statement(
            "SELECT p.id, a.kind, (SELECT c.next FROM sign_in_codes c \
               WHERE c.seller_id = ?1 AND c.browser_hash = ?4), p.email \
             FROM sessions s JOIN people p ON p.id = s.person_id \
             JOIN accounts a ON a.id = p.account_id WHERE s.hash = ?5",
        )
        .bind(self.session.token.hash().as_bytes())
    }

    /// Reads why no session began.
    fn person_statement(&self) -> Statement {
        let (email, person) = (self.proof.email(), self.proof.person());
        self.statement(format!(
            "SELECT p.closed_at_ms IS NOT NULL FROM people p WHERE p.seller_id = ?1 \
             AND (p.id = {person} OR (p.email = {email} AND (p.closed_at_ms IS NULL OR {BARRED}))) \
             ORDER BY p.id = {person} DESC, p.closed_at_ms IS NOT NULL LIMIT 1"
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
            let email = row.get::<String>(3)?;
            return Ok(SignIn::Done(SignedIn {
                joined: self.joining.as_ref() == Some(&person),
                person,
                email: EmailAddress::parse(&email).ok_or(HranaFault::UnexpectedColumn(3))?,
                role: Role::of(kind),
                next: row
                    .get::<Option<String>>(2)?
                    .and_then(|next| LocalPath::parse(&next))
                    .unwrap_or_else(|| self.next.clone()),
            }));
        }
        if let Some(claim) = self.claim {
            let Some(claimed) = reply.rows_of(claim)?.first() else {
                return Ok(SignIn::Refused(Refusal::Ended));
            };
            if !claimed.get::<bool>(0)? {
                reply.rows_of(self.commit)?;
                let tries_left = claimed.get(1)?;
                return Ok(SignIn::Refused(Refusal::WrongCode { tries_left }));
            }
        }
        reply.rows_of(self.commit)?;
        Ok(SignIn::Refused(match reply.rows_of(self.person)?.first() {
            Some(row) if row.get(0)? => Refusal::Closed,
            Some(_) => Refusal::OtherGithub,
            None if self.nameless => Refusal::NoAddress,
            None => Refusal::NotOpen,
        }))
    }
}
