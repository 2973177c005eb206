//! The hosted page: each button leads to the states and events that Stripe's leads to.

use serde_json::{Value, json};
use tollgate_simulator::Simulator;

use crate::client::exchange;
use crate::stripe::client::{PACK, buy, control, events, get, post, press, simulator};

async fn open(simulator: &Simulator, more: &[(&str, &str)]) -> (String, String) {
    let session = post(simulator, "/v1/checkout/sessions", &[PACK, more].concat()).await;
    let text = |name: &str| session[name].as_str().unwrap().to_owned();
    (text("id"), text("url"))
}

async fn session(simulator: &Simulator, id: &str, expand: &[(&str, &str)]) -> Value {
    get(simulator, &format!("/v1/checkout/sessions/{id}"), expand).await
}

async fn read(simulator: &Simulator, url: &str) -> String {
    let path = url.split_once("/stripe").unwrap().1;
    let request = format!("GET /stripe{path} HTTP/1.1\r\nhost: sim\r\n\r\n");
    exchange(simulator, &request).await.text()
}

#[tokio::test]
async fn a_paid_pack_is_complete_and_tells_who_paid_with_what() {
    let simulator = simulator().await;
    let (id, url) = open(&simulator, &[]).await;
    assert!(id.starts_with("cs_test_"), "{id}");
    assert!(read(&simulator, &url).await.contains("20.00 USD"));
    let paid = press(&simulator, &url, &[("action", "pay")]).await;
    assert_eq!(paid.status, 303);
    let expect = format!("http://shop/done?session={id}");
    assert_eq!(paid.header("location"), Some(expect.as_str()));
    let expand = [
        ("expand[]", "payment_intent.latest_charge"),
        ("expand[]", "payment_intent.payment_method"),
    ];
    let session = session(&simulator, &id, &expand).await;
    let check = |path: &str, expect: Value| {
        assert_eq!(session.pointer(path), Some(&expect), "{path}");
    };
    check("/object", json!("checkout.session"));
    check("/livemode", json!(false));
    check("/status", json!("complete"));
    check("/payment_status", json!("paid"));
    check("/amount_total", json!(2_000));
    check("/currency", json!("usd"));
    check("/client_reference_id", json!("ord_1"));
    check("/metadata", json!({"order_id": "ord_1"}));
    check("/url", Value::Null);
    check("/payment_intent/status", json!("succeeded"));
    check("/payment_intent/amount_received", json!(2_000));
    check("/payment_intent/metadata", json!({"order_id": "ord_1"}));
    check("/payment_intent/payment_method/card/last4", json!("4242"));
    check("/payment_intent/latest_charge/paid", json!(true));
    let card = "/payment_intent/latest_charge/payment_method_details/card";
    check(&format!("{card}/fingerprint"), json!("SimPrintVisa4242"));
    check(&format!("{card}/brand"), json!("visa"));
    let receipt = session
        .pointer("/payment_intent/latest_charge/receipt_url")
        .unwrap();
    assert!(
        read(&simulator, receipt.as_str().unwrap())
            .await
            .contains("20.00 USD")
    );
    let expect = [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ];
    assert_eq!(events(&simulator).await, expect);
    let again = press(&simulator, &url, &[("action", "pay")]).await;
    assert!(
        again.text().contains("already complete"),
        "{}",
        again.text()
    );
    assert_eq!(
        events(&simulator).await.len(),
        4,
        "a page that is paid does nothing more"
    );
}

#[tokio::test]
async fn a_declined_card_leaves_the_session_open_for_another() {
    let simulator = simulator().await;
    let check = async |fields: &[(&str, &str)], decline_code: &str| {
        let (id, url) = open(&simulator, &[]).await;
        let tried = press(&simulator, &url, fields).await;
        assert_eq!(tried.status, 200);
        assert!(tried.text().contains("Your card was declined."));
        let failed = session(&simulator, &id, &[("expand[]", "payment_intent")]).await;
        assert_eq!(failed["status"], "open");
        assert_eq!(failed["payment_status"], "unpaid");
        let intent = &failed["payment_intent"];
        assert_eq!(intent["status"], "requires_payment_method");
        assert_eq!(intent["last_payment_error"]["code"], "card_declined");
        assert_eq!(intent["last_payment_error"]["decline_code"], decline_code);
        let paid = press(&simulator, &url, &[("action", "pay")]).await;
        assert_eq!(paid.status, 303);
        let paid = session(&simulator, &id, &[("expand[]", "payment_intent")]).await;
        assert_eq!(
            paid["payment_intent"]["id"], intent["id"],
            "the same payment"
        );
        assert_eq!(paid["payment_intent"]["last_payment_error"], Value::Null);
    };
    check(&[("action", "fail")], "generic_decline").await;
    check(
        &[("action", "pay"), ("card", "4000000000009995")],
        "insufficient_funds",
    )
    .await;
    let expect = [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ];
    assert_eq!(events(&simulator).await[..6], expect);
}

