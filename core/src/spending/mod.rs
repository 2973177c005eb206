//! What an account spends: its wallet, its spend by day, model and key, and how long its credit lasts.
//! Days are UTC days, as in `usage_days`; calls that are not rolled up yet are added from `requests`.
//!
//! The calls of an account's own keys are current to the second. What calls of the accounts below it
//! charged a reseller counts from the roll-up on, which follows in ten minutes or, while a call there is
//! open or waits for its true-up, later; `Overview::counted_to_ms` tells.

mod burn;
mod overview;

pub use burn::{BURN_DAYS, Burn, burn};
pub use overview::{
    DAYS, DayPart, DaySpend, MOST_PARTS, MOST_SHARES, Overview, OverviewBatch, Share, overview,
};
