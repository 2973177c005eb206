//! A call that was settled by an estimate ends at what the provider recorded, once, at every level,
//! and no wallet goes below zero for it.

use tollgate_core::hrana::{Batch, Row, Statement};
use tollgate_core::ids::{AccountId, RequestId};
use tollgate_core::inquiry::{Generation, generation_statement, read_generation_row};
use tollgate_core::ledger::{EntryKind, LedgerEntry};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::settlement::{Outcome, Progress, Resolved, renew_lease_statement};
use tollgate_core::stored_call::StoredCall;
use tollgate_core::sweep::{overdue_statement, read_overdue};
use tollgate_core::true_up::{
    DueTrueUp, Next, TruedUp, due_statement, read_due, read_due_call, true_up_reference,
};
use tollgate_core::usage::Usage;

use crate::sweep::{priced_world, record};
use crate::world::{Caller, NOW_MS, World};

const LATER_MS: i64 = NOW_MS + 600_000;

/// A caller below the reseller with this credit; the reseller has a million. Both levels pay 10 %
/// more than the level above.
fn two_levels(credit: i64) -> (World, Caller) {
    let world = priced_world();
    world.grant(&world.reseller, 1_000_000);
    let caller = world.caller(&world.reseller, credit, Limits::default());
    (world, caller)
}

/// Takes a hold of `hold` nanos at every level and settles it as an estimate of ten tokens of prompt
/// and `completion` of answer.
fn estimated(world: &World, caller: &Caller, hold: i64, completion: u64) -> RequestId {
    // A new rule makes what was asked before it stale.
    let rules = [&world.reseller, &world.operator].map(|owner| world.rule(owner));
    let mut ask = world.ask(caller, hold);
    for (level, rule) in ask.levels.iter_mut().zip(rules) {
        level.rule = rule;
    }
    let _ = world.admit(&ask);
    let progress = Progress {
        provider_id: Some("gen-1".to_owned()),
        tokens: 0,
    };
    let keep = renew_lease_statement((ask.request, &caller.account), NOW_MS, &progress);
    let _ = world.database.run(keep);
    let read = overdue_statement(
        LATER_MS,
        0,
        (RequestId::from_stored(ask.request.get() - 1), 1),
    );
    let found = read_overdue(&world.row(read)).unwrap();
    let usage = Usage {
        prompt_tokens: 10,
        completion_tokens: completion,
        ..Usage::default()
    };
    let resolution = found.resolution(Outcome::AtLeast(usage), LATER_MS - 5_000);
    // What is settled by an estimate is due five seconds later.
    assert_eq!(world.resolve(&resolution), Resolved::Now);
    ask.request
}

/// Queues a call's true-up, as its settlement does.
fn queue(world: &World, request: RequestId, account: &AccountId) {
    let queue = Statement::new(
        "INSERT INTO true_ups (request_id, account_id, due_at_ms) VALUES (?1, ?2, ?3)",
    );
    let _ = world.database.run(
        queue
            .bind(request.get())
            .bind(account.as_str())
            .bind(LATER_MS),
    );
}

fn due_rows(world: &World, now_ms: i64) -> Vec<Row> {
    world
        .database
        .run(due_statement(now_ms, 10))
        .rows(0)
        .to_vec()
}

fn due(world: &World) -> (DueTrueUp, StoredCall) {
    let row = due_rows(world, LATER_MS).remove(0);
    (read_due(&row).unwrap(), read_due_call(&row).unwrap())
}

/// Posts what the record changes.
fn post(world: &World, call: &StoredCall, body: &[u8]) -> TruedUp {
    let batch = call
        .correction(call.recorded(body).unwrap())
        .to_batch(LATER_MS);
    let reply = world.database.execute(&batch.batch);
    batch.read(&reply).unwrap()
}

fn posted(untaken: i64) -> TruedUp {
    TruedUp::Now {
        untaken: Nanos::new(untaken),
    }
}

/// What the true-up of a call entered into an account's ledger.
fn entry(world: &World, request: RequestId, account: &AccountId) -> i64 {
    let read = Statement::new(
        "SELECT coalesce(sum(amount_nanos), 0) FROM ledger_entries WHERE reference = ?1
           AND account_id = ?2 AND kind = 'true_up'",
    );
    let read = read.bind(true_up_reference(request, account));
    world.row(read.bind(account.as_str())).get(0).unwrap()
}

