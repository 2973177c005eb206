//! Whatever goes wrong at the provider, the caller gets a sensible answer that tells nothing about
//! the operator, and pays what the provider billed.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tollgate_core::hrana::Statement;
use tollgate_simulator::provider::error::SECRETS;
use tollgate_simulator::provider::models::MODELS;

use crate::client::{Answer, Events, nanos};
use crate::price::charge;
use crate::stage::{Request, Stage};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// The whole answer.
    Answer,
    /// An error before any of the answer.
    Error(u16, &'static str),
    /// A stream that begins, and ends with an error.
    Broken(&'static str),
}

/// What the caller pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pays {
    /// What the provider billed, by the caller's rule; perhaps nothing.
    Bill,
    /// The whole hold: the bill is above any estimate, and the rest is the operator's loss.
    Hold,
    /// The estimated prompt: nobody can say whether the provider was at work.
    Prompt,
}

struct Row {
    model: &'static str,
    one_shot: Told,
    streamed: Told,
    pays: Pays,
    /// How often the provider is asked: again only after an answer that promises that nothing began.
    dispatches: usize,
}

use Told::{Answer as Whole, Broken, Error};

/// A model whose answer passes as if nothing were wrong.
const fn fine(model: &'static str) -> Row {
    both(model, Whole, 1)
}

/// A model that fails alike, streamed or not.
const fn both(model: &'static str, told: Told, dispatches: usize) -> Row {
    Row {
        model,
        one_shot: told,
        streamed: told,
        pays: Pays::Bill,
        dispatches,
    }
}

/// A model that fails once an answer has begun.
const fn late(model: &'static str, one_shot: Told, streamed: Told) -> Row {
    Row {
        model,
        one_shot,
        streamed,
        pays: Pays::Bill,
        dispatches: 1,
    }
}

const UNAVAILABLE: Told = Error(502, "provider_unavailable");
const MALFORMED: Told = Error(502, "provider_malformed");
const CUT: Told = Broken("provider_unavailable");

const ROWS: &[Row] = &[
    fine("sim/echo"),
    fine("sim/slow"),
    fine("sim/long"),
    fine("sim/per-request"),
    fine("sim/per-image"),
    fine("sim/long-context"),
    fine("sim/cached"),
    fine("sim/reasoning"),
    both("sim/status-400", Error(400, "provider_rejected"), 1),
    both("sim/status-401", UNAVAILABLE, 1),
    both("sim/status-402", UNAVAILABLE, 1),
    both("sim/status-403", Error(403, "content_refused"), 1),
    both("sim/status-404", UNAVAILABLE, 1),
    both("sim/status-408", Error(504, "provider_timeout"), 1),
    both("sim/status-429", Error(503, "provider_overloaded"), 3),
    both("sim/status-500", UNAVAILABLE, 1),
    both("sim/status-502", UNAVAILABLE, 1),
    both("sim/status-503", UNAVAILABLE, 3),
    both("sim/status-529", UNAVAILABLE, 1),
    both("sim/status-429-once", Whole, 2),
    both("sim/status-503-once", Whole, 2),
    late("sim/error-in-200", UNAVAILABLE, CUT),
    late("sim/error-mid-stream", UNAVAILABLE, CUT),
    Row {
        pays: Pays::Prompt,
        ..both("sim/timeout", Error(504, "provider_timeout"), 1)
    },
    fine("sim/slow-head"),
    both("sim/drop-before", UNAVAILABLE, 1),
    late("sim/drop-mid", UNAVAILABLE, CUT),
    late("sim/reset-mid", UNAVAILABLE, CUT),
    late("sim/malformed-sse", MALFORMED, Broken("provider_malformed")),
    fine("sim/comments"),
    fine("sim/no-done"),
    fine("sim/split-utf8"),
    fine("sim/no-usage"),
    fine("sim/usage-last"),
    fine("sim/usage-every"),
    Row {
        pays: Pays::Hold,
        ..fine("sim/usage-huge")
    },
    late("sim/huge", Error(502, "answer_too_large"), Whole),
    late("sim/huge-event", Whole, Broken("answer_too_large")),
    both("sim/redirect", UNAVAILABLE, 1),
    fine("sim/gzip"),
    late("sim/html", MALFORMED, UNAVAILABLE),
    late("sim/empty", MALFORMED, UNAVAILABLE),
    fine("sim/pause"),
    fine("sim/no-cancel"),
    fine("sim/late-record"),
    fine("sim/at-openai"),
    fine("sim/at-anthropic"),
    fine("sim/at-azure"),
    fine("sim/at-together"),
    fine("sim/at-deepinfra"),
    fine("sim/at-fireworks"),
    fine("sim/at-groq"),
    fine("sim/at-google"),
    fine("sim/at-bedrock"),
    fine("sim/at-mistral"),
];

