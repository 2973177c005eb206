//! `admin purchase`, `admin refund` and `admin dispute`: what an operator books by hand when money
//! came or went outside Tollgate. Below a reseller, each moves the reseller's wallet as well.

use clap::Args;
use tollgate_core::accounts::AccountKind;
use tollgate_core::ledger::{Amount, Posting, Proceeds, Sale};
use tollgate_core::money::Nanos;

use super::Session;
use super::posting::{above_zero, book, report};
use crate::arguments;
use crate::failure::Failure;
use crate::report::Report;

#[derive(Args)]
pub(super) struct Purchase {
    #[command(flatten)]
    sale: SaleArguments,
}

#[derive(Args)]
pub(super) struct Refund {
    #[command(flatten)]
    sale: SaleArguments,
}

#[derive(Args)]
pub(super) struct Dispute {
    #[command(flatten)]
    sale: SaleArguments,
    /// Gives back what this dispute took: the same reference and amounts
    #[arg(long)]
    won: bool,
}

#[derive(Args)]
struct SaleArguments {
    /// The account that bought
    #[arg(value_name = "ACC")]
    account: String,
    /// The credit that it bought, or that is taken back, in US dollars
    #[arg(value_name = "CREDIT_USD", allow_hyphen_values = true)]
    credit: String,
    /// What the reseller right above earns, or loses: the receipts less the fees, `0` for nothing;
    /// must be given below a reseller
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    proceeds: Option<String>,
    /// What the statements say
    #[arg(long)]
    reason: String,
    /// Names the payment, the refund or the dispute: the same reference enters once
    #[arg(long)]
    reference: String,
}

impl Purchase {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        self.sale.run(session, Posting::purchase)
    }
}

impl Refund {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        self.sale.run(session, Posting::refund)
    }
}

impl Dispute {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let posting = if self.won {
            Posting::dispute_won
        } else {
            Posting::dispute
        };
        self.sale.run(session, posting)
    }
}

impl SaleArguments {
    fn run(&self, session: &Session<'_>, make: fn(&Sale) -> Posting) -> Result<Report, Failure> {
        let sale = self.sale(session)?;
        let posting = make(&sale);
        let booked = book(session, &posting, &sale.event)?;
        report(session, booked, &posting)
    }

    fn sale(&self, session: &Session<'_>) -> Result<Sale, Failure> {
        let credit = above_zero(&self.credit)?;
        let reason = arguments::line("reason", &self.reason)?;
        let event = arguments::reference(&self.reference)?;
        let customer = session.charged_account(&arguments::account(&self.account)?)?;
        let parent = match &customer.parent {
            Some(parent) => session.account(parent)?,
            None => session.operator()?,
        };
        let proceeds = match (parent.kind, &self.proceeds) {
            (AccountKind::Reseller, Some(text)) => from_zero(text)?.map(|amount| Proceeds {
                reseller: parent.id,
                amount,
            }),
            (AccountKind::Reseller, None) => {
                return Err(Failure::new(format!(
                    "`{}` buys from the reseller `{}`, whose part is not given",
                    customer.id, parent.id
                ))
                .hint("give the receipts less the fees with `--proceeds`, or `--proceeds 0`"));
            }
            (AccountKind::Operator | AccountKind::Customer, None) => None,
            (AccountKind::Operator | AccountKind::Customer, Some(_)) => {
                return Err(Failure::new(format!(
                    "`{}` buys from the operator, which has no wallet",
                    customer.id
                ))
                .hint("leave `--proceeds` out: it is for customers of a reseller"));
            }
        };
        Ok(Sale {
            customer: customer.id,
            credit,
            proceeds,
            event,
            reason,
        })
    }
}

/// The reseller's part, which may be nothing.
fn from_zero(text: &str) -> Result<Option<Amount>, Failure> {
    let amount = arguments::usd(text)?;
    if amount < Nanos::ZERO {
        return Err(Failure::new(format!("`{text}` is below zero"))
            .hint("when the fees are above the receipts, give `0` and book the rest with `cargo xtask admin adjust`"));
    }
    Ok(Amount::new(amount))
}
