//! Callers who leave before their answer is complete pay what the provider bills, and nothing stays
//! held.

use serde_json::{Value, json};
use tollgate_tests::{Caller, eventually};

use crate::price::charge;
use crate::stage::{Stage, shared};

fn request(model: &str, content: &str, streamed: bool) -> Value {
    json!({
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 200,
        "stream": streamed,
    })
}

fn check_bill(stage: &Stage, caller: &Caller, marker: &str) {
    let wallet = stage.settled(&caller.account);
    let [received] = &stage.provider.received(marker)[..] else {
        panic!("not exactly one call");
    };
    assert!(received.billed_picos > 0);
    assert_eq!(
        wallet.charged,
        charge(received.billed_picos),
        "{received:?}"
    );
    assert_eq!(stage.requests_of(&caller.account).len(), 1);
}

#[test]
fn whoever_leaves_in_the_middle_of_a_stream_pays_what_the_provider_bills() {
    let stage = shared();
    for model in ["sim/slow", "sim/no-cancel", "sim/no-usage"] {
        let caller = stage.customer(1_000_000_000);
        let marker = format!("left-{}", stage.draw());
        let content = format!("{marker} [[tokens=60 tps=20]]");
        let mut stream = stage
            .client(&caller)
            .stream(&request(model, &content, true));
        assert_eq!(stream.head.status, 200, "{:?}", stream.head);
        stream.read_chunks(10);
        assert_eq!(stage.request(stream.head.request()).state, "held");
        drop(stream);
        check_bill(stage, &caller, &marker);
    }
}

#[test]
fn whoever_leaves_before_the_answer_begins_pays_what_the_provider_bills() {
    let stage = shared();
    let check = |model: &str, knobs: &str, streamed: bool| {
        let caller = stage.customer(1_000_000_000);
        let marker = format!("hung-up-{}", stage.draw());
        let request = request(model, &format!("{marker} [[{knobs}]]"), streamed);
        let connection = stage.client(&caller).send_only(&request);
        eventually("the provider has the call", || {
            stage.provider.calls(&marker).1.then_some(())
        });
        drop(connection);
        check_bill(stage, &caller, &marker);
    };
    check("sim/echo", "tokens=20 tps=20", false);
    check("sim/slow-head", "head_ms=1000", false);
    check("sim/slow-head", "head_ms=1000 tokens=20 tps=20", true);
}
