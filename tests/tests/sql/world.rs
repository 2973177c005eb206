//! The steps of a call in a small world, one by one, without a gateway.

use std::ops::Deref;

use tollgate_core::admission::{
    Admission, Ask, LevelHold, Snapshot, read_snapshot, snapshot_statement,
};
use tollgate_core::audit::{Change, ChangeBatch, Changed};
use tollgate_core::hrana::{Reply, Row, Statement};
use tollgate_core::ids::{AccountId, RequestId, RuleId};
use tollgate_core::money::Nanos;
use tollgate_core::settlement::{Outcome, Priced, Resolution, ResolutionFacts, Resolved};
use tollgate_core::usage::Usage;
pub use tollgate_tests::Caller;
use tollgate_tests::Server;

/// 2026-11-22T12:00:00Z.
pub const NOW_MS: i64 = 1_795_348_800_000;

/// A world with a database of its own.
pub struct World(pub tollgate_tests::World<Server>);

impl Deref for World {
    type Target = tollgate_tests::World<Server>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl World {
    pub fn new() -> Self {
        Self(tollgate_tests::World::new(Server::start(), NOW_MS))
    }

    /// A world with the models of the local stack, whose costs hold from now on.
    pub fn with_catalogue() -> Self {
        let world = Self::new();
        let client = xtask::database::Database::new(world.database.url(), None).unwrap();
        let mut session = xtask::admin::Session::of_user(&client);
        session.now_ms = NOW_MS;
        xtask::catalogue::import(&session, xtask::catalogue::SEED, "seed").unwrap();
        world
    }

    /// A change that a person of the account makes.
    pub fn by(&self, account: &AccountId) -> Change {
        Change {
            account: account.clone(),
            actor: "person:per_ada".to_owned(),
            ..self.change()
        }
    }

    /// Makes a change, and tells what the database said.
    pub fn made(&self, change: &ChangeBatch) -> Changed {
        change.read(&self.database.execute(&change.batch))
    }

    /// A rule for every model.
    pub fn rule(&self, owner: &AccountId) -> RuleId {
        self.0.rule(owner, "*", (1_000, 0))
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
            budget: snapshot.key.purse.budget,
            idempotency: None,
            catalogue_version: snapshot.catalogue_version,
            levels: levels.collect(),
            model: "sim/echo".to_owned(),
            provider: "openrouter",
            provider_account: None,
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
        let facts = ResolutionFacts {
            resolved_at_ms: ask.now_ms + 500,
            ..ResolutionFacts::default()
        };
        let key = self.snapshot(caller).key;
        let priced = Priced {
            cost: Nanos::new(charge),
            charges: vec![Nanos::new(charge); ask.levels.len()],
            shortfall: Nanos::ZERO,
        };
        Resolution::of((ask, &key), &ask.levels, Outcome::Exact(usage), facts).with_prices(&priced)
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
        let wallet = self.0.wallet(account);
        (wallet.balance, wallet.held, wallet.debt, wallet.charged)
    }

    pub fn row(&self, statement: Statement) -> Row {
        self.database.row(statement)
    }
}
