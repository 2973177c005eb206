//! Who is there: an operator, resellers, customers with keys, their prices, and models with their
//! costs. All of it is drawn from the seed, with amounts at the edges.

use tollgate_core::accounts::{AccountKind, Commit, NewAccount, NewKey, NewRule};
use tollgate_core::audit::Change;
use tollgate_core::catalogue::{Cost, Dimension, Import, Model, Sources, UnitPrices, store};
use tollgate_core::hrana::{Batch, Statement};
use tollgate_core::ids::{AccountId, KeyId, RuleId};
use tollgate_core::key::{ApiKey, KeyHash};
use tollgate_core::ledger::{EntryKind, LedgerEntry};
use tollgate_core::limits::Limits;
use tollgate_core::money::{Nanos, Picos};

use super::Simulation;
use super::audit::Intent;
use super::wire::Sender;

/// Everybody, as far as others need to know.
#[derive(Debug, Default)]
pub struct People {
    /// Accounts that set prices for those below them; the operator is the first.
    pub sellers: Vec<AccountId>,
    /// Accounts that are charged.
    pub payers: Vec<AccountId>,
    /// Accounts with keys.
    pub customers: Vec<AccountId>,
    /// Keys, those that were revoked too.
    pub keys: Vec<KeyPerson>,
    /// Slugs of models.
    pub models: Vec<String>,
}

/// A key and whose it is.
#[derive(Clone, Debug)]
pub struct KeyPerson {
    pub id: KeyId,
    pub hash: KeyHash,
    pub account: AccountId,
}

impl People {
    /// The root.
    pub fn operator(&self) -> &AccountId {
        &self.sellers[0]
    }
}

impl Simulation {
    /// Draws everybody and everything.
    pub(super) fn found(&mut self) -> Result<(), String> {
        self.open(AccountKind::Operator, None)?;
        let operator = self.people.operator().clone();
        for _ in 0..self.chance.within(1, 2) {
            let above = self.chance.pick(&self.people.sellers).clone();
            self.open(AccountKind::Reseller, Some(above))?;
        }
        for _ in 0..self.chance.within(1, 3) {
            let above = self.chance.pick(&self.people.sellers).clone();
            self.open(AccountKind::Customer, Some(above))?;
        }
        for slug in ["sim/a", "sim/b", "other/c"] {
            self.people.models.push(slug.to_owned());
            self.reprice_model(slug, 0)?;
        }
        for seller in self.people.sellers.clone() {
            self.add_rule(&seller, "*", 0)?;
        }
        let rich = self.chance.percent(60);
        for account in self.people.payers.clone() {
            let amount = if rich {
                1 << 60
            } else {
                *self
                    .chance
                    .pick(&[0, 1, 1_000, 1_000_000, 1_000_000_000, 1 << 50])
            };
            self.grant(&account, amount)?;
        }
        for customer in self.people.customers.clone() {
            for _ in 0..self.chance.within(1, 2) {
                self.add_key(&customer)?;
            }
        }
        debug_assert_eq!(&operator, self.people.operator());
        Ok(())
    }

    fn open(&mut self, kind: AccountKind, parent: Option<AccountId>) -> Result<(), String> {
        let account = NewAccount {
            id: AccountId::from_random(self.chance.bytes()),
            kind,
            parent,
            name: "simulation".to_owned(),
            limits: Limits::default(),
        };
        let id = account.id.clone();
        if kind == AccountKind::Operator {
            self.people.sellers.push(id.clone());
        }
        let change = self.change();
        self.commit(account.to_batch(&change))?;
        match kind {
            AccountKind::Operator => {}
            AccountKind::Reseller => {
                self.people.sellers.push(id.clone());
                self.people.payers.push(id);
            }
            AccountKind::Customer => {
                self.people.customers.push(id.clone());
                self.people.payers.push(id);
            }
        }
        Ok(())
    }

    /// A key with limits and a budget, or without.
    pub(super) fn add_key(&mut self, account: &AccountId) -> Result<(), String> {
        let key = ApiKey::from_random(self.chance.bytes());
        let lasts = *self.chance.pick(&[
            None,
            None,
            None,
            None,
            None,
            Some(3_600_000),
            Some(120_000),
            Some(0),
        ]);
        let new = NewKey {
            id: KeyId::from_random(self.chance.bytes()),
            account: account.clone(),
            name: "simulation".to_owned(),
            expires_at_ms: lasts.map(|lasts| self.clock.now_ms + lasts),
            limits: self.limits(),
            key,
        };
        let person = KeyPerson {
            id: new.id.clone(),
            hash: new.key.hash(),
            account: account.clone(),
        };
        let change = self.change();
        self.commit(new.to_batch(&change))?;
        self.people.keys.push(person);
        Ok(())
    }

