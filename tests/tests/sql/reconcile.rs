//! Whatever happened, the books add up; and when one number is wrong, that number is named.

use tollgate_core::hrana::Statement;
use tollgate_core::ids::RequestId;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::reconcile::{Books, Day, Drift, What, books, day};
use tollgate_core::settlement::Resolved;

use crate::usage_days::{call, open, prune, roll_up, true_up, two_levels};
use crate::world::{Caller, NOW_MS, World};

const DAY_MS: i64 = 86_400_000;

/// Reads everything: the books, and every day of which calls are there.
fn reconcile(world: &World) -> (Books, Vec<Day>) {
    let batch = books();
    let books = batch.read(&world.database.execute(batch.batch())).unwrap();
    let days = books.days.clone().map(|number| {
        let batch = day(number);
        batch.read(&world.database.execute(batch.batch())).unwrap()
    });
    let days = days.collect();
    (books, days)
}

fn drifts(world: &World) -> Vec<Drift> {
    let (books, days) = reconcile(world);
    let drifts = books.drifts.into_iter();
    drifts
        .chain(days.into_iter().flat_map(|day| day.drifts))
        .collect()
}

/// A world in which much has happened: calls of two days, the first day's rolled up, one of them
/// trued up, one open; credit that came and went, and debt.
struct Busy {
    world: World,
    caller: Caller,
    first: RequestId,
    voided: RequestId,
    recent: RequestId,
    open: RequestId,
}

fn busy() -> Busy {
    let (world, caller) = two_levels();
    let first = call(&world, &caller, 0, &[300, 200]);
    let voided = call(&world, &caller, 1, &[]);
    let trued = call(&world, &caller, 2, &[30, 20]);
    true_up(&world, trued, &caller.account, 12);
    true_up(&world, trued, &world.reseller, -8);
    assert_eq!(roll_up(&world, NOW_MS + 60 * 60_000), 3);
    let recent = call(&world, &caller, 24 * 60, &[70, 60]);
    let open = open(&world, &caller, 24 * 60 + 1).request;
    let direct = world.caller(&world.operator, 500, Limits::default());
    let clawback = LedgerEntry {
        account: direct.account,
        kind: EntryKind::Dispute,
        amount: Nanos::new(-900),
        reference: "dispute:a".to_owned(),
        reason: "test".to_owned(),
    };
    assert_eq!(world.post(&clawback), Posted::Now);
    Busy {
        world,
        caller,
        first,
        voided,
        recent,
        open,
    }
}

#[test]
fn books_that_were_kept_by_the_rules_add_up() {
    let busy = busy();
    let (books, days) = reconcile(&busy.world);
    assert_eq!(drifts(&busy.world), []);
    assert_eq!((books.accounts, books.keys), (4, 2));
    assert_eq!((books.entries, books.usage_days), (6, 2));
    let calls: Vec<_> = days.iter().map(|day| (day.requests, day.whole)).collect();
    assert_eq!(calls, [(3, true), (2, true)]);
}

#[test]
fn retention_changes_no_sum() {
    let Busy {
        world,
        caller,
        open,
        ..
    } = busy();
    let before = world.wallet(&caller.account);
    let two_days = NOW_MS + 2 * DAY_MS;
    assert_eq!(prune(&world, two_days, 1), 3);
    assert_eq!(drifts(&world), []);
    assert_eq!(world.wallet(&caller.account), before);
    // The open call ends; everything is counted, then gone.
    let ask = tollgate_core::admission::Ask {
        request: open,
        ..world.ask(&caller, 1_000)
    };
    let mut end = world.resolution(&caller, &ask, 9);
    end.nonce = None;
    assert_eq!(world.resolve(&end), Resolved::Now);
    assert_eq!(roll_up(&world, two_days), 2);
    assert_eq!(drifts(&world), []);
    assert_eq!(prune(&world, NOW_MS + 9 * DAY_MS, 1), 2);
    assert_eq!(drifts(&world), []);
    let (books, _) = reconcile(&world);
    assert!(books.days.is_empty());
}

