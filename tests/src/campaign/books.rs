//! The database as a whole: wallets, calls and entries, and the invariants that hold between them.
//! Read in SQL of its own, not with the gateway's statements.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_core::hrana::Statement;

use crate::Database;

/// A row of `requests`.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number.
    pub id: i64,
    /// The caller's account.
    pub account: String,
    /// `held`, `settled` or `voided`.
    pub state: String,
    /// How it was resolved; empty while held.
    pub outcome: String,
    /// The provider's id of it.
    pub generation: Option<String>,
    /// When it was resolved, in Unix milliseconds.
    pub resolved_at_ms: Option<i64>,
    /// Whether the provider's record corrected it afterwards.
    pub trued_up: bool,
    /// What the caller's hold did not cover.
    pub shortfall: i64,
    /// Input and output tokens.
    pub tokens: (u64, u64),
    /// What each level held and paid, from the caller up.
    pub levels: Vec<Level>,
}

/// What one account has to do with a call, in nanos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The account.
    pub account: String,
    /// What was held.
    pub hold: i64,
    /// What was charged when the call was settled.
    pub charge: i64,
    /// What was paid: the charge, and what a true-up took or gave back.
    pub paid: i64,
}

/// Every call there is, with what its true-ups changed.
#[must_use]
pub fn calls(database: &Database) -> Vec<Call> {
    let true_ups = true_ups(database);
    let select = "SELECT id, account_id, state, coalesce(outcome, ''), provider_id, resolved_at_ms, \
                  coalesce(shortfall_nanos, 0), levels, trued_up_at_ms IS NOT NULL, \
                  coalesce(prompt_tokens, 0), coalesce(completion_tokens, 0) FROM requests ORDER BY id";
    let reply = database.run(Statement::new(select));
    let rows = reply.rows(0).iter().map(|row| {
        let id: i64 = row.get(0).expect("an id");
        let levels: String = row.get(7).expect("levels");
        let levels: Vec<Value> = serde_json::from_str(&levels).expect("JSON");
        let levels = levels.iter().map(|level| {
            let account = level["account"].as_str().expect("an account").to_owned();
            let corrected = true_ups.get(&(id, account.clone())).unwrap_or(&0);
            let charge = level["charge"].as_i64().unwrap_or(0);
            Level {
                hold: level["hold"].as_i64().expect("a hold"),
                charge,
                paid: charge - corrected,
                account,
            }
        });
        Call {
            id,
            account: row.get(1).expect("an account"),
            state: row.get(2).expect("a state"),
            outcome: row.get(3).expect("an outcome"),
            generation: row.get(4).expect("perhaps an id"),
            resolved_at_ms: row.get(5).expect("perhaps a time"),
            tokens: (row.get(9).expect("a count"), row.get(10).expect("a count")),
            trued_up: row.get(8).expect("a truth"),
            shortfall: row.get(6).expect("an amount"),
            levels: levels.collect(),
        }
    });
    rows.collect()
}

/// What each true-up credited, by call and account.
fn true_ups(database: &Database) -> BTreeMap<(i64, String), i64> {
    let select =
        "SELECT reference, account_id, amount_nanos FROM ledger_entries WHERE kind = 'true_up'";
    let reply = database.run(Statement::new(select));
    let entries = reply.rows(0).iter().map(|row| {
        let reference: String = row.get(0).expect("a reference");
        let call = reference.split(':').nth(1).and_then(|id| id.parse().ok());
        let call = call.unwrap_or_else(|| panic!("no call: {reference}"));
        let account = row.get(1).expect("an account");
        ((call, account), row.get(2).expect("an amount"))
    });
    entries.collect()
}

/// How many calls are held, and until when the last of their leases lasts, in Unix milliseconds.
#[must_use]
pub fn open_calls(database: &Database) -> (i64, i64) {
    let select =
        "SELECT count(*), coalesce(max(lease_until_ms), 0) FROM requests WHERE state = 'held'";
    let row = database.row(Statement::new(select));
    (row.get(0).expect("a count"), row.get(1).expect("a time"))
}

