//! `admin account show`: everything about one account on one page.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tollgate_core::accounts::{
    Account, AccountKind, CallLine, Key, LedgerLine, accounts_statement, ancestors_statement,
    audit_statement, calls_statement, keys_statement, ledger_statement, read_account,
    read_audit_line, read_call_line, read_key, read_ledger_line, read_rule, rules_statement,
};
use tollgate_core::ids::AccountId;

use super::{Session, account, audit, key, limits, rule};
use crate::failure::Failure;
use crate::report::{Report, Table, moment, or_dash};

/// How far back calls are looked for: the log of calls has no index by account.
const CALLS_SINCE_MS: i64 = 30 * 86_400_000;

pub(super) fn run(session: &Session<'_>, id: &AccountId, last: u32) -> Result<Report, Failure> {
    let account = session.account(id)?;
    let above = session.list(ancestors_statement(id), read_account)?;
    let below = session.list(accounts_statement(Some(id)), read_account)?;
    let keys = session.list(keys_statement(id), read_key)?;
    let rules = session.list(rules_statement(id), read_rule)?;
    let ledger = session.list(ledger_statement(id, last), read_ledger_line)?;
    let since_ms = session.now_ms.saturating_sub(CALLS_SINCE_MS);
    let calls = session.list(calls_statement(id, since_ms, last), read_call_line)?;
    let changes = session.list(audit_statement(Some(id), last), read_audit_line)?;

    let mut text = head(&account, &above, below.len());
    let mut section = |title: &str, table: Table| {
        // Writing to a string does not fail.
        let _ = write!(text, "\n{title}\n{}", table.to_text());
    };
    if account.kind != AccountKind::Customer {
        section(
            "price rules for the accounts right below it",
            rule::table(&rules, session.now_ms),
        );
    }
    if account.kind != AccountKind::Operator {
        section("keys", key::table(&keys, session.now_ms));
        section(
            &format!("last {last} ledger entries"),
            ledger_table(&ledger),
        );
        section(
            &format!("last {last} calls of 30 days"),
            calls_table(&calls),
        );
    }
    section(&format!("last {last} changes"), audit::table(&changes));
    Ok(Report {
        text,
        json: json!({
            "account": account::to_json(&account),
            "above": above.iter().map(account::to_json).collect::<Value>(),
            "accounts_below": below.len(),
            "rules": rules.iter().map(rule::to_json).collect::<Value>(),
            "keys": keys.iter().map(|key: &Key| key::to_json(key)).collect::<Value>(),
            "ledger": ledger.iter().map(ledger_json).collect::<Value>(),
            "calls": calls.iter().map(call_json).collect::<Value>(),
            "audit": changes.iter().map(audit::to_json).collect::<Value>(),
        }),
    })
}

fn head(account: &Account, above: &[Account], below: usize) -> String {
    let mut place: Vec<String> = above
        .iter()
        .map(|account| format!("{} ({})", account.id, account.name))
        .collect();
    place.push(account.id.to_string());
    let free = account.balance.minus(account.held).unwrap_or_default();
    let mut text = format!(
        "{} {} \"{}\", {}, created {}\nplace     {}\nbelow it  {below} account{}\n",
        account.kind.as_str(),
        account.id,
        account.name,
        account::status(account),
        moment(account.created_at_ms),
        place.join(" > "),
        if below == 1 { "" } else { "s" },
    );
    let suspended = above.iter().find(|account| !account.active);
    if let Some(suspended) = suspended {
        let _ = writeln!(
            text,
            "note      {} above it is suspended: no call passes",
            suspended.id
        );
    }
    if account.kind != AccountKind::Operator {
        let _ = write!(
            text,
            "balance   {}\nheld      {} (free {free})\ndebt      {}\ncharged   {}\nlimits    {}\n",
            account.balance,
            account.held,
            account.debt,
            account.charged,
            limits::to_text(&account.limits),
        );
    }
    text
}

fn ledger_table(lines: &[LedgerLine]) -> Table {
    let mut table = Table::new(&["when", "kind", ">amount", "reference", "reason"]);
    for line in lines {
        table.row([
            moment(line.created_at_ms),
            line.kind.clone(),
            line.amount.to_string(),
            line.reference.clone(),
            line.reason.clone(),
        ]);
    }
    table
}

fn calls_table(lines: &[CallLine]) -> Table {
    let mut table = Table::new(&[
        "when", "call", "account", "model", "state", "outcome", ">hold", ">charge", ">prompt",
        ">answer", ">status", "error",
    ]);
    for line in lines {
        table.row([
            moment(line.created_at_ms),
            line.id.to_string(),
            line.account.to_string(),
            line.model.clone(),
            line.state.clone(),
            or_dash(line.outcome.as_ref()),
            line.hold.to_string(),
            or_dash(line.charge),
            or_dash(line.prompt_tokens),
            or_dash(line.completion_tokens),
            or_dash(line.status),
            or_dash(line.error_code.as_ref()),
        ]);
    }
    table
}

fn ledger_json(line: &LedgerLine) -> Value {
    json!({
        "kind": line.kind,
        "amount_nanos": line.amount.get(),
        "reference": line.reference,
        "reason": line.reason,
        "created_at_ms": line.created_at_ms,
    })
}

fn call_json(line: &CallLine) -> Value {
    json!({
        "id": line.id.to_string(),
        "account_id": line.account.as_str(),
        "key_id": line.key.as_str(),
        "model": line.model,
        "state": line.state,
        "outcome": line.outcome,
        "hold_nanos": line.hold.get(),
        "charge_nanos": line.charge.map(|charge| charge.get()),
        "prompt_tokens": line.prompt_tokens,
        "completion_tokens": line.completion_tokens,
        "status": line.status,
        "error_code": line.error_code,
        "created_at_ms": line.created_at_ms,
    })
}
