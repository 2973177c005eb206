//! What Stripe's webhook takes: nothing that Stripe did not sign now.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use xtask::clock::now_ms;

use crate::browser::{Shown, send};
use crate::stage::{Stage, shared};

fn sign(secret: &str, at_seconds: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at_seconds}.{body}").as_bytes());
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at_seconds},v1={hex}")
}

fn deliver(stage: &Stage, body: &str, signature: &str) -> Shown {
    let (url, _) = stage.stack.stripe().unwrap();
    let request = ureq::http::Request::post(url)
        .header("content-type", "application/json")
        .header("stripe-signature", signature);
    send(request.body(body.to_owned()).unwrap())
}

#[test]
fn an_event_that_stripe_did_not_sign_now_is_refused() {
    let stage = shared();
    let (_, secret) = stage.stack.stripe().unwrap();
    let now = now_ms() / 1_000;
    let body = r#"{"id":"evt_1","object":"event","api_version":"2026-10-28.endive","created":1,"livemode":false,"type":"some.other.event","data":{"object":{"id":"x"}}}"#;
    let right = sign(secret, now, body);
    let check = |body: &str, signature: &str, expect: u16| {
        let shown = deliver(&stage, body, signature);
        assert_eq!(shown.status, expect, "{signature}: {}", shown.body);
    };
    check(body, &right, 200);
    check(body, "", 400);
    check(body, "t=1,v1=00", 400);
    check(body, &sign("whsec_other", now, body), 400);
    check(body, &sign(secret, now - 301, body), 400);
    check(body, &sign(secret, now + 360, body), 400);
    check(&body.replace("evt_1", "evt_2"), &right, 400);
    // While secrets are rotated there are several signatures.
    let both = format!(
        "{},v1={}",
        sign("whsec_other", now, body),
        right.split_once("v1=").unwrap().1
    );
    check(body, &both, 200);
    // Signed by Stripe, and still nothing that means anything here.
    check("{}", &sign(secret, now, "{}"), 400);
    check("not json", &sign(secret, now, "not json"), 400);
}
