//! What a call costs, in its answer, in `/generation` and in the operator's own figures.

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tollgate_simulator::provider::pricing::Usd;

use crate::client::{ask, chat, connect, get, post, simulator};

/// The text of a JSON number in `body`, digit by digit.
fn number<'a>(body: &'a str, name: &str) -> &'a str {
    let (_, after) = body.split_once(&format!("\"{name}\":")).unwrap();
    after.split([',', '}']).next().unwrap()
}

#[tokio::test]
async fn the_answer_the_record_and_the_operator_agree_to_the_last_digit() {
    let check = async |model: &str, extra: Value, expect: &str| {
        let simulator = simulator().await;
        let answer = ask(&simulator, &chat(model, "hi", &extra)).await;
        let id = answer.header("x-generation-id").unwrap().to_owned();
        let record = get(&simulator, &format!("/api/v1/generation?id={id}"))
            .await
            .text();
        assert_eq!(number(&record, "total_cost"), expect, "{model}");
        assert_eq!(number(&record, "usage"), expect, "{model}");
        if !matches!(model, "sim/no-usage") {
            assert_eq!(number(&answer.text(), "cost"), expect, "{model}");
        }
        let credits = get(&simulator, "/api/v1/credits").await.text();
        assert_eq!(number(&credits, "total_usage"), expect, "{model}");
        let key = get(&simulator, "/api/v1/key").await.text();
        assert_eq!(number(&key, "usage_monthly"), expect, "{model}");
    };
    let none = || json!({});
    check("sim/echo", none(), "0.0000042").await;
    check("sim/echo", json!({"stream": true}), "0.0000042").await;
    check("sim/echo", json!({"max_tokens": 1}), "0.0000012").await;
    check("openai/gpt-4o-mini", none(), "0.0000042").await;
    check("sim/per-request", none(), "0.01").await;
    check("sim/no-usage", json!({"stream": true}), "0.0000042").await;
    // 4 prompt tokens: 1 fresh, 2 read, 1 written; 6 output tokens.
    check("sim/cached", none(), "0.00009735").await;
    // 64 reasoning tokens and 6 visible ones.
    check("sim/reasoning", json!({"stream": true}), "0.0003508").await;
    let image = json!({"type": "image_url", "image_url": {"url": "data:,"}});
    let seen = json!({"messages": [{"role": "user", "content": [image, image]}]});
    check("sim/per-image", seen, "0.0020955").await;
    let long =
        |length: usize| json!({"messages": [{"role": "user", "content": "x".repeat(length)}]});
    check("sim/long-context", long(4 * 997), "0.00131").await;
    check("sim/long-context", long(4 * 998), "0.0025925").await;
}

#[tokio::test]
async fn a_stream_that_the_client_leaves_is_billed_as_far_as_it_went() {
    // The second token would come after an hour, so exactly one was sent when the client leaves.
    let check = async |model: &str, expect: (u64, bool, i128)| {
        let simulator = simulator().await;
        let text = "hi [[tps=1 tokens=3600 ttft_ms=0]]";
        let body = chat(model, text, &json!({"stream": true})).to_string();
        let mut stream = connect(&simulator, &post("/api/v1/chat/completions", &body, "")).await;
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains("\"content\":\"hi\"") {
            stream.read_buf(&mut seen).await.unwrap();
        }
        drop(stream);
        simulator.world().until(|log| log.in_flight() == 0).await;
        let billed = simulator.world().log().totals().billed_picos;
        let log = get(&simulator, "/_sim/requests").await.json();
        let request = &log["requests"][0];
        assert_eq!(request["client_gone"], true);
        assert_eq!(request["billed_usd"], Usd(billed).to_string());
        let id = request["generation_id"].as_str().unwrap();
        let record = get(&simulator, &format!("/api/v1/generation?id={id}"))
            .await
            .json();
        let record = &record["data"];
        let tokens = record["tokens_completion"].as_u64().unwrap();
        let seen = (tokens, record["cancelled"].as_bool().unwrap(), billed);
        assert_eq!(seen, expect, "{model}");
    };
    // The message as sent has 34 bytes: 9 tokens, and 3 for the message.
    check("sim/echo", (1, true, 12 * 150_000 + 600_000)).await;
    check(
        "sim/no-cancel",
        (3_600, false, 12 * 150_000 + 3_600 * 600_000),
    )
    .await;
}

#[tokio::test]
async fn a_one_shot_call_is_billed_in_full_when_nobody_waits_for_it() {
    let simulator = simulator().await;
    let body = chat("sim/echo?ttft_ms=3600000", "hi", &json!({})).to_string();
    let stream = connect(&simulator, &post("/api/v1/chat/completions", &body, "")).await;
    simulator.world().until(|log| log.in_flight() == 1).await;
    drop(stream);
    simulator.world().until(|log| log.in_flight() == 0).await;
    assert_eq!(
        simulator.world().log().totals().billed_picos,
        4 * 150_000 + 6 * 600_000
    );
}

#[tokio::test]
async fn an_unknown_generation_is_not_found() {
    let simulator = simulator().await;
    let answer = ask(&simulator, &chat("sim/echo", "hi", &json!({})))
        .await
        .json();
    let id = answer["id"].as_str().unwrap();
    let check = async |id: &str, expect: u16| {
        let found = get(&simulator, &format!("/api/v1/generation?id={id}")).await;
        assert_eq!(found.status, expect, "{id}");
    };
    check(id, 200).await;
    check("", 404).await;
    check("gen-1", 404).await;
    check("gen-1-2-999", 404).await;
    check(&format!("{id}0"), 404).await;
    check(&id.replacen("gen-", "gen-9", 1), 404).await;
}