/// What was entered is what moved, and nothing is below zero.
fn assert_sums(world: &World, account: &AccountId) {
    let (balance, held, debt, charged) = world.wallet(account);
    let read = Statement::new(
        "SELECT coalesce(sum(amount_nanos), 0) FROM ledger_entries WHERE account_id = ?1",
    );
    let entered: i64 = world.row(read.bind(account.as_str())).get(0).unwrap();
    assert_eq!(balance - debt, entered - charged);
    assert!(0 <= held && held <= balance && debt >= 0);
}

#[test]
fn a_call_ends_at_what_the_provider_recorded_at_every_level() {
    // The estimate is ten tokens and ten: 22 for the reseller and 25 for the caller.
    let check = |body: &[u8], caller_pays: i64, reseller_pays: i64, outcome: &str| {
        let (world, caller) = two_levels(1_000);
        let request = estimated(&world, &caller, 100, 10);
        assert_eq!(world.wallet(&caller.account), (975, 0, 0, 25));
        let (_, call) = due(&world);
        assert_eq!(post(&world, &call, body), posted(0));
        // What was charged at settlement stays; the ledger has the difference.
        assert_eq!(
            world.wallet(&caller.account),
            (1_000 - caller_pays, 0, 0, 25)
        );
        let reseller = (1_000_000 - reseller_pays, 0, 0, 22);
        assert_eq!(world.wallet(&world.reseller), reseller);
        assert_eq!(entry(&world, request, &caller.account), 25 - caller_pays);
        assert_eq!(entry(&world, request, &world.reseller), 22 - reseller_pays);
        assert_sums(&world, &caller.account);
        assert_sums(&world, &world.reseller);
        let read =
            Statement::new("SELECT outcome, trued_up_at_ms, state FROM requests WHERE id = ?1");
        let row = world.row(read.bind(request.get()));
        assert_eq!(row.get(0), Ok(outcome.to_owned()));
        assert_eq!(row.get(1), Ok(LATER_MS));
        assert_eq!(row.get(2), Ok("settled".to_owned()));
        assert_eq!(due_rows(&world, i64::MAX), []);
    };
    check(&record(10, 10, "0.00000002"), 25, 22, "exact");
    check(&record(7, 5, "0.000000012"), 16, 14, "exact");
    check(&record(7, 40, "0.000000047"), 58, 52, "exact");
    // Beyond the hold nothing is taken.
    check(&record(7, 500, "0.000000507"), 100, 100, "exact");
    // The provider did not bill it.
    check(&record(7, 0, "0"), 0, 0, "not_sent");
}

#[test]
fn the_usage_log_keeps_what_was_recorded_and_what_was_lost() {
    let (world, caller) = two_levels(1_000);
    let request = estimated(&world, &caller, 100, 10);
    let (_, call) = due(&world);
    let _ = post(&world, &call, &record(7, 500, "0.0000006"));
    let read = Statement::new(
        "SELECT prompt_tokens, completion_tokens, cost_nanos, reported_cost_nanos, shortfall_nanos
         FROM requests WHERE id = ?1",
    );
    let row = world.row(read.bind(request.get()));
    let numbers: Vec<i64> = (0..5).map(|column| row.get(column).unwrap()).collect();
    // 507 marked up twice is 614, of which the hold covers 100.
    assert_eq!(numbers, [7, 500, 507, 600, 514]);
}

#[test]
fn no_more_is_taken_than_is_free() {
    // The estimate charged 25 and the record says 58: 33 are owed.
    let check = |credit: i64, other_hold: i64, taken: i64| {
        let (world, caller) = two_levels(credit);
        let request = estimated(&world, &caller, 100, 10);
        if other_hold > 0 {
            let _ = world.admit(&world.ask(&caller, other_hold));
        }
        let (balance, held, ..) = world.wallet(&caller.account);
        let (_, call) = due(&world);
        let body = record(7, 40, "0.000000047");
        assert_eq!(post(&world, &call, &body), posted(33 - taken));
        assert_eq!(
            world.wallet(&caller.account),
            (balance - taken, held, 0, 25),
            "{credit} {other_hold}"
        );
        assert_eq!(entry(&world, request, &caller.account), -taken);
        assert_sums(&world, &caller.account);
        // The reseller pays its own part in full.
        assert_eq!(entry(&world, request, &world.reseller), 22 - 52);
        let read = Statement::new("SELECT shortfall_nanos FROM requests WHERE id = ?1");
        assert_eq!(world.row(read.bind(request.get())).get(0), Ok(33 - taken));
    };
    check(1_000, 0, 33);
    check(1_000, 942, 33);
    check(1_000, 943, 32);
    check(1_000, 975, 0);
    check(100, 75, 0);
    check(100, 74, 1);
}

