//! Admission: one batch that tests everything about a call and takes its hold at every level, or
//! changes nothing. `Ask` becomes a batch; the batch's reply becomes an `Admission`. A streamed call
//! may take more later, by an `Extension`.
//!
//! The rules stand twice: as SQL, because only the transaction can decide, and as the pure function
//! `decide`, because only Rust can say why. A test over both keeps them equal.

mod ask;
mod decide;
mod explain;
mod extend;
mod idempotency;
mod snapshot;

pub use ask::{Admission, AdmitBatch, Ask, LevelHold};
pub use decide::{Decision, RateRefusal, Refusal, decide, refuse_by_settings};
pub use explain::{Help, rate_limit_headers, wallet_headers};
pub use extend::{Extended, Extension, ExtensionBatch};
pub use idempotency::{FirstCall, IDEMPOTENCY_MS, Idempotency};
pub use snapshot::{KeyState, LevelState, Snapshot, read_snapshot, snapshot_statement};
