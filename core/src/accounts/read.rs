//! What people read of accounts, keys and price rules. The statements that name a key or a rule by
//! its id alone, or list every account, are the operator's; everything else names its account.

use super::{AccountKind, View};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, KeyId, RuleId};
use crate::limits::{Limits, read_limits};
use crate::money::Nanos;
use crate::pricing::PriceRule;

/// An account and its wallet at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The account above it; none for the operator.
    pub parent: Option<AccountId>,
    /// What it is.
    pub kind: AccountKind,
    /// What people call it.
    pub name: String,
    /// Whether it may be charged.
    pub active: bool,
    /// What it has, calls in flight included.
    pub balance: Nanos,
    /// What of it is held by calls in flight.
    pub held: Nanos,
    /// What it owes.
    pub debt: Nanos,
    /// What its calls were charged since it exists.
    pub charged: Nanos,
    /// Defaults for its keys.
    pub limits: Limits,
    /// Since when it exists, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// A key without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// The account that its calls charge.
    pub account: AccountId,
    /// The first characters of the secret.
    pub prefix: String,
    /// What people call it.
    pub name: String,
    /// When it was revoked, in Unix milliseconds.
    pub revoked_at_ms: Option<i64>,
    /// When it ends, in Unix milliseconds.
    pub expires_at_ms: Option<i64>,
    /// Its own limits; where it has none, the account's defaults hold.
    pub limits: Limits,
    /// Its calls in flight.
    pub open_holds: u64,
    /// What its calls were charged since it exists.
    pub charged: Nanos,
    /// Since when it exists, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// A price rule and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The account that charges its children by it.
    pub account: AccountId,
    /// The rule.
    pub rule: PriceRule,
}

const ACCOUNT: &str = "\
SELECT id, parent_id, kind, name, status, balance_nanos, held_nanos, debt_nanos, charged_nanos,
  created_at_ms, requests_per_minute, requests_per_hour, requests_per_day, tokens_per_minute,
  parallel_calls, max_tokens, default_max_tokens, allowed_models FROM accounts";

pub(super) const KEY: &str = "\
SELECT id, account_id, prefix, name, revoked_at_ms, expires_at_ms, open_holds, charged_nanos,
  created_at_ms, requests_per_minute, requests_per_hour, requests_per_day, tokens_per_minute,
  parallel_calls, max_tokens, default_max_tokens, allowed_models FROM keys";

const RULE: &str = "\
SELECT account_id, id, pattern, markup_bps, min_charge_nanos, priority, starts_at_ms, ends_at_ms
FROM price_rules";

/// Reads one account.
#[must_use]
pub fn account_statement(account: &AccountId) -> Statement {
    Statement::new(format!("{ACCOUNT} WHERE id = ?1")).bind(account.as_str())
}

/// Reads an account that is right below another.
#[must_use]
pub fn child_statement(parent: &AccountId, account: &AccountId) -> Statement {
    Statement::new(format!("{ACCOUNT} WHERE id = ?1 AND parent_id = ?2"))
        .bind(account.as_str())
        .bind(parent.as_str())
}

/// Reads one account for those who may see it; no row for others.
#[must_use]
pub fn viewed_account_statement(view: View<'_>) -> Statement {
    view.statement(&format!("{ACCOUNT} WHERE id = {{seen}}"))
}

/// Reads the operator's account, if there is one.
#[must_use]
pub fn operator_statement() -> Statement {
    Statement::new(format!("{ACCOUNT} WHERE kind = 'operator'"))
}

/// Reads the accounts right below one, or every account, the oldest first.
#[must_use]
pub fn accounts_statement(parent: Option<&AccountId>) -> Statement {
    match parent {
        Some(parent) => Statement::new(format!(
            "{ACCOUNT} WHERE parent_id = ?1 ORDER BY created_at_ms, id"
        ))
        .bind(parent.as_str()),
        None => Statement::new(format!("{ACCOUNT} ORDER BY created_at_ms, id")),
    }
}