#[test]
fn what_is_given_back_repays_debt_first() {
    let check = |debt: i64, expect: (i64, i64, i64, i64)| {
        let (world, caller) = two_levels(1_000);
        let request = estimated(&world, &caller, 100, 10);
        let dispute = LedgerEntry {
            account: caller.account.clone(),
            kind: EntryKind::Dispute,
            amount: Nanos::new(-975 - debt),
            reference: "dispute:a".to_owned(),
            reason: "test".to_owned(),
        };
        world.post(&dispute);
        assert_eq!(world.wallet(&caller.account), (0, 0, debt, 25));
        let (_, call) = due(&world);
        // Nine are given back.
        assert_eq!(post(&world, &call, &record(7, 5, "0.000000012")), posted(0));
        assert_eq!(world.wallet(&caller.account), expect, "{debt}");
        assert_eq!(entry(&world, request, &caller.account), 9);
        assert_sums(&world, &caller.account);
    };
    check(0, (9, 0, 0, 25));
    check(4, (5, 0, 0, 25));
    check(9, (0, 0, 0, 25));
    check(30, (0, 0, 21, 25));
}

#[test]
fn a_debtor_s_debt_does_not_grow() {
    let (world, caller) = two_levels(1_000);
    let request = estimated(&world, &caller, 100, 10);
    let dispute = LedgerEntry {
        account: caller.account.clone(),
        kind: EntryKind::Dispute,
        amount: Nanos::new(-1_000),
        reference: "dispute:a".to_owned(),
        reason: "test".to_owned(),
    };
    world.post(&dispute);
    let (_, call) = due(&world);
    let body = record(7, 40, "0.000000047");
    assert_eq!(post(&world, &call, &body), posted(33));
    assert_eq!(world.wallet(&caller.account), (0, 0, 25, 25));
    assert_eq!(entry(&world, request, &caller.account), 0);
    assert_sums(&world, &caller.account);
}

#[test]
fn a_lost_reply_and_eight_at_once_post_one_correction() {
    for completion in [5, 40] {
        let (world, caller) = two_levels(1_000);
        let request = estimated(&world, &caller, 100, 10);
        let (_, call) = due(&world);
        let body = record(7, completion, "0.00001");
        let won: usize = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            match post(&world, &call, &body) {
                                TruedUp::Now { .. } => break 1,
                                TruedUp::Before => break 0,
                                TruedUp::Contended => {}
                            }
                        }
                    })
                })
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
        let wallet = world.wallet(&caller.account);
        let paid = if completion == 5 { 16 } else { 58 };
        assert_eq!(wallet, (1_000 - paid, 0, 0, 25));
        // Whatever comes later, with another record or queued once more, changes nothing.
        assert_eq!(
            post(&world, &call, &record(7, 9, "0.00001")),
            TruedUp::Before
        );
        queue(&world, request, &caller.account);
        assert_eq!(
            post(&world, &call, &record(7, 9, "0.00001")),
            TruedUp::Contended
        );
        assert_eq!(world.wallet(&caller.account), wallet);
        let row = due_rows(&world, LATER_MS).remove(0);
        assert!(read_due(&row).is_ok() && read_due_call(&row).is_err());
    }
}

#[test]
fn a_request_that_was_trued_up_never_changes_again() {
    let (world, caller) = two_levels(1_000);
    estimated(&world, &caller, 100, 10);
    let (_, call) = due(&world);
    assert_eq!(post(&world, &call, &record(7, 5, "0.00001")), posted(0));
    let mut batch = Batch::new();
    let again = batch.step(
        None,
        Statement::new("UPDATE requests SET trued_up_at_ms = 1"),
    );
    assert!(!world.database.execute(&batch).is_ok(again));
}

