//! What a well-behaved call answers.

use serde_json::{Value, json};

use crate::client::{ask, chat, exchange, get, post, simulator};

#[tokio::test]
async fn the_same_request_has_the_same_answer_under_another_id() {
    let simulator = simulator().await;
    let body = chat("sim/echo", "one two", &json!({}));
    let mut first = ask(&simulator, &body).await.json();
    let mut second = ask(&simulator, &body).await.json();
    assert_ne!(first["id"], second["id"]);
    for answer in [&mut first, &mut second] {
        answer.as_object_mut().unwrap().remove("id");
        answer.as_object_mut().unwrap().remove("created");
    }
    assert_eq!(first, second);
    assert_eq!(
        first["choices"][0]["message"]["content"],
        "one two one two one two"
    );
}

#[tokio::test]
async fn an_answer_ends_at_the_limit_of_the_request() {
    let simulator = simulator().await;
    let check = async |extra: Value, expect: (u64, &str)| {
        let answer = ask(&simulator, &chat("sim/long", "hi", &extra))
            .await
            .json();
        let tokens = answer["usage"]["completion_tokens"].as_u64().unwrap();
        let finish = answer["choices"][0]["finish_reason"].as_str().unwrap();
        assert_eq!((tokens, finish), expect, "{extra}");
        let words = answer["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .split(' ');
        assert_eq!(words.count(), usize::try_from(tokens).unwrap());
    };
    check(json!({}), (2_000, "stop")).await;
    check(json!({"max_tokens": null}), (2_000, "stop")).await;
    check(json!({"max_tokens": 2_000}), (2_000, "stop")).await;
    check(json!({"max_tokens": 7}), (7, "length")).await;
    check(json!({"max_completion_tokens": 8}), (8, "length")).await;
    check(
        json!({"max_completion_tokens": 8, "max_tokens": 9}),
        (8, "length"),
    )
    .await;
}

#[tokio::test]
async fn tools_are_called_whole_and_in_pieces() {
    let simulator = simulator().await;
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let function = json!({"name": "weather", "parameters": parameters});
    let tools = json!([{"type": "function", "function": function}]);
    let asked = |stream| json!({"tools": tools, "tool_choice": "required", "stream": stream});
    let answer = ask(&simulator, &chat("sim/echo", "Rome", &asked(false)))
        .await
        .json();
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(answer["choices"][0]["message"]["content"], Value::Null);
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(
        call["function"],
        json!({"name": "weather", "arguments": "{\"city\":\"Rome\"}"})
    );
    let events = ask(&simulator, &chat("sim/echo", "Rome", &asked(true)))
        .await
        .events();
    let calls: Vec<&Value> = events
        .iter()
        .filter_map(|event| event.pointer("/choices/0/delta/tool_calls/0"))
        .collect();
    assert_eq!(calls[0]["function"]["name"], "weather");
    assert!(calls[0]["id"].as_str().unwrap().starts_with("call-"));
    assert!(calls[1..].iter().all(|call| call.get("id").is_none()));
    let arguments: String = calls
        .iter()
        .filter_map(|call| call["function"]["arguments"].as_str())
        .collect();
    assert_eq!(arguments, "{\"city\":\"Rome\"}");
}

#[tokio::test]
async fn callers_need_a_key_except_for_the_catalogue() {
    let simulator = simulator().await;
    let check = async |path: &str, authorization: &str, expect: (u16, &str)| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: sim\r\n{authorization}\r\n");
        let response = exchange(&simulator, &request).await;
        let message = response.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(
            (response.status, message.as_str()),
            expect,
            "{path} {authorization}"
        );
    };
    let missing = (401, "No auth credentials found");
    check("/api/v1/key", "", missing).await;
    check("/api/v1/key", "authorization: Bearer \r\n", missing).await;
    check("/api/v1/key", "authorization: Basic abc\r\n", missing).await;
    check(
        "/api/v1/key",
        "authorization: Bearer invalid\r\n",
        (401, "User not found."),
    )
    .await;
    check("/api/v1/key", "authorization: Bearer x\r\n", (200, "")).await;
    check("/api/v1/models", "", (200, "")).await;
    check(
        "/api/v1/models",
        "authorization: Bearer invalid\r\n",
        (401, "User not found."),
    )
    .await;
    check(
        "/api/v1/nothing",
        "authorization: Bearer x\r\n",
        (404, "Not Found"),
    )
    .await;
    check(
        "/api/v1/chat/completions",
        "authorization: Bearer x\r\n",
        (405, "Method Not Allowed"),
    )
    .await;
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused_as_openrouter_does() {
    let simulator = simulator().await;
    let check = async |body: &str| {
        let request = post("/api/v1/chat/completions", body, "");
        let response = exchange(&simulator, &request).await;
        assert_eq!(
            (response.status, &response.json()["error"]["code"]),
            (400, &json!(400))
        );
    };
    check("").await;
    check("{").await;
    check("{}").await;
    check(r#"{"model":"sim/echo","messages":[]}"#).await;
}

#[tokio::test]
async fn tokens_come_at_the_pace_that_the_call_asks_for() {
    let simulator = simulator().await;
    for stream in [true, false] {
        let asked = std::time::Instant::now();
        let body = chat(
            "sim/echo?ttft_ms=30&tps=100&tokens=6",
            "hi",
            &json!({"stream": stream}),
        );
        let answer = ask(&simulator, &body).await;
        assert_eq!(answer.status, 200);
        assert!(asked.elapsed().as_millis() >= 80, "{stream}");
    }
}

#[tokio::test]
async fn the_catalogue_lists_every_model_with_its_prices() {
    let simulator = simulator().await;
    let catalogue = get(&simulator, "/api/v1/models").await.json();
    let models = catalogue["data"].as_array().unwrap();
    assert_eq!(catalogue["total_count"], models.len());
    let check = |slug: &str, expect: Value| {
        let model = models.iter().find(|model| model["id"] == slug).unwrap();
        assert_eq!(model["pricing"], expect, "{slug}");
    };
    let pricing = |prompt: &str, completion: &str, extra: Value| {
        let mut pricing =
            json!({"prompt": prompt, "completion": completion, "request": "0", "image": "0"});
        pricing
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        pricing
    };
    check("sim/echo", pricing("0.00000015", "0.0000006", json!({})));
    check(
        "sim/per-request",
        pricing("0", "0", json!({"request": "0.01"})),
    );
    check(
        "sim/per-image",
        pricing("0.0000005", "0.0000015", json!({"image": "0.001"})),
    );
    let cache = json!({"input_cache_read": "0.0000003", "input_cache_write": "0.00000375"});
    check("sim/cached", pricing("0.000003", "0.000015", cache));
    let reasoning = json!({"internal_reasoning": "0.000005"});
    check(
        "sim/reasoning",
        pricing("0.0000011", "0.0000044", reasoning),
    );
    let long = json!({"min_prompt_tokens": 1000, "prompt": "0.0000025", "completion": "0.000015"});
    check(
        "sim/long-context",
        pricing("0.00000125", "0.00001", json!({"overrides": [long]})),
    );
    let echo = &models[0];
    assert_eq!(
        echo["architecture"]["input_modalities"],
        json!(["text", "image"])
    );
    assert_eq!(echo["top_provider"]["max_completion_tokens"], 65_536);
}

#[tokio::test]
async fn a_model_that_is_dearer_than_the_request_allows_is_not_called() {
    let simulator = simulator().await;
    let check = async |model: &str, prompt: Value, expect: u16| {
        let limit = json!({"provider": {"max_price": {"prompt": prompt}}});
        assert_eq!(
            ask(&simulator, &chat(model, "hi", &limit)).await.status,
            expect,
            "{prompt}"
        );
    };
    check("sim/echo", json!(0.15), 200).await;
    check("sim/echo", json!(0.14), 404).await;
    check("sim/echo", json!("x"), 400).await;
    check("openai/gpt-4o-mini", json!(0.14), 200).await;
}
