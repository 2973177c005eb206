//! What a person sees while a command works: one line per step, with how long it took.

use std::io::{Write, stderr};
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// Does one step and prints one line about it: what starts, then how long it took.
///
/// # Errors
/// The step's own.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    eprint!("  {what} … ");
    // A line that stays in the buffer would show only when the step is over.
    let _ = stderr().flush();
    let start = Instant::now();
    let result = work();
    match &result {
        Ok(_) => eprintln!("{}", seconds(start.elapsed())),
        Err(_) => eprintln!("failed after {}", seconds(start.elapsed())),
    }
    result
}

/// A duration for people: `0.4 s`, `12.3 s`, `2 min 5 s`.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole < 60 {
        format!("{whole}.{} s", duration.subsec_millis() / 100)
    } else {
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

/// The last lines of a log, for a message about the program that wrote it.
#[must_use]
pub fn last_lines(log: &str, count: usize) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
