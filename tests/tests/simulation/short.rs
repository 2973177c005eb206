//! A short run; `cargo xtask simulate` runs more.

use tollgate_tests::simulation::wire::Wire;
use tollgate_tests::simulation::{Plan, Report, run};

fn check(seed: u64, operations: u32, wire: Wire) -> Report {
    match run(Plan { seed, operations }, wire).0 {
        Ok(report) => report,
        Err(violation) => panic!("{violation}"),
    }
}

/// What a run must have come across, or it proves less than it says.
const RARE: [&str; 24] = [
    "a Worker died",
    "a lease was lost",
    "a sweep died",
    "extended",
    "fate: Cut",
    "fate: Late",
    "fate: Paused",
    "fate: Twice",
    "posted: into debt",
    "post: ReferenceTaken",
    "priced again",
    "refused: duplicate request",
    "refused: insufficient credits",
    "refused: key budget",
    "refused: key revoked",
    "refused: rate limited",
    "refused: reseller unavailable",
    "refused: spend limit",
    "resolved: with a shortfall",
    "settle: Before",
    "sweep: Before",
    "sweep: by default",
    "sweep: by the provider's record",
    "the id was taken",
];

#[test]
fn no_schedule_of_a_hundred_breaks_an_invariant() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 1..=100 {
        seen.extend(check(seed, 200, Wire::sqlite(None)).seen.into_keys());
    }
    for what in RARE {
        assert!(seen.contains(what), "no seed comes across `{what}`");
    }
}

#[test]
fn a_seed_replays_exactly() {
    let one = run(
        Plan {
            seed: 7,
            operations: 150,
        },
        Wire::sqlite(None).recording(),
    );
    let two = run(
        Plan {
            seed: 7,
            operations: 150,
        },
        Wire::sqlite(None).recording(),
    );
    assert!(one.1.into_tape() == two.1.into_tape());
}

#[test]
fn no_schedule_on_the_real_server_breaks_an_invariant() {
    for seed in 1_001..=1_002 {
        check(seed, 300, Wire::sqld());
    }
}
