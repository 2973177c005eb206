//! A call that was settled by an estimate ends at the provider's bill, when its record is there.

use serde_json::{Value, json};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::RequestId;
use tollgate_tests::Caller;

use crate::price::charge;
use crate::stage::Stage;

const CREDIT: i64 = 1_000_000_000;

/// Makes the true-up of a call due, as time would, or once more.
fn make_due(stage: &Stage, caller: &Caller, id: RequestId) {
    let queue = Statement::new(
        "INSERT INTO true_ups (request_id, account_id, due_at_ms) VALUES (?1, ?2, 0)
         ON CONFLICT (request_id) DO UPDATE SET due_at_ms = 0",
    );
    let queue = queue.bind(id.get()).bind(caller.account.as_str());
    let _ = stage.database.run(queue);
}

fn told(stage: &Stage, caller: &Caller, id: RequestId) -> Value {
    stage.client(caller).generation(&id.to_string())
}

#[test]
fn an_estimate_after_a_crash_becomes_the_provider_s_bill() {
    let mut stage = Stage::mortal("true-up");
    let caller = stage.customer(CREDIT);
    let request = json!({
        "model": "sim/late-record",
        "messages": [{"role": "user", "content": "corrected-later [[tokens=300 tps=10]]"}],
        "max_tokens": 300,
    });
    let id = stage.die_in_mid_stream(&caller, &request);
    stage.stack.restart_workerd().unwrap();
    let [received] = &stage.provider.received("corrected-later")[..] else {
        panic!("not exactly one call");
    };
    let billed = charge(received.billed_picos);
    // The provider has no record yet, so the sweep settles by an estimate.
    stage.sweep_once_overdue(id);
    let estimate = stage.wallet(&caller.account);
    assert_eq!(estimate.held, 0);
    assert_eq!(told(&stage, &caller, id)["estimated"], json!(true));
    let mut questions = 0;
    while told(&stage, &caller, id)["estimated"] == json!(true) {
        assert!(questions < 4, "no record after {questions} questions");
        questions += 1;
        make_due(&stage, &caller, id);
        stage.stack.trigger_cron().unwrap();
    }
    let told = told(&stage, &caller, id);
    assert!(told["trued_up_at"].is_string(), "{told}");
    assert_ne!(told["tokens_completion"], json!(0));
    let after = stage.wallet(&caller.account);
    assert_eq!(CREDIT - after.balance, billed);
    assert_eq!((after.held, after.charged), (0, estimate.charged));
    // However often it is asked for again, it stays so.
    make_due(&stage, &caller, id);
    stage.stack.trigger_cron().unwrap();
    assert_eq!(stage.wallet(&caller.account), after);
}
