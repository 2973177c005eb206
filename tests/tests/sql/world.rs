//! A small world to act in: an operator, a reseller and a customer of each, with keys.

use std::sync::atomic::{AtomicU32, Ordering};

use tollgate_core::accounts::{AccountKind, Commit, NewAccount, NewKey, NewRule};
use tollgate_core::admission::{
    Admission, Ask, LevelHold, Snapshot, read_snapshot, snapshot_statement,
};
use tollgate_core::audit::Change;
use tollgate_core::hrana::{Reply, Row, Statement};
use tollgate_core::ids::{AccountId, KeyId, RequestId, RuleId};
use tollgate_core::key::ApiKey;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::settlement::{LevelCharge, Outcome, Resolution, ResolutionFacts, Resolved};
use tollgate_core::usage::Usage;
use tollgate_tests::Database;

/// 2026-11-22T12:00:00Z.
pub const NOW_MS: i64 = 1_795_348_800_000;

/// The database and who lives in it.
pub struct World {
    pub database: Database,
    pub operator: AccountId,
    pub reseller: AccountId,
    drawn: AtomicU32,
}

/// A customer with one key.
pub struct Caller {
    pub account: AccountId,
    pub key_id: KeyId,
    pub key: ApiKey,
}

impl World {
    pub fn new() -> Self {
        let world = Self {
            database: Database::start(),
            operator: AccountId::from_random([1; 10]),
            reseller: AccountId::from_random([2; 10]),
            drawn: AtomicU32::new(100),
        };
        world.commit(world.account(&world.operator, AccountKind::Operator, None));
        world.commit(world.account(
            &world.reseller,
            AccountKind::Reseller,
            Some(&world.operator),
        ));
        world
    }

    /// A new customer below `parent` with `credit` nanos and a key with these limits.
    pub fn caller(&self, parent: &AccountId, credit: i64, limits: Limits) -> Caller {
        let account = AccountId::from_random(self.random());
        self.commit(self.account(&account, AccountKind::Customer, Some(parent)));
        self.grant(&account, credit);
        let key = NewKey {
            id: KeyId::from_random(self.random()),
            account: account.clone(),
            key: ApiKey::from_random([self.random()[0]; 32]),
            name: "first".to_owned(),
            expires_at_ms: None,
            limits,
        };
        self.commit(key.to_batch(&self.change()));
        Caller {
            account,
            key_id: key.id,
            key: key.key,
        }
    }

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

    pub fn post(&self, entry: &LedgerEntry) -> Posted {
        let post = entry.to_batch(&self.change());
        post.read(&self.database.execute(&post.batch)).unwrap()
    }

    pub fn rule(&self, owner: &AccountId) -> RuleId {
        let rule = NewRule {
            id: RuleId::from_random(self.random()),
            account: owner.clone(),
            pattern: "*".to_owned(),
            markup_bps: 1_000,
            min_charge: Nanos::ZERO,
            priority: 0,
            starts_at_ms: 0,
        };
        self.commit(rule.to_batch(&self.change()));
        rule.id
    }

    pub fn commit(&self, (batch, commit): Commit) {
        let reply = self.database.execute(&batch);
        assert!(
            reply.is_ok(commit),
            "{:?}",
            reply.failures().collect::<Vec<_>>()
        );
    }

    pub fn refused(&self, (batch, commit): Commit) {
        assert!(!self.database.execute(&batch).is_ok(commit));
    }

    pub fn change(&self) -> Change {
        Change {
            account: self.operator.clone(),
            actor: "test".to_owned(),
            at_ms: NOW_MS,
        }
    }

    pub fn snapshot(&self, caller: &Caller) -> Snapshot {
        let reply = self.database.run(snapshot_statement(&caller.key.hash()));
        read_snapshot(&reply.rows(0)[0]).unwrap()
    }

