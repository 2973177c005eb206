//! A statement adds up: what there was, what came and went, what there is; in every month, at every
//! moment between call and roll-up, for customers and for those who sell to them.

use tollgate_core::accounts::View;
use tollgate_core::calendar::Periods;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::month_statement::{MonthQuery, MonthStatement, StatementEvent};

use crate::spending::explain;
use crate::usage_days::{call, open, roll_up, two_levels};
use crate::world::{NOW_MS, World};

const DAY_MS: i64 = 86_400_000;
const DAY_MINUTES: i64 = 24 * 60;

fn november() -> i64 {
    Periods::of(NOW_MS).month
}

fn read(
    world: &World,
    (account, by): (&AccountId, &AccountId),
    month: i64,
) -> Option<MonthStatement> {
    let query = MonthQuery::new(month).unwrap();
    let reply = world.database.run(query.statement(View { account, by }));
    query.read(reply.rows(0)).unwrap()
}

fn own(world: &World, account: &AccountId, month: i64) -> MonthStatement {
    let statement = read(world, (account, account), month).expect("an account");
    let mut balance = statement.opening;
    for line in &statement.lines {
        balance = balance.plus(line.amount).unwrap();
        assert_eq!(line.balance, balance, "{statement:?}");
    }
    assert_eq!(balance, statement.closing, "{statement:?}");
    statement
}

/// The lines in short, with the day of November.
fn lines(statement: &MonthStatement) -> Vec<(i64, String, i64)> {
    let first = NOW_MS / DAY_MS - 21;
    let line = |line: &tollgate_core::month_statement::StatementLine| {
        let word = match &line.event {
            StatementEvent::Entry { kind, .. } => kind.clone(),
            StatementEvent::MoreEntries => "more".to_owned(),
            StatementEvent::Usage { calls } => format!("{calls} calls"),
            StatementEvent::TrueUps { calls } => format!("{calls} true-ups"),
        };
        (
            line.at_ms.div_euclid(DAY_MS) - first + 1,
            word,
            line.amount.get(),
        )
    };
    statement.lines.iter().map(line).collect()
}

fn post(world: &World, account: &AccountId, (kind, amount, at_ms): (EntryKind, i64, i64)) {
    let entry = LedgerEntry {
        account: account.clone(),
        kind,
        amount: Nanos::new(amount),
        reference: format!("true_up:1:{}", world.draw()),
        reason: "test".to_owned(),
    };
    let mut change = world.change();
    change.at_ms = at_ms;
    let post = entry.to_batch(&change);
    let posted = post.read(&world.database.execute(&post.batch)).unwrap();
    assert_eq!(posted, Posted::Now);
}

#[test]
fn every_month_adds_up_and_begins_where_the_one_before_ended() {
    let (world, caller) = two_levels();
    let account = &caller.account;
    call(&world, &caller, 0, &[300, 200]);
    call(&world, &caller, 1, &[]);
    call(&world, &caller, DAY_MINUTES, &[30, 20]);
    post(
        &world,
        account,
        (EntryKind::Purchase, 5_000, NOW_MS + DAY_MS),
    );
    post(
        &world,
        account,
        (EntryKind::TrueUp, 40, NOW_MS + DAY_MS + 1),
    );
    post(
        &world,
        account,
        (EntryKind::TrueUp, -10, NOW_MS + DAY_MS + 2),
    );
    // The first moment of December.
    let december_ms = (NOW_MS / DAY_MS + 9) * DAY_MS;
    post(&world, account, (EntryKind::Refund, -700, december_ms));
    call(&world, &caller, 9 * DAY_MINUTES, &[7, 5]);
    let held = open(&world, &caller, 9 * DAY_MINUTES + 5);
    for (days, rolled) in [(0, 0), (2, 3), (30, 1)] {
        assert_eq!(roll_up(&world, NOW_MS + days * DAY_MS), rolled);
        let before = own(&world, account, november() - 1);
        assert_eq!((before.opening.get(), before.closing.get()), (0, 0));
        assert_eq!(before.lines, []);
        let statement = own(&world, account, november());
        let expect = [
            (22, "grant", 1_000_000),
            (22, "2 calls", -300),
            (23, "purchase", 5_000),
            (23, "1 calls", -30),
            (23, "2 true-ups", 30),
        ];
        let expect = expect.map(|(day, word, amount)| (day, word.to_owned(), amount));
        assert_eq!(lines(&statement), expect);
        assert_eq!(
            (statement.opening.get(), statement.closing.get()),
            (0, 1_004_700)
        );
        let after = own(&world, account, november() + 1);
        let expect = [(31, "refund", -700), (31, "1 calls", -7)];
        let expect = expect.map(|(day, word, amount)| (day, word.to_owned(), amount));
        assert_eq!(lines(&after), expect);
        assert_eq!(after.opening, statement.closing);
        let (balance, held, debt, _) = world.wallet(account);
        assert_eq!((after.closing.get(), held), (balance - debt, 1_000));
        assert_eq!(own(&world, account, november() + 2).opening, after.closing);
    }
    drop(held);
}

