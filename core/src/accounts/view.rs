//! Who may read an account: it itself, the seller right above it, and the operator. For everyone else
//! there is no such account; what is read of it is decided by the features.

use crate::hrana::Statement;
use crate::ids::AccountId;

/// An account, and for whom it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// The account that is read.
    pub account: &'a AccountId,
    /// The account whose person reads.
    pub by: &'a AccountId,
}

/// A row with the account's id if it may be read, otherwise none. `?1` is the account, `?2` who reads.
const SEEN: &str = "\
SELECT v.id FROM accounts v WHERE v.id = ?1 AND (v.id = ?2 OR v.parent_id = ?2
  OR EXISTS (SELECT 1 FROM accounts o WHERE o.id = ?2 AND o.kind = 'operator'))";

impl<'a> View<'a> {
    /// The account as its own people see it.
    #[must_use]
    pub const fn own(account: &'a AccountId) -> Self {
        Self {
            account,
            by: account,
        }
    }

    /// Whether a seller reads: only then are base and margin shown.
    #[must_use]
    pub fn is_seller(self) -> bool {
        self.account != self.by
    }

    /// A statement that compares an account's id with `{seen}`, which is NULL for those who may not
    /// read it. `?1` and `?2` are bound; the next argument is `?3`.
    pub(crate) fn statement(self, sql: &str) -> Statement {
        Statement::new(sql.replace("{seen}", &format!("({SEEN})")))
            .bind(self.account.as_str())
            .bind(self.by.as_str())
    }
}
