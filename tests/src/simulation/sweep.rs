//! Sweeps, as the gateway's `sweep.rs` runs them: they read pages of overdue holds, resolve each, and
//! move the mark. Two may run at the same time, and one may die half way.

use std::collections::VecDeque;

use tollgate_core::hrana::{Batch, Statement};
use tollgate_core::ids::RequestId;
use tollgate_core::settlement::{Outcome, Resolution};
use tollgate_core::stored_call::StoredCall;
use tollgate_core::sweep::{advance_statement, overdue_statement, read_overdue};

use super::Simulation;
use super::audit::Intent;
use super::travel::{Tries, brief};
use super::wire::Sender;

/// As in `wrangler.toml`.
const GRACE_MS: i64 = 60_000;

const TRIES: u32 = 8;

/// A sweep under way.
#[derive(Debug)]
pub struct Sweep {
    skew_ms: i64,
    after: RequestId,
    page: VecDeque<StoredCall>,
    current: Option<Current>,
}

/// The hold that it resolves at the moment.
#[derive(Debug)]
struct Current {
    resolution: Resolution,
    tries: Tries,
}

impl Simulation {
    /// A sweep starts, or one does its next thing, or dies.
    pub(super) fn sweep(&mut self) -> Result<(), String> {
        if self.sweeps.is_empty() || (self.sweeps.len() < 2 && self.chance.percent(10)) {
            self.sweeps.push(Sweep {
                skew_ms: if self.chance.percent(50) {
                    0
                } else {
                    self.chance.within(-2_000, 2_000)
                },
                after: RequestId::from_stored(0),
                page: VecDeque::new(),
                current: None,
            });
        }
        let index = self.chance.below(self.sweeps.len());
        let sweep = self.sweeps.swap_remove(index);
        if self.chance.percent(self.habits.deaths) {
            self.auditor.note("a sweep died");
            return Ok(());
        }
        if let Some(sweep) = self.sweep_on(sweep)? {
            self.sweeps.push(sweep);
        }
        Ok(())
    }

    fn sweep_on(&mut self, mut sweep: Sweep) -> Result<Option<Sweep>, String> {
        let now_ms = self.clock.now_ms + sweep.skew_ms;
        if let Some(current) = sweep.current.take() {
            sweep.current = self.resolve_overdue(current)?;
            return Ok(Some(sweep));
        }
        if let Some(hold) = sweep.page.pop_front() {
            let outcome = self.outcome_of(&hold);
            let current = Current {
                resolution: hold.resolution(outcome, now_ms),
                tries: Tries::default(),
            };
            sweep.current = self.resolve_overdue(current)?;
            return Ok(Some(sweep));
        }
        self.read_page(&mut sweep, now_ms)?;
        if !sweep.page.is_empty() {
            return Ok(Some(sweep));
        }
        self.tell("the sweep moves its mark".to_owned());
        self.swept(advance_statement(now_ms), Intent::Office)?;
        self.auditor.note("a sweep ended");
        Ok(None)
    }

    fn read_page(&mut self, sweep: &mut Sweep, now_ms: i64) -> Result<(), String> {
        let limit = *self.chance.pick(&[1, 2, 100]);
        let page = overdue_statement(now_ms, GRACE_MS, (sweep.after, limit));
        let reply = self.swept(page, Intent::Read)?;
        for row in reply.rows(0) {
            let hold = read_overdue(row).map_err(|fault| format!("an overdue hold: {fault}"))?;
            let request = self.auditor.state.requests.get(&hold.request.get());
            let overdue = request.is_some_and(|request| {
                request.state == "held" && request.lease_until_ms < now_ms - GRACE_MS
            });
            if !overdue {
                return Err(format!("the sweep takes {request:?} at {now_ms}"));
            }
            sweep.after = hold.request;
            sweep.page.push_back(hold);
        }
        Ok(())
    }

    fn outcome_of(&mut self, hold: &StoredCall) -> Outcome {
        let id = hold.provider_id.as_ref();
        let record = id.and_then(|id| self.provider.get(id)).copied();
        match record {
            Some(usage) if self.chance.percent(80) => {
                self.auditor.note("sweep: by the provider's record");
                Outcome::Exact(usage)
            }
            _ => {
                self.auditor.note("sweep: by default");
                hold.default_outcome()
            }
        }
    }

    fn resolve_overdue(&mut self, mut current: Current) -> Result<Option<Current>, String> {
        let resolve = current.resolution.to_batch();
        let heard = self.try_on(&mut current.tries, |simulation| {
            let intent = Intent::Resolve(Box::new(current.resolution.clone()));
            simulation.tell(format!("sweep: {}", brief(&intent)));
            simulation.send(resolve.batch.clone(), Sender::Sweep, intent)
        })?;
        if let Some((reply, clean)) = heard {
            let resolved = resolve.read(&reply).map_err(|fault| fault.to_string())?;
            if self.resolved((&current.resolution, resolved), (&reply, clean))? {
                self.auditor.note(&format!("sweep: {resolved:?}"));
                return Ok(None);
            }
        }
        Ok((current.tries.ended < TRIES).then_some(current))
    }

    /// Executes one statement of a task's, undisturbed.
    pub(super) fn swept(
        &mut self,
        statement: Statement,
        intent: Intent,
    ) -> Result<tollgate_core::hrana::Reply, String> {
        let mut batch = Batch::new();
        batch.step(None, statement);
        let reply = self.send_safely(batch, Sender::Sweep, &intent)?;
        let failed = reply.failures().next().map(|(_, code)| code.to_owned());
        match failed {
            None => Ok(reply),
            Some(code) => Err(format!("a task's statement failed: {code}")),
        }
    }
}
