//! How a customer closes its account: everybody of it is out, its keys stop, nothing is bought any
//! more. What is left of the balance stays for the operator to decide about; what may still be paid is
//! waited for, because nobody could reach it afterwards. The address may sign up again, as somebody new with
//! an account of its own, unless the account was suspended or owes money: closing is no way out of that.

use serde_json::json;

use crate::accounts::{Commit, keep_from_thawing};
use crate::audit::{Change, Entry};
use crate::hrana::{Batch, Statement};
use crate::ids::AccountId;
use crate::orders::switch_off_top_up;

const CLOSE_PEOPLE: &str = "\
UPDATE people SET closed_at_ms = ?2,
  barred = (SELECT a.status <> 'active' FROM accounts a WHERE a.id = ?1)
WHERE account_id = ?1 AND closed_at_ms IS NULL
  AND EXISTS (SELECT 1 FROM accounts a WHERE a.id = ?1 AND a.kind = 'customer')";

const REVOKE_KEYS: &str = "\
UPDATE keys SET revoked_at_ms = ?2, version = version + 1
WHERE account_id = ?1 AND revoked_at_ms IS NULL";

const UNPAID: &str = "\
SELECT o.id FROM orders o WHERE o.account_id = ?1
  AND (o.state = 'pending' OR (o.state IN ('new', 'open') AND o.expires_at_ms > ?2))";

/// Reads the ids of the orders for which money may still come: with one of them, no account is closed.
#[must_use]
pub fn unpaid_orders_statement(account: &AccountId, now_ms: i64) -> Statement {
    Statement::new(format!("{UNPAID} ORDER BY o.created_at_ms, o.id"))
        .bind(account.as_str())
        .bind(now_ms)
}

/// Closes a customer's account, unless one of its orders may still be paid; resellers and operators have
/// others who depend on theirs. Calls in flight end as they would.
#[must_use]
pub fn close_account(account: &AccountId, change: &Change) -> Commit {
    let entry = change.of(Entry {
        action: "account.close",
        table: "accounts",
        subject: account.as_str(),
        before: "json_object('status', r.status, 'balance_nanos', r.balance_nanos, \
                 'debt_nanos', r.debt_nanos)",
        after: json!({ "status": "suspended", "closed_at_ms": change.at_ms }).to_string(),
    });
    let on_account = |sql: &'static str| Statement::new(sql).bind(account.as_str());
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    let paid_for = Statement::new(format!("SELECT 1 WHERE NOT EXISTS ({UNPAID})"))
        .bind(account.as_str())
        .bind(change.at_ms);
    transaction.require_row(&paid_for);
    transaction.then(entry);
    transaction.require_change();
    transaction.then(on_account(CLOSE_PEOPLE).bind(change.at_ms));
    transaction.require_change();
    transaction.then(on_account(
        "UPDATE accounts SET status = 'suspended' WHERE id = ?1",
    ));
    transaction.then(keep_from_thawing(account));
    transaction.then(on_account(REVOKE_KEYS).bind(change.at_ms));
    transaction.then(switch_off_top_up(account, "closed", change.at_ms));
    for sql in [
        "DELETE FROM sessions WHERE person_id IN (SELECT p.id FROM people p WHERE p.account_id = ?1)",
        "DELETE FROM sign_in_links WHERE person_id IN (SELECT p.id FROM people p WHERE p.account_id = ?1)",
    ] {
        transaction.then(on_account(sql));
    }
    let step = transaction.commit();
    (batch, step)
}
