//! The clock and the random bytes: the only place that asks for either.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::{Date, Delay};

/// Now, in Unix milliseconds. In production it stands still while the CPU works.
pub fn now_ms() -> i64 {
    i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX)
}

/// Waits.
pub async fn sleep_ms(ms: i64) {
    delay_ms(ms).await;
}

/// The future's value, or `None` when it takes longer than `ms`.
pub async fn within_ms<T>(ms: i64, future: impl Future<Output = T>) -> Option<T> {
    Timer::default().until(now_ms() + ms, future).await
}

/// A timer for many waits, one after the other, as for the chunks of a stream. The runtime's own
/// timer is armed only when none is armed or an earlier end is wanted; one that rings too early is
/// armed again.
#[derive(Debug, Default)]
pub struct Timer {
    armed: Option<(i64, Pin<Box<Delay>>)>,
}

impl Timer {
    /// The future's value, or `None` once it is `end_ms`, in Unix milliseconds.
    pub async fn until<T>(&mut self, end_ms: i64, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        loop {
            let (rings_ms, delay) = match &mut self.armed {
                Some(armed) if armed.0 <= end_ms => armed,
                armed => armed.insert((end_ms, Box::pin(delay_ms(end_ms - now_ms())))),
            };
            let rings_ms = *rings_ms;
            match select(future.as_mut(), delay.as_mut()).await {
                Either::Left((value, _)) => return Some(value),
                Either::Right(((), _)) => self.armed = None,
            }
            if rings_ms >= end_ms {
                return None;
            }
        }
    }
}

fn delay_ms(ms: i64) -> Delay {
    Delay::from(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
}

/// Random bits from the runtime's secure source.
///
/// # Errors
/// When the runtime has none.
pub fn random_u64() -> Result<u64, getrandom::Error> {
    getrandom::u64()
}

/// Random bytes from the runtime's secure source.
///
/// # Errors
/// When the runtime has none.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
