//! Reconciliation: recomputes what the database keeps from what it was made of, and tells every
//! difference to the nano. It serves the whole database and changes nothing. `books` compares
//! accounts and keys with entries, roll-ups and requests; `day` looks at the calls of one day.

mod books;
mod day;

use std::fmt;

use crate::hrana::{Batch, Condition, HranaFault, Reply, Row, Statement, StepIndex};
use crate::money::Nanos;

pub use books::{Books, BooksBatch, books};
pub use day::{Day, DayBatch, ModelCost, day};

/// Differences of one kind that one batch tells at most: where there are more, these are enough to
/// find the cause.
pub const MOST_DRIFTS: usize = 1_000;

/// What does not add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// An account's balance less its debt is not its ledger entries less its charges.
    Balance,
    /// An account's held credit is not what its open calls hold.
    Held,
    /// An account's charges so far are not those of its calls.
    Charged,
    /// An account's true-ups in the roll-ups are not those in its ledger.
    TrueUps,
    /// A key's open calls are not those that there are.
    KeyOpenHolds,
    /// What a key's open calls hold is not what they do hold.
    KeyHeld,
    /// A key's charges so far are not those of its calls.
    KeyCharged,
    /// Requests are there that the mark of retention says are gone.
    Pruned,
    /// A call is open that the mark of the roll-ups says is counted.
    RolledWhileOpen,
    /// A call has a charge above its hold, or no charge though it is resolved.
    Charge,
    /// A call was resolved in a way that its outcome does not allow.
    Resolved,
    /// A column of `usage_days` is not the sum of the day's requests.
    UsageDay(&'static str),
}

impl What {
    /// The word for programs; of a roll-up, `usage_day`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::Held => "held",
            Self::Charged => "charged",
            Self::TrueUps => "true_ups",
            Self::KeyOpenHolds => "key_open_holds",
            Self::KeyHeld => "key_held",
            Self::KeyCharged => "key_charged",
            Self::Pruned => "pruned",
            Self::RolledWhileOpen => "rolled_while_open",
            Self::Charge => "charge",
            Self::Resolved => "resolved",
            Self::UsageDay(_) => "usage_day",
        }
    }

    /// The stored number that is wrong.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::Balance => "balance_nanos - debt_nanos",
            Self::Held | Self::KeyHeld => "held_nanos",
            Self::Charged | Self::KeyCharged => "charged_nanos",
            Self::TrueUps => "true_up_nanos",
            Self::KeyOpenHolds => "open_holds",
            Self::Pruned => "requests below pruned_to_id",
            Self::RolledWhileOpen => "open calls below rolled_to_id",
            Self::Charge => "charge",
            Self::Resolved => "state",
            Self::UsageDay(column) => column,
        }
    }

    /// Whether the numbers are amounts in 1e-9 USD; otherwise they count.
    #[must_use]
    pub fn is_money(self) -> bool {
        match self {
            Self::Balance
            | Self::Held
            | Self::Charged
            | Self::TrueUps
            | Self::KeyHeld
            | Self::KeyCharged
            | Self::Charge => true,
            Self::KeyOpenHolds | Self::Pruned | Self::RolledWhileOpen | Self::Resolved => false,
            Self::UsageDay(column) => column.ends_with("_nanos"),
        }
    }
}

/// One number that is not what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// What does not add up.
    pub what: What,
    /// Whose it is: ids of an account, a key, a call, or what names a row of `usage_days`.
    pub subject: String,
    /// What it should be. Of a charge: the most that it may be.
    pub expected: i64,
    /// What is stored.
    pub found: i64,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: i64| {
            if self.what.is_money() {
                Nanos::new(number).to_string()
            } else {
                number.to_string()
            }
        };
        write!(
            f,
            "{} of {}: found {}, expected {}",
            self.what.column(),
            self.subject,
            number(self.found),
            number(self.expected)
        )
    }
}

/// A drift if the numbers differ.
fn compare(what: What, subject: &str, expected: i64, found: i64) -> Option<Drift> {
    (expected != found).then(|| Drift {
        what,
        subject: subject.to_owned(),
        expected,
        found,
    })
}

/// Statements that see one moment of the database: a read transaction in one batch.
#[derive(Clone, Debug)]
struct Snapshot {
    batch: Batch,
    steps: Vec<StepIndex>,
}

impl Snapshot {
    fn of(statements: impl IntoIterator<Item = Statement>) -> Self {
        let mut batch = Batch::new();
        let begin = batch.step(None, Statement::new("BEGIN"));
        let begun = || Some(Condition::ok(begin));
        let steps = statements
            .into_iter()
            .map(|statement| batch.step(begun(), statement))
            .collect();
        batch.step(begun(), Statement::new("COMMIT"));
        Self { batch, steps }
    }

    /// The rows of the statement in this place.
    ///
    /// # Errors
    /// When it failed: then nothing is known.
    fn rows<'a>(&self, reply: &'a Reply, place: usize) -> Result<&'a [Row], HranaFault> {
        let step = self.steps.get(place).copied().unwrap_or(usize::MAX);
        if reply.is_ok(step) {
            return Ok(reply.rows(step));
        }
        let code = reply.failures().next().map(|(_, code)| code.to_owned());
        Err(HranaFault::Refused(code))
    }
}
