//! Campaigns over the running parts, in short; `cargo xtask campaign` runs them for long. Each prints
//! its seed.

use std::hash::{BuildHasher, RandomState};

use tollgate_tests::campaign::{Report, crashes, drops, load};

fn seed() -> u64 {
    RandomState::new().hash_one(0)
}

fn check(report: &Report) {
    assert!(report.violations.is_empty(), "{report}");
}

#[test]
fn whoever_leaves_a_stream_at_any_point_pays_the_providers_bill_to_the_token() {
    check(&drops("drops", seed(), 24));
}

#[test]
fn killed_processes_leave_nothing_held_and_lose_nothing_that_was_acknowledged() {
    check(&crashes("crashes", seed(), 2));
}

#[test]
fn no_wallet_is_ever_below_zero_and_every_debit_is_a_charge() {
    check(&load("load", seed(), 5));
}
