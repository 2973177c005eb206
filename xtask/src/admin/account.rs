//! `admin operator` and `admin account`: creates accounts, lists them, sets their limits, suspends
//! them. What `account show` shows is in `show`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollgate_core::accounts::{
    Account, AccountKind, NewAccount, accounts_statement, edit_account_limits, read_account,
    set_suspended,
};
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;

use super::limits::{self, LimitFlags};
use super::{Session, show};
use crate::arguments;
use crate::failure::Failure;
use crate::random;
use crate::report::{Report, Table, moment};

#[derive(Subcommand)]
pub(super) enum OperatorCommand {
    /// Creates the operator, of which there is one
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
    },
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Creates an account below another one
    Create(Create),
    /// Lists accounts, the oldest first
    List {
        /// Only those right below this account
        #[arg(long, value_name = "ACC")]
        parent: Option<String>,
    },
    /// Shows an account: wallet, limits, keys, ledger, calls and changes
    Show {
        /// The account
        #[arg(value_name = "ACC")]
        account: String,
        /// How many ledger entries, calls and changes to show of each
        #[arg(long, default_value_t = 10)]
        last: u32,
    },
    /// Sets defaults for the account's keys; what is not named stays
    Limits {
        /// The account
        #[arg(value_name = "ACC")]
        account: String,
        #[command(flatten)]
        limits: LimitFlags,
    },
    /// Refuses the next call of the account and of all accounts below it
    Suspend {
        /// The account
        #[arg(value_name = "ACC")]
        account: String,
    },
    /// Lets a suspended account work again
    Resume {
        /// The account
        #[arg(value_name = "ACC")]
        account: String,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// What it is: a `reseller` has customers below it, a `customer` calls the gateway
    #[arg(long, value_name = "reseller|customer")]
    kind: String,
    /// The account above it: the operator or a reseller
    #[arg(long, value_name = "ACC")]
    parent: String,
    /// What people call it
    #[arg(long)]
    name: String,
    #[command(flatten)]
    limits: LimitFlags,
}

impl OperatorCommand {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let Self::Create { name } = self;
        let name = arguments::line("name", name)?;
        if let Some(operator) = session.find_operator()? {
            return Err(
                Failure::new(format!("there is an operator already: `{}`", operator.id)).hint(
                    "create resellers and customers below it with `cargo xtask admin account create`",
                ),
            );
        }
        let operator = NewAccount {
            id: random::account_id()?,
            kind: AccountKind::Operator,
            parent: None,
            name,
            limits: Limits::default(),
        };
        create(session, &operator)
    }
}

impl Command {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        match self {
            Self::Create(order) => order.run(session),
            Self::List { parent } => list(session, parent.as_deref()),
            Self::Show { account, last } => {
                show::run(session, &arguments::account(account)?, *last)
            }
            Self::Limits { account, limits } => {
                set_limits(session, &arguments::account(account)?, limits)
            }
            Self::Suspend { account } => suspend(session, &arguments::account(account)?, true),
            Self::Resume { account } => suspend(session, &arguments::account(account)?, false),
        }
    }
}

impl Create {
    fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let name = arguments::line("name", &self.name)?;
        let kind = arguments::kind(&self.kind)?;
        let limits = self.limits.limits()?;
        let parent = session.parent_account(&arguments::account(&self.parent)?)?;
        let account = NewAccount {
            id: random::account_id()?,
            kind,
            parent: Some(parent.id),
            name,
            limits,
        };
        create(session, &account)
    }
}

fn create(session: &Session<'_>, account: &NewAccount) -> Result<Report, Failure> {
    session.commit(&account.to_batch(&session.change(&account.id)))?;
    let kind = account.kind.as_str();
    Ok(Report::line(
        format!("created the {kind} {} ({})", account.id, account.name),
        json!({ "id": account.id.as_str(), "kind": kind, "name": account.name }),
    ))
}

fn list(session: &Session<'_>, parent: Option<&str>) -> Result<Report, Failure> {
    let parent = session.only_account(parent)?;
    let accounts = session.list(accounts_statement(parent.as_ref()), read_account)?;
    let mut table = Table::new(&[
        "account", "kind", "status", ">balance", ">held", ">debt", ">charged", "parent", "created",
        "name",
    ]);
    for account in &accounts {
        table.row([
            account.id.to_string(),
            account.kind.as_str().to_owned(),
            status(account).to_owned(),
            account.balance.to_string(),
            account.held.to_string(),
            account.debt.to_string(),
            account.charged.to_string(),
            account
                .parent
                .as_ref()
                .map_or("-".to_owned(), AccountId::to_string),
            moment(account.created_at_ms),
            account.name.clone(),
        ]);
    }
    Ok(Report {
        text: table.to_text(),
        json: accounts.iter().map(to_json).collect(),
    })
}

fn set_limits(
    session: &Session<'_>,
    account: &AccountId,
    flags: &LimitFlags,
) -> Result<Report, Failure> {
    let edits = flags.some_edits()?;
    let account = session.charged_account(account)?;
    session.commit(&edit_account_limits(
        &account.id,
        &edits,
        &session.change(&account.id),
    ))?;
    let account = session.account(&account.id)?;
    Ok(Report::line(
        format!(
            "limits of {}: {}",
            account.id,
            limits::to_text(&account.limits)
        ),
        to_json(&account),
    ))
}

fn suspend(session: &Session<'_>, account: &AccountId, suspended: bool) -> Result<Report, Failure> {
    let account = session.charged_account(account)?;
    let word = if suspended { "suspended" } else { "active" };
    let json = json!({ "id": account.id.as_str(), "status": word });
    if account.active != suspended {
        return Ok(Report::line(
            format!("{} is {word} already; nothing was changed", account.id),
            json,
        ));
    }
    session.commit(&set_suspended(
        &account.id,
        suspended,
        &session.change(&account.id),
    ))?;
    Ok(Report::line(format!("{} is {word} now", account.id), json))
}

/// The word that the database keeps.
pub(super) const fn status(account: &Account) -> &'static str {
    if account.active {
        "active"
    } else {
        "suspended"
    }
}

/// An account in the words of the database.
pub(super) fn to_json(account: &Account) -> Value {
    json!({
        "id": account.id.as_str(),
        "parent_id": account.parent.as_ref().map(AccountId::as_str),
        "kind": account.kind.as_str(),
        "name": account.name,
        "status": status(account),
        "balance_nanos": account.balance.get(),
        "held_nanos": account.held.get(),
        "debt_nanos": account.debt.get(),
        "charged_nanos": account.charged.get(),
        "limits": limits::to_json(&account.limits),
        "created_at_ms": account.created_at_ms,
    })
}
