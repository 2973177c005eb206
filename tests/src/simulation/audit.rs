//! What must be true after every step. The auditor reads the tables, compares them with what the step
//! was meant to do and with sums of its own, and says what is wrong. It uses nothing of `core` but the
//! types in which a step says what it wants.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_core::admission::{Ask, Extension};
use tollgate_core::ledger::{LedgerEntry, Posting};
use tollgate_core::settlement::{Outcome, Resolution};

use super::state::{Account, Change, Changes, Entry, Level, Purse, Request, State};
use super::tariff::{Markup, Tariff, charges};
use super::wire::Wire;

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

/// The sums of an account or a key, kept beside the database's.
#[derive(Debug, Default)]
struct Sums {
    /// Ledger entries.
    entries: i128,
    /// Charges: for ever, and of the day, week and month.
    charged: [i128; 4],
    /// The numbers of the day, week and month.
    periods: [i64; 3],
    /// What open calls hold.
    held: i128,
    /// Open calls.
    open: i64,
    /// What is counted in the windows of a key, by bucket.
    windows: [BTreeMap<i64, i128>; 4],
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

macro_rules! ensure {
    ($condition:expr, $($why:tt)*) => {
        if !$condition {
            return Err(format!($($why)*));
        }
    };
}

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

    fn admitted(
        &mut self,
        id: i64,
        row: &Request,
        (admit, changes): (&Admit, &Changes),
    ) -> Result<(), String> {
        let ask = &admit.ask;
        ensure!(
            id == ask.request.get(),
            "{} was asked, {id} admitted",
            ask.request.get()
        );
        ensure!(
            row.nonce == ask.nonce && row.state == "held",
            "{id} is not the call's: {row:?}"
        );
        ensure!(
            row.key == admit.key,
            "{id} is charged to the key {}",
            row.key
        );
        ensure!(
            row.lease_until_ms == ask.lease_until_ms,
            "{id} has another lease"
        );
        if let Some(earlier) = self.requests.insert(admit.call, id) {
            return Err(format!("call {} holds {earlier} and {id}", admit.call));
        }
        self.key_may((id, row), (admit, changes))?;
        self.levels_may((id, row), (admit, changes))?;
        let tariff = self.prices_are_right((id, row), admit)?;
        self.first_with_its_key(admit, changes)?;
        for level in &row.levels {
            self.sums(&level.account).held += i128::from(level.hold);
        }
        let key = self.keys.entry(row.key.clone()).or_default();
        key.held += i128::from(row.levels[0].hold);
        key.open += 1;
        let bucket = row.created_at_ms.div_euclid(BUCKET_MS[TOKENS]);
        self.admitted.insert(id, Admitted { tariff, bucket });
        self.note("admitted");
        Ok(())
    }

    /// The key as it was just before may make the call.
    fn key_may(
        &mut self,
        (id, row): (i64, &Request),
        (admit, changes): (&Admit, &Changes),
    ) -> Result<(), String> {
        let (ask, now_ms) = (&admit.ask, admit.ask.now_ms);
        let key = changes
            .key_before(&self.state, &row.key)
            .ok_or("no such key")?;
        ensure!(
            key.revoked_at_ms.is_none(),
            "{id} was admitted with a revoked key"
        );
        ensure!(
            key.expires_at_ms.is_none_or(|at| at > now_ms),
            "{id}: the key has ended"
        );
        ensure!(
            key.account == row.account,
            "{id} is charged to {}",
            row.account
        );
        let defaults = &self
            .state
            .accounts
            .get(&key.account)
            .ok_or("no account")?
            .limits;
        let limits = &key.limits;
        if let Some(most) = limits.parallel.or(defaults.parallel) {
            ensure!(
                key.open_holds < most,
                "{id} is one too many at the same time"
            );
        }
        let hold = row.levels[0].hold;
        fits(&key.purse, hold, now_ms).map_err(|why| format!("{id} exceeds the key's {why}"))?;
        let amounts = [1, 1, 1, ask.reserved_tokens];
        let mosts: Vec<Option<i64>> = (0..4)
            .map(|window| limits.windows[window].or(defaults.windows[window]))
            .collect();
        let sums = self.keys.entry(row.key.clone()).or_default();
        for (window, most) in mosts.into_iter().enumerate() {
            let Some(most) = most else { continue };
            let bucket = now_ms.div_euclid(BUCKET_MS[window]);
            let counts = &mut sums.windows[window];
            counts.retain(|kept, _| *kept >= bucket - BUCKETS);
            *counts.entry(bucket).or_default() += i128::from(amounts[window]);
            let used: i128 = counts.values().sum();
            ensure!(
                used <= i128::from(most),
                "{id}: {used} of {most} in window {window}"
            );
        }
        Ok(())
    }

