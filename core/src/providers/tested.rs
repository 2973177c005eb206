//! Whether a credential works: what the provider's answer to a harmless question says, and how that is
//! kept. OpenRouter is asked for its record of the key itself (`GET /key`), which costs nothing.

use crate::audit::{Change, ChangeBatch};
use crate::catalogue::is_operator;
use crate::hrana::Statement;
use crate::ids::{AccountId, ProviderAccountId};

/// What came of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestResult {
    /// The provider knows the credential.
    Works,
    /// The provider refuses it.
    Refused,
    /// The provider answered something else.
    Unclear,
    /// No answer came.
    Unreachable,
}

impl TestResult {
    /// Every result.
    pub const ALL: [Self; 4] = [Self::Works, Self::Refused, Self::Unclear, Self::Unreachable];

    /// What the status of the answer says.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            200 => Self::Works,
            401 | 403 => Self::Refused,
            _ => Self::Unclear,
        }
    }

    /// The word that the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Refused => "refused",
            Self::Unclear => "unclear",
            Self::Unreachable => "unreachable",
        }
    }

    /// The result that the word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.as_str() == word)
    }
}

/// Keeps what came of a test. It changes nothing about calls, so nothing is logged. `Refused`: there is no
/// such account.
#[must_use]
pub fn record_test(
    operator: &AccountId,
    (account, result): (&ProviderAccountId, TestResult),
    change: &Change,
) -> ChangeBatch {
    let update = Statement::new(
        "UPDATE provider_accounts SET tested_at_ms = ?2, test_result = ?3 WHERE id = ?1",
    )
    .bind(account.as_str())
    .bind(change.at_ms)
    .bind(result.as_str());
    ChangeBatch::new(&is_operator(operator), [update])
}
