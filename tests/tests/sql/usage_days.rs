//! Calls are counted once in the roll-ups, whatever is still open beside them, and may go afterwards
//! without any sum changing.

use tollgate_core::accounts::Commit;
use tollgate_core::hrana::{Reply, Statement};
use tollgate_core::ids::{AccountId, RequestId};
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::settlement::{Outcome, Resolved};
use tollgate_core::usage::Usage;
use tollgate_core::usage_days::{
    Bite, claim_reconciliation, expire_idempotency_keys, prune_plan, read_bite, roll_up_plan,
};

use crate::world::{Caller, NOW_MS, World};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// Long after every call of these tests.
const LATER_MS: i64 = NOW_MS + 100 * DAY_MS;

/// One call of the caller, so many minutes after noon, that ends with these charges: the caller's
/// first.
pub fn call(world: &World, caller: &Caller, minutes: i64, charges: &[i64]) -> RequestId {
    let ask = open(world, caller, minutes);
    let mut resolution = world.resolution(caller, &ask, 0);
    for (level, charge) in resolution.levels.iter_mut().zip(charges) {
        level.charge = Nanos::new(*charge);
    }
    if charges.is_empty() {
        resolution.outcome = Outcome::NotSent;
    }
    // The provider bills half of what the topmost level pays.
    resolution.cost = Nanos::new(charges.last().unwrap_or(&0) / 2);
    assert_eq!(world.resolve(&resolution), Resolved::Now);
    ask.request
}

/// The same, still open.
pub fn open(world: &World, caller: &Caller, minutes: i64) -> tollgate_core::admission::Ask {
    let mut ask = world.ask(caller, 1_000);
    ask.now_ms = NOW_MS + minutes * MINUTE_MS;
    ask.lease_until_ms = ask.now_ms + 120_000;
    ask.request = RequestId::new(ask.now_ms, world.draw());
    let admission = world.admit(&ask);
    assert!(
        format!("{admission:?}").starts_with("Admitted"),
        "{admission:?}"
    );
    ask
}

/// A true-up as it is booked: above zero it gives back.
pub fn true_up(world: &World, request: RequestId, account: &AccountId, nanos: i64) {
    let mark = "UPDATE requests SET trued_up_at_ms = 1 WHERE id = ?1 AND trued_up_at_ms IS NULL";
    let _ = world.database.run(Statement::new(mark).bind(request.get()));
    let entry = LedgerEntry {
        account: account.clone(),
        kind: EntryKind::TrueUp,
        amount: Nanos::new(nanos),
        reference: format!("true_up:{}:{account}", request.get()),
        reason: "test".to_owned(),
    };
    assert_eq!(world.post(&entry), Posted::Now);
}

fn plan(world: &World, now_ms: i64, most: u32) -> Option<Bite> {
    read_bite(&world.row(roll_up_plan(now_ms, most))).unwrap()
}

fn commits(world: &World, (batch, commit): &Commit) -> bool {
    let reply: Reply = world.database.execute(batch);
    reply.is_ok(*commit)
}

/// Rolls up what can be; how many requests that were.
pub fn roll_up(world: &World, now_ms: i64) -> u64 {
    let mut requests = 0;
    while let Some(bite) = plan(world, now_ms, 3) {
        assert!(commits(world, &bite.roll_up()));
        requests += bite.requests;
    }
    requests
}

/// Lets go what may; how many requests that were.
pub fn prune(world: &World, now_ms: i64, retention_days: i64) -> u64 {
    let mut requests = 0;
    while let Some(plan) = prune_plan(now_ms, retention_days, 3) {
        let Some(bite) = read_bite(&world.row(plan)).unwrap() else {
            break;
        };
        assert!(commits(world, &bite.prune()));
        requests += bite.requests;
    }
    requests
}

/// The roll-ups of an account, one line a row.
fn days(world: &World, account: &AccountId) -> Vec<String> {
    let read = Statement::new(
        "SELECT day || ' ' || model || ': ' || settled || '+' || voided || ' tokens ' || prompt_tokens
           || '/' || completion_tokens || ' charge ' || charge_nanos || ' base ' || base_nanos
           || ' true-up ' || true_up_nanos
         FROM usage_days WHERE account_id = ?1 ORDER BY day, model, key_id",
    );
    let reply = world.database.run(read.bind(account.as_str()));
    let lines = reply.rows(0).iter().map(|row| row.get(0).unwrap());
    lines.collect()
}