    /// Every account of the chain may be charged, and has the credit.
    fn levels_may(
        &self,
        (id, row): (i64, &Request),
        (admit, changes): (&Admit, &Changes),
    ) -> Result<(), String> {
        let caller = self.state.accounts.get(&row.account).ok_or("no account")?;
        let charged: Vec<&String> = row.levels.iter().map(|level| &level.account).collect();
        ensure!(
            caller.chain.iter().eq(charged),
            "{id} does not charge the chain: {row:?}"
        );
        for level in &row.levels {
            let account = changes.account_before(&self.state, &level.account);
            let account = account.ok_or("no account")?;
            ensure!(
                account.status == "active",
                "{id} charges {} in vain",
                level.account
            );
            let free = account.balance - account.purse.held;
            ensure!(free >= level.hold, "{id} holds {} of {free}", level.hold);
            fits(&account.purse, level.hold, admit.ask.now_ms)
                .map_err(|why| format!("{id} exceeds the {why} of {}", level.account))?;
        }
        Ok(())
    }

    /// The rules and the cost are those of the moment, and the hold is the bound at their prices.
    fn prices_are_right(
        &self,
        (id, row): (i64, &Request),
        admit: &Admit,
    ) -> Result<Tariff, String> {
        let (model, at_ms) = (&row.model, admit.ask.now_ms);
        let costs = self.state.costs.iter();
        let past =
            costs.filter(|(_, cost)| cost.model == *model && cost.effective_from_ms <= at_ms);
        let (cost_id, cost) = past
            .max_by_key(|(_, cost)| cost.effective_from_ms)
            .ok_or("no cost")?;
        ensure!(
            *cost_id == row.cost_id,
            "{id} is priced by the cost {}",
            row.cost_id
        );
        let tariff = cost.prices.prices.clone();
        for level in &row.levels {
            let account = self
                .state
                .accounts
                .get(&level.account)
                .ok_or("no account")?;
            let parent = account.parent.as_ref().ok_or("no parent")?;
            let rule = self.rule(parent, (model, at_ms));
            ensure!(
                rule == Some(&level.rule),
                "{id}: {} instead of {rule:?}",
                level.rule
            );
        }
        let bound = tariff.bound(admit.prompt, admit.answer);
        let mut holds = charges(bound, &self.markups(&row.levels)?);
        holds.reverse();
        let held = row.levels.iter().map(|level| i128::from(level.hold));
        ensure!(
            held.eq(holds.iter().copied()),
            "{id} holds {:?}, not {holds:?}",
            row.levels
        );
        Ok(tariff)
    }

    /// The rule by which an account charges its children for a model.
    fn rule(&self, account: &String, (model, at_ms): (&str, i64)) -> Option<&String> {
        let rules = self.state.rules.iter().filter(|(_, rule)| {
            rule.account == *account
                && rule.starts_at_ms <= at_ms
                && rule.ends_at_ms.is_none_or(|end| at_ms < end)
                && match rule.pattern.strip_suffix('*') {
                    Some(begin) => model.starts_with(begin),
                    None => rule.pattern == model,
                }
        });
        let first = |id: &String| std::cmp::Reverse(id.clone());
        let rank = |(id, rule): &(&String, &super::state::Rule)| {
            (
                rule.priority,
                rule.pattern.len(),
                rule.starts_at_ms,
                first(id),
            )
        };
        rules.max_by_key(rank).map(|(id, _)| id)
    }

    /// The rules of levels, from the root down.
    fn markups(&self, levels: &[Level]) -> Result<Vec<Markup>, String> {
        let markup = |level: &Level| {
            let rule = self.state.rules.get(&level.rule).ok_or("no rule")?;
            Ok(Markup {
                bps: rule.markup_bps,
                least: rule.least,
            })
        };
        levels.iter().rev().map(markup).collect()
    }

