//! People see what they have and spend, to the last call, whether it is rolled up or not; and nobody
//! else's.

use tollgate_core::accounts::View;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;
use tollgate_core::spending::{DAYS, MOST_PARTS, Overview, overview};

use crate::usage_days::{call, open, roll_up, true_up, two_levels};
use crate::world::{NOW_MS, World};

const DAY_MS: i64 = 86_400_000;
const DAY_MINUTES: i64 = 24 * 60;

fn read(world: &World, account: &AccountId, by: &AccountId, now_ms: i64) -> Option<Overview> {
    let overview = overview(View { account, by }, now_ms);
    overview
        .read(&world.database.execute(&overview.batch))
        .unwrap()
}

fn own(world: &World, account: &AccountId, now_ms: i64) -> Overview {
    read(world, account, account, now_ms).expect("an account")
}

/// The days that have something, as distance from today, calls and spend.
fn days(overview: &Overview) -> Vec<(i64, u64, i64)> {
    let today = overview.days.last().unwrap().day;
    let days = overview
        .days
        .iter()
        .filter(|day| day.calls > 0 || day.spend.get() != 0);
    days.map(|day| (today - day.day, day.calls, day.spend.get()))
        .collect()
}

#[test]
fn an_account_without_calls_has_thirty_empty_days_and_no_burn_rate() {
    let (world, caller) = two_levels();
    let seen = own(&world, &caller.account, NOW_MS);
    assert_eq!(seen.days.len(), DAYS);
    assert_eq!(seen.days.last().unwrap().day, NOW_MS / DAY_MS);
    assert_eq!(days(&seen), []);
    assert_eq!(
        (seen.models.len(), seen.keys.len(), seen.burn),
        (0, 0, None)
    );
    assert_eq!(seen.account.balance.get(), 1_000_000);
    assert_eq!(seen.account.id, caller.account);
}

#[test]
fn every_call_counts_once_before_during_and_after_its_roll_up() {
    let (world, caller) = two_levels();
    let trued_up = call(&world, &caller, 0, &[300, 200]);
    true_up(&world, trued_up, &caller.account, 40);
    true_up(&world, trued_up, &world.reseller, 20);
    call(&world, &caller, 1, &[]);
    call(&world, &caller, DAY_MINUTES, &[30, 20]);
    call(&world, &caller, 3 * DAY_MINUTES, &[7, 5]);
    let held = open(&world, &caller, 3 * DAY_MINUTES + 1);
    let now_ms = NOW_MS + 3 * DAY_MS + 120_000;
    let check = |rolled: u64| {
        let seen = own(&world, &caller.account, now_ms);
        assert_eq!(
            days(&seen),
            [(3, 2, 260), (2, 1, 30), (0, 1, 7)],
            "{rolled}"
        );
        let last = [1, 2, 3, 4, 30].map(|days| seen.spend_of_last(days).get());
        assert_eq!(last, [7, 7, 37, 297, 297]);
        let models: Vec<_> = seen
            .models
            .iter()
            .map(|share| (&*share.id, share.spend.get()))
            .collect();
        assert_eq!(models, [("sim/echo", 297)]);
        let [key] = &seen.keys[..] else {
            panic!("one key: {:?}", seen.keys);
        };
        assert_eq!((&*key.id, &*key.name), (caller.key_id.as_str(), "first"));
        assert_eq!((key.calls, key.tokens, key.spend.get()), (4, 36, 297));
        // 260, 30 and nothing in three full days; what is held does not count as free.
        let free = seen.account.balance.get() - seen.account.held.get();
        assert_eq!(seen.account.held.get(), 1_000);
        let burn = seen.burn.unwrap();
        assert_eq!((burn.per_day.get(), burn.days_left), (97, free / 97));
    };
    check(0);
    // Day by day, as far as the open call lets it.
    for (days, rolled) in [(0, 2), (1, 1), (2, 0), (3, 1), (50, 0)] {
        assert_eq!(roll_up(&world, NOW_MS + days * DAY_MS + 700_000), rolled);
        check(rolled);
    }
    drop(held);
}

#[test]
fn what_is_older_than_thirty_days_is_not_counted() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    for rolled in [0, 1] {
        let check = |days_later: i64, expect: i64| {
            let seen = own(&world, &caller.account, NOW_MS + days_later * DAY_MS);
            assert_eq!(
                seen.spend_of_last(DAYS).get(),
                expect,
                "{days_later} {rolled}"
            );
            assert_eq!(seen.models.len(), usize::from(expect > 0));
        };
        check(29, 300);
        check(30, 0);
        roll_up(&world, NOW_MS + DAY_MS);
    }
}

