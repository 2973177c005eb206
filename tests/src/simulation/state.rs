//! What stands in the tables, read after every step with statements of the simulation's own, and what
//! changed since the step before. What it must look like is not decided here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tollgate_core::hrana::{Batch, Column, Row, Statement};

use super::tariff::Tariff;
use super::wire::{Sender, Wire};

/// An account. Amounts are nanos.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Account {
    pub parent: Option<String>,
    pub status: String,
    pub balance: i64,
    pub debt: i64,
    pub purse: Purse,
    pub rules_version: i64,
    pub chain: Vec<String>,
    pub limits: Limits,
}

/// What an account or a key may spend, has spent and holds.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Purse {
    /// For ever, a day, a week, a month.
    pub budget: [Option<i64>; 4],
    /// In the same order.
    pub charged: [i64; 4],
    /// The numbers of the day, week and month.
    pub periods: [i64; 3],
    pub held: i64,
}

/// Limits that are set.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Limits {
    /// Requests a minute, hour and day, and tokens a minute.
    pub windows: [Option<i64>; 4],
    pub parallel: Option<i64>,
    pub max_tokens: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Key {
    pub account: String,
    pub revoked_at_ms: Option<i64>,
    pub expires_at_ms: Option<i64>,
    pub version: i64,
    pub limits: Limits,
    pub open_holds: i64,
    pub purse: Purse,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Request {
    pub nonce: i64,
    pub account: String,
    pub key: String,
    pub state: String,
    pub levels: Vec<Level>,
    pub lease_until_ms: i64,
    pub model: String,
    pub provider_id: Option<String>,
    pub cost_id: i64,
    pub prompt_estimate: i64,
    pub reserved_tokens: i64,
    pub created_at_ms: i64,
    pub progress_tokens: i64,
    pub outcome: Option<String>,
    /// Prompt, cached, completion and reasoning.
    pub tokens: [Option<i64>; 4],
    pub cost: Option<i64>,
    pub shortfall: Option<i64>,
    pub resolved_at_ms: Option<i64>,
    pub trued_up_at_ms: Option<i64>,
    /// What no check looks at, so that a change of it is noticed all the same.
    pub rest: serde_json::Value,
}

/// What a level of a call holds or is charged.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Level {
    pub account: String,
    pub rule: String,
    pub rules_version: i64,
    pub hold: i64,
    pub charge: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Entry {
    pub account: String,
    pub kind: String,
    pub amount: i64,
    pub reference: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Rule {
    pub account: String,
    pub pattern: String,
    pub markup_bps: i64,
    pub least: i64,
    pub priority: i64,
    pub starts_at_ms: i64,
    pub ends_at_ms: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Cost {
    pub model: String,
    pub effective_from_ms: i64,
    pub prices: Prices,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Prices {
    pub prices: Tariff,
}

/// The first call with an `Idempotency-Key`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct FirstCall {
    pub fingerprint: String,
    pub request: i64,
    pub created_at_ms: i64,
}

macro_rules! limits {
    () => {
        "json_array(json_array(requests_per_minute, requests_per_hour, requests_per_day, \
         tokens_per_minute), parallel_calls, max_tokens)"
    };
}

macro_rules! purse {
    ($budget:literal) => {
        concat!(
            "json_array(json_array(",
            $budget,
            "_total_nanos, ",
            $budget,
            "_day_nanos, ",
            $budget,
            "_week_nanos, ",
            $budget,
            "_month_nanos), ",
            "json_array(charged_nanos, charged_day_nanos, charged_week_nanos, ",
            "charged_month_nanos), json_array(charged_day, charged_week, charged_month), ",
            "held_nanos)"
        )
    };
}

/// A table each: its key, and the rest of the row as JSON.
const TABLES: [&str; 7] = [
    concat!(
        "SELECT id, json_array(parent_id, status, balance_nanos, debt_nanos, ",
        purse!("spend_limit"),
        ", rules_version, json(chain), ",
        limits!(),
        ") FROM accounts ORDER BY id"
    ),
    concat!(
        "SELECT id, json_array(account_id, revoked_at_ms, expires_at_ms, version, ",
        limits!(),
        ", open_holds, ",
        purse!("budget"),
        ") FROM keys ORDER BY id"
    ),
    "SELECT id, json_array(nonce, account_id, key_id, state, json(levels), lease_until_ms, model, \
     provider_id, cost_id, prompt_estimate, reserved_tokens, created_at_ms, progress_tokens, outcome, \
     json_array(prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens), cost_nanos, \
     shortfall_nanos, resolved_at_ms, trued_up_at_ms, json_array(provider, streamed, max_tokens, cache_write_tokens, \
     status, error_code, finish_reason, first_byte_ms, total_ms, reported_cost_nanos)) FROM requests ORDER BY id",
    "SELECT id, json_array(account_id, kind, amount_nanos, reference) FROM ledger_entries ORDER BY id",
    "SELECT id, json_array(account_id, pattern, markup_bps, min_charge_nanos, priority, starts_at_ms, \
     ends_at_ms) FROM price_rules ORDER BY id",
    "SELECT id, json_array(model, effective_from_ms, json(prices)) FROM costs ORDER BY id",
    "SELECT account_id || ' ' || idempotency_key, json_array(hex(fingerprint), request_id, \
     created_at_ms) FROM idempotency_keys ORDER BY 1",
];

/// A table as it was read last.
#[derive(Debug)]
pub struct Table<K, V> {
    rows: BTreeMap<K, (String, V)>,
}

/// What became of a row: what it was before, unless it is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<K, V> {
    pub key: K,
    pub before: Option<V>,
    pub after: Option<V>,
}

/// Everything that matters, as it was read last.
#[derive(Debug)]
pub struct State {
    read: Batch,
    pub accounts: Table<String, Account>,
    pub keys: Table<String, Key>,
    pub requests: Table<i64, Request>,
    pub ledger: Table<i64, Entry>,
    pub rules: Table<String, Rule>,
    pub costs: Table<i64, Cost>,
    pub first_calls: Table<String, FirstCall>,
}

/// What one step changed.
#[derive(Debug, Default)]
pub struct Changes {
    pub accounts: Vec<Change<String, Account>>,
    pub keys: Vec<Change<String, Key>>,
    pub requests: Vec<Change<i64, Request>>,
    pub ledger: Vec<Change<i64, Entry>>,
    pub rules: Vec<Change<String, Rule>>,
    pub costs: Vec<Change<i64, Cost>>,
    pub first_calls: Vec<Change<String, FirstCall>>,
}

impl<K: Ord + Clone + Column, V: Clone + DeserializeOwned> Table<K, V> {
    const fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
        }
    }

    /// The row with this key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).map(|(_, row)| row)
    }

    /// Every row, by its key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter().map(|(key, (_, row))| (key, row))
    }

    /// Takes over what was read; the rows come in the order of their keys.
    fn absorb(&mut self, rows: &[Row]) -> Result<Vec<Change<K, V>>, String> {
        let mut changes = Vec::new();
        for row in rows {
            let key: K = row.get(0).map_err(|fault| fault.to_string())?;
            let text: String = row.get(1).map_err(|fault| fault.to_string())?;
            let known = self.rows.get(&key);
            if known.is_some_and(|(known, _)| *known == text) {
                continue;
            }
            let value: V = serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))?;
            let before = self.rows.insert(key.clone(), (text, value.clone()));
            changes.push(Change {
                key,
                before: before.map(|(_, row)| row),
                after: Some(value),
            });
        }
        if self.rows.len() > rows.len() {
            self.drop_missing(rows, &mut changes);
        }
        Ok(changes)
    }

    fn drop_missing(&mut self, rows: &[Row], changes: &mut Vec<Change<K, V>>) {
        let there: Vec<K> = rows.iter().filter_map(|row| row.get(0).ok()).collect();
        self.rows.retain(|key, (_, row)| {
            let stays = there.binary_search(key).is_ok();
            if !stays {
                changes.push(Change {
                    key: key.clone(),
                    before: Some(row.clone()),
                    after: None,
                });
            }
            stays
        });
    }
}

