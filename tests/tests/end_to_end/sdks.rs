//! Programs that were written for OpenAI work here: its SDKs for Python and JavaScript, unmodified,
//! and `curl`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tollgate_core::key::ApiKey;
use tollgate_core::limits::Limits;
use xtask::process::{command, output};

use crate::client::Events;
use crate::price::charge;
use crate::stage::{Stage, shared};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("clients")
        .join(name)
}

fn python() -> Command {
    let mut python = command("python3");
    let sdk = xtask::setup::python_openai().unwrap();
    python.arg(script("sdk.py")).env("PYTHONPATH", sdk);
    python
}

fn node() -> Command {
    let mut node = command("node");
    node.arg(script("sdk.mjs"));
    node
}

/// Runs a script against the gateway's `base` and checks all that it was told.
fn check(mut program: Command, base: &str) {
    let stage = shared();
    let caller = |credit: i64, limits: Limits| stage.caller(&stage.operator, credit, limits);
    let plenty = 1_000_000_000;
    let limited = |minute, hour| Limits {
        requests_per_minute: minute,
        requests_per_hour: hour,
        ..Limits::default()
    };
    let hourly = caller(plenty, limited(None, Some(1)));
    let keys = [
        ("KEY", caller(plenty, Limits::default()).key),
        ("POOR_KEY", caller(10, Limits::default()).key),
        ("LIMITED_KEY", caller(plenty, limited(Some(1), None)).key),
        ("HOURLY_KEY", hourly.key.clone()),
        ("UNKNOWN_KEY", ApiKey::from_random([9; 32])),
    ];
    program.env("BASE_URL", format!("{}{base}", stage.stack.gateway_url()));
    for (name, key) in keys {
        program.env(name, key.reveal());
    }
    let printed = output(&mut program).unwrap();
    let mut told: Value = serde_json::from_str(&printed).unwrap();
    let failures = told["failures"].take();
    check_answers(stage, &told);
    check_failures(&failures);
    let refused = stage.log_lines();
    let refused = refused.iter().filter(|line| {
        line.contains(hourly.account.as_str()) || line.contains("\"rate_limit_requests\"")
    });
    assert!(refused.count() > 0);
    assert_eq!(stage.requests_of(&hourly.account).len(), 1);
}

fn check_answers(stage: &Stage, told: &Value) {
    let usage = json!({"prompt_tokens": 7, "completion_tokens": 24});
    let paid = charge(stage.catalogue.cost_picos("sim/echo", &usage, 0));
    let text = ["hello out there"; 8].join(" ");
    let cost = |said: &Value| (said["cost"].as_f64().unwrap() * 1e9).round() as i64;
    assert_eq!(cost(&told["one_shot"]), paid);
    assert_eq!(cost(&told["streamed"]), paid);
    let mut told = told.clone();
    for said in ["one_shot", "streamed"] {
        told[said]["cost"] = json!("paid");
    }
    let models: Value = serde_json::from_str(&stage.provider.models()).unwrap();
    let expected = json!({
        "models": {"count": models["data"].as_array().unwrap().len(), "echo": true},
        "one_shot": {
            "text": text, "finish_reason": "length", "completion_tokens": 24, "cost": "paid",
            "id": true, "request_id": true,
        },
        "streamed": {"text": text, "in_pieces": true, "completion_tokens": 24, "cost": "paid"},
        "tool": {"name": "weather", "city": true},
        "tool_streamed": {"name": "weather", "city": true},
        "structured": {"object": true, "schema": true},
        "image": {"prompt_tokens": 91},
        "failures": null,
    });
    assert_eq!(told, expected);
}

fn check_failures(told: &Value) {
    let check = |case: &str, class: &str, (status, code): (u16, &str)| {
        let failure = &told[case];
        assert_eq!(failure["class"], class, "{case}: {failure}");
        assert_eq!(failure["status"], status, "{case}: {failure}");
        assert_eq!(failure["code"], code, "{case}: {failure}");
    };
    check(
        "malformed_key",
        "AuthenticationError",
        (401, "malformed_key"),
    );
    check(
        "unknown_key",
        "AuthenticationError",
        (401, "invalid_api_key"),
    );
    // Neither SDK has a class of its own for 402.
    let plain = told["no_credit"]["class"].as_str().unwrap();
    assert!(["APIStatusError", "APIError"].contains(&plain), "{plain}");
    check("no_credit", plain, (402, "insufficient_credits"));
    check("limited", "RateLimitError", (429, "rate_limit_requests"));
    check("hourly", "RateLimitError", (429, "rate_limit_requests"));
    for case in ["limited", "hourly"] {
        let headers = (&told[case]["retry_after"], &told[case]["limits"]);
        assert_eq!(headers, (&json!(true), &json!("1")), "{case}");
    }
    check("unknown_model", "NotFoundError", (404, "model_not_found"));
    check("bad_field", "BadRequestError", (400, "invalid_value"));
    check(
        "refused_field",
        "BadRequestError",
        (400, "unsupported_parameter"),
    );
    check(
        "provider",
        "InternalServerError",
        (502, "provider_unavailable"),
    );
    let broken = &told["mid_stream"];
    assert_eq!(
        (&broken["class"], &broken["code"]),
        (&json!("APIError"), &json!("provider_unavailable"))
    );
}

#[test]
fn openais_sdk_for_python_works_unmodified() {
    check(python(), "/v1");
}

#[test]
fn openais_sdk_for_python_works_with_openrouters_base_url() {
    check(python(), "/api/v1");
}

#[test]
fn openais_sdk_for_javascript_works_unmodified() {
    check(node(), "/v1");
}

#[test]
fn openais_sdk_for_javascript_works_with_openrouters_base_url() {
    check(node(), "/api/v1");
}

#[test]
fn curl_completes_calls_one_shot_and_streamed() {
    let stage = shared();
    let caller = stage.customer(1_000_000_000);
    let call = |body: &Value| {
        let mut curl = command("curl");
        curl.args(["--silent", "--show-error", "--fail", "--max-time", "60"]);
        curl.arg(format!("{}/v1/chat/completions", stage.stack.gateway_url()));
        curl.args([
            "-H",
            &format!("Authorization: Bearer {}", caller.key.reveal()),
        ]);
        curl.args([
            "-H",
            "Content-Type: application/json",
            "-d",
            &body.to_string(),
        ]);
        output(&mut curl).unwrap()
    };
    let mut request = json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": "a b"}],
        "max_tokens": 4,
    });
    let answer: Value = serde_json::from_str(&call(&request)).unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "a b a b");
    request["stream"] = json!(true);
    let events = Events::read(&call(&request));
    assert!(events.done, "{events:?}");
    assert_eq!(events.text(), "a b a b");
    assert_eq!(events.usage(), None, "only who asks for usage gets it");
}