#[tokio::test]
async fn money_that_comes_later_completes_the_session_unpaid_first() {
    let check = async |button: &str, status: &str, last: [&str; 3]| {
        let simulator = simulator().await;
        let (id, url) = open(&simulator, &[]).await;
        let left = press(&simulator, &url, &[("action", "later")]).await;
        assert_eq!(left.status, 303);
        let before = session(&simulator, &id, &[("expand[]", "payment_intent")]).await;
        assert_eq!(before["status"], "complete");
        assert_eq!(before["payment_status"], "unpaid");
        assert_eq!(before["payment_intent"]["status"], "processing");
        press(&simulator, &url, &[("action", button)]).await;
        let after = session(
            &simulator,
            &id,
            &[("expand[]", "payment_intent.latest_charge")],
        )
        .await;
        assert_eq!(after["payment_status"], status, "{button}");
        let details = &after["payment_intent"]["latest_charge"]["payment_method_details"];
        assert_eq!(details["card"], Value::Null, "no card paid");
        assert_eq!(
            details["us_bank_account"]["fingerprint"],
            "SimPrintBank6789"
        );
        let expect = [
            &[
                "payment_intent.created",
                "charge.pending",
                "payment_intent.processing",
            ][..],
            &["checkout.session.completed"],
            &last,
        ]
        .concat();
        assert_eq!(events(&simulator).await, expect);
        let again = press(&simulator, &url, &[("action", button)]).await;
        assert!(again.text().contains("no money under way"));
    };
    let came = [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ];
    check("settle", "paid", came).await;
    let bounced = [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ];
    check("bounce", "unpaid", bounced).await;
}

#[tokio::test]
async fn a_card_is_saved_for_its_customer_when_the_session_asks_for_it() {
    let simulator = simulator().await;
    let customer = post(&simulator, "/v1/customers", &[("email", "me@example.com")]).await;
    let customer = customer["id"].as_str().unwrap();
    let expand = [("expand[]", "payment_method")];
    let owner = async |more: &[(&str, &str)]| {
        let more = [&[("customer", customer)], more].concat();
        let session = buy(&simulator, &more, "4242424242424242").await;
        let intent = session["payment_intent"].as_str().unwrap();
        let intent = get(
            &simulator,
            &format!("/v1/payment_intents/{intent}"),
            &expand,
        )
        .await;
        intent["payment_method"]["customer"].clone()
    };
    assert_eq!(owner(&[]).await, Value::Null);
    let saving = [("payment_intent_data[setup_future_usage]", "off_session")];
    assert_eq!(owner(&saving).await, customer);
    let fields = [
        ("mode", "setup"),
        ("currency", "usd"),
        ("customer", customer),
        ("success_url", "http://shop/saved"),
        ("setup_intent_data[metadata][kind]", "auto_topup"),
    ];
    let session = post(&simulator, "/v1/checkout/sessions", &fields).await;
    assert_eq!(session["amount_total"], Value::Null);
    let saved = press(
        &simulator,
        session["url"].as_str().unwrap(),
        &[("action", "pay")],
    )
    .await;
    assert_eq!(saved.header("location"), Some("http://shop/saved"));
    let path = format!("/v1/checkout/sessions/{}", session["id"].as_str().unwrap());
    let expand = [("expand[]", "setup_intent.payment_method")];
    let session = get(&simulator, &path, &expand).await;
    assert_eq!(session["payment_status"], "no_payment_required");
    let setup = &session["setup_intent"];
    assert_eq!(setup["metadata"], json!({"kind": "auto_topup"}));
    assert_eq!(setup["payment_method"]["customer"], customer);
    assert_eq!(
        setup["payment_method"]["card"]["fingerprint"],
        "SimPrintVisa4242"
    );
}

