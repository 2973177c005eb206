//! True-ups, as the gateway's task runs them: calls that were settled by an estimate are corrected to
//! the provider's record, once, or given up.

use std::collections::VecDeque;

use tollgate_core::hrana::Row;
use tollgate_core::ids::AccountId;
use tollgate_core::settlement::{Outcome, Recorded};
use tollgate_core::true_up::{Correction, Next, TruedUp, due_statement, read_due, read_due_call};

use super::Simulation;
use super::audit::Intent;
use super::travel::{Tries, brief};
use super::wire::Sender;

const TRIES: u32 = 4;

/// A run of the task.
#[derive(Debug)]
pub struct TruingUp {
    page: VecDeque<Row>,
    current: Option<Current>,
}

/// The call that it corrects at the moment.
#[derive(Debug)]
struct Current {
    correction: Correction,
    intent: Intent,
    request: i64,
    tries: Tries,
}

impl Simulation {
    /// A run starts, or one does its next thing, or dies.
    pub(super) fn true_up(&mut self) -> Result<(), String> {
        if self.truing_up.is_empty() || (self.truing_up.len() < 2 && self.chance.percent(10)) {
            let due = due_statement(self.clock.now_ms, 20);
            let reply = self.swept(due, Intent::Read)?;
            self.truing_up.push(TruingUp {
                page: reply.rows(0).iter().cloned().collect(),
                current: None,
            });
        }
        let index = self.chance.below(self.truing_up.len());
        let run = self.truing_up.swap_remove(index);
        if self.chance.percent(self.habits.deaths) {
            return Ok(());
        }
        if let Some(run) = self.true_up_on(run)? {
            self.truing_up.push(run);
        }
        Ok(())
    }

    fn true_up_on(&mut self, mut run: TruingUp) -> Result<Option<TruingUp>, String> {
        if let Some(current) = run.current.take() {
            run.current = self.correct(current)?;
            return Ok(Some(run));
        }
        let Some(row) = run.page.pop_front() else {
            return Ok(None);
        };
        let due = read_due(&row).map_err(|fault| fault.to_string())?;
        let call = read_due_call(&row).ok();
        let id = call.as_ref().and_then(|call| call.provider_id.as_ref());
        let usage = id.and_then(|id| self.provider.get(id)).copied();
        match (call, usage) {
            (Some(call), Some(usage)) if self.chance.percent(80) => {
                let outcome = Outcome::Exact(usage);
                let request = due.request.get();
                let current = Current {
                    correction: call.correction(Recorded {
                        outcome,
                        reported_cost: None,
                        ended: true,
                    }),
                    intent: Intent::TrueUp { request, outcome },
                    request,
                    tries: Tries::default(),
                };
                run.current = self.correct(current)?;
            }
            _ => {
                let (statement, what) = match due.next(self.clock.now_ms) {
                    Next::Later(statement) => (statement, "a true-up waits"),
                    Next::GiveUp(statement) => (statement, "a true-up was given up"),
                };
                self.auditor.note(what);
                self.swept(statement, Intent::Read)?;
            }
        }
        Ok(Some(run))
    }

    /// A level of the call has next to nothing free, so that what it owes may not be there.
    fn leave_little(&mut self, request: i64) -> Result<(), String> {
        let Some(row) = self.auditor.state.requests.get(&request) else {
            return Ok(());
        };
        let accounts = &self.auditor.state.accounts;
        let holding = row.levels.iter().find(|level| {
            let account = accounts.get(&level.account);
            account.is_some_and(|account| account.purse.held > 0)
        });
        let level = holding.unwrap_or_else(|| self.chance.pick(&row.levels));
        let account = AccountId::parse(&level.account).ok_or("no account id")?;
        let little = *self.chance.pick(&[0, 1, 100]);
        self.tune_to(&account, little)
    }

    fn correct(&mut self, mut current: Current) -> Result<Option<Current>, String> {
        let batch = current.correction.to_batch(self.clock.now_ms);
        let heard = self.try_on(&mut current.tries, |simulation| {
            if simulation.chance.percent(70) {
                simulation.leave_little(current.request)?;
            }
            simulation.tell(brief(&current.intent));
            simulation.send(batch.batch.clone(), Sender::Sweep, current.intent.clone())
        })?;
        if let Some((reply, clean)) = heard {
            let trued_up = batch.read(&reply).map_err(|fault| fault.to_string())?;
            let row = self.auditor.state.requests.get(&current.request);
            let gone = self.auditor.pruned.contains(&current.request);
            let is_so = gone || row.is_some_and(|row| row.trued_up_at_ms.is_some());
            match trued_up {
                TruedUp::Now { .. } if !is_so => {
                    return Err(format!("{} is not trued up: {row:?}", current.request));
                }
                TruedUp::Now { .. } | TruedUp::Before => return Ok(None),
                TruedUp::Contended if clean => {
                    let failed: Vec<_> = reply.failures().collect();
                    return Err(format!(
                        "{} cannot be trued up: {failed:?}",
                        current.request
                    ));
                }
                TruedUp::Contended => {}
            }
        }
        Ok((current.tries.ended < TRIES).then_some(current))
    }
}
