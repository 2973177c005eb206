//! Every account of a reseller's chain pays usage × cost × rule, to the nano, and everybody who
//! tells the amount tells the same one.

use serde_json::{Value, json};
use tollgate_core::accounts::revoke_key;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;
use tollgate_tests::Caller;

use crate::client::nanos;
use crate::price::{OPERATOR_BPS, charges};
use crate::stage::{Stage, shared};

/// Thirds make every level round.
const RESELLER_BPS: i64 = 3_333;

const CREDIT: i64 = 5_000_000_000;

/// A reseller with one customer.
struct Chain<'a> {
    stage: &'a Stage,
    reseller: AccountId,
    caller: Caller,
}

impl Chain<'_> {
    fn check(&self, model: &str, content: &Value, images: i128) {
        for streamed in [false, true] {
            self.check_once(model, content, (images, streamed));
        }
    }

    fn check_once(&self, model: &str, content: &Value, (images, streamed): (i128, bool)) {
        let stage = self.stage;
        let case = format!("{model} streamed: {streamed}");
        let marker = format!("money-{}", stage.draw());
        let request = json!({
            "model": model,
            "messages": [
                {"role": "system", "content": marker},
                {"role": "user", "content": content},
            ],
            "max_tokens": 200,
        });
        let before = [&self.caller.account, &self.reseller].map(|id| stage.settled(id));
        let client = stage.client(&self.caller);
        let (head, usage, id) = if streamed {
            let stream = client.stream_with_usage(&request);
            let head = stream.head.clone();
            let events = stream.events();
            let id = events.chunks[0]["id"].clone();
            (head, events.usage().unwrap().clone(), id)
        } else {
            let answer = client.chat(&request);
            assert_eq!(answer.status, 200, "{case}: {answer:?}");
            let body = answer.json();
            (answer, body["usage"].clone(), body["id"].clone())
        };

        let bill = stage.catalogue.cost_picos(model, &usage, images);
        let [received] = &stage.provider.received(&marker)[..] else {
            panic!("{case}: not exactly one call");
        };
        assert_eq!(received.billed_picos, bill, "{case}: {usage}");
        let [reseller_pays, customer_pays] = charges(bill, &[OPERATOR_BPS, RESELLER_BPS])[..]
        else {
            panic!("two levels");
        };
        assert_eq!(nanos(&usage["cost"]), customer_pays, "{case}: {usage}");

        for id in [id.as_str().unwrap(), head.request_id()] {
            let told = client.generation(id);
            assert_eq!(nanos(&told["total_cost"]), customer_pays, "{case}: {told}");
            assert_eq!(told["tokens_prompt"], usage["prompt_tokens"], "{case}");
        }
        let levels = stage.request(head.request()).levels;
        let charged = |level: usize| {
            let account = levels[level]["account"].as_str().unwrap().to_owned();
            (account, levels[level]["charge"].as_i64().unwrap())
        };
        let customer = self.caller.account.to_string();
        assert_eq!(charged(0), (customer, customer_pays), "{case}");
        assert_eq!(
            charged(1),
            (self.reseller.to_string(), reseller_pays),
            "{case}"
        );
        let after = [&self.caller.account, &self.reseller].map(|id| stage.settled(id));
        for (level, pays) in [customer_pays, reseller_pays].into_iter().enumerate() {
            assert_eq!(before[level].balance - after[level].balance, pays, "{case}");
            assert_eq!(after[level].charged - before[level].charged, pays, "{case}");
        }
        let usage = after[0].charged;
        let told = client.credits();
        assert_eq!(told, [CREDIT, usage, CREDIT - usage, 0], "{case}");
    }
}

#[test]
fn both_levels_pay_usage_times_cost_times_rule_to_the_nano() {
    let stage = shared();
    let reseller = stage.new_reseller(CREDIT, RESELLER_BPS);
    let caller = stage.caller(&reseller, CREDIT, Limits::default());
    let chain = Chain {
        stage,
        reseller,
        caller,
    };
    let text = |words: usize| json!("seven words make one odd prompt here ".repeat(words));
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let pictures = json!([{"type": "text", "text": "what is this"}, picture, picture]);
    chain.check("sim/echo", &text(1), 0);
    chain.check("sim/cached", &text(20), 0);
    chain.check("sim/reasoning", &text(1), 0);
    chain.check("sim/long-context", &text(10), 0);
    chain.check("sim/long-context", &text(200), 0);
    chain.check("sim/per-request", &text(1), 0);
    chain.check("sim/per-image", &pictures, 2);
    chain.check("sim/usage-every", &text(1), 0);
}

