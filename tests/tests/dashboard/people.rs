//! Accounts of a test's own, so that what it changes disturbs nobody: a reseller with a host, customers
//! with credit and a key, and browsers in which their people are signed in. Also what they do outside the
//! dashboard, a call, and what a test looks up in the database.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tollgate_core::accounts::{AccountKind, Commit, NewAccount, NewKey};
use tollgate_core::audit::Change;
use tollgate_core::brand::NewDomain;
use tollgate_core::hrana::{Batch, Column, Row, Statement};
use tollgate_core::ids::{AccountId, KeyId, PersonId, RequestId};
use tollgate_core::ledger::{EntryKind, LedgerEntry};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::people::{EmailAddress, NewPerson};
use tollgate_core::sign_in::NewLink;
use ureq::http::Request;
use xtask::admin::Session;
use xtask::clock::now_ms;
use xtask::random;

use crate::browser::{Browser, Shown, send};
use crate::stage::Stage;

/// One dollar.
pub const USD: i64 = 1_000_000_000;

/// A model whose provider bills $0.01 for a call. The operator's rule makes $0.10 of it.
pub const PER_CALL: &str = "sim/per-request";

/// Somebody who is signed in.
pub struct Member {
    /// The account.
    pub account: AccountId,
    /// Who signed in for it.
    pub person: PersonId,
    /// The person's address.
    pub email: String,
    /// Where.
    pub browser: Browser,
}

/// A reseller and where its customers go.
pub struct Shop {
    /// The reseller, signed in at the operator's host.
    pub reseller: Member,
    /// The origin of its own host.
    pub origin: String,
}

/// A customer of a shop's.
pub struct Customer {
    /// The account.
    pub member: Member,
    /// Its key.
    pub key: String,
    /// The key's id.
    pub key_id: KeyId,
}

/// Makes a change as whoever prepares what a test needs.
pub fn commit(stage: &Stage, account: &AccountId, change: impl FnOnce(&Change) -> Commit) {
    let session = Session::of(stage.stack.database(), "admin:test".to_owned());
    session.commit(&change(&session.change(account))).unwrap();
}

impl Shop {
    /// A reseller with credit and a host, and without prices.
    pub fn open(stage: &Stage, name: &str, usd: i64) -> Self {
        let operator = AccountId::parse(&stage.demo.operator_id).unwrap();
        let account = open(stage, AccountKind::Reseller, &operator, (name, usd));
        let origin = format!("http://{}.test", account.as_str().replace('_', "-"));
        let domain = NewDomain {
            host: origin.trim_start_matches("http://").to_owned(),
            account: account.clone(),
            origin: origin.clone(),
        };
        commit(stage, &account, |change| domain.to_batch(change));
        Self {
            reseller: sign_in(stage, account, &stage.stack.dashboard_url()),
            origin,
        }
    }

    /// The same with what its customers pay: its cost and a quarter of it.
    pub fn with_prices(stage: &Stage, name: &str, usd: i64) -> Self {
        let mut shop = Self::open(stage, name, usd);
        let saved = shop
            .reseller
            .browser
            .post("/prices/rules", &[("pattern", "*"), ("markup", "25")]);
        assert_eq!(saved.status, 303, "{}", saved.body);
        shop
    }

    /// Gives a customer credit on its page.
    pub fn give(&mut self, customer: &Member, (usd, reason): (&str, &str)) {
        let page = format!("/customers/{}", customer.account);
        let gift = [("amount", usd), ("reason", reason)];
        let given = fill(
            &mut self.reseller.browser,
            &page,
            &format!("{page}/grants"),
            &gift,
        );
        assert_eq!(given.status, 303, "{}", given.text());
    }

    /// A customer with credit and a key.
    pub fn customer(&self, stage: &Stage, usd: i64) -> Customer {
        let account = open(
            stage,
            AccountKind::Customer,
            &self.reseller.account,
            ("A customer", usd),
        );
        let key = new_key(stage, &account, "first");
        Customer {
            member: sign_in(stage, account, &self.origin),
            key: key.key.reveal().to_owned(),
            key_id: key.id,
        }
    }
}

/// The operator's browser.
pub fn operator(stage: &mut Stage) -> Browser {
    stage.renew_links();
    Browser::signed_in(&stage.demo.operator.sign_in_url)
}