/// A customer of the reseller, both with credit.
pub fn two_levels() -> (World, Caller) {
    let world = World::new();
    world.grant(&world.reseller, 1_000_000);
    let caller = world.caller(&world.reseller, 1_000_000, Limits::default());
    (world, caller)
}

#[test]
fn calls_are_added_up_by_day_for_every_account_that_they_charge() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    call(&world, &caller, 1, &[30, 20]);
    call(&world, &caller, 2, &[]);
    let late = 12 * 60;
    call(&world, &caller, late, &[3, 2]);
    assert_eq!(roll_up(&world, LATER_MS), 4);
    let day = NOW_MS / DAY_MS;
    assert_eq!(
        days(&world, &caller.account),
        [
            format!("{day} sim/echo: 2+1 tokens 14/10 charge 330 base 220 true-up 0"),
            format!(
                "{} sim/echo: 1+0 tokens 7/5 charge 3 base 2 true-up 0",
                day + 1
            ),
        ]
    );
    assert_eq!(
        days(&world, &world.reseller),
        [
            format!("{day} sim/echo: 2+1 tokens 14/10 charge 220 base 110 true-up 0"),
            format!(
                "{} sim/echo: 1+0 tokens 7/5 charge 2 base 1 true-up 0",
                day + 1
            ),
        ]
    );
    let callers = Statement::new("SELECT count(*) FROM usage_days WHERE caller_id = ?1");
    let row = world.row(callers.bind(caller.account.as_str()));
    assert_eq!(row.get(0), Ok(4_i64));
}

#[test]
fn what_is_open_waits_and_everything_after_it_waits_too() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    let ask = open(&world, &caller, 1);
    call(&world, &caller, 2, &[30, 20]);
    assert_eq!(roll_up(&world, LATER_MS), 1);
    assert_eq!(roll_up(&world, LATER_MS), 0);
    assert_eq!(
        world.resolve(&world.resolution(&caller, &ask, 7)),
        Resolved::Now
    );
    // A true-up that is still to come holds the mark as well.
    let wait = "INSERT INTO true_ups (request_id, account_id, due_at_ms) VALUES (?1, ?2, 0)";
    let wait = Statement::new(wait)
        .bind(ask.request.get())
        .bind(caller.account.as_str());
    let _ = world.database.run(wait);
    assert_eq!(roll_up(&world, LATER_MS), 0);
    true_up(&world, ask.request, &caller.account, 4);
    true_up(&world, ask.request, &world.reseller, 2);
    world.database.script("DELETE FROM true_ups");
    assert_eq!(roll_up(&world, LATER_MS), 2);
    let day = NOW_MS / DAY_MS;
    // The reseller's 220 and 7 less the 2 that it got back are the customer's base.
    assert_eq!(
        days(&world, &caller.account),
        [format!(
            "{day} sim/echo: 3+0 tokens 21/15 charge 337 base 225 true-up -4"
        )]
    );
    assert_eq!(
        days(&world, &world.reseller),
        [format!(
            "{day} sim/echo: 3+0 tokens 21/15 charge 227 base 117 true-up -2"
        )]
    );
}

#[test]
fn a_call_that_may_still_be_admitted_is_never_passed() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    let ten_minutes = NOW_MS + 10 * MINUTE_MS;
    assert_eq!(roll_up(&world, ten_minutes), 0);
    assert_eq!(roll_up(&world, ten_minutes + 1), 1);
    // A clock that goes back finds nothing.
    assert_eq!(roll_up(&world, NOW_MS - DAY_MS), 0);
}

#[test]
fn a_lost_reply_or_a_second_run_counts_nothing_twice() {
    let (world, caller) = two_levels();
    for minutes in 0..5 {
        call(&world, &caller, minutes, &[300, 200]);
    }
    // Two runs read the same plan; the slower one changes nothing, and neither does a repetition.
    let bite = plan(&world, LATER_MS, 3).unwrap();
    let other = plan(&world, LATER_MS, 5).unwrap();
    assert_eq!((bite.requests, other.requests), (3, 5));
    assert!(commits(&world, &bite.roll_up()));
    assert!(!commits(&world, &bite.roll_up()));
    assert!(!commits(&world, &other.roll_up()));
    assert_eq!(roll_up(&world, LATER_MS), 2);
    let day = NOW_MS / DAY_MS;
    assert_eq!(
        days(&world, &caller.account),
        [format!(
            "{day} sim/echo: 5+0 tokens 35/25 charge 1500 base 1000 true-up 0"
        )]
    );
}

