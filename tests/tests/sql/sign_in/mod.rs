//! Signing in on the real database server: what a right proof opens, and what a wrong, late, repeated
//! or foreign one does not.

mod codes;
mod ending;
mod github;
mod links;
mod second_factor;
mod sessions;
mod sign_up;

use std::ops::Deref;

use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, PersonId};
use tollgate_core::people::{EmailAddress, NewPerson};
use tollgate_core::sign_in::{
    AskForCode, Asked, Code, EnterCode, LocalPath, NetworkHash, NewLink, NewSession, Newcomer,
    Refusal, Session, SignIn, SignedIn, Token, UseLink, Visit, Visitor,
};

use crate::world::{NOW_MS, World};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The operator's host, and the reseller's.
const OPERATOR: &str = "127.0.0.1:8788";
const RESELLER: &str = "localhost:8788";

/// A world with a door to each seller.
pub struct Doors(World);

impl Deref for Doors {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Doors {
    pub fn new() -> Self {
        let doors = Self(World::new());
        for (host, seller) in [(OPERATOR, &doors.operator), (RESELLER, &doors.reseller)] {
            doors.domain(host, seller, Some(NOW_MS));
        }
        doors
    }

    fn domain(&self, host: &str, seller: &AccountId, verified_at_ms: Option<i64>) {
        let insert = "INSERT INTO domains (host, account_id, origin, verified_at_ms, created_at_ms) \
                      VALUES (?1, ?2, ?3, ?4, ?5)";
        let insert = Statement::new(insert)
            .bind(host)
            .bind(seller.as_str())
            .bind(format!("http://{host}"))
            .bind(verified_at_ms)
            .bind(NOW_MS);
        let _ = self.database.run(insert);
    }

    fn id(&self) -> [u8; 10] {
        let mut random = [9; 10];
        random[..4].copy_from_slice(&self.draw().to_le_bytes());
        random
    }

    fn token(&self) -> Token {
        let mut random = [9; 32];
        random[..4].copy_from_slice(&self.draw().to_le_bytes());
        Token::from_random(random)
    }

    fn session(&self) -> NewSession {
        NewSession {
            token: self.token(),
            replaces: None,
            agent: "Firefox on Linux".to_owned(),
        }
    }

    fn newcomer(&self) -> Newcomer {
        Newcomer {
            account: AccountId::from_random(self.id()),
            person: PersonId::from_random(self.id()),
            language: "de".to_owned(),
        }
    }

    /// A person whom somebody else created.
    fn person(&self, account: &AccountId, address: &str) -> PersonId {
        let person = NewPerson {
            id: PersonId::from_random(self.id()),
            account: account.clone(),
            email: email(address),
        };
        self.commit(person.to_batch(&self.change()));
        person.id
    }

    /// A request for a code, from a network of this number.
    fn asking(&self, seller: &AccountId, address: &str, (net, now_ms): (u8, i64)) -> AskForCode {
        AskForCode {
            seller: seller.clone(),
            email: email(address),
            network: network(net),
            known: false,
            browser: self.token(),
            code: Code::from_random(self.token().hash().as_bytes().try_into().unwrap()),
            next: LocalPath::parse("/keys?page=2").unwrap(),
            now_ms,
        }
    }

    fn ask(&self, ask: &AskForCode) -> Asked {
        AskForCode::read(&self.database.execute(&ask.to_batch())).unwrap()
    }

    /// The right code for what was asked, given a minute later.
    fn answer(&self, ask: &AskForCode) -> EnterCode {
        EnterCode {
            seller: ask.seller.clone(),
            browser: ask.browser.clone(),
            code: ask.code.clone(),
            session: self.session(),
            newcomer: self.newcomer(),
            now_ms: ask.now_ms + MINUTE_MS,
        }
    }

    fn enter(&self, enter: &EnterCode) -> SignIn {
        let batch = enter.to_batch();
        let reply = self.database.execute(&batch.batch);
        batch.read(&reply).unwrap()
    }

    /// Signs in by e-mail and returns the session's token.
    fn sign_in(&self, seller: &AccountId, address: &str, now_ms: i64) -> (SignedIn, Token) {
        let ask = self.asking(seller, address, (1, now_ms));
        assert_eq!(self.ask(&ask), Asked::Send);
        let mut answer = self.answer(&ask);
        answer.now_ms = now_ms;
        (done(self.enter(&answer)), answer.session.token)
    }

    fn link(&self, person: &PersonId, expires_at_ms: i64) -> NewLink {
        let link = NewLink {
            person: person.clone(),
            token: self.token(),
            expires_at_ms,
            counts_as_second_factor: false,
        };
        self.commit(link.to_batch(&self.change()));
        link
    }

    /// Somebody who opens a link at the operator's pages.
    fn using(&self, link: NewLink) -> UseLink {
        UseLink {
            seller: self.operator.clone(),
            token: link.token,
            session: self.session(),
            now_ms: NOW_MS,
        }
    }

    fn follow(&self, follow: &UseLink) -> SignIn {
        let batch = follow.to_batch();
        let reply = self.database.execute(&batch.batch);
        batch.read(&reply).unwrap()
    }

    fn visit(&self, host: &str, session: Option<&Token>, now_ms: i64) -> Option<Visit> {
        let visitor = Visitor {
            host,
            session,
            now_ms,
        };
        let visit = visitor.to_batch();
        visit.read(&self.database.execute(&visit.batch)).unwrap()
    }

    /// The session of this token at a host that somebody has.
    fn who(&self, host: &str, token: &Token, now_ms: i64) -> Option<Session> {
        self.visit(host, Some(token), now_ms).unwrap().session
    }

    fn count(&self, sql: &'static str) -> i64 {
        self.row(Statement::new(sql)).get(0).unwrap()
    }

    fn set(&self, sql: String) {
        let _ = self.database.run(Statement::new(sql));
    }
}

fn email(address: &str) -> EmailAddress {
    EmailAddress::parse(address).unwrap()
}

fn network(number: u8) -> NetworkHash {
    NetworkHash::of(&format!("192.0.2.{number}"), &[5; 32])
}

fn done(sign_in: SignIn) -> SignedIn {
    match sign_in {
        SignIn::Done(signed_in) => signed_in,
        SignIn::Refused(refusal) => panic!("{refusal:?}"),
    }
}

fn refused(sign_in: SignIn) -> Refusal {
    match sign_in {
        SignIn::Done(signed_in) => panic!("{signed_in:?}"),
        SignIn::Refused(refusal) => refusal,
    }
}
