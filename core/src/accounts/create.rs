//! What can be created: accounts, keys and price rules, each in one transaction with its audit entry.

use serde_json::{Value as Json, json};

use super::{AccountKind, Commit, commit, raise_rules_version};
use crate::audit::{Change, Entry};
use crate::budget::{Budget, Period};
use crate::hrana::{Statement, Value};
use crate::ids::{AccountId, KeyId, RuleId};
use crate::key::ApiKey;
use crate::limits::Limits;
use crate::money::Nanos;

/// An account to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// Its id.
    pub id: AccountId,
    /// What it is.
    pub kind: AccountKind,
    /// The account above it; none for the operator, of which there is one.
    pub parent: Option<AccountId>,
    /// What people call it.
    pub name: String,
    /// Defaults for its keys.
    pub limits: Limits,
}

/// A key to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// The account that its calls charge.
    pub account: AccountId,
    /// The key itself; only its hash and display prefix are stored.
    pub key: ApiKey,
    /// What people call it.
    pub name: String,
    /// When it ends, in Unix milliseconds.
    pub expires_at_ms: Option<i64>,
    /// Its own limits; where it has none, the account's defaults hold.
    pub limits: Limits,
}

/// A price rule to create. A rule never changes, so that a charge can name it: it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRule {
    /// Its id.
    pub id: RuleId,
    /// The account that charges its children by it.
    pub account: AccountId,
    /// Which models it prices; `*` stands for any text.
    pub pattern: String,
    /// Added to the base, in hundredths of a percent.
    pub markup_bps: i64,
    /// What a call is charged at least.
    pub min_charge: Nanos,
    /// The highest priority wins.
    pub priority: i64,
    /// From when on it holds, in Unix milliseconds.
    pub starts_at_ms: i64,
}

const INSERT_ACCOUNT: &str = "\
INSERT INTO accounts (id, parent_id, kind, chain, name, created_at_ms, requests_per_minute,
  requests_per_hour, requests_per_day, tokens_per_minute, parallel_calls, max_tokens,
  default_max_tokens, allowed_models)
VALUES (?1, ?2, ?3, coalesce((SELECT CASE p.chain WHEN '[]' THEN json_array(?1)
    ELSE '[\"' || ?1 || '\",' || substr(p.chain, 2) END FROM accounts p WHERE p.id = ?2), '[]'),
  ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

const INSERT_KEY: &str = "\
INSERT INTO keys (id, account_id, hash, prefix, name, expires_at_ms, created_at_ms,
  requests_per_minute, requests_per_hour, requests_per_day, tokens_per_minute, parallel_calls,
  max_tokens, default_max_tokens, allowed_models)
SELECT ?1, a.id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15
FROM accounts a WHERE a.id = ?2 AND a.kind <> 'operator'";

const INSERT_RULE: &str = "\
INSERT INTO price_rules (id, account_id, pattern, markup_bps, min_charge_nanos, priority,
  starts_at_ms, created_at_ms)
SELECT ?1, a.id, ?3, ?4, ?5, ?6, ?7, ?8 FROM accounts a WHERE a.id = ?2 AND a.kind <> 'customer'";

impl NewAccount {
    /// Creates the account below its parent.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        commit(self.statements(change))
    }

    /// What creates the account, each to change a row.
    pub(crate) fn statements(&self, change: &Change) -> [Statement; 2] {
        let insert = Statement::new(INSERT_ACCOUNT)
            .bind(self.id.as_str())
            .bind(self.parent.as_ref().map(AccountId::as_str))
            .bind(self.kind.as_str())
            .bind(self.name.as_str())
            .bind(change.at_ms);
        let entry = change.of(Entry {
            action: "account.create",
            table: "accounts",
            subject: self.id.as_str(),
            before: "'{}'",
            after: json!({
                "kind": self.kind.as_str(),
                "parent": self.parent.as_ref().map(AccountId::as_str),
                "name": self.name,
                "limits": limits_json(&self.limits),
            })
            .to_string(),
        });
        [bind_limits(insert, &self.limits), entry]
    }
}