#[test]
fn a_call_that_costs_less_than_the_minimum_costs_the_minimum() {
    let stage = shared();
    let reseller = stage.new_reseller(CREDIT, 0);
    stage.rule(&reseller, "sim/e*", (0, 77_777));
    let caller = stage.caller(&reseller, CREDIT, Limits::default());
    let client = stage.client(&caller);
    let check = |model: &str, least: i64| {
        let answer = client.chat(&json!({
            "model": model,
            "messages": [{"role": "user", "content": "tiny"}],
            "max_tokens": 1,
        }));
        let usage = &answer.json()["usage"];
        let bill = stage.catalogue.cost_picos(model, usage, 0);
        let price = charges(bill, &[OPERATOR_BPS])[0];
        assert!(price < 77_777, "{price}");
        assert_eq!(nanos(&usage["cost"]), price.max(least), "{model}");
    };
    check("sim/echo", 77_777);
    check("sim/usage-last", 0);
}

#[test]
fn new_prices_hold_for_the_very_next_call() {
    let stage = shared();
    let reseller = stage.new_reseller(CREDIT, 0);
    let caller = stage.caller(&reseller, CREDIT, Limits::default());
    let client = stage.client(&caller);
    let check = |markup_bps: i64| {
        let answer = client.chat(&json!({
            "model": "sim/echo",
            "messages": [{"role": "user", "content": "dearer and dearer"}],
            "max_tokens": 50,
        }));
        let usage = &answer.json()["usage"];
        let bill = stage.catalogue.cost_picos("sim/echo", usage, 0);
        let [_, price] = charges(bill, &[OPERATOR_BPS, markup_bps])[..] else {
            panic!("two levels");
        };
        assert_eq!(nanos(&usage["cost"]), price, "{markup_bps}");
    };
    check(0);
    check(0);
    for (longer, markup_bps) in [("sim/*", 500), ("sim/echo", 1_000)] {
        stage.rule(&reseller, longer, (markup_bps, 0));
        check(markup_bps);
    }
}

#[test]
fn what_changes_while_a_call_runs_does_not_change_the_call() {
    let stage = shared();
    let reseller = stage.new_reseller(CREDIT, 0);
    let caller = stage.caller(&reseller, CREDIT, Limits::default());
    let mut stream = stage.client(&caller).stream_with_usage(&json!({
        "model": "sim/slow",
        "messages": [{"role": "user", "content": "old-price [[tokens=20]]"}],
        "max_tokens": 50,
    }));
    stream.read_chunks(2);
    stage.rule(&reseller, "sim/slow", (9_000, 1_000_000));
    stage.commit(revoke_key(&caller.account, &caller.key_id, &stage.change()));
    let events = stream.events();
    assert!(events.done && events.error().is_none(), "{events:?}");
    let bill = stage.provider.received("old-price")[0].billed_picos;
    let due = charges(bill, &[OPERATOR_BPS, 0])[1];
    assert_eq!(nanos(&events.usage().unwrap()["cost"]), due);
    assert_eq!(stage.settled(&caller.account).charged, due);
}

#[test]
fn a_reseller_without_credit_refuses_its_customers_and_nobody_pays() {
    let stage = shared();
    let reseller = stage.new_reseller(10, 1_000);
    let caller = stage.caller(&reseller, CREDIT, Limits::default());
    let call = |text: &str| {
        stage.client(&caller).chat(&json!({
            "model": "sim/echo",
            "messages": [{"role": "user", "content": text}],
            "max_tokens": 50,
        }))
    };
    let answer = call("poor-reseller");
    let told = (answer.status, answer.error_code());
    assert_eq!(told, (503, "reseller_unavailable".to_owned()));
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    assert!(!answer.body.contains(reseller.as_str()), "{answer:?}");
    assert_eq!(stage.wallet(&caller.account).balance, CREDIT);
    assert_eq!(stage.provider.received("poor-reseller").len(), 0);
    stage.grant(&reseller, CREDIT);
    assert_eq!(call("rich again").status, 200);
}
