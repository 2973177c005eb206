//! A customer of the demo's reseller who has nothing yet, what they do on their pages and at Stripe, and
//! what the database and Stripe have to say of them. Every test has one of its own.

use serde_json::Value;
use tollgate_core::accounts::AccountKind;
use tollgate_core::hrana::{Column, Statement};
use tollgate_core::ids::AccountId;
use ureq::http::Request;
use xtask::build::Worker;

use crate::browser::{Browser, Shown, send, value_after};
use crate::people::{change, find, open, sign_in};
use crate::stage::Stage;

/// One US dollar in nanos.
pub const DOLLAR: i64 = 1_000_000_000;
/// How long the Worker leaves an order alone, and more, in milliseconds.
const REST_MS: i64 = 120_000;
const DAY_MS: i64 = 86_400_000;

/// Somebody who buys.
pub struct Shopper {
    pub browser: Browser,
    pub account: String,
    pub email: String,
    simulator: String,
}

impl Shopper {
    /// Somebody new, with deliveries of Stripe's events as they should be.
    pub fn new(stage: &Stage, name: &str) -> Self {
        let reseller = AccountId::parse(&stage.demo.reseller_id).unwrap();
        let account = open(stage, AccountKind::Customer, &reseller, (name, 0));
        let shopper = Self::person(stage, account.as_str());
        shopper.control("DELETE", "delivery");
        shopper
    }

    /// Somebody else of an account.
    pub fn person(stage: &Stage, account: &str) -> Self {
        let account = AccountId::parse(account).unwrap();
        let member = sign_in(stage, account, &stage.stack.reseller_url());
        Self {
            browser: member.browser,
            account: member.account.to_string(),
            email: member.email,
            simulator: stage.stack.simulator_url(),
        }
    }

    /// One of the simulator's controls of Stripe.
    pub fn control(&self, method: &str, what: &str) -> Value {
        let url = format!("{}/_sim/stripe/{what}", self.simulator);
        let request = Request::builder().method(method).uri(url);
        let shown = send(request.body(String::new()).unwrap());
        assert_eq!(shown.status, 200, "{what}: {}", shown.body);
        serde_json::from_str(&shown.body).unwrap()
    }

    /// Waits until every event was delivered.
    pub fn idle(&self) {
        self.control("GET", "idle");
    }

    /// Asks Stripe's API.
    pub fn at_stripe(&self, path: &str) -> Value {
        let request = Request::get(format!("{}/stripe/v1/{path}", self.simulator))
            .header("authorization", "Bearer sk_test_simulator")
            .header("stripe-version", "2026-10-28.endive");
        let shown = send(request.body(String::new()).unwrap());
        assert_eq!(shown.status, 200, "{path}: {}", shown.body);
        serde_json::from_str(&shown.body).unwrap()
    }

    /// The objects of Stripe's events of a kind that are this account's, one for each object.
    pub fn told(&self, stage: &Stage, kind: &str) -> Vec<Value> {
        let customer: Option<String> = self.find(
            stage,
            "SELECT (SELECT stripe_id FROM stripe_customers WHERE account_id = ?1)",
        );
        let mut events = self.control("GET", &format!("events?type={kind}"));
        let events: Vec<Value> = serde_json::from_value(events["events"].take()).unwrap();
        let objects = events
            .into_iter()
            .map(|mut it| it["event"]["data"]["object"].take());
        objects
            .filter(|object| object["customer"].as_str() == customer.as_deref())
            .collect()
    }

    /// Orders for an amount of one's own, such as `150`, and where that leads.
    pub fn order(&mut self, amount: &str, save_card: bool) -> Shown {
        let page = self.browser.get("/billing").body;
        let once = value_after(&page, "name=\"once\"");
        let mut fields = vec![
            ("once", once.as_str()),
            ("choice", "other"),
            ("amount", amount),
        ];
        if save_card {
            fields.push(("save_card", "on"));
        }
        self.browser.post("/billing/orders", &fields)
    }

