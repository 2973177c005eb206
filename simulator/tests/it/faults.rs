//! Every fault, streamed and one-shot: what a client sees and what is billed.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt;
use tollgate_simulator::provider::error::SECRETS;
use tollgate_simulator::provider::models::MODELS;

use crate::client::{End, Response, ask, chat, connect, exchange, get, post, simulator};

/// What is billed for the 4 prompt tokens of `hi` and for that many output tokens at the plain price.
fn plain(tokens: i128) -> i128 {
    4 * 150_000 + tokens * 600_000
}

struct Expect {
    status: u16,
    end: End,
    billed: i128,
    holds: &'static str,
    lacks: &'static str,
}

const GOOD: Expect = Expect {
    status: 200,
    end: End::Complete,
    billed: 4 * 150_000 + 6 * 600_000,
    holds: "\"usage\"",
    lacks: "\"error\"",
};

async fn check(model: &str, stream: bool, expect: Expect) -> Response {
    let simulator = simulator().await;
    let response = ask(&simulator, &chat(model, "hi", &json!({"stream": stream}))).await;
    simulator.world().until(|log| log.in_flight() == 0).await;
    let billed = simulator.world().log().totals().billed_picos;
    let seen = (response.status, response.end, billed);
    assert_eq!(
        seen,
        (expect.status, expect.end, expect.billed),
        "{model} {stream}"
    );
    let text = response.text();
    assert!(text.contains(expect.holds), "{model} {stream}: {text}");
    assert!(
        expect.lacks.is_empty() || !text.contains(expect.lacks),
        "{model} {stream}: {text}"
    );
    response
}

async fn check_both(model: &str, streamed: Expect, one_shot: Expect) {
    check(model, true, streamed).await;
    check(model, false, one_shot).await;
}

const REFUSED: Expect = Expect {
    billed: 0,
    holds: "\"error\"",
    lacks: "\"usage\"",
    ..GOOD
};

#[tokio::test]
async fn a_gateway_meets_every_refusal_of_the_provider() {
    for status in [400, 401, 402, 403, 404, 408, 429, 500, 502, 503, 529] {
        let model = format!("sim/status-{status}");
        for stream in [true, false] {
            let response = check(&model, stream, Expect { status, ..REFUSED }).await;
            assert_eq!(response.json()["error"]["code"], status, "{model}");
            assert!(response.json()["error"]["message"].is_string(), "{model}");
            let retry_after = (status == 429).then_some("30");
            assert_eq!(response.header("retry-after"), retry_after, "{model}");
        }
    }
    check_both("sim/error-in-200", REFUSED, REFUSED).await;
    check_both(
        "sim/unheard-of",
        Expect {
            status: 400,
            ..REFUSED
        },
        Expect {
            status: 400,
            ..REFUSED
        },
    )
    .await;
}

