//! Ledger entries: everything that moves credit and is not usage. A `Posting` is the entries of one
//! business event, all of them or none; each enters once, by its reference. How a posting becomes a
//! transaction is in `posting`, how people read entries in `statement`.

mod posting;
mod statement;

use crate::ids::AccountId;
use crate::money::Nanos;

pub use posting::{PostBatch, Posted};
pub use statement::{StatementLine, read_statement_line, statement_page};

/// Why credit moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A paid credit pack.
    Purchase,
    /// A purchase given back.
    Refund,
    /// A purchase disputed at the bank, or won back.
    Dispute,
    /// Credit given by a person.
    Grant,
    /// A correction by a person.
    Adjustment,
    /// Credit moved between accounts.
    Transfer,
    /// The difference to what the provider's own record says.
    TrueUp,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Purchase,
        Self::Refund,
        Self::Dispute,
        Self::Grant,
        Self::Adjustment,
        Self::Transfer,
        Self::TrueUp,
    ];

    /// The kind that the word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The word that the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Grant => "grant",
            Self::Adjustment => "adjustment",
            Self::Transfer => "transfer",
            Self::TrueUp => "true_up",
        }
    }
}

/// An amount above zero: which way it moves is said by what is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(Nanos);

impl Amount {
    /// The amount; `None` for zero and below.
    #[must_use]
    pub fn new(nanos: Nanos) -> Option<Self> {
        (nanos > Nanos::ZERO).then_some(Self(nanos))
    }

    /// The amount in 1e-9 USD.
    #[must_use]
    pub const fn get(self) -> Nanos {
        self.0
    }

    fn negative(self) -> Nanos {
        Nanos::new(0_i64.saturating_sub(self.0.get()))
    }
}

/// One movement of credit of either sign, such as a grant or an adjustment. Below zero it claws
/// back: it takes what is free, and the rest becomes debt. What has more than one entry, or a sign
/// that its kind decides, is made by the functions of [`Posting`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Whose credit moves.
    pub account: AccountId,
    /// Why.
    pub kind: EntryKind,
    /// More credit if positive; never zero.
    pub amount: Nanos,
    /// The business event: the same reference enters once.
    pub reference: String,
    /// What people read in the statement.
    pub reason: String,
}

/// Credit that an account gives to one right below it, or gives back to the one right above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who gives: what is free covers all of it, or nothing happens.
    pub from: AccountId,
    /// Who gets it.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
    /// Names the event; the entries are `transfer:EVENT:from` and `transfer:EVENT:to`.
    pub event: String,
    /// What people read in both statements.
    pub reason: String,
}

/// Credit that the operator gives to an account right below it, out of nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The operator: from anyone else nothing is given.
    pub operator: AccountId,
    /// Who gets it.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
    /// Names the event; the entry is `grant:EVENT`.
    pub event: String,
    /// What people read in the statement.
    pub reason: String,
}

/// Credit that was paid for with money: what a purchase, its refund and its dispute move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Who bought.
    pub customer: AccountId,
    /// The credit of the pack, or the part of it that is refunded or disputed.
    pub credit: Amount,
    /// What the reseller right above the customer earns or loses; `None` when the operator sells.
    pub proceeds: Option<Proceeds>,
    /// Names the payment, the refund or the dispute; the entries are `purchase:EVENT` and
    /// `purchase:EVENT:reseller`, and likewise for the others.
    pub event: String,
    /// What people read in the statements.
    pub reason: String,
}

/// The part of a sale that moves a reseller's wholesale wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proceeds {
    /// The reseller right above the customer.
    pub reseller: AccountId,
    /// The receipts less the fees.
    pub amount: Amount,
}

/// The entries of one business event. They enter the ledger together, once, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    lines: Vec<Line>,
    family: Option<Family>,
}

/// One entry of a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    entry: LedgerEntry,
    movement: Movement,
    /// The entry that this one takes back, which must be in the ledger.
    reverses: Option<String>,
}

/// What an entry does to its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Movement {
    /// Gives: debt is repaid first.
    Credit,
    /// Takes what is free; the rest becomes debt.
    Clawback,
    /// Takes what is free, if that is enough and there is no debt.
    Covered,
}

/// Two accounts of which one must be right above the other.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Family {
    /// A reseller, then its customer.
    ParentAndChild(AccountId, AccountId),
    /// A reseller and its customer, in either order.
    EitherAbove(AccountId, AccountId),
    /// The operator, then an account right below it.
    OperatorAndChild(AccountId, AccountId),
}

impl From<LedgerEntry> for Posting {
    fn from(entry: LedgerEntry) -> Self {
        let movement = if entry.amount > Nanos::ZERO {
            Movement::Credit
        } else {
            Movement::Clawback
        };
        Self {
            lines: vec![Line {
                entry,
                movement,
                reverses: None,
            }],
            family: None,
        }
    }
}

