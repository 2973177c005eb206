//! The sweep takes the holds that nobody keeps, and only those.

use tollgate_core::catalogue::{Cost, UnitPrices};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::RequestId;
use tollgate_core::limits::Limits;
use tollgate_core::money::Picos;
use tollgate_core::settlement::{Progress, Resolved, renew_lease_statement};
use tollgate_core::sweep::{OverdueHold, advance_statement, overdue_statement, read_overdue};

use crate::world::{Caller, NOW_MS, World};

const LEASE_MS: i64 = 120_000;
const GRACE_MS: i64 = 60_000;

/// A world whose calls have a cost of 1,000 picos a token and one level of prices.
fn world() -> (World, Caller) {
    let world = World::new();
    let nano = Picos::new(1_000).unwrap();
    let cost = Cost {
        prices: UnitPrices::new(nano, nano),
        ..Cost::default()
    };
    world.database.script(
        "INSERT INTO models (slug, provider, name, hidden_reasoning, free, details, imported_at_ms)
         VALUES ('sim/echo', 'openrouter', 'echo', 0, 0, '{}', 0)",
    );
    let _ = world.database.run(
        Statement::new(
            "INSERT INTO costs (id, model, effective_from_ms, prices, source, recorded_at_ms)
             VALUES (1, 'sim/echo', 0, ?1, 'test', 0)",
        )
        .bind(cost.to_json()),
    );
    let caller = world.caller(&world.operator, 1_000_000, Limits::default());
    (world, caller)
}

fn hold(world: &World, caller: &Caller) -> RequestId {
    let rule = world.rule(&world.operator);
    let mut ask = world.ask(caller, 500);
    ask.levels[0].rule = rule;
    let _ = world.admit(&ask);
    ask.request
}

fn overdue(world: &World, now_ms: i64) -> Vec<OverdueHold> {
    let reply = world.database.run(overdue_statement(
        now_ms,
        GRACE_MS,
        (RequestId::first_at(0), 10),
    ));
    reply
        .rows(0)
        .iter()
        .map(|row| read_overdue(row).unwrap())
        .collect()
}

#[test]
fn a_hold_is_taken_only_when_its_lease_has_long_run_out() {
    let (world, caller) = world();
    let request = hold(&world, &caller);
    let last_safe = NOW_MS + LEASE_MS + GRACE_MS;
    assert_eq!(overdue(&world, last_safe), []);
    assert_eq!(overdue(&world, last_safe + 1)[0].request, request);
    let renewed = NOW_MS + 2 * LEASE_MS;
    let _ = world.database.run(renew_lease_statement(
        (request, &caller.account),
        renewed,
        &Progress::default(),
    ));
    assert_eq!(overdue(&world, last_safe + 1), []);
}

#[test]
fn a_hold_that_nobody_can_account_for_is_charged_its_prompt_once() {
    let (world, caller) = world();
    hold(&world, &caller);
    let found = overdue(&world, NOW_MS + 10 * LEASE_MS).remove(0);
    let resolution = found.resolution(found.default_outcome(), NOW_MS + 10 * LEASE_MS);
    assert_eq!(world.resolve(&resolution), Resolved::Now);
    // Ten tokens of prompt at one nano each, and a markup of 10 %.
    let wallet = world.wallet(&caller.account);
    assert_eq!(wallet, (999_989, 0, 0, 11));
    // A second sweep that read the hold before finds it resolved.
    assert_eq!(world.resolve(&resolution), Resolved::Before);
    assert_eq!(world.wallet(&caller.account), wallet);
    assert_eq!(overdue(&world, NOW_MS + 10 * LEASE_MS), []);
}

#[test]
fn the_mark_never_passes_an_open_hold_or_the_recent_past() {
    let (world, caller) = world();
    let mark = || {
        let read = Statement::new("SELECT from_request_id FROM sweeps");
        world.row(read).get::<i64>(0).unwrap()
    };
    let advance = |now_ms: i64| {
        let _ = world.database.run(advance_statement(now_ms));
        mark()
    };
    let request = hold(&world, &caller);
    let late = NOW_MS + 100 * LEASE_MS;
    assert_eq!(advance(late), request.get());
    let found = overdue(&world, late).remove(0);
    let _ = world.resolve(&found.resolution(found.default_outcome(), late));
    assert_eq!(advance(late), RequestId::first_at(late - 600_000).get());
    assert_eq!(advance(late - 1), RequestId::first_at(late - 600_000).get());
}