impl NewKey {
    /// Creates the key.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let entry = self.entry(change, &Budget::default());
        commit([self.insert(change.at_ms), entry])
    }

    pub(super) fn insert(&self, at_ms: i64) -> Statement {
        let insert = Statement::new(INSERT_KEY)
            .bind(self.id.as_str())
            .bind(self.account.as_str())
            .bind(&self.key.hash().0[..])
            .bind(self.key.display_prefix())
            .bind(self.name.as_str())
            .bind(self.expires_at_ms)
            .bind(at_ms);
        bind_limits(insert, &self.limits)
    }

    /// Its line in the audit log, with the budget that it gets in the same transaction.
    pub(super) fn entry(&self, change: &Change, budget: &Budget) -> Statement {
        change.of(Entry {
            action: "key.create",
            table: "keys",
            subject: self.id.as_str(),
            before: "'{}'",
            after: json!({
                "account": self.account.as_str(),
                "prefix": self.key.display_prefix(),
                "name": self.name,
                "expires_at_ms": self.expires_at_ms,
                "limits": limits_json(&self.limits),
                "budget": budget_json(budget),
            })
            .to_string(),
        })
    }
}

impl NewRule {
    /// Creates the rule; the account's children are charged by it from its start.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let [insert, entry] = self.steps(change, None);
        commit([insert, entry, raise_rules_version(&self.account)])
    }

    /// Creates the rule, in the place of another if it `replaces` one, and logs it. Both change a row
    /// exactly if the account may have rules; whoever uses them raises the version.
    pub(crate) fn steps(&self, change: &Change, replaces: Option<&RuleId>) -> [Statement; 2] {
        let insert = Statement::new(INSERT_RULE)
            .bind(self.id.as_str())
            .bind(self.account.as_str())
            .bind(self.pattern.as_str())
            .bind(self.markup_bps)
            .bind(self.min_charge.get())
            .bind(self.priority)
            .bind(self.starts_at_ms)
            .bind(change.at_ms);
        let mut after = json!({
            "pattern": self.pattern,
            "markup_bps": self.markup_bps,
            "min_charge_nanos": self.min_charge.get(),
            "priority": self.priority,
            "starts_at_ms": self.starts_at_ms,
        });
        if let (Some(rule), Some(after)) = (replaces, after.as_object_mut()) {
            after.insert("replaces".to_owned(), json!(rule.as_str()));
        }
        let entry = change.of(Entry {
            action: "rule.create",
            table: "price_rules",
            subject: self.id.as_str(),
            before: "'{}'",
            after: after.to_string(),
        });
        [insert, entry]
    }
}

/// The limits that are set.
fn limits_json(limits: &Limits) -> Json {
    let mut object: serde_json::Map<String, Json> = limits
        .numbers()
        .into_iter()
        .filter_map(|(name, limit)| Some((name.to_owned(), json!(limit?))))
        .collect();
    if let Some(patterns) = &limits.allowed_models {
        object.insert("allowed_models".to_owned(), json!(patterns));
    }
    Json::Object(object)
}

/// The budgets that are set, in nanos.
fn budget_json(budget: &Budget) -> Json {
    let set = Period::ALL.into_iter().filter_map(|period| {
        let amount = budget.of(period)?.get();
        Some((period.as_str().to_owned(), json!(amount)))
    });
    Json::Object(set.collect())
}

/// Binds the eight limits, in the order of the columns.
fn bind_limits(statement: Statement, limits: &Limits) -> Statement {
    let count = |value: Option<u64>| -> Value {
        value
            .map(|value| i64::try_from(value).unwrap_or(i64::MAX))
            .into()
    };
    let models = limits
        .allowed_models
        .as_ref()
        .map(|models| json!(models).to_string());
    statement
        .bind(count(limits.requests_per_minute))
        .bind(count(limits.requests_per_hour))
        .bind(count(limits.requests_per_day))
        .bind(count(limits.tokens_per_minute))
        .bind(count(limits.parallel_calls))
        .bind(count(limits.max_tokens))
        .bind(count(limits.default_max_tokens))
        .bind(models)
}
