//! What an account sees of its purchases: orders and refunds, page by page, the latest first.

use super::order::{COLUMNS, word};
use super::refund::RefundState;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, OrderId, RefundId};
use crate::money::Nanos;
use crate::stripe::Cents;

/// A refund of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundLine {
    /// Its id.
    pub id: RefundId,
    /// What was paid for.
    pub order: OrderId,
    /// How much money.
    pub amount: Cents,
    /// The credit that it took.
    pub credit: Nanos,
    /// Where it is.
    pub state: RefundState,
    /// When it began, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// Where a page goes on: the moment and the id of the last line of the page before.
pub type After<'a, T> = Option<(i64, &'a T)>;

const REFUND: &str = "\
SELECT id, order_id, amount_cents, credit_nanos, state, created_at_ms FROM refunds";

/// Reads a page of an account's orders; `read_order` reads a row.
#[must_use]
pub fn orders_statement(account: &AccountId, after: After<'_, OrderId>, count: u32) -> Statement {
    let sql = format!(
        "SELECT {COLUMNS} FROM orders o WHERE o.account_id = ?1 \
         AND (o.created_at_ms, o.id) < (?2, ?3) ORDER BY o.created_at_ms DESC, o.id DESC LIMIT ?4"
    );
    let after = after.map(|(at_ms, id)| (at_ms, id.as_str()));
    page(sql, account, (after, count))
}

/// Reads a page of an account's refunds.
#[must_use]
pub fn refunds_statement(account: &AccountId, after: After<'_, RefundId>, count: u32) -> Statement {
    let sql = format!(
        "{REFUND} WHERE account_id = ?1 AND (created_at_ms, id) < (?2, ?3) \
         ORDER BY created_at_ms DESC, id DESC LIMIT ?4"
    );
    let after = after.map(|(at_ms, id)| (at_ms, id.as_str()));
    page(sql, account, (after, count))
}

/// Reads all refunds of one order of an account, the oldest first.
#[must_use]
pub fn order_refunds_statement(account: &AccountId, order: &OrderId) -> Statement {
    Statement::new(format!(
        "{REFUND} WHERE account_id = ?1 AND order_id = ?2 ORDER BY created_at_ms, id"
    ))
    .bind(account.as_str())
    .bind(order.as_str())
}

/// Reads the row of a refund.
pub fn read_refund_line(row: &Row) -> Result<RefundLine, HranaFault> {
    Ok(RefundLine {
        id: word(row, 0, RefundId::parse)?,
        order: word(row, 1, OrderId::parse)?,
        amount: Cents::new(row.get(2)?),
        credit: Nanos::new(row.get(3)?),
        state: word(row, 4, RefundState::parse)?,
        created_at_ms: row.get(5)?,
    })
}

fn page(sql: String, account: &AccountId, (after, count): (Option<(i64, &str)>, u32)) -> Statement {
    let (at_ms, id) = after.unwrap_or((i64::MAX, ""));
    Statement::new(sql)
        .bind(account.as_str())
        .bind(at_ms)
        .bind(id)
        .bind(i64::from(count))
}