#[test]
fn a_day_of_which_calls_are_gone_is_not_compared_with_its_roll_ups() {
    let busy = busy();
    assert_eq!(prune(&busy.world, NOW_MS + DAY_MS + 60_000, 1), 1);
    assert_eq!(drifts(&busy.world), []);
    let (_, days) = reconcile(&busy.world);
    assert_eq!((days[0].requests, days[0].whole), (2, false));
}

/// Makes one number wrong and expects these drifts: what, whose, expected, found.
fn check(busy: &Busy, corruption: &str, expect: &[(What, &str, i64, i64)]) {
    assert_eq!(drifts(&busy.world), []);
    busy.world.database.script(corruption);
    let mut found = drifts(&busy.world);
    found.sort();
    let mut expect: Vec<Drift> = expect
        .iter()
        .map(|(what, subject, expected, found)| Drift {
            what: *what,
            subject: (*subject).to_owned(),
            expected: *expected,
            found: *found,
        })
        .collect();
    expect.sort();
    assert_eq!(found, expect, "{corruption}");
}

/// SQL that changes a resolved request, which the database otherwise refuses.
fn force(update: &str) -> String {
    format!(
        "DROP TRIGGER requests_resolve_once; DROP TRIGGER requests_end_before_they_go; {update}"
    )
}

#[test]
fn a_wrong_wallet_is_named_to_the_nano() {
    let busy = busy();
    let account = busy.caller.account.as_str();
    let (balance, held, debt, charged) = busy.world.wallet(&busy.caller.account);
    assert_eq!((held, debt, charged), (1_000, 0, 400));
    let set = |what: &str| format!("UPDATE accounts SET {what} WHERE id = '{account}'");
    let undo = |what: &str| busy.world.database.script(&set(what));
    check(
        &busy,
        &set("balance_nanos = balance_nanos + 1"),
        &[(What::Balance, account, balance, balance + 1)],
    );
    undo("balance_nanos = balance_nanos - 1");
    check(
        &busy,
        &set("debt_nanos = 1"),
        &[(What::Balance, account, balance, balance - 1)],
    );
    undo("debt_nanos = 0");
    check(
        &busy,
        &set("held_nanos = held_nanos - 1"),
        &[(What::Held, account, 1_000, 999)],
    );
    undo("held_nanos = held_nanos + 1");
    check(
        &busy,
        &set("charged_nanos = 0"),
        &[(What::Charged, account, 400, 0)],
    );
}

#[test]
fn a_wrong_key_is_named() {
    let busy = busy();
    let key = busy.caller.key_id.as_str();
    let set = |what: &str| format!("UPDATE keys SET {what} WHERE id = '{key}'");
    let all = set("open_holds = 2, held_nanos = 1001, charged_nanos = charged_nanos - 1");
    check(
        &busy,
        &all,
        &[
            (What::KeyOpenHolds, key, 1, 2),
            (What::KeyHeld, key, 1_000, 1_001),
            (What::KeyCharged, key, 400, 399),
        ],
    );
}

#[test]
fn credit_without_an_entry_and_an_entry_without_credit_are_both_found() {
    let busy = busy();
    let account = busy.caller.account.as_str();
    let balance = busy.world.wallet(&busy.caller.account).0;
    let insert = format!(
        "INSERT INTO ledger_entries (account_id, kind, amount_nanos, reference, reason, created_at_ms)
         VALUES ('{account}', 'grant', 5, 'grant:nowhere', 'test', 0)"
    );
    check(
        &busy,
        &insert,
        &[(What::Balance, account, balance + 5, balance)],
    );
}