fn stage() -> &'static Stage {
    static STAGE: LazyLock<Stage> = LazyLock::new(|| Stage::start("faults", &[]));
    &STAGE
}

const CREDIT: i64 = 1_000_000_000;

/// A gateway that does not wait long for a provider that never answers.
fn impatient() -> &'static Stage {
    static STAGE: LazyLock<Stage> =
        LazyLock::new(|| Stage::start("impatient", &[("PROVIDER_TIMEOUT_MS", "1500")]));
    &STAGE
}

#[test]
fn every_fault_of_the_simulator_is_in_the_table() {
    let known: BTreeSet<&str> = MODELS.iter().map(|model| model.slug).collect();
    let tested: BTreeSet<&str> = ROWS.iter().map(|row| row.model).collect();
    assert_eq!(known, tested);
}

#[test]
fn whatever_the_provider_does_the_answer_is_sensible_and_the_wallet_right() {
    let cases: Vec<(&Row, bool)> = ROWS
        .iter()
        .flat_map(|row| [(row, false), (row, true)])
        .collect();
    let next = AtomicUsize::new(0);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut failures = Vec::new();
            while let Some((row, streamed)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(failure) = std::panic::catch_unwind(|| check(row, *streamed)) {
                    let text = failure
                        .downcast_ref::<String>()
                        .cloned()
                        .unwrap_or_default();
                    failures.push(format!("{} streamed: {streamed}: {text}", row.model));
                }
            }
            failures
        };
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    for stage in [stage(), impatient()] {
        stage.stack.trigger_cron().unwrap();
        let held = Statement::new("SELECT count(*) FROM requests WHERE state = 'held'");
        assert_eq!(stage.database.row(held).get::<i64>(0).unwrap(), 0);
    }
}

#[test]
fn a_provider_that_falls_silent_in_mid_stream_is_given_up_and_only_its_bill_is_paid() {
    let stage = impatient();
    let caller = stage.customer(CREDIT);
    let silent = stage.client(&caller).stream_with_usage(&json!({
        "model": "sim/slow",
        "messages": [{"role": "user", "content": "falls-silent [[ttft_ms=600000]]"}],
        "max_tokens": 100,
    }));
    let told = told(&silent.answer());
    assert_eq!(told, format!("{:?}", Broken("provider_timeout")));
    let wallet = stage.settled(&caller.account);
    let [received] = &stage.provider.received("falls-silent")[..] else {
        panic!("not exactly one call");
    };
    assert!(received.client_gone, "the provider was told to stop");
    assert_eq!(wallet.charged, charge(received.billed_picos));
}

