//! Credit that covers some of many parallel calls is spent on exactly these.

use serde_json::{Value, json};
use tollgate_core::limits::Limits;
use tollgate_tests::Caller;

use crate::client::{Answer, nanos};
use crate::price::charge;
use crate::stage::{Stage, shared};

const CALLS: usize = 64;

/// Sends the same call many times at once.
fn fire(stage: &Stage, caller: &Caller, request: &Value) -> Vec<Answer> {
    let client = stage.client(caller);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS)
            .map(|_| scope.spawn(|| client.chat(request)))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

fn with_status(answers: &[Answer], status: u16) -> Vec<&Answer> {
    let found = answers.iter().filter(|answer| answer.status == status);
    found.collect()
}

#[test]
fn of_64_parallel_calls_exactly_the_10_that_are_paid_for_are_made() {
    let stage = shared();
    let price = charge(10_000_000_000);
    let caller = stage.customer(10 * price);
    let answers = fire(
        stage,
        &caller,
        &json!({
            "model": "sim/per-request",
            "messages": [{"role": "user", "content": "ten-of-sixty-four"}],
            "max_tokens": 8,
        }),
    );
    assert_eq!(with_status(&answers, 200).len(), 10);
    let refused = with_status(&answers, 402);
    assert_eq!(refused.len(), CALLS - 10);
    for answer in refused {
        assert_eq!(answer.error_code(), "insufficient_credits");
        assert!(answer.json()["error"]["hint"].is_string(), "{answer:?}");
    }
    let wallet = stage.settled(&caller.account);
    assert_eq!((wallet.balance, wallet.charged), (0, 10 * price));
    assert_eq!(stage.provider.received("ten-of-sixty-four").len(), 10);
    assert_eq!(
        stage.client(&caller).credits(),
        [10 * price, 10 * price, 0, 0]
    );
}

#[test]
fn of_parallel_calls_priced_by_token_no_refused_one_is_sent_and_charges_add_up() {
    let stage = shared();
    let credit = 3_000_000;
    let caller = stage.customer(credit);
    let answers = fire(
        stage,
        &caller,
        &json!({
            "model": "sim/echo",
            "messages": [{"role": "user", "content": "many-tokens-at-once [[ttft_ms=300]]"}],
            "max_tokens": 300,
        }),
    );
    let made = with_status(&answers, 200);
    assert_eq!(made.len() + with_status(&answers, 402).len(), CALLS);
    assert!(!made.is_empty() && made.len() < CALLS, "{}", made.len());
    let charges = made.iter().map(|made| nanos(&made.json()["usage"]["cost"]));
    let charged: i64 = charges.sum();
    let wallet = stage.settled(&caller.account);
    assert_eq!(
        (wallet.balance + charged, wallet.charged),
        (credit, charged)
    );
    assert_eq!(
        stage.provider.received("many-tokens-at-once").len(),
        made.len()
    );
}

#[test]
fn a_call_without_max_tokens_holds_at_most_a_quarter_of_the_credit_and_tells_its_bound() {
    let stage = shared();
    let check = |credit: i64, limits: Limits, expect: std::ops::RangeInclusive<i64>| {
        let caller = stage.caller(&stage.operator, credit, limits);
        let marker = format!("no-max-tokens-{}", stage.draw());
        let answer = stage.client(&caller).chat(&json!({
            "model": "sim/echo",
            "messages": [{"role": "user", "content": marker}],
        }));
        assert_eq!(answer.status, 200, "{answer:?}");
        let told: i64 = answer
            .header("x-tollgate-max-tokens")
            .unwrap()
            .parse()
            .unwrap();
        assert!(expect.contains(&told), "{told}");
        let sent = &stage.provider.received(&marker)[0].body["max_tokens"];
        assert_eq!(sent.as_i64(), Some(told));
        let request = stage.request(answer.request());
        assert_eq!(request.max_tokens, told);
        let held = request.levels[0]["hold"].as_i64().unwrap();
        assert!(held <= credit / 4, "{held} of {credit}");
    };
    let limited = Limits {
        default_max_tokens: Some(500),
        ..Limits::default()
    };
    check(100_000_000_000, Limits::default(), 8_192..=8_192);
    check(100_000_000_000, limited, 500..=500);
    // A quarter of it, less the prompt's bound, at 0.74 nanos a token.
    check(4_000_000, Limits::default(), 900..=1_350);
}

#[test]
fn a_call_that_names_its_max_tokens_is_not_told_one() {
    let stage = shared();
    let caller = stage.customer(1_000_000_000);
    let answer = stage.client(&caller).chat(&json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": "named"}],
        "max_completion_tokens": 7,
    }));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("x-tollgate-max-tokens"), None);
    assert_eq!(answer.json()["usage"]["completion_tokens"], 7);
    assert_eq!(answer.json()["choices"][0]["finish_reason"], "length");
}