    /// No other call took the `Idempotency-Key` in the last day and may be billed.
    fn first_with_its_key(&self, admit: &Admit, changes: &Changes) -> Result<(), String> {
        let Some((key, fingerprint)) = &admit.idempotency else {
            return Ok(());
        };
        let Some(first) = changes.first_call_before(&self.state, key) else {
            return Ok(());
        };
        let old = first.created_at_ms <= admit.ask.now_ms - DAY_MS;
        let request = self.state.requests.get(&first.request);
        let voided = request.is_some_and(|request| request.state == "voided");
        let free = old || (voided && first.fingerprint == *fingerprint);
        ensure!(
            free,
            "{} and {} have the same key",
            first.request,
            admit.ask.request
        );
        Ok(())
    }

    fn extended(
        &mut self,
        (id, before, after): (i64, &Request, &Request),
        (extension, changes): (&Extension, &Changes),
    ) -> Result<(), String> {
        ensure!(extension.request.get() == id, "an extension changed {id}");
        ensure!(after.state == "held", "an extension resolved {id}");
        let wanted = extension.to.iter().map(|level| level.hold.get());
        let held = after.levels.iter().map(|level| level.hold);
        ensure!(
            held.eq(wanted),
            "{id} holds {:?} after an extension",
            after.levels
        );
        for (index, (old, new)) in before.levels.iter().zip(&after.levels).enumerate() {
            let more = new.hold - old.hold;
            ensure!(more >= 0, "an extension took from {id}");
            let account = changes.account_before(&self.state, &old.account);
            let account = account.ok_or("no account")?;
            ensure!(
                account.status == "active",
                "{id} grew in {} in vain",
                old.account
            );
            ensure!(
                account.balance - account.purse.held >= more,
                "{id} grew by {more}"
            );
            fits(&account.purse, more, extension.now_ms)
                .map_err(|why| format!("{id} grew beyond the {why} of {}", old.account))?;
            self.sums(&old.account).held += i128::from(more);
            if index == 0 {
                let key = changes
                    .key_before(&self.state, &before.key)
                    .ok_or("no key")?;
                fits(&key.purse, more, extension.now_ms)
                    .map_err(|why| format!("{id} grew beyond the key's {why}"))?;
                let sums = self.keys.entry(before.key.clone()).or_default();
                sums.held += i128::from(more);
            }
        }
        self.note("extended");
        Ok(())
    }

    fn resolved(
        &mut self,
        (id, before, after): (i64, &Request, &Request),
        resolution: &Resolution,
    ) -> Result<(), String> {
        ensure!(resolution.request.get() == id, "a resolution changed {id}");
        let outcome = &resolution.outcome;
        let state = if outcome.usage().is_some() {
            "settled"
        } else {
            "voided"
        };
        ensure!(after.state == state, "{id} is {}, not {state}", after.state);
        ensure!(
            after.outcome.as_deref() == Some(outcome.as_str()),
            "{id}: {:?}",
            after.outcome
        );
        let admitted = self.admitted.get(&id).ok_or("it was never admitted")?;
        let bill = outcome.usage().map(|usage| admitted.tariff.bill(usage));
        let mut prices = match bill {
            Some(bill) => charges(bill, &self.markups(&before.levels)?),
            None => before.levels.iter().map(|_| 0).collect(),
        };
        prices.reverse();
        for ((old, new), price) in before.levels.iter().zip(&after.levels).zip(&prices) {
            ensure!(new.hold <= old.hold, "{id} holds more when it is resolved");
            let charge = i64::try_from((*price).min(i128::from(new.hold))).unwrap_or(i64::MAX);
            ensure!(
                new.charge == Some(charge),
                "{id}: {new:?} is not charged {charge}"
            );
            let known = resolution
                .levels
                .iter()
                .any(|level| level.hold.get() == new.hold);
            ensure!(
                known,
                "{id} is resolved with a hold that nobody knew: {new:?}"
            );
        }
        let cost = bill.map_or(0, |bill| i64::try_from(bill).unwrap_or(i64::MAX));
        ensure!(
            after.cost == Some(cost),
            "{id} has the cost {:?}, not {cost}",
            after.cost
        );
        let price = i64::try_from(prices[0]).unwrap_or(i64::MAX);
        let short = (price - after.levels[0].hold).max(0);
        let short = if bill.is_some() { short } else { 0 };
        ensure!(
            after.shortfall == Some(short),
            "{id}: shortfall {:?}, not {short}",
            after.shortfall
        );
        let free = after.state == "voided" && self.billed.contains(&id);
        ensure!(!free, "{id} was billed by the provider and is given back");
        self.book(before, after, resolution);
        self.note(&format!("resolved: {}", outcome.as_str()));
        if short > 0 {
            self.note("resolved: with a shortfall");
        }
        Ok(())
    }