#[tokio::test]
async fn error_texts_hold_what_a_gateway_must_not_pass_on() {
    let simulator = simulator().await;
    let mut seen = String::new();
    for model in MODELS
        .iter()
        .filter(|model| model.slug.starts_with("sim/status-"))
    {
        seen += &ask(&simulator, &chat(model.slug, "hi", &json!({})))
            .await
            .text();
    }
    for secret in SECRETS {
        assert!(seen.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_retry_succeeds_where_only_the_first_attempt_fails() {
    let simulator = simulator().await;
    let check = async |model: &str, text: &str, expect: (u16, Option<&str>)| {
        let response = ask(&simulator, &chat(model, text, &json!({}))).await;
        assert_eq!(
            (response.status, response.header("retry-after")),
            expect,
            "{model} {text}"
        );
    };
    check("sim/status-429-once", "one", (429, Some("1"))).await;
    check("sim/status-429-once", "one", (200, None)).await;
    check("sim/status-429-once", "one", (200, None)).await;
    check("sim/status-429-once", "two", (429, Some("1"))).await;
    check("sim/status-503-once", "one", (503, None)).await;
    check("sim/status-503-once", "one", (200, None)).await;
}

#[tokio::test]
async fn a_connection_breaks_where_the_model_says() {
    let unanswered = Expect {
        status: 0,
        end: End::Closed,
        billed: 0,
        holds: "",
        lacks: "",
    };
    check("sim/drop-before", true, unanswered).await;
    let unanswered = Expect {
        status: 0,
        end: End::Closed,
        billed: 0,
        holds: "",
        lacks: "",
    };
    check("sim/drop-before", false, unanswered).await;
    for (model, end) in [("sim/drop-mid", End::Closed), ("sim/reset-mid", End::Reset)] {
        let half = Expect {
            end,
            billed: plain(3),
            holds: "hi",
            lacks: "[DONE]",
            ..GOOD
        };
        assert_eq!(check(model, true, half).await.said(), "hi hi hi");
        let whole = Expect {
            end,
            holds: "\"hi hi",
            lacks: "\"completion_tokens\"",
            ..GOOD
        };
        check(model, false, whole).await;
        let first = Expect {
            end,
            billed: plain(1),
            holds: "hi",
            lacks: "[DONE]",
            ..GOOD
        };
        check(&format!("{model}?cut_after=1"), true, first).await;
    }
}

#[tokio::test]
async fn a_failure_in_mid_answer_bills_the_half_that_was_generated() {
    let half = || Expect {
        billed: plain(3),
        holds: "\"error\"",
        lacks: "[DONE]",
        ..GOOD
    };
    let streamed = check("sim/error-mid-stream", true, half()).await;
    assert_eq!(streamed.said(), "hi hi hi");
    let last = streamed.events().pop().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "error");
    assert_eq!(last["error"]["code"], 502);
    let one_shot = check("sim/error-mid-stream", false, half()).await.json();
    assert_eq!(one_shot["choices"][0]["finish_reason"], "error");
    assert_eq!(one_shot["choices"][0]["message"]["content"], "hi hi hi");
    assert_eq!(one_shot["usage"]["completion_tokens"], 3);
}

#[tokio::test]
async fn a_stream_is_odd_or_incomplete_but_billed_in_full() {
    let check_stream = async |model: &str, holds: &'static str, lacks: &'static str| {
        let response = check(
            model,
            true,
            Expect {
                holds,
                lacks,
                ..GOOD
            },
        )
        .await;
        assert_eq!(response.said(), "hi hi hi hi hi hi", "{model}");
        response
    };
    check_stream("sim/malformed-sse", "data: ]\n", "\"error\"").await;
    check_stream("sim/comments", ": data: [DONE]\n", "\"error\"").await;
    check_stream("sim/no-done", "\"usage\"", "[DONE]").await;
    check_stream("sim/no-usage", "data: [DONE]\n\n", "\"usage\"").await;
    let every = check_stream("sim/usage-every", "[DONE]", "\"error\"").await;
    let so_far: Vec<_> = every
        .events()
        .iter()
        .map(|event| event["usage"]["completion_tokens"].clone())
        .collect();
    assert_eq!(so_far, [1, 2, 3, 4, 5, 6, 6, 6]);
    let last = check_stream("sim/usage-last", "[DONE]", "\"error\"").await;
    let with_usage: Vec<_> = last
        .events()
        .iter()
        .map(|event| event.get("usage").is_some())
        .collect();
    assert_eq!(
        with_usage,
        [false, false, false, false, false, false, false, true]
    );
    check_stream("sim/echo?usage=0", "data: [DONE]\n\n", "\"usage\"").await;
    check_stream("sim/usage-every?usage=0", "[DONE]", "\"usage\"").await;
    check_stream("sim/pause?pause_ms=20", "\"usage\"", "\"error\"").await;
    check(
        "sim/echo?usage=0",
        false,
        Expect {
            holds: "hi hi",
            lacks: "\"usage\"",
            ..GOOD
        },
    )
    .await;
    check(
        "sim/no-usage",
        false,
        Expect {
            holds: "hi hi",
            lacks: "\"usage\"",
            ..GOOD
        },
    )
    .await;
    let broken = check(
        "sim/malformed-sse",
        false,
        Expect {
            holds: "hi",
            ..GOOD
        },
    )
    .await;
    assert!(broken.json().is_null());
}

#[tokio::test]
async fn usage_is_above_any_estimate() {
    let simulator = simulator().await;
    let body = chat("sim/usage-huge", "hi", &json!({"max_tokens": 100}));
    let answer = ask(&simulator, &body).await.json();
    assert_eq!(answer["usage"]["completion_tokens"], 1_000);
    let billed = simulator.world().log().totals().billed_picos;
    assert_eq!(billed, plain(1_000));
}

#[tokio::test]
async fn a_body_is_not_what_was_asked_for() {
    let page = || Expect {
        billed: 0,
        holds: "<!doctype html>",
        lacks: "{",
        ..GOOD
    };
    for stream in [true, false] {
        let html = check("sim/html", stream, page()).await;
        assert_eq!(
            html.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        let empty = Expect {
            billed: 0,
            holds: "",
            lacks: "",
            ..GOOD
        };
        assert!(check("sim/empty", stream, empty).await.body().is_empty());
    }
}

#[tokio::test]
async fn a_followed_redirect_is_on_record() {
    let simulator = simulator().await;
    let body = chat("sim/redirect", "hi", &json!({}));
    let redirect = ask(&simulator, &body).await;
    let target = redirect.header("location").unwrap().to_owned();
    assert_eq!((redirect.status, redirect.body().len()), (307, 0));
    let followed = exchange(&simulator, &post(&target, &body.to_string(), "")).await;
    assert_eq!(followed.status, 200);
    let paths: Vec<_> = simulator
        .world()
        .log()
        .entries()
        .map(|entry| entry.path.clone())
        .collect();
    assert_eq!(
        paths,
        [
            "/api/v1/chat/completions",
            "/api/v1/redirected/chat/completions"
        ]
    );
}

#[tokio::test]
async fn answers_are_larger_than_a_gateway_may_hold_in_memory() {
    let tokens = |count| Expect {
        billed: plain(count),
        holds: "",
        lacks: "",
        ..GOOD
    };
    let one_shot = check("sim/huge", false, tokens(8_192)).await;
    assert!(one_shot.body().len() > 32 * 1_024 * 1_024);
    let streamed = check("sim/huge", true, tokens(8_192)).await;
    assert!(streamed.body().len() > 32 * 1_024 * 1_024);
    assert!(streamed.chunks.iter().all(|chunk| chunk.len() < 8_192));
    let event = check("sim/huge-event", true, tokens(8_192)).await;
    let longest = event
        .body()
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::len)
        .max();
    assert!(longest > Some(8 * 1_024 * 1_024));
}

#[tokio::test]
async fn a_call_that_is_never_answered_costs_nothing() {
    let simulator = simulator().await;
    let body = chat("sim/timeout", "hi", &json!({})).to_string();
    let stream = connect(&simulator, &post("/api/v1/chat/completions", &body, "")).await;
    simulator.world().until(|log| log.in_flight() == 1).await;
    drop(stream);
    simulator.world().until(|log| log.in_flight() == 0).await;
    let log = simulator.world().log();
    let outcome = log.entries().next().unwrap().outcome.clone().unwrap();
    assert_eq!((outcome.status, outcome.client_gone), (None, true));
    assert_eq!(log.totals().billed_picos, 0);
}

#[tokio::test]
async fn a_response_head_comes_late() {
    let simulator = simulator().await;
    let asked = std::time::Instant::now();
    let response = ask(
        &simulator,
        &chat("sim/slow-head?head_ms=80", "hi", &json!({})),
    )
    .await;
    assert_eq!(response.status, 200);
    assert!(asked.elapsed().as_millis() >= 80);
}

#[tokio::test]
async fn a_stream_falls_silent_in_its_middle_or_before_its_usage() {
    let simulator = simulator().await;
    // What comes before the silence, and what only after it.
    let check = async |model: &str, before: &str, after: &str| {
        let body = chat(model, "hi", &json!({"stream": true})).to_string();
        let mut stream = connect(&simulator, &post("/api/v1/chat/completions", &body, "")).await;
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(before) {
            stream.read_buf(&mut seen).await.unwrap();
        }
        let more = tokio::time::timeout(Duration::from_millis(40), stream.read_buf(&mut seen));
        assert!(
            more.await.is_err(),
            "{model}: {}",
            String::from_utf8_lossy(&seen)
        );
        assert!(!String::from_utf8_lossy(&seen).contains(after), "{model}");
    };
    let hour = 3_600_000;
    check(
        &format!("sim/pause?cut_after=1&pause_ms={hour}"),
        "\"hi\"",
        "\" hi\"",
    )
    .await;
    check(
        &format!("sim/echo?usage_ms={hour}"),
        "\"stop\"",
        "\"usage\"",
    )
    .await;
}

#[tokio::test]
async fn a_record_of_a_generation_comes_late() {
    let simulator = simulator().await;
    let check = async |model: &str, expect: [u16; 4]| {
        let answer = ask(&simulator, &chat(model, "hi", &json!({}))).await.json();
        let path = format!("/api/v1/generation?id={}", answer["id"].as_str().unwrap());
        let mut seen = [0; 4];
        for status in &mut seen {
            *status = get(&simulator, &path).await.status;
        }
        assert_eq!(seen, expect, "{model}");
    };
    check("sim/echo", [200, 200, 200, 200]).await;
    check("sim/late-record", [404, 404, 200, 200]).await;
}
