//! A hold that grows with its answer: never beyond what is there at any level, whatever is lost or
//! sent twice, and a crash leaves how far it came.

use tollgate_core::accounts::{edit_key_budget, set_suspended};
use tollgate_core::admission::{Ask, Extended, Extension, LevelHold, Refusal};
use tollgate_core::budget::Period;
use tollgate_core::hrana::Statement;
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::settlement::{Progress, Resolved};

use crate::world::{Caller, NOW_MS, World};

fn levels(ask: &Ask, hold: i64) -> Vec<LevelHold> {
    let levels = ask.levels.iter().cloned();
    levels
        .map(|level| LevelHold {
            hold: Nanos::new(hold),
            ..level
        })
        .collect()
}

fn extension(caller: &Caller, ask: &Ask, (from, to): (i64, i64)) -> Extension {
    Extension {
        request: ask.request,
        account: caller.account.clone(),
        key: caller.key_id.clone(),
        key_hash: ask.key_hash,
        now_ms: NOW_MS,
        lease_until_ms: NOW_MS + 240_000,
        progress: Progress {
            provider_id: Some("gen-1".to_owned()),
            tokens: 77,
        },
        from: levels(ask, from),
        to: levels(ask, to),
    }
}

fn extend(world: &World, extension: &Extension) -> Extended {
    let batch = extension.to_batch();
    let reply = world.database.execute(&batch.batch);
    batch.read(extension, &reply).unwrap()
}

fn held_of_key(world: &World, caller: &Caller) -> i64 {
    let read = Statement::new("SELECT held_nanos FROM keys WHERE id = ?1");
    world.row(read.bind(caller.key_id.as_str())).get(0).unwrap()
}

#[test]
fn a_hold_grows_at_every_level_and_sending_it_twice_changes_nothing() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let caller = world.caller(&world.reseller, 1_000, Limits::default());
    let ask = world.ask(&caller, 100);
    let _ = world.admit(&ask);
    let grow = extension(&caller, &ask, (100, 300));
    for _ in 0..3 {
        assert_eq!(extend(&world, &grow), Extended::Now);
        assert_eq!(world.wallet(&caller.account).1, 300);
        assert_eq!(world.wallet(&world.reseller).1, 300);
        assert_eq!(held_of_key(&world, &caller), 300);
    }
    let read = "SELECT lease_until_ms, provider_id, progress_tokens FROM requests WHERE id = ?1";
    let row = world.row(Statement::new(read).bind(ask.request.get()));
    assert_eq!(
        (row.get(0), row.get(1), row.get(2)),
        (Ok(NOW_MS + 240_000), Ok("gen-1".to_owned()), Ok(77_i64))
    );
    // A settlement made from the first hold still gives back all of what was taken.
    let resolution = world.resolution(&caller, &ask, 40);
    assert_eq!(world.resolve(&resolution), Resolved::Now);
    assert_eq!(world.wallet(&caller.account), (960, 0, 0, 40));
    assert_eq!(world.wallet(&world.reseller), (960, 0, 0, 40));
    assert_eq!(held_of_key(&world, &caller), 0);
    assert_eq!(extend(&world, &grow), Extended::Gone);
    assert_eq!(world.wallet(&caller.account).1, 0);
}

#[test]
fn a_hold_never_shrinks() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let ask = world.ask(&caller, 100);
    let _ = world.admit(&ask);
    let shrink = extension(&caller, &ask, (100, 99));
    assert_ne!(extend(&world, &shrink), Extended::Now);
    assert_eq!(world.wallet(&caller.account).1, 100);
}

#[test]
fn what_a_hold_cannot_have_is_refused_for_the_right_reason_and_changes_nothing() {
    let check = |change: fn(&World, &Caller), to: i64, expect: &str| {
        let world = World::new();
        world.grant(&world.reseller, 700);
        let caller = world.caller(&world.reseller, 500, Limits::default());
        let ask = world.ask(&caller, 100);
        let _ = world.admit(&ask);
        change(&world, &caller);
        let name = match extend(&world, &extension(&caller, &ask, (100, to))) {
            Extended::Now => "now".to_owned(),
            Extended::Refused(short) => format!("{:?}", short.0),
            other => format!("{other:?}"),
        };
        assert!(name.starts_with(expect), "{name} is not {expect}");
        if expect != "now" {
            assert_eq!(world.wallet(&caller.account).1, 100, "{expect}");
            assert_eq!(held_of_key(&world, &caller), 100, "{expect}");
        }
    };
    check(|_, _| {}, 500, "now");
    check(
        |_, _| {},
        501,
        "InsufficientCredits { balance: Nanos(500), held: Nanos(100), needed: Nanos(401) }",
    );
    let dry: fn(&World, &Caller) = |world, _| {
        let other = world.caller(&world.reseller, 500, Limits::default());
        let _ = world.admit(&world.ask(&other, 500));
    };
    check(dry, 201, "ResellerUnavailable { dry: Some(");
    check(dry, 200, "now");
    let budget: fn(&World, &Caller) = |world, caller| {
        let edits = [(Period::Day, Some(Nanos::new(250)))];
        let (account, key) = (&caller.account, &caller.key_id);
        world.commit(edit_key_budget(account, key, &edits, &world.change()));
    };
    check(budget, 251, "KeyBudgetExceeded");
    check(budget, 250, "now");
    let suspend: fn(&World, &Caller) =
        |world, caller| world.commit(set_suspended(&caller.account, true, &world.change()));
    check(suspend, 200, "AccountSuspended");
}

#[test]
fn parallel_holds_grow_to_exactly_what_is_there() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let asks: Vec<Ask> = (0..8).map(|_| world.ask(&caller, 50)).collect();
    for ask in &asks {
        let _ = world.admit(ask);
    }
    let grown: usize = std::thread::scope(|scope| {
        let grow = |ask| extend(&world, &extension(&caller, ask, (50, 150)));
        let threads: Vec<_> = asks
            .iter()
            .map(|ask| scope.spawn(move || grow(ask)))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results
            .filter(|result| match result {
                Extended::Now => true,
                Extended::Refused(short) => {
                    assert!(matches!(short.0, Refusal::InsufficientCredits { .. }));
                    false
                }
                other => panic!("{other:?}"),
            })
            .count()
    });
    assert_eq!(grown, 6);
    assert_eq!(world.wallet(&caller.account), (1_000, 1_000, 0, 0));
}
