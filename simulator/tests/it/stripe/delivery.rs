//! Webhooks as they arrive at a seller's endpoint, and every switch of their delivery.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use tollgate_simulator::Simulator;

use crate::stripe::client::{Arrived, Endpoint, PACK, SECRET, buy, control, events, post};

const CARD: &str = "4242424242424242";
const PAID: [&str; 4] = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
];

/// Its age in seconds, when it was signed with the secret.
fn age(arrived: &Arrived) -> Option<i64> {
    let header = arrived.signature.strip_prefix("t=").unwrap();
    let (at, signatures) = header.split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{at}.{}", arrived.body).as_bytes());
    let expect: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let at: i64 = at.parse().unwrap();
    let created = arrived.event()["created"].as_i64().unwrap();
    signatures.starts_with(&expect).then_some(created - at)
}

async fn idle(simulator: &Simulator) {
    control(simulator, "GET", "/idle", &[]).await;
}

#[tokio::test]
async fn events_arrive_signed_and_in_order() {
    let mut endpoint = Endpoint::start(&[]).await;
    let simulator = endpoint.simulator().await;
    let session = buy(&simulator, &[], CARD).await;
    idle(&simulator).await;
    let arrived = endpoint.taken();
    let kinds: Vec<String> = arrived.iter().map(Arrived::kind).collect();
    assert_eq!(kinds, PAID);
    for webhook in &arrived {
        assert!(
            age(webhook).is_some_and(|age| age.abs() < 60),
            "{webhook:?}"
        );
    }
    let event = arrived[3].event();
    assert_eq!(
        event["data"]["object"], session,
        "the object as it was then"
    );
    assert_eq!(event["livemode"], false);
    assert_eq!(event["api_version"], tollgate_simulator::stripe::VERSION);
    assert_eq!(event["object"], "event");
    assert!(event["id"].as_str().unwrap().starts_with("evt_"));
}

#[tokio::test]
async fn an_endpoint_that_fails_gets_its_event_again() {
    let mut endpoint = Endpoint::start(&[500, 302, 400]).await;
    let simulator = endpoint.simulator().await;
    control(&simulator, "POST", "/delivery", &[("backoff_ms", "1")]).await;
    let session = post(&simulator, "/v1/checkout/sessions", PACK).await;
    control(
        &simulator,
        "POST",
        "/expire",
        &[("session", session["id"].as_str().unwrap())],
    )
    .await;
    idle(&simulator).await;
    let arrived = endpoint.taken();
    assert_eq!(arrived.len(), 4);
    assert!(
        arrived
            .iter()
            .all(|webhook| webhook.body == arrived[0].body)
    );
    let told = control(&simulator, "GET", "/events", &[]).await;
    let statuses: Vec<_> = told["events"][0]["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [500, 302, 400, 200]);
}

#[tokio::test]
async fn an_endpoint_that_never_answers_well_is_left_alone_in_the_end() {
    let endpoint = Endpoint::start(&[]).await;
    let simulator = endpoint.simulator().await;
    let nowhere = [("url", "http://127.0.0.1:1/"), ("secret", SECRET)];
    control(&simulator, "POST", "/webhook", &nowhere).await;
    let switches = [("backoff_ms", "1"), ("retries", "2")];
    control(&simulator, "POST", "/delivery", &switches).await;
    let session = post(&simulator, "/v1/checkout/sessions", PACK).await;
    control(
        &simulator,
        "POST",
        "/expire",
        &[("session", session["id"].as_str().unwrap())],
    )
    .await;
    idle(&simulator).await;
    let told = control(&simulator, "GET", "/events", &[]).await;
    let attempts = told["events"][0]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 3);
    assert!(
        attempts[0]["error"].as_str().unwrap().contains("connect"),
        "{attempts:?}"
    );
}

#[tokio::test]
async fn switches_spoil_signatures_for_as_many_attempts_as_wanted() {
    let check = async |switch: (&str, &str), retries: &str, expect: &[Option<bool>]| {
        let mut endpoint = Endpoint::start(&[400, 400]).await;
        let simulator = endpoint.simulator().await;
        let switches = [switch, ("backoff_ms", "1"), ("retries", retries)];
        control(&simulator, "POST", "/delivery", &switches).await;
        let session = post(&simulator, "/v1/checkout/sessions", PACK).await;
        let session = session["id"].as_str().unwrap();
        control(&simulator, "POST", "/expire", &[("session", session)]).await;
        idle(&simulator).await;
        let arrived = endpoint.taken();
        let fresh: Vec<_> = arrived
            .iter()
            .map(|webhook| age(webhook).map(|age| age < 300))
            .collect();
        assert_eq!(fresh, expect, "{switch:?}");
    };
    check(
        ("wrong_signature", "1"),
        "8",
        &[None, Some(true), Some(true)],
    )
    .await;
    check(("wrong_signature", "on"), "1", &[None, None]).await;
    check(
        ("old_timestamp", "2"),
        "8",
        &[Some(false), Some(false), Some(true)],
    )
    .await;
    check(("drop", "1"), "8", &[]).await;
}

#[tokio::test]
async fn held_events_go_out_copied_and_shuffled_by_the_seed() {
    let order = async |seed: &str| {
        let mut endpoint = Endpoint::start(&[]).await;
        let simulator = endpoint.simulator().await;
        let switches = [
            ("hold", "on"),
            ("duplicates", "2"),
            ("reorder", "8"),
            ("seed", seed),
        ];
        control(&simulator, "POST", "/delivery", &switches).await;
        buy(&simulator, &[], CARD).await;
        idle(&simulator).await;
        assert_eq!(endpoint.kinds(), [""; 0], "nothing leaves while it is held");
        let released = control(&simulator, "POST", "/release", &[]).await;
        assert_eq!(released["released"], 12);
        idle(&simulator).await;
        endpoint.kinds()
    };
    let first = order("7").await;
    assert_eq!(first, order("7").await);
    assert_ne!(first, order("8").await);
    let mut sorted = first.clone();
    sorted.sort();
    let mut expect: Vec<&str> = PAID.iter().flat_map(|kind| [*kind; 3]).collect();
    expect.sort_unstable();
    assert_eq!(sorted, expect);
    let straight: Vec<&str> = PAID.iter().flat_map(|kind| [*kind; 3]).collect();
    assert_ne!(first, straight);
}

#[tokio::test]
async fn a_delay_holds_events_back_and_a_person_can_send_one_again() {
    let mut endpoint = Endpoint::start(&[]).await;
    let simulator = endpoint.simulator().await;
    let switches = [("delay_ms", "300"), ("parallel", "on")];
    control(&simulator, "POST", "/delivery", &switches).await;
    let started = tokio::time::Instant::now();
    buy(&simulator, &[], CARD).await;
    endpoint.next().await;
    assert!(started.elapsed().as_millis() >= 300);
    idle(&simulator).await;
    assert_eq!(endpoint.taken().len(), 3);
    control(&simulator, "DELETE", "/delivery", &[]).await;
    let told = control(&simulator, "GET", "/events", &[("type", PAID[3])]).await;
    let event = told["events"][0]["event"]["id"].as_str().unwrap();
    control(&simulator, "POST", "/resend", &[("event", event)]).await;
    idle(&simulator).await;
    assert_eq!(endpoint.kinds(), [PAID[3]]);
    control(&simulator, "DELETE", "", &[]).await;
    assert_eq!(events(&simulator).await, [""; 0]);
    control(&simulator, "DELETE", "/webhook", &[]).await;
    buy(&simulator, &[], CARD).await;
    idle(&simulator).await;
    assert_eq!(endpoint.taken().len(), 0);
}
