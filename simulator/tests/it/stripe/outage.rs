//! A Stripe that is down, in each way that a seller has to live with.

use tollgate_simulator::Simulator;

use crate::client::End;
use crate::stripe::client::{PACK, control, get, request, simulator};

async fn create(simulator: &Simulator, headers: &str) -> Option<u16> {
    let call = ("POST", "/v1/checkout/sessions");
    let response = request(simulator, call, PACK, headers).await;
    (response.end == End::Complete).then_some(response.status)
}

async fn sessions(simulator: &Simulator) -> usize {
    let listed = get(simulator, "/v1/checkout/sessions", &[]).await;
    listed["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_call_fails_as_told_and_works_again_afterwards() {
    let check = async |how: &str, expect: Option<u16>, made: usize| {
        let simulator = simulator().await;
        let switch = [("on", "1"), ("how", how), ("times", "2")];
        control(&simulator, "POST", "/down", &switch).await;
        let key = "idempotency-key: k1\r\n";
        assert_eq!(create(&simulator, key).await, expect, "{how}");
        assert_eq!(create(&simulator, key).await, expect, "{how}");
        assert_eq!(create(&simulator, key).await, Some(200), "{how}");
        assert_eq!(sessions(&simulator).await, made, "{how}");
    };
    check("500", Some(500), 1).await;
    check("503", Some(503), 1).await;
    check("close", None, 1).await;
    // The answers are lost, and the key finds the session that was made with the first call.
    check("lose", None, 1).await;
}

#[tokio::test]
async fn stripe_stays_down_until_told_otherwise() {
    let simulator = simulator().await;
    control(&simulator, "POST", "/down", &[("on", "1")]).await;
    for _ in 0..3 {
        assert_eq!(create(&simulator, "").await, Some(503));
    }
    control(&simulator, "POST", "/down", &[("on", "0")]).await;
    assert_eq!(create(&simulator, "").await, Some(200));
    control(
        &simulator,
        "POST",
        "/down",
        &[("on", "1"), ("how", "lose"), ("times", "1")],
    )
    .await;
    assert_eq!(create(&simulator, "").await, None);
    assert_eq!(sessions(&simulator).await, 2, "what was lost was done");
}
