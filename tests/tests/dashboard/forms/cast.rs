//! Who fills in the forms, and what they own: people of their own, so that nothing of the demo's changes,
//! and objects that are made anew for each form.

use std::cell::Cell;
use std::collections::BTreeMap;

use tollgate_core::accounts::{AccountKind, NewKey, NewRule};
use tollgate_core::hrana::{Row, Statement};
use tollgate_core::ids::{AccountId, PersonId};
use tollgate_core::money::Nanos;
use ureq::http::Request;
use xtask::clock::now_ms;
use xtask::random;

use crate::browser::{Browser, send};
use crate::people;
use crate::shopper::press;
use crate::stage::Stage;

/// What everything in here is called, so that it is found again.
pub const NAME: &str = "Forms";

/// What is the operator's, and so everybody's: the tables and their keys.
const SHARED: [(&str, &str); 3] = [
    ("models", "slug"),
    ("refused_models", "pattern"),
    ("provider_accounts", "id"),
];

/// Somebody who signed in.
#[derive(Clone)]
pub struct Member {
    /// Whose pages these are.
    pub account: String,
    /// Who it is.
    pub person: String,
    /// Where it signed in.
    pub browser: Browser,
}

/// Another reseller with a customer, and what they own.
pub struct Rival {
    pub member: Member,
    pub customer: String,
    pub key: String,
    pub rule: String,
    pub pack: String,
    pub host: String,
    pub order: String,
    pub refund: String,
}

/// Everybody.
pub struct Cast<'a> {
    pub stage: &'a Stage,
    pub operator: Member,
    /// Has a wallet of 1,000 USD and the customer `below`.
    pub reseller: Member,
    /// A customer of the operator with 1,000 USD, a paid order and a saved card.
    pub buyer: Member,
    /// A customer of the reseller in which nobody signed in.
    pub below: String,
    /// The order that the buyer paid: $10.
    pub paid: String,
    /// Somebody to whom nothing may happen.
    pub rival: Rival,
    /// What was in the tables of [`SHARED`] before.
    shared: BTreeMap<&'static str, Vec<String>>,
    count: Cell<u32>,
}

impl<'a> Cast<'a> {
    /// Takes everybody in.
    pub fn new(stage: &'a Stage) -> Self {
        let operator = Member {
            account: stage.demo.operator_id.clone(),
            person: stage.demo.operator.person_id.clone(),
            browser: Browser::signed_in(&stage.demo.operator.sign_in_url),
        };
        let mut cast = Self {
            stage,
            rival: Rival {
                member: operator.clone(),
                customer: String::new(),
                key: String::new(),
                rule: String::new(),
                pack: String::new(),
                host: String::new(),
                order: String::new(),
                refund: String::new(),
            },
            reseller: operator.clone(),
            buyer: operator.clone(),
            operator,
            below: String::new(),
            paid: String::new(),
            shared: BTreeMap::new(),
            count: Cell::new(0),
        };
        for (table, key) in SHARED {
            let known = cast.texts_of(&format!("SELECT {key} FROM {table}"), &[]);
            cast.shared.insert(table, known);
        }
        cast.rival = cast.rival();
        cast.reseller = cast.member(&cast.account(AccountKind::Reseller, None));
        cast.buyer = cast.member(&cast.account(AccountKind::Customer, None));
        cast.below = cast.account(AccountKind::Customer, Some(&cast.reseller.account));
        for account in [&cast.reseller.account, &cast.buyer.account] {
            cast.run(&format!(
                "UPDATE accounts SET balance_nanos = 1000000000000 WHERE id = '{account}'"
            ));
            cast.run(&format!(
                "INSERT INTO ledger_entries (account_id, kind, amount_nanos, reference, reason, \
                 created_at_ms) VALUES ('{account}', 'grant', 1000000000000, 'forms:{account}', \
                 'forms', 0)"
            ));
        }
        cast.paid = cast.buy();
        let _ = cast.save_card();
        cast
    }

    /// Gives the buyer a saved card, as Stripe would tell of it; its id.
    pub fn save_card(&self) -> String {
        let card = format!("pm_forms{}", self.number());
        self.run(&format!(
            "UPDATE stripe_customers SET payment_method_id = '{card}', card = 'visa 4242', \
             card_fingerprint = 'forms' WHERE account_id = '{}'",
            self.buyer.account
        ));
        card
    }

