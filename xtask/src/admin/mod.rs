//! `cargo xtask admin`: what an operator does by hand, against the local or a remote database. Every
//! change is made by `core` and leaves its line in the audit log; a refused one changes nothing.

mod account;
mod alarms;
mod audit;
mod budget;
mod credit;
mod domain;
mod key;
mod limits;
mod person;
mod posting;
mod rule;
mod sale;
mod session;
mod show;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::database::Connection;
use crate::failure::Failure;
use crate::repo;
use crate::report::Report;

pub use session::Session;

/// Manages accounts, keys, credit and prices; every change is in the audit log.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// Prints JSON; amounts are in 1e-9 US dollars (`_nanos`), times in Unix milliseconds (`_ms`)
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Brings the database's tables up to date
    Migrate,
    /// The account at the root, which owns the catalogue
    #[command(subcommand)]
    Operator(account::OperatorCommand),
    /// Resellers and customers
    #[command(subcommand)]
    Account(account::Command),
    /// API keys
    #[command(subcommand)]
    Key(key::Command),
    /// Gives an account credit
    Grant(credit::Grant),
    /// Corrects an account's credit, up or down
    Adjust(credit::Adjust),
    /// Sets what a key's calls, or all calls of an account, may be charged, and shows what is spent
    Budget(budget::Budget),
    /// Moves credit between a reseller and an account right below it
    Transfer(credit::Transfer),
    /// Books credit that was paid for, and the part of the reseller above
    Purchase(sale::Purchase),
    /// Takes back credit whose price was paid back; what is not there to take becomes debt
    Refund(sale::Refund),
    /// Takes back credit whose payment the bank withdrew, or gives it back with `--won`
    Dispute(sale::Dispute),
    /// What an account charges the accounts right below it
    #[command(subcommand)]
    Rule(rule::Command),
    /// Who signs in at the dashboard
    #[command(subcommand)]
    Person(person::Command),
    /// Which hosts show whose pages
    #[command(subcommand)]
    Domain(domain::Command),
    /// Shows what people must know, the latest first, or says that it was seen
    Alarms(alarms::Arguments),
    /// Shows who changed what, the latest first
    Audit(audit::Arguments),
}

impl Arguments {
    /// Runs the command and prints its report.
    ///
    /// # Errors
    /// The command's own; then nothing was changed, unless the message says otherwise.
    pub fn run(&self) -> Result<(), Failure> {
        let database = self.connection.open()?;
        let session = Session::of_user(&database);
        let report = match &self.command {
            Command::Migrate => migrate(&session)?,
            Command::Operator(command) => command.run(&session)?,
            Command::Account(command) => command.run(&session)?,
            Command::Key(command) => command.run(&session)?,
            Command::Grant(grant) => grant.run(&session)?,
            Command::Adjust(adjust) => adjust.run(&session)?,
            Command::Budget(budget) => budget.run(&session)?,
            Command::Transfer(transfer) => transfer.run(&session)?,
            Command::Purchase(purchase) => purchase.run(&session)?,
            Command::Refund(refund) => refund.run(&session)?,
            Command::Dispute(dispute) => dispute.run(&session)?,
            Command::Rule(command) => command.run(&session)?,
            Command::Person(command) => command.run(&session)?,
            Command::Domain(command) => command.run(&session)?,
            Command::Alarms(arguments) => arguments.run(&session)?,
            Command::Audit(arguments) => arguments.run(&session)?,
        };
        report.print(self.json);
        Ok(())
    }
}

fn migrate(session: &Session<'_>) -> Result<Report, Failure> {
    let applied = session.database.migrate(&repo::path("migrations"))?;
    let names: Vec<String> = applied
        .iter()
        .map(|migration| format!("{:04}_{}", migration.version, migration.name))
        .collect();
    let text = if names.is_empty() {
        "the database is up to date\n".to_owned()
    } else {
        names
            .iter()
            .map(|name| format!("applied {name}\n"))
            .collect()
    };
    Ok(Report {
        text,
        json: json!({ "applied": names }),
    })
}
