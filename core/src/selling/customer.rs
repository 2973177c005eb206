//! One account right below a seller: what the seller sees of it, and what it may do to it. For any other
//! account there is nothing to see, and nothing changes.

use super::customers::first_day;
use crate::accounts::{
    Account, BudgetEdit, LimitEdit, account_limits_steps, child_statement, keep_from_thawing,
    raise_key_versions, read_account, read_purse, spend_limit_steps, suspend_steps,
};
use crate::audit::{Change, ChangeBatch};
use crate::budget::{Purse, purse_sql};
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement};
use crate::ids::{AccountId, PersonId};
use crate::ledger::{Amount, Grant, Posting, Transfer};
use crate::line::line;
use crate::money::{MoneyError, Nanos};

/// What a seller may know of a person of a customer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerPerson {
    /// The person's id.
    pub id: PersonId,
    /// The name, which may be empty.
    pub name: String,
    /// The address.
    pub email: String,
    /// Since when, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// A customer as its seller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The account and its wallet.
    pub account: Account,
    /// Its spend limit, and what of it is gone.
    pub purse: Purse,
    /// Who signs in for it, the oldest first.
    pub people: Vec<CustomerPerson>,
    /// Its keys that are neither revoked nor over.
    pub keys: u64,
    /// What it was charged in the last 30 days, as far as calls are added up.
    pub spent: Nanos,
    /// What of that is left to the seller.
    pub margin: Nanos,
}

/// The batch that reads a customer.
#[derive(Clone, Debug)]
pub struct CustomerBatch {
    /// What to execute: reads only.
    pub batch: Batch,
}

const PEOPLE: &str = "\
SELECT p.id, p.name, p.email, p.created_at_ms FROM people p WHERE p.account_id = ?1
  AND p.seller_id = ?2 AND p.closed_at_ms IS NULL ORDER BY p.created_at_ms, p.id LIMIT 100";

const SUMS: &str = "\
SELECT (SELECT count(*) FROM keys k WHERE k.account_id = a.id AND k.revoked_at_ms IS NULL
    AND (k.expires_at_ms IS NULL OR k.expires_at_ms > ?4)),
  coalesce((SELECT sum(u.charge_nanos + u.true_up_nanos) FROM usage_days u
    WHERE u.account_id = a.id AND u.day >= ?3), 0),
  coalesce((SELECT sum(u.charge_nanos + u.true_up_nanos - u.base_nanos) FROM usage_days u
    WHERE u.account_id = a.id AND u.day >= ?3), 0)
FROM accounts a WHERE a.id = ?1 AND a.parent_id = ?2";

/// Reads a customer of the seller's in one round trip.
#[must_use]
pub fn customer_batch(seller: &AccountId, customer: &AccountId, now_ms: i64) -> CustomerBatch {
    let bind = |sql: String| {
        Statement::new(sql)
            .bind(customer.as_str())
            .bind(seller.as_str())
    };
    let purse = purse_sql("a", "spend_limit");
    let mut batch = Batch::new();
    for statement in [
        child_statement(seller, customer),
        bind(format!(
            "SELECT {purse} FROM accounts a WHERE a.id = ?1 AND a.parent_id = ?2"
        )),
        bind(PEOPLE.to_owned()),
        bind(SUMS.to_owned()).bind(first_day(now_ms)).bind(now_ms),
    ] {
        batch.step(None, statement);
    }
    CustomerBatch { batch }
}

impl CustomerBatch {
    /// What the reply to the batch says; `None`: the seller has no such customer.
    pub fn read(&self, reply: &Reply) -> Result<Option<Customer>, HranaFault> {
        let [account, purse, people, sums] = [0, 1, 2, 3];
        if !(0..self.batch.steps().len()).all(|step| reply.is_ok(step)) {
            return Err(HranaFault::Malformed);
        }
        let first = |step: usize| reply.rows(step).first();
        let (Some(account), Some(purse), Some(sums)) = (first(account), first(purse), first(sums))
        else {
            return Ok(None);
        };
        let people = reply.rows(people).iter().map(read_person);
        Ok(Some(Customer {
            account: read_account(account)?,
            purse: read_purse(purse)?,
            people: people.collect::<Result<_, _>>()?,
            keys: sums.get(0)?,
            spent: Nanos::new(sums.get(1)?),
            margin: Nanos::new(sums.get(2)?),
        }))
    }
}

fn read_person(row: &Row) -> Result<CustomerPerson, HranaFault> {
    Ok(CustomerPerson {
        id: crate::accounts::id(row, 0, PersonId::parse)?,
        name: row.get(1)?,
        email: row.get(2)?,
        created_at_ms: row.get(3)?,
    })
}

/// The row of an account right below the seller.
pub(super) fn right_below(seller: &AccountId, customer: &AccountId) -> Statement {
    Statement::new("SELECT 1 FROM accounts WHERE id = ?1 AND parent_id = ?2")
        .bind(customer.as_str())
        .bind(seller.as_str())
}

