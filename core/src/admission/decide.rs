//! Why a call is admitted or refused: a straight ladder of tests in a fixed order.

use super::idempotency::FirstCall;
use super::{Ask, Snapshot};
use crate::budget::Exceeded;
use crate::ids::{AccountId, RequestId};
use crate::limits::{Limits, Room, Window};
use crate::money::Nanos;

/// What to do with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Take the hold.
    Admit,
    /// Settings or prices changed since the call was priced: price it again.
    Reprice,
    /// Tell the caller why not.
    Refuse(Refusal),
}

/// Why a call is refused, in the order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key was revoked.
    KeyRevoked,
    /// The key has ended.
    KeyExpired,
    /// The caller's account is suspended.
    AccountSuspended,
    /// The call was made before, with the same `Idempotency-Key`.
    DuplicateRequest(FirstCall),
    /// Another call of the account has this `Idempotency-Key`.
    IdempotencyKeyReused(RequestId),
    /// An account above the caller's cannot be charged. Its reasons are not the caller's business.
    ResellerUnavailable {
        /// The account whose credit or spend limit does not suffice, for its alarm.
        dry: Option<AccountId>,
    },
    /// The key may not call this model.
    ModelNotAllowed,
    /// The caller asked for more `max_tokens` than the key may.
    MaxTokensTooLarge {
        /// The key's limit.
        limit: u64,
    },
    /// The key has as many calls in flight as it may.
    TooManyParallel {
        /// The key's limit.
        limit: u64,
    },
    /// A rate window is full.
    RateLimited(RateRefusal),
    /// The call does not fit the key's budget.
    KeyBudgetExceeded(Exceeded),
    /// The call does not fit the spend limit of the caller's account.
    SpendLimitExceeded(Exceeded),
    /// The caller's free credit does not cover what the call could cost.
    InsufficientCredits {
        /// What the account has.
        balance: Nanos,
        /// What of it is held by calls in flight.
        held: Nanos,
        /// What this call would hold.
        needed: Nanos,
    },
}

/// Which window is full, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateRefusal {
    /// The window.
    pub window: Window,
    /// Its limit.
    pub limit: u64,
    /// What is left of it.
    pub remaining: u64,
    /// Milliseconds until this call fits; `None`: it asks for more than the limit and never will.
    pub retry_after_ms: Option<i64>,
}

/// Decides on the facts of one moment, exactly as the batch's SQL does. A call that was made before
/// is told so whatever changed since.
#[must_use]
pub fn decide(snapshot: &Snapshot, ask: &Ask, first_call: Option<FirstCall>) -> Decision {
    let key = &snapshot.key;
    if key.revoked_at_ms.is_some() {
        return Decision::Refuse(Refusal::KeyRevoked);
    }
    if key.expires_at_ms.is_some_and(|at| at <= ask.now_ms) {
        return Decision::Refuse(Refusal::KeyExpired);
    }
    if let Some(first_call) = first_call {
        return Decision::Refuse(first_call.refusal());
    }
    if snapshot.levels.first().is_none_or(|caller| !caller.active) {
        return Decision::Refuse(Refusal::AccountSuspended);
    }
    if snapshot.levels.iter().any(|level| !level.active) {
        return Decision::Refuse(Refusal::ResellerUnavailable { dry: None });
    }
    if is_stale(snapshot, ask) {
        return Decision::Reprice;
    }
    if let Some(refusal) = refuse_by_settings(&key.limits, &ask.model, ask.wanted_max_tokens) {
        return Decision::Refuse(refusal);
    }
    if let Some(limit) = key.limits.parallel_calls
        && key.open_holds >= limit
    {
        return Decision::Refuse(Refusal::TooManyParallel { limit });
    }
    if let Some(refusal) = Window::ALL
        .into_iter()
        .find_map(|window| full(window, snapshot, ask))
    {
        return Decision::Refuse(Refusal::RateLimited(refusal));
    }
    decide_on_credit(snapshot, ask)
}

/// What the key's settings alone refuse. The batch compares the settings' version instead of
/// testing this again, so it must be asked before the batch is sent.
#[must_use]
pub fn refuse_by_settings(limits: &Limits, model: &str, wanted: Option<u64>) -> Option<Refusal> {
    if !limits.allows_model(model) {
        return Some(Refusal::ModelNotAllowed);
    }
    let limit = limits.max_tokens?;
    (wanted? > limit).then_some(Refusal::MaxTokensTooLarge { limit })
}

fn is_stale(snapshot: &Snapshot, ask: &Ask) -> bool {
    snapshot.key.version != ask.key_version
        || snapshot.catalogue_version != ask.catalogue_version
        || snapshot.levels.len() != ask.levels.len()
        || snapshot
            .levels
            .iter()
            .zip(&ask.levels)
            .any(|(now, priced)| {
                now.account != priced.account || now.rules_version != priced.rules_version
            })
}

fn full(window: Window, snapshot: &Snapshot, ask: &Ask) -> Option<RateRefusal> {
    let limit = window.limit_of(&snapshot.key.limits)?;
    let counts = snapshot.key.counts(window);
    let amount = ask.amount(window);
    let used = counts.used(window, ask.now_ms);
    if used.saturating_add(amount) <= limit {
        return None;
    }
    Some(RateRefusal {
        window,
        limit,
        remaining: limit.saturating_sub(used),
        retry_after_ms: counts.wait_ms(window, ask.now_ms, Room { limit, amount }),
    })
}

fn decide_on_credit(snapshot: &Snapshot, ask: &Ask) -> Decision {
    let own = ask.own_hold();
    if let Some(exceeded) = snapshot.key.purse.exceeded(own, ask.now_ms) {
        return Decision::Refuse(Refusal::KeyBudgetExceeded(exceeded));
    }
    let mut levels = snapshot.levels.iter().zip(&ask.levels);
    if let Some((caller, needed)) = levels.next() {
        if let Some(exceeded) = caller.purse.exceeded(needed.hold, ask.now_ms) {
            return Decision::Refuse(Refusal::SpendLimitExceeded(exceeded));
        }
        if caller.free() < needed.hold {
            return Decision::Refuse(Refusal::InsufficientCredits {
                balance: caller.balance,
                held: caller.purse.held,
                needed: needed.hold,
            });
        }
    }
    let dry = levels.find(|(level, needed)| level.available(ask.now_ms) < needed.hold);
    match dry {
        Some((level, _)) => Decision::Refuse(Refusal::ResellerUnavailable {
            dry: Some(level.account.clone()),
        }),
        None => Decision::Admit,
    }
}
