//! OpenRouter's error bodies, with the kind of text that a gateway must not pass on: the operator's
//! account, key, credit and upstream names. Which call fails is decided elsewhere.

use hyper::Response;
use hyper::header::{HeaderValue, RETRY_AFTER};
use serde_json::{Value, json};

use crate::record::OpenCall;
use crate::reply::{JSON, Reply, whole};

/// Texts in error bodies and headers that tell about the operator. None may reach a caller.
pub const SECRETS: [&str; 6] = [
    "user_2SimOperator",
    "operator@sim.example",
    "sk-or-v1-51m...0pe",
    "sim-operator-key-label",
    "$3.14",
    "SimCloud",
];

/// An error body of OpenRouter's shape.
#[must_use]
pub fn body(code: u16, message: &str) -> Value {
    json!({"error": {"message": message, "code": code}})
}

/// The body of the answer that a model like `sim/status-429` gives.
#[must_use]
pub fn status_body(code: u16) -> Value {
    let (message, metadata) = match code {
        400 => (
            "Provider returned error",
            json!({"provider_name": "SimCloud", "raw": "{\"error\":{\"message\":\"Invalid value for 'temperature': expected a number at most 2\",\"type\":\"invalid_request_error\"},\"account\":\"operator@sim.example\"}"}),
        ),
        401 => (
            "User not found. Key sk-or-v1-51m...0pe (sim-operator-key-label)",
            Value::Null,
        ),
        402 => (
            "Insufficient credits. Account operator@sim.example has $3.14 left and can only afford 512 tokens. Add more using https://openrouter.ai/settings/credits",
            Value::Null,
        ),
        403 => (
            "The input was flagged by SimCloud's moderation",
            json!({"reasons": ["violence"], "flagged_input": "hello", "provider_name": "SimCloud", "model_slug": "sim/status-403"}),
        ),
        404 => (
            "No endpoints found for sim/status-404 under the data policy of operator@sim.example",
            Value::Null,
        ),
        408 => ("Operation timed out. Please try again later.", Value::Null),
        429 => (
            "Rate limit exceeded: limit_rpm for key sim-operator-key-label",
            json!({"headers": {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0"}, "provider_name": "SimCloud"}),
        ),
        502 | 529 => (
            "Provider returned error",
            json!({"provider_name": "SimCloud", "raw": "upstream overloaded for org user_2SimOperator"}),
        ),
        503 => (
            "There is no available model provider that meets your routing requirements: SimCloud is down",
            Value::Null,
        ),
        _ => ("Internal Server Error", Value::Null),
    };
    let mut body = body(code, message);
    if let (false, Some(error)) = (metadata.is_null(), body.get_mut("error")) {
        error["metadata"] = metadata;
    }
    if code != 408 {
        body["user_id"] = json!("user_2SimOperator");
    }
    body
}

/// The error of `sim/error-in-200`, and of `sim/error-mid-stream` inside its last chunk.
#[must_use]
pub fn provider_failed() -> Value {
    json!({
        "code": 502,
        "message": "Provider disconnected unexpectedly",
        "metadata": {
            "provider_name": "SimCloud",
            "raw": "connection reset, account operator@sim.example",
        },
    })
}

/// An error answer.
#[must_use]
pub fn refusal(call: OpenCall, code: u16, body: &Value) -> Response<Reply> {
    let mut response = whole(call, code, JSON, body.to_string());
    if code == 429 {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("30"));
    }
    response
}
