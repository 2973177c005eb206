//! What a call costs, in its answer, in `/generation` and in the operator's own figures.

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tollgate_simulator::Simulator;
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
        let tokens = request["usage"]["completion_tokens"].as_u64().unwrap();
        let id = request["generation_id"].as_str().unwrap();
        let record = get(&simulator, &format!("/api/v1/generation?id={id}")).await;
        let stopped = record.status == 200;
        assert_eq!(request["recorded"], stopped);
        if stopped {
            let record = &record.json()["data"];
            assert_eq!(record["tokens_completion"], tokens, "{model}");
            assert_eq!(record["cancelled"], true, "{model}");
            assert_eq!(record["provider_name"], request["provider"], "{model}");
        }
        assert_eq!((tokens, stopped, billed), expect, "{model}");
    };
    // The message as sent has 34 bytes: 9 tokens, and 3 for the message.
    let so_far = (1, true, 12 * 150_000 + 600_000);
    // It would have ended after an hour, so there is no record yet.
    let all = (3_600, false, 12 * 150_000 + 3_600 * 600_000);
    check("sim/echo", so_far).await;
    for host in [
        "openai",
        "anthropic",
        "azure",
        "together",
        "deepinfra",
        "fireworks",
    ] {
        check(&format!("sim/at-{host}"), so_far).await;
    }
    check("sim/no-cancel", all).await;
    for host in ["groq", "google", "bedrock", "mistral"] {
        check(&format!("sim/at-{host}"), all).await;
    }
}

#[tokio::test]
async fn a_generation_that_goes_on_unheard_is_on_record_once_it_would_have_ended() {
    let simulator = simulator().await;
    let body = chat(
        "sim/at-groq",
        "hi [[tps=50 tokens=6]]",
        &json!({"stream": true}),
    );
    let request = post("/api/v1/chat/completions", &body.to_string(), "");
    let began = std::time::Instant::now();
    drop(connect(&simulator, &request).await);
    simulator
        .world()
        .until(|log| log.last_seq() == 1 && log.in_flight() == 0)
        .await;
    let log = get(&simulator, "/_sim/requests").await.json();
    let id = log["requests"][0]["generation_id"].as_str().unwrap();
    let record = until_recorded(&simulator, id).await;
    assert!(began.elapsed().as_millis() >= 100);
    assert_eq!(record["data"]["provider_name"], "Groq");
    assert_eq!(record["data"]["native_tokens_completion"], 6);
    assert_eq!(record["data"]["cancelled"], false);
}

#[tokio::test]
async fn a_record_comes_as_late_as_it_is_told_to() {
    let simulator = simulator().await;
    let answer = ask(&simulator, &chat("sim/echo?record_ms=80", "hi", &json!({}))).await;
    let ended = std::time::Instant::now();
    let id = answer.header("x-generation-id").unwrap();
    let early = get(&simulator, &format!("/api/v1/generation?id={id}")).await;
    // Unless this test itself was held up for that long.
    assert!(early.status == 404 || ended.elapsed().as_millis() >= 80);
    until_recorded(&simulator, id).await;
    assert!(ended.elapsed().as_millis() >= 70);
}

/// The record of a generation, asked for until it is there.
async fn until_recorded(simulator: &Simulator, id: &str) -> Value {
    loop {
        let record = get(simulator, &format!("/api/v1/generation?id={id}")).await;
        if record.status == 200 {
            return record.json();
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
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
