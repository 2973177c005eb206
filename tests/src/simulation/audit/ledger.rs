//! Ledger entries: whether they are those of the posting, all of them and once, and moved what they say.

use tollgate_core::ledger::LedgerEntry;

use super::{Auditor, Intent};
use crate::simulation::state::{Account, Change, Changes, Entry};

impl Auditor {
    pub(super) fn ledger_changed(
        &mut self,
        changes: &Changes,
        intent: &Intent,
    ) -> Result<(), String> {
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

    pub(super) fn posted(&mut self, entry: &Entry, changes: &Changes) -> Result<(), String> {
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