fn check(row: &Row, streamed: bool) {
    let stage = match row.model {
        "sim/timeout" => impatient(),
        _ => stage(),
    };
    let caller = stage.customer(CREDIT);
    let client = stage.client(&caller);
    let marker = format!("fault-{}", stage.draw());
    let knobs = match row.model {
        "sim/slow" => "tps=100",
        _ => "head_ms=300",
    };
    let request = json!({
        "model": row.model,
        "messages": [{"role": "user", "content": format!("{marker} says hello [[{knobs}]]")}],
        "max_tokens": 100,
    });
    let (answer, expected) = if streamed {
        (client.stream_with_usage(&request).answer(), row.streamed)
    } else {
        (client.chat(&request), row.one_shot)
    };
    let shown: String = answer.body.chars().take(2_000).collect();
    assert_eq!(told(&answer), format!("{expected:?}"), "{shown}");

    let wallet = stage.settled(&caller.account);
    let received = stage.provider.received(&marker);
    assert_eq!(received.len(), row.dispatches, "dispatches");
    let bill = charge(received.iter().map(|call| call.billed_picos).sum());
    let hold = stage.request(answer.request());
    let due = match row.pays {
        Pays::Bill => bill,
        Pays::Hold => hold.levels[0]["hold"].as_i64().unwrap(),
        Pays::Prompt => {
            let model = MODELS.iter().find(|model| model.slug == row.model).unwrap();
            charge(i128::from(model.price.prompt) * i128::from(hold.prompt_estimate))
        }
    };
    assert_eq!(wallet.charged, due, "charged, of {bill}; {hold:?}");
    assert_eq!(wallet.balance, CREDIT - due);
    check_usage_log(&hold, (&answer, expected), (bill, due));
    let generation = client.generation(answer.request_id());
    assert_eq!(nanos(&generation["total_cost"]), due);
    if answer.status >= 500 && due > 0 {
        let retry = answer.header("x-should-retry");
        assert_eq!(retry, Some("false"), "an SDK pays twice");
    }
    if let Some(cost) = cost_told(&answer) {
        assert_eq!(cost, due, "told");
    }
    let ids = received
        .iter()
        .filter_map(|call| call.generation_id.as_deref());
    reveals_nothing(&answer, &ids.collect::<Vec<_>>());
}

/// The row of the call says how it ended, for the caller and for the operator.
fn check_usage_log(hold: &Request, (answer, told): (&Answer, Told), (bill, due): (i64, i64)) {
    let code = match told {
        Told::Answer => None,
        Told::Error(_, code) | Told::Broken(code) => Some(code),
    };
    let logged = (hold.status, hold.error_code.as_deref());
    assert_eq!(logged, (Some(i64::from(answer.status)), code), "usage log");
    let state = if due == 0 { "voided" } else { "settled" };
    assert_eq!(hold.state, state, "{hold:?}");
    assert_eq!(hold.shortfall_nanos, Some((bill - due).max(0)), "shortfall");
}

fn is_stream(answer: &Answer) -> bool {
    answer.header("content-type") == Some("text/event-stream")
}

/// What the caller was told, as a row of the table says it.
fn told(answer: &Answer) -> String {
    if is_stream(answer) {
        let events = Events::read(&answer.body);
        assert!(events.done, "no [DONE]");
        let Some(error) = events.error() else {
            assert!(!events.text().is_empty(), "{events:?}");
            assert!(events.usage().is_some(), "no usage at the end");
            return format!("{:?}", Told::Answer);
        };
        check_error(answer, error);
        return format!("Broken({})", error["code"]);
    }
    let body = answer.json();
    if answer.status == 200 {
        let text = &body["choices"][0]["message"]["content"];
        assert!(text.is_string(), "{body}");
        return format!("{:?}", Told::Answer);
    }
    check_error(answer, &body["error"]);
    format!("Error({}, {})", answer.status, body["error"]["code"])
}

fn check_error(answer: &Answer, error: &Value) {
    for field in ["message", "type", "code", "hint", "docs_url", "request_id"] {
        let text = error[field].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "no {field}: {error}");
    }
    assert_eq!(error["request_id"], answer.request_id());
}

/// What the caller reads that it paid, if it is told.
fn cost_told(answer: &Answer) -> Option<i64> {
    let usage = if is_stream(answer) {
        Events::read(&answer.body).usage()?.clone()
    } else {
        answer.json().get("usage")?.clone()
    };
    Some(nanos(&usage["cost"]))
}

/// Neither the provider's ids nor its name, nor what it charges, nor whose account it is.
fn reveals_nothing(answer: &Answer, provider_ids: &[&str]) {
    let headers = format!("{:?}", answer.headers);
    let fields = ["\"provider\"", "cost_details", "OPENROUTER"];
    for told in SECRETS.iter().chain(provider_ids).chain(&fields) {
        assert!(!answer.body.contains(told), "{told} in the answer");
        assert!(!headers.contains(told), "{told} in {headers}");
    }
    for name in [
        "set-cookie",
        "x-openrouter-provider",
        "x-openrouter-account",
        "x-generation-id",
    ] {
        assert_eq!(answer.header(name), None);
    }
}
