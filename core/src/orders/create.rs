//! An order is written before Stripe is asked, if its account may buy that much. Caps are tested by
//! the transaction that writes the order, against everything that is paid or may still be.

use super::order::{COLUMNS, Order, read_order};
use super::packs::Item;
use super::terms::{FIRST_WEEK_MS, Terms};
use crate::calendar::Periods;
use crate::hrana::{Batch, Condition, HranaFault, Reply, Row, Statement, StepIndex};
use crate::ids::{AccountId, OrderId, PackId};
use crate::money::Nanos;
use crate::stripe::Cents;

/// An order that somebody makes to pay on Stripe's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder<'a> {
    /// Its id. The form that is sent twice has the same, and makes one order.
    pub id: OrderId,
    /// Who gets the credit.
    pub account: AccountId,
    /// Who orders it.
    pub person: Option<&'a str>,
    /// What is bought.
    pub item: Item,
    /// Whether the card is saved for automatic top-up.
    pub saves_card: bool,
    /// When Stripe's page closes, in Unix milliseconds.
    pub expires_at_ms: i64,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

/// What the database said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The order is written. What is to be asked of Stripe is asked by it.
    Now(Box<Order>),
    /// The same order was made before; it may be paid by now.
    Before(Box<Order>),
    /// Nothing was written.
    Refused(OrderRefusal),
    /// Nothing was written, though it could have been. Try again, with another id.
    Contended,
}

/// Why an order is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefusal {
    /// There is no such account, or it buys from nobody.
    NoAccount,
    /// The account, or the one above it, is suspended.
    Suspended,
    /// The seller does not offer the pack any more.
    PackGone,
    /// The fee is more than the price: the reseller would earn nothing.
    Unprofitable,
    /// The account has reached what it may buy in a day.
    OverCap {
        /// What it may still buy today.
        left: Cents,
    },
}

/// The batch of a new order, and where its answers stand.
#[derive(Clone, Debug)]
pub struct CreateBatch {
    /// What to execute.
    pub batch: Batch,
    begin: StepIndex,
    commit: StepIndex,
    standing: StepIndex,
    order: StepIndex,
}

/// What an account has bought of late, or may still pay for: `{account}`, `{day}` and `{now}` are
/// arguments. What its people bought with an account that they closed counts, too: to close one and sign up
/// again is no way around a cap.
pub(super) fn spent(account: &str, day: &str, now: &str) -> String {
    format!(
        "(SELECT coalesce(sum(x.price_cents), 0) FROM orders x WHERE x.account_id IN (\
             SELECT {account} UNION SELECT former.account_id FROM people mine \
             JOIN people former ON former.seller_id = mine.seller_id AND former.email = mine.email \
             WHERE mine.account_id = {account} AND former.closed_at_ms IS NOT NULL) AND (\
           (x.state = 'paid' AND x.paid_at_ms >= {day}) OR x.state = 'pending' \
           OR (x.state IN ('new', 'open') AND x.expires_at_ms > {now})))"
    )
}

/// The seller offers the pack, or the amount is free.
const PACK_HOLDS: &str = "\
(?4 IS NULL OR EXISTS (SELECT 1 FROM packs k WHERE k.id = ?4 AND k.account_id = a.parent_id
   AND k.price_cents = ?5 AND k.credit_nanos = ?6 AND (k.ends_at_ms IS NULL OR k.ends_at_ms > ?10)))";

const WORKS: &str = "(a.status = 'active' AND p.status = 'active')";
const EARNS: &str = "(p.kind <> 'reseller' OR ?7 IS NOT NULL)";

/// `a` is the account, `?11` when an account made since is new, `?12` and `?13` the caps.
const CAP: &str = "CASE WHEN a.created_at_ms > ?11 THEN ?12 ELSE ?13 END";

const FROM: &str = "FROM accounts a JOIN accounts p ON p.id = a.parent_id WHERE a.id = ?2";

fn insert() -> String {
    let spent = spent("?2", "?15", "?10");
    format!(
        "INSERT INTO orders (id, account_id, seller_id, kind, person_id, pack_id, price_cents, \
           currency, credit_nanos, proceeds_nanos, state, livemode, expires_at_ms, created_at_ms, \
           saves_card) \
         SELECT ?1, a.id, a.parent_id, 'checkout', ?3, ?4, ?5, 'usd', ?6, \
           CASE p.kind WHEN 'reseller' THEN ?7 END, 'new', ?8, ?9, ?10, ?14 {FROM} \
           AND {WORKS} AND {EARNS} AND {PACK_HOLDS} AND {spent} + ?5 <= {CAP} \
         ON CONFLICT (id) DO NOTHING"
    )
}