    fn rival(&self) -> Rival {
        let reseller = self.account(AccountKind::Reseller, None);
        let customer = self.account(AccountKind::Customer, Some(&reseller));
        let tail = random::reference().unwrap()[..12].to_owned();
        let [pack, order, refund] = ["pck", "ord", "rfd"].map(|kind| format!("{kind}_{tail}0000"));
        let host = format!("{tail}.rival.example");
        for sql in [
            format!(
                "INSERT INTO packs (id, account_id, price_cents, credit_nanos, created_at_ms) \
                 VALUES ('{pack}', '{reseller}', 100, 1000000000, 0)"
            ),
            format!(
                "INSERT INTO domains (host, account_id, origin, created_at_ms) \
                 VALUES ('{host}', '{reseller}', 'https://{host}', 0)"
            ),
            format!(
                "INSERT INTO orders (id, account_id, seller_id, kind, pack_id, price_cents, currency, \
                 credit_nanos, proceeds_nanos, state, payment_intent_id, livemode, expires_at_ms, \
                 created_at_ms) VALUES ('{order}', '{customer}', '{reseller}', 'checkout', '{pack}', \
                 100, 'usd', 1000000000, 900000000, 'paid', 'pi_{tail}', 0, 0, 0)"
            ),
            format!(
                "INSERT INTO refunds (id, order_id, account_id, amount_cents, credit_nanos, state, \
                 created_at_ms) VALUES ('{refund}', '{order}', '{customer}', 1, 10000000, 'failed', 0)"
            ),
        ] {
            self.run(&sql);
        }
        Rival {
            member: self.member(&reseller),
            key: self.key(&customer, NAME),
            rule: self.rule(&reseller),
            customer,
            pack,
            host,
            order,
            refund,
        }
    }

    /// Everything of the rival's.
    pub fn of_rival(&self) -> Vec<String> {
        let both = [self.rival.member.account.as_str(), &self.rival.customer];
        let tables = [
            "json_array(id, name, status, balance_nanos, rules_version) FROM accounts WHERE id",
            "json_array(id, name, version, revoked_at_ms) FROM keys WHERE account_id",
            "json_array(id, ends_at_ms) FROM price_rules WHERE account_id",
            "json_array(id, ends_at_ms) FROM packs WHERE account_id",
            "json_array(host, verified_at_ms) FROM domains WHERE account_id",
            "json_array(id, state, refunded_cents) FROM orders WHERE account_id",
            "json_array(id, state, order_id) FROM refunds WHERE account_id",
            "json_array(id, name, closed_at_ms) FROM people WHERE account_id",
            "hex(s.hash) FROM sessions s JOIN people p ON p.id = s.person_id WHERE p.account_id",
            "reference FROM ledger_entries WHERE account_id",
            "action FROM audit_log WHERE account_id",
        ];
        let rows = tables.iter().flat_map(|table| {
            self.texts_of(&format!("SELECT {table} IN (?1, ?2) ORDER BY 1"), &both)
        });
        rows.collect()
    }

