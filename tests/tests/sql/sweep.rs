//! The sweep takes the holds that nobody keeps, and only those.

use tollgate_core::catalogue::{Cost, UnitPrices};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::RequestId;
use tollgate_core::limits::Limits;
use tollgate_core::money::Picos;
use tollgate_core::settlement::{Outcome, Progress, Resolved, renew_lease_statement};
use tollgate_core::stored_call::StoredCall;
use tollgate_core::sweep::{advance_statement, overdue_statement, read_overdue};
use tollgate_core::usage::Usage;

use crate::world::{Caller, NOW_MS, World};

const LEASE_MS: i64 = 120_000;
const GRACE_MS: i64 = 60_000;

/// A world whose calls have a cost of 1,000 picos a token.
pub fn priced_world() -> World {
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
    world
}

/// The same, with a caller at one level of prices.
fn world() -> (World, Caller) {
    let world = priced_world();
    let caller = world.caller(&world.operator, 1_000_000, Limits::default());
    (world, caller)
}

/// A provider's record of a call, with its bill in US dollars.
pub fn record(prompt: u64, completion: u64, usd: &str) -> Vec<u8> {
    format!(
        r#"{{"data":{{"native_tokens_prompt":{prompt},"native_tokens_completion":{completion},
           "total_cost":{usd},"cancelled":false,"finish_reason":"stop"}}}}"#
    )
    .into_bytes()
}

fn hold(world: &World, caller: &Caller) -> RequestId {
    let rule = world.rule(&world.operator);
    let mut ask = world.ask(caller, 500);
    ask.levels[0].rule = rule;
    let _ = world.admit(&ask);
    ask.request
}

fn overdue(world: &World, now_ms: i64) -> Vec<StoredCall> {
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

#[test]
fn a_crash_charges_the_progress_that_was_recorded() {
    let check = |progress: i64, expect: Outcome, charge: i64| {
        let (world, caller) = world();
        let request = hold(&world, &caller);
        let _ = world.database.run(
            Statement::new("UPDATE requests SET progress_tokens = ?2 WHERE id = ?1")
                .bind(request.get())
                .bind(progress),
        );
        let late = NOW_MS + 10 * LEASE_MS;
        let found = overdue(&world, late).remove(0);
        assert_eq!(found.default_outcome(), expect);
        let resolution = found.resolution(found.default_outcome(), late);
        assert_eq!(world.resolve(&resolution), Resolved::Now);
        assert_eq!(world.wallet(&caller.account).3, charge, "{progress}");
    };
    let usage = |completion_tokens| Usage {
        prompt_tokens: 10,
        completion_tokens,
        ..Usage::default()
    };
    check(0, Outcome::Unknown(usage(0)), 11);
    check(1, Outcome::AtLeast(usage(1)), 13);
    check(90, Outcome::AtLeast(usage(90)), 110);
    // Never more than was held.
    check(5_000, Outcome::AtLeast(usage(5_000)), 500);
}

#[test]
fn the_provider_s_record_decides_once_it_is_about_a_call_that_ended() {
    let (world, caller) = world();
    hold(&world, &caller);
    let found = overdue(&world, NOW_MS + 10 * LEASE_MS).remove(0);
    let exact = |prompt_tokens, completion_tokens| {
        Outcome::Exact(Usage {
            prompt_tokens,
            completion_tokens,
            ..Usage::default()
        })
    };
    let check = |body: &str, expect: Option<(Outcome, bool)>| {
        let recorded = found.recorded(body.as_bytes());
        let recorded = recorded.map(|recorded| (recorded.outcome, recorded.ended));
        assert_eq!(recorded, expect, "{body}");
    };
    let data = |counts: &str, rest: &str| {
        format!(r#"{{"data":{{{counts},"cancelled":false,"finish_reason":null{rest}}}}}"#)
    };
    let some = r#""native_tokens_prompt":7,"native_tokens_completion":30"#;
    let none = r#""native_tokens_prompt":7,"native_tokens_completion":0"#;
    check("", None);
    check("{}", None);
    check(r#"{"error":{"code":404}}"#, None);
    check(&data(some, ""), Some((exact(7, 30), true)));
    check(
        &data(some, r#","total_cost":0.001"#),
        Some((exact(7, 30), true)),
    );
    // Not billed, though there were tokens.
    check(
        &data(some, r#","total_cost":0"#),
        Some((Outcome::NotSent, true)),
    );
    // Perhaps still running: its end is not there, and nothing is billed yet.
    check(
        &data(none, r#","total_cost":0"#),
        Some((Outcome::NotSent, false)),
    );
    let ended = data(none, r#","total_cost":0"#).replace("null", r#""stop""#);
    check(&ended, Some((Outcome::NotSent, true)));
    let cancelled = data(none, r#","total_cost":0"#).replace("false", "true");
    check(&cancelled, Some((Outcome::NotSent, true)));
    // Counts that are none say nothing.
    check(
        &data(r#""native_tokens_prompt":-1"#, r#","total_cost":1"#),
        None,
    );
}

#[test]
fn what_costs_the_operator_nothing_is_not_what_was_not_billed() {
    let (world, caller) = world();
    let free = Cost {
        prices: UnitPrices::new(Picos::ZERO, Picos::ZERO),
        ..Cost::default()
    };
    let _ = world
        .database
        .run(Statement::new("UPDATE costs SET prices = ?1").bind(free.to_json()));
    hold(&world, &caller);
    let found = overdue(&world, NOW_MS + 10 * LEASE_MS).remove(0);
    let recorded = found.recorded(&record(7, 30, "0")).unwrap();
    assert!(
        matches!(recorded.outcome, Outcome::Exact(_)),
        "{recorded:?}"
    );
    let recorded = found.recorded(&record(7, 0, "0")).unwrap();
    assert_eq!(recorded.outcome, Outcome::NotSent);
}