/// Suspends a customer of the seller's or lets it work again. Its next call, or that of an account
/// below it, sees the change. `Refused`: it is so already.
#[must_use]
pub fn suspend_customer(
    seller: &AccountId,
    (customer, suspended): (&AccountId, bool),
    change: &Change,
) -> ChangeBatch {
    let steps = suspend_steps(customer, suspended, change);
    let tail = Some(keep_from_thawing(customer));
    ChangeBatch::with_tail(&right_below(seller, customer), steps, tail)
}

/// Sets some of the limits that a customer's keys have when they set none of their own; the others stay
/// as they are.
#[must_use]
pub fn limit_customer(
    seller: &AccountId,
    (customer, edits): (&AccountId, &[LimitEdit]),
    change: &Change,
) -> ChangeBatch {
    let steps = account_limits_steps(customer, edits, change);
    let raise = raise_key_versions(customer);
    ChangeBatch::with_tail(&right_below(seller, customer), steps, Some(raise))
}

/// Sets some of a customer's spend limits; the others stay as they are.
#[must_use]
pub fn limit_spending(
    seller: &AccountId,
    (customer, edits): (&AccountId, &[BudgetEdit]),
    change: &Change,
) -> ChangeBatch {
    let steps = spend_limit_steps(customer, edits, change);
    ChangeBatch::new(&right_below(seller, customer), steps)
}

/// The longest reason of a gift, in characters.
pub const MAX_REASON: usize = 200;

/// The most that is given at once: 100,000 USD. More is a mistake in the number of zeros.
pub const MAX_GIFT: Nanos = Nanos::new(100_000_000_000_000);

/// Credit that a seller gives to a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gift {
    /// Who gives.
    pub seller: AccountId,
    /// Who gets it: right below the seller.
    pub customer: AccountId,
    /// How much.
    pub amount: Amount,
    /// Drawn before the form is shown: sent twice, it is given once.
    pub event: String,
    /// What people read in the statements.
    pub reason: String,
}

/// What is wrong with a gift as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiftProblem {
    /// It is not an amount of US dollars with at most nine decimals.
    NotAnAmount,
    /// It is zero or less.
    Nothing,
    /// It is more than [`MAX_GIFT`].
    TooMuch,
    /// The reason is no line of at most 200 characters.
    NoReason,
}

/// Reads the amount and the reason of a gift.
pub fn read_gift(usd: &str, reason: &str) -> Result<(Amount, String), GiftProblem> {
    let usd = usd.trim();
    let nanos = match Nanos::parse_usd(usd.strip_prefix('$').unwrap_or(usd)) {
        Ok(nanos) => nanos,
        Err(MoneyError::Overflow) if !usd.starts_with('-') => return Err(GiftProblem::TooMuch),
        Err(_) => return Err(GiftProblem::NotAnAmount),
    };
    let amount = Amount::new(nanos).ok_or(GiftProblem::Nothing)?;
    if nanos > MAX_GIFT {
        return Err(GiftProblem::TooMuch);
    }
    let reason = line(reason, MAX_REASON).ok_or(GiftProblem::NoReason)?;
    Ok((amount, reason.to_owned()))
}

impl Gift {
    /// The entries. The operator's credit is made; a reseller's comes out of its own wholesale wallet,
    /// and is refused when that does not cover it. An account that is not right below the seller gets
    /// nothing either way.
    #[must_use]
    pub fn to_posting(&self, by_operator: bool) -> Posting {
        if by_operator {
            Posting::grant(&Grant {
                operator: self.seller.clone(),
                to: self.customer.clone(),
                amount: self.amount,
                event: self.event.clone(),
                reason: self.reason.clone(),
            })
        } else {
            Posting::transfer(&Transfer {
                from: self.seller.clone(),
                to: self.customer.clone(),
                amount: self.amount,
                event: self.event.clone(),
                reason: self.reason.clone(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gift_is_an_amount_above_zero_with_a_reason() {
        use GiftProblem as P;
        let check = |usd: &str, reason: &str, expect: Result<i64, GiftProblem>| {
            let gift = read_gift(usd, reason).map(|(amount, _)| amount.get().get());
            assert_eq!(gift, expect, "{usd} {reason}");
        };
        check("5", "welcome", Ok(5_000_000_000));
        check(" $0.000000001 ", "welcome", Ok(1));
        check("100000", "welcome", Ok(100_000_000_000_000));
        check("100000.000000001", "welcome", Err(P::TooMuch));
        check("99999999999999", "welcome", Err(P::TooMuch));
        check("0", "welcome", Err(P::Nothing));
        check("-5", "welcome", Err(P::Nothing));
        check("-99999999999999", "welcome", Err(P::NotAnAmount));
        check("", "welcome", Err(P::NotAnAmount));
        check("1e3", "welcome", Err(P::NotAnAmount));
        check("0.0000000001", "welcome", Err(P::NotAnAmount));
        check("5", " ", Err(P::NoReason));
        check("5", "a\nb", Err(P::NoReason));
        check("5", &"r".repeat(201), Err(P::NoReason));
    }
}
