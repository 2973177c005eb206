//! What the database knows about a key and its accounts at one moment.

use serde::Deserialize;

use crate::budget::{Purse, WirePurse, purse_sql};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, KeyId};
use crate::key::KeyHash;
use crate::limits::{Counts, Limits, Window, read_limits};
use crate::money::Nanos;

/// A key, its accounts and the versions of what their prices rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The key.
    pub key: KeyState,
    /// The accounts that the call charges, from the caller's up to the child of the root.
    pub levels: Vec<LevelState>,
    /// Counts changes to models and costs.
    pub catalogue_version: i64,
}

/// A key and what it has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// Its id.
    pub id: KeyId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// Counts changes to its settings.
    pub version: i64,
    /// When it was revoked, in Unix milliseconds.
    pub revoked_at_ms: Option<i64>,
    /// When it ends, in Unix milliseconds.
    pub expires_at_ms: Option<i64>,
    /// Its limits, with the account's defaults filled in.
    pub limits: Limits,
    /// Its calls in flight.
    pub open_holds: u64,
    /// Its budget, and what of it is gone.
    pub purse: Purse,
    /// Its windows, in the order of `Window::ALL`.
    pub counts: [Counts; 4],
}

/// One account of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelState {
    /// Its id.
    pub account: AccountId,
    /// The account whose price rules apply to it.
    pub parent: AccountId,
    /// Whether it may be charged.
    pub active: bool,
    /// What it has.
    pub balance: Nanos,
    /// Its spend limit, what of it is gone, and what is held by calls in flight.
    pub purse: Purse,
    /// Counts changes to the parent's price rules.
    pub rules_version: i64,
}

impl LevelState {
    /// What a new hold can take.
    #[must_use]
    pub fn free(&self) -> Nanos {
        self.balance.minus(self.purse.held).unwrap_or(Nanos::ZERO)
    }

    /// What a new hold can take within the spend limit.
    #[must_use]
    pub fn available(&self, now_ms: i64) -> Nanos {
        let left = self.purse.left(now_ms);
        left.map_or(self.free(), |left| left.min(self.free()))
    }
}

impl KeyState {
    /// What a window has counted.
    #[must_use]
    pub fn counts(&self, window: Window) -> &Counts {
        let [minute, hour, day, tokens] = &self.counts;
        match window {
            Window::MinuteRequests => minute,
            Window::HourRequests => hour,
            Window::DayRequests => day,
            Window::MinuteTokens => tokens,
        }
    }
}

const SNAPSHOT: &str = "\
SELECT k.id, k.account_id, k.version, k.revoked_at_ms, k.expires_at_ms,
  coalesce(k.requests_per_minute, l.requests_per_minute),
  coalesce(k.requests_per_hour, l.requests_per_hour),
  coalesce(k.requests_per_day, l.requests_per_day),
  coalesce(k.tokens_per_minute, l.tokens_per_minute),
  coalesce(k.parallel_calls, l.parallel_calls),
  coalesce(k.max_tokens, l.max_tokens),
  coalesce(k.default_max_tokens, l.default_max_tokens),
  coalesce(k.allowed_models, l.allowed_models),
  k.minute_requests, k.hour_requests, k.day_requests, k.minute_tokens, k.open_holds,
  (SELECT json_group_array(json_object('depth', c.key, 'account', a.id, 'parent', p.id,
      'status', a.status, 'balance', a.balance_nanos, 'purse', {spend_limit},
      'rules_version', p.rules_version))
    FROM json_each(l.chain) c JOIN accounts a ON a.id = c.value JOIN accounts p ON p.id = a.parent_id),
  (SELECT version FROM catalogue WHERE id = 1), {budget}
FROM keys k JOIN accounts l ON l.id = k.account_id
WHERE k.hash = ?1";

/// Reads the snapshot of the key with this hash: the one look-up that needs no account id.
#[must_use]
pub fn snapshot_statement(hash: &KeyHash) -> Statement {
    let sql = SNAPSHOT
        .replace("{spend_limit}", &purse_sql("a", "spend_limit"))
        .replace("{budget}", &purse_sql("k", "budget"));
    Statement::new(sql).bind(&hash.0[..])
}

/// Reads the row that `snapshot_statement` selects.
pub fn read_snapshot(row: &Row) -> Result<Snapshot, HranaFault> {
    let account = |column: usize| read_id(row, column, AccountId::parse);
    let counts = |column: usize| -> Result<Counts, HranaFault> {
        Counts::parse(&row.get::<String>(column)?).ok_or(HranaFault::UnexpectedColumn(column))
    };
    Ok(Snapshot {
        key: KeyState {
            id: read_id(row, 0, KeyId::parse)?,
            account: account(1)?,
            version: row.get(2)?,
            revoked_at_ms: row.get(3)?,
            expires_at_ms: row.get(4)?,
            limits: read_limits(row, 5)?,
            open_holds: row.get(17)?,
            purse: read_purse(&row.get::<String>(20)?).ok_or(HranaFault::UnexpectedColumn(20))?,
            counts: [counts(13)?, counts(14)?, counts(15)?, counts(16)?],
        },
        levels: read_levels(&row.get::<String>(18)?).ok_or(HranaFault::UnexpectedColumn(18))?,
        catalogue_version: row.get(19)?,
    })
}

fn read_id<T>(row: &Row, column: usize, parse: fn(&str) -> Option<T>) -> Result<T, HranaFault> {
    parse(&row.get::<String>(column)?).ok_or(HranaFault::UnexpectedColumn(column))
}

#[derive(Deserialize)]
struct WireLevel<'a> {
    depth: i64,
    account: &'a str,
    parent: &'a str,
    status: &'a str,
    balance: i64,
    purse: WirePurse,
    rules_version: i64,
}

fn read_purse(json: &str) -> Option<Purse> {
    let wire: WirePurse = serde_json::from_str(json).ok()?;
    Some(wire.into())
}

fn read_levels(json: &str) -> Option<Vec<LevelState>> {
    let mut levels: Vec<WireLevel<'_>> = serde_json::from_str(json).ok()?;
    levels.sort_by_key(|level| level.depth);
    levels
        .into_iter()
        .map(|level| {
            Some(LevelState {
                account: AccountId::parse(level.account)?,
                parent: AccountId::parse(level.parent)?,
                active: level.status == "active",
                balance: Nanos::new(level.balance),
                purse: level.purse.into(),
                rules_version: level.rules_version,
            })
        })
        .collect()
}