#[tokio::test]
async fn an_invoice_and_taxes_come_with_a_payment_that_asks_for_them() {
    let simulator = simulator().await;
    let check = async |behavior: &str, expect: [i64; 2]| {
        let more = [
            ("automatic_tax[enabled]", "true"),
            ("line_items[0][price_data][tax_behavior]", behavior),
            ("invoice_creation[enabled]", "true"),
            (
                "invoice_creation[invoice_data][metadata][order_id]",
                "ord_1",
            ),
        ];
        let (id, url) = open(&simulator, &more).await;
        press(
            &simulator,
            &url,
            &[("action", "pay"), ("tax_percent", "10")],
        )
        .await;
        let session = session(&simulator, &id, &[("expand[]", "invoice")]).await;
        let seen = [
            session["amount_total"].as_i64().unwrap(),
            session["total_details"]["amount_tax"].as_i64().unwrap(),
        ];
        assert_eq!(seen, expect, "{behavior}");
        assert_eq!(session["amount_subtotal"], 2_000);
        let invoice = &session["invoice"];
        assert_eq!(invoice["total"], expect[0]);
        assert_eq!(invoice["status"], "paid");
        assert_eq!(invoice["billing_reason"], "manual");
        assert_eq!(invoice["metadata"], json!({"order_id": "ord_1"}));
        assert!(
            session["customer"].as_str().unwrap().starts_with("cus_"),
            "made for the invoice"
        );
        let page = read(&simulator, invoice["hosted_invoice_url"].as_str().unwrap()).await;
        assert!(page.contains("SIM-00"), "{page}");
    };
    check("exclusive", [2_200, 200]).await;
    check("inclusive", [2_000, 181]).await;
    let kinds = events(&simulator).await;
    assert!(kinds.contains(&"invoice.paid".to_owned()), "{kinds:?}");
}

#[tokio::test]
async fn what_a_seller_writes_is_shown_and_never_run() {
    let simulator = simulator().await;
    let name = "line_items[0][price_data][product_data][name]";
    let (_, url) = open(&simulator, &[(name, "<script>\"x\"</script>")]).await;
    let page = read(&simulator, &url).await;
    assert!(page.contains("1 × &lt;script&gt;&quot;x&quot;"), "{page}");
}

#[tokio::test]
async fn a_session_that_expired_takes_no_money() {
    let simulator = simulator().await;
    let (id, url) = open(&simulator, &[]).await;
    let page = read(&simulator, &url).await;
    assert!(page.contains("href=\"http://shop/cancelled\""), "{page}");
    post(
        &simulator,
        &format!("/v1/checkout/sessions/{id}/expire"),
        &[],
    )
    .await;
    let (other, _) = open(&simulator, &[]).await;
    control(&simulator, "POST", "/expire", &[("session", &other)]).await;
    let tried = press(&simulator, &url, &[("action", "pay")]).await;
    assert!(tried.text().contains("has expired"));
    assert_eq!(session(&simulator, &id, &[]).await["status"], "expired");
    assert_eq!(events(&simulator).await, ["checkout.session.expired"; 2]);
}

#[tokio::test]
async fn the_portal_shows_and_removes_saved_cards() {
    let simulator = simulator().await;
    let customer = post(&simulator, "/v1/customers", &[]).await;
    let customer = customer["id"].as_str().unwrap();
    let more = [
        ("customer", customer),
        ("payment_intent_data[setup_future_usage]", "off_session"),
        ("invoice_creation[enabled]", "true"),
    ];
    buy(&simulator, &more, "5555555555554444").await;
    let fields = [
        ("customer", customer),
        ("return_url", "http://shop/billing"),
    ];
    let portal = post(&simulator, "/v1/billing_portal/sessions", &fields).await;
    let url = portal["url"].as_str().unwrap();
    let page = read(&simulator, url).await;
    for expect in [
        "mastercard 4444",
        "SIM-0001",
        "href=\"http://shop/billing\"",
    ] {
        assert!(page.contains(expect), "{expect}: {page}");
    }
    let method = page
        .split_once("value=\"")
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0;
    let removed = press(&simulator, url, &[("remove", method)]).await.text();
    assert!(!removed.contains("mastercard 4444"), "{removed}");
    let method = get(&simulator, &format!("/v1/payment_methods/{method}"), &[]).await;
    assert_eq!(method["customer"], Value::Null);
}
