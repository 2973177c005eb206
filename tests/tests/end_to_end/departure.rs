//! What becomes of the provider's work when its caller leaves: it is stopped where that stops the
//! bill, and read to its end where it does not.

use serde_json::json;

use crate::price::charge;
use crate::stage::shared;

const CREDIT: i64 = 1_000_000_000;

#[test]
fn the_provider_is_stopped_where_that_stops_the_bill_and_else_read_to_its_end() {
    let stage = shared();
    let check = |model: &str, stops: bool| {
        let caller = stage.customer(CREDIT);
        let marker = format!("departed-{}", stage.draw());
        let mut stream = stage.client(&caller).stream(&json!({
            "model": model,
            "messages": [{"role": "user", "content": format!("{marker} [[tokens=80 tps=20]]")}],
            "max_tokens": 100,
        }));
        assert_eq!(stream.head.status, 200, "{:?}", stream.head);
        stream.read_chunks(5);
        drop(stream);
        let wallet = stage.settled(&caller.account);
        let [received] = &stage.provider.received(&marker)[..] else {
            panic!("{model}: not exactly one call");
        };
        assert_eq!(received.client_gone, stops, "{model}");
        let whole = stage.catalogue.cost_picos(
            model,
            &json!({"prompt_tokens": 0, "completion_tokens": 80}),
            0,
        );
        assert_eq!(received.billed_picos < whole, stops, "{model}");
        assert_eq!(wallet.charged, charge(received.billed_picos), "{model}");
    };
    check("sim/at-openai", true);
    check("sim/at-anthropic", true);
    check("sim/at-bedrock", false);
    check("sim/at-google", false);
}
