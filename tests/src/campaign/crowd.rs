//! Many callers at once, and somebody who moves credit meanwhile.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tollgate_core::audit::Change;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::money::Nanos;
use xtask::database::Database;

use super::random::Random;
use super::stage::{Chain, Stage, eventually, now_ms};
use super::workload::{End, Order, Shape, Told};

/// What everybody in the crowd knows.
#[derive(Debug, Default)]
pub struct Crowd {
    stop: AtomicBool,
    calls: AtomicU64,
    told: Mutex<Vec<Told>>,
    posted: Mutex<Vec<Posting>>,
}

/// Credit that somebody moved, or tried to.
#[derive(Clone, Debug)]
pub struct Posting {
    /// Names it: no other entry has it.
    pub reference: String,
    /// Whose.
    pub account: String,
    /// In nanos.
    pub amount: i64,
    /// Whether the database said that it is there.
    pub acknowledged: bool,
}

impl Crowd {
    /// Tells everybody to come to an end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether everybody is to come to an end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Calls that ended so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Waits until so many calls ended.
    ///
    /// # Panics
    /// When they do not.
    pub fn until_calls(&self, wanted: u64) {
        eventually("calls have ended", || {
            (self.calls() >= wanted).then_some(())
        });
    }

    /// What the callers were told so far.
    ///
    /// # Panics
    /// When one of the crowd did.
    pub fn take_told(&self) -> Vec<Told> {
        std::mem::take(&mut self.told.lock().expect("no panic"))
    }

    /// What was posted so far.
    ///
    /// # Panics
    /// When one of the crowd did.
    pub fn take_posted(&self) -> Vec<Posting> {
        std::mem::take(&mut self.posted.lock().expect("no panic"))
    }

    /// Makes one call after the other.
    pub fn call(&self, address: &str, chain: &Chain, (mut random, shape): (Random, &Shape)) {
        while !self.is_over() {
            let marker = format!("call-{:016x}", random.draw());
            let order = Order::draw(&mut random, marker, shape);
            let told = order.place(address, chain.caller.key.reveal());
            if told.end == End::Unheard {
                // It is tried again in a moment.
                std::thread::sleep(Duration::from_millis(10));
                continue;
            }
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.told.lock().expect("no panic").push(told);
        }
    }
}

/// Posts entries with a client of its own, which bears it when the database is away.
#[derive(Clone, Debug)]
pub struct Poster {
    database: Database,
    operator: AccountId,
}

impl Poster {
    /// A poster for the stage's database.
    #[must_use]
    pub fn new(stage: &Stage) -> Self {
        Self {
            database: stage.stack.database().clone(),
            operator: stage.world.operator.clone(),
        }
    }

    /// Posts one entry after the other, each until the database says that it is there, with amounts
    /// from `least` to `most` nanos to any of these accounts.
    ///
    /// # Panics
    /// When another of the crowd did.
    pub fn post(
        &self,
        crowd: &Crowd,
        accounts: &[AccountId],
        (mut random, least, most): (Random, i64, i64),
    ) {
        let span = u64::try_from(most - least).unwrap_or_default();
        while !crowd.is_over() {
            let drawn = i64::try_from(random.between(0, span)).unwrap_or_default();
            let amount = Nanos::new(least + drawn);
            let kind = match amount > Nanos::ZERO {
                true => EntryKind::Grant,
                false => EntryKind::Adjustment,
            };
            let entry = LedgerEntry {
                account: random.pick(accounts).clone(),
                kind,
                amount,
                reference: format!("campaign:{:016x}", random.draw()),
                reason: "campaign".to_owned(),
            };
            if entry.amount != Nanos::ZERO {
                let posting = self.post_once(crowd, &entry);
                crowd.posted.lock().expect("no panic").push(posting);
            }
        }
    }

    fn post_once(&self, crowd: &Crowd, entry: &LedgerEntry) -> Posting {
        let change = Change {
            account: self.operator.clone(),
            actor: "campaign".to_owned(),
            at_ms: now_ms(),
        };
        let post = entry.to_batch(&change);
        let acknowledged = loop {
            let reply = self.database.execute(&post.batch).ok();
            match reply.and_then(|reply| post.read(&reply).ok()) {
                Some(Posted::Now | Posted::Before) => break true,
                Some(Posted::ReferenceTaken) => break false,
                // Nothing was changed, or nobody knows: the reference makes it safe to try again.
                Some(Posted::Impossible) | None if crowd.is_over() => break false,
                Some(Posted::Impossible) | None => {}
            }
        };
        Posting {
            reference: entry.reference.clone(),
            account: entry.account.to_string(),
            amount: entry.amount.get(),
            acknowledged,
        }
    }
}
