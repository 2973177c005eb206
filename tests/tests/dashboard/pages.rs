//! Every page in Chromium: what people do there, how it looks in four pictures, what axe says of it, and
//! what it weighs. The scripts are in `tests/browser`.

use std::path::Path;

use xtask::process::{command, run};

use crate::stage::shared;

/// Runs a script of `tests/browser` against the stage.
fn check(script: &str) {
    let mut stage = shared();
    stage.renew_links();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let demo = serde_json::to_string(&stage.demo).unwrap();
    let mut node = command("node");
    node.arg("--test")
        .arg(folder.join(script))
        .env("DEMO", demo);
    node.env("CHROMIUM_BIN", xtask::setup::chromium().unwrap());
    for (name, url) in [
        ("DASHBOARD_URL", stage.stack.dashboard_url()),
        ("RESELLER_URL", stage.stack.reseller_url()),
        ("GATEWAY_URL", stage.stack.gateway_url()),
        ("SIMULATOR_URL", stage.stack.simulator_url()),
    ] {
        node.env(name, url);
    }
    run(&mut node).unwrap();
}

#[test]
fn the_tools_that_judge_pages_see_what_is_wrong_with_them() {
    check("tools.test.mjs");
}

#[test]
fn somebody_signs_up_buys_credit_makes_a_key_calls_and_sees_the_charge() {
    check("story.test.mjs");
}

#[test]
fn every_page_looks_right_on_a_desk_and_a_phone_in_light_and_dark() {
    check("gallery.test.mjs");
}
