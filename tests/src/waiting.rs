//! Waiting for what happens by itself: the condition is asked for again and again. What is awaited
//! stands with whoever waits.

use std::thread;
use std::time::{Duration, Instant};

/// The longest wait: processes start under load, and leases run out.
const PATIENCE: Duration = Duration::from_secs(180);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer.
///
/// # Panics
/// After three minutes without one.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited too long until {what}");
        thread::sleep(PAUSE);
    }
}
