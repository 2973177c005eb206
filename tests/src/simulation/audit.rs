//! What must be true after every step. The auditor reads the tables, compares them with what the step
//! was meant to do and with sums of its own, and says what is wrong. It uses nothing of `core` but the
//! types in which a step says what it wants.

macro_rules! ensure {
    ($condition:expr, $($why:tt)*) => {
        if !$condition {
            return Err(format!($($why)*));
        }
    };
}

mod admission;
mod ledger;
mod resolution;
mod sums;

use std::collections::{BTreeMap, BTreeSet};

use tollgate_core::admission::{Ask, Extension};
use tollgate_core::ledger::Posting;
use tollgate_core::settlement::{Outcome, Resolution};

use super::state::{Account, Change, Changes, Request, State};
use super::tariff::Tariff;
use super::wire::Wire;

pub use ledger::debt_after;
use sums::Sums;
pub use sums::fits;

/// What a batch is meant to do.
#[derive(Clone, Debug)]
pub enum Intent {
    /// Change nothing.
    Read,
    /// Take the hold of a call.
    Admit(Box<Admit>),
    /// Move the lease of a hold.
    Renew {
        /// The hold.
        request: i64,
        /// Until when it is leased then, in Unix milliseconds.
        until_ms: i64,
    },
    /// Let a hold grow.
    Extend(Box<Extension>),
    /// Resolve a hold.
    Resolve(Box<Resolution>),
    /// Post ledger entries, all of them or none.
    Post(Posting),
    /// Correct a call that was settled by an estimate.
    TrueUp {
        /// The call.
        request: i64,
        /// What the provider recorded.
        outcome: Outcome,
    },
    /// Let old requests go.
    Prune,
    /// Change settings, prices or people.
    Office,
}

/// A call that wants its hold.
#[derive(Clone, Debug)]
pub struct Admit {
    /// The number of the call in the run.
    pub call: u32,
    /// What is asked.
    pub ask: Ask,
    /// The id of the key.
    pub key: String,
    /// Tokens of the prompt, at most.
    pub prompt: u64,
    /// Tokens of the answer that the hold covers.
    pub answer: u64,
    /// The `Idempotency-Key`, and the fingerprint of the body in hexadecimal.
    pub idempotency: Option<(String, String)>,
}

/// What is remembered of an admitted call.
#[derive(Debug)]
struct Admitted {
    tariff: Tariff,
    /// Whether the tokens it reserved were counted in the window.
    bucket: i64,
}

/// Watches the tables.
#[derive(Debug)]
pub struct Auditor {
    /// The tables as they are.
    pub state: State,
    accounts: BTreeMap<String, Sums>,
    keys: BTreeMap<String, Sums>,
    admitted: BTreeMap<i64, Admitted>,
    /// The request of each call that was admitted.
    requests: BTreeMap<u32, i64>,
    /// Requests that were resolved and are gone.
    pub pruned: BTreeSet<i64>,
    /// Requests that the provider bills: none of them is given back.
    pub billed: BTreeSet<i64>,
    /// How often each thing happened.
    pub seen: BTreeMap<String, u64>,
}

/// The windows of a key: the length of a bucket in milliseconds.
const BUCKET_MS: [i64; 4] = [1_000, 60_000, 1_440_000, 1_000];
const TOKENS: usize = 3;
const BUCKETS: i64 = 60;
const DAY_MS: i64 = 86_400_000;