fn standing() -> String {
    let spent = spent("?2", "?15", "?10");
    format!("SELECT {WORKS}, {PACK_HOLDS}, {EARNS}, {CAP} - {spent} {FROM}")
}

impl NewOrder<'_> {
    /// The batch that writes the order, unless its account may not buy it.
    #[must_use]
    pub fn to_batch(&self, terms: &Terms) -> CreateBatch {
        let mut batch = Batch::new();
        let begin = batch.steps().len();
        let mut transaction = batch.begin(None);
        transaction.then(self.bind(&insert(), terms));
        transaction.require_change();
        let commit = transaction.commit();
        let not_made = Some(Condition::not_ok(commit));
        let standing = batch.step(not_made, self.bind(&standing(), terms));
        let read = format!("SELECT {COLUMNS} FROM orders o WHERE o.id = ?1 AND o.account_id = ?2");
        let read = Statement::new(read)
            .bind(self.id.as_str())
            .bind(self.account.as_str());
        let order = batch.step(None, read);
        CreateBatch {
            batch,
            begin,
            commit,
            standing,
            order,
        }
    }

    fn bind(&self, sql: &str, terms: &Terms) -> Statement {
        let caps = &terms.caps;
        Statement::new(sql.to_owned())
            .bind(self.id.as_str())
            .bind(self.account.as_str())
            .bind(self.person)
            .bind(self.item.pack.as_ref().map(PackId::as_str))
            .bind(self.item.price.get())
            .bind(self.item.credit.get())
            .bind(terms.fee.proceeds(self.item.price).map(Nanos::get))
            .bind(terms.livemode)
            .bind(self.expires_at_ms)
            .bind(self.now_ms)
            .bind(self.now_ms.saturating_sub(FIRST_WEEK_MS))
            .bind(caps.account_day_first_week.get())
            .bind(caps.account_day.get())
            .bind(self.saves_card)
            .bind(day_start_ms(self.now_ms))
    }
}

/// The first moment of the UTC day.
pub(super) fn day_start_ms(now_ms: i64) -> i64 {
    let mut yesterday = Periods::of(now_ms);
    yesterday.day = yesterday.day.saturating_sub(1);
    yesterday.day_end_ms()
}

impl CreateBatch {
    /// What the reply to the batch says.
    pub fn read(&self, new: &NewOrder<'_>, reply: &Reply) -> Result<Created, HranaFault> {
        let order = reply.rows(self.order).first().map(read_order).transpose()?;
        if reply.is_ok(self.commit) {
            // The same reply has the row that was just written.
            return Ok(order.map_or(Created::Contended, |it| Created::Now(Box::new(it))));
        }
        if let Some(order) = order {
            return Ok(if new.is_same(&order) {
                Created::Before(Box::new(order))
            } else {
                Created::Contended
            });
        }
        if !reply.is_ok(self.begin) || !reply.is_ok(self.standing) {
            return Ok(Created::Contended);
        }
        let Some(row) = reply.rows(self.standing).first() else {
            return Ok(Created::Refused(OrderRefusal::NoAccount));
        };
        Ok(refusal(row, new.item.price)?.map_or(Created::Contended, Created::Refused))
    }
}

impl NewOrder<'_> {
    fn is_same(&self, order: &Order) -> bool {
        order.price == self.item.price
            && order.credit == self.item.credit
            && order.pack == self.item.pack
    }
}

fn refusal(row: &Row, price: Cents) -> Result<Option<OrderRefusal>, HranaFault> {
    let left = Cents::new(row.get::<i64>(3)?.max(0));
    Ok(if !row.get::<bool>(0)? {
        Some(OrderRefusal::Suspended)
    } else if !row.get::<bool>(1)? {
        Some(OrderRefusal::PackGone)
    } else if !row.get::<bool>(2)? {
        Some(OrderRefusal::Unprofitable)
    } else if left < price {
        Some(OrderRefusal::OverCap { left })
    } else {
        None
    })
}