    /// Buys with a card, and waits until Stripe's events are there; the order.
    pub fn buy(&mut self, stage: &Stage, amount: &str, card: &str) -> String {
        let page = self.order(amount, true);
        assert_eq!(page.status, 303, "{}", page.body);
        press(&page.location, &[("action", "pay"), ("card", card)]);
        self.idle();
        self.latest_order(stage)
    }

    /// The order that was made last.
    pub fn latest_order(&self, stage: &Stage) -> String {
        self.find(
            stage,
            "SELECT id FROM orders WHERE account_id = ?1 ORDER BY created_at_ms DESC, rowid DESC",
        )
    }

    /// A column of an order of this account's.
    pub fn of_order<T: Column>(&self, stage: &Stage, id: &str, sql: &str) -> T {
        let sql = format!("SELECT {sql} FROM orders WHERE account_id = ?1 AND id = ?2");
        find(
            stage,
            Statement::new(sql).bind(self.account.as_str()).bind(id),
        )
    }

    /// The first column of the first row; `?1` is the account.
    pub fn find<T: Column>(&self, stage: &Stage, sql: &'static str) -> T {
        find(stage, Statement::new(sql).bind(self.account.as_str()))
    }

    /// What the account has, in nanos.
    pub fn balance(&self, stage: &Stage) -> i64 {
        self.find(
            stage,
            "SELECT balance_nanos - debt_nanos FROM accounts WHERE id = ?1",
        )
    }

    /// How many entries of a kind the ledger has, and what they come to in nanos.
    pub fn ledger(&self, stage: &Stage, kind: &str) -> (i64, i64) {
        let sql = |column| {
            Statement::new(format!(
                "SELECT {column} FROM ledger_entries WHERE account_id = ?1 AND kind = ?2"
            ))
            .bind(self.account.as_str())
            .bind(kind)
        };
        (
            find(stage, sql("count(*)")),
            find(stage, sql("coalesce(sum(amount_nanos), 0)")),
        )
    }

    /// Makes every order of this account's old enough for the scheduled task.
    pub fn rest(&self, stage: &Stage) {
        self.shift(stage, "created_at_ms", REST_MS);
    }

    /// Makes everything that this account bought yesterday's.
    pub fn sleep(&self, stage: &Stage) {
        self.shift(stage, "paid_at_ms", DAY_MS);
    }

    /// Moves a moment of this account's orders into the past.
    pub fn shift(&self, stage: &Stage, column: &str, ms: i64) {
        let sql = format!("UPDATE orders SET {column} = {column} - ?2 WHERE account_id = ?1");
        change(
            stage,
            Statement::new(sql).bind(self.account.as_str()).bind(ms),
        );
    }

    /// The mails to this person, the latest first.
    pub fn mails(&self) -> Vec<Value> {
        let url = format!("{}/_sim/mail?to={}", self.simulator, self.email);
        let shown = send(Request::get(url).body(String::new()).unwrap());
        let mut told: Value = serde_json::from_str(&shown.body).unwrap();
        serde_json::from_value(told["mails"].take()).unwrap()
    }
}

/// Moves what a card of the simulator's paid today to yesterday, whoever used it.
pub fn rested_card(stage: &Stage, card: &str) {
    let sql = "UPDATE orders SET paid_at_ms = paid_at_ms - ?2 WHERE card_fingerprint = ?1";
    let name = match card.get(..1) {
        Some("5") => "Mast",
        _ => "Visa",
    };
    let fingerprint = format!("SimPrint{name}{}", &card[12..]);
    change(stage, Statement::new(sql).bind(fingerprint).bind(DAY_MS));
}

/// Presses a button of one of Stripe's pages; where it leads.
pub fn press(page: &str, fields: &[(&str, &str)]) -> Shown {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    let request = Request::post(page).header("content-type", "application/x-www-form-urlencoded");
    send(request.body(body.finish()).unwrap())
}

/// Runs the dashboard's scheduled task.
pub fn cron(stage: &Stage) {
    stage.stack.trigger_cron_of(Worker::Dashboard).unwrap();
}
