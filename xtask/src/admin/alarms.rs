//! `admin alarms`: what people must know and nobody was there to be told. An alarm stays until
//! somebody says that they saw it.

use clap::Args;
use serde_json::{Value, json};
use tollgate_core::alarm::{AlarmKind, RaisedAlarm, acknowledge, alarms_statement, read_alarm};

use super::Session;
use crate::failure::Failure;
use crate::report::{Report, Table, moment};

#[derive(Args)]
pub(super) struct Arguments {
    /// Only the alarms of this account
    #[arg(long, value_name = "ACC")]
    account: Option<String>,
    /// Says that you saw the alarms of this kind, or `all`, of that account: they go from the list
    #[arg(long, value_name = "KIND|all", requires = "account")]
    seen: Option<String>,
}

impl Arguments {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let account = session.only_account(self.account.as_deref())?;
        let alarms = session.list(alarms_statement(account.as_ref()), read_alarm)?;
        match &self.seen {
            None => Ok(Report {
                text: table(&alarms).to_text(),
                json: alarms.iter().map(to_json).collect(),
            }),
            Some(word) => see(session, &alarms, wanted(word)?),
        }
    }
}

/// The kind that was typed; `None` is every kind.
fn wanted(word: &str) -> Result<Option<AlarmKind>, Failure> {
    if word == "all" {
        return Ok(None);
    }
    AlarmKind::parse(word).map(Some).ok_or_else(|| {
        let kinds = AlarmKind::ALL.map(|kind| format!("`{}`", kind.as_str()));
        Failure::new(format!("`{word}` is no kind of alarm"))
            .hint(format!("the kinds are {}, or `all`", kinds.join(", ")))
    })
}

fn see(
    session: &Session<'_>,
    alarms: &[RaisedAlarm],
    wanted: Option<AlarmKind>,
) -> Result<Report, Failure> {
    let seen: Vec<RaisedAlarm> = alarms
        .iter()
        .filter(|alarm| wanted.is_none_or(|kind| alarm.kind == kind))
        .cloned()
        .collect();
    if seen.is_empty() {
        return Err(Failure::new("there is no such alarm")
            .hint("`cargo xtask admin alarms` shows the alarms"));
    }
    for alarm in &seen {
        session.commit(&acknowledge(alarm, &session.change(&alarm.account)))?;
    }
    Ok(Report {
        text: format!("seen, and gone from the list:\n{}", table(&seen).to_text()),
        json: json!({ "seen": seen.iter().map(to_json).collect::<Value>() }),
    })
}

fn table(alarms: &[RaisedAlarm]) -> Table {
    let mut table = Table::new(&["last", "first", ">times", "account", "name", "kind", "what"]);
    for alarm in alarms {
        table.row([
            moment(alarm.last_at_ms),
            moment(alarm.first_at_ms),
            alarm.times.to_string(),
            alarm.account.to_string(),
            alarm.account_name.clone(),
            alarm.kind.as_str().to_owned(),
            alarm.detail.clone(),
        ]);
    }
    table
}

fn to_json(alarm: &RaisedAlarm) -> Value {
    json!({
        "account_id": alarm.account.as_str(),
        "kind": alarm.kind.as_str(),
        "detail": alarm.detail,
        "times": alarm.times,
        "first_at_ms": alarm.first_at_ms,
        "last_at_ms": alarm.last_at_ms,
    })
}
