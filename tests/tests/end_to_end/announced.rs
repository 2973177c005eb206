//! A cost that is announced holds from its moment on, and not before.

use serde_json::{Value, json};
use tollgate_core::catalogue;
use tollgate_tests::eventually;
use xtask::clock::now_ms;

use crate::client::nanos;
use crate::price::{Catalogue, charge};
use crate::stage::Stage;

#[test]
fn an_announced_price_is_charged_from_its_moment_on_and_listed_with_it() {
    let stage = Stage::start("announced", &[]);
    let caller = stage.customer(1_000_000_000);
    let client = stage.client(&caller);
    let call = || {
        let answer = client.chat(&json!({
            "model": "sim/echo",
            "messages": [{"role": "user", "content": "dearer soon"}],
            "max_tokens": 50,
        }));
        answer.json()["usage"].clone()
    };
    let listed = || {
        let models = client.get("/v1/models").json();
        let models = models["data"].as_array().unwrap().clone();
        let echo = models.into_iter().find(|model| model["id"] == "sim/echo");
        echo.unwrap()["pricing"]["completion"].clone()
    };
    let due =
        |catalogue: &Catalogue, usage: &Value| charge(catalogue.cost_picos("sim/echo", usage, 0));

    let models: Value = serde_json::from_str(&stage.provider.models()).unwrap();
    let mut announced = models["data"][0].clone();
    assert_eq!(announced["id"], "sim/echo");
    announced["pricing"]["completion"] = json!("0.000006");
    let document = json!({"data": [announced]}).to_string();
    let from_ms = now_ms() + 4_000;
    let import = catalogue::import(document.as_bytes(), from_ms).unwrap();
    let before = listed();
    stage.commit(catalogue::store(
        &import,
        &catalogue::Sources::default(),
        &stage.change(),
    ));
    let usage = call();
    assert!(now_ms() < from_ms, "too slow to see the old price");
    assert_eq!(nanos(&usage["cost"]), due(&stage.catalogue, &usage));
    assert_eq!(listed(), before);

    let dearer = Catalogue::read(&document);
    let usage = eventually("the price is the new one", || {
        let usage = call();
        (nanos(&usage["cost"]) == due(&dearer, &usage)).then_some(usage)
    });
    assert!(now_ms() >= from_ms, "the new price came early");
    assert!(nanos(&usage["cost"]) > 0);
    assert_ne!(listed(), before);
}