#[test]
fn a_record_that_is_late_is_asked_for_again_and_then_given_up() {
    let (world, caller) = two_levels(1_000);
    estimated(&world, &caller, 100, 10);
    let run = |statement: &Statement| {
        let _ = world.database.run(statement.clone());
    };
    let mut now_ms = LATER_MS;
    for pause_ms in [30_000, 120_000, 600_000, 1_800_000] {
        assert_eq!(due_rows(&world, now_ms - 1), []);
        let due = read_due(&due_rows(&world, now_ms).remove(0)).unwrap();
        assert!(!due.is_last());
        let Next::Later(later) = due.next(now_ms) else {
            panic!("given up too early");
        };
        // Two crons that asked at the same time put it off once.
        run(&later);
        run(&later);
        now_ms += pause_ms;
    }
    let due = read_due(&due_rows(&world, now_ms).remove(0)).unwrap();
    assert!(due.is_last());
    let Next::GiveUp(give_up) = due.next(now_ms) else {
        panic!("asked too often");
    };
    let call = read_due_call(&due_rows(&world, now_ms).remove(0)).unwrap();
    run(&give_up);
    assert_eq!(due_rows(&world, i64::MAX), []);
    // A record that somebody else still had on its way comes too late.
    let body = record(7, 5, "0.000000012");
    assert_eq!(post(&world, &call, &body), TruedUp::Before);
    assert_eq!(world.wallet(&caller.account), (975, 0, 0, 25));
}

#[test]
fn whoever_gives_up_late_does_not_take_away_a_new_try() {
    let (world, caller) = two_levels(1_000);
    let request = estimated(&world, &caller, 100, 10);
    let attempts = |count: i64| {
        let set = Statement::new("UPDATE true_ups SET attempts = ?1");
        let _ = world.database.run(set.bind(count));
    };
    attempts(4);
    let due = read_due(&due_rows(&world, LATER_MS).remove(0)).unwrap();
    attempts(0);
    let Next::GiveUp(give_up) = due.next(LATER_MS) else {
        panic!("the last try was not the last");
    };
    let _ = world.database.run(give_up);
    assert_eq!(due_rows(&world, LATER_MS).len(), 1);
    // What is not there to be corrected leaves the queue by its place in it.
    let nowhere = RequestId::from_stored(request.get() - 1);
    queue(&world, nowhere, &caller.account);
    let row = due_rows(&world, LATER_MS).remove(0);
    assert_eq!(read_due(&row).unwrap().request, nowhere);
    assert!(read_due_call(&row).is_err());
}

#[test]
fn the_caller_reads_the_final_figures() {
    let check = |body: Option<&[u8]>, expect: &[&str]| {
        let (world, caller) = two_levels(1_000);
        let request = estimated(&world, &caller, 100, 10);
        if let Some(body) = body {
            let (_, call) = due(&world);
            let _ = post(&world, &call, body);
        }
        let row = world.row(generation_statement(request, &caller.key.hash()));
        let Ok(Generation::Ended(told)) = read_generation_row(request, &row) else {
            panic!("the call has ended");
        };
        for part in expect {
            assert!(told.contains(part), "{part} is not in {told}");
        }
    };
    let estimate = [
        r#""total_cost":0.000000025"#,
        r#""tokens_completion":10"#,
        r#""estimated":true,"trued_up_at":null"#,
    ];
    check(None, &estimate);
    let less = [
        r#""total_cost":0.000000016,"usage":0.000000016"#,
        r#""tokens_prompt":7,"tokens_completion":5"#,
        r#""estimated":false,"trued_up_at":"2026-11-22T12:10:00Z""#,
    ];
    check(Some(&record(7, 5, "0.000000012")), &less);
    let more = [r#""total_cost":0.000000058"#, r#""tokens_completion":40"#];
    check(Some(&record(7, 40, "0.000000047")), &more);
    let nothing = [
        r#""total_cost":0,"#,
        r#""tokens_completion":null"#,
        r#""estimated":false"#,
    ];
    check(Some(&record(7, 0, "0")), &nothing);
}
