//! Ledger entries: purchases, refunds, disputes, grants and adjustments, whose posting may get lost, be
//! repeated, or repeat the reference of another.

use tollgate_core::audit::Change;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::money::Nanos;

use super::Simulation;
use super::audit::{Intent, debt_after};
use super::travel::{Sent, Travel, brief};
use super::wire::Sender;

const TRIES: u32 = 6;

/// An entry that somebody wants in the ledger.
#[derive(Debug)]
pub struct Posting {
    entry: LedgerEntry,
    tries: u32,
    paused: Option<Box<Travel>>,
}

impl Simulation {
    /// Somebody posts an entry, or goes on with one.
    pub(super) fn post(&mut self) -> Result<(), String> {
        let posting = if self.postings.is_empty() || self.chance.percent(50) {
            Posting {
                entry: self.entry(),
                tries: 0,
                paused: None,
            }
        } else {
            let index = self.chance.below(self.postings.len());
            self.postings.swap_remove(index)
        };
        if let Some(posting) = self.post_on(posting)? {
            self.postings.push(posting);
        }
        Ok(())
    }

    /// The free credit of an account becomes what one of its calls holds, or a nano more or less.
    pub(super) fn tune(&mut self) -> Result<(), String> {
        let account = self.chance.pick(&self.people.payers).clone();
        let requests = self.auditor.state.requests.iter();
        let levels = requests.flat_map(|(_, request)| &request.levels);
        let of_account: Vec<i64> = levels
            .filter(|level| level.account == account.as_str())
            .map(|level| level.hold)
            .collect();
        if of_account.is_empty() {
            return Ok(());
        }
        let hold = *self.chance.pick(&of_account);
        let plenty = self.chance.percent(60);
        self.tune_to(&account, if plenty { hold.max(1 << 50) } else { hold })
    }

    /// The free credit of an account becomes `hold`, or a nano more or less.
    pub(super) fn tune_to(&mut self, account: &AccountId, hold: i64) -> Result<(), String> {
        let row = self.auditor.state.accounts.get(&account.to_string());
        let Some(free) = row.map(|row| row.balance - row.purse.held) else {
            return Ok(());
        };
        let target = hold.saturating_add(self.chance.within(-1, 1));
        let Some(amount) = target.checked_sub(free).filter(|amount| *amount != 0) else {
            return Ok(());
        };
        let entry = LedgerEntry {
            account: account.clone(),
            kind: EntryKind::Adjustment,
            amount: Nanos::new(amount),
            reference: format!("tune:{}", self.draw()),
            reason: "simulation".to_owned(),
        };
        self.auditor.note("tuned a wallet");
        let posting = Posting {
            entry,
            tries: 0,
            paused: None,
        };
        if let Some(posting) = self.post_on(posting)? {
            self.postings.push(posting);
        }
        Ok(())
    }

    /// An entry of an amount at some edge, with a reference of its own or somebody else's.
    fn entry(&mut self) -> LedgerEntry {
        let account = if self.chance.percent(2) {
            AccountId::from_random(self.chance.bytes())
        } else {
            self.chance.pick(&self.people.payers).clone()
        };
        let amount = self.amount(&account);
        let kinds = if amount > 0 {
            [EntryKind::Purchase, EntryKind::Grant, EntryKind::Adjustment]
        } else {
            [EntryKind::Refund, EntryKind::Dispute, EntryKind::Adjustment]
        };
        let kind = *self.chance.pick(&kinds);
        let old: Vec<&super::state::Entry> = self
            .auditor
            .state
            .ledger
            .iter()
            .map(|(_, entry)| entry)
            .collect();
        let reference = if !old.is_empty() && self.chance.percent(12) {
            self.chance.pick(&old).reference.clone()
        } else {
            format!("{}:{}", kind.as_str(), self.draw())
        };
        LedgerEntry {
            account,
            kind,
            amount: Nanos::new(amount),
            reference,
            reason: "simulation".to_owned(),
        }
    }

    fn amount(&mut self, account: &AccountId) -> i64 {
        let row = self.auditor.state.accounts.get(&account.to_string());
        let (balance, held, debt) =
            row.map_or((0, 0, 0), |row| (row.balance, row.purse.held, row.debt));
        let edges = [balance, balance - held, held, debt];
        match self.chance.below(16) {
            0 => *self.chance.pick(&[0, 1, -1]),
            1..3 => -self
                .chance
                .pick(&edges)
                .saturating_add(self.chance.within(-1, 1)),
            3 => debt.saturating_add(self.chance.within(-1, 1)),
            4 => *self
                .chance
                .pick(&[i64::MAX, i64::MAX - 1, i64::MIN + 1, 1 << 62]),
            5 => -self.chance.within(1, 1_000_000_000),
            6..8 => self.chance.within(1, 10_000),
            8..12 => self.chance.within(1, 5_000_000_000),
            _ => self.chance.within(1, 1 << 50),
        }
    }

    fn post_on(&mut self, mut posting: Posting) -> Result<Option<Posting>, String> {
        let change = Change {
            account: self.people.operator().clone(),
            actor: "simulation".to_owned(),
            at_ms: self.clock.now_ms,
        };
        let post = posting.entry.to_batch(&change);
        let sent = match posting.paused.take() {
            Some(travel) => self.travel(*travel)?,
            None => {
                let intent = Intent::Post(posting.entry.clone());
                self.tell(brief(&intent));
                self.send(post.batch.clone(), Sender::Person, intent)?
            }
        };
        match sent {
            Sent::Reply { reply, clean } => {
                let posted = post.read(&reply).map_err(|fault| fault.to_string())?;
                self.posted(&posting.entry, (posted, clean))?;
                Ok(None)
            }
            Sent::Paused(travel) => {
                posting.paused = Some(travel);
                Ok(Some(posting))
            }
            Sent::Lost => {
                posting.tries += 1;
                Ok((posting.tries < TRIES).then_some(posting))
            }
        }
    }

    /// What the database says of an entry is so. What is in the ledger once stays there: the auditor
    /// sees to that.
    fn posted(
        &mut self,
        entry: &LedgerEntry,
        (posted, clean): (Posted, bool),
    ) -> Result<(), String> {
        self.auditor.note(&format!("post: {posted:?}"));
        let state = &self.auditor.state;
        let known = state
            .ledger
            .iter()
            .find(|(_, known)| known.reference == entry.reference);
        let is_same = known.is_some_and(|(_, known)| {
            known.account == entry.account.as_str()
                && known.kind == entry.kind.as_str()
                && known.amount == entry.amount.get()
        });
        let account = state.accounts.get(&entry.account.to_string());
        let is_so = match posted {
            Posted::Now | Posted::Before => is_same,
            Posted::ReferenceTaken => known.is_some() && !is_same,
            Posted::Impossible if !clean => known.is_none(),
            Posted::Impossible => {
                known.is_none()
                    && account.is_none_or(|account| {
                        let amount = i128::from(entry.amount.get());
                        let debt = debt_after(account, entry.amount.get());
                        let owned = i128::from(account.balance) - i128::from(account.debt) + amount;
                        let fits =
                            i64::try_from(debt).is_ok() && i64::try_from(owned + debt).is_ok();
                        amount == 0 || !fits || amount == i128::from(i64::MIN)
                    })
            }
        };
        if is_so {
            Ok(())
        } else {
            Err(format!(
                "{entry:?} is {posted:?}, and the ledger has {known:?} for {account:?}"
            ))
        }
    }
}
