//! Resolves holds. Every path of an admitted call ends in `settle`; what it cannot bring to the
//! database, the sweep resolves when the lease has run out.

use tollgate_core::admission::{Ask, Snapshot};
use tollgate_core::settlement::{Outcome, Resolution, ResolutionFacts, Resolved};
use tollgate_edge::clock::{now_ms, sleep_ms};

use crate::gateway::Gateway;
use crate::log;

/// Pauses between tries, in milliseconds: together about as long as a Worker may go on after its
/// answer has ended.
const PAUSES_MS: [i64; 7] = [20, 100, 400, 1_000, 3_000, 6_000, 12_000];

/// Sends the resolution until the database says that the hold is resolved. The id makes it safe to
/// send it again after a lost reply.
pub async fn settle(gateway: &Gateway, resolution: &Resolution) -> Option<Resolved> {
    let resolve = resolution.to_batch();
    for pause_ms in PAUSES_MS.into_iter().map(Some).chain([None]) {
        let read = match gateway.database.execute(&resolve.batch).await {
            Ok(reply) => resolve.read(&reply).map_err(Into::into),
            Err(fault) => Err(fault),
        };
        match read {
            Ok(Resolved::Contended) => {}
            Ok(resolved) => return Some(resolved),
            Err(fault) => log::fault(gateway, "settle", &fault),
        }
        if let Some(pause_ms) = pause_ms {
            sleep_ms(pause_ms).await;
        }
    }
    None
}

/// Gives back a hold of which nobody knows whether it was taken. A transaction that is still on its
/// way ends within the database's five seconds, so later tries come after that.
pub async fn void_in_doubt(gateway: &Gateway, ask: &Ask, snapshot: &Snapshot) {
    for pause_ms in [0, 2_000, 6_000, 12_000] {
        sleep_ms(pause_ms).await;
        let facts = ResolutionFacts {
            resolved_at_ms: now_ms(),
            ..ResolutionFacts::default()
        };
        let call = (ask, &snapshot.key);
        let resolve = Resolution::of(call, &ask.levels, Outcome::NotSent, facts).to_batch();
        match gateway
            .database
            .execute(&resolve.batch)
            .await
            .map(|reply| resolve.read(&reply))
        {
            Ok(Ok(Resolved::Now | Resolved::Before)) => return,
            Ok(Ok(Resolved::NoHold | Resolved::Contended)) => {}
            Ok(Err(fault)) => log::fault(gateway, "void", &fault),
            Err(fault) => log::fault(gateway, "void", &fault),
        }
    }
}
