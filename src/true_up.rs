//! True-ups: asks the provider for its record of calls that were settled by an estimate, and posts
//! what it changes. What a record changes, and that it does so once, is the core's.

use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::stream;
use tollgate_core::alarm::{Alarm, AlarmKind};
use tollgate_core::hrana::{Batch, Row};
use tollgate_core::money::Nanos;
use tollgate_core::settlement::Recorded;
use tollgate_core::stored_call::StoredCall;
use tollgate_core::true_up::{
    Correction, DueTrueUp, Next, TruedUp, due_statement, read_due, read_due_call,
};
use tollgate_edge::clock::{now_ms, sleep_ms};
use tollgate_edge::turso::DatabaseFault;
use worker::{Env, console_log};

use crate::alarm;
use crate::credentials::of_earlier_call;
use crate::gateway::Gateway;
use crate::log;

/// Calls that one statement reads, and statements that one run executes at most.
const PAGE: u32 = 100;
const MAX_PAGES: u32 = 20;
/// When a run stops to begin new pages, in milliseconds: the next run comes a minute after this one.
const MAX_RUN_MS: i64 = 40_000;
/// Calls that are asked for at the same time: a Worker has six connections.
const AT_ONCE: usize = 4;
/// Pauses between tries to post one correction, in milliseconds.
const PAUSES_MS: [i64; 3] = [50, 200, 1_000];

/// What became of the calls of one run.
#[derive(Debug, Default)]
struct Tally {
    posted: u32,
    waiting: u32,
    lost: u32,
    untaken: Nanos,
    /// One of those that were lost, and one that was not paid in full.
    lost_request: Option<String>,
    untaken_request: Option<String>,
}

/// What became of one call.
enum Ended {
    Posted(Nanos),
    Elsewhere,
    Waiting,
    Lost,
}

/// Trues up every call that is due, or as many as one run can.
pub async fn run(env: &Env) {
    let Some(gateway) = Gateway::begin_run(env) else {
        return;
    };
    let mut tally = Tally::default();
    if let Err(fault) = true_up_all(&gateway, &mut tally).await {
        log::fault(&gateway, "true_up", &fault);
    }
    tell_operator(&gateway, &tally).await;
    let line = serde_json::json!({
        "level": "info",
        "event": "true_up",
        "posted": tally.posted,
        "waiting": tally.waiting,
        "lost": tally.lost,
        "total_ms": gateway.elapsed_ms(),
    });
    console_log!("{line}");
}

/// A call that was dealt with is no longer due, so that the first page is always the next one.
async fn true_up_all(gateway: &Rc<Gateway>, tally: &mut Tally) -> Result<(), DatabaseFault> {
    for _ in 0..MAX_PAGES {
        let mut batch = Batch::new();
        let due = batch.step(None, due_statement(now_ms(), PAGE));
        let page = gateway.database.execute(&batch).await?;
        if page.rows(due).is_empty() || gateway.elapsed_ms() > MAX_RUN_MS {
            break;
        }
        // A row that is nonsense must not keep the others waiting.
        let rows = page.rows(due).iter().filter_map(|row| {
            let due = read_due(row).map_err(|fault| log::fault(gateway, "true_up", &fault));
            Some((due.ok()?, row))
        });
        let mut ends = stream::iter(rows)
            .map(|(due, row)| true_up(gateway, due, row))
            .buffer_unordered(AT_ONCE);
        while let Some(end) = ends.next().await {
            let (due, ended) = end?;
            tally.count(&due, &ended);
        }
    }
    Ok(())
}

/// Asks for one call's record and posts what it changes, or puts the question off.
async fn true_up(
    gateway: &Gateway,
    due: DueTrueUp,
    row: &Row,
) -> Result<(DueTrueUp, Ended), DatabaseFault> {
    let call = match read_due_call(row) {
        Ok(call) => Some(call),
        Err(fault) => {
            log::fault_of(due.request, "true_up", &fault);
            None
        }
    };
    if let Some(call) = &call
        && let Some(recorded) = recorded(gateway, call, due.is_last()).await
        && let Some(ended) = post(gateway, &call.correction(recorded)).await
    {
        return Ok((due, ended));
    }
    let (statement, ended) = match due.next(now_ms()) {
        Next::Later(statement) => (statement, Ended::Waiting),
        Next::GiveUp(statement) => (statement, Ended::Lost),
    };
    let mut batch = Batch::new();
    batch.step(None, statement);
    gateway.database.execute(&batch).await?;
    Ok((due, ended))
}

/// The provider's record. One that may be about a call still running counts only when nobody will ask
/// again.
async fn recorded(gateway: &Gateway, call: &StoredCall, is_last: bool) -> Option<Recorded> {
    let provider_id = call.provider_id.as_deref()?;
    let account = of_earlier_call(gateway, call.provider_account.as_ref()).await?;
    let body = gateway.provider.record(&account, provider_id).await?;
    call.recorded(&body)
        .filter(|recorded| recorded.ended || is_last)
}

/// Sends the correction until the database says that it is posted; `None`: it does not say so. The
/// call leaves the queue with it, so that it is safe to send it again after a lost reply.
async fn post(gateway: &Gateway, correction: &Correction) -> Option<Ended> {
    let batch = correction.to_batch(now_ms());
    for pause_ms in PAUSES_MS.into_iter().map(Some).chain([None]) {
        let read = match gateway.database.execute(&batch.batch).await {
            Ok(reply) => batch.read(&reply).map_err(Into::into),
            Err(fault) => Err(fault),
        };
        match read {
            Ok(TruedUp::Now { untaken }) => return Some(Ended::Posted(untaken)),
            Ok(TruedUp::Before) => return Some(Ended::Elsewhere),
            Ok(TruedUp::Contended) => {}
            Err(fault) => log::fault(gateway, "true_up", &fault),
        }
        if let Some(pause_ms) = pause_ms {
            sleep_ms(pause_ms).await;
        }
    }
    None
}

impl Tally {
    fn count(&mut self, due: &DueTrueUp, ended: &Ended) {
        match ended {
            Ended::Posted(untaken) => {
                self.posted += 1;
                if *untaken > Nanos::ZERO {
                    self.untaken = self.untaken.plus(*untaken).unwrap_or(self.untaken);
                    self.untaken_request = Some(due.request.to_string());
                }
            }
            Ended::Elsewhere => {}
            Ended::Waiting => self.waiting += 1,
            Ended::Lost => {
                self.lost += 1;
                self.lost_request = Some(due.request.to_string());
            }
        }
    }
}

/// One alarm of a kind for the whole run.
async fn tell_operator(gateway: &Gateway, tally: &Tally) {
    if let Some(request) = &tally.lost_request {
        let detail = format!(
            "the provider has no record of {} calls, which keep their estimates; one is {request}",
            tally.lost
        );
        log::alarm(gateway, "true-ups were given up", &detail.as_str().into());
        alarm::raise(gateway, &Alarm::for_operator(AlarmKind::TrueUpLost, detail)).await;
    }
    if let Some(request) = &tally.untaken_request {
        let detail = format!(
            "true-ups of {} were beyond what was free; one call is {request}",
            tally.untaken
        );
        log::alarm(gateway, "true-ups were not paid", &detail.as_str().into());
        alarm::raise(gateway, &Alarm::for_operator(AlarmKind::Shortfall, detail)).await;
    }
}
