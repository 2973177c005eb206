//! How budgets are set and read: those of keys, and the spend limits of accounts.

use serde_json::{Map, Value as Json, json};

use super::Commit;
use super::commit;
use crate::audit::{Change, Entry};
use crate::budget::{Period, Purse, WirePurse, purse_sql};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, KeyId};
use crate::money::Nanos;

/// A new amount for one period; `None` takes the budget away.
pub type BudgetEdit = (Period, Option<Nanos>);

/// Sets some of a key's budgets; the others stay as they are. The key's next call sees them.
#[must_use]
pub fn edit_key_budget(
    account: &AccountId,
    key: &KeyId,
    edits: &[BudgetEdit],
    change: &Change,
) -> Commit {
    let entry = change.of(Entry {
        action: "key.budget",
        table: "keys",
        subject: key.as_str(),
        before: "json_object('total', r.budget_total_nanos, 'day', r.budget_day_nanos, \
                 'week', r.budget_week_nanos, 'month', r.budget_month_nanos)",
        after: after(edits),
    });
    let update = Statement::new(format!(
        "UPDATE keys SET version = version + 1{} WHERE id = ?1 AND account_id = ?2",
        assignments("budget", edits)
    ))
    .bind(key.as_str())
    .bind(account.as_str());
    commit([entry, bind(update, edits)])
}

/// Sets some of an account's spend limits; the others stay as they are. The next call of it, or of
/// any account below it, sees them. The operator has none.
#[must_use]
pub fn edit_spend_limit(account: &AccountId, edits: &[BudgetEdit], change: &Change) -> Commit {
    let entry = change.of(Entry {
        action: "account.spend_limit",
        table: "accounts",
        subject: account.as_str(),
        before: "json_object('total', r.spend_limit_total_nanos, 'day', r.spend_limit_day_nanos, \
                 'week', r.spend_limit_week_nanos, 'month', r.spend_limit_month_nanos)",
        after: after(edits),
    });
    // `name = name` lets every edit follow a comma, also the first.
    let update = Statement::new(format!(
        "UPDATE accounts SET name = name{} WHERE id = ?1 AND kind <> ?2",
        assignments("spend_limit", edits)
    ))
    .bind(account.as_str())
    .bind("operator");
    commit([entry, bind(update, edits)])
}

/// Reads a key's budget and what of it is gone.
#[must_use]
pub fn key_purse_statement(account: &AccountId, key: &KeyId) -> Statement {
    let purse = purse_sql("k", "budget");
    Statement::new(format!(
        "SELECT {purse} FROM keys k WHERE k.id = ?1 AND k.account_id = ?2"
    ))
    .bind(key.as_str())
    .bind(account.as_str())
}

/// Reads an account's spend limit and what of it is gone.
#[must_use]
pub fn account_purse_statement(account: &AccountId) -> Statement {
    let purse = purse_sql("a", "spend_limit");
    Statement::new(format!("SELECT {purse} FROM accounts a WHERE a.id = ?1")).bind(account.as_str())
}

/// Reads the row of either statement.
pub fn read_purse(row: &Row) -> Result<Purse, HranaFault> {
    read_purse_column(row, 0)
}

/// Reads what `purse_sql` selected as this column.
pub(super) fn read_purse_column(row: &Row, column: usize) -> Result<Purse, HranaFault> {
    let wire: WirePurse = serde_json::from_str(&row.get::<String>(column)?)
        .map_err(|_| HranaFault::UnexpectedColumn(column))?;
    Ok(wire.into())
}

fn after(edits: &[BudgetEdit]) -> String {
    let after: Map<String, Json> = edits
        .iter()
        .map(|(period, amount)| (period.as_str().to_owned(), json!(amount.map(Nanos::get))))
        .collect();
    Json::Object(after).to_string()
}

/// `, column = ?3, …` in the order in which `bind` binds.
fn assignments(columns: &str, edits: &[BudgetEdit]) -> String {
    let numbered = (3_u32..).zip(edits);
    numbered
        .map(|(number, (period, _))| format!(", {columns}_{}_nanos = ?{number}", period.as_str()))
        .collect()
}

fn bind(statement: Statement, edits: &[BudgetEdit]) -> Statement {
    edits.iter().fold(statement, |statement, (_, amount)| {
        statement.bind(amount.map(Nanos::get))
    })
}
