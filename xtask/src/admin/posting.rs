//! Makes a posting for a command and says in a sentence why one was refused. The same reference
//! enters the ledger once, so that a command whose answer was lost can be repeated.

use serde_json::{Value, json};
use tollgate_core::ledger::{Amount, LedgerEntry, Posted, Posting};
use tollgate_core::money::Nanos;

use super::Session;
use crate::arguments;
use crate::database::readable;
use crate::failure::Failure;
use crate::random;
use crate::report::Report;

/// A posting that is in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Booked {
    /// This command made it.
    Now,
    /// An earlier one did; nothing was changed.
    Before,
}

impl Booked {
    /// The word that begins the report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Now => "posted",
            Self::Before => "was posted before; nothing was changed:",
        }
    }
}

/// The event's name that was given, or a random one.
pub(super) fn event(reference: Option<&str>) -> Result<String, Failure> {
    match reference {
        Some(text) => arguments::reference(text),
        None => random::reference(),
    }
}

/// An amount of US dollars above zero.
pub(super) fn above_zero(text: &str) -> Result<Amount, Failure> {
    let amount = arguments::usd(text)?;
    Amount::new(amount).ok_or_else(|| {
        Failure::new(format!("`{text}` is not above zero"))
            .hint("the command says which way the credit moves")
    })
}

/// Makes a posting, whose event has this name.
///
/// # Errors
/// When the database refuses it: then nothing was changed.
pub(super) fn book(
    session: &Session<'_>,
    posting: &Posting,
    event: &str,
) -> Result<Booked, Failure> {
    let mut entries = posting.entries();
    let Some(first) = entries.next() else {
        return Err(Failure::new("the posting has no entries"));
    };
    let last = entries.last().unwrap_or(first);
    let batch = posting.to_batch(&session.change(&first.account));
    match readable(batch.read(&session.database.execute(&batch.batch)?))? {
        Posted::Now => Ok(Booked::Now),
        Posted::Before => Ok(Booked::Before),
        Posted::ReferenceTaken => Err(Failure::new(format!(
            "the reference `{event}` belongs to another {} of another amount or account",
            first.kind.as_str()
        ))
        .hint("look for it with `cargo xtask admin audit`, or choose another reference")),
        Posted::NotRelated => Err(Failure::new(format!(
            "`{}` and `{}` are not a reseller and an account right below it",
            first.account, last.account
        ))
        .hint("`cargo xtask admin account show ACC` shows where an account is")),
        Posted::NothingToReverse => Err(Failure::new(format!(
            "the ledger has no dispute `{event}` of this account and these amounts"
        ))
        .hint("give the reference and the amounts with which the dispute was booked")),
        Posted::NotCovered { missing } => Err(not_covered(session, first, missing)?),
        Posted::Impossible => Err(impossible(session, posting)?),
        Posted::Contended => Err(Failure::new("the database was busy; nothing was changed")
            .hint("run the command again")),
    }
}

fn not_covered(
    session: &Session<'_>,
    giver: &LedgerEntry,
    missing: Nanos,
) -> Result<Failure, Failure> {
    let account = session.account(&giver.account)?;
    let free = account.balance.minus(account.held).unwrap_or_default();
    Ok(Failure::new(format!(
        "`{}` has `{free}` of free credit and `{}` of debt: `{missing}` is missing",
        account.id, account.debt
    ))
    .hint("give less, or give it credit first; what open calls hold is not free"))
}

fn impossible(session: &Session<'_>, posting: &Posting) -> Result<Failure, Failure> {
    let mut wallets = Vec::new();
    for entry in posting.entries() {
        let balance = session.account(&entry.account)?.balance;
        wallets.push(format!(
            "`{}` does not fit the balance of `{}`, which is `{balance}`",
            entry.amount, entry.account
        ));
    }
    Ok(Failure::new(wallets.join(", or "))
        .hint("a balance is at most 9223372036 dollars, and so is a debt"))
}

/// What each account has after the posting.
///
/// # Errors
/// When the database cannot be read.
pub(super) fn report(
    session: &Session<'_>,
    booked: Booked,
    posting: &Posting,
) -> Result<Report, Failure> {
    let mut text = String::new();
    let mut entries = Vec::new();
    for entry in posting.entries() {
        let after = session.account(&entry.account)?;
        text.push_str(&format!(
            "{} {} {} for {}: balance {}, debt {}\n",
            booked.word(),
            entry.kind.as_str(),
            entry.amount,
            entry.account,
            after.balance,
            after.debt
        ));
        entries.push(json!({
            "account_id": entry.account.as_str(),
            "kind": entry.kind.as_str(),
            "amount_nanos": entry.amount.get(),
            "reference": entry.reference,
            "balance_nanos": after.balance.get(),
            "debt_nanos": after.debt.get(),
        }));
    }
    Ok(Report {
        text,
        json: json!({
            "posted_before": booked == Booked::Before,
            "entries": Value::Array(entries),
        }),
    })
}