#[test]
fn a_plan_that_grew_old_counts_no_open_call() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    let bite = plan(&world, LATER_MS, 3).unwrap();
    open(&world, &caller, 1);
    assert!(!commits(&world, &bite.roll_up()));
    assert_eq!(days(&world, &caller.account), [] as [String; 0]);
}

#[test]
fn an_absurd_answer_of_a_provider_stops_nobody_s_sums() {
    let (world, caller) = two_levels();
    for minutes in 0..3 {
        let ask = open(&world, &caller, minutes);
        let mut resolution = world.resolution(&caller, &ask, 1);
        resolution.outcome = Outcome::Exact(Usage {
            prompt_tokens: u64::MAX,
            ..Usage::default()
        });
        resolution.cost = Nanos::new(i64::MAX);
        assert_eq!(world.resolve(&resolution), Resolved::Now);
    }
    assert_eq!(roll_up(&world, LATER_MS), 3);
    let day = NOW_MS / DAY_MS;
    assert_eq!(
        days(&world, &world.reseller),
        [format!(
            "{day} sim/echo: 3+0 tokens 3000000000000/0 charge 3 base 3000000000000000 true-up 0"
        )]
    );
}

#[test]
fn old_calls_go_only_when_they_are_counted() {
    let (world, caller) = two_levels();
    for minutes in 0..4 {
        call(&world, &caller, minutes, &[300, 200]);
    }
    call(&world, &caller, 2 * 24 * 60, &[30, 20]);
    let three_days = NOW_MS + 3 * DAY_MS;
    assert_eq!(prune(&world, three_days, 2), 0, "nothing is counted yet");
    assert_eq!(roll_up(&world, three_days), 5);
    let before = days(&world, &caller.account);
    assert_eq!(prune(&world, three_days, 0), 0, "zero days keep for ever");
    assert_eq!(prune(&world, three_days, i64::MAX), 0);
    assert_eq!(prune(&world, three_days, 2), 4);
    assert_eq!(prune(&world, three_days, 2), 0);
    assert_eq!(days(&world, &caller.account), before);
    let left = Statement::new("SELECT count(*) FROM requests");
    assert_eq!(world.row(left).get(0), Ok(1_i64));
    let mark = Statement::new("SELECT pruned_to_id FROM usage_marks");
    let expect = RequestId::first_at(NOW_MS + DAY_MS).get();
    assert_eq!(world.row(mark).get(0), Ok(expect));
}

#[test]
fn the_database_refuses_to_lose_a_call_that_is_not_counted() {
    let (world, caller) = two_levels();
    let request = call(&world, &caller, 0, &[300, 200]);
    let delete = Statement::new("DELETE FROM requests WHERE id = ?1").bind(request.get());
    let mut batch = tollgate_core::hrana::Batch::new();
    let step = batch.step(None, delete);
    assert!(!world.database.execute(&batch).is_ok(step));
    assert_eq!(roll_up(&world, LATER_MS), 1);
    assert!(world.database.execute(&batch).is_ok(step));
}

#[test]
fn idempotency_keys_are_kept_for_a_day() {
    let world = World::new();
    for (name, age_ms) in [("old", DAY_MS + 1), ("older", 2 * DAY_MS), ("kept", DAY_MS)] {
        let insert = Statement::new(
            "INSERT INTO idempotency_keys VALUES ('acc_a', ?1, zeroblob(32), 1, ?2)",
        );
        let _ = world.database.run(insert.bind(name).bind(NOW_MS - age_ms));
    }
    let expire = |most| {
        let reply = world.database.run(expire_idempotency_keys(NOW_MS, most));
        reply.rows(0).len()
    };
    assert_eq!((expire(1), expire(10), expire(10)), (1, 1, 0));
    let left = Statement::new("SELECT idempotency_key FROM idempotency_keys");
    assert_eq!(world.row(left).get(0), Ok("kept".to_owned()));
}

#[test]
fn the_daily_work_is_claimed_once_a_day_however_late() {
    let world = World::new();
    let claims = |now_ms| {
        let reply = world.database.run(claim_reconciliation(now_ms));
        reply.rows(0).len()
    };
    assert_eq!((claims(NOW_MS), claims(NOW_MS)), (1, 0));
    assert_eq!(claims(NOW_MS + 3 * DAY_MS), 1);
    assert_eq!(claims(NOW_MS + 2 * DAY_MS), 0);
}