    /// Moves the sums of a resolved call.
    fn book(&mut self, before: &Request, after: &Request, resolution: &Resolution) {
        let at_ms = resolution.facts.resolved_at_ms;
        for (old, new) in before.levels.iter().zip(&after.levels) {
            let sums = self.sums(&old.account);
            sums.held -= i128::from(old.hold);
            sums.charge(new.charge.unwrap_or_default(), at_ms);
        }
        let id = resolution.request.get();
        let bucket = self.admitted.get(&id).map_or(0, |admitted| admitted.bucket);
        let sums = self.keys.entry(before.key.clone()).or_default();
        sums.open -= 1;
        sums.held -= i128::from(before.levels[0].hold);
        sums.charge(after.levels[0].charge.unwrap_or_default(), at_ms);
        if let Some(count) = sums.windows[TOKENS].get_mut(&bucket) {
            let [prompt, _, answer, _] = after.tokens.map(|count| i128::from(count.unwrap_or(0)));
            *count = (*count + prompt + answer - i128::from(before.reserved_tokens)).max(0);
        }
    }

    fn ledger_changed(&mut self, changes: &Changes, intent: &Intent) -> Result<(), String> {
        if changes.ledger.is_empty() {
            return Ok(());
        }
        let mut wanted: Vec<Entry> = match intent {
            Intent::Post(posting) => posting.entries().map(entry_of).collect(),
            Intent::TrueUp { .. } => Vec::new(),
            intent => return Err(format!("{intent:?} changed {:?}", changes.ledger)),
        };
        let is_posting = !wanted.is_empty();
        for Change { key, before, after } in &changes.ledger {
            let (None, Some(entry)) = (before, after) else {
                return Err(format!("the ledger entry {key} became {after:?}"));
            };
            if is_posting {
                let place = wanted.iter().position(|wanted| wanted == entry);
                let place = place.ok_or_else(|| format!("{entry:?} was posted for {wanted:?}"))?;
                wanted.swap_remove(place);
            }
            self.posted(entry, changes)?;
        }
        ensure!(
            wanted.is_empty(),
            "only a part was posted: {wanted:?} is missing"
        );
        Ok(())
    }

    fn posted(&mut self, entry: &Entry, changes: &Changes) -> Result<(), String> {
        let ledger = self.state.ledger.iter();
        let same = ledger.filter(|(_, other)| other.reference == entry.reference);
        ensure!(
            same.count() == 1,
            "`{}` entered the ledger twice",
            entry.reference
        );
        let before = changes.account_before(&self.state, &entry.account);
        let before = before.ok_or("no account")?;
        let after = self
            .state
            .accounts
            .get(&entry.account)
            .ok_or("no account")?;
        let debt = debt_after(before, entry.amount);
        ensure!(
            i128::from(after.debt) == debt,
            "{entry:?}: {before:?} became {after:?}"
        );
        let into_debt = debt > i128::from(before.debt);
        let covered = entry.kind == "transfer" || entry.kind == "true_up";
        ensure!(!into_debt || !covered, "{entry:?} left a debt");
        self.sums(&entry.account).entries += i128::from(entry.amount);
        self.note(&format!("posted: {}", entry.kind));
        if into_debt {
            self.note("posted: into debt");
        }
        Ok(())
    }

