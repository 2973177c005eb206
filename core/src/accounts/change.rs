//! How what exists is changed: rules end, accounts are suspended, keys are revoked, limits are edited.
//! The audit entry goes before the change, so that it sees what was there.

use serde_json::{Map, Value as Json, json};

use super::{AccountKind, Commit, commit, commit_with_tail, raise_rules_version};
use crate::audit::{Change, Entry};
use crate::hrana::{Statement, Value};
use crate::ids::{AccountId, KeyId, RuleId};

/// Ends a rule of the account now.
#[must_use]
pub fn end_rule(account: &AccountId, rule: &RuleId, change: &Change) -> Commit {
    let [entry, end] = end_rule_steps(account, rule, (change, change.at_ms));
    commit([entry, end, raise_rules_version(account)])
}

/// Ends a rule of the account at a moment in Unix milliseconds, unless it has ended by then, and logs
/// it. Whoever uses them raises the version.
pub(crate) fn end_rule_steps(
    account: &AccountId,
    rule: &RuleId,
    (change, at_ms): (&Change, i64),
) -> [Statement; 2] {
    let entry = change.of(Entry {
        action: "rule.end",
        table: "price_rules",
        subject: rule.as_str(),
        before: "json_object('ends_at_ms', r.ends_at_ms)",
        after: json!({ "ends_at_ms": at_ms }).to_string(),
    });
    let end = Statement::new(
        "UPDATE price_rules SET ends_at_ms = ?3 WHERE id = ?1 AND account_id = ?2 \
         AND (ends_at_ms IS NULL OR ends_at_ms > ?3)",
    )
    .bind(rule.as_str())
    .bind(account.as_str())
    .bind(at_ms);
    [entry, end]
}

/// Suspends an account or lets it work again. The next call of it, or of any account below it, sees
/// the change. Does not take place where it is so already.
#[must_use]
pub fn set_suspended(account: &AccountId, suspended: bool, change: &Change) -> Commit {
    let steps = suspend_steps(account, suspended, change);
    commit_with_tail(steps, Some(keep_from_thawing(account)))
}

/// The line in the log and the change; the change finds a row exactly if the account is there, not the
/// operator, and not so already.
pub(crate) fn suspend_steps(
    account: &AccountId,
    suspended: bool,
    change: &Change,
) -> [Statement; 2] {
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
    let update = Statement::new(
        "UPDATE accounts SET status = ?2 WHERE id = ?1 AND status <> ?2 AND kind <> 'operator'",
    )
    .bind(account.as_str())
    .bind(status);
    [entry, update]
}

/// What a person decided about an account stands: no dispute that ends resumes it any more.
pub(crate) fn keep_from_thawing(account: &AccountId) -> Statement {
    Statement::new("UPDATE disputes SET froze = 0 WHERE account_id = ?1 AND froze = 1")
        .bind(account.as_str())
}

/// Revokes a key of the account, for good: its next call is refused. Does not take place for a key that
/// was revoked before.
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
        "UPDATE keys SET revoked_at_ms = ?3, version = version + 1 \
         WHERE id = ?1 AND account_id = ?2 AND revoked_at_ms IS NULL",
    )
    .bind(key.as_str())
    .bind(account.as_str())
    .bind(change.at_ms);
    commit([entry, revoke])
}

/// A new value for one limit; `None` takes the limit away, and then a key takes its account's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitEdit {
    /// Sets `Limits::requests_per_minute`.
    RequestsPerMinute(Option<u64>),
    /// Sets `Limits::requests_per_hour`.
    RequestsPerHour(Option<u64>),
    /// Sets `Limits::requests_per_day`.
    RequestsPerDay(Option<u64>),
    /// Sets `Limits::tokens_per_minute`.
    TokensPerMinute(Option<u64>),
    /// Sets `Limits::parallel_calls`.
    ParallelCalls(Option<u64>),
    /// Sets `Limits::max_tokens`.
    MaxTokens(Option<u64>),
    /// Sets `Limits::default_max_tokens`.
    DefaultMaxTokens(Option<u64>),
    /// Sets `Limits::allowed_models`.
    AllowedModels(Option<Vec<String>>),
}