#[test]
fn a_true_up_that_came_after_its_call_was_counted_is_found() {
    let busy = busy();
    let account = busy.caller.account.as_str();
    true_up(&busy.world, busy.first, &busy.caller.account, 5);
    let day = format!("{account} 2026-11-22 {} sim/echo", busy.caller.key_id);
    let expect = [
        (What::TrueUps, account, -17, -12),
        (What::UsageDay("true_up_nanos"), day.as_str(), -17, -12),
    ];
    let found: Vec<_> = drifts(&busy.world)
        .into_iter()
        .map(|drift| (drift.what, drift.subject, drift.expected, drift.found))
        .collect();
    let expect = expect.map(|(what, subject, a, b)| (what, subject.to_owned(), a, b));
    assert_eq!(found, expect);
}

#[test]
fn a_call_that_vanished_before_it_was_counted_is_found() {
    let busy = busy();
    let account = busy.caller.account.as_str();
    let reseller = busy.world.reseller.as_str();
    let key = busy.caller.key_id.as_str();
    let balance = busy.world.wallet(&busy.caller.account).0;
    let above = busy.world.wallet(&busy.world.reseller).0;
    let recent = busy.recent.get();
    check(
        &busy,
        &force(&format!("DELETE FROM requests WHERE id = {recent}")),
        &[
            (What::Balance, account, balance + 70, balance),
            (What::Balance, reseller, above + 60, above),
            (What::Charged, account, 330, 400),
            (What::Charged, reseller, 220, 280),
            (What::KeyCharged, key, 330, 400),
        ],
    );
}

#[test]
fn a_charge_above_its_hold_or_of_a_voided_call_is_found() {
    let busy = busy();
    let account = busy.caller.account.as_str();
    let reseller = busy.world.reseller.as_str();
    let (first, voided) = (busy.first, busy.voided);
    let day = |account: &str| format!("{account} 2026-11-22 {} sim/echo", busy.caller.key_id);
    let set = |request: RequestId, path: &str, value: i64| {
        format!(
            "UPDATE requests SET levels = json_set(levels, '{path}', {value}) WHERE id = {};",
            request.get()
        )
    };
    let corruption = force(&format!(
        "{}{}",
        set(first, "$[1].charge", 1_001),
        set(voided, "$[0].charge", 1)
    ));
    check(
        &busy,
        &corruption,
        &[
            (What::Charge, &format!("{first} {reseller}"), 1_000, 1_001),
            (What::Charge, &format!("{voided} {account}"), 0, 1),
            (What::UsageDay("charge_nanos"), &day(account), 331, 330),
            (What::UsageDay("base_nanos"), &day(account), 1_029, 228),
            (What::UsageDay("charge_nanos"), &day(reseller), 1_021, 220),
        ],
    );
}

#[test]
fn a_state_that_does_not_fit_its_outcome_is_found() {
    let busy = busy();
    let voided = busy.voided;
    let corruption = format!(
        "UPDATE requests SET outcome = 'unknown' WHERE id = {}",
        voided.get()
    );
    let subject = voided.to_string();
    check(
        &busy,
        &force(&corruption),
        &[(What::Resolved, &subject, 0, 1)],
    );
}

#[test]
fn a_mark_that_passed_an_open_call_is_found() {
    let busy = busy();
    let account = busy.caller.account.as_str();
    let reseller = busy.world.reseller.as_str();
    let key = busy.caller.key_id.as_str();
    let open = busy.open.to_string();
    let corruption = format!(
        "UPDATE usage_marks SET rolled_to_id = {}",
        busy.open.get() + 1
    );
    let balance = busy.world.wallet(&busy.caller.account).0;
    let above = busy.world.wallet(&busy.world.reseller).0;
    let name = |account: &str| format!("{account} 2026-11-23 {key} sim/echo");
    let (mine, theirs) = (name(account), name(reseller));
    let found = {
        busy.world.database.script(&corruption);
        let mut found = drifts(&busy.world);
        found.sort();
        found
    };
    let has = |what: What, subject: &str, expected: i64, number: i64| {
        let drift = Drift {
            what,
            subject: subject.to_owned(),
            expected,
            found: number,
        };
        assert!(found.contains(&drift), "{drift:?} is not in {found:#?}");
    };
    has(What::RolledWhileOpen, &open, 0, 1);
    has(What::Held, account, 0, 1_000);
    has(What::KeyOpenHolds, key, 0, 1);
    has(What::Balance, account, balance + 70, balance);
    has(What::Balance, reseller, above + 60, above);
    has(What::UsageDay("charge_nanos"), &mine, 70, 0);
    has(What::UsageDay("charge_nanos"), &theirs, 60, 0);
}

