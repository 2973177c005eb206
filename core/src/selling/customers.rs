//! The accounts right below a seller as a list: a page at a time, found by a name or an e-mail address,
//! with what each has, owes and spends. One of them alone is in `customer`.

use crate::accounts::{AccountKind, id};
use crate::hrana::{HranaFault, Row, Statement, Value};
use crate::ids::AccountId;
use crate::money::Nanos;

/// How far back spend and margin reach, in days: today and the 29 before.
pub const SPEND_DAYS: i64 = 30;

const DAY_MS: i64 = 86_400_000;

/// In which order customers are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CustomerOrder {
    /// By name, whatever the case of its Latin letters.
    #[default]
    Name,
    /// The newest first.
    Newest,
}

/// Which customers a page shows.
#[derive(Clone, Copy, Debug)]
pub struct CustomersQuery<'a> {
    /// Whose customers.
    pub seller: &'a AccountId,
    /// Only accounts of this kind; `None`: all.
    pub kind: Option<AccountKind>,
    /// The beginning of a name or of an e-mail address, whatever the case of its Latin letters; empty
    /// finds all.
    pub search: &'a str,
    /// In which order.
    pub order: CustomerOrder,
    /// The account after which the page begins.
    pub after: Option<&'a AccountId>,
    /// How many.
    pub count: u32,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

/// A customer in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerLine {
    /// The account's id.
    pub id: AccountId,
    /// What it is.
    pub kind: AccountKind,
    /// What people call it.
    pub name: String,
    /// The address of the first of its people, if it has any.
    pub email: Option<String>,
    /// Whether it may call.
    pub active: bool,
    /// What it has, calls in flight included.
    pub balance: Nanos,
    /// What of it is held by calls in flight.
    pub held: Nanos,
    /// What it owes.
    pub debt: Nanos,
    /// What it was charged in the last [`SPEND_DAYS`], as far as calls are added up.
    pub spent: Nanos,
    /// What of that is left to the seller.
    pub margin: Nanos,
    /// Since when it exists, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// What the rows of a page have in common: `page` selects accounts, `?1` is the first day of the sums.
const LINES: &str = "\
SELECT a.id, a.kind, a.name, (SELECT p.email FROM people p WHERE p.account_id = a.id
    AND p.closed_at_ms IS NULL ORDER BY p.created_at_ms, p.id LIMIT 1),
  a.status = 'active', a.balance_nanos, a.held_nanos, a.debt_nanos,
  coalesce((SELECT sum(u.charge_nanos + u.true_up_nanos) FROM usage_days u
    WHERE u.account_id = a.id AND u.day >= ?1), 0),
  coalesce((SELECT sum(u.charge_nanos + u.true_up_nanos - u.base_nanos) FROM usage_days u
    WHERE u.account_id = a.id AND u.day >= ?1), 0),
  a.created_at_ms";

// Both halves stand on an index, and each names the seller: an address at another seller finds nothing.
const FOUND: &str = "\
a.id IN (SELECT n.id FROM accounts n WHERE n.parent_id = ?2
    AND n.name >= ?4 COLLATE NOCASE AND n.name < ?4 || char(1114111) COLLATE NOCASE
  UNION SELECT e.account_id FROM people e WHERE e.seller_id = ?2
    AND e.email >= ?5 AND e.email < ?5 || char(1114111))";

impl CustomersQuery<'_> {
    /// Reads the page. An account of another seller's as `after` begins nowhere: the page is empty.
    #[must_use]
    pub fn statement(&self) -> Statement {
        let search = self.search.trim();
        // What is found is few: it is looked up one by one, and not by going through all customers, which
        // the plus prevents.
        let mut tests = if search.is_empty() {
            vec!["a.parent_id = ?2"]
        } else {
            vec!["+a.parent_id = ?2", FOUND]
        };
        if self.kind.is_some() {
            tests.push("a.kind = ?3");
        }
        let (order, after) = match self.order {
            CustomerOrder::Name => (
                "a.name COLLATE NOCASE, a.id",
                // The first half alone can stand on the index.
                "a.name >= (SELECT b.name FROM accounts b WHERE b.id = ?6 AND b.parent_id = ?2) \
                 COLLATE NOCASE AND (a.name COLLATE NOCASE, a.id) > (SELECT b.name, b.id \
                 FROM accounts b WHERE b.id = ?6 AND b.parent_id = ?2)",
            ),
            CustomerOrder::Newest => (
                "a.created_at_ms DESC, a.id DESC",
                "(a.created_at_ms, a.id) < (SELECT b.created_at_ms, b.id FROM accounts b \
                 WHERE b.id = ?6 AND b.parent_id = ?2)",
            ),
        };
        if self.after.is_some() {
            tests.push(after);
        }
        // The page is cut before anything is added up for it.
        let page = format!(
            "SELECT a.* FROM accounts a WHERE {} ORDER BY {order} LIMIT ?7",
            tests.join(" AND ")
        );
        Statement::new(format!("{LINES} FROM ({page}) a ORDER BY {order}"))
            .bind(first_day(self.now_ms))
            .bind(self.seller.as_str())
            .bind(self.kind.map_or(Value::Null, |kind| kind.as_str().into()))
            .bind(search)
            .bind(search.to_lowercase())
            .bind(self.after.map(AccountId::as_str))
            .bind(i64::from(self.count))
    }
}

/// The first UTC day of the sums.
pub(super) fn first_day(now_ms: i64) -> i64 {
    let today = now_ms.div_euclid(DAY_MS);
    today.saturating_sub(SPEND_DAYS).saturating_add(1)
}

/// Reads a row of the page.
pub fn read_customer_line(row: &Row) -> Result<CustomerLine, HranaFault> {
    Ok(CustomerLine {
        id: id(row, 0, AccountId::parse)?,
        kind: id(row, 1, AccountKind::parse)?,
        name: row.get(2)?,
        email: row.get(3)?,
        active: row.get(4)?,
        balance: Nanos::new(row.get(5)?),
        held: Nanos::new(row.get(6)?),
        debt: Nanos::new(row.get(7)?),
        spent: Nanos::new(row.get(8)?),
        margin: Nanos::new(row.get(9)?),
        created_at_ms: row.get(10)?,
    })
}
