//! Ledger entries: purchases, refunds, disputes, grants and adjustments, whose posting may get lost, be
//! repeated, or repeat the reference of another.

use tollgate_core::audit::Change;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{
    Amount, EntryKind, LedgerEntry, Posted, Posting, Proceeds, Sale, Transfer,
};
use tollgate_core::money::Nanos;

use super::Simulation;
use super::audit::{Intent, debt_after};
use super::travel::{Tries, brief};
use super::wire::Sender;

const TRIES: u32 = 6;

/// Entries that somebody wants in the ledger.
#[derive(Debug)]
pub struct Errand {
    posting: Posting,
    tries: Tries,
}

impl Simulation {
    /// Somebody posts entries, or goes on with some.
    pub(super) fn post(&mut self) -> Result<(), String> {
        if !self.postings.is_empty() && self.chance.percent(50) {
            let index = self.chance.below(self.postings.len());
            let errand = self.postings.swap_remove(index);
            return self.run_errand(errand);
        }
        let posting = match self.chance.below(10) {
            0..2 => self.transfer(),
            2..5 => self.sale(),
            _ => Some(self.entry().into()),
        };
        match posting {
            Some(posting) => self.begin_errand(posting),
            None => Ok(()),
        }
    }

    fn begin_errand(&mut self, posting: Posting) -> Result<(), String> {
        self.run_errand(Errand {
            posting,
            tries: Tries::default(),
        })
    }

    fn run_errand(&mut self, errand: Errand) -> Result<(), String> {
        if let Some(errand) = self.post_on(errand)? {
            self.postings.push(errand);
        }
        Ok(())
    }

    /// Credit for somebody who is mostly right above or below, of what is free, or about that.
    fn transfer(&mut self) -> Option<Posting> {
        let (one, other) = (self.some_payer(), self.some_payer());
        let parent = self.parent_of(&one).filter(|_| self.chance.percent(80));
        let other = parent.unwrap_or(other);
        let (from, to) = if self.chance.percent(50) {
            (one, other)
        } else {
            (other, one)
        };
        let row = self.auditor.state.accounts.get(&from.to_string());
        let free = row.map_or(0, |row| row.balance - row.purse.held);
        let near = free.saturating_add(self.chance.within(-1, 1));
        let amount = *self.chance.pick(&[near, 1, 1_000, free / 2]);
        let event = self.event();
        Some(Posting::transfer(&Transfer {
            from,
            to,
            amount: Amount::new(Nanos::new(amount))?,
            event,
            reason: "simulation".to_owned(),
        }))
    }

    /// A pack that a customer buys, its refund, its dispute, or the dispute that was won.
    fn sale(&mut self) -> Option<Posting> {
        let customer = self.chance.pick(&self.people.customers).clone();
        let row = self.auditor.state.accounts.get(&customer.to_string())?;
        let edges = [1, row.balance, row.balance - row.purse.held, 1_000_000_000];
        let credit = Amount::new(Nanos::new(*self.chance.pick(&edges)))?;
        let reseller = self
            .parent_of(&customer)
            .filter(|_| self.chance.percent(80));
        let earned = Amount::new(Nanos::new((credit.get().get() / 10 * 9).max(1)))?;
        let sale = Sale {
            customer,
            credit,
            proceeds: reseller.map(|reseller| Proceeds {
                reseller,
                amount: earned,
            }),
            event: self.event(),
            reason: "simulation".to_owned(),
        };
        Some(match self.chance.below(6) {
            0..3 => Posting::purchase(&sale),
            3 => Posting::refund(&sale),
            4 => Posting::dispute(&sale),
            _ => Posting::dispute_won(&sale),
        })
    }

    /// The name of an event, sometimes one that another has.
    fn event(&mut self) -> String {
        let number = if self.chance.percent(30) {
            self.drawn
                .saturating_sub(u32::from(self.chance.percent(50)))
        } else {
            self.draw()
        };
        format!("evt-{number}")
    }

    fn some_payer(&mut self) -> AccountId {
        self.chance.pick(&self.people.payers).clone()
    }

    /// The account right above, if it is charged itself.
    fn parent_of(&self, account: &AccountId) -> Option<AccountId> {
        let row = self.auditor.state.accounts.get(&account.to_string())?;
        let parent = AccountId::parse(row.parent.as_deref()?)?;
        self.people.payers.contains(&parent).then_some(parent)
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
        self.begin_errand(entry.into())
    }