impl Default for Auditor {
    /// An auditor of a database that it has not seen.
    fn default() -> Self {
        Self {
            state: State::new(),
            accounts: BTreeMap::new(),
            keys: BTreeMap::new(),
            admitted: BTreeMap::new(),
            requests: BTreeMap::new(),
            pruned: BTreeSet::new(),
            billed: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }
}

impl Auditor {}

impl Auditor {
    /// Counts that something happened.
    pub fn note(&mut self, what: &str) {
        match self.seen.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.seen.insert(what.to_owned(), 1)),
        }
    }

    /// Reads everything after a step and tests it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn observe(&mut self, wire: &mut Wire, intent: &Intent) -> Result<(), String> {
        let changes = self.state.refresh(wire)?;
        self.requests_changed(&changes, intent)?;
        self.ledger_changed(&changes, intent)?;
        self.settings_changed(&changes, intent)?;
        self.sums_hold()
    }

    fn requests_changed(&mut self, changes: &Changes, intent: &Intent) -> Result<(), String> {
        if matches!(intent, Intent::Prune) {
            let resolved = |row: &Request| row.state != "held";
            let gone = |change: &Change<i64, Request>| {
                change.after.is_none() && change.before.as_ref().is_some_and(resolved)
            };
            let all_gone = changes.requests.iter().all(gone);
            ensure!(all_gone, "not only old requests went");
            let ids = changes.requests.iter().map(|change| change.key);
            self.pruned.extend(ids);
            return Ok(());
        }
        ensure!(
            changes.requests.len() <= 1,
            "one step changed several requests"
        );
        let Some(change) = changes.requests.first() else {
            return Ok(());
        };
        let (id, before, after) = (change.key, &change.before, &change.after);
        let Some(after) = after else {
            return Err(format!("the request {id} is gone"));
        };
        match (before, intent) {
            (None, Intent::Admit(admit)) => self.admitted(id, after, (admit, changes)),
            (Some(before), Intent::TrueUp { request, outcome }) if before.state != "held" => {
                ensure!(*request == id, "a true-up of {request} changed {id}");
                self.trued_up((id, before, after), (outcome, changes))
            }
            (Some(before), _) if before.state != "held" => {
                Err(format!("the resolved request {id} changed to {after:?}"))
            }
            (Some(before), Intent::Renew { request, until_ms }) => {
                ensure!(*request == id, "a renewal of {request} changed {id}");
                ensure!(
                    after.lease_until_ms == *until_ms,
                    "the lease of {id} is not renewed"
                );
                let same = Request {
                    lease_until_ms: before.lease_until_ms,
                    provider_id: before.provider_id.clone(),
                    progress_tokens: before.progress_tokens,
                    ..after.clone()
                };
                ensure!(same == *before, "a renewal changed {before:?} to {after:?}");
                self.note("renewed");
                Ok(())
            }
            (Some(before), Intent::Extend(extension)) => {
                self.extended((id, before, after), (extension, changes))
            }
            (Some(before), Intent::Resolve(resolution)) => {
                self.resolved((id, before, after), resolution)
            }
            (_, intent) => Err(format!("the request {id} became {after:?} by {intent:?}")),
        }
    }

    fn settings_changed(&mut self, changes: &Changes, intent: &Intent) -> Result<(), String> {
        for (key, first) in changes
            .first_calls
            .iter()
            .map(|change| (&change.key, &change.after))
        {
            let Some(first) = first else {
                ensure!(
                    matches!(intent, Intent::Prune),
                    "the idempotency key `{key}` is gone"
                );
                continue;
            };
            let (Intent::Admit(admit), Some(request)) = (intent, self.requests.last_key_value())
            else {
                return Err(format!("the idempotency key `{key}` changed by {intent:?}"));
            };
            let own = first.request == admit.ask.request.get();
            ensure!(own, "`{key}` went to {} beside {request:?}", first.request);
            self.note("took an idempotency key");
        }
        let prices = changes.rules.len() + changes.costs.len();
        let office = matches!(intent, Intent::Office);
        ensure!(office || prices == 0, "prices changed by {intent:?}");
        for change in &changes.keys {
            if let (Some(before), Some(after)) = (&change.before, &change.after) {
                ensure!(
                    office || before.version == after.version,
                    "a key changed by {intent:?}"
                );
            }
        }
        Ok(())
    }

    /// `balance − debt = Σ entries − Σ charges` and `held = Σ open holds`, for every account and key,
    /// and `0 ≤ held ≤ balance`.
    fn sums_hold(&self) -> Result<(), String> {
        let nothing = Sums::default();
        for (id, account) in self.state.accounts.iter() {
            let sums = self.accounts.get(id).unwrap_or(&nothing);
            let Account {
                balance,
                debt,
                purse,
                ..
            } = account;
            let sound = 0 <= purse.held && purse.held <= *balance && *debt >= 0;
            ensure!(sound, "{id} is not sound: {account:?}");
            let owned = i128::from(*balance) - i128::from(*debt);
            let booked = sums.entries - sums.charged[0];
            ensure!(
                owned == booked,
                "{id} owns {owned}, but entries less charges are {booked}"
            );
            sums.agree(purse).map_err(|why| format!("{id}: {why}"))?;
        }
        for (id, key) in self.state.keys.iter() {
            let sums = self.keys.get(id).unwrap_or(&nothing);
            ensure!(
                key.open_holds == sums.open,
                "{id} has {} open calls, not {}",
                key.open_holds,
                sums.open
            );
            sums.agree(&key.purse)
                .map_err(|why| format!("{id}: {why}"))?;
        }
        Ok(())
    }

    /// Whether anything is held.
    #[must_use]
    pub fn open(&self) -> Option<i64> {
        let mut requests = self.state.requests.iter();
        requests
            .find(|(_, request)| request.state == "held")
            .map(|(id, _)| *id)
    }

    /// Whether the sums of every account fit 64 bits, whatever the order of its entries.
    #[must_use]
    pub fn is_summable(&self) -> bool {
        let mut moved: BTreeMap<&String, i128> = BTreeMap::new();
        for (_, entry) in self.state.ledger.iter() {
            *moved.entry(&entry.account).or_default() += i128::from(entry.amount).abs();
        }
        moved.values().all(|moved| i64::try_from(*moved).is_ok())
    }

    /// What is left in a key's window at a moment, and whether `amount` more fits the limit.
    #[must_use]
    pub fn window_is_full(
        &self,
        key: &str,
        window: usize,
        (now_ms, amount, most): (i64, u64, u64),
    ) -> bool {
        let first = now_ms.div_euclid(BUCKET_MS[window]) - BUCKETS;
        let counts = self.keys.get(key).map(|sums| &sums.windows[window]);
        let used: i128 = counts.map_or(0, |counts| {
            counts.range(first..).map(|(_, count)| count).sum()
        });
        used + i128::from(amount) > i128::from(most)
    }

    /// Requests that are counted in a key's minute.
    #[must_use]
    pub fn counted(&self, key: &str, now_ms: i64) -> i64 {
        let first = now_ms.div_euclid(BUCKET_MS[0]) - BUCKETS;
        let counts = self
            .keys
            .get(key)
            .map(|sums| sums.windows[0].range(first..));
        let used: i128 = counts.map_or(0, |counts| counts.map(|(_, count)| count).sum());
        i64::try_from(used).unwrap_or(i64::MAX - 1)
    }

    fn sums(&mut self, account: &str) -> &mut Sums {
        self.accounts.entry(account.to_owned()).or_default()
    }
}
