//! The thin thread through all parts: one call, one-shot and streamed, answered and billed.

use serde_json::json;

use crate::client::nanos;
use crate::price::charge;
use crate::stage::shared;

#[test]
fn a_caller_with_credit_gets_an_answer_and_pays_its_price() {
    let stage = shared();
    let caller = stage.customer(1_000_000_000);
    let client = stage.client(&caller);
    let request = json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": "first light"}],
        "max_tokens": 4,
    });
    let answer = client.chat(&request);
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    assert_eq!(
        body["choices"][0]["message"]["content"],
        "first light first light"
    );
    let once = charge(stage.catalogue.cost_picos("sim/echo", &body["usage"], 0));
    assert_eq!(nanos(&body["usage"]["cost"]), once);

    let stream = client.stream_with_usage(&request);
    assert_eq!(stream.head.status, 200, "{:?}", stream.head);
    let events = stream.events();
    assert!(events.done && events.error().is_none(), "{events:?}");
    assert_eq!(events.text(), "first light first light");
    assert_eq!(nanos(&events.usage().unwrap()["cost"]), once);

    let wallet = stage.settled(&caller.account);
    assert_eq!(
        (wallet.balance, wallet.charged),
        (1_000_000_000 - 2 * once, 2 * once)
    );
    assert_eq!(stage.provider.received("first light").len(), 2);
}
