//! A small world to act in: an operator, a reseller below it, and customers of either with keys.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use tollgate_core::accounts::{AccountKind, Commit, NewAccount, NewKey, NewRule};
use tollgate_core::audit::Change;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, KeyId, RuleId};
use tollgate_core::key::ApiKey;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;

use crate::Database;

/// A database and who lives in it.
#[derive(Debug)]
pub struct World<D> {
    /// Where they live.
    pub database: D,
    /// The root.
    pub operator: AccountId,
    /// Below the operator, without credit and without rules for its customers.
    pub reseller: AccountId,
    now_ms: i64,
    drawn: AtomicU32,
}

/// A customer with one key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The customer.
    pub account: AccountId,
    /// Its key's id.
    pub key_id: KeyId,
    /// Its key.
    pub key: ApiKey,
}

/// What an account has, in nanos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Its credit.
    pub balance: i64,
    /// What of it calls in flight hold.
    pub held: i64,
    /// What it owes.
    pub debt: i64,
    /// What its calls cost so far.
    pub charged: i64,
}

impl<D: Deref<Target = Database>> World<D> {
    /// Peoples an empty database; everything happens at `now_ms`.
    #[must_use]
    pub fn new(database: D, now_ms: i64) -> Self {
        let world = Self {
            database,
            operator: AccountId::from_random([1; 10]),
            reseller: AccountId::from_random([2; 10]),
            now_ms,
            drawn: AtomicU32::new(100),
        };
        world.open(&world.operator, AccountKind::Operator, None);
        world.open(
            &world.reseller,
            AccountKind::Reseller,
            Some(&world.operator),
        );
        world
    }

    /// A new reseller with `credit` nanos, whose customers pay its price and `markup_bps` besides.
    pub fn new_reseller(&self, credit: i64, markup_bps: i64) -> AccountId {
        let account = AccountId::from_random(self.random());
        self.open(&account, AccountKind::Reseller, Some(&self.operator));
        self.grant(&account, credit);
        self.rule(&account, "*", (markup_bps, 0));
        account
    }

    /// A new customer below `parent` with `credit` nanos and a key with these limits.
    pub fn caller(&self, parent: &AccountId, credit: i64, limits: Limits) -> Caller {
        self.caller_until(parent, credit, (limits, None))
    }

    /// The same, with a key that ends at this moment.
    pub fn caller_until(
        &self,
        parent: &AccountId,
        credit: i64,
        (limits, expires_at_ms): (Limits, Option<i64>),
    ) -> Caller {
        let account = AccountId::from_random(self.random());
        self.open(&account, AccountKind::Customer, Some(parent));
        self.grant(&account, credit);
        let key = NewKey {
            id: KeyId::from_random(self.random()),
            account: account.clone(),
            key: ApiKey::from_random(self.secret()),
            name: "first".to_owned(),
            expires_at_ms,
            limits,
        };
        self.commit(key.to_batch(&self.change()));
        Caller {
            account,
            key_id: key.id,
            key: key.key,
        }
    }

    /// Gives an account credit.
    pub fn grant(&self, account: &AccountId, nanos: i64) {
        if nanos != 0 {
            let entry = LedgerEntry {
                account: account.clone(),
                kind: EntryKind::Grant,
                amount: Nanos::new(nanos),
                reference: format!("grant:{}", self.draw()),
                reason: "test".to_owned(),
            };
            assert_eq!(self.post(&entry), Posted::Now);
        }
    }

    /// Posts a ledger entry.
    pub fn post(&self, entry: &LedgerEntry) -> Posted {
        let post = entry.to_batch(&self.change());
        let reply = self.database.execute(&post.batch);
        post.read(&reply).expect("an answer")
    }

    /// A rule by which `owner` charges its children for the models of this pattern: its markup, and
    /// what a call costs at least.
    pub fn rule(&self, owner: &AccountId, pattern: &str, (markup_bps, min): (i64, i64)) -> RuleId {
        let rule = NewRule {
            id: RuleId::from_random(self.random()),
            account: owner.clone(),
            pattern: pattern.to_owned(),
            markup_bps,
            min_charge: Nanos::new(min),
            priority: 0,
            starts_at_ms: 0,
        };
        self.commit(rule.to_batch(&self.change()));
        rule.id
    }

    /// Makes a change that must be possible.
    pub fn commit(&self, (batch, commit): Commit) {
        let reply = self.database.execute(&batch);
        assert!(
            reply.is_ok(commit),
            "{:?}",
            reply.failures().collect::<Vec<_>>()
        );
    }

    /// Tries a change that must be impossible.
    pub fn refused(&self, (batch, commit): Commit) {
        assert!(!self.database.execute(&batch).is_ok(commit));
    }

    /// Who makes the changes here.
    pub fn change(&self) -> Change {
        Change {
            account: self.operator.clone(),
            actor: "test".to_owned(),
            at_ms: self.now_ms,
        }
    }

    /// What an account has now.
    pub fn wallet(&self, account: &AccountId) -> Wallet {
        let select = "SELECT balance_nanos, held_nanos, debt_nanos, charged_nanos FROM accounts \
                      WHERE id = ?1";
        let statement = Statement::new(select).bind(account.as_str());
        let row = self.database.row(statement);
        let nanos = |column| row.get(column).expect("an amount");
        Wallet {
            balance: nanos(0),
            held: nanos(1),
            debt: nanos(2),
            charged: nanos(3),
        }
    }

    /// A number that nobody here had before.
    pub fn draw(&self) -> u32 {
        self.drawn.fetch_add(1, Ordering::Relaxed)
    }

    fn random(&self) -> [u8; 10] {
        let mut random = [0; 10];
        random[..4].copy_from_slice(&self.draw().to_le_bytes());
        random
    }

    /// Unlike ids, keys differ between worlds: what a log of one says is not in another's.
    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        for part in secret.chunks_mut(8) {
            let number = RandomState::new().hash_one(self.draw());
            part.copy_from_slice(&number.to_le_bytes());
        }
        secret
    }

    fn open(&self, id: &AccountId, kind: AccountKind, parent: Option<&AccountId>) {
        let account = NewAccount {
            id: id.clone(),
            kind,
            parent: parent.cloned(),
            name: "test".to_owned(),
            limits: Limits::default(),
        };
        self.commit(account.to_batch(&self.change()));
    }
}
