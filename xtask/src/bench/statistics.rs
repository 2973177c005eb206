//! What is said of many durations: how many, the median, the 99th percentile and the longest.

use std::time::Duration;

use serde::Serialize;

/// A summary of durations, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// How many there were.
    pub count: usize,
    /// Half of them took at most this.
    pub p50_ms: f64,
    /// 99 of 100 took at most this.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Latency {
    /// Summarises durations in any order; all zeros if there are none.
    #[must_use]
    pub fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let at = |percent| percentile(&durations, percent).map_or(0.0, milliseconds);
        Self {
            count: durations.len(),
            p50_ms: at(50),
            p99_ms: at(99),
            max_ms: at(100),
        }
    }
}

/// A summary of counts that calls have each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    /// The average.
    pub mean: f64,
    /// Half of the calls have at most this.
    pub median: u64,
    /// The most.
    pub max: u64,
}

impl Counts {
    /// Summarises counts in any order; all zeros if there are none.
    #[must_use]
    pub fn of(mut counts: Vec<u64>) -> Self {
        counts.sort_unstable();
        Self {
            mean: ratio(counts.iter().sum(), counts.len() as u64).unwrap_or(0.0),
            median: percentile(&counts, 50).unwrap_or(0),
            max: percentile(&counts, 100).unwrap_or(0),
        }
    }
}

/// The least of the sorted values that `percent` of 100 values do not exceed (nearest rank); none
/// of no values.
#[must_use]
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// One number by another, unless that is zero.
#[must_use]
pub fn ratio(of: u64, by: u64) -> Option<f64> {
    (by > 0).then(|| of as f64 / by as f64)
}

/// A duration in milliseconds, to the microsecond.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let check = |count: u64, percent: usize, expect: Option<u64>| {
            let sorted: Vec<u64> = (1..=count).collect();
            assert_eq!(
                percentile(&sorted, percent),
                expect,
                "{percent} % of {count}"
            );
        };
        check(0, 50, None);
        check(1, 1, Some(1));
        check(1, 99, Some(1));
        check(2, 50, Some(1));
        check(3, 50, Some(2));
        check(99, 99, Some(99));
        check(100, 50, Some(50));
        check(100, 99, Some(99));
        check(101, 99, Some(100));
        check(1_000, 99, Some(990));
        check(1_000, 100, Some(1_000));
        check(1_000, 0, Some(1));
    }

    #[test]
    fn the_order_in_which_calls_end_does_not_matter() {
        let micros = [4_000, 1_500, 2_000].map(Duration::from_micros);
        let expect = Latency {
            count: 3,
            p50_ms: 2.0,
            p99_ms: 4.0,
            max_ms: 4.0,
        };
        assert_eq!(Latency::of(micros.to_vec()), expect);
        let counts = Counts::of(vec![9, 2, 2, 3]);
        assert_eq!((counts.median, counts.max), (2, 9));
        assert!((counts.mean - 4.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_measured_is_zero_and_not_a_crash() {
        assert_eq!(Latency::of(Vec::new()), Latency::default());
        assert_eq!(Counts::of(Vec::new()), Counts::default());
        assert_eq!(ratio(1, 0), None);
    }
}
