//! `admin key`: creates keys, lists them, revokes them, sets their limits. A key is printed once, when
//! it is created, and never again.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollgate_core::accounts::{Key, NewKey, edit_key_limits, keys_statement, read_key, revoke_key};
use tollgate_core::ids::AccountId;

use super::Session;
use super::limits::{self, LimitFlags};
use crate::arguments;
use crate::failure::Failure;
use crate::random;
use crate::report::{Report, Table, moment, or_dash};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Creates a key and prints it, this once
    Create(Create),
    /// Lists an account's keys, the oldest first
    List {
        /// The account
        #[arg(long, value_name = "ACC")]
        account: String,
    },
    /// Revokes a key for good: its next call is refused
    Revoke {
        /// The key's id
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Sets a key's own limits; what is not named stays, `none` takes the account's default
    Limits {
        /// The key's id
        #[arg(value_name = "KEY")]
        key: String,
        #[command(flatten)]
        limits: LimitFlags,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// The account that its calls charge
    #[arg(long, value_name = "ACC")]
    account: String,
    /// What people call it
    #[arg(long)]
    name: String,
    /// When it ends: a date such as `2027-01-01`, or a time from now such as `30d`
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    expires: Option<String>,
    #[command(flatten)]
    limits: LimitFlags,
}

impl Command {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        match self {
            Self::Create(order) => order.run(session),
            Self::List { account } => list(session, &arguments::account(account)?),
            Self::Revoke { key } => revoke(session, key),
            Self::Limits { key, limits } => set_limits(session, key, limits),
        }
    }
}

impl Create {
    fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let name = arguments::line("name", &self.name)?;
        let limits = self.limits.limits()?;
        let expires = self.expires.as_deref();
        let expires_at_ms = expires
            .map(|text| arguments::later(text, session.now_ms))
            .transpose()?;
        let account = session.charged_account(&arguments::account(&self.account)?)?;
        let key = NewKey {
            id: random::key_id()?,
            account: account.id,
            key: random::api_key()?,
            name,
            expires_at_ms,
            limits,
        };
        session.commit(&key.to_batch(&session.change(&key.account)))?;
        Ok(Report {
            text: format!(
                "created {} ({}) for {}; the key is shown only now:\n{}\n",
                key.id,
                key.name,
                key.account,
                key.key.reveal()
            ),
            json: json!({
                "id": key.id.as_str(),
                "account_id": key.account.as_str(),
                "name": key.name,
                "expires_at_ms": key.expires_at_ms,
                "key": key.key.reveal(),
            }),
        })
    }
}

fn list(session: &Session<'_>, account: &AccountId) -> Result<Report, Failure> {
    session.account(account)?;
    let keys = session.list(keys_statement(account), read_key)?;
    Ok(Report {
        text: table(&keys, session.now_ms).to_text(),
        json: keys.iter().map(to_json).collect(),
    })
}

fn revoke(session: &Session<'_>, key: &str) -> Result<Report, Failure> {
    let key = session.key(&arguments::key(key)?)?;
    if let Some(at_ms) = key.revoked_at_ms {
        return Ok(Report::line(
            format!(
                "{} was revoked at {}; nothing was changed",
                key.id,
                moment(at_ms)
            ),
            to_json(&key),
        ));
    }
    session.commit(&revoke_key(
        &key.account,
        &key.id,
        &session.change(&key.account),
    ))?;
    Ok(Report::line(
        format!("{} is revoked: its next call is refused", key.id),
        to_json(&session.key(&key.id)?),
    ))
}

fn set_limits(session: &Session<'_>, key: &str, flags: &LimitFlags) -> Result<Report, Failure> {
    let edits = flags.some_edits()?;
    let key = session.key(&arguments::key(key)?)?;
    session.commit(&edit_key_limits(
        &key.account,
        &key.id,
        &edits,
        &session.change(&key.account),
    ))?;
    let key = session.key(&key.id)?;
    Ok(Report::line(
        format!("limits of {}: {}", key.id, limits::to_text(&key.limits)),
        to_json(&key),
    ))
}

/// Keys as a table.
pub(super) fn table(keys: &[Key], now_ms: i64) -> Table {
    let mut table = Table::new(&[
        "key",
        "starts with",
        "status",
        "expires",
        ">open calls",
        ">charged",
        "created",
        "name",
        "own limits",
    ]);
    for key in keys {
        table.row([
            key.id.to_string(),
            key.prefix.clone(),
            status(key, now_ms).to_owned(),
            or_dash(key.expires_at_ms.map(moment)),
            key.open_holds.to_string(),
            key.charged.to_string(),
            moment(key.created_at_ms),
            key.name.clone(),
            limits::to_text(&key.limits),
        ]);
    }
    table
}

/// A key in the words of the database.
pub(super) fn to_json(key: &Key) -> Value {
    json!({
        "id": key.id.as_str(),
        "account_id": key.account.as_str(),
        "prefix": key.prefix,
        "name": key.name,
        "revoked_at_ms": key.revoked_at_ms,
        "expires_at_ms": key.expires_at_ms,
        "open_holds": key.open_holds,
        "charged_nanos": key.charged.get(),
        "limits": limits::to_json(&key.limits),
        "created_at_ms": key.created_at_ms,
    })
}

fn status(key: &Key, now_ms: i64) -> &'static str {
    if key.revoked_at_ms.is_some() {
        "revoked"
    } else if key.expires_at_ms.is_some_and(|end| end <= now_ms) {
        "expired"
    } else {
        "active"
    }
}