    /// A number that nothing else here has.
    pub fn number(&self) -> u32 {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    /// A new account below the operator, or below another one.
    pub fn account(&self, kind: AccountKind, parent: Option<&str>) -> String {
        let parent = AccountId::parse(parent.unwrap_or(&self.stage.demo.operator_id)).unwrap();
        let name = format!("{NAME} {}", self.number());
        people::open(self.stage, kind, &parent, (&name, 0)).to_string()
    }

    /// A new person of an account of the operator's, who signed in.
    pub fn member(&self, account: &str) -> Member {
        let account = AccountId::parse(account).unwrap();
        let person = people::new_person(self.stage, &account);
        Member {
            account: account.to_string(),
            person: person.id.to_string(),
            browser: self.sign_in(&person.id, &account),
        }
    }

    /// One more session of a person.
    pub fn sign_in(&self, person: &PersonId, account: &AccountId) -> Browser {
        let path = people::link(self.stage, (account, person), true);
        Browser::signed_in(&format!("{}{path}", self.stage.stack.dashboard_url()))
    }

    /// The id of a new key.
    pub fn key(&self, account: &str, name: &str) -> String {
        self.new_key(account, name).id.to_string()
    }

    /// A new key.
    pub fn new_key(&self, account: &str, name: &str) -> NewKey {
        let account = AccountId::parse(account).unwrap();
        people::new_key(self.stage, &account, name)
    }

    /// A new rule of a seller's, for models that nobody has.
    pub fn rule(&self, seller: &str) -> String {
        let account = AccountId::parse(seller).unwrap();
        let rule = NewRule {
            id: random::rule_id().unwrap(),
            account: account.clone(),
            pattern: "forms/*".to_owned(),
            markup_bps: 100,
            min_charge: Nanos::ZERO,
            priority: 0,
            starts_at_ms: now_ms(),
        };
        people::commit(self.stage, &account, |change| rule.to_batch(change));
        rule.id.to_string()
    }

    /// An order of the buyer's of which Stripe does not know yet.
    pub fn order(&self) -> String {
        let id = format!("ord_forms{}", &random::reference().unwrap()[..11]);
        let (buyer, operator) = (&self.buyer, &self.operator.account);
        let now = now_ms();
        self.run(&format!(
            "INSERT INTO orders (id, account_id, seller_id, kind, person_id, price_cents, currency, \
             credit_nanos, state, livemode, expires_at_ms, created_at_ms) VALUES ('{id}', '{}', \
             '{operator}', 'checkout', '{}', 1000, 'usd', 10000000000, 'new', 0, {}, {now})",
            buyer.account,
            buyer.person,
            now + 7_200_000,
        ));
        id
    }

    /// Buys $10 of credit at Stripe's page.
    fn buy(&self) -> String {
        let id = format!("ord_paid{}", &random::reference().unwrap()[..12]);
        let mut browser = self.buyer.browser.clone();
        let fields = [("once", id.as_str()), ("choice", "1000")];
        let shown = browser.post("/billing/orders", &fields);
        assert_eq!(shown.status, 303, "{}", shown.body);
        let fields = [("action", "pay"), ("card", "4242424242424242")];
        assert_eq!(press(&shown.location, &fields).status, 303);
        let idle = format!("{}/_sim/stripe/idle", self.stage.stack.simulator_url());
        assert_eq!(
            send(Request::get(idle).body(String::new()).unwrap()).status,
            200
        );
        let state = self.texts_of("SELECT state FROM orders WHERE id = ?1", &[&id]);
        assert_eq!(state, ["paid"]);
        id
    }

    /// Executes one statement.
    pub fn run(&self, sql: &str) {
        people::change(self.stage, Statement::new(sql.to_owned()));
    }

    /// Reads rows; `?1` and on are the arguments, of which not all need to be in it.
    pub fn read(&self, sql: &str, args: &[&str]) -> Vec<Row> {
        let named = |number: usize| sql.contains(&format!("?{number}"));
        let last = (1..=args.len()).rev().find(|number| named(*number));
        people::rows(self.stage, sql, &args[..last.unwrap_or(0)])
    }

    /// Reads one number.
    pub fn number_of(&self, sql: &str, args: &[&str]) -> i64 {
        self.read(sql, args)[0].get(0).unwrap()
    }

    /// Reads texts.
    pub fn texts_of(&self, sql: &str, args: &[&str]) -> Vec<String> {
        let rows = self.read(sql, args);
        rows.iter().map(|row| row.get(0).unwrap()).collect()
    }

    /// How many lines people wrote into the audit log.
    pub fn lines(&self) -> i64 {
        self.number_of(
            "SELECT count(*) FROM audit_log WHERE actor LIKE 'person:%'",
            &[],
        )
    }

    /// Leaves nothing behind that others would trip over: what all share is as it was.
    pub fn leave(&self) {
        let [models, refusals, accounts] = SHARED.map(|(table, key)| {
            let known = &self.shared[table];
            let known: Vec<String> = known.iter().map(|id| format!("'{id}'")).collect();
            format!("{table} WHERE {key} NOT IN ({})", known.join(", "))
        });
        for sql in [
            format!("DELETE FROM costs WHERE model IN (SELECT slug FROM {models})"),
            format!("DELETE FROM {models}"),
            format!("DELETE FROM {refusals}"),
            format!("DELETE FROM {accounts}"),
            "UPDATE providers SET enabled = 1".to_owned(),
            "DELETE FROM usage_days WHERE key_id = 'key_forms'".to_owned(),
            "UPDATE catalogue SET version = version + 1".to_owned(),
        ] {
            self.run(&sql);
        }
    }
}