/// How many calls wait for their true-up.
#[must_use]
pub fn open_true_ups(database: &Database) -> i64 {
    let row = database.row(Statement::new("SELECT count(*) FROM true_ups"));
    row.get(0).expect("a count")
}

/// The account and the amount of every ledger entry, by its reference.
#[must_use]
pub fn entries(database: &Database) -> BTreeMap<String, (String, i64)> {
    let select = "SELECT reference, account_id, amount_nanos FROM ledger_entries";
    let reply = database.run(Statement::new(select));
    let entries = reply.rows(0).iter().map(|row| {
        let entry = (
            row.get(1).expect("an account"),
            row.get(2).expect("an amount"),
        );
        (row.get(0).expect("a reference"), entry)
    });
    entries.collect()
}

/// The sums that invariants 1, 2 and 4 are about, each with the accounts that break it, read at one
/// moment while everything goes on.
const ACCOUNTS: &str = "\
WITH levels AS (
    SELECT r.state AS state, l.value ->> 'account' AS account, l.value ->> 'hold' AS hold,
      CASE r.state WHEN 'held' THEN 0 ELSE l.value ->> 'charge' END AS charge
    FROM requests r, json_each(r.levels) l),
  sums AS (
    SELECT account, sum(charge) AS charged,
      sum(CASE state WHEN 'held' THEN hold ELSE 0 END) AS held FROM levels GROUP BY account),
  posted AS (SELECT account_id AS account, sum(amount_nanos) AS amount FROM ledger_entries GROUP BY 1)
SELECT a.id || ': balance ' || a.balance_nanos || ', held ' || a.held_nanos || ', debt '
  || a.debt_nanos || ', charged ' || a.charged_nanos || '; entries ' || coalesce(p.amount, 0)
  || ', charges ' || coalesce(s.charged, 0) || ', open holds ' || coalesce(s.held, 0)
FROM accounts a LEFT JOIN sums s ON s.account = a.id LEFT JOIN posted p ON p.account = a.id
WHERE a.held_nanos < 0 OR a.held_nanos > a.balance_nanos OR a.debt_nanos < 0
  OR a.balance_nanos - a.debt_nanos <> coalesce(p.amount, 0) - coalesce(s.charged, 0)
  OR a.held_nanos <> coalesce(s.held, 0) OR a.charged_nanos <> coalesce(s.charged, 0)";

const KEYS: &str = "\
WITH calls AS (
    SELECT key_id, sum(state = 'held') AS open,
      sum(CASE state WHEN 'held' THEN levels ->> '$[0].hold' ELSE 0 END) AS held,
      sum(CASE state WHEN 'held' THEN 0 ELSE levels ->> '$[0].charge' END) AS charged
    FROM requests GROUP BY key_id)
SELECT k.id || ': open ' || k.open_holds || ', charged ' || k.charged_nanos || '; open calls '
  || coalesce(c.open, 0) || ', charges ' || coalesce(c.charged, 0)
FROM keys k LEFT JOIN calls c ON c.key_id = k.id
WHERE k.open_holds <> coalesce(c.open, 0) OR k.charged_nanos <> coalesce(c.charged, 0)";

const CALLS: &str = "\
SELECT r.id || ': ' || r.state || ' ' || r.levels FROM requests r, json_each(r.levels) l
WHERE r.state <> 'held' AND (coalesce(l.value ->> 'charge', -1) NOT BETWEEN 0 AND l.value ->> 'hold'
  OR (r.state = 'voided' AND l.value ->> 'charge' <> 0))";

/// The accounts, keys and calls that break an invariant of the design, each in words. Every part is
/// read at one moment, so this may be asked at any time.
#[must_use]
pub fn violations(database: &Database) -> Vec<String> {
    let mut found = Vec::new();
    for (what, sql) in [("account", ACCOUNTS), ("key", KEYS), ("call", CALLS)] {
        let reply = database.run(Statement::new(sql));
        for row in reply.rows(0) {
            let text: String = row.get(0).expect("a text");
            found.push(format!("{what} {text}"));
        }
    }
    found
}