#[test]
fn every_day_is_told_by_the_dearest_models_and_what_is_left_is_one_part() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    let today = NOW_MS / DAY_MS;
    // Eight more models: m0 cost 1,000 today and yesterday, m7 cost 1,007.
    for (model, day) in (0..8).flat_map(|model| [(model, today), (model, today - 1)]) {
        let used = Statement::new(
            "INSERT INTO usage_days VALUES (?1, ?2, ?3, ?4, ?1, 1, 0, 0, 0, 0, 0, 0, ?5, 0, 0)",
        );
        let used = used.bind(caller.account.as_str()).bind(day);
        let used = used.bind(caller.key_id.as_str()).bind(format!("m{model}"));
        let _ = world.database.run(used.bind(1_000 + model));
    }
    let seen = own(&world, &caller.account, NOW_MS);
    let part = |model: Option<&str>, day: i64| {
        let found = seen
            .parts
            .iter()
            .find(|part| part.model.as_deref() == model && part.day == day);
        found.map(|part| part.spend.get())
    };
    for (model, spend) in [("m7", 1_007), ("m2", 1_002)] {
        assert_eq!(part(Some(model), today), Some(spend));
        assert_eq!(part(Some(model), today - 1), Some(spend));
    }
    // The two cheapest of the eight, and today the call.
    assert_eq!(
        (part(Some("m1"), today), part(Some("sim/echo"), today)),
        (None, None)
    );
    assert_eq!(part(None, today), Some(1_000 + 1_001 + 300));
    assert_eq!(part(None, today - 1), Some(1_000 + 1_001));
    let names: std::collections::BTreeSet<_> = seen.parts.iter().map(|it| &it.model).collect();
    assert_eq!(names.len(), MOST_PARTS + 1);
    let all: i64 = seen.parts.iter().map(|part| part.spend.get()).sum();
    assert_eq!(all, seen.spend_of_last(DAYS).get());
}

#[test]
fn only_the_account_its_seller_and_the_operator_see_it() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    let neighbour = world.caller(&world.reseller, 10, Limits::default());
    let stranger = world.new_reseller(10, 0);
    let account = &caller.account;
    for rolled in [0, 1] {
        let check = |by: &AccountId, expect: bool| {
            let seen = read(&world, account, by, NOW_MS);
            let spend = seen.map(|seen| seen.spend_of_last(DAYS).get());
            assert_eq!(spend, expect.then_some(300), "{by} {rolled}");
        };
        check(account, true);
        check(&world.reseller, true);
        check(&world.operator, true);
        check(&neighbour.account, false);
        check(&stranger, false);
        assert!(read(&world, &world.reseller, account, NOW_MS).is_none());
        assert!(read(&world, &world.operator, &world.reseller, NOW_MS).is_none());
        // A reseller's own overview has what its customers' calls cost it once they are rolled up.
        let reseller = own(&world, &world.reseller, NOW_MS);
        assert_eq!(reseller.spend_of_last(DAYS).get(), rolled * 200);
        assert_eq!(reseller.keys, []);
        roll_up(&world, NOW_MS + DAY_MS);
    }
}

#[test]
fn an_overview_reads_no_more_than_the_account_has() {
    let (world, caller) = two_levels();
    for minutes in 0..20 {
        call(&world, &caller, minutes, &[300, 200]);
    }
    let neighbour = world.caller(&world.reseller, 1_000_000, Limits::default());
    for minutes in 0..200 {
        call(&world, &neighbour, minutes, &[300, 200]);
    }
    let overview = overview(View::own(&caller.account), NOW_MS);
    let reply = world.database.execute(&overview.batch);
    assert!(reply.rows_read < 150, "{}", reply.rows_read);
    let plan = overview.batch.steps()[1].statement.clone();
    let plan = explain(&world, plan);
    assert!(
        plan.contains("requests_by_account (account_id=? AND id>?)"),
        "{plan}"
    );
    assert!(!plan.contains("SCAN r\n"), "{plan}");
}

/// How the database finds the rows of a statement.
pub fn explain(world: &World, statement: Statement) -> String {
    let mut explain = Statement::new(format!("EXPLAIN QUERY PLAN {}", statement.sql()));
    for value in statement.args() {
        explain = explain.bind(value.clone());
    }
    let reply = world.database.run(explain);
    let lines = reply
        .rows(0)
        .iter()
        .map(|row| row.get::<String>(3).unwrap() + "\n");
    lines.collect()
}
