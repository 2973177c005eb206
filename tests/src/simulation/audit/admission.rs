//! Taking a hold, and letting it grow: whether the key, the accounts, the prices and the budgets of the
//! moment before allow it.

use tollgate_core::admission::Extension;

use super::sums::fits;
use super::{Admit, Admitted, Auditor, BUCKET_MS, BUCKETS, DAY_MS, TOKENS};
use crate::simulation::state::{Changes, Level, Request, Rule};
use crate::simulation::tariff::{Markup, Tariff, charges};

impl Auditor {
    pub(super) fn admitted(
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
    pub(super) fn key_may(
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
    pub(super) fn levels_may(
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
    pub(super) fn prices_are_right(
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
    pub(super) fn rule(&self, account: &String, (model, at_ms): (&str, i64)) -> Option<&String> {
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
        let rank = |(id, rule): &(&String, &Rule)| {
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
    pub(super) fn markups(&self, levels: &[Level]) -> Result<Vec<Markup>, String> {
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
    pub(super) fn first_with_its_key(
        &self,
        admit: &Admit,
        changes: &Changes,
    ) -> Result<(), String> {
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

    pub(super) fn extended(
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
}
