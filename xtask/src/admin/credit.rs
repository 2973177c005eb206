//! `admin grant` and `admin adjust`: credit that a person gives or takes. The same reference enters
//! the ledger once, so that a command whose answer was lost can be repeated.

use clap::Args;
use serde_json::json;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::money::Nanos;

use super::Session;
use crate::arguments;
use crate::database::readable;
use crate::failure::Failure;
use crate::random;
use crate::report::Report;

#[derive(Args)]
pub(super) struct Grant {
    /// The account
    #[arg(value_name = "ACC")]
    account: String,
    /// How much, in US dollars, above zero
    #[arg(value_name = "AMOUNT_USD", allow_hyphen_values = true)]
    amount: String,
    #[command(flatten)]
    why: Why,
}

#[derive(Args)]
pub(super) struct Adjust {
    /// The account
    #[arg(value_name = "ACC")]
    account: String,
    /// How much, in US dollars, such as `5` or `-5.00`; what is not there to take becomes debt
    #[arg(value_name = "AMOUNT_USD", allow_hyphen_values = true)]
    amount: String,
    #[command(flatten)]
    why: Why,
}

#[derive(Args)]
struct Why {
    /// What the account's statement says
    #[arg(long)]
    reason: String,
    /// Names the event, such as an invoice: the same reference enters once [default: random]
    #[arg(long)]
    reference: Option<String>,
}

impl Grant {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let amount = not_zero(&self.amount)?;
        if amount < Nanos::ZERO {
            return Err(Failure::new(format!(
                "`{}` is below zero, and a grant gives",
                self.amount
            ))
            .hint("take credit with `cargo xtask admin adjust`"));
        }
        post(
            session,
            EntryKind::Grant,
            (&self.account, amount),
            &self.why,
        )
    }
}

impl Adjust {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let amount = not_zero(&self.amount)?;
        post(
            session,
            EntryKind::Adjustment,
            (&self.account, amount),
            &self.why,
        )
    }
}

fn not_zero(text: &str) -> Result<Nanos, Failure> {
    let amount = arguments::usd(text)?;
    if amount == Nanos::ZERO {
        return Err(Failure::new("the amount is zero").hint("the ledger has no empty entries"));
    }
    Ok(amount)
}

fn post(
    session: &Session<'_>,
    kind: EntryKind,
    (account, amount): (&str, Nanos),
    why: &Why,
) -> Result<Report, Failure> {
    let reason = arguments::line("reason", &why.reason)?;
    let event = match &why.reference {
        Some(text) => arguments::reference(text)?,
        None => random::reference()?,
    };
    let account = session.charged_account(&arguments::account(account)?)?;
    let entry = LedgerEntry {
        account: account.id,
        kind,
        amount,
        reference: format!("{}:{event}", kind.as_str()),
        reason,
    };
    let batch = entry.to_batch(&session.change(&entry.account));
    let posted = readable(batch.read(&session.database.execute(&batch.batch)?))?;
    let word = match posted {
        Posted::Now => "posted",
        Posted::Before => "was posted before; nothing was changed:",
        Posted::ReferenceTaken => {
            return Err(Failure::new(format!(
                "the reference `{event}` belongs to another {} of another amount or account",
                kind.as_str()
            ))
            .hint("look for it with `cargo xtask admin audit`, or choose another reference"));
        }
        Posted::Impossible => {
            return Err(Failure::new(format!(
                "`{amount}` does not fit the balance of `{}`, which is `{}`",
                entry.account, account.balance
            ))
            .hint("a balance is at most 9223372036 dollars"));
        }
    };
    let after = session.account(&entry.account)?;
    Ok(Report::line(
        format!(
            "{word} {} {amount} for {}: balance {}, debt {}",
            kind.as_str(),
            entry.account,
            after.balance,
            after.debt
        ),
        json!({
            "account_id": entry.account.as_str(),
            "kind": kind.as_str(),
            "amount_nanos": amount.get(),
            "reference": entry.reference,
            "posted_before": posted == Posted::Before,
            "balance_nanos": after.balance.get(),
            "debt_nanos": after.debt.get(),
        }),
    ))
}
