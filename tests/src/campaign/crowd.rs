//! Many callers at once, and somebody who moves credit meanwhile.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tollgate_core::audit::Change;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{
    Amount, EntryKind, LedgerEntry, Posted, Posting, Proceeds, Sale, Transfer,
};
use tollgate_core::money::Nanos;
use xtask::clock::now_ms;
use xtask::database::Database;

use super::random::Random;
use super::stage::Chain;
use super::workload::{End, Order, Shape, Told};
use crate::eventually;
use crate::stage::Stage;

/// What everybody in the crowd knows.
#[derive(Debug, Default)]
pub struct Crowd {
    stop: AtomicBool,
    calls: AtomicU64,
    told: Mutex<Vec<Told>>,
    posted: Mutex<Vec<Event>>,
}

/// Ledger entries: reference, account and amount in nanos.
type Entries = Vec<(String, String, i64)>;

/// Credit that somebody moved, or tried to.
#[derive(Clone, Debug)]
pub struct Event {
    /// What belongs to it.
    pub entries: Entries,
    /// What the database said of it; `None` when it never did.
    pub acknowledged: Option<bool>,
}

impl Event {
    /// What is wrong with it: what was acknowledged is there as a whole, what was refused is not, and
    /// of what nobody knows there is all or nothing.
    #[must_use]
    pub fn violation(&self, entries: &BTreeMap<String, (String, i64)>) -> Option<String> {
        let there = self.entries.iter().map(|(reference, account, amount)| {
            let found = entries.get(reference)?;
            Some(*found == (account.clone(), *amount))
        });
        let there: Vec<Option<bool>> = there.collect();
        let whole = there.iter().all(|found| *found == Some(true));
        let absent = there.iter().all(Option::is_none);
        let fine = match self.acknowledged {
            Some(true) => whole,
            Some(false) => absent,
            None => whole || absent,
        };
        (!fine).then(|| format!("{self:?}: {there:?}"))
    }
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
    pub fn take_posted(&self) -> Vec<Event> {
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

    /// Posts one event after the other, each until the database says what became of it, with amounts
    /// from `least` to `most` nanos: grants and adjustments, purchases with the reseller's receipts,
    /// and transfers from a reseller to its customer.
    ///
    /// # Panics
    /// When another of the crowd did.
    pub fn post(
        &self,
        crowd: &Crowd,
        chains: &[Chain],
        (mut random, least, most): (Random, i64, i64),
    ) {
        while !crowd.is_over() {
            let span = u64::try_from(most - least).unwrap_or_default();
            let amount = least + i64::try_from(random.between(0, span)).unwrap_or_default();
            let chain = random.pick(chains).clone();
            if let Some((posting, entries)) = draw_posting(&mut random, &chain, amount) {
                let acknowledged = self.post_until_told(crowd, &posting);
                let event = Event {
                    entries,
                    acknowledged,
                };
                crowd.posted.lock().expect("no panic").push(event);
            }
        }
    }

    fn post_until_told(&self, crowd: &Crowd, posting: &Posting) -> Option<bool> {
        let change = Change {
            account: self.operator.clone(),
            actor: "campaign".to_owned(),
            at_ms: now_ms(),
        };
        let post = posting.to_batch(&change);
        loop {
            let reply = self.database.execute(&post.batch).ok();
            match reply.and_then(|reply| post.read(&reply).ok()) {
                Some(Posted::Now | Posted::Before) => return Some(true),
                // Nothing was changed, or nobody knows: the reference makes it safe to try again.
                Some(Posted::Contended) | None if crowd.is_over() => return None,
                Some(Posted::Contended) | None => {}
                Some(_) => return Some(false),
            }
        }
    }
}

/// A posting and the entries that it makes.
fn draw_posting(random: &mut Random, chain: &Chain, nanos: i64) -> Option<(Posting, Entries)> {
    let event = format!("{:016x}", random.draw());
    let reason = "campaign".to_owned();
    let (customer, reseller) = (&chain.caller.account, &chain.reseller);
    let lines = |kind: &str, lines: [(&str, &AccountId, i64); 2]| {
        let line = |(end, account, nanos): (&str, &AccountId, i64)| {
            (format!("{kind}:{event}{end}"), account.to_string(), nanos)
        };
        lines.map(line).to_vec()
    };
    let positive = Amount::new(Nanos::new(nanos));
    match (positive, random.between(0, 3)) {
        (Some(credit), 0) => {
            let entries = lines(
                "purchase",
                [("", customer, nanos), (":reseller", reseller, nanos)],
            );
            let sale = Sale {
                customer: customer.clone(),
                credit,
                proceeds: Some(Proceeds {
                    reseller: reseller.clone(),
                    amount: credit,
                }),
                event,
                reason,
            };
            Some((Posting::purchase(&sale), entries))
        }
        (Some(amount), 1) => {
            let entries = lines(
                "transfer",
                [(":from", reseller, -nanos), (":to", customer, nanos)],
            );
            let transfer = Transfer {
                from: reseller.clone(),
                to: customer.clone(),
                amount,
                event,
                reason,
            };
            Some((Posting::transfer(&transfer), entries))
        }
        _ if nanos == 0 => None,
        (positive, _) => {
            let account = if random.chance(50) {
                customer
            } else {
                reseller
            };
            let reference = format!("campaign:{event}");
            let entry = LedgerEntry {
                account: account.clone(),
                kind: positive.map_or(EntryKind::Adjustment, |_| EntryKind::Grant),
                amount: Nanos::new(nanos),
                reference: reference.clone(),
                reason,
            };
            let entries = vec![(reference, account.to_string(), nanos)];
            Some((entry.into(), entries))
        }
    }
}