#[test]
fn a_roll_up_that_is_not_its_day_s_sum_is_found() {
    let busy = busy();
    let account = busy.caller.account.as_str();
    let day = format!("{account} 2026-11-22 {} sim/echo", busy.caller.key_id);
    let balance = busy.world.wallet(&busy.caller.account).0;
    let corruption = format!(
        "UPDATE usage_days SET charge_nanos = charge_nanos + 1, prompt_tokens = 0
         WHERE account_id = '{account}'"
    );
    let key = busy.caller.key_id.as_str();
    check(
        &busy,
        &corruption,
        &[
            (What::Balance, account, balance - 1, balance),
            (What::Charged, account, 401, 400),
            (What::KeyCharged, key, 401, 400),
            (What::UsageDay("prompt_tokens"), &day, 14, 0),
            (What::UsageDay("charge_nanos"), &day, 330, 331),
        ],
    );
}

#[test]
fn a_roll_up_that_is_missing_or_of_nobody_is_found() {
    let busy = busy();
    let account = busy.caller.account.as_str();
    let corruption =
        format!("UPDATE usage_days SET account_id = 'acc_nobody' WHERE account_id = '{account}'");
    busy.world.database.script(&corruption);
    let found = drifts(&busy.world);
    let has = |what: What, subject: &str, expected: i64, found_: i64| {
        let one = found
            .iter()
            .find(|one| one.what == what && one.subject == subject);
        let one = one.unwrap_or_else(|| panic!("{what:?} of {subject} is not in {found:#?}"));
        assert_eq!((one.expected, one.found), (expected, found_));
    };
    has(What::Balance, "acc_nobody", -330, 0);
    has(What::Charged, account, 70, 400);
    let day = format!("{account} 2026-11-22 {} sim/echo", busy.caller.key_id);
    has(What::UsageDay("settled"), &day, 2, 0);
}

#[test]
fn requests_below_the_mark_of_retention_are_found() {
    let busy = busy();
    let corruption = format!(
        "UPDATE usage_marks SET pruned_to_id = {}",
        busy.voided.get()
    );
    check(&busy, &corruption, &[(What::Pruned, "requests", 0, 1)]);
}

#[test]
fn what_the_provider_says_it_bills_is_compared_by_model() {
    let busy = busy();
    let report = |request: RequestId, nanos: i64| {
        let update = Statement::new("UPDATE requests SET reported_cost_nanos = ?2 WHERE id = ?1");
        let update = update.bind(request.get()).bind(nanos);
        let _ = busy.world.database.run(update);
    };
    busy.world
        .database
        .script("DROP TRIGGER requests_resolve_once");
    report(busy.first, 100);
    report(busy.recent, 33);
    assert_eq!(drifts(&busy.world), []);
    let (_, days) = reconcile(&busy.world);
    let mut costs = days.into_iter().flat_map(|day| day.costs);
    let mut sum = costs.next().unwrap();
    for other in costs {
        sum.add(&other);
    }
    assert_eq!(
        (sum.model.as_str(), sum.calls, sum.differing),
        ("sim/echo", 2, 1)
    );
    let nanos = (sum.ours.get(), sum.reported.get(), sum.largest.get());
    assert_eq!(nanos, (130, 133, 3));
}