    /// The usage is the recorded one, and what was charged and corrected is its price, as far as free
    /// credit went.
    fn trued_up(
        &mut self,
        (id, before, after): (i64, &Request, &Request),
        (outcome, changes): (&Outcome, &Changes),
    ) -> Result<(), String> {
        ensure!(before.trued_up_at_ms.is_none(), "{id} is trued up twice");
        ensure!(after.trued_up_at_ms.is_some(), "{id} changed after its end");
        ensure!(
            after.levels == before.levels,
            "a true-up changed what {id} was charged"
        );
        let admitted = self.admitted.get(&id).ok_or("it was never admitted")?;
        let bill = outcome.usage().map(|usage| admitted.tariff.bill(usage));
        let mut prices = match bill {
            Some(bill) => charges(bill, &self.markups(&before.levels)?),
            None => before.levels.iter().map(|_| 0).collect(),
        };
        prices.reverse();
        let mut entries = 0;
        for (level, price) in before.levels.iter().zip(&prices) {
            let charge = i128::from(level.charge.ok_or("no charge")?);
            let owed = (*price).min(i128::from(level.hold)) - charge;
            let account = changes.account_before(&self.state, &level.account);
            let account = account.ok_or("no account")?;
            let free = i128::from(account.balance) - i128::from(account.purse.held);
            let reference = format!("true_up:{id}:{}", level.account);
            let mut ledger = changes
                .ledger
                .iter()
                .filter_map(|change| change.after.as_ref());
            let entry = ledger.find(|entry| entry.reference == reference);
            let moved = entry.map_or(0, |entry| i128::from(entry.amount));
            ensure!(
                moved == -owed.min(free),
                "{id}: {owed} is owed of {free}, {moved} moved"
            );
            entries += usize::from(entry.is_some());
        }
        ensure!(
            entries == changes.ledger.len(),
            "{id}: {:?}",
            changes.ledger
        );
        self.note("trued up");
        Ok(())
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

    fn sums(&mut self, account: &str) -> &mut Sums {
        self.accounts.entry(account.to_owned()).or_default()
    }
}

impl Sums {
    /// A charge belongs to the period in which its call is resolved; a clock that runs behind opens
    /// no period anew.
    fn charge(&mut self, charge: i64, at_ms: i64) {
        let charge = i128::from(charge);
        self.charged[0] += charge;
        for (index, now) in periods(at_ms).into_iter().enumerate() {
            if now > self.periods[index] {
                self.periods[index] = now;
                self.charged[index + 1] = 0;
            }
            self.charged[index + 1] += charge;
        }
    }

    fn agree(&self, purse: &Purse) -> Result<(), String> {
        let held = i128::from(purse.held);
        ensure!(
            held == self.held,
            "holds {held}, but open calls hold {}",
            self.held
        );
        let charged = purse.charged.map(i128::from);
        ensure!(
            charged == self.charged,
            "charged {charged:?}, not {:?}",
            self.charged
        );
        ensure!(
            purse.periods == self.periods,
            "periods {:?}, not {:?}",
            purse.periods,
            self.periods
        );
        Ok(())
    }
}

/// The number of the UTC day, week from Monday and month, since 1970.
fn periods(at_ms: i64) -> [i64; 3] {
    let day = at_ms.div_euclid(DAY_MS);
    // Days since 0000-03-01, so that a leap day is the last of its year (Hinnant's algorithm).
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    [
        day,
        (day + 3).div_euclid(7),
        (era * 400 + year - 1970) * 12 + month + 2,
    ]
}

/// Whether a hold fits every budget; the name of the one that it does not fit.
pub fn fits(purse: &Purse, hold: i64, now_ms: i64) -> Result<(), String> {
    let now = periods(now_ms);
    for (index, name) in ["total", "day", "week", "month"].into_iter().enumerate() {
        let Some(budget) = purse.budget[index] else {
            continue;
        };
        let present = index == 0 || purse.periods[index - 1] >= now[index - 1];
        let spent = if present {
            i128::from(purse.charged[index])
        } else {
            0
        };
        let gone = spent + i128::from(purse.held) + i128::from(hold);
        ensure!(
            gone <= i128::from(budget),
            "{name} budget: {gone} of {budget}"
        );
    }
    Ok(())
}

fn entry_of(entry: &LedgerEntry) -> Entry {
    Entry {
        account: entry.account.to_string(),
        kind: entry.kind.as_str().to_owned(),
        amount: entry.amount.get(),
        reference: entry.reference.clone(),
    }
}

/// A credit repays the debt first; a clawback takes what is free, and the rest is debt.
#[must_use]
pub fn debt_after(account: &Account, amount: i64) -> i128 {
    let (debt, amount) = (i128::from(account.debt), i128::from(amount));
    if amount >= 0 {
        (debt - amount).max(0)
    } else {
        let free = i128::from(account.balance) - i128::from(account.purse.held);
        debt + (-amount - free).max(0)
    }
}
