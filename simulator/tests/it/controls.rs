//! What a test learns about the requests that the simulator received.

use serde_json::{Value, json};

use crate::client::{ask, chat, exchange, get, post, simulator};

#[tokio::test]
async fn a_test_sees_what_was_dispatched() {
    let simulator = simulator().await;
    let body = chat("sim/echo?tokens=2", "hi", &json!({"user": "me"})).to_string();
    exchange(
        &simulator,
        &post("/api/v1/chat/completions", &body, "x-title: test\r\n"),
    )
    .await;
    let log = get(&simulator, "/_sim/requests").await.json();
    let request = &log["requests"][0];
    let check = |name: &str, expect: Value| assert_eq!(request[name], expect, "{name}");
    check("seq", json!(1));
    check("method", json!("POST"));
    check("path", json!("/api/v1/chat/completions"));
    check("model", json!("sim/echo"));
    check("status", json!(200));
    check("open", json!(false));
    check("client_gone", json!(false));
    check("body", json!(body));
    check("body_bytes", json!(body.len()));
    check("billed_usd", json!("0.0000018"));
    check("usage", json!({"prompt_tokens": 4, "completion_tokens": 2}));
    let headers = request["headers"].as_array().unwrap();
    assert!(
        headers.contains(&json!(["authorization", "…wxyz"])),
        "{headers:?}"
    );
    assert!(headers.contains(&json!(["x-title", "test"])), "{headers:?}");
    assert!(
        request["generation_id"]
            .as_str()
            .unwrap()
            .starts_with("gen-")
    );
}

#[tokio::test]
async fn requests_are_listed_by_model_and_from_a_number_on() {
    let simulator = simulator().await;
    for model in ["sim/echo", "sim/status-500", "sim/echo"] {
        ask(&simulator, &chat(model, "hi", &json!({}))).await;
    }
    let check = async |query: &str, expect: &[u64]| {
        let log = get(&simulator, &format!("/_sim/requests{query}"))
            .await
            .json();
        let seqs: Vec<_> = log["requests"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|r| r["seq"].as_u64())
            .collect();
        assert_eq!(seqs, expect, "{query}");
        assert_eq!(log["last_seq"], 3);
    };
    check("", &[1, 2, 3]).await;
    check("?since=1", &[2, 3]).await;
    check("?model=sim/echo", &[1, 3]).await;
    check("?model=sim%2Fecho&since=1", &[3]).await;
    check("?model=sim/none", &[]).await;
}

#[tokio::test]
async fn a_test_starts_with_a_clean_record() {
    let simulator = simulator().await;
    ask(&simulator, &chat("sim/echo", "hi", &json!({}))).await;
    ask(&simulator, &chat("sim/status-503-once", "hi", &json!({}))).await;
    let stats = get(&simulator, "/_sim/stats").await.json();
    let expect = json!({
        "last_seq": 2, "in_flight": 0, "received": 2, "clients_gone": 0, "billed_usd": "0.0000042",
    });
    assert_eq!(stats, expect);
    let cleared = exchange(
        &simulator,
        "DELETE /_sim/requests HTTP/1.1\r\nhost: sim\r\n\r\n",
    )
    .await;
    assert_eq!(cleared.json(), json!({"last_seq": 2}));
    let again = ask(&simulator, &chat("sim/status-503-once", "hi", &json!({}))).await;
    assert_eq!(again.status, 503);
    let stats = get(&simulator, "/_sim/idle").await.json();
    assert_eq!(
        (&stats["received"], &stats["last_seq"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(get(&simulator, "/_sim/health").await.status, 200);
    assert_eq!(get(&simulator, "/_sim/nothing").await.status, 404);
}

#[tokio::test]
async fn a_large_body_is_kept_in_part_and_counted_in_full() {
    let simulator = simulator().await;
    let body = chat("sim/echo", &"x".repeat(100_000), &json!({}));
    ask(&simulator, &body).await;
    let log = get(&simulator, "/_sim/requests").await.json();
    assert_eq!(log["requests"][0]["body_bytes"], body.to_string().len());
    assert_eq!(
        log["requests"][0]["body"].as_str().unwrap().len(),
        64 * 1_024
    );
}
