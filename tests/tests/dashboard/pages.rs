//! Every page in Chromium: what people do there, how it looks in four pictures, what axe says of it, and
//! what it weighs. The scripts are in `tests/browser`.

use std::path::Path;

use tollgate_core::hrana::Statement;
use xtask::clock::now_ms;
use xtask::process::{command, run};

use crate::people::change;
use crate::stage::{Stage, shared};

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

/// A month in which the demo's end user called nine models, for charts that have something to show.
fn a_month_of_calls(stage: &Stage) {
    let sql = "\
WITH RECURSIVE days (back) AS (SELECT 1 UNION ALL SELECT back + 1 FROM days WHERE back < 29),
models (model, share) AS (VALUES ('openai/gpt-4o-mini', 40), ('anthropic/claude-sonnet-4', 95),
  ('openai/gpt-4o', 60), ('google/gemini-2.5-flash', 22), ('mistralai/mistral-large', 31),
  ('deepseek/deepseek-chat', 12), ('meta-llama/llama-3.3-70b-instruct', 9), ('qwen/qwen3-32b', 6),
  ('x-ai/grok-3-mini', 4))
INSERT INTO usage_days SELECT ?1, ?2 / 86400000 - back, 'key_gallery' || (back % 3), model, ?1, 7, 0, 900, 0, 0, 400, 0,
  share * (1 + (back * 7 + share) % 11) * 300000, share * (1 + (back * 7 + share) % 11) * 240000, 0
FROM days, models WHERE (back * 3 + share) % 5 > 0 AND back % 7 > 0
ON CONFLICT DO NOTHING";
    let account = stage.demo.reseller_customer_id.as_str();
    change(stage, Statement::new(sql).bind(account).bind(now_ms()));
}

#[test]
fn every_page_looks_right_on_a_desk_and_a_phone_in_light_and_dark() {
    a_month_of_calls(&shared());
    check("gallery.test.mjs");
}
