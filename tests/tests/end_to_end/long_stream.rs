//! A stream that lasts much longer than its lease is renewed, survives every sweep, and is billed
//! once. One that its caller does not read ends.

use std::sync::LazyLock;

use serde_json::json;
use tollgate_tests::eventually;

use crate::client::nanos;
use crate::price::charge;
use crate::stage::Stage;

/// Leases of two seconds stand for those of two minutes: five sweeps pass in twelve seconds, as
/// they would in ten minutes.
fn stage() -> &'static Stage {
    static STAGE: LazyLock<Stage> = LazyLock::new(|| {
        let vars = [
            ("LEASE_MS", "2000"),
            ("GRACE_MS", "1000"),
            ("READER_TIMEOUT_MS", "2000"),
        ];
        Stage::start("leases", &vars)
    });
    &STAGE
}

#[test]
fn a_stream_across_five_sweeps_is_billed_once_and_exactly() {
    let stage = stage();
    let caller = stage.customer(1_000_000_000);
    let stream = stage.client(&caller).stream_with_usage(&json!({
        "model": "sim/slow",
        "messages": [{"role": "user", "content": "five-sweeps [[tokens=140]]"}],
        "max_tokens": 200,
    }));
    assert_eq!(stream.head.status, 200, "{:?}", stream.head);
    let id = stream.head.request();
    let request_id = stream.head.request_id().to_owned();
    let reading = std::thread::spawn(|| stream.events());

    let mut lease = stage.request(id).lease_until_ms;
    let first = lease;
    for _ in 0..5 {
        for _ in 0..2 {
            lease = eventually("the lease is renewed", || {
                let now = stage.request(id).lease_until_ms;
                (now > lease).then_some(now)
            });
        }
        stage.stack.trigger_cron().unwrap();
        let request = stage.request(id);
        assert_eq!(request.state, "held", "{request:?}");
        assert!(!reading.is_finished());
    }
    assert!(lease > first + 8_000);
    let running = stage.request(id).provider_id;
    let told = stage
        .client(&caller)
        .get(&format!("/v1/generation?id={request_id}"));
    assert_eq!(
        (told.status, told.error_code().as_str()),
        (404, "generation_not_found")
    );
    assert_eq!(
        told.header("retry-after"),
        Some("1"),
        "still running: {told:?}"
    );

    let events = reading.join().unwrap();
    assert!(events.done && events.error().is_none(), "{events:?}");
    let usage = events.usage().unwrap();
    assert_eq!(usage["completion_tokens"], 140);
    let [received] = &stage.provider.received("five-sweeps")[..] else {
        panic!("not exactly one call");
    };
    assert_eq!(
        running, received.generation_id,
        "the provider's id is stored while it runs"
    );
    let due = charge(received.billed_picos);
    assert_eq!(nanos(&usage["cost"]), due);
    let wallet = stage.settled(&caller.account);
    assert_eq!((wallet.charged, wallet.balance), (due, 1_000_000_000 - due));
    let request = stage.request(id);
    assert_eq!(
        (request.state.as_str(), request.outcome.as_deref()),
        ("settled", Some("exact"))
    );
    stage.stack.trigger_cron().unwrap();
    assert_eq!(stage.wallet(&caller.account), wallet);
    assert_eq!(stage.logged(&request_id)["resolved"], "now");
}

#[test]
fn a_stream_that_nobody_reads_is_ended_and_costs_what_the_provider_bills() {
    let stage = stage();
    let caller = stage.customer(1_000_000_000);
    let stream = stage.client(&caller).stream(&json!({
        "model": "sim/huge",
        "messages": [{"role": "user", "content": "nobody-reads"}],
        "max_tokens": 8_192,
    }));
    assert_eq!(stream.head.status, 200, "{:?}", stream.head);
    let wallet = stage.settled(&caller.account);
    let [received] = &stage.provider.received("nobody-reads")[..] else {
        panic!("not exactly one call");
    };
    assert!(received.client_gone, "the provider was told to stop");
    assert_eq!(wallet.charged, charge(received.billed_picos));
    drop(stream);
}
