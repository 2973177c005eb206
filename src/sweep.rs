//! The sweep: resolves holds whose Worker is gone. The provider's own record tells what they cost;
//! where there is none, the documented default holds.

use std::rc::Rc;

use tollgate_core::hrana::{Batch, Row, Statement};
use tollgate_core::ids::RequestId;
use tollgate_core::openrouter::billed_usage;
use tollgate_core::settlement::{Outcome, Resolved};
use tollgate_core::sweep::{OverdueHold, advance_statement, overdue_statement, read_overdue};
use worker::{Env, console_error, console_log};

use crate::clock::now_ms;
use crate::gateway::Gateway;
use crate::log;
use crate::settle::settle;
use crate::turso::DatabaseFault;

/// Holds that one statement reads, and statements that one run executes at most.
const PAGE: u32 = 100;
const MAX_PAGES: u32 = 50;

/// Resolves every overdue hold, or as many as one run can.
pub async fn run(env: &Env) {
    let gateway = match Gateway::begin(env, None) {
        Ok(gateway) => gateway,
        Err(fault) => {
            let line = serde_json::json!({ "level": "error", "fault": fault.to_string() });
            return console_error!("{line}");
        }
    };
    match resolve_all(&gateway).await {
        Ok(resolved) => {
            let line = serde_json::json!({
                "level": "info",
                "event": "sweep",
                "resolved": resolved,
                "total_ms": gateway.elapsed_ms(),
            });
            console_log!("{line}");
        }
        Err(fault) => log::fault(&gateway, "sweep", &fault),
    }
}

async fn resolve_all(gateway: &Rc<Gateway>) -> Result<u32, DatabaseFault> {
    let grace_ms = gateway.config.grace_ms;
    let mut resolved = 0;
    let mut after = RequestId::from_stored(0);
    for _ in 0..MAX_PAGES {
        let page = execute(
            gateway,
            overdue_statement(now_ms(), grace_ms, (after, PAGE)),
        )
        .await?;
        let Some(last) = page.rows(0).last() else {
            break;
        };
        after = RequestId::from_stored(last.get(0)?);
        for row in page.rows(0) {
            resolved += u32::from(resolve(gateway, row).await?);
        }
    }
    execute(gateway, advance_statement(now_ms())).await?;
    Ok(resolved)
}

/// Resolves one hold; whether it did. A hold that cannot be resolved must not keep the others
/// waiting: the operator is told.
async fn resolve(gateway: &Rc<Gateway>, row: &Row) -> Result<bool, DatabaseFault> {
    let request = RequestId::from_stored(row.get(0)?);
    let alarm = |why: &str| {
        let more = serde_json::json!({ "request_id": request.to_string(), "why": why });
        log::alarm(gateway, "an overdue hold stays open", &more);
    };
    let hold = match read_overdue(row) {
        Ok(hold) => hold,
        Err(fault) => {
            alarm(&fault.to_string());
            return Ok(false);
        }
    };
    let outcome = outcome_of(gateway, &hold).await;
    let resolved = settle(gateway, &hold.resolution(outcome, now_ms())).await;
    if resolved.is_none() {
        alarm("the database does not take it");
    }
    Ok(resolved == Some(Resolved::Now))
}

async fn execute(
    gateway: &Gateway,
    statement: Statement,
) -> Result<tollgate_core::hrana::Reply, DatabaseFault> {
    let mut batch = Batch::new();
    batch.step(None, statement);
    gateway.database.execute(&batch).await
}

async fn outcome_of(gateway: &Gateway, hold: &OverdueHold) -> Outcome {
    let record = match &hold.provider_id {
        Some(id) => gateway.provider.record(id).await,
        None => None,
    };
    record
        .and_then(|body| billed_usage(&body))
        .unwrap_or_else(|| hold.default_outcome())
}
