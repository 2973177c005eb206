//! Resolving a hold and truing it up: whether what was charged is the price of the usage, computed once
//! more, and no more than the hold.

use tollgate_core::settlement::{Outcome, Resolution};

use super::{Auditor, TOKENS};
use crate::simulation::state::{Changes, Request};
use crate::simulation::tariff::charges;

impl Auditor {
    pub(super) fn resolved(
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
        let (bill, prices) = self.due((id, before), outcome)?;
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

    /// What the provider bills for this outcome, if anything, and what it makes each level of the call
    /// pay, the caller first.
    fn due(
        &self,
        (id, call): (i64, &Request),
        outcome: &Outcome,
    ) -> Result<(Option<i128>, Vec<i128>), String> {
        let admitted = self.admitted.get(&id).ok_or("it was never admitted")?;
        let bill = outcome.usage().map(|usage| admitted.tariff.bill(usage));
        let mut prices = match bill {
            Some(bill) => charges(bill, &self.markups(&call.levels)?),
            None => call.levels.iter().map(|_| 0).collect(),
        };
        prices.reverse();
        Ok((bill, prices))
    }

    /// Moves the sums of a resolved call.
    pub(super) fn book(&mut self, before: &Request, after: &Request, resolution: &Resolution) {
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

    /// The usage is the recorded one, and what was charged and corrected is its price, as far as free
    /// credit went.
    pub(super) fn trued_up(
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
        let (_, prices) = self.due((id, before), outcome)?;
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
}
