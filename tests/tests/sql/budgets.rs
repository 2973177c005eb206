//! Budgets of keys and spend limits of accounts hold whatever runs at the same time, and begin anew
//! when their period does.

use tollgate_core::accounts::{edit_key_budget, edit_spend_limit};
use tollgate_core::admission::{Admission, Ask, Refusal};
use tollgate_core::budget::Period;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;

use crate::world::{Caller, NOW_MS, World};

const DAY_MS: i64 = 86_400_000;

fn budget(world: &World, caller: &Caller, period: Period, nanos: i64) {
    let edits = [(period, Some(Nanos::new(nanos)))];
    let change = world.change();
    world.commit(edit_key_budget(
        &caller.account,
        &caller.key_id,
        &edits,
        &change,
    ));
}

fn spend_limit(world: &World, account: &AccountId, period: Period, nanos: i64) {
    let edits = [(period, Some(Nanos::new(nanos)))];
    world.commit(edit_spend_limit(account, &edits, &world.change()));
}

/// The name of what became of a call that holds so much.
fn outcome(world: &World, caller: &Caller, hold: i64) -> (String, Ask) {
    let ask = world.ask(caller, hold);
    let name = match world.admit(&ask) {
        Admission::Admitted(_) => "admitted".to_owned(),
        Admission::Refused(refusal, _) => {
            let name = format!("{refusal:?}");
            name.split(['(', ' ']).next().unwrap_or_default().to_owned()
        }
        other => panic!("{other:?}"),
    };
    (name, ask)
}

#[test]
fn calls_in_flight_count_against_a_key_s_budget_and_what_they_leave_is_free_again() {
    for period in Period::ALL {
        let world = World::new();
        let caller = world.caller(&world.operator, 10_000, Limits::default());
        budget(&world, &caller, period, 1_000);
        let (first, ask) = outcome(&world, &caller, 600);
        assert_eq!(first, "admitted", "{period:?}");
        assert_eq!(outcome(&world, &caller, 401).0, "KeyBudgetExceeded");
        let _ = world.resolve(&world.resolution(&caller, &ask, 100));
        assert_eq!(outcome(&world, &caller, 901).0, "KeyBudgetExceeded");
        assert_eq!(outcome(&world, &caller, 900).0, "admitted", "{period:?}");
        assert_eq!(world.wallet(&caller.account).1, 900);
    }
}

#[test]
fn a_day_s_budget_is_whole_again_the_next_day_and_a_total_never() {
    let check = |period: Period, later_ms: i64, expect: &str| {
        let world = World::new();
        let caller = world.caller(&world.operator, 10_000, Limits::default());
        budget(&world, &caller, period, 1_000);
        let (_, ask) = outcome(&world, &caller, 1_000);
        let _ = world.resolve(&world.resolution(&caller, &ask, 1_000));
        assert_eq!(outcome(&world, &caller, 1).0, "KeyBudgetExceeded");
        let ask = Ask {
            now_ms: NOW_MS + later_ms,
            ..world.ask(&caller, 1)
        };
        let refused = match world.admit(&ask) {
            Admission::Refused(Refusal::KeyBudgetExceeded(exceeded), _) => {
                Some(exceeded.resets_at_ms)
            }
            _ => None,
        };
        let name = if refused.is_some() {
            "refused"
        } else {
            "admitted"
        };
        assert_eq!(name, expect, "{period:?} {later_ms}");
    };
    // The world's noon is a Sunday's, so the next day is also the next week.
    check(Period::Day, DAY_MS / 2 - 1, "refused");
    check(Period::Day, DAY_MS / 2, "admitted");
    check(Period::Week, DAY_MS / 2, "admitted");
    check(Period::Month, DAY_MS / 2, "refused");
    check(Period::Month, 9 * DAY_MS, "admitted");
    check(Period::Total, 900 * DAY_MS, "refused");
    // A clock that runs behind opens nothing.
    check(Period::Day, -DAY_MS, "refused");
}

#[test]
fn an_account_s_spend_limit_holds_for_all_its_keys_and_for_everybody_below_it() {
    let world = World::new();
    world.grant(&world.reseller, 10_000);
    let one = world.caller(&world.reseller, 10_000, Limits::default());
    let other = world.caller(&world.reseller, 10_000, Limits::default());
    spend_limit(&world, &one.account, Period::Day, 500);
    assert_eq!(outcome(&world, &one, 501).0, "SpendLimitExceeded");
    assert_eq!(outcome(&world, &one, 500).0, "admitted");
    assert_eq!(outcome(&world, &other, 501).0, "admitted");
    // The reseller holds 1001 for both; its own limit is not its customers' business.
    spend_limit(&world, &world.reseller, Period::Month, 1_500);
    assert_eq!(outcome(&world, &other, 500).0, "ResellerUnavailable");
    assert_eq!(outcome(&world, &other, 499).0, "admitted");
    assert_eq!(world.wallet(&world.reseller).1, 1_500);
}

#[test]
fn a_budget_that_changed_since_the_call_was_priced_counts() {
    let world = World::new();
    let caller = world.caller(&world.operator, 10_000, Limits::default());
    let ask = world.ask(&caller, 600);
    budget(&world, &caller, Period::Total, 500);
    assert!(matches!(world.admit(&ask), Admission::Reprice(_)));
    assert_eq!(outcome(&world, &caller, 501).0, "KeyBudgetExceeded");
}
