//! A request that panics fails alone.

use serde_json::{Value, json};

use crate::client::Client;
use crate::price::charge;
use crate::stage::Stage;

fn trips(stage: &Stage, client: &Client) -> Value {
    let answer = client.chat(&json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": "how many trips"}],
        "max_tokens": 5,
    }));
    assert_eq!(answer.status, 200, "{answer:?}");
    stage.logged(answer.request_id())["database"]["trips"].clone()
}

#[test]
fn a_panic_in_one_request_leaves_streams_and_warm_memory_untouched() {
    let stage = Stage::start("panic", &[("PANIC_PROBE", "on")]);
    let caller = stage.customer(1_000_000_000);
    let client = stage.client(&caller);
    // The first call reads prices; later ones are admitted and settled, and that is all.
    assert_eq!(
        (trips(&stage, &client), trips(&stage, &client)),
        (json!(3), json!(2))
    );
    let mut stream = client.stream_with_usage(&json!({
        "model": "sim/slow",
        "messages": [{"role": "user", "content": "beside-a-panic [[tokens=30]]"}],
        "max_tokens": 30,
    }));
    stream.read_chunks(3);
    for _ in 0..3 {
        assert_eq!(client.get("/panic-probe").status, 500);
        stream.read_chunks(2);
    }
    assert_eq!(trips(&stage, &client), json!(2));
    let events = stream.events();
    assert!(events.done && events.error().is_none(), "{events:?}");
    stage.settled(&caller.account);
    let bill = stage.provider.received("beside-a-panic")[0].billed_picos;
    let trips = stage.provider.received("how many trips");
    let due: i64 = trips.iter().map(|call| charge(call.billed_picos)).sum();
    assert_eq!(stage.wallet(&caller.account).charged, due + charge(bill));
}

#[test]
fn nobody_can_make_a_deployed_gateway_panic() {
    let stage = crate::stage::shared();
    let answer = stage.client(&stage.customer(0)).get("/panic-probe");
    assert_eq!(
        (answer.status, answer.error_code().as_str()),
        (404, "unknown_route")
    );
}
