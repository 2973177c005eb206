//! The operator's switches and provider accounts, as callers of a warm gateway meet them: each change counts
//! from the next call on.

use serde_json::{Value, json};
use tollgate_core::audit::{ChangeBatch, Changed};
use tollgate_core::catalogue::{NewRefusal, accept_models, switch_model, switch_provider};
use tollgate_core::ids::ProviderAccountId;
use tollgate_core::providers::{Credential, NewProviderAccount, switch_provider_account};
use tollgate_core::sealing::SealingKeys;

use crate::client::Client;
use crate::stage::Stage;

const CREDIT: i64 = 1_000_000_000;
const OLD: &str = "old:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW: &str = "new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const LOST: &str = "lost:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";

/// The one credential that the simulator refuses.
const REFUSED: &str = "invalid";

fn call(client: &Client, model: &str) -> (u16, Value) {
    let answer = client.chat(&json!({
        "model": model,
        "messages": [{"role": "user", "content": "who answers"}],
        "max_tokens": 20,
    }));
    let code = answer.json()["error"]["code"].clone();
    (answer.status, code)
}

fn make(stage: &Stage, change: &ChangeBatch) {
    let reply = stage.database.execute(&change.batch);
    assert_eq!(change.read(&reply), Changed::Now);
}

/// Adds a provider account with this credential, sealed under this key.
fn add(stage: &Stage, (credential, key): (&str, &str)) -> ProviderAccountId {
    let mut random = [4; 10];
    random[..4].copy_from_slice(&stage.draw().to_be_bytes());
    let id = ProviderAccountId::from_random(random);
    let credential = Credential::from_setting(credential.to_owned());
    let keys = SealingKeys::parse(key).unwrap();
    let sealed = credential.seal(&keys, &id, [1; 12]).unwrap();
    let account = NewProviderAccount::new(id.clone(), "test", (&credential, sealed)).unwrap();
    make(stage, &account.to_batch(&stage.operator, &stage.change()));
    id
}

/// A stage whose gateway has a refused credential in its settings, and these settings besides.
fn with_refused_setting(name: &str, vars: &[(&str, &str)]) -> Stage {
    let mut stage = Stage::start(name, vars);
    // A credential that is set before the start would mean the real provider.
    stage.stack.set_var("OPENROUTER_API_KEY", REFUSED);
    stage.stack.restart_workerd().unwrap();
    stage
}

fn switch(stage: &Stage, account: &ProviderAccountId, enabled: bool) {
    let change = stage.change();
    make(
        stage,
        &switch_provider_account(&stage.operator, (account, enabled), &change),
    );
}

#[test]
fn what_the_operator_switches_off_is_not_sold_from_the_next_call_on() {
    let stage = Stage::start("switches", &[]);
    let client = stage.client(&stage.customer(CREDIT));
    let (operator, change) = (&stage.operator, stage.change());
    let refusal = NewRefusal::new("sim/ec*", "recalled").unwrap();
    let check = |off: &ChangeBatch, on: &ChangeBatch, other: u16| {
        assert_eq!(call(&client, "sim/echo").0, 200);
        make(&stage, off);
        assert_eq!(call(&client, "sim/echo"), (404, json!("model_not_found")));
        assert_eq!(call(&client, "sim/cached").0, other);
        let listed = client.get("/v1/models").body;
        assert!(!listed.contains("\"sim/echo\""));
        make(&stage, on);
        assert_eq!(call(&client, "sim/echo").0, 200);
    };
    check(
        &switch_model(operator, ("sim/echo", false), &change),
        &switch_model(operator, ("sim/echo", true), &change),
        200,
    );
    check(
        &refusal.to_batch(operator, &change),
        &accept_models(operator, "sim/ec*", &change),
        200,
    );
    check(
        &switch_provider(operator, ("openrouter", false), &change),
        &switch_provider(operator, ("openrouter", true), &change),
        404,
    );
}

#[test]
fn a_call_goes_through_the_account_that_is_enabled_now() {
    let keys = format!("{NEW},{OLD}");
    let stage = with_refused_setting("provider-accounts", &[("SEALING_KEYS", &keys)]);
    let caller = stage.customer(CREDIT);
    let client = stage.client(&caller);
    let unavailable = (502, json!("provider_unavailable"));
    // Without an account in the database the setting serves, which the provider refuses here.
    assert_eq!(call(&client, "sim/echo"), unavailable);
    let good = add(&stage, ("sk-or-good-secret", OLD));
    assert_eq!(call(&client, "sim/echo").0, 200);
    let refused = add(&stage, (REFUSED, NEW));
    assert_eq!(call(&client, "sim/echo").0, 200);
    switch(&stage, &good, false);
    assert_eq!(call(&client, "sim/echo"), unavailable);
    switch(&stage, &refused, false);
    switch(&stage, &good, true);
    assert_eq!(call(&client, "sim/echo").0, 200);
    switch(&stage, &good, false);
    // Sealed under a key that the gateway has not: it does not fall back to another credential.
    add(&stage, ("sk-or-lost-secret", LOST));
    let before = stage.requests_of(&caller.account).len();
    assert_eq!(call(&client, "sim/echo"), unavailable);
    assert_eq!(stage.requests_of(&caller.account).len(), before);
    let log = stage.log_lines().join("\n");
    assert!(log.contains("credential cannot be opened"), "{log}");
    assert!(!log.contains("sk-or-"), "{log}");
}

#[test]
fn the_record_of_a_call_is_asked_for_with_the_account_that_made_it() {
    let keys = format!("{NEW},{OLD}");
    let vars = [
        ("LEASE_MS", "1500"),
        ("GRACE_MS", "500"),
        ("SEALING_KEYS", &keys),
    ];
    let mut stage = with_refused_setting("provider-accounts-sweep", &vars);
    let caller = stage.customer(CREDIT);
    let first = add(&stage, ("sk-or-first-secret", OLD));
    let cut = json!({
        "model": "sim/slow",
        "messages": [{"role": "user", "content": "cut-and-switched [[tokens=200]]"}],
        "max_tokens": 300,
    });
    let id = stage.die_in_mid_stream(&caller, &cut);
    // The provider would refuse a question by the account that serves now.
    add(&stage, (REFUSED, NEW));
    switch(&stage, &first, false);
    stage.stack.restart_workerd().unwrap();
    stage.sweep_once_overdue(id);
    let request = stage.request(id);
    let ended = (request.state.as_str(), request.outcome.as_deref());
    assert_eq!(ended, ("settled", Some("exact")));
    let client = stage.client(&caller);
    assert_eq!(
        call(&client, "sim/echo"),
        (502, json!("provider_unavailable"))
    );
}
