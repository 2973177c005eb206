//! Settlement: how a hold is resolved, once. `Outcome` says what is known of the call, `Prices`
//! turn it into charges, `Resolution` becomes the one batch that every path ends in.

mod batch;
mod outcome;
mod record;

pub(crate) use batch::bind_usage;
pub use batch::{
    LevelCharge, Progress, Resolution, ResolutionBatch, ResolutionFacts, Resolved,
    renew_lease_statement,
};
pub use outcome::{Outcome, Priced, Prices};
pub use record::Recorded;
