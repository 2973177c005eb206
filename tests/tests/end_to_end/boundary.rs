//! What every answer carries, and what the log keeps and does not keep.

use serde_json::{Value, json};
use tollgate_core::limits::Limits;

use crate::client::Answer;
use crate::stage::{Stage, shared};

fn preflight(stage: &Stage, path: &str) -> Answer {
    let request = ureq::http::Request::builder()
        .method("OPTIONS")
        .uri(format!("{}{path}", stage.stack.gateway_url()))
        .header("origin", "https://page.example")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,x-stainless-os",
        );
    Answer::whole(ureq::run(request.body(()).unwrap()).unwrap())
}

#[test]
fn a_page_in_a_browser_may_call() {
    let stage = shared();
    for path in [
        "/v1/chat/completions",
        "/api/v1/models",
        "/v1/generation?id=x",
    ] {
        let answer = preflight(stage, path);
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let headers = answer.header("access-control-allow-headers").unwrap();
        assert!(
            headers.contains("authorization") && headers.contains('*'),
            "{headers}"
        );
        let methods = answer.header("access-control-allow-methods").unwrap();
        assert!(
            methods.contains("GET") && methods.contains("POST"),
            "{methods}"
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[test]
fn every_answer_can_be_found_again_and_tells_how_long_it_took() {
    let stage = shared();
    let client = stage.client(&stage.customer(1_000_000_000));
    let request = json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": "headers"}],
        "max_tokens": 5,
    });
    let mut failing = request.clone();
    failing["model"] = json!("sim/status-500");
    let answers = [
        client.chat(&request),
        client.stream(&request).head,
        client.chat(&failing),
        client.get("/v1/models"),
        client.get("/v1/key"),
        client.get("/v1/credits"),
        client.get("/v1/health"),
        client.get("/health"),
        client.get("/v1/openapi.json"),
        client.get("/v1/nothing"),
    ];
    let mut ids = std::collections::HashSet::new();
    for answer in &answers {
        assert!(answer.request_id().starts_with("req_"), "{answer:?}");
        assert!(ids.insert(answer.request_id()), "{answer:?}");
        let timing = answer.header("server-timing").unwrap();
        assert!(timing.contains("total;dur="), "{timing}");
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{answer:?}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(
            exposed.contains("x-request-id") && exposed.contains("retry-after"),
            "{exposed}"
        );
        assert_eq!(answer.header("set-cookie"), None);
    }
    for answer in &answers[..3] {
        let timing = answer.header("server-timing").unwrap();
        assert!(
            timing.contains("admission;dur=") && timing.contains("upstream;dur="),
            "{timing}"
        );
    }
    assert_eq!(answers[1].header("content-type"), Some("text/event-stream"));
}

#[test]
fn a_warm_call_costs_two_round_trips_and_few_written_rows() {
    let stage = shared();
    let reseller = stage.new_reseller(1_000_000_000, 100);
    for (parent, most) in [(&stage.operator, 7), (&reseller, 9)] {
        let client = stage.client(&stage.caller(parent, 1_000_000_000, Limits::default()));
        let used: Vec<Value> = (0..3)
            .map(|_| {
                let answer = client.chat(&json!({
                    "model": "sim/echo",
                    "messages": [{"role": "user", "content": "warm"}],
                    "max_tokens": 5,
                }));
                stage.logged(answer.request_id())["database"].clone()
            })
            .collect();
        assert_eq!(used[0]["trips"], 3, "cold: {used:?}");
        for used in &used[1..] {
            assert_eq!(used["trips"], 2, "{used}");
            assert!(used["rows_written"].as_i64().unwrap() <= most, "{used}");
        }
    }
}

#[test]
fn the_log_is_json_and_holds_no_key_no_prompt_and_no_answer() {
    let stage = shared();
    let caller = stage.customer(1_000_000_000);
    let client = stage.client(&caller);
    let secret = format!("zebra{}crossing", stage.draw());
    let call = |model: &str, change: (&str, Value)| {
        let mut request = json!({
            "model": model,
            "messages": [{"role": "user", "content": format!("tell nobody {secret}")}],
            "max_tokens": 20,
        });
        request[change.0] = change.1;
        let answer = client.chat(&request);
        client.stream(&request).text();
        answer
    };
    let answered = call("sim/echo", ("temperature", json!(1)));
    assert!(answered.body.contains(&secret), "{answered:?}");
    for model in [
        "sim/status-400",
        "sim/malformed-sse",
        "sim/drop-mid",
        "sim/error-mid-stream",
    ] {
        call(model, ("temperature", json!(1)));
    }
    call("sim/echo", (&secret, json!(1)));
    call("sim/echo", ("stop", json!({"a": secret})));
    call(&secret, ("temperature", json!(1)));
    let last = client.get(&format!("/v1/{secret}"));
    let logged = stage.logged(answered.request_id());
    stage.logged(last.request_id());
    stage.settled(&caller.account);

    let whole = std::fs::read_to_string(stage.stack.gateway_log()).unwrap();
    let key = caller.key.reveal();
    let token = stage.stack.database_token();
    for told in [&secret, key, &key[20..], token, "sk-or-simulator"] {
        assert!(!whole.contains(told), "`{told}` is in the log");
    }
    for line in stage.log_lines() {
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        assert!(line["level"].is_string(), "{line}");
    }
    assert_eq!(logged["account_id"], caller.account.as_str());
    assert_eq!(logged["key_id"], caller.key_id.as_str());
    assert_eq!(
        (&logged["model"], &logged["status"]),
        (&json!("sim/echo"), &json!(200))
    );
    for field in [
        "charge_nanos",
        "prompt_tokens",
        "admission_ms",
        "upstream_ms",
        "total_ms",
    ] {
        assert!(logged[field].is_number(), "{field}: {logged}");
    }
}
