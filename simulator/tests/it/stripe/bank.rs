//! What happens after a payment: later charges, refunds and disputes.

use serde_json::{Value, json};
use tollgate_simulator::Simulator;

use crate::client::Response;
use crate::stripe::client::{buy, control, events, get, post, request, simulator};

const CARD: &str = "4242424242424242";

/// A customer with a saved card.
async fn saved(simulator: &Simulator, card: &str) -> (String, String) {
    let customer = post(simulator, "/v1/customers", &[]).await["id"].clone();
    let customer = customer.as_str().unwrap().to_owned();
    let more = [
        ("customer", customer.as_str()),
        ("payment_intent_data[setup_future_usage]", "off_session"),
    ];
    let session = buy(simulator, &more, card).await;
    let path = format!(
        "/v1/payment_intents/{}",
        session["payment_intent"].as_str().unwrap()
    );
    let intent = get(simulator, &path, &[]).await;
    (
        customer,
        intent["payment_method"].as_str().unwrap().to_owned(),
    )
}

async fn top_up(simulator: &Simulator, customer: &str, method: &str) -> Response {
    let fields = [
        ("amount", "1000"),
        ("currency", "usd"),
        ("customer", customer),
        ("payment_method", method),
        ("off_session", "true"),
        ("confirm", "true"),
        ("metadata[kind]", "auto_topup"),
    ];
    request(simulator, ("POST", "/v1/payment_intents"), &fields, "").await
}

#[tokio::test]
async fn a_saved_card_is_charged_while_its_owner_is_away() {
    let simulator = simulator().await;
    let (customer, method) = saved(&simulator, CARD).await;
    let intent = top_up(&simulator, &customer, &method).await;
    assert_eq!(intent.status, 200, "{}", intent.text());
    let intent = intent.json();
    assert_eq!(intent["status"], "succeeded");
    assert_eq!(intent["amount_received"], 1_000);
    assert_eq!(intent["metadata"], json!({"kind": "auto_topup"}));
    let kinds = events(&simulator).await;
    let expect = [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ];
    assert_eq!(kinds[kinds.len() - 3..], expect);
}

#[tokio::test]
async fn a_bank_that_wants_the_owner_or_declines_is_told_apart() {
    let check = async |card: &str, code: &str, decline_code: &str| {
        let simulator = simulator().await;
        let (customer, method) = saved(&simulator, card).await;
        let refused = top_up(&simulator, &customer, &method).await;
        assert_eq!(refused.status, 402, "{card}");
        let error = &refused.json()["error"];
        assert_eq!(error["type"], "card_error");
        assert_eq!(error["code"], code);
        assert_eq!(error["decline_code"], decline_code);
        assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
        assert_eq!(error["payment_intent"]["last_payment_error"]["code"], code);
        assert_eq!(error["payment_method"]["id"], method);
        let kinds = events(&simulator).await;
        assert_eq!(kinds[kinds.len() - 1], "payment_intent.payment_failed");
    };
    let needs_owner = "authentication_required";
    check("4000002760003184", needs_owner, needs_owner).await;
    check("4000000000000341", "card_declined", "generic_decline").await;
}

#[tokio::test]
async fn a_card_that_is_not_the_customers_is_refused() {
    let simulator = simulator().await;
    let (_, method) = saved(&simulator, CARD).await;
    let (other, removed) = saved(&simulator, CARD).await;
    post(
        &simulator,
        &format!("/v1/payment_methods/{removed}/detach"),
        &[],
    )
    .await;
    for method in [method, removed, "pm_none".to_owned()] {
        let refused = top_up(&simulator, &other, &method).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert_eq!(refused.json()["error"]["param"], "payment_method");
    }
}

async fn refund(simulator: &Simulator, intent: &str, amount: &str) -> Result<Value, Value> {
    let fields = [("payment_intent", intent), ("amount", amount)];
    let response = request(simulator, ("POST", "/v1/refunds"), &fields, "").await;
    match response.status {
        200 => Ok(response.json()),
        _ => Err(response.json()["error"].clone()),
    }
}

