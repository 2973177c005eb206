//! A model, its cost and the caller's chain of rules together: what to hold for a call, and how
//! long an answer a budget affords.

use super::cost::{BoundRefusal, cost_bound};
use super::rule::{PriceRule, charges};
use crate::catalogue::{Cost, Model};
use crate::money::Nanos;
use crate::usage::UsageBound;

/// Everything that prices a call of one caller.
#[derive(Clone, Copy, Debug)]
pub struct Quote<'a> {
    /// The model that is called.
    pub model: &'a Model,
    /// What the provider bills for it.
    pub cost: &'a Cost,
    /// The rule of every level, from the level below the root down to the caller.
    pub rules_from_root: &'a [&'a PriceRule],
}

impl Quote<'_> {
    /// What to hold at every level, in the order of the rules: the charges of the dearest call
    /// within `bound`.
    pub fn hold(&self, bound: &UsageBound) -> Result<Vec<Nanos>, BoundRefusal> {
        let base = cost_bound(self.cost, self.model, bound)?;
        Ok(charges(base, self.rules_from_root)?)
    }
}

/// The longest answer, in tokens, whose hold is within `budgets` at every level, beside the prompt
/// of `bound` (whose `output_tokens` are not read). 0 when not even the prompt is affordable, or
/// when there is not one budget per level; `u64::MAX` when nothing in the answer is billed.
#[must_use]
pub fn affordable_output_tokens(quote: &Quote, bound: &UsageBound, budgets: &[Nanos]) -> u64 {
    let affords = |output_tokens: u64| {
        let bound = UsageBound {
            output_tokens,
            ..*bound
        };
        quote.hold(&bound).is_ok_and(|hold| {
            hold.len() == budgets.len() && hold.iter().zip(budgets).all(|(hold, max)| hold <= max)
        })
    };
    if !affords(0) {
        return 0;
    }
    if affords(u64::MAX) {
        return u64::MAX;
    }
    // A longer answer never has a smaller hold, so the border can be searched by halves.
    let (mut affordable, mut too_long) = (0_u64, u64::MAX);
    while too_long.saturating_sub(affordable) > 1 {
        let middle = affordable.midpoint(too_long);
        if affords(middle) {
            affordable = middle;
        } else {
            too_long = middle;
        }
    }
    affordable
}