impl LimitEdit {
    pub(super) const fn column(&self) -> &'static str {
        match self {
            Self::RequestsPerMinute(_) => "requests_per_minute",
            Self::RequestsPerHour(_) => "requests_per_hour",
            Self::RequestsPerDay(_) => "requests_per_day",
            Self::TokensPerMinute(_) => "tokens_per_minute",
            Self::ParallelCalls(_) => "parallel_calls",
            Self::MaxTokens(_) => "max_tokens",
            Self::DefaultMaxTokens(_) => "default_max_tokens",
            Self::AllowedModels(_) => "allowed_models",
        }
    }

    pub(super) fn json(&self) -> Json {
        match self {
            Self::RequestsPerMinute(limit)
            | Self::RequestsPerHour(limit)
            | Self::RequestsPerDay(limit)
            | Self::TokensPerMinute(limit)
            | Self::ParallelCalls(limit)
            | Self::MaxTokens(limit)
            | Self::DefaultMaxTokens(limit) => json!(limit),
            Self::AllowedModels(patterns) => json!(patterns),
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::RequestsPerMinute(limit)
            | Self::RequestsPerHour(limit)
            | Self::RequestsPerDay(limit)
            | Self::TokensPerMinute(limit)
            | Self::ParallelCalls(limit)
            | Self::MaxTokens(limit)
            | Self::DefaultMaxTokens(limit) => limit
                .map(|limit| i64::try_from(limit).unwrap_or(i64::MAX))
                .into(),
            Self::AllowedModels(patterns) => patterns
                .as_ref()
                .map(|patterns| json!(patterns).to_string())
                .into(),
        }
    }
}

const LIMITS_BEFORE: &str = "\
json_object('requests_per_minute', r.requests_per_minute, 'requests_per_hour', r.requests_per_hour,
  'requests_per_day', r.requests_per_day, 'tokens_per_minute', r.tokens_per_minute,
  'parallel_calls', r.parallel_calls, 'max_tokens', r.max_tokens,
  'default_max_tokens', r.default_max_tokens, 'allowed_models', json(r.allowed_models))";

/// Sets some of a key's own limits; the others stay as they are.
#[must_use]
pub fn edit_key_limits(
    account: &AccountId,
    key: &KeyId,
    edits: &[LimitEdit],
    change: &Change,
) -> Commit {
    let entry = change.of(limits_entry("key.limits", "keys", key.as_str(), edits));
    let update = Statement::new(format!(
        "UPDATE keys SET version = version + 1{} WHERE id = ?1 AND account_id = ?2",
        assignments(edits)
    ))
    .bind(key.as_str())
    .bind(account.as_str());
    commit([entry, bind_edits(update, edits)])
}

/// Sets some of an account's defaults for its keys; the others stay as they are.
#[must_use]
pub fn edit_account_limits(account: &AccountId, edits: &[LimitEdit], change: &Change) -> Commit {
    let steps = account_limits_steps(account, edits, change);
    commit_with_tail(steps, Some(raise_key_versions(account)))
}

/// The line in the log and the edit; each changes a row exactly if the account is there and not the
/// operator. Whoever uses them raises the versions of its keys.
pub(crate) fn account_limits_steps(
    account: &AccountId,
    edits: &[LimitEdit],
    change: &Change,
) -> [Statement; 2] {
    let subject = account.as_str();
    let entry = change.of(limits_entry("account.limits", "accounts", subject, edits));
    // `name = name` lets every edit follow a comma, also the first.
    let update = Statement::new(format!(
        "UPDATE accounts SET name = name{} WHERE id = ?1 AND kind <> ?2",
        assignments(edits)
    ))
    .bind(subject)
    .bind(AccountKind::Operator.as_str());
    [entry, bind_edits(update, edits)]
}

/// Lets calls that were priced with an account's older defaults be priced again. An account without keys
/// has no version to raise.
pub(crate) fn raise_key_versions(account: &AccountId) -> Statement {
    Statement::new("UPDATE keys SET version = version + 1 WHERE account_id = ?1")
        .bind(account.as_str())
}

fn limits_entry<'a>(
    action: &'static str,
    table: &'static str,
    subject: &'a str,
    edits: &[LimitEdit],
) -> Entry<'a> {
    let after: Map<String, Json> = edits
        .iter()
        .map(|edit| (edit.column().to_owned(), edit.json()))
        .collect();
    Entry {
        action,
        table,
        subject,
        before: LIMITS_BEFORE,
        after: Json::Object(after).to_string(),
    }
}

/// `, column = ?3, …` in the order in which `bind_edits` binds.
fn assignments(edits: &[LimitEdit]) -> String {
    let numbered = (3_u32..).zip(edits);
    numbered
        .map(|(number, edit)| format!(", {} = ?{number}", edit.column()))
        .collect()
}

fn bind_edits(statement: Statement, edits: &[LimitEdit]) -> Statement {
    edits
        .iter()
        .fold(statement, |statement, edit| statement.bind(edit.value()))
}