/// A new account right below another, with credit.
pub fn open(
    stage: &Stage,
    kind: AccountKind,
    parent: &AccountId,
    (name, usd): (&str, i64),
) -> AccountId {
    let account = NewAccount {
        id: random::account_id().unwrap(),
        kind,
        parent: Some(parent.clone()),
        name: name.to_owned(),
        limits: Limits::default(),
    };
    let id = account.id.clone();
    commit(stage, &id, |change| account.to_batch(change));
    if usd > 0 {
        let entry = LedgerEntry {
            account: id.clone(),
            kind: EntryKind::Grant,
            amount: Nanos::new(usd * USD),
            reference: format!("grant:{}", random::reference().unwrap()),
            reason: "for a test".to_owned(),
        };
        let session = Session::of(stage.stack.database(), "admin:test".to_owned());
        let post = entry.to_batch(&session.change(&id));
        stage.stack.database().execute(&post.batch).unwrap();
    }
    id
}

/// A new key of an account.
pub fn new_key(stage: &Stage, account: &AccountId, name: &str) -> NewKey {
    let key = NewKey {
        id: random::key_id().unwrap(),
        account: account.clone(),
        key: random::api_key().unwrap(),
        name: name.to_owned(),
        expires_at_ms: None,
        limits: Limits::default(),
    };
    commit(stage, account, |change| key.to_batch(change));
    key
}

/// A new person of an account.
pub fn new_person(stage: &Stage, account: &AccountId) -> NewPerson {
    let id = random::person_id().unwrap();
    let email = format!("{}@people.test", id.as_str());
    let person = NewPerson {
        id,
        account: account.clone(),
        email: EmailAddress::parse(&email).unwrap(),
    };
    commit(stage, account, |change| person.to_batch(change));
    person
}

/// A person of the account, signed in at this origin.
pub fn sign_in(stage: &Stage, account: AccountId, origin: &str) -> Member {
    let person = new_person(stage, &account);
    let mut member = Member {
        account,
        person: person.id,
        email: person.email.to_string(),
        browser: Browser::at(origin, &stage.stack.dashboard_url()),
    };
    member.browser = member.another_browser(stage);
    member
}

/// The path of a new link that signs a person in.
pub fn link(
    stage: &Stage,
    (account, person): (&AccountId, &PersonId),
    counts_as_second_factor: bool,
) -> String {
    let link = NewLink {
        person: person.clone(),
        token: random::token().unwrap(),
        expires_at_ms: now_ms() + 60_000,
        counts_as_second_factor,
    };
    commit(stage, account, |change| link.to_batch(change));
    format!("/sign-in/link/{}", link.token.reveal())
}

impl Member {
    /// One more browser in which the same person signed in.
    pub fn another_browser(&self, stage: &Stage) -> Browser {
        let path = link(stage, (&self.account, &self.person), false);
        let mut browser = self.browser.signed_out();
        let shown = browser.get(&path);
        assert_eq!(shown.status, 303, "{}", shown.body);
        browser
    }
}

impl Customer {
    /// A call with its key.
    pub fn call(&self, stage: &Stage, model: &str) -> Shown {
        call(stage, &self.key, model)
    }

    /// What a call is charged, in nanos.
    pub fn charge(&self, stage: &Stage, model: &str) -> i64 {
        let shown = self.call(stage, model);
        assert_eq!(shown.status, 200, "{}", shown.body);
        charges(stage, &shown)[0]
    }
}

/// A call with a key and few tokens.
pub fn call(stage: &Stage, key: &str, model: &str) -> Shown {
    let request = Request::post(format!("{}/v1/chat/completions", stage.stack.gateway_url()))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json");
    let message = json!({ "role": "user", "content": "hello" });
    let body = json!({ "model": model, "messages": [message], "max_tokens": 10 });
    send(request.body(body.to_string()).unwrap())
}

/// What a call that was answered charges each level, from the caller up, in nanos; it may be settled a
/// moment after its answer.
pub fn charges(stage: &Stage, answer: &Shown) -> Vec<i64> {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let call = RequestId::parse(body["id"].as_str().unwrap()).unwrap();
    let read = Statement::new("SELECT levels FROM requests WHERE id = ?1 AND state <> 'held'");
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let rows = stage.stack.database().read(read.clone().bind(call.get()));
        if let Some(row) = rows.unwrap().first() {
            let levels: Value = serde_json::from_str(&row.get::<String>(0).unwrap()).unwrap();
            let levels = levels.as_array().unwrap().iter();
            return levels
                .map(|level| level["charge"].as_i64().unwrap())
                .collect();
        }
        assert!(Instant::now() < deadline, "never settled: {}", answer.body);
    }
}

