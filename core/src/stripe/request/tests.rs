use super::*;

fn decoded(request: &StripeRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect()
}

fn field(request: &StripeRequest, name: &str) -> Option<String> {
    let mut fields = decoded(request).into_iter();
    fields
        .find(|(known, _)| known == name)
        .map(|(_, value)| value)
}

#[test]
fn a_session_names_its_order_wherever_stripe_tells_it_back() {
    let order = OrderId::from_random([1; 10]);
    let customer = StripeId::parse("cus_1").unwrap();
    let new = NewSession {
        order: &order,
        price: Cents::new(1_050),
        name: "Ünits & more = $10",
        customer: &customer,
        success_url: "https://a.example/paid?session={CHECKOUT_SESSION_ID}",
        cancel_url: "https://a.example/billing",
        expires_at_ms: 1_795_350_600_999,
        save_card: false,
        automatic_tax: false,
    };
    let request = new.to_request();
    assert_eq!(prefix(&request), format!("order:{order}:"));
    let check = |name: &str, expect: Option<&str>| {
        assert_eq!(field(&request, name).as_deref(), expect, "{name}");
    };
    for name in [
        "client_reference_id",
        "metadata[order_id]",
        "payment_intent_data[metadata][order_id]",
    ] {
        check(name, Some(order.as_str()));
    }
    check("line_items[0][price_data][unit_amount]", Some("1050"));
    check(
        "line_items[0][price_data][product_data][name]",
        Some("Ünits & more = $10"),
    );
    check(
        "success_url",
        Some("https://a.example/paid?session={CHECKOUT_SESSION_ID}"),
    );
    check("expires_at", Some("1795350600"));
    check("automatic_tax[enabled]", None);
    check("payment_intent_data[setup_future_usage]", None);
    let request = NewSession {
        save_card: true,
        automatic_tax: true,
        ..new
    }
    .to_request();
    assert_eq!(
        field(&request, "automatic_tax[enabled]").as_deref(),
        Some("true")
    );
    let usage = field(&request, "payment_intent_data[setup_future_usage]");
    assert_eq!(usage.as_deref(), Some("off_session"));
}

#[test]
fn whatever_moves_money_has_a_key_of_its_own() {
    let account = AccountId::from_random([1; 10]);
    let order = OrderId::from_random([2; 10]);
    let refund = RefundId::from_random([3; 10]);
    let id = |text: &str| StripeId::parse(text).unwrap();
    let (customer, method, intent) = (id("cus_1"), id("pm_1"), id("pi_1"));
    let top_up = NewPaymentIntent {
        account: &account,
        order: &order,
        attempt: 7,
        price: Cents::new(2_000),
        customer: &customer,
        payment_method: &method,
        name: "credit",
    };
    let request = top_up.to_request();
    assert_eq!(request.idempotency_key, Some(format!("topup:{account}:7")));
    assert_eq!(
        field(&request, "metadata[kind]").as_deref(),
        Some("auto_topup")
    );
    let back = NewRefund {
        refund: &refund,
        order: &order,
        payment_intent: &intent,
        amount: Cents::new(5),
    };
    let request = back.to_request();
    assert_eq!(request.idempotency_key, Some(refund.to_string()));
    assert_eq!(field(&request, "amount").as_deref(), Some("5"));
    let asked = NewCustomer {
        account: &account,
        email: "a+b@example.org",
        name: "A",
    };
    let request = asked.to_request();
    assert_eq!(prefix(&request), format!("customer:{account}:"));
    assert_eq!(field(&request, "email").as_deref(), Some("a+b@example.org"));
}

/// What a key names, without the digest of the fields.
fn prefix(request: &StripeRequest) -> String {
    let key = request.idempotency_key.as_deref().unwrap();
    let (what, digest) = key.rsplit_once(':').unwrap();
    assert_eq!(digest.len(), 32, "{key}");
    format!("{what}:")
}

#[test]
fn whoever_asks_with_another_name_or_from_another_host_is_not_told_to_come_back_in_a_day() {
    let account = AccountId::from_random([1; 10]);
    let customer = |email, name| {
        let request = NewCustomer {
            account: &account,
            email,
            name,
        };
        request.to_request().idempotency_key
    };
    let first = customer("a@example.org", "A");
    assert_eq!(customer("a@example.org", "A"), first);
    for (email, name) in [("b@example.org", "A"), ("a@example.org", "B")] {
        assert_ne!(customer(email, name), first, "{email} {name}");
    }
    let order = OrderId::from_random([2; 10]);
    let id = StripeId::parse("cus_1").unwrap();
    let session = |cancel_url, automatic_tax| {
        let request = NewSession {
            order: &order,
            price: Cents::new(1_000),
            name: "Credit",
            customer: &id,
            success_url: "https://a.example/done",
            cancel_url,
            expires_at_ms: 1_795_350_600_000,
            save_card: false,
            automatic_tax,
        };
        request.to_request().idempotency_key
    };
    let first = session("https://a.example", false);
    assert_eq!(session("https://a.example", false), first);
    assert_ne!(session("https://b.example", false), first);
    assert_ne!(session("https://a.example", true), first);
}

#[test]
fn questions_are_paths() {
    let id = StripeId::parse("cs_1").unwrap();
    assert_eq!(
        retrieve_session(&id).path,
        "/v1/checkout/sessions/cs_1?expand%5B0%5D=payment_intent.latest_charge\
         &expand%5B1%5D=invoice&expand%5B2%5D=setup_intent.payment_method"
    );
    let page = SessionsSince {
        created_at_ms: 1_795_348_800_500,
        after: Some(&id),
    };
    assert_eq!(
        page.to_request().path,
        "/v1/checkout/sessions?limit=100&created%5Bgte%5D=1795348800&starting_after=cs_1"
    );
    assert_eq!(
        detach_payment_method(&id).path,
        "/v1/payment_methods/cs_1/detach"
    );
    assert_eq!(
        expire_session(&id).path,
        "/v1/checkout/sessions/cs_1/expire"
    );
}
