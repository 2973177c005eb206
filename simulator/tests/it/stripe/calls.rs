//! Who may call, what is refused, and what an idempotency key does.

use serde_json::{Value, json};
use tollgate_simulator::stripe::{SECRET_KEY, VERSION};

use crate::client::exchange;
use crate::stripe::client::{PACK, buy, get, post, request, simulator};

#[tokio::test]
async fn a_call_needs_the_key_the_version_and_a_form() {
    let simulator = simulator().await;
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let key = format!("authorization: Bearer {SECRET_KEY}\r\n");
    let version = format!("stripe-version: {VERSION}\r\n");
    let check = async |headers: &[&str], path: &str, status: u16, message: &str| {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: sim\r\n{}content-length: 3\r\n\r\na=1",
            headers.concat()
        );
        let response = exchange(&simulator, &request).await;
        assert_eq!(response.status, status, "{headers:?}");
        let error = &response.json()["error"];
        assert_eq!(error["type"], "invalid_request_error");
        assert!(
            error["message"].as_str().unwrap().contains(message),
            "{error}"
        );
    };
    let path = "/stripe/v1/customers";
    check(&[&version, form], path, 401, "did not provide an API key").await;
    let wrong = "authorization: Bearer sk_test_other\r\n";
    check(&[wrong, &version, form], path, 401, "Invalid API Key").await;
    check(&[&key, form], path, 400, "API version").await;
    check(
        &[&key, "stripe-version: 2020-08-27\r\n", form],
        path,
        400,
        "API version",
    )
    .await;
    check(&[&key, &version], path, 400, "content type").await;
    check(&[&key, &version, form], path, 400, "unknown parameter: a").await;
    check(
        &[&key, &version, form],
        "/stripe/v1/nothing",
        404,
        "Unrecognized",
    )
    .await;
}