impl Posting {
    /// Moves credit between an account and the one right above it.
    #[must_use]
    pub fn transfer(transfer: &Transfer) -> Self {
        let line = |account: &AccountId, movement, end: &str| {
            let reference = format!("transfer:{}:{end}", transfer.event);
            let entry = (account, EntryKind::Transfer, transfer.amount);
            Line::new(entry, movement, reference, &transfer.reason)
        };
        Self {
            lines: vec![
                line(&transfer.from, Movement::Covered, "from"),
                line(&transfer.to, Movement::Credit, "to"),
            ],
            family: Some(Family::EitherAbove(
                transfer.from.clone(),
                transfer.to.clone(),
            )),
        }
    }

    /// Gives credit that nobody paid for.
    #[must_use]
    pub fn grant(grant: &Grant) -> Self {
        let entry = (&grant.to, EntryKind::Grant, grant.amount);
        let reference = format!("grant:{}", grant.event);
        Self {
            lines: vec![Line::new(entry, Movement::Credit, reference, &grant.reason)],
            family: Some(Family::OperatorAndChild(
                grant.operator.clone(),
                grant.to.clone(),
            )),
        }
    }

    /// The pack to the customer, and the receipts less fees to the reseller above it.
    #[must_use]
    pub fn purchase(sale: &Sale) -> Self {
        sale.posting(EntryKind::Purchase, Movement::Credit, "")
    }

    /// Takes back what was refunded, from the customer and from the reseller above it.
    #[must_use]
    pub fn refund(sale: &Sale) -> Self {
        sale.posting(EntryKind::Refund, Movement::Clawback, "")
    }

    /// Takes back what a customer asks to have refunded: only what is free, from the customer and from
    /// the reseller above it, so that nobody spends it while the money is on its way, and a reseller
    /// that spent what the customer paid leaves no debt to the operator.
    #[must_use]
    pub fn refund_asked(sale: &Sale) -> Self {
        let mut posting = Self::refund(sale);
        for line in &mut posting.lines {
            line.movement = Movement::Covered;
        }
        posting
    }

    /// Gives back what the refund of the same event took, because the money never arrived. The sale
    /// is the same as the refund's; without that refund in the ledger nothing is given.
    #[must_use]
    pub fn refund_failed(sale: &Sale) -> Self {
        let posting = sale.posting(EntryKind::Refund, Movement::Credit, ":failed");
        posting.reversing(Self::refund(sale))
    }

    /// Takes back what the bank withdrew, from the customer and from the reseller above it.
    #[must_use]
    pub fn dispute(sale: &Sale) -> Self {
        sale.posting(EntryKind::Dispute, Movement::Clawback, "")
    }

    /// Gives back what the dispute of the same event took. The sale is the same as the dispute's;
    /// without that dispute in the ledger nothing is given.
    #[must_use]
    pub fn dispute_won(sale: &Sale) -> Self {
        let posting = sale.posting(EntryKind::Dispute, Movement::Credit, ":won");
        posting.reversing(Self::dispute(sale))
    }

    fn reversing(mut self, taken: Self) -> Self {
        for (line, taken) in self.lines.iter_mut().zip(taken.lines) {
            line.reverses = Some(taken.entry.reference);
        }
        self
    }

    /// The entries, in the order in which they enter.
    pub fn entries(&self) -> impl Iterator<Item = &LedgerEntry> {
        self.lines.iter().map(|line| &line.entry)
    }
}

impl Sale {
    fn posting(&self, kind: EntryKind, movement: Movement, phase: &str) -> Posting {
        let reference = format!("{}:{}{phase}", kind.as_str(), self.event);
        let to_reseller = self.proceeds.as_ref().map(|proceeds| {
            let reference = format!("{reference}:reseller");
            let entry = (&proceeds.reseller, kind, proceeds.amount);
            Line::new(entry, movement, reference, &self.reason)
        });
        let entry = (&self.customer, kind, self.credit);
        let mut lines = vec![Line::new(entry, movement, reference, &self.reason)];
        lines.extend(to_reseller);
        let family = self.proceeds.as_ref().map(|proceeds| {
            Family::ParentAndChild(proceeds.reseller.clone(), self.customer.clone())
        });
        Posting { lines, family }
    }
}

impl Line {
    fn new(
        (account, kind, amount): (&AccountId, EntryKind, Amount),
        movement: Movement,
        reference: String,
        reason: &str,
    ) -> Self {
        let amount = match movement {
            Movement::Credit => amount.get(),
            Movement::Clawback | Movement::Covered => amount.negative(),
        };
        Self {
            entry: LedgerEntry {
                account: account.clone(),
                kind,
                amount,
                reference,
                reason: reason.to_owned(),
            },
            movement,
            reverses: None,
        }
    }
}
