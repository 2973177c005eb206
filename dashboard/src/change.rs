//! Carrying out a change of somebody's: sent once more when others were in its way. What is changed, and
//! who may, is decided by the features' batches.

use tollgate_core::audit::{ChangeBatch, Changed};

use crate::fault::{Fault, Outcome};
use crate::visit::Visit;

/// Makes the change, and tells what came of it: never `Contended`.
///
/// # Errors
/// When nothing is known of it, or others were in its way twice.
pub async fn make(visit: &Visit, change: &ChangeBatch) -> Outcome<Changed> {
    for _ in 0..2 {
        let changed = change.read(&visit.execute(&change.batch).await?);
        if changed != Changed::Contended {
            return Ok(changed);
        }
    }
    Err(busy())
}

/// Others were in the way of a change, again and again.
pub fn busy() -> Fault {
    Fault::Service {
        service: "The database",
        what: "others were in the way of a change twice".to_owned(),
    }
}