/// Reads the accounts above one, from the operator down.
#[must_use]
pub fn ancestors_statement(account: &AccountId) -> Statement {
    Statement::new(format!(
        "{ACCOUNT} WHERE id <> ?1 AND (id IN (SELECT c.value FROM accounts a, json_each(a.chain) c \
         WHERE a.id = ?1) OR (parent_id IS NULL AND kind = 'operator')) ORDER BY json_array_length(chain)"
    ))
    .bind(account.as_str())
}

/// Reads the row of an account.
pub fn read_account(row: &Row) -> Result<Account, HranaFault> {
    let parent: Option<String> = row.get(1)?;
    let parent = parent.map(|id| AccountId::parse(&id).ok_or(HranaFault::UnexpectedColumn(1)));
    Ok(Account {
        id: id(row, 0, AccountId::parse)?,
        parent: parent.transpose()?,
        kind: id(row, 2, AccountKind::parse)?,
        name: row.get(3)?,
        active: row.get::<String>(4)? == "active",
        balance: Nanos::new(row.get(5)?),
        held: Nanos::new(row.get(6)?),
        debt: Nanos::new(row.get(7)?),
        charged: Nanos::new(row.get(8)?),
        created_at_ms: row.get(9)?,
        limits: read_limits(row, 10)?,
    })
}

/// Reads the keys of an account, the oldest first.
#[must_use]
pub fn keys_statement(account: &AccountId) -> Statement {
    Statement::new(format!(
        "{KEY} WHERE account_id = ?1 ORDER BY created_at_ms, id"
    ))
    .bind(account.as_str())
}

/// Reads one key by its id.
#[must_use]
pub fn key_statement(key: &KeyId) -> Statement {
    Statement::new(format!("{KEY} WHERE id = ?1")).bind(key.as_str())
}

/// Reads the row of a key.
pub fn read_key(row: &Row) -> Result<Key, HranaFault> {
    Ok(Key {
        id: id(row, 0, KeyId::parse)?,
        account: id(row, 1, AccountId::parse)?,
        prefix: row.get(2)?,
        name: row.get(3)?,
        revoked_at_ms: row.get(4)?,
        expires_at_ms: row.get(5)?,
        open_holds: row.get(6)?,
        charged: Nanos::new(row.get(7)?),
        created_at_ms: row.get(8)?,
        limits: read_limits(row, 9)?,
    })
}

/// Reads the rules that an account sets for its children, ended ones included, the oldest first.
#[must_use]
pub fn rules_statement(account: &AccountId) -> Statement {
    Statement::new(format!(
        "{RULE} WHERE account_id = ?1 ORDER BY created_at_ms, id"
    ))
    .bind(account.as_str())
}

/// Reads one rule by its id.
#[must_use]
pub fn rule_statement(rule: &RuleId) -> Statement {
    Statement::new(format!("{RULE} WHERE id = ?1")).bind(rule.as_str())
}

/// Reads the row of a rule.
pub fn read_rule(row: &Row) -> Result<Rule, HranaFault> {
    Ok(Rule {
        account: id(row, 0, AccountId::parse)?,
        rule: price_rule(row)?,
    })
}

/// Reads a price rule, whose columns begin behind the first: id, pattern, markup, minimum, priority, start
/// and end.
pub(crate) fn price_rule(row: &Row) -> Result<PriceRule, HranaFault> {
    Ok(PriceRule {
        id: id(row, 1, RuleId::parse)?,
        pattern: row.get(2)?,
        markup_bps: row.get(3)?,
        min_charge: Nanos::new(row.get(4)?),
        priority: row.get(5)?,
        starts_at_ms: row.get(6)?,
        ends_at_ms: row.get(7)?,
    })
}

/// Reads a column as an id.
pub(crate) fn id<T>(
    row: &Row,
    column: usize,
    parse: fn(&str) -> Option<T>,
) -> Result<T, HranaFault> {
    parse(&row.get::<String>(column)?).ok_or(HranaFault::UnexpectedColumn(column))
}
