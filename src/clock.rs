//! The clock and the random bytes: the only place that asks for either.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::{Date, Delay};

/// Now, in Unix milliseconds. In production it stands still while the CPU works.
pub fn now_ms() -> i64 {
    i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX)
}

/// Waits.
pub async fn sleep_ms(ms: i64) {
    Delay::from(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
}

/// The future's value, or `None` when it takes longer than `ms`.
pub async fn within_ms<T>(ms: i64, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(sleep_ms(ms))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(((), _)) => None,
    }
}

/// Random bits from the runtime's secure source.
pub fn random_u64() -> Result<u64, getrandom::Error> {
    getrandom::u64()
}
