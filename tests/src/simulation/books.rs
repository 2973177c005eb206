//! Roll-ups, retention and reconciliation, as the gateway's tasks run them.

use tollgate_core::accounts::Commit;
use tollgate_core::hrana::Statement;
use tollgate_core::reconcile::books;
use tollgate_core::usage_days::{
    Bite, expire_idempotency_keys, prune_plan, read_bite, roll_up_plan,
};

use super::Simulation;
use super::audit::Intent;
use super::wire::Sender;

impl Simulation {
    /// A bite of requests is rolled up, or a bite of old ones goes, once or twice.
    pub(super) fn roll(&mut self) -> Result<(), String> {
        let now_ms = self.clock.now_ms;
        let most = *self.chance.pick(&[1, 3, 100]);
        if let Some(bite) = self.bite(roll_up_plan(now_ms, most))? {
            self.auditor.note("rolled up");
            for _ in 0..self.chance.within(1, 2) {
                self.take(bite.roll_up())?;
            }
        }
        let plan = prune_plan(now_ms, 1, most).ok_or("no retention")?;
        if let Some(bite) = self.bite(plan)? {
            self.auditor.note("let old requests go");
            for _ in 0..self.chance.within(1, 2) {
                self.take(bite.prune())?;
            }
        }
        self.swept(expire_idempotency_keys(now_ms, most), Intent::Prune)?;
        Ok(())
    }

    fn bite(&mut self, plan: Statement) -> Result<Option<Bite>, String> {
        let reply = self.swept(plan, Intent::Read)?;
        let row = reply.rows(0).first().ok_or("no plan")?;
        read_bite(row).map_err(|fault| fault.to_string())
    }

    /// What is tried twice changes nothing the second time, so it may fail.
    fn take(&mut self, (batch, _): Commit) -> Result<(), String> {
        self.send_safely(batch, Sender::Sweep, &Intent::Prune)
            .map(drop)
    }

    /// The reconciliation of the gateway finds nothing either.
    pub(super) fn books_agree(&mut self) -> Result<(), String> {
        if !self.auditor.is_summable() {
            self.auditor.note("not reconciled: sums beyond 64 bits");
            return Ok(());
        }
        let batch = books();
        let reply = self.send_safely(batch.batch().clone(), Sender::Watcher, &Intent::Read)?;
        let books = batch.read(&reply).map_err(|fault| fault.to_string())?;
        self.auditor.note("reconciled");
        match books.drifts.first() {
            None => Ok(()),
            Some(drift) => Err(format!("the reconciliation says: {drift}")),
        }
    }
}
