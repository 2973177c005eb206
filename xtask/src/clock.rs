//! The system clock, read here and nowhere else in this crate's database commands.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in Unix milliseconds. A clock set before 1970 reads as 0.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
