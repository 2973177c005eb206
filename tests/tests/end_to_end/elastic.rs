//! A streamed call that names no end holds a little credit at first and more while it streams, and
//! is cut off cleanly when there is no more.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tollgate_core::ids::RequestId;

use crate::client::{Events, nanos};
use crate::price::charge;
use crate::stage::Stage;

const CREDIT: i64 = 1_000_000_000;

/// Portions of 32 tokens stand for those of 1,024. The models are those of a host that stops when it is
/// told to: with others the whole bound is held as soon as they answer.
fn stage() -> &'static Stage {
    static STAGE: LazyLock<Stage> =
        LazyLock::new(|| Stage::start("elastic", &[("FIRST_PORTION_TOKENS", "32")]));
    &STAGE
}

fn request(model: &str, content: &str) -> Value {
    json!({
        "model": model,
        "messages": [{"role": "user", "content": content}],
    })
}

fn held(stage: &Stage, id: RequestId) -> i64 {
    stage.request(id).levels[0]["hold"].as_i64().unwrap()
}

/// What a call of a new customer held in the end.
fn hold(stage: &Stage, request: &Value) -> i64 {
    let caller = stage.customer(CREDIT);
    let stream = stage.client(&caller).stream(request);
    assert_eq!(stream.head.status, 200, "{:?}", stream.head);
    let id = stream.head.request();
    let _ = stream.text();
    stage.settled(&caller.account);
    held(stage, id)
}

#[test]
fn a_hold_grows_with_the_answer_and_the_bill_is_exact() {
    let stage = stage();
    let caller = stage.customer(CREDIT);
    let content = "grows [[tokens=400 tps=200]]";
    let mut stream = stage
        .client(&caller)
        .stream_with_usage(&request("sim/at-openai", content));
    assert_eq!(stream.head.status, 200, "{:?}", stream.head);
    assert_eq!(stream.head.header("x-tollgate-max-tokens"), Some("8192"));
    let id = stream.head.request();
    stream.read_chunks(1);
    let first = held(stage, id);
    stream.read_chunks(300);
    let later = held(stage, id);
    assert!(later > first, "{later} after {first}");
    let mut named = request("sim/at-openai", "whole [[tokens=1]]");
    named["max_tokens"] = json!(8_192);
    let whole = hold(stage, &named);
    assert!(later < whole / 4, "{later} of {whole}");
    let events = stream.events();
    assert!(events.done && events.error().is_none(), "{events:?}");
    let [received] = &stage.provider.received("grows")[..] else {
        panic!("not exactly one call");
    };
    let due = charge(received.billed_picos);
    assert_eq!(nanos(&events.usage().unwrap()["cost"]), due);
    let wallet = stage.settled(&caller.account);
    assert_eq!((wallet.charged, wallet.balance), (due, CREDIT - due));
    assert_eq!(stage.request(id).shortfall_nanos, Some(0));
}

#[test]
fn a_stream_whose_credit_ends_is_cut_off_as_if_its_length_were_reached() {
    let stage = stage();
    let caller = stage.customer(CREDIT);
    let content = "funds-end [[tokens=4000 tps=100]]";
    let mut stream = stage
        .client(&caller)
        .stream(&request("sim/at-openai", content));
    let id = stream.head.request();
    stream.read_chunks(2);
    let free = {
        let wallet = stage.wallet(&caller.account);
        wallet.balance - wallet.held
    };
    stage.grant(&caller.account, -free);
    let events = Events::read(&stream.text());
    assert!(events.done, "{events:?}");
    let last = events.chunks.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "length", "{last}");
    let error = &last["tollgate"]["error"];
    assert_eq!(error["code"], "insufficient_credits", "{last}");
    assert_eq!(error["details"]["balance"], error["details"]["held"]);
    assert!(events.error().is_none(), "{events:?}");
    let wallet = stage.settled(&caller.account);
    assert_eq!(nanos(&last["usage"]["cost"]), wallet.charged);
    let held = held(stage, id);
    assert!(0 < wallet.charged && wallet.charged <= held, "{wallet:?}");
    assert_eq!((wallet.balance + wallet.charged, wallet.debt), (held, 0));
    let [received] = &stage.provider.received("funds-end")[..] else {
        panic!("not exactly one call");
    };
    assert!(received.client_gone, "the provider was told to stop");
    let bill = charge(received.billed_picos);
    assert_eq!(wallet.charged, bill.min(held));
    let logged = stage.request(id);
    assert_eq!(logged.error_code.as_deref(), Some("insufficient_credits"));
    assert_eq!(logged.shortfall_nanos, Some((bill - held).max(0)));
}

#[test]
fn what_may_be_billed_unseen_or_has_an_end_holds_its_whole_bound_at_once() {
    let stage = stage();
    let grows = hold(stage, &request("sim/at-openai", "short"));
    let mut named = request("sim/at-openai", "short");
    named["max_tokens"] = json!(8_192);
    assert!(hold(stage, &named) > 10 * grows);
    assert!(hold(stage, &request("sim/reasoning", "short")) > 10 * grows);
}

#[test]
fn a_reseller_that_runs_dry_ends_its_customer_s_stream_without_a_word_about_its_money() {
    let stage = stage();
    let reseller = stage.new_reseller(CREDIT, 1_000);
    let caller = stage.caller(&reseller, CREDIT, Default::default());
    let mut stream = stage.client(&caller).stream(&request(
        "sim/at-openai",
        "dry-above [[tokens=4000 tps=100]]",
    ));
    stream.read_chunks(2);
    let wallet = stage.wallet(&reseller);
    stage.grant(&reseller, wallet.held - wallet.balance);
    let events = Events::read(&stream.text());
    let last = events.chunks.last().unwrap();
    let error = &last["tollgate"]["error"];
    assert_eq!(error["code"], "reseller_unavailable", "{last}");
    assert!(error.get("details").is_none(), "{error}");
    let above = stage.settled(&reseller);
    assert_eq!((above.debt, above.held), (0, 0));
    assert!(above.balance >= 0 && above.charged > 0);
}
