//! Accounts, keys and price rules: how people change them. Every change is one transaction with its
//! audit entry, and raises the version that calls in flight are compared with. The transaction
//! commits exactly when the subject exists and the change is allowed.

use serde_json::json;

use crate::audit::{Change, Entry};
use crate::hrana::{Batch, Statement, StepIndex, Value};
use crate::ids::{AccountId, KeyId, RuleId};
use crate::key::ApiKey;
use crate::limits::Limits;
use crate::money::Nanos;

/// A transaction, and the step that tells whether it took place.
pub type Commit = (Batch, StepIndex);

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// The root: owns the provider accounts and the catalogue.
    Operator,
    /// Has customers below it and a wholesale wallet.
    Reseller,
    /// Calls the gateway.
    Customer,
}

impl AccountKind {
    /// The word that the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Reseller => "reseller",
            Self::Customer => "customer",
        }
    }
}

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

const LIMIT_COLUMNS: &str = "\
requests_per_minute = ?3, requests_per_hour = ?4, requests_per_day = ?5, tokens_per_minute = ?6,
  parallel_calls = ?7, max_tokens = ?8, default_max_tokens = ?9, allowed_models = ?10";

const LIMITS_BEFORE: &str = "\
json_object('requests_per_minute', r.requests_per_minute, 'requests_per_hour', r.requests_per_hour,
  'requests_per_day', r.requests_per_day, 'tokens_per_minute', r.tokens_per_minute,
  'parallel_calls', r.parallel_calls, 'max_tokens', r.max_tokens,
  'default_max_tokens', r.default_max_tokens, 'allowed_models', r.allowed_models)";

impl NewAccount {
    /// Creates the account below its parent.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
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
            })
            .to_string(),
        });
        commit([bind_limits(insert, &self.limits), entry])
    }
}

impl NewKey {
    /// Creates the key.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let insert = Statement::new(INSERT_KEY)
            .bind(self.id.as_str())
            .bind(self.account.as_str())
            .bind(&self.key.hash().0[..])
            .bind(self.key.display_prefix())
            .bind(self.name.as_str())
            .bind(self.expires_at_ms)
            .bind(change.at_ms);
        let entry = change.of(Entry {
            action: "key.create",
            table: "keys",
            subject: self.id.as_str(),
            before: "'{}'",
            after: json!({
                "account": self.account.as_str(),
                "prefix": self.key.display_prefix(),
                "name": self.name,
                "expires_at_ms": self.expires_at_ms,
            })
            .to_string(),
        });
        commit([bind_limits(insert, &self.limits), entry])
    }
}

impl NewRule {
    /// Creates the rule; the account's children are charged by it from its start.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let insert = Statement::new(INSERT_RULE)
            .bind(self.id.as_str())
            .bind(self.account.as_str())
            .bind(self.pattern.as_str())
            .bind(self.markup_bps)
            .bind(self.min_charge.get())
            .bind(self.priority)
            .bind(self.starts_at_ms)
            .bind(change.at_ms);
        let entry = change.of(Entry {
            action: "rule.create",
            table: "price_rules",
            subject: self.id.as_str(),
            before: "'{}'",
            after: json!({
                "pattern": self.pattern,
                "markup_bps": self.markup_bps,
                "min_charge_nanos": self.min_charge.get(),
                "priority": self.priority,
                "starts_at_ms": self.starts_at_ms,
            })
            .to_string(),
        });
        commit([insert, entry, raise_rules_version(&self.account)])
    }
}

/// Ends a rule of the account now.
#[must_use]
pub fn end_rule(account: &AccountId, rule: &RuleId, change: &Change) -> Commit {
    let entry = change.of(Entry {
        action: "rule.end",
        table: "price_rules",
        subject: rule.as_str(),
        before: "json_object('ends_at_ms', r.ends_at_ms)",
        after: json!({ "ends_at_ms": change.at_ms }).to_string(),
    });
    let end = Statement::new(
        "UPDATE price_rules SET ends_at_ms = ?3 WHERE id = ?1 AND account_id = ?2 \
         AND (ends_at_ms IS NULL OR ends_at_ms > ?3)",
    )
    .bind(rule.as_str())
    .bind(account.as_str())
    .bind(change.at_ms);
    commit([entry, end, raise_rules_version(account)])
}

