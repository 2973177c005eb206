//! A part that is away: calls fail closed, nobody pays for nothing, and everything works again
//! once the part is back, without a restart of the others.

use serde_json::{Value, json};
use tollgate_tests::eventually;

use crate::client::Answer;
use crate::price::charge;
use crate::stage::Stage;

const CREDIT: i64 = 1_000_000_000;

fn request(content: &str) -> Value {
    json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 200,
    })
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status, answer.error_code())
}

#[test]
fn without_a_database_nothing_is_sent_and_with_it_everything_works_again() {
    let mut stage = Stage::start("database", &[]);
    let [warm, cold] = [0, 1].map(|_| stage.customer(CREDIT));
    let [warm_client, cold_client] = [&warm, &cold].map(|caller| stage.client(caller));
    assert_eq!(warm_client.chat(&request("before")).status, 200);
    let stream = warm_client.stream_with_usage(&json!({
        "model": "sim/slow",
        "messages": [{"role": "user", "content": "through-the-outage [[tokens=30 tps=20]]"}],
        "max_tokens": 30,
    }));
    let paid = stage.wallet(&warm.account);

    stage.stack.kill_sqld();
    for client in [&warm_client, &cold_client] {
        let unavailable = (503, "database_unavailable".to_owned());
        let answer = client.chat(&request("not-sent"));
        assert_eq!(told(&answer), unavailable, "{answer:?}");
        assert_eq!(
            answer.header("x-should-retry"),
            None,
            "it may be tried again"
        );
        for path in [
            "models",
            "key",
            "credits",
            "generation?id=gen-0000000000000",
        ] {
            assert_eq!(
                told(&client.get(&format!("/v1/{path}"))),
                unavailable,
                "{path}"
            );
        }
        assert_eq!(client.get("/v1/health").status, 200);
    }
    let events = stream.events();
    assert!(events.done && events.error().is_none(), "{events:?}");
    let due = events.usage().unwrap()["completion_tokens"].as_i64();
    assert_eq!(due, Some(30), "a stream that runs is not ended by it");
    assert!(stage.provider.received("not-sent").is_empty());

    stage.stack.restart_sqld().unwrap();
    assert_eq!(warm_client.chat(&request("after")).status, 200);
    assert_eq!(cold_client.chat(&request("after")).status, 200);
    let bill: i128 = ["before", "through-the-outage", "after"]
        .iter()
        .flat_map(|marker| stage.provider.received(marker))
        .map(|call| i128::from(charge(call.billed_picos)))
        .sum();
    let charged: i64 = [&warm, &cold]
        .iter()
        .map(|caller| stage.settled(&caller.account).charged)
        .sum();
    assert!(paid.held > 0);
    assert_eq!(i128::from(charged), bill);
}

#[test]
fn without_the_provider_nobody_pays_and_with_it_everything_works_again() {
    let mut stage = Stage::start("provider", &[]);
    let caller = stage.customer(CREDIT);
    let client = stage.client(&caller);
    assert_eq!(client.chat(&request("there")).status, 200);
    let paid = stage.settled(&caller.account);
    stage.stack.kill_simulator();
    for streamed in [false, true] {
        let mut request = request("away");
        request["stream"] = json!(streamed);
        let answer = client.chat(&request);
        assert_eq!(
            told(&answer),
            (502, "provider_unavailable".to_owned()),
            "{answer:?}"
        );
        assert_eq!(stage.settled(&caller.account), paid);
        assert_eq!(stage.request(answer.request()).state, "voided");
    }
    stage.stack.restart_simulator().unwrap();
    assert_eq!(client.chat(&request("back")).status, 200);
}

#[test]
fn a_stream_whose_lease_ran_out_ends_and_costs_what_the_provider_billed() {
    let mut stage = Stage::mortal("lease");
    let caller = stage.customer(CREDIT);
    let mut stream = stage.client(&caller).stream(&json!({
        "model": "sim/slow",
        "messages": [{"role": "user", "content": "lease-ran-out [[tokens=400]]"}],
        "max_tokens": 400,
    }));
    stream.read_chunks(3);
    stage.stack.kill_sqld();
    let text = stream.text();
    assert!(
        text.contains("\"code\":\"internal\"") && text.ends_with("data: [DONE]\n\n"),
        "{text}"
    );
    let [received] = &stage.provider.received("lease-ran-out")[..] else {
        panic!("not exactly one call");
    };
    assert!(received.client_gone, "the provider was told to stop");
    stage.stack.restart_sqld().unwrap();
    let wallet = stage.settled(&caller.account);
    assert_eq!(wallet.charged, charge(received.billed_picos));
}

#[test]
fn a_gateway_that_dies_in_mid_stream_leaves_nothing_held_and_charges_what_the_provider_billed() {
    let mut stage = Stage::mortal("gateway-streaming");
    let caller = stage.customer(CREDIT);
    let cut = json!({
        "model": "sim/slow",
        "messages": [{"role": "user", "content": "cut-by-death [[tokens=200]]"}],
        "max_tokens": 300,
    });
    let id = stage.die_in_mid_stream(&caller, &cut);
    let held = stage.wallet(&caller.account).held;
    assert!(held > 0);
    stage.stack.restart_workerd().unwrap();
    let [received] = &stage.provider.received("cut-by-death")[..] else {
        panic!("not exactly one call");
    };
    assert!(received.client_gone);
    stage.sweep_once_overdue(id);
    let wallet = stage.wallet(&caller.account);
    assert_eq!(
        (wallet.held, wallet.charged),
        (0, charge(received.billed_picos))
    );
    assert!(wallet.charged > 0 && wallet.charged < held, "{wallet:?}");
    let request = stage.request(id);
    assert_eq!(
        (request.state.as_str(), request.outcome.as_deref()),
        ("settled", Some("exact"))
    );
    assert_eq!(
        stage.client(&caller).chat(&request_after_death()).status,
        200
    );
}

fn request_after_death() -> Value {
    request("alive again")
}

#[test]
fn a_call_of_which_nothing_is_known_costs_its_prompt() {
    let mut stage = Stage::mortal("gateway-waiting");
    let caller = stage.customer(CREDIT);
    let connection = stage.client(&caller).send_only(&json!({
        "model": "sim/timeout",
        "messages": [{"role": "user", "content": "never-known"}],
        "max_tokens": 300,
    }));
    eventually("the provider has the call", || {
        stage.provider.calls("never-known").1.then_some(())
    });
    stage.stack.kill_workerd();
    drop(connection);
    let [id] = stage.requests_of(&caller.account)[..] else {
        panic!("not exactly one call");
    };
    stage.stack.restart_workerd().unwrap();
    stage.sweep_once_overdue(id);
    let request = stage.request(id);
    assert_eq!(
        (request.state.as_str(), request.outcome.as_deref()),
        ("settled", Some("unknown"))
    );
    let client = stage.client(&caller);
    let told = client.generation(&id.to_string());
    assert_eq!(
        (&told["estimated"], &told["tokens_completion"]),
        (&json!(true), &json!(0))
    );
    let usage = json!({"prompt_tokens": told["tokens_prompt"], "completion_tokens": 0});
    let due = charge(stage.catalogue.cost_picos("sim/timeout", &usage, 0));
    let wallet = stage.wallet(&caller.account);
    assert_eq!((wallet.held, wallet.charged), (0, due));
    assert!(due > 0);
}
