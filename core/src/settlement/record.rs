//! What the provider's own record of a call means for its bill.

use super::outcome::{Outcome, Prices};
use crate::money::Nanos;
use crate::openrouter::read_generation;

/// What the provider's own record says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What is billed.
    pub outcome: Outcome,
    /// What the provider says it bills the operator.
    pub reported_cost: Option<Nanos>,
    /// Whether the record is about a call that has ended: one without tokens, cost and end may be
    /// about a call that is still running.
    pub ended: bool,
}

impl Prices {
    /// Reads the body of the provider's record (`GET /generation`); `None` if it says nothing usable.
    /// A record without cost is a call that was not billed, unless its tokens cost nothing here, too, or
    /// the operator pays for them elsewhere.
    #[must_use]
    pub fn recorded(&self, body: &[u8]) -> Option<Recorded> {
        let record = read_generation(body).ok()?;
        let answered = record.usage.filter(|usage| usage.completion_tokens > 0);
        let free =
            answered.filter(|usage| self.price(&Outcome::Exact(*usage), &[]).cost == Nanos::ZERO);
        let outcome = match (record.total_cost, free) {
            (Some(Nanos::ZERO), None) if !record.billed_elsewhere => Outcome::NotSent,
            (Some(_) | None, _) => Outcome::Exact(record.usage?),
        };
        Some(Recorded {
            outcome,
            reported_cost: record.total_cost,
            ended: outcome != Outcome::NotSent
                || answered.is_some()
                || record.cancelled
                || record.finish_reason.is_some(),
        })
    }
}
