//! What a seller earns by day, model and customer, and that it is nobody else's to see.

use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::selling::{
    Days, Earnings, ExportLine, Revenue, export_statement, read_export_line, revenue_batch,
};

use crate::world::{NOW_MS, World};

const TODAY: i64 = NOW_MS / 86_400_000;

/// Adds two calls of a day: what the account was charged, what its parent was, and a true-up.
fn used(
    world: &World,
    account: &AccountId,
    (day, model): (i64, &str),
    (charge, base, true_up): (i64, i64, i64),
) {
    let row = Statement::new(
        "INSERT INTO usage_days (account_id, day, key_id, model, caller_id, settled, voided, \
         prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens, \
         charge_nanos, base_nanos, true_up_nanos) \
         VALUES (?1, ?2, ?3, ?4, ?1, 2, 1, 10, 0, 0, 20, 0, ?5, ?6, ?7)",
    )
    .bind(account.as_str())
    .bind(day)
    .bind(format!("key_{}", world.draw()))
    .bind(model)
    .bind(charge)
    .bind(base)
    .bind(true_up);
    let _ = world.database.run(row);
}

fn revenue(world: &World, seller: &AccountId, days: Days) -> Revenue {
    let read = revenue_batch(seller, days);
    read.read(&world.database.execute(&read.batch)).unwrap()
}

fn short(earnings: &Earnings) -> (u64, i64, i64, i64) {
    let amounts = [earnings.charges, earnings.cost, earnings.margin()];
    let [charges, cost, margin] = amounts.map(Nanos::get);
    (earnings.calls, charges, cost, margin)
}

fn exported(world: &World, seller: &AccountId, days: Days) -> Vec<ExportLine> {
    let mut lines: Vec<ExportLine> = Vec::new();
    loop {
        let reply = world
            .database
            .run(export_statement(seller, days, (lines.last(), 2)));
        if reply.rows(0).is_empty() {
            return lines;
        }
        let page = reply.rows(0).iter().map(read_export_line);
        lines.extend(page.map(Result::unwrap));
    }
}

#[test]
fn a_seller_sees_charges_cost_and_margin_by_day_model_and_customer() {
    let world = World::new();
    let seller = &world.reseller;
    let one = world.caller(seller, 0, Limits::default()).account;
    let two = world.caller(seller, 0, Limits::default()).account;
    used(&world, &one, (TODAY, "a/b"), (100, 60, 0));
    used(&world, &one, (TODAY, "a/b"), (100, 60, -10));
    used(&world, &one, (TODAY - 1, "c/d"), (50, 70, 0));
    used(&world, &two, (TODAY - 1, "a/b"), (1_000, 1, 0));
    used(&world, &two, (TODAY - 2, "a/b"), (9, 9, 9));
    let read = revenue(&world, seller, Days::new(TODAY - 2, TODAY).unwrap());
    assert_eq!(short(&read.total), (10, 1_258, 200, 1_058));
    assert_eq!(
        (read.total.prompt_tokens, read.total.completion_tokens),
        (50, 100)
    );
    let days: Vec<_> = read
        .days
        .iter()
        .map(|(day, sums)| (*day, short(sums)))
        .collect();
    assert_eq!(
        days,
        [
            (TODAY - 2, (2, 18, 9, 9)),
            (TODAY - 1, (4, 1_050, 71, 979)),
            (TODAY, (4, 190, 120, 70)),
        ]
    );
    let models: Vec<_> = read
        .models
        .iter()
        .map(|(slug, sums)| (slug.as_str(), short(sums)))
        .collect();
    assert_eq!(
        models,
        [("a/b", (8, 1_208, 130, 1_078)), ("c/d", (2, 50, 70, -20))]
    );
    let customers: Vec<_> = read
        .customers
        .iter()
        .map(|line| (&line.id, short(&line.earnings)))
        .collect();
    assert_eq!(
        customers,
        [(&two, (4, 1_018, 10, 1_008)), (&one, (6, 240, 190, 50))]
    );
    let parts: i64 = read.parts.iter().map(|part| part.charges.get()).sum();
    assert_eq!((parts, read.parts.len()), (1_258, 4));
    assert!(read.parts.iter().any(|part| {
        (part.day, part.model.as_deref(), part.charges.get()) == (TODAY - 1, Some("c/d"), 50)
    }));
    // More models than have a colour are one part of each day.
    for number in 0..7 {
        used(
            &world,
            &one,
            (TODAY, &format!("m{number}")),
            (100_000 + number, 0, 0),
        );
    }
    let many = revenue(&world, seller, Days::new(TODAY, TODAY).unwrap());
    let rest: Vec<i64> = many
        .parts
        .iter()
        .filter(|it| it.model.is_none())
        .map(|it| it.charges.get())
        .collect();
    assert_eq!(rest, [100_000 + 190]);
    // A day without calls is there, with nothing.
    let quiet = revenue(&world, seller, Days::new(TODAY + 1, TODAY + 1).unwrap());
    assert_eq!(quiet.days, [(TODAY + 1, Earnings::default())]);
}

#[test]
fn an_export_has_every_row_once_whatever_the_page() {
    let world = World::new();
    let seller = &world.reseller;
    let customers = [0, 0, 0].map(|credit| world.caller(seller, credit, Limits::default()).account);
    for (number, account) in (1..).zip(&customers) {
        for day in [TODAY, TODAY - 1] {
            used(&world, account, (day, "a/b"), (number * 10, number, 0));
            used(&world, account, (day, "a/b"), (number, 0, 0));
            used(&world, account, (day, "c/d"), (number, 0, 0));
        }
    }
    let days = Days::new(TODAY - 1, TODAY).unwrap();
    let lines = exported(&world, seller, days);
    assert_eq!(lines.len(), 12);
    let total: i64 = lines.iter().map(|line| line.earnings.charges.get()).sum();
    assert_eq!(total, revenue(&world, seller, days).total.charges.get());
    let sorted =
        lines.is_sorted_by_key(|line| (line.day, line.customer.clone(), line.model.clone()));
    assert!(sorted);
}

#[test]
fn nobody_sees_the_revenue_of_another_seller() {
    let world = World::new();
    let other = world.new_reseller(0, 0);
    let theirs = world.caller(&other, 0, Limits::default()).account;
    used(&world, &theirs, (TODAY, "a/b"), (100, 60, 0));
    used(&world, &other, (TODAY, "a/b"), (60, 50, 0));
    let days = Days::until_today(NOW_MS, 30);
    for outsider in [&world.reseller, &theirs] {
        let read = revenue(&world, outsider, days);
        assert_eq!(read.total, Earnings::default());
        assert_eq!((read.models.len(), read.customers.len()), (0, 0));
        assert_eq!(read.parts, []);
        assert_eq!(exported(&world, outsider, days), []);
    }
    // The operator sees what the reseller pays, and not what the reseller takes.
    let above = revenue(&world, &world.operator, days);
    assert_eq!(short(&above.total), (2, 60, 50, 10));
}
