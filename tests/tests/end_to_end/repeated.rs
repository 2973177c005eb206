//! Calls with an `Idempotency-Key`, and what a caller without credit is told.

use serde_json::{Value, json};
use tollgate_core::accounts::{edit_key_budget, edit_spend_limit};
use tollgate_core::budget::Period;
use tollgate_core::money::Nanos;

use crate::client::nanos;
use crate::price::charge;
use crate::stage::{Stage, shared};

fn request(content: &str) -> Value {
    json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 50,
    })
}

#[test]
fn a_call_that_is_repeated_with_its_key_is_billed_once_and_told_of_the_first() {
    let stage = shared();
    let caller = stage.customer(1_000_000_000);
    let client = stage.client(&caller);
    let body = request("once-only");
    let first = client.chat_named("order-1", &body);
    assert_eq!(first.status, 200, "{first:?}");
    let wallet = stage.settled(&caller.account);
    let again = client.chat_named("order-1", &body);
    assert_eq!(
        (again.status, again.error_code().as_str()),
        (409, "duplicate_request")
    );
    assert_eq!(again.header("x-should-retry"), Some("false"));
    let details = &again.json()["error"]["details"];
    assert_eq!(details["first_request_id"], first.request_id());
    assert_eq!(details["state"], "settled");
    assert_eq!(nanos(&details["charge"]), wallet.charged);
    let generation = details["first_generation_id"].as_str().unwrap();
    assert_eq!(
        client.generation(generation)["total_cost"],
        details["charge"]
    );
    let other = client.chat_named("order-1", &request("something-else"));
    assert_eq!(
        (other.status, other.error_code().as_str()),
        (422, "idempotency_key_reused")
    );
    let bad = client.chat_named(&"x".repeat(300), &body);
    assert_eq!(
        (bad.status, bad.error_code().as_str()),
        (400, "invalid_idempotency_key")
    );
    assert_eq!(stage.wallet(&caller.account), wallet);
    assert_eq!(stage.provider.received("once-only").len(), 1);
    assert_eq!(client.chat_named("order-2", &body).status, 200);
}

#[test]
fn equal_calls_at_the_same_time_reach_the_provider_once() {
    let stage = shared();
    let caller = stage.customer(1_000_000_000);
    let client = stage.client(&caller);
    let body = request("all-together [[ttft_ms=500]]");
    let statuses = std::thread::scope(|scope| {
        let call = || client.chat_named("same", &body).status;
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(call)).collect();
        let mut statuses: Vec<u16> = calls.into_iter().map(|call| call.join().unwrap()).collect();
        statuses.sort_unstable();
        statuses
    });
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(stage.provider.received("all-together").len(), 1);
}

#[test]
fn a_call_that_the_provider_refused_may_be_repeated_with_its_key() {
    let stage = shared();
    let caller = stage.customer(1_000_000_000);
    let client = stage.client(&caller);
    let body = json!({
        "model": "sim/status-500",
        "messages": [{"role": "user", "content": "refused-once"}],
        "max_tokens": 5,
    });
    assert_eq!(client.chat_named("again", &body).status, 502);
    stage.settled(&caller.account);
    assert_eq!(client.chat_named("again", &body).status, 502);
    assert_eq!(stage.provider.received("refused-once").len(), 2);
}

#[test]
fn whoever_has_too_little_credit_is_told_what_there_is_what_is_needed_and_where_to_buy() {
    let stage = Stage::start("refusals", &[("TOP_UP_URL", "https://shop.example/credit")]);
    // The prompt and about 1,000 tokens at 0.741 nanos.
    let caller = stage.customer(1_000_000);
    let client = stage.client(&caller);
    let mut body = request("poor");
    // As many digits as the affordable number has, because the prompt's bound counts them.
    body["max_tokens"] = json!(9_999);
    let refused = client.chat(&body);
    assert_eq!(
        (refused.status, refused.error_code().as_str()),
        (402, "insufficient_credits")
    );
    let details = &refused.json()["error"]["details"];
    assert_eq!(nanos(&details["balance"]), 1_000_000);
    assert_eq!(nanos(&details["held"]), 0);
    assert!(nanos(&details["needed"]) > 1_000_000);
    assert_eq!(details["top_up_url"], "https://shop.example/credit");
    assert_eq!(refused.header("x-tollgate-balance"), Some("0.001"));
    assert_eq!(refused.header("x-tollgate-held"), Some("0"));
    let affordable = details["affordable_max_tokens"].as_u64().unwrap();
    body["max_tokens"] = json!(affordable + 1);
    assert_eq!(client.chat(&body).status, 402, "{affordable}");
    body["max_tokens"] = json!(affordable);
    let answer = client.chat(&body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let held = answer.header("x-tollgate-held").unwrap();
    assert!(nanos(&held.parse().unwrap()) <= 1_000_000);
    assert_eq!(answer.header("x-tollgate-balance"), Some("0.001"));
    let told = nanos(&answer.header("x-tollgate-charge").unwrap().parse().unwrap());
    assert_eq!(stage.settled(&caller.account).charged, told);
}

#[test]
fn a_spent_budget_refuses_and_says_until_when() {
    let stage = shared();
    let price = charge(10_000_000_000);
    let check = |limit_account: bool, code: &str| {
        let caller = stage.customer(100 * price);
        let edits = [(Period::Day, Some(Nanos::new(2 * price + 1)))];
        let change = stage.change();
        stage.commit(if limit_account {
            edit_spend_limit(&caller.account, &edits, &change)
        } else {
            edit_key_budget(&caller.account, &caller.key_id, &edits, &change)
        });
        let client = stage.client(&caller);
        let body = json!({
            "model": "sim/per-request",
            "messages": [{"role": "user", "content": "budgeted"}],
            "max_tokens": 8,
        });
        assert_eq!(client.chat(&body).status, 200);
        assert_eq!(client.chat(&body).status, 200);
        stage.settled(&caller.account);
        let refused = client.chat(&body);
        assert_eq!((refused.status, refused.error_code().as_str()), (402, code));
        let details = &refused.json()["error"]["details"];
        assert_eq!(details["period"], "day");
        assert_eq!(nanos(&details["spent"]), 2 * price);
        assert!(
            details["resets_at"]
                .as_str()
                .unwrap()
                .ends_with("T00:00:00Z")
        );
        if !limit_account {
            let key = client.get("/v1/key").json();
            assert_eq!(nanos(&key["data"]["limit_remaining"]), 1);
            assert_eq!(key["data"]["limit_reset"], "daily");
        }
    };
    check(false, "key_budget_exceeded");
    check(true, "spend_limit_exceeded");
}
