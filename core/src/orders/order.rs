//! An order as the database keeps it, and how it is read.

use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, OrderId, PackId};
use crate::ledger::{Amount, Proceeds, Sale};
use crate::money::Nanos;
use crate::stripe::{Cents, StripeId};

/// How an order came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Somebody pays on Stripe's page.
    Checkout,
    /// The saved card pays by itself.
    AutoTopUp,
}

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Written down; Stripe may not know of it yet.
    New,
    /// Stripe's page is open.
    Open,
    /// The page was used, and the money takes its time.
    Pending,
    /// The money is there and the credit was given.
    Paid,
    /// The payment failed.
    Failed,
    /// The page closed, and nothing was paid.
    Expired,
    /// The money came and goes back; no credit was given.
    Refused,
}

impl OrderKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Checkout, Self::AutoTopUp];

    /// The word that the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::AutoTopUp => "auto_top_up",
        }
    }

    /// The kind that the word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::New,
        Self::Open,
        Self::Pending,
        Self::Paid,
        Self::Failed,
        Self::Expired,
        Self::Refused,
    ];

    /// The word that the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Refused => "refused",
        }
    }

    /// The state that the word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether something may still happen to it by itself.
    #[must_use]
    pub const fn is_unfinished(self) -> bool {
        match self {
            Self::New | Self::Open | Self::Pending => true,
            Self::Paid | Self::Failed | Self::Expired | Self::Refused => false,
        }
    }
}

/// One purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Who gets the credit.
    pub account: AccountId,
    /// The account above it.
    pub seller: AccountId,
    /// How it came about.
    pub kind: OrderKind,
    /// Which automatic top-up of the account, from 1.
    pub attempt: Option<i64>,
    /// Who ordered it.
    pub person: Option<String>,
    /// The seller's pack; `None` for a free amount.
    pub pack: Option<PackId>,
    /// What is paid, taxes included.
    pub price: Cents,
    /// What is given for it: a whole number of nanos for each cent.
    pub credit: Nanos,
    /// What the reseller above earns, likewise; `None` when the operator sells.
    pub proceeds: Option<Nanos>,
    /// Where it is.
    pub state: OrderState,
    /// Stripe's session of a checkout, or its payment of an automatic top-up, once Stripe answered.
    pub session: Option<StripeId>,
    /// Stripe's page.
    pub checkout_url: Option<String>,
    /// The payment, once it is paid.
    pub payment_intent: Option<StripeId>,
    /// Stripe's receipt.
    pub receipt_url: Option<String>,
    /// Stripe's invoice.
    pub invoice_url: Option<String>,
    /// Why it failed or was refused, in a word.
    pub failure: Option<String>,
    /// What refunds took that did not fail.
    pub refunded: Cents,
    /// Whether the money is real.
    pub livemode: bool,
    /// When the credit was given, in Unix milliseconds.
    pub paid_at_ms: Option<i64>,
    /// When Stripe's page closes, in Unix milliseconds.
    pub expires_at_ms: i64,
    /// When it was made, in Unix milliseconds.
    pub created_at_ms: i64,
    /// Whether the card is saved for automatic top-up.
    pub saves_card: bool,
}

/// The columns that `read_order` reads, of a table `o`.
pub(super) const COLUMNS: &str = "\
o.id, o.account_id, o.seller_id, o.kind, o.attempt, o.person_id, o.pack_id, o.price_cents,
  o.credit_nanos, o.proceeds_nanos, o.state, o.session_id, o.checkout_url, o.payment_intent_id,
  o.receipt_url, o.invoice_url, o.failure, o.refunded_cents, o.livemode, o.paid_at_ms,
  o.expires_at_ms, o.created_at_ms, o.saves_card";

/// How many columns that is.
pub(super) const WIDTH: usize = 23;

/// Reads one order of an account.
#[must_use]
pub fn order_statement(account: &AccountId, order: &OrderId) -> Statement {
    Statement::new(format!(
        "SELECT {COLUMNS} FROM orders o WHERE o.id = ?2 AND o.account_id = ?1"
    ))
    .bind(account.as_str())
    .bind(order.as_str())
}