    fn limits(&mut self) -> Limits {
        if self.chance.percent(60) {
            return Limits::default();
        }
        Limits {
            requests_per_minute: self.perhaps(&[1, 3, 20]),
            requests_per_hour: self.perhaps(&[2, 10, 100]),
            requests_per_day: self.perhaps(&[5, 50]),
            tokens_per_minute: self.perhaps(&[300, 5_000, 1_000_000]),
            parallel_calls: self.perhaps(&[1, 2, 4]),
            max_tokens: self.perhaps(&[1_000, 100_000]),
            default_max_tokens: self.perhaps(&[1, 100]),
            allowed_models: self.chance.percent(5).then(|| vec!["sim/*".to_owned()]),
        }
    }

    pub(super) fn perhaps(&mut self, values: &[u64]) -> Option<u64> {
        self.chance.percent(30).then(|| *self.chance.pick(values))
    }

    /// A rule of a seller for its children.
    pub(super) fn add_rule(
        &mut self,
        seller: &AccountId,
        pattern: &str,
        starts_at_ms: i64,
    ) -> Result<(), String> {
        let rule = NewRule {
            id: RuleId::from_random(self.chance.bytes()),
            account: seller.clone(),
            pattern: pattern.to_owned(),
            markup_bps: *self
                .chance
                .pick(&[0, 0, 0, 1, 1_500, 1_500, 10_000, 10_000_000]),
            min_charge: Nanos::new(*self.chance.pick(&[0, 0, 1, 1_000, 1_000_000])),
            priority: *self.chance.pick(&[0, 0, 0, 1]),
            starts_at_ms,
        };
        let change = self.change();
        self.commit(rule.to_batch(&change))
    }

    /// New costs of a model from a moment on.
    pub(super) fn reprice_model(&mut self, slug: &str, from_ms: i64) -> Result<(), String> {
        let prices = [
            0,
            1,
            999,
            1_000,
            1_001,
            150_000,
            600_000,
            15_000_000,
            1_000_000_000,
        ];
        let mut price = || Picos::new(*self.chance.pick(&prices)).unwrap_or_default();
        let mut unit = UnitPrices::new(price(), price());
        let others = [price(), price(), price()];
        let dimensions = [
            Dimension::Request,
            Dimension::InputCacheRead,
            Dimension::InternalReasoning,
        ];
        for (dimension, price) in dimensions.into_iter().zip(others) {
            if self.chance.percent(40) {
                unit = unit.with(dimension, price);
            }
        }
        let model = Model {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            context_length: Some(2_000_000),
            max_completion_tokens: *self.chance.pick(&[None, Some(4_096), Some(1_000_000)]),
            max_image_tokens: None,
            hidden_reasoning: self.chance.percent(30),
            free: false,
            details: "{}".to_owned(),
        };
        let cost = Cost {
            effective_from_ms: from_ms,
            prices: unit,
            overrides: Vec::new(),
        };
        let import = Import {
            models: vec![(model, cost)],
            refused: Vec::new(),
        };
        let sources = Sources {
            document: "simulation".to_owned(),
            ..Sources::default()
        };
        let change = self.change();
        self.commit(store(&import, &sources, &change))
    }

    fn grant(&mut self, account: &AccountId, nanos: i64) -> Result<(), String> {
        if nanos == 0 {
            return Ok(());
        }
        let entry = LedgerEntry {
            account: account.clone(),
            kind: EntryKind::Grant,
            amount: Nanos::new(nanos),
            reference: format!("found:{}", self.draw()),
            reason: "simulation".to_owned(),
        };
        let post = entry.to_batch(&self.change());
        self.send_safely(post.batch, Sender::Person, &Intent::Post(entry.into()))
            .map(drop)
    }

    /// Makes a change that must be possible.
    pub(super) fn commit(&mut self, (batch, step): Commit) -> Result<(), String> {
        let reply = self.send_safely(batch, Sender::Person, &Intent::Office)?;
        if reply.is_ok(step) {
            Ok(())
        } else {
            let failed: Vec<_> = reply.failures().collect();
            Err(format!("a person's change failed: {failed:?}"))
        }
    }

    /// Executes one statement of a person's.
    pub(super) fn statement(&mut self, statement: Statement) -> Result<(), String> {
        let mut batch = Batch::new();
        let step = batch.step(None, statement);
        self.commit((batch, step))
    }

    pub(super) fn change(&self) -> Change {
        Change {
            account: self.people.operator().clone(),
            actor: "simulation".to_owned(),
            at_ms: self.clock.now_ms,
        }
    }
}