#[tokio::test]
async fn sessions_that_stripe_would_refuse_are_refused() {
    let simulator = simulator().await;
    let plain = post(&simulator, "/v1/customers", &[]).await["id"].clone();
    let plain = plain.as_str().unwrap();
    let now = jiff::Timestamp::now().as_second();
    let (soon, late) = ((now + 1_000).to_string(), (now + 90_000).to_string());
    let check = async |without: &str, more: &[(&str, &str)], expect: [&str; 2]| {
        let kept = PACK
            .iter()
            .filter(|(name, _)| without.is_empty() || !name.starts_with(without));
        let fields: Vec<_> = kept.chain(more).copied().collect();
        let call = ("POST", "/v1/checkout/sessions");
        let response = request(&simulator, call, &fields, "").await;
        assert_eq!(response.status, 400, "{more:?} {}", response.text());
        let error = &response.json()["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        assert_eq!([text("code"), text("param")], expect, "{error}");
    };
    let amount = "line_items[0][price_data][unit_amount]";
    check("mode", &[], ["parameter_missing", "mode"]).await;
    check("success_url", &[], ["parameter_missing", "success_url"]).await;
    check("line_items", &[], ["parameter_missing", "line_items"]).await;
    check(amount, &[], ["parameter_missing", amount]).await;
    check("", &[(amount, "49")], ["amount_too_small", "line_items"]).await;
    check("", &[(amount, "-2000")], ["", amount]).await;
    check(
        "",
        &[(amount, "100000000")],
        ["amount_too_large", "line_items"],
    )
    .await;
    check(
        "",
        &[("line_items[0][quantity]", "0")],
        ["", "line_items[0][quantity]"],
    )
    .await;
    check("", &[("currency", "eur")], ["", "currency"]).await;
    check(
        "",
        &[("customer", "cus_none")],
        ["resource_missing", "customer"],
    )
    .await;
    check(
        "",
        &[("customer_update[address]", "auto")],
        ["", "customer_update"],
    )
    .await;
    check("", &[("expires_at", &soon)], ["", "expires_at"]).await;
    check("", &[("expires_at", &late)], ["", "expires_at"]).await;
    check(
        "",
        &[("setup_intent_data[description]", "x")],
        ["", "setup_intent_data"],
    )
    .await;
    check(
        "line_items",
        &[("mode", "setup"), ("currency", "usd")],
        ["", "payment_intent_data"],
    )
    .await;
    let both = [("customer", plain), ("customer_email", "me@example.com")];
    check("", &both, ["parameters_exclusive", "customer_email"]).await;
    let taxed = [("customer", plain), ("automatic_tax[enabled]", "true")];
    check("", &taxed, ["customer_tax_location_invalid", ""]).await;
    let expand = |path| [("expand[]", path)];
    check("", &expand("payment_intent.colour"), ["", "expand[0]"]).await;
    check("", &expand("data.customer"), ["", "expand[0]"]).await;
    let listed = get(&simulator, "/v1/checkout/sessions", &[]).await;
    assert_eq!(listed["data"], json!([]), "what is refused makes nothing");
}

#[tokio::test]
async fn a_key_gives_one_answer_for_one_request() {
    let simulator = simulator().await;
    let call = async |path: &str, fields: &[(&str, &str)], key: &str| {
        let header = format!("idempotency-key: {key}\r\n");
        request(&simulator, ("POST", path), fields, &header).await
    };
    let path = "/v1/checkout/sessions";
    let first = call(path, PACK, "k1").await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let mut turned = PACK.to_vec();
    turned.reverse();
    let again = call(path, &turned, "k1").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_eq!(again.json(), first.json());
    assert_ne!(
        call(path, PACK, "k2").await.json()["id"],
        first.json()["id"]
    );
    let mut other = PACK.to_vec();
    other.push(("locale", "de"));
    for refused in [
        call(path, &other, "k1").await,
        call("/v1/customers", &[], "k1").await,
    ] {
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json()["error"]["type"], "idempotency_error");
    }
    let wrong = call(path, &[("colour", "red")], "k3").await;
    assert_eq!(wrong.status, 400);
    assert_eq!(
        call(path, PACK, "k3").await.status,
        200,
        "a refused request takes no key"
    );
    let mut stranger = PACK.to_vec();
    stranger.push(("customer", "cus_none"));
    assert_eq!(call(path, &stranger, "k4").await.status, 400);
    let again = call(path, &stranger, "k4").await;
    assert_eq!(
        again.header("idempotent-replayed"),
        Some("true"),
        "what was begun is kept"
    );
    let long = "k".repeat(256);
    assert_eq!(call(path, PACK, &long).await.status, 400);
    let listed = get(&simulator, path, &[]).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_replayed_answer_is_the_old_one_whatever_happened_since() {
    let simulator = simulator().await;
    let header = "idempotency-key: k1\r\n";
    let call = ("POST", "/v1/checkout/sessions");
    let session = request(&simulator, call, PACK, header).await.json();
    let id = session["id"].as_str().unwrap();
    post(
        &simulator,
        &format!("/v1/checkout/sessions/{id}/expire"),
        &[],
    )
    .await;
    let again = request(&simulator, call, PACK, header).await;
    assert_eq!(again.json()["status"], "open");
}

#[tokio::test]
async fn sessions_are_listed_newest_first_in_pages() {
    let simulator = simulator().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let session = post(&simulator, "/v1/checkout/sessions", PACK).await;
        ids.insert(0, session["id"].as_str().unwrap().to_owned());
    }
    let paid = buy(&simulator, &[], "4242424242424242").await;
    ids.insert(0, paid["id"].as_str().unwrap().to_owned());
    let created = paid["created"].as_i64().unwrap();
    let check = async |fields: &[(&str, &str)], expect: &[String], has_more: bool| {
        let listed = get(&simulator, "/v1/checkout/sessions", fields).await;
        let seen = listed["data"].as_array().unwrap().iter();
        let seen: Vec<_> = seen
            .map(|session| session["id"].as_str().unwrap())
            .collect();
        assert_eq!(seen, expect, "{fields:?}");
        assert_eq!(listed["has_more"], has_more, "{fields:?}");
        assert_eq!(listed["object"], "list");
    };
    check(&[], &ids, false).await;
    check(&[("limit", "2")], &ids[..2], true).await;
    check(
        &[("limit", "2"), ("starting_after", &ids[1])],
        &ids[2..4],
        true,
    )
    .await;
    check(
        &[("limit", "4"), ("starting_after", &ids[1])],
        &ids[2..],
        false,
    )
    .await;
    check(
        &[("limit", "2"), ("ending_before", &ids[3])],
        &ids[1..3],
        true,
    )
    .await;
    check(&[("status", "complete")], &ids[..1], false).await;
    let intent = paid["payment_intent"].as_str().unwrap();
    check(&[("payment_intent", intent)], &ids[..1], false).await;
    check(
        &[("created[gte]", &(created - 60).to_string())],
        &ids,
        false,
    )
    .await;
    check(&[("created[gte]", &(created + 60).to_string())], &[], false).await;
    check(&[("created[lt]", &(created - 60).to_string())], &[], false).await;
    let expanded = [("expand[]", "data.payment_intent"), ("status", "complete")];
    let listed = get(&simulator, "/v1/checkout/sessions", &expanded).await;
    assert_eq!(listed["data"][0]["payment_intent"]["status"], "succeeded");
    let refused = request(
        &simulator,
        ("GET", "/v1/checkout/sessions"),
        &[("limit", "101")],
        "",
    );
    assert_eq!(refused.await.json()["error"]["param"], "limit");
}

#[tokio::test]
async fn customers_are_kept_and_changed() {
    let simulator = simulator().await;
    let fields = [
        ("email", "me@example.com"),
        ("metadata[account_id]", "acc_1"),
    ];
    let customer = post(&simulator, "/v1/customers", &fields).await;
    let path = format!("/v1/customers/{}", customer["id"].as_str().unwrap());
    let more = [
        ("name", "Me"),
        ("metadata[kind]", "x"),
        ("address[country]", "DE"),
    ];
    post(&simulator, &path, &more).await;
    let customer = get(&simulator, &path, &[]).await;
    assert_eq!(customer["email"], "me@example.com");
    assert_eq!(customer["name"], "Me");
    assert_eq!(
        customer["metadata"],
        json!({"account_id": "acc_1", "kind": "x"})
    );
    assert_eq!(customer["address"]["country"], "DE");
    assert_eq!(customer["address"]["city"], Value::Null);
    let missing = request(&simulator, ("GET", "/v1/customers/cus_none"), &[], "").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["error"]["code"], "resource_missing");
}
