//! The sweep: resolves holds whose Worker is gone. The provider's own record tells what they cost;
//! where there is none yet, the recorded progress, and without any the documented default.

use std::rc::Rc;

use tollgate_core::alarm::{Alarm, AlarmKind};
use tollgate_core::hrana::{Batch, Row, Statement};
use tollgate_core::ids::RequestId;
use tollgate_core::settlement::Recorded;
use tollgate_core::settlement::Resolved;
use tollgate_core::stored_call::StoredCall;
use tollgate_core::sweep::{advance_statement, overdue_statement, read_overdue};
use tollgate_edge::clock::now_ms;
use tollgate_edge::turso::DatabaseFault;
use worker::{Env, console_log};

use crate::alarm;
use crate::credentials::of_earlier_call;
use crate::gateway::Gateway;
use crate::log;
use crate::settle::settle;

/// Holds that one statement reads, and statements that one run executes at most.
const PAGE: u32 = 100;
const MAX_PAGES: u32 = 50;

/// Resolves every overdue hold, or as many as one run can.
pub async fn run(env: &Env) {
    let Some(gateway) = Gateway::begin_run(env) else {
        return;
    };
    let mut stuck = Stuck::default();
    let resolved = resolve_all(&gateway, &mut stuck).await;
    stuck.tell_operator(&gateway).await;
    match resolved {
        Ok(resolved) => {
            let line = serde_json::json!({
                "level": "info",
                "event": "sweep",
                "resolved": resolved,
                "stuck": stuck.count,
                "total_ms": gateway.elapsed_ms(),
            });
            console_log!("{line}");
        }
        Err(fault) => log::fault(&gateway, "sweep", &fault),
    }
}

async fn resolve_all(gateway: &Rc<Gateway>, stuck: &mut Stuck) -> Result<u32, DatabaseFault> {
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
            resolved += u32::from(resolve(gateway, row, stuck).await?);
        }
    }
    execute(gateway, advance_statement(now_ms())).await?;
    Ok(resolved)
}

/// Resolves one hold; whether it did. A hold that cannot be resolved must not keep the others
/// waiting: the operator is told.
async fn resolve(
    gateway: &Rc<Gateway>,
    row: &Row,
    stuck: &mut Stuck,
) -> Result<bool, DatabaseFault> {
    let request = RequestId::from_stored(row.get(0)?);
    let hold = match read_overdue(row) {
        Ok(hold) => hold,
        Err(fault) => {
            stuck.add(gateway, request, &fault.to_string());
            return Ok(false);
        }
    };
    let recorded = recorded(gateway, &hold).await;
    let outcome = recorded.map_or_else(|| hold.default_outcome(), |recorded| recorded.outcome);
    let mut resolution = hold.resolution(outcome, now_ms());
    resolution.facts.reported_cost = recorded.and_then(|recorded| recorded.reported_cost);
    let resolved = settle(gateway, &resolution).await;
    if resolved.is_none() {
        stuck.add(gateway, request, "the database does not take it");
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

/// A record that may be about a call still running says nothing yet: that is for the true-up.
async fn recorded(gateway: &Gateway, hold: &StoredCall) -> Option<Recorded> {
    let provider_id = hold.provider_id.as_deref()?;
    let account = of_earlier_call(gateway, hold.provider_account.as_ref()).await?;
    let body = gateway.provider.record(&account, provider_id).await?;
    hold.recorded(&body).filter(|recorded| recorded.ended)
}

/// The holds that stay open: each is in the log, and the operator gets one alarm for all of them.
#[derive(Default)]
struct Stuck {
    count: u32,
    last: Option<(RequestId, String)>,
}

impl Stuck {
    fn add(&mut self, gateway: &Gateway, request: RequestId, why: &str) {
        let more = serde_json::json!({ "request_id": request.to_string(), "why": why });
        log::alarm(gateway, "an overdue hold stays open", &more);
        self.count += 1;
        self.last = Some((request, why.to_owned()));
    }

    async fn tell_operator(&self, gateway: &Gateway) {
        if let Some((request, why)) = &self.last {
            let count = self.count;
            let detail = format!("{count} overdue holds stay open; one is {request}: {why}");
            alarm::raise(gateway, &Alarm::for_operator(AlarmKind::HoldStuck, detail)).await;
        }
    }
}
