//! Callers who leave. The runtime ends a Worker's work some time after its caller left, without a
//! word; a call that is settled before that needs no sweep.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};
use tollgate_edge::clock::{now_ms, sleep_ms};

use crate::gateway::Gateway;

/// How often an awaited answer looks whether its caller is still there, in milliseconds.
pub const LOOK_UP_MS: i64 = 500;

/// The caller left so long ago that the runtime may end this work at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// Awaits the future, unless the caller has been gone for `DRAIN_MS`.
pub async fn unless_gone<T>(gateway: &Gateway, future: impl Future<Output = T>) -> Result<T, Gone> {
    let gone = pin!(gone_for(gateway, gateway.config.drain_ms));
    match select(pin!(future), gone).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(((), _)) => Err(Gone),
    }
}

/// Ends when the caller has been gone for so long, in milliseconds.
pub async fn gone_for(gateway: &Gateway, ms: i64) {
    let mut left_at_ms = None;
    loop {
        if gateway.caller_left() {
            let left_at_ms = *left_at_ms.get_or_insert_with(now_ms);
            if now_ms() - left_at_ms >= ms {
                return;
            }
        }
        sleep_ms(LOOK_UP_MS.min(ms).max(10)).await;
    }
}