#[test]
fn debt_counts_as_below_zero() {
    let (world, caller) = two_levels();
    post(
        &world,
        &caller.account,
        (EntryKind::Dispute, -1_500_000, NOW_MS + 1),
    );
    let statement = own(&world, &caller.account, november());
    assert_eq!(statement.closing.get(), -500_000);
    assert_eq!(statement.lines[1].balance.get(), -500_000);
}

#[test]
fn a_seller_s_statement_has_its_customers_calls_rolled_up_or_not() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    let own_call = tollgate_core::limits::Limits::default();
    let neighbour = world.caller(&world.operator, 1_000_000, own_call);
    call(&world, &neighbour, 0, &[70]);
    for rolled in [0, 2] {
        assert_eq!(
            roll_up(&world, NOW_MS + i64::try_from(rolled).unwrap() * DAY_MS),
            rolled
        );
        let statement = own(&world, &world.reseller, november());
        let expect = [(22, "grant", 1_000_000), (22, "1 calls", -200)];
        let expect = expect.map(|(day, word, amount)| (day, word.to_owned(), amount));
        assert_eq!(lines(&statement), expect);
        assert_eq!(
            (statement.opening.get(), statement.closing.get()),
            (0, 999_800)
        );
    }
}

#[test]
fn entries_without_end_are_one_line() {
    let (world, caller) = two_levels();
    let many = "WITH d(x) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)),
        n(x) AS (SELECT a.x + 10 * b.x + 100 * c.x FROM d a, d b, d c)
        INSERT INTO ledger_entries (account_id, kind, amount_nanos, reference, reason, created_at_ms)
        SELECT ?1, 'grant', 2, 'many:' || x, '', ?2 FROM n";
    let _ = world.database.run(
        Statement::new(many)
            .bind(caller.account.as_str())
            .bind(NOW_MS),
    );
    let raise = "UPDATE accounts SET balance_nanos = balance_nanos + 2000 WHERE id = ?1";
    let _ = world
        .database
        .run(Statement::new(raise).bind(caller.account.as_str()));
    let statement = own(&world, &caller.account, november());
    assert_eq!((statement.lines.len(), statement.opening.get()), (1_001, 0));
    let last = statement.lines.last().unwrap();
    assert_eq!(
        (&last.event, last.amount.get()),
        (&StatementEvent::MoreEntries, 2)
    );
}

#[test]
fn only_the_account_its_seller_and_the_operator_read_it() {
    let (world, caller) = two_levels();
    let neighbour = world.caller(&world.reseller, 10, Limits::default());
    let stranger = world.new_reseller(10, 0);
    let check = |account: &AccountId, by: &AccountId, expect: bool| {
        let statement = read(&world, (account, by), november());
        assert_eq!(statement.is_some(), expect, "{account} {by}");
    };
    check(&caller.account, &caller.account, true);
    check(&caller.account, &world.reseller, true);
    check(&caller.account, &world.operator, true);
    check(&caller.account, &neighbour.account, false);
    check(&caller.account, &stranger, false);
    check(&world.reseller, &caller.account, false);
    check(&world.reseller, &stranger, false);
    check(&AccountId::from_random([88; 10]), &world.operator, false);
}

#[test]
fn a_customer_s_statement_reads_no_other_s_calls() {
    let (world, caller) = two_levels();
    let neighbour = world.caller(&world.reseller, 1_000_000, Limits::default());
    for minutes in 0..200 {
        call(&world, &neighbour, minutes, &[30, 20]);
    }
    call(&world, &caller, 0, &[300, 200]);
    let query = MonthQuery::new(november()).unwrap();
    let statement = query.statement(View::own(&caller.account));
    let reply = world.database.run(statement.clone());
    assert!(reply.rows_read < 80, "{}", reply.rows_read);
    let plan = explain(&world, statement);
    assert!(
        plan.contains("requests_by_account (account_id=? AND id>?)"),
        "{plan}"
    );
    assert!(
        plan.contains("ledger_entries_by_account (account_id=?)"),
        "{plan}"
    );
}

#[test]
fn a_statement_is_a_file_too() {
    let (world, caller) = two_levels();
    call(&world, &caller, 0, &[300, 200]);
    let statement = own(&world, &caller.account, november());
    assert_eq!(statement.month_text(), "2026-11");
    let StatementEvent::Entry { reference, .. } = &statement.lines[0].event else {
        panic!("a grant");
    };
    assert_eq!(
        statement.to_csv(),
        format!(
            "time,event,reference,reason,amount_usd,balance_usd\r\n\
             ,opening,,,,0\r\n\
             2026-11-22T12:00:00Z,grant,{reference},test,0.001,0.001\r\n\
             2026-11-22T23:59:59.999Z,usage,,,-0.0000003,0.0009997\r\n\
             ,closing,,,,0.0009997\r\n"
        )
    );
    assert_eq!(MonthQuery::new(i64::MAX), None);
    assert_eq!(MonthQuery::new(i64::MIN), None);
}
