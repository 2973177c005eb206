//! `admin audit`: who changed what, with what was there before and after.

use clap::Args;
use serde_json::{Map, Value, json};
use tollgate_core::accounts::{AuditLine, audit_statement, read_audit_line};

use super::Session;
use crate::failure::Failure;
use crate::report::{Report, Table, moment};

#[derive(Args)]
pub(super) struct Arguments {
    /// Only the log of this account
    #[arg(long, value_name = "ACC")]
    account: Option<String>,
    /// How many changes to show
    #[arg(long, default_value_t = 50)]
    last: u32,
}

impl Arguments {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let account = session.only_account(self.account.as_deref())?;
        let lines = session.list(
            audit_statement(account.as_ref(), self.last),
            read_audit_line,
        )?;
        Ok(Report {
            text: table(&lines).to_text(),
            json: lines.iter().map(to_json).collect(),
        })
    }
}

/// Changes as a table.
pub(super) fn table(lines: &[AuditLine]) -> Table {
    let mut table = Table::new(&["when", "who", "what", "subject", "log of", "change"]);
    for line in lines {
        table.row([
            moment(line.created_at_ms),
            line.actor.clone(),
            line.action.clone(),
            line.subject.clone(),
            line.account.clone(),
            change(line),
        ]);
    }
    table
}

/// What the change set, with what was there before if anything was.
fn change(line: &AuditLine) -> String {
    let before: Map<String, Value> = serde_json::from_str(&line.before).unwrap_or_default();
    let after: Map<String, Value> = serde_json::from_str(&line.after).unwrap_or_default();
    let parts = after.iter().map(|(name, after)| match before.get(name) {
        Some(before) => format!("{name} {before} -> {after}"),
        None => format!("{name} {after}"),
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// A change in the words of the database.
pub(super) fn to_json(line: &AuditLine) -> Value {
    // What is stored is JSON already.
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    json!({
        "account_id": line.account,
        "actor": line.actor,
        "action": line.action,
        "subject": line.subject,
        "before": parsed(&line.before),
        "after": parsed(&line.after),
        "created_at_ms": line.created_at_ms,
    })
}
