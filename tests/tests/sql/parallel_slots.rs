//! A parallel slot is freed by whatever ends its call, and lives nowhere but in the hold.

use tollgate_core::admission::Admission;
use tollgate_core::limits::Limits;
use tollgate_core::settlement::Resolved;
use tollgate_core::sweep::{overdue_statement, read_overdue};
use tollgate_core::{admission::Ask, ids::RequestId};

use crate::sweep::priced_world;
use crate::world::{Caller, NOW_MS, World};

fn ask(world: &World, caller: &Caller) -> Ask {
    let mut ask = world.ask(caller, 500);
    ask.levels[0].rule = world.rule(&world.operator);
    let key = world.snapshot(caller).key;
    ask.key_version = key.version;
    ask.levels[0].rules_version = world.snapshot(caller).levels[0].rules_version;
    ask
}

#[test]
fn the_slot_of_a_worker_that_died_is_free_after_the_sweep() {
    let world = priced_world();
    let limits = Limits {
        parallel_calls: Some(1),
        ..Limits::default()
    };
    let caller = world.caller(&world.operator, 1_000_000, limits);
    let admit = || world.admit(&ask(&world, &caller));
    assert!(matches!(admit(), Admission::Admitted(_)));
    let refused = format!("{:?}", admit());
    assert!(refused.starts_with("Refused(TooManyParallel"), "{refused}");
    // Nobody settles the call, and its lease runs out.
    let later = NOW_MS + 10 * 120_000;
    let overdue = overdue_statement(later, 60_000, (RequestId::first_at(0), 10));
    let reply = world.database.run(overdue);
    let [row] = reply.rows(0) else {
        panic!("not exactly one hold");
    };
    let call = read_overdue(row).unwrap();
    let resolution = call.resolution(call.default_outcome(), later);
    assert_eq!(world.resolve(&resolution), Resolved::Now);
    assert_eq!(world.snapshot(&caller).key.open_holds, 0);
    assert!(matches!(admit(), Admission::Admitted(_)));
}