/// Reads the order of an account that a session of Stripe's is for.
#[must_use]
pub fn session_order_statement(account: &AccountId, session: &StripeId) -> Statement {
    Statement::new(format!(
        "SELECT {COLUMNS} FROM orders o WHERE o.session_id = ?2 AND o.account_id = ?1"
    ))
    .bind(account.as_str())
    .bind(session.as_str())
}

/// Reads the row of an order.
pub fn read_order(row: &Row) -> Result<Order, HranaFault> {
    let pack: Option<String> = row.get(6)?;
    let pack = pack.map(|id| PackId::parse(&id).ok_or(HranaFault::UnexpectedColumn(6)));
    Ok(Order {
        id: word(row, 0, OrderId::parse)?,
        account: word(row, 1, AccountId::parse)?,
        seller: word(row, 2, AccountId::parse)?,
        kind: word(row, 3, OrderKind::parse)?,
        attempt: row.get(4)?,
        person: row.get(5)?,
        pack: pack.transpose()?,
        price: Cents::new(row.get(7)?),
        credit: Nanos::new(row.get(8)?),
        proceeds: row.get::<Option<i64>>(9)?.map(Nanos::new),
        state: word(row, 10, OrderState::parse)?,
        session: stripe_id(row, 11)?,
        checkout_url: row.get(12)?,
        payment_intent: stripe_id(row, 13)?,
        receipt_url: row.get(14)?,
        invoice_url: row.get(15)?,
        failure: row.get(16)?,
        refunded: Cents::new(row.get(17)?),
        livemode: row.get(18)?,
        paid_at_ms: row.get(19)?,
        expires_at_ms: row.get(20)?,
        created_at_ms: row.get(21)?,
        saves_card: row.get(22)?,
    })
}

/// Reads a text column by a parser.
pub(super) fn word<T>(
    row: &Row,
    column: usize,
    parse: fn(&str) -> Option<T>,
) -> Result<T, HranaFault> {
    parse(&row.get::<String>(column)?).ok_or(HranaFault::UnexpectedColumn(column))
}

/// Reads an id of Stripe's that may be missing.
pub(super) fn stripe_id(row: &Row, column: usize) -> Result<Option<StripeId>, HranaFault> {
    let text: Option<String> = row.get(column)?;
    text.map(|id| StripeId::parse(&id).ok_or(HranaFault::UnexpectedColumn(column)))
        .transpose()
}

/// What a part of an order's price moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The customer's credit.
    pub credit: Nanos,
    /// The reseller's.
    pub proceeds: Option<Nanos>,
}

impl Order {
    /// The credit that `amount` of the price stands for.
    #[must_use]
    pub fn credit_of(&self, amount: Cents) -> Nanos {
        self.part(amount).credit
    }

    /// What `amount` of the price stands for: exact, because credit and proceeds are whole numbers of
    /// nanos for each cent. Nothing for an order whose credit was never given.
    pub(super) fn part(&self, amount: Cents) -> Part {
        let amount = amount.get().min(self.price.get());
        let share = |whole: Nanos| {
            let each = whole.get().checked_div(self.price.get());
            Nanos::new(each.and_then(|each| each.checked_mul(amount)).unwrap_or(0))
        };
        if self.state == OrderState::Refused {
            return Part {
                credit: Nanos::ZERO,
                proceeds: None,
            };
        }
        Part {
            credit: share(self.credit),
            proceeds: self.proceeds.map(share),
        }
    }

    /// The sale of a part of the price; `None` for nothing.
    pub(super) fn sale(&self, part: Part, event: &str, reason: &str) -> Option<Sale> {
        let proceeds = part.proceeds.and_then(Amount::new);
        Some(Sale {
            customer: self.account.clone(),
            credit: Amount::new(part.credit)?,
            proceeds: proceeds.map(|amount| Proceeds {
                reseller: self.seller.clone(),
                amount,
            }),
            event: event.to_owned(),
            reason: reason.to_owned(),
        })
    }
}
