//! Housekeeping: adds ended calls to the roll-ups, lets old ones go, and once a day reconciles the
//! books. All of it is in bites, and whatever is not done waits for the next minute.

use std::rc::Rc;

use tollgate_core::accounts::Commit;
use tollgate_core::alarm::{Alarm, AlarmKind};
use tollgate_core::calendar::Periods;
use tollgate_core::hrana::{Batch, HranaFault, Reply, Statement};
use tollgate_core::reconcile::{Drift, books, day};
use tollgate_core::usage_days::{
    Bite, claim_reconciliation, expire_idempotency_keys, prune_plan, read_bite, roll_up_plan,
};
use tollgate_edge::clock::now_ms;
use tollgate_edge::turso::DatabaseFault;
use worker::{Env, console_error, console_log};

use crate::alarm;
use crate::gateway::Gateway;
use crate::log;

/// Rows that one transaction takes, because calls wait for the write lock meanwhile, and
/// transactions of one kind that one run makes at most.
const BITE: u32 = 1_000;
const MAX_BITES: u32 = 50;

/// Days of calls that the daily reconciliation looks at, today included; `cargo xtask reconcile`
/// looks at all of them.
const DAYS: i64 = 3;

/// Drifts that the log names one by one.
const MOST_ALARMS: usize = 20;

/// What one run did.
#[derive(Default)]
struct Done {
    rolled_up: u64,
    pruned: u64,
    expired: usize,
    /// How many numbers drifted; `None` unless this run reconciled everything it should.
    drifts: Option<usize>,
}

/// Does what is due.
pub async fn run(env: &Env) {
    let gateway = match Gateway::begin(env, None) {
        Ok(gateway) => gateway,
        Err(fault) => {
            let line = serde_json::json!({ "level": "error", "fault": fault.to_string() });
            return console_error!("{line}");
        }
    };
    let mut done = Done::default();
    if let Err(fault) = everything(&gateway, &mut done).await {
        log::fault(&gateway, "housekeeping", &fault);
    }
    let line = serde_json::json!({
        "level": "info",
        "event": "housekeeping",
        "rolled_up": done.rolled_up,
        "pruned": done.pruned,
        "expired": done.expired,
        "drifts": done.drifts,
        "total_ms": gateway.elapsed_ms(),
    });
    console_log!("{line}");
}

async fn everything(gateway: &Rc<Gateway>, done: &mut Done) -> Result<(), DatabaseFault> {
    for _ in 0..MAX_BITES {
        let plan = roll_up_plan(now_ms(), BITE);
        match bite(gateway, plan, Bite::roll_up).await? {
            Some(requests) => done.rolled_up += requests,
            None => break,
        }
    }
    let retention_days = gateway.config.retention_days;
    for _ in 0..MAX_BITES {
        let Some(plan) = prune_plan(now_ms(), retention_days, BITE) else {
            break;
        };
        match bite(gateway, plan, Bite::prune).await? {
            Some(requests) => done.pruned += requests,
            None => break,
        }
    }
    let expired = execute(gateway, expire_idempotency_keys(now_ms(), BITE)).await?;
    done.expired = expired.rows(0).len();
    let claim = execute(gateway, claim_reconciliation(now_ms())).await?;
    if !claim.rows(0).is_empty() {
        done.drifts = reconcile(gateway).await;
    }
    Ok(())
}

/// Takes one bite of a plan; how many requests it had. `None` when there was nothing to take, or it
/// could not be taken, as when another run was faster.
async fn bite(
    gateway: &Gateway,
    plan: Statement,
    take: fn(&Bite) -> Commit,
) -> Result<Option<u64>, DatabaseFault> {
    let reply = execute(gateway, plan).await?;
    let Some(row) = reply.rows(0).first() else {
        return Ok(None);
    };
    let Some(bite) = read_bite(row)? else {
        return Ok(None);
    };
    let (batch, commit) = take(&bite);
    let reply = gateway.database.execute(&batch).await?;
    if reply.is_ok(commit) {
        return Ok(Some(bite.requests));
    }
    log::fault(gateway, "housekeeping", &failure(&reply));
    Ok(None)
}

/// Compares the books and the last days; every drift is an alarm. How many there were, `None` when
/// something could not be read. Days with very many calls take longer than a Worker waits.
async fn reconcile(gateway: &Gateway) -> Option<usize> {
    let mut drifts = Vec::new();
    let mut whole = true;
    let mut add = |part: Result<Vec<Drift>, DatabaseFault>| match part {
        Ok(found) => drifts.extend(found),
        Err(fault) => {
            log::fault(gateway, "reconciliation", &fault);
            whole = false;
        }
    };
    add(books_drifts(gateway).await);
    let today = Periods::of(now_ms()).day;
    for number in today + 1 - DAYS..=today {
        add(day_drifts(gateway, number).await);
    }
    for drift in drifts.iter().take(MOST_ALARMS) {
        log::alarm(gateway, "the books do not add up", &drift_json(drift));
    }
    if !drifts.is_empty() {
        let detail = format!(
            "{} numbers of the books do not add up; `cargo xtask reconcile` tells which",
            drifts.len()
        );
        alarm::raise(gateway, &Alarm::for_operator(AlarmKind::Drift, detail)).await;
    }
    whole.then_some(drifts.len())
}

async fn books_drifts(gateway: &Gateway) -> Result<Vec<Drift>, DatabaseFault> {
    let batch = books();
    let reply = gateway.database.execute(batch.batch()).await?;
    Ok(batch.read(&reply)?.drifts)
}

async fn day_drifts(gateway: &Gateway, number: i64) -> Result<Vec<Drift>, DatabaseFault> {
    let batch = day(number);
    let reply = gateway.database.execute(batch.batch()).await?;
    Ok(batch.read(&reply)?.drifts)
}

fn drift_json(drift: &Drift) -> serde_json::Value {
    serde_json::json!({
        "drift": drift.what.as_str(),
        "column": drift.what.column(),
        "subject": drift.subject,
        "expected": drift.expected,
        "found": drift.found,
    })
}

async fn execute(gateway: &Gateway, statement: Statement) -> Result<Reply, DatabaseFault> {
    let mut batch = Batch::new();
    let step = batch.step(None, statement);
    let reply = gateway.database.execute(&batch).await?;
    if reply.is_ok(step) {
        return Ok(reply);
    }
    Err(failure(&reply).into())
}

fn failure(reply: &Reply) -> HranaFault {
    let code = reply.failures().next().map(|(_, code)| code.to_owned());
    HranaFault::Refused(code)
}