    /// A call of the caller that holds `hold` nanos at every level.
    pub fn ask(&self, caller: &Caller, hold: i64) -> Ask {
        let snapshot = self.snapshot(caller);
        let levels = snapshot.levels.iter().map(|level| LevelHold {
            account: level.account.clone(),
            rule: RuleId::from_random([9; 10]),
            rules_version: level.rules_version,
            hold: Nanos::new(hold),
        });
        Ask {
            request: RequestId::new(NOW_MS, self.draw()),
            nonce: i64::from(self.draw()),
            key_hash: caller.key.hash(),
            now_ms: NOW_MS,
            lease_until_ms: NOW_MS + 120_000,
            key_version: snapshot.key.version,
            limits: snapshot.key.limits,
            catalogue_version: snapshot.catalogue_version,
            levels: levels.collect(),
            model: "sim/echo".to_owned(),
            provider: "openrouter",
            cost_id: 1,
            streamed: false,
            wanted_max_tokens: None,
            max_tokens: 100,
            prompt_estimate: 10,
            reserved_tokens: 110,
        }
    }

    pub fn admit(&self, ask: &Ask) -> Admission {
        self.admit_counted(ask).0
    }

    pub fn admit_counted(&self, ask: &Ask) -> (Admission, Reply) {
        let admit = ask.to_batch();
        let reply = self.database.execute(&admit.batch);
        (admit.read(ask, &reply).unwrap(), reply)
    }

    /// How the hold of `ask` ends: `charge` nanos at every level.
    pub fn resolution(&self, caller: &Caller, ask: &Ask, charge: i64) -> Resolution {
        let usage = Usage {
            prompt_tokens: 7,
            completion_tokens: 5,
            ..Usage::default()
        };
        Resolution {
            request: ask.request,
            account: caller.account.clone(),
            key: caller.key_id.clone(),
            created_at_ms: ask.now_ms,
            reserved_tokens: ask.reserved_tokens,
            levels: ask
                .levels
                .iter()
                .map(|level| LevelCharge {
                    account: level.account.clone(),
                    rule: level.rule.clone(),
                    rules_version: level.rules_version,
                    hold: level.hold,
                    charge: Nanos::new(charge),
                })
                .collect(),
            outcome: Outcome::Exact(usage),
            cost: Nanos::new(charge),
            shortfall: Nanos::ZERO,
            facts: ResolutionFacts {
                resolved_at_ms: ask.now_ms + 500,
                ..ResolutionFacts::default()
            },
        }
    }

    pub fn resolve(&self, resolution: &Resolution) -> Resolved {
        self.resolve_counted(resolution).0
    }

    pub fn resolve_counted(&self, resolution: &Resolution) -> (Resolved, Reply) {
        let batch = resolution.to_batch();
        let reply = self.database.execute(&batch.batch);
        (batch.read(&reply).unwrap(), reply)
    }

    /// `(balance, held, debt, charged)` in nanos.
    pub fn wallet(&self, account: &AccountId) -> (i64, i64, i64, i64) {
        let row = self.row(
            Statement::new(
                "SELECT balance_nanos, held_nanos, debt_nanos, charged_nanos FROM accounts WHERE id = ?1",
            )
            .bind(account.as_str()),
        );
        (
            row.get(0).unwrap(),
            row.get(1).unwrap(),
            row.get(2).unwrap(),
            row.get(3).unwrap(),
        )
    }

    pub fn row(&self, statement: Statement) -> Row {
        self.database.run(statement).rows(0)[0].clone()
    }

    pub fn draw(&self) -> u32 {
        self.drawn.fetch_add(1, Ordering::Relaxed)
    }

    fn random(&self) -> [u8; 10] {
        let mut random = [0; 10];
        random[..4].copy_from_slice(&self.draw().to_le_bytes());
        random
    }

    fn account(&self, id: &AccountId, kind: AccountKind, parent: Option<&AccountId>) -> Commit {
        let account = NewAccount {
            id: id.clone(),
            kind,
            parent: parent.cloned(),
            name: "test".to_owned(),
            limits: Limits::default(),
        };
        account.to_batch(&self.change())
    }
}