impl State {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        let mut read = Batch::new();
        for sql in TABLES {
            read.step(None, Statement::new(sql));
        }
        Self {
            read,
            accounts: Table::new(),
            keys: Table::new(),
            requests: Table::new(),
            ledger: Table::new(),
            rules: Table::new(),
            costs: Table::new(),
            first_calls: Table::new(),
        }
    }

    /// Reads everything anew.
    ///
    /// # Errors
    /// When a row is not what it should be.
    pub fn refresh(&mut self, wire: &mut Wire) -> Result<Changes, String> {
        let reply = wire.execute(&self.read, Sender::Watcher);
        if let Some((step, code)) = reply.failures().next() {
            return Err(format!("cannot read `{}`: {code}", TABLES[step]));
        }
        Ok(Changes {
            accounts: self.accounts.absorb(reply.rows(0))?,
            keys: self.keys.absorb(reply.rows(1))?,
            requests: self.requests.absorb(reply.rows(2))?,
            ledger: self.ledger.absorb(reply.rows(3))?,
            rules: self.rules.absorb(reply.rows(4))?,
            costs: self.costs.absorb(reply.rows(5))?,
            first_calls: self.first_calls.absorb(reply.rows(6))?,
        })
    }
}

impl Changes {
    /// An account as it was before the step.
    #[must_use]
    pub fn account_before<'a>(&'a self, state: &'a State, id: &String) -> Option<&'a Account> {
        match self.accounts.iter().find(|change| change.key == *id) {
            Some(change) => change.before.as_ref(),
            None => state.accounts.get(id),
        }
    }

    /// A key as it was before the step.
    #[must_use]
    pub fn key_before<'a>(&'a self, state: &'a State, id: &String) -> Option<&'a Key> {
        match self.keys.iter().find(|change| change.key == *id) {
            Some(change) => change.before.as_ref(),
            None => state.keys.get(id),
        }
    }

    /// The first call with an idempotency key as it was before the step.
    #[must_use]
    pub fn first_call_before<'a>(&'a self, state: &'a State, id: &String) -> Option<&'a FirstCall> {
        match self.first_calls.iter().find(|change| change.key == *id) {
            Some(change) => change.before.as_ref(),
            None => state.first_calls.get(id),
        }
    }
}