/// Suspends an account or lets it work again. The next call of it, or of any account below it, sees
/// the change.
#[must_use]
pub fn set_suspended(account: &AccountId, suspended: bool, change: &Change) -> Commit {
    let status = if suspended { "suspended" } else { "active" };
    let entry = change.of(Entry {
        action: if suspended {
            "account.suspend"
        } else {
            "account.resume"
        },
        table: "accounts",
        subject: account.as_str(),
        before: "json_object('status', r.status)",
        after: json!({ "status": status }).to_string(),
    });
    let update =
        Statement::new("UPDATE accounts SET status = ?2 WHERE id = ?1 AND kind <> 'operator'")
            .bind(account.as_str())
            .bind(status);
    commit([entry, update])
}

/// Revokes a key of the account, for good: its next call is refused.
#[must_use]
pub fn revoke_key(account: &AccountId, key: &KeyId, change: &Change) -> Commit {
    let entry = change.of(Entry {
        action: "key.revoke",
        table: "keys",
        subject: key.as_str(),
        before: "json_object('revoked_at_ms', r.revoked_at_ms)",
        after: json!({ "revoked_at_ms": change.at_ms }).to_string(),
    });
    let revoke = Statement::new(
        "UPDATE keys SET revoked_at_ms = coalesce(revoked_at_ms, ?3), version = version + 1 \
         WHERE id = ?1 AND account_id = ?2",
    )
    .bind(key.as_str())
    .bind(account.as_str())
    .bind(change.at_ms);
    commit([entry, revoke])
}

/// Replaces a key's own limits.
#[must_use]
pub fn set_key_limits(
    account: &AccountId,
    key: &KeyId,
    limits: &Limits,
    change: &Change,
) -> Commit {
    let entry = change.of(limits_entry("key.limits", "keys", key.as_str(), limits));
    let update = Statement::new(format!(
        "UPDATE keys SET version = version + 1, {LIMIT_COLUMNS} WHERE id = ?1 AND account_id = ?2"
    ))
    .bind(key.as_str())
    .bind(account.as_str());
    commit([entry, bind_limits(update, limits)])
}

/// Replaces an account's defaults for its keys.
#[must_use]
pub fn set_account_limits(account: &AccountId, limits: &Limits, change: &Change) -> Commit {
    let entry = change.of(limits_entry(
        "account.limits",
        "accounts",
        account.as_str(),
        limits,
    ));
    let update = Statement::new(format!(
        "UPDATE accounts SET {LIMIT_COLUMNS} WHERE id = ?1 AND kind <> ?2"
    ))
    .bind(account.as_str())
    .bind(AccountKind::Operator.as_str());
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    for statement in [entry, bind_limits(update, limits)] {
        transaction.then(statement);
        transaction.require_change();
    }
    // An account without keys has no version to raise.
    transaction.then(
        Statement::new("UPDATE keys SET version = version + 1 WHERE account_id = ?1")
            .bind(account.as_str()),
    );
    let step = transaction.commit();
    (batch, step)
}

fn limits_entry<'a>(
    action: &'static str,
    table: &'static str,
    subject: &'a str,
    limits: &Limits,
) -> Entry<'a> {
    let after = json!({
        "requests_per_minute": limits.requests_per_minute,
        "requests_per_hour": limits.requests_per_hour,
        "requests_per_day": limits.requests_per_day,
        "tokens_per_minute": limits.tokens_per_minute,
        "parallel_calls": limits.parallel_calls,
        "max_tokens": limits.max_tokens,
        "default_max_tokens": limits.default_max_tokens,
        "allowed_models": limits.allowed_models,
    });
    Entry {
        action,
        table,
        subject,
        before: LIMITS_BEFORE,
        after: after.to_string(),
    }
}

fn raise_rules_version(account: &AccountId) -> Statement {
    Statement::new("UPDATE accounts SET rules_version = rules_version + 1 WHERE id = ?1")
        .bind(account.as_str())
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

/// One transaction in which every statement must change something.
fn commit<const N: usize>(statements: [Statement; N]) -> Commit {
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    for statement in statements {
        transaction.then(statement);
        transaction.require_change();
    }
    let step = transaction.commit();
    (batch, step)
}
