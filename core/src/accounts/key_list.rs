//! The keys of an account as its people see them: settings, what of the budgets is gone, last use.
//! A key's secret is not stored, and its hash is never read here.

use super::Key;
use super::View;
use super::budgets::read_purse_column;
use super::read::{KEY, read_key};
use crate::budget::{Purse, purse_sql};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::KeyId;

/// How many revoked keys are listed at most, the latest first.
pub const MOST_REVOKED_KEYS: u32 = 50;

/// More keys than an account can make; the command line may have made more than people can.
const MOST_LISTED_KEYS: u32 = 500;

/// A key and how it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// The key and its own limits.
    pub key: Key,
    /// Its budgets and what of them is gone.
    pub purse: Purse,
    /// When its last call was admitted, in Unix milliseconds; `None`: never.
    pub last_used_at_ms: Option<i64>,
}

/// Whether a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// It works.
    Active,
    /// Its time is over; a later expiry lets it work again.
    Expired,
    /// It was revoked, for good.
    Revoked,
}

impl KeyLine {
    /// Whether the key works at this moment, in Unix milliseconds.
    #[must_use]
    pub fn status(&self, now_ms: i64) -> KeyStatus {
        if self.key.revoked_at_ms.is_some() {
            KeyStatus::Revoked
        } else if self.key.expires_at_ms.is_some_and(|at| at <= now_ms) {
            KeyStatus::Expired
        } else {
            KeyStatus::Active
        }
    }
}

/// Reads the keys of an account: first those that are not revoked, the newest first; second the
/// [`MOST_REVOKED_KEYS`] that were revoked last. Rows are for [`read_key_line`].
#[must_use]
pub fn key_list_statements(view: View<'_>) -> [Statement; 2] {
    let which = [
        "k.revoked_at_ms IS NULL ORDER BY k.created_at_ms DESC, k.id",
        "k.revoked_at_ms IS NOT NULL ORDER BY k.revoked_at_ms DESC, k.id",
    ];
    let most = [MOST_LISTED_KEYS, MOST_REVOKED_KEYS];
    let [live, revoked] = which.map(|which| format!("{which} LIMIT ?3"));
    let [live, revoked] = [live, revoked].map(|which| lines(view, &which));
    [
        live.bind(i64::from(most[0])),
        revoked.bind(i64::from(most[1])),
    ]
}

/// Reads one key of an account; no row when it is another's. The row is for [`read_key_line`].
#[must_use]
pub fn key_line_statement(view: View<'_>, key: &KeyId) -> Statement {
    lines(view, "k.id = ?3").bind(key.as_str())
}

/// Reads the row of either statement.
pub fn read_key_line(row: &Row) -> Result<KeyLine, HranaFault> {
    Ok(KeyLine {
        key: read_key(row)?,
        last_used_at_ms: row.get(17)?,
        purse: read_purse_column(row, 18)?,
    })
}

fn lines(view: View<'_>, which: &str) -> Statement {
    let columns = KEY.strip_suffix(" FROM keys").unwrap_or(KEY);
    let purse = purse_sql("k", "budget");
    view.statement(&format!(
        "{columns}, last_used_at_ms, {purse} FROM keys k WHERE k.account_id = {{seen}} AND {which}"
    ))
}
