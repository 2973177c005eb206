//! The simulation is worth something only if it fails when something is broken: every fault that is put
//! into the SQL on its way is noticed within 100 seeds of 200 operations.

use std::sync::Mutex;
use std::thread;

use tollgate_tests::simulation::mutants::{ALL, Mutant};
use tollgate_tests::simulation::wire::Wire;
use tollgate_tests::simulation::{Plan, run};

/// The first seed that notices a fault, and what it says.
fn noticed(mutant: &'static Mutant) -> Option<(u64, String)> {
    let mut parts = 0;
    for seed in 1..=100 {
        let plan = Plan {
            seed,
            operations: 200,
        };
        let (outcome, wire) = run(plan, Wire::sqlite(Some(mutant)));
        parts |= wire.parts;
        if let Err(violation) = outcome {
            let whole = mutant.whole();
            assert_eq!(
                parts, whole,
                "`{}` is noticed before it is whole",
                mutant.name
            );
            return Some((seed, violation.what));
        }
    }
    assert_eq!(
        parts,
        mutant.whole(),
        "`{}` has parts without a place",
        mutant.name
    );
    None
}

#[test]
fn every_fault_is_noticed_within_a_hundred_seeds() {
    let left = Mutex::new(ALL.iter());
    let missed = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(mutant) = left.lock().unwrap().next() else {
                return;
            };
            match noticed(mutant) {
                Some((seed, what)) => println!("{}: seed {seed}: {what}", mutant.name),
                None => missed.lock().unwrap().push(mutant.name),
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    assert_eq!(missed.into_inner().unwrap(), Vec::<&str>::new());
}