/// The status and code of an answer that must be an error.
pub fn refusal(shown: &Shown) -> (u16, String) {
    let body: Value = serde_json::from_str(&shown.body).unwrap_or_default();
    let code = body["error"]["code"].as_str().unwrap_or_default();
    (shown.status, code.to_owned())
}

/// Sends the fields that a page's form has of itself, and what somebody types over and beside them.
pub fn fill(browser: &mut Browser, page: &str, action: &str, typed: &[(&str, &str)]) -> Shown {
    let hidden = browser.get(page).form(action);
    send_form(browser, action, &hidden, typed)
}

/// Sends a form that was looked at before.
pub fn send_form(
    browser: &mut Browser,
    action: &str,
    hidden: &[(String, String)],
    typed: &[(&str, &str)],
) -> Shown {
    let hidden = hidden
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let hidden = hidden.filter(|(name, _)| typed.iter().all(|(other, _)| other != name));
    let fields: Vec<(&str, &str)> = hidden.chain(typed.iter().copied()).collect();
    browser.post(action, &fields)
}

fn bound(sql: &str, values: &[&str]) -> Statement {
    let statement = Statement::new(sql.to_owned());
    values
        .iter()
        .fold(statement, |statement, value| statement.bind(*value))
}

/// What a statement selects.
pub fn rows(stage: &Stage, sql: &str, values: &[&str]) -> Vec<Row> {
    stage.stack.database().read(bound(sql, values)).unwrap()
}

/// The first column of the first row that a statement selects.
pub fn find<T: Column>(stage: &Stage, statement: Statement) -> T {
    let sql = statement.sql().to_owned();
    let rows = stage.stack.database().read(statement).unwrap();
    let row = rows.first().unwrap_or_else(|| panic!("no row: {sql}"));
    row.get(0).unwrap()
}

/// The one number that a statement selects.
pub fn number(stage: &Stage, sql: &str, values: &[&str]) -> i64 {
    find(stage, bound(sql, values))
}

/// Changes the database in a way that no page can, such as one that takes time.
pub fn change(stage: &Stage, statement: Statement) {
    let mut batch = Batch::new();
    let step = batch.step(None, statement);
    let reply = stage.stack.database().execute(&batch).unwrap();
    let failures: Vec<_> = reply.failures().collect();
    assert!(reply.is_ok(step), "{failures:?}");
}

/// An account's balance less its debt, in nanos.
pub fn balance(stage: &Stage, account: &AccountId) -> i64 {
    let read = "SELECT balance_nanos - debt_nanos FROM accounts WHERE id = ?1";
    number(stage, read, &[account.as_str()])
}

/// The latest line of the audit log with this action and subject.
pub struct Logged {
    /// In whose log it is.
    pub account: String,
    /// Who did it.
    pub actor: String,
    /// What was there.
    pub before: Value,
    /// What is there since.
    pub after: Value,
}

/// Looks it up; it must be of the last minutes.
pub fn logged(stage: &Stage, action: &str, subject: &str) -> Logged {
    let read = "SELECT account_id, actor, before, after, created_at_ms FROM audit_log \
                WHERE action = ?1 AND subject = ?2 ORDER BY id DESC LIMIT 1";
    let rows = rows(stage, read, &[action, subject]);
    let row = rows
        .first()
        .unwrap_or_else(|| panic!("no `{action}` of `{subject}`"));
    let json = |column| serde_json::from_str(&row.get::<String>(column).unwrap()).unwrap();
    let age_ms = now_ms() - row.get::<i64>(4).unwrap();
    assert!(
        (-1_000..600_000).contains(&age_ms),
        "{action}: {age_ms} ms old"
    );
    Logged {
        account: row.get(0).unwrap(),
        actor: row.get(1).unwrap(),
        before: json(2),
        after: json(3),
    }
}

impl Logged {
    /// It is in this account's log, by this person, with this before and after.
    pub fn check(&self, member: &Member, before: &Value, after: &Value) {
        assert_eq!(self.account, member.account.as_str());
        assert_eq!(self.actor, format!("person:{}", member.person));
        assert_eq!((&self.before, &self.after), (before, after));
    }
}
