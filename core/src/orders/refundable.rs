//! Asking for a refund here: what of an order can be refunded now, and the transaction that writes the
//! refund and takes its credit before Stripe is asked, so that nobody spends it meanwhile.

use super::order::{COLUMNS, Order, OrderState, WIDTH, read_order};
use super::refund::AskedRefund;
use super::top_up::switch_off_top_up;
use crate::audit::Change;
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement, StepIndex};
use crate::ids::{AccountId, OrderId, RefundId};
use crate::ledger::Posting;
use crate::money::Nanos;
use crate::stripe::Cents;

/// A paid order, and what of it can be refunded now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refundable {
    /// The order.
    pub order: Order,
    /// The most that can be refunded now, or why nothing can.
    pub most: Result<Cents, RefundRefusal>,
}

/// Why an order is not refunded from the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundRefusal {
    /// It is not paid.
    NotPaid,
    /// All of it was refunded.
    NothingLeft,
    /// Its credit is spent, held by calls, or owed.
    Spent,
    /// The reseller above has spent, or owes, what it earned by it.
    SpentBySeller,
    /// Its payer disputes it at the bank.
    Disputed,
    /// The account is suspended.
    Suspended,
    /// More than can be refunded, or nothing.
    Amount {
        /// What can be.
        most: Cents,
    },
}

/// What the database said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The credit is taken: ask Stripe.
    Now,
    /// The same was asked before; Stripe may be asked again.
    Before,
    /// Something changed since `Refundable` was read; nothing was taken. Read it again.
    Changed,
}

/// The batch that takes the credit, and where its answers stand.
#[derive(Clone, Debug)]
pub struct AskBatch {
    /// What to execute.
    pub batch: Batch,
    /// What to ask Stripe afterwards.
    pub refund: AskedRefund,
    commit: StepIndex,
    known: StepIndex,
}

const TAKE: &str = "\
UPDATE orders SET refunded_cents = refunded_cents + ?3
WHERE id = ?1 AND account_id = ?2 AND state = 'paid' AND refunded_cents + ?3 <= price_cents
  AND NOT EXISTS (SELECT 1 FROM disputes d WHERE d.order_id = ?1 AND d.state <> 'won')
  AND EXISTS (SELECT 1 FROM accounts a WHERE a.id = ?2 AND a.status = 'active')";

const KNOWN: &str = "\
SELECT 1 FROM refunds WHERE id = ?1 AND account_id = ?2 AND order_id = ?3 AND amount_cents = ?4";

/// Reads an order of an account, and what of it can be refunded.
#[must_use]
pub fn refundable_statement(account: &AccountId, order: &OrderId) -> Statement {
    let sql = format!(
        "SELECT {COLUMNS}, a.balance_nanos - a.held_nanos, a.debt_nanos, a.status = 'active', \
           EXISTS (SELECT 1 FROM disputes d WHERE d.order_id = o.id AND d.state <> 'won'), \
           p.balance_nanos - p.held_nanos, p.debt_nanos \
         FROM orders o JOIN accounts a ON a.id = o.account_id JOIN accounts p ON p.id = o.seller_id \
         WHERE o.id = ?2 AND o.account_id = ?1"
    );
    Statement::new(sql)
        .bind(account.as_str())
        .bind(order.as_str())
}

/// Reads the row of `refundable_statement`.
pub fn read_refundable(row: &Row) -> Result<Refundable, HranaFault> {
    let at = |offset: usize| WIDTH.saturating_add(offset);
    let order = read_order(row)?;
    let free = |free: usize, debt: usize| -> Result<Nanos, HranaFault> {
        let owes = row.get::<i64>(at(debt))? > 0;
        Ok(Nanos::new(if owes { 0 } else { row.get(at(free))? }))
    };
    let wallets = (free(0, 1)?, free(4, 5)?);
    let active: bool = row.get(at(2))?;
    let disputed: bool = row.get(at(3))?;
    let most = if order.state != OrderState::Paid {
        Err(RefundRefusal::NotPaid)
    } else if !active {
        Err(RefundRefusal::Suspended)
    } else if disputed {
        Err(RefundRefusal::Disputed)
    } else {
        most_refundable(&order, wallets)
    };
    Ok(Refundable { order, most })
}

/// What is not refunded yet, as far as the free credit of the account, and of the reseller above it,
/// covers it, in whole cents.
fn most_refundable(order: &Order, (free, sellers): (Nanos, Nanos)) -> Result<Cents, RefundRefusal> {
    let left = order.price.less(order.refunded);
    if left == Cents::ZERO {
        return Err(RefundRefusal::NothingLeft);
    }
    let each = order.part(Cents::new(1));
    let cents = |free: Nanos, each: Nanos| {
        let covered = free.get().checked_div(each.get()).unwrap_or(0);
        left.min(Cents::new(covered))
    };
    let covered = cents(free, each.credit);
    let by_seller = each.proceeds.map_or(left, |each| cents(sellers, each));
    if covered <= Cents::ZERO {
        Err(RefundRefusal::Spent)
    } else if by_seller <= Cents::ZERO {
        Err(RefundRefusal::SpentBySeller)
    } else {
        Ok(covered.min(by_seller))
    }
}

impl Refundable {
    /// The batch that takes the credit of `amount` for a refund of this id, and switches automatic top-up
    /// off: the form that is sent twice has the same id, and takes it once.
    pub fn ask(
        &self,
        id: &RefundId,
        amount: Cents,
        change: &Change,
    ) -> Result<AskBatch, RefundRefusal> {
        let most = self.most?;
        if amount <= Cents::ZERO || amount > most {
            return Err(RefundRefusal::Amount { most });
        }
        let payment = self.order.payment_intent.as_ref();
        let payment = payment.ok_or(RefundRefusal::NotPaid)?;
        let part = self.order.part(amount);
        let refund = AskedRefund::of(&self.order, payment, (id.clone(), amount, part));
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        let take = Statement::new(TAKE)
            .bind(refund.order.as_str())
            .bind(refund.account.as_str())
            .bind(amount.get());
        transaction.then(take);
        transaction.require_change();
        transaction.then(refund.insert(change.at_ms));
        // Or what goes back now would be charged again as soon as it is missing.
        let no_top_up = switch_off_top_up(&refund.account, "refund", change.at_ms);
        transaction.then(no_top_up);
        if let Some(sale) = refund.sale() {
            Posting::refund_asked(&sale).append(&mut transaction, change);
        }
        let commit = transaction.commit();
        let known = Statement::new(KNOWN)
            .bind(refund.id.as_str())
            .bind(refund.account.as_str())
            .bind(refund.order.as_str())
            .bind(amount.get());
        let known = batch.step(None, known);
        Ok(AskBatch {
            batch,
            refund,
            commit,
            known,
        })
    }
}

impl AskBatch {
    /// What the reply to the batch says.
    #[must_use]
    pub fn read(&self, reply: &Reply) -> Asked {
        if reply.is_ok(self.commit) {
            Asked::Now
        } else if reply.rows(self.known).is_empty() {
            Asked::Changed
        } else {
            Asked::Before
        }
    }
}
