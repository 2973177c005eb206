//! How a check ends, and the sentences that say why.

use crate::failure::Failure;

use super::usd::Usd;

/// What was seen of a rule that is kept, or why there is no such thing.
pub type Outcome<T = String> = Result<T, Stop>;

/// Why a check ended before it could say that all is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The rule is broken: what was seen.
    Fail(String),
    /// The gateway has nothing that the rule is about, or the check was not given what it needs.
    NotApplicable(String),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Fail(failure.to_string())
    }
}

/// Goes on if something holds.
///
/// # Errors
/// When it does not: the rule is broken, with what was seen.
pub fn ensure(holds: bool, seen: impl FnOnce() -> String) -> Outcome<()> {
    if holds {
        Ok(())
    } else {
        Err(Stop::Fail(seen()))
    }
}

/// Goes on if a check makes sense.
///
/// # Errors
/// When it does not, with the reason.
pub fn applies(holds: bool, reason: impl FnOnce() -> String) -> Outcome<()> {
    if holds {
        Ok(())
    } else {
        Err(Stop::NotApplicable(reason()))
    }
}

/// Goes on if two amounts are the same to the nano.
///
/// # Errors
/// When they are not, with both.
pub fn same(what: &str, one: Usd, other: (&str, Usd)) -> Outcome<()> {
    let (other_what, other) = other;
    ensure(one.nanos() == other.nanos(), || {
        format!("{what} is `{one}`, {other_what} `{other}`")
    })
}