    /// An entry of an amount at some edge, with a reference of its own or somebody else's.
    fn entry(&mut self) -> LedgerEntry {
        let account = self.debtor().filter(|_| self.chance.percent(25));
        let account = match account {
            Some(account) => account,
            None if self.chance.percent(2) => AccountId::from_random(self.chance.bytes()),
            None => self.some_payer(),
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

    /// Somebody who owes.
    fn debtor(&self) -> Option<AccountId> {
        let mut accounts = self.auditor.state.accounts.iter();
        let (id, _) = accounts.find(|(_, account)| account.debt > 0)?;
        AccountId::parse(id)
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
            4 | 11 if debt > 0 => (i64::MAX - balance).saturating_add(debt),
            4 | 11 => {
                let huge = [i64::MAX, i64::MAX - 1, i64::MIN, -i64::MAX, 1 << 62];
                *self.chance.pick(&huge)
            }
            5 => -self.chance.within(1, 1_000_000_000),
            6..8 => self.chance.within(1, 10_000),
            8..11 => self.chance.within(1, 5_000_000_000),
            _ => self.chance.within(1, 1 << 50),
        }
    }

    fn post_on(&mut self, mut errand: Errand) -> Result<Option<Errand>, String> {
        let change = Change {
            account: self.people.operator().clone(),
            actor: "simulation".to_owned(),
            at_ms: self.clock.now_ms,
        };
        let post = errand.posting.to_batch(&change);
        let heard = self.try_on(&mut errand.tries, |simulation| {
            let intent = Intent::Post(errand.posting.clone());
            simulation.tell(brief(&intent));
            simulation.send(post.batch.clone(), Sender::Person, intent)
        })?;
        let Some((reply, clean)) = heard else {
            return Ok((errand.tries.ended < TRIES).then_some(errand));
        };
        let posted = post.read(&reply).map_err(|fault| fault.to_string())?;
        self.posted(&errand.posting, (posted, clean))?;
        Ok(None)
    }

    /// What the database says of a posting is so. What is in the ledger once stays there: the auditor
    /// sees to that.
    fn posted(&mut self, posting: &Posting, (posted, clean): (Posted, bool)) -> Result<(), String> {
        let name = format!("{posted:?}");
        let name = name.split(' ').next().unwrap_or_default();
        self.auditor.note(&format!("post: {name}"));
        let entries = posting.entries().count();
        let known = posting
            .entries()
            .filter(|entry| self.known(entry).is_some())
            .count();
        let same = posting
            .entries()
            .filter(|entry| self.is_in_ledger(entry))
            .count();
        let is_so = match posted {
            Posted::Now | Posted::Before => same == entries,
            Posted::ReferenceTaken => known > 0 && same < entries,
            Posted::Contended => !clean,
            Posted::NotRelated | Posted::NothingToReverse => known == 0,
            Posted::NotCovered { missing } => {
                known == 0 && (!clean || missing.get() == self.missing(posting))
            }
            Posted::Impossible if !clean => known == 0,
            Posted::Impossible => {
                known == 0 && posting.entries().any(|entry| self.is_impossible(entry))
            }
        };
        if is_so {
            Ok(())
        } else {
            let ledger: Vec<_> = posting.entries().map(|entry| self.known(entry)).collect();
            Err(format!(
                "{posting:?} is {posted:?}, and the ledger has {ledger:?}"
            ))
        }
    }

    /// The entry of the ledger with the same reference.
    fn known(&self, entry: &LedgerEntry) -> Option<&super::state::Entry> {
        let mut ledger = self.auditor.state.ledger.iter().map(|(_, known)| known);
        ledger.find(|known| known.reference == entry.reference)
    }

    fn is_in_ledger(&self, entry: &LedgerEntry) -> bool {
        self.known(entry).is_some_and(|known| {
            known.account == entry.account.as_str()
                && known.kind == entry.kind.as_str()
                && known.amount == entry.amount.get()
        })
    }

    /// What the giver of a transfer lacks: its debt, and what of the amount is not free.
    fn missing(&self, posting: &Posting) -> i64 {
        let giver = posting.entries().find(|entry| entry.amount < Nanos::ZERO);
        let row = giver.and_then(|giver| {
            let row = self
                .auditor
                .state
                .accounts
                .get(&giver.account.to_string())?;
            Some((row, giver.amount.get()))
        });
        row.map_or(0, |(row, amount)| {
            let free = row.balance - row.purse.held;
            row.debt.saturating_add((-amount - free).max(0))
        })
    }

    /// Whether an entry cannot enter: nobody has the account, or the amount fits nowhere.
    fn is_impossible(&self, entry: &LedgerEntry) -> bool {
        let account = self.auditor.state.accounts.get(&entry.account.to_string());
        account.is_none_or(|account| {
            let amount = i128::from(entry.amount.get());
            let debt = debt_after(account, entry.amount.get());
            let owned = i128::from(account.balance) - i128::from(account.debt) + amount;
            let fits = i64::try_from(debt).is_ok() && i64::try_from(owned + debt).is_ok();
            amount == 0 || !fits || amount == i128::from(i64::MIN)
        })
    }
}