#[tokio::test]
async fn a_payment_is_refunded_in_parts_and_never_more_than_once() {
    let simulator = simulator().await;
    let session = buy(&simulator, &[], CARD).await;
    let intent = session["payment_intent"].as_str().unwrap();
    let check = async |amount: &str, expect: Result<&str, Option<&str>>| {
        let seen = refund(&simulator, intent, amount).await;
        let seen = seen
            .map(|refund| refund["status"].as_str().unwrap().to_owned())
            .map_err(|error| error["code"].as_str().map(str::to_owned));
        let expect = expect
            .map(str::to_owned)
            .map_err(|code| code.map(str::to_owned));
        assert_eq!(seen, expect, "{amount}");
    };
    check("0", Err(Some("parameter_invalid_integer"))).await;
    check("2001", Err(None)).await;
    check("500", Ok("succeeded")).await;
    check("1501", Err(None)).await;
    check("1500", Ok("succeeded")).await;
    check("1", Err(Some("charge_already_refunded"))).await;
    let kinds = events(&simulator).await;
    assert_eq!(
        kinds[kinds.len() - 2..],
        ["charge.refunded", "refund.created"]
    );
    let listed = get(&simulator, "/v1/refunds", &[("payment_intent", intent)]).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let refund = get(
        &simulator,
        &format!("/v1/refunds/{}", text(&listed["data"][1], "id")),
        &[("expand[]", "charge")],
    )
    .await;
    assert_eq!(refund["amount"], 500);
    assert_eq!(refund["charge"]["amount_refunded"], 2_000);
    assert_eq!(refund["charge"]["refunded"], true);
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[tokio::test]
async fn a_refund_can_wait_and_fail_at_the_bank() {
    let simulator = simulator().await;
    let session = buy(&simulator, &[], "4000000000007726").await;
    let intent = text(&session, "payment_intent");
    let made = control(&simulator, "POST", "/refund", &[("payment_intent", intent)]).await;
    assert_eq!(made["status"], "pending");
    let id = text(&made, "id");
    let becomes = async |status: &str| {
        let fields = [("refund", id), ("status", status)];
        control(&simulator, "POST", "/refund", &fields).await
    };
    assert_eq!(becomes("succeeded").await["status"], "succeeded");
    let failed = becomes("failed").await;
    assert_eq!(failed["failure_reason"], "expired_or_canceled_card");
    let kinds = events(&simulator).await;
    let expect = [
        "charge.refunded",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "refund.updated",
    ];
    assert_eq!(kinds[kinds.len() - 5..], expect);
    assert!(
        refund(&simulator, intent, "2000").await.is_ok(),
        "the money is there again"
    );
}

#[tokio::test]
async fn a_dispute_goes_through_the_phases_of_a_bank() {
    let check = async |phases: &[&str], expect: &[(&str, &str)]| {
        let simulator = simulator().await;
        let session = buy(&simulator, &[], CARD).await;
        let intent = text(&session, "payment_intent");
        let before = events(&simulator).await.len();
        let mut seen = Vec::new();
        for phase in phases {
            let fields = [("payment_intent", intent), ("phase", phase)];
            let dispute = control(&simulator, "POST", "/dispute", &fields).await;
            assert_eq!(dispute["payment_intent"], intent);
            assert_eq!(dispute["amount"], 2_000);
            let path = format!("/v1/disputes/{}", text(&dispute, "id"));
            assert_eq!(get(&simulator, &path, &[]).await, dispute);
            seen.push(text(&dispute, "status").to_owned());
        }
        let kinds = events(&simulator).await;
        let pairs: Vec<(&str, &str)> = kinds[before..]
            .iter()
            .zip(&seen)
            .map(|(kind, status)| (&kind[15..], &status[..]))
            .collect();
        assert_eq!(pairs, expect);
    };
    check(
        &[
            "created",
            "funds_withdrawn",
            "closed_won",
            "funds_reinstated",
        ],
        &[
            ("created", "needs_response"),
            ("funds_withdrawn", "needs_response"),
            ("closed", "won"),
            ("funds_reinstated", "won"),
        ],
    )
    .await;
    check(
        &["created", "funds_withdrawn", "closed_lost"],
        &[
            ("created", "needs_response"),
            ("funds_withdrawn", "needs_response"),
            ("closed", "lost"),
        ],
    )
    .await;
    check(
        &["warning", "warning_closed"],
        &[
            ("created", "warning_needs_response"),
            ("closed", "warning_closed"),
        ],
    )
    .await;
}
