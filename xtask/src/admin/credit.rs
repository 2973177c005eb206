//! `admin grant`, `admin adjust` and `admin transfer`: credit that a person gives, takes or moves.
//! How a posting is made, and what is said when it is refused, is in `posting`.

use clap::Args;
use serde_json::json;
use tollgate_core::ledger::{self, EntryKind, LedgerEntry, Posting};
use tollgate_core::money::Nanos;

use super::Session;
use super::posting::{Booked, above_zero, book, event, report};
use crate::arguments;
use crate::failure::Failure;
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
pub(super) struct Transfer {
    /// The account that gives; all of it must be free, and it must have no debt
    #[arg(value_name = "FROM")]
    from: String,
    /// The account that gets it: right below the other, or right above it
    #[arg(value_name = "TO")]
    to: String,
    /// How much, in US dollars, above zero
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

impl Transfer {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let amount = above_zero(&self.amount)?;
        let reason = arguments::line("reason", &self.why.reason)?;
        let event = event(self.why.reference.as_deref())?;
        let from = session.charged_account(&arguments::account(&self.from)?)?;
        let to = session.charged_account(&arguments::account(&self.to)?)?;
        let transfer = ledger::Transfer {
            from: from.id,
            to: to.id,
            amount,
            event: event.clone(),
            reason,
        };
        let posting = Posting::transfer(&transfer);
        let booked = book(session, &posting, &event)?;
        report(session, booked, &posting)
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
    let event = event(why.reference.as_deref())?;
    let account = session.charged_account(&arguments::account(account)?)?;
    let entry = LedgerEntry {
        account: account.id,
        kind,
        amount,
        reference: format!("{}:{event}", kind.as_str()),
        reason,
    };
    let booked = book(session, &Posting::from(entry.clone()), &event)?;
    let after = session.account(&entry.account)?;
    Ok(Report::line(
        format!(
            "{} {} {amount} for {}: balance {}, debt {}",
            booked.word(),
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
            "posted_before": booked == Booked::Before,
            "balance_nanos": after.balance.get(),
            "debt_nanos": after.debt.get(),
        }),
    ))
}
