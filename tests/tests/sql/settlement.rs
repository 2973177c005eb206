//! A hold resolves once, at every level, whoever tries and how often.

use tollgate_core::hrana::{Batch, Statement};
use tollgate_core::limits::Limits;
use tollgate_core::settlement::{Outcome, Progress, Resolved, renew_lease_statement};

use crate::world::{NOW_MS, World};

#[test]
fn a_settlement_charges_once_however_often_it_is_sent() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let caller = world.caller(&world.reseller, 1_000, Limits::default());
    let ask = world.ask(&caller, 400);
    let _ = world.admit(&ask);
    let settle = world.resolution(&caller, &ask, 300);
    let won: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        match world.resolve(&settle) {
                            Resolved::Now => break 1,
                            Resolved::Before => break 0,
                            Resolved::Contended => {}
                            Resolved::NoHold => panic!("the hold is gone"),
                        }
                    }
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(won, 1);
    assert_eq!(world.wallet(&caller.account), (700, 0, 0, 300));
    assert_eq!(world.wallet(&world.reseller), (700, 0, 0, 300));
}

#[test]
fn a_void_gives_everything_back_and_no_settlement_follows_it() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let ask = world.ask(&caller, 400);
    let _ = world.admit(&ask);
    let mut void = world.resolution(&caller, &ask, 0);
    void.outcome = Outcome::NotSent;
    assert_eq!(world.resolve(&void), Resolved::Now);
    assert_eq!(
        world.resolve(&world.resolution(&caller, &ask, 400)),
        Resolved::Before
    );
    assert_eq!(world.wallet(&caller.account), (1_000, 0, 0, 0));
    assert_eq!(world.snapshot(&caller).key.open_holds, 0);
}

#[test]
fn another_account_cannot_resolve_a_hold() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let stranger = world.caller(&world.operator, 1_000, Limits::default());
    let ask = world.ask(&caller, 400);
    let _ = world.admit(&ask);
    assert_eq!(
        world.resolve(&world.resolution(&stranger, &ask, 0)),
        Resolved::NoHold
    );
    assert_eq!(world.wallet(&caller.account), (1_000, 400, 0, 0));
}

#[test]
fn a_call_in_doubt_gives_back_its_own_hold_and_not_one_with_the_same_id() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let ask = world.ask(&caller, 400);
    let _ = world.admit(&ask);
    let mut twin = world.ask(&caller, 400);
    twin.request = ask.request;
    let mut void = world.resolution(&caller, &twin, 0);
    void.outcome = Outcome::NotSent;
    assert_eq!(world.resolve(&void), Resolved::NoHold);
    assert_eq!(world.wallet(&caller.account), (1_000, 400, 0, 0));
    let own = world.resolution(&caller, &ask, 400);
    assert_eq!(world.resolve(&own), Resolved::Now);
}

#[test]
fn a_resolved_request_never_changes_again() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let ask = world.ask(&caller, 400);
    let _ = world.admit(&ask);
    let _ = world.resolve(&world.resolution(&caller, &ask, 400));
    let mut batch = Batch::new();
    let step = batch.step(
        None,
        Statement::new("UPDATE requests SET state = 'held', outcome = NULL"),
    );
    assert!(!world.database.execute(&batch).is_ok(step));
}

#[test]
fn only_an_open_hold_renews_its_lease() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let ask = world.ask(&caller, 400);
    let _ = world.admit(&ask);
    let renew = || {
        let progress = Progress {
            provider_id: Some("gen-1".to_owned()),
            tokens: 7,
        };
        let call = (ask.request, &caller.account);
        let renew = renew_lease_statement(call, NOW_MS + 9, &progress);
        world.database.run(renew).rows(0).len()
    };
    assert_eq!(renew(), 1);
    let read = Statement::new(
        "SELECT lease_until_ms, provider_id, progress_tokens FROM requests WHERE id = ?1",
    );
    let row = world.row(read.bind(ask.request.get()));
    assert_eq!(
        (row.get(0), row.get(1), row.get(2)),
        (Ok(NOW_MS + 9), Ok("gen-1".to_owned()), Ok(7_i64))
    );
    let _ = world.resolve(&world.resolution(&caller, &ask, 400));
    assert_eq!(renew(), 0);
}
