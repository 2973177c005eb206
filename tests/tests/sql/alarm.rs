//! Alarms reach the people of the account that they concern, a flood writes one row a minute, and
//! they stay until somebody saw them.

use tollgate_core::admission::Admission;
use tollgate_core::alarm::{
    Alarm, AlarmKind, RaisedAlarm, acknowledge, alarm_of_refusal, alarms_statement, read_alarm,
};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;

use crate::world::{NOW_MS, World};

const MINUTE_MS: i64 = 60_000;

fn alarms(world: &World, account: Option<&AccountId>) -> Vec<RaisedAlarm> {
    let reply = world.database.run(alarms_statement(account));
    reply
        .rows(0)
        .iter()
        .map(|row| read_alarm(row).unwrap())
        .collect()
}

/// Raises an alarm and says how many rows were written.
fn raise(world: &World, alarm: &Alarm, now_ms: i64) -> u64 {
    world.database.execute(&alarm.to_batch(now_ms)).rows_written
}

fn stuck(detail: &str) -> Alarm {
    Alarm::for_operator(AlarmKind::HoldStuck, detail)
}

#[test]
fn a_flood_writes_one_row_a_minute() {
    let world = World::new();
    let check = |at_ms: i64, detail: &str, written: bool, (times, last): (i64, &str)| {
        let rows = raise(&world, &stuck(detail), at_ms);
        assert_eq!(rows > 0, written, "{detail}: {rows}");
        let [alarm] = &alarms(&world, None)[..] else {
            panic!("not exactly one alarm");
        };
        assert_eq!(alarm.account, world.operator);
        assert_eq!((alarm.times, alarm.detail.as_str()), (times, last));
        assert_eq!(alarm.first_at_ms, NOW_MS);
    };
    check(NOW_MS, "a", true, (1, "a"));
    check(NOW_MS, "b", false, (1, "a"));
    check(NOW_MS + MINUTE_MS - 1, "c", false, (1, "a"));
    check(NOW_MS + MINUTE_MS, "d", true, (2, "d"));
    check(NOW_MS + MINUTE_MS + 1, "e", false, (2, "d"));
    check(NOW_MS + 3 * MINUTE_MS, "f", true, (3, "f"));
    // Another kind, and another account, have a minute of their own.
    let other = Alarm::for_operator(AlarmKind::Drift, "g");
    assert!(raise(&world, &other, NOW_MS + 3 * MINUTE_MS) > 0);
    let elsewhere = Alarm {
        account: Some(world.reseller.clone()),
        ..stuck("h")
    };
    assert!(raise(&world, &elsewhere, NOW_MS + 3 * MINUTE_MS) > 0);
    assert_eq!(alarms(&world, None).len(), 3);
    assert_eq!(alarms(&world, Some(&world.reseller)).len(), 1);
    let nobody = Alarm {
        account: Some(AccountId::from_random([77; 10])),
        ..stuck("i")
    };
    assert_eq!(raise(&world, &nobody, NOW_MS), 0);
}

#[test]
fn a_quiet_alarm_never_waits_to_write_and_a_race_for_it_counts_once() {
    let world = World::new();
    let batch = stuck("x").to_batch(NOW_MS);
    assert!(world.database.execute(&batch).is_ok(1));
    assert!(!world.database.execute(&batch).is_ok(1));
    // Whoever looked at the same time as the first found it loud, and writes all the same.
    let _ = world.database.run(batch.steps()[1].statement.clone());
    assert_eq!(alarms(&world, None)[0].times, 1);
}

#[test]
fn every_kind_is_kept_and_read_back() {
    let world = World::new();
    for kind in AlarmKind::ALL {
        assert!(raise(&world, &Alarm::for_operator(kind, "x"), NOW_MS) > 0);
    }
    let mut kinds: Vec<&str> = alarms(&world, Some(&world.operator))
        .iter()
        .map(|alarm| alarm.kind.as_str())
        .collect();
    let mut expect = AlarmKind::ALL.map(AlarmKind::as_str).to_vec();
    kinds.sort_unstable();
    expect.sort_unstable();
    assert_eq!(kinds, expect);
}

#[test]
fn a_reseller_that_cannot_pay_is_told_why_and_nobody_else() {
    use AlarmKind::{SpendLimit, WalletDry};
    // The customer's own wallet, the reseller's, its spend limit, and what it is told.
    let check = |own: i64, reseller: i64, limit: Option<i64>, told: Option<(AlarmKind, &str)>| {
        let world = World::new();
        world.grant(&world.reseller, reseller);
        let caller = world.caller(&world.reseller, own, Limits::default());
        let set = Statement::new("UPDATE accounts SET spend_limit_day_nanos = ?2 WHERE id = ?1");
        let set = set.bind(world.reseller.as_str()).bind(limit);
        let _ = world.database.run(set);
        let ask = world.ask(&caller, 400);
        let Admission::Refused(refusal, snapshot) = world.admit(&ask) else {
            panic!("admitted");
        };
        let alarm = alarm_of_refusal(&refusal, &snapshot, NOW_MS);
        let heard = alarm.as_ref().map(|alarm| {
            assert!(raise(&world, alarm, NOW_MS) > 0);
            assert_eq!(alarm.account.as_ref(), Some(&world.reseller));
            (alarm.kind, alarm.detail.as_str())
        });
        assert_eq!(heard, told, "{own} {reseller}");
    };
    let dry = "a call below this account could not be paid for: $0.000000399 of its balance of \
               $0.000000399 is free";
    let limited = "a call below this account could not be paid for: its spend limit leaves \
                   $0.000000398";
    check(1_000, 399, None, Some((WalletDry, dry)));
    check(1_000, 399, Some(400), Some((WalletDry, dry)));
    check(1_000, 399, Some(398), Some((SpendLimit, limited)));
    check(1_000, 1_000, Some(398), Some((SpendLimit, limited)));
    // What the customer itself lacks is told to the customer.
    check(399, 1_000, None, None);
}

#[test]
fn an_alarm_goes_when_somebody_saw_it_as_it_is() {
    let world = World::new();
    let _ = raise(&world, &stuck("a"), NOW_MS);
    let before = alarms(&world, None).remove(0);
    // It was written again since it was read.
    let _ = raise(&world, &stuck("b"), NOW_MS + MINUTE_MS);
    world.refused(acknowledge(&before, &world.change()));
    let now = alarms(&world, None).remove(0);
    world.commit(acknowledge(&now, &world.change()));
    assert_eq!(alarms(&world, None), []);
    let read = Statement::new(
        "SELECT action, subject, before, after FROM audit_log ORDER BY id DESC LIMIT 1",
    );
    let row = world.row(read);
    let text = |column| row.get::<String>(column).unwrap();
    assert_eq!(
        (text(0), text(1)),
        ("alarm.seen".to_owned(), world.operator.to_string())
    );
    assert_eq!(text(2), r#"{"times":2,"detail":"b"}"#);
    assert_eq!(text(3), r#"{"kind":"hold_stuck","times":0}"#);
    world.refused(acknowledge(&now, &world.change()));
    // It may come back at once.
    assert!(raise(&world, &stuck("c"), NOW_MS + MINUTE_MS + 1) > 0);
}
