//! What an account sees of its purchases, page by page, and never another account's.

use tollgate_core::ids::{AccountId, OrderId};
use tollgate_core::ledger::{read_statement_line, statement_page};
use tollgate_core::orders::{
    Order, order_refunds_statement, order_statement, orders_statement, read_order,
    read_refund_line, refunds_statement, session_order_statement,
};

use super::desk::{Desk, id};

fn orders(desk: &Desk, account: &AccountId, after: Option<&Order>) -> Vec<Order> {
    let after = after.map(|order| (order.created_at_ms, &order.id));
    let reply = desk.database.run(orders_statement(account, after, 2));
    let rows = reply.rows(0).iter();
    rows.map(|row| read_order(row).unwrap()).collect()
}

#[test]
fn every_order_is_on_exactly_one_page() {
    let mut desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let stranger = desk.customer(&desk.operator);
    let mut made: Vec<OrderId> = Vec::new();
    // Three of them in the same millisecond.
    for later in [0, 1, 1, 1, 2] {
        desk.now_ms += later;
        made.push(desk.order(&customer, 500).id);
        desk.order(&stranger, 500);
    }
    let mut seen = Vec::new();
    let mut after: Option<Order> = None;
    loop {
        let page = orders(&desk, &customer, after.as_ref());
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.clone());
        seen.extend(
            page.into_iter()
                .map(|order| (order.created_at_ms, order.id)),
        );
    }
    assert!(seen.is_sorted_by(|one, other| one > other));
    let mut seen: Vec<_> = seen.into_iter().map(|(_, id)| id).collect();
    seen.sort();
    made.sort();
    assert_eq!(seen, made);
}

#[test]
fn refunds_and_the_statement_tell_what_moved() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    for (number, cents) in [100, 200].into_iter().enumerate() {
        let name = format!("r{number}");
        let _ = desk.say(
            &format!("evt_{name}"),
            paid.refund(&name, ("succeeded", cents)),
        );
    }
    let reply = desk.database.run(refunds_statement(&customer, None, 10));
    let amounts = |reply: &tollgate_core::hrana::Reply| -> Vec<i64> {
        let lines = reply
            .rows(0)
            .iter()
            .map(|row| read_refund_line(row).unwrap());
        lines.map(|line| line.amount.get()).collect()
    };
    assert_eq!(amounts(&reply), [200, 100]);
    let last = read_refund_line(&reply.rows(0)[0]).unwrap();
    let after = Some((last.created_at_ms, &last.id));
    let reply = desk.database.run(refunds_statement(&customer, after, 10));
    assert_eq!(amounts(&reply), [100]);
    let reply = desk
        .database
        .run(order_refunds_statement(&customer, &order.id));
    assert_eq!(amounts(&reply), [100, 200]);
    let page = |below, count| {
        let reply = desk.database.run(statement_page(&customer, below, count));
        let rows = reply.rows(0).iter();
        rows.map(|row| read_statement_line(row).unwrap())
            .collect::<Vec<_>>()
    };
    let first = page(None, 2);
    let rest = page(first.last().map(|line| line.place), 2);
    let told: Vec<_> = first
        .iter()
        .chain(&rest)
        .map(|line| line.amount.get())
        .collect();
    assert_eq!(told, [-2_000_000_000, -1_000_000_000, 10_000_000_000]);
}

#[test]
fn another_account_s_purchases_are_not_there() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let stranger = desk.customer(&desk.operator);
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    let _ = desk.say("evt_r", paid.refund("r", ("succeeded", 100)));
    for statement in [
        order_statement(&stranger, &order.id),
        session_order_statement(&stranger, &id("cs_a")),
        orders_statement(&stranger, None, 10),
        refunds_statement(&stranger, None, 10),
        order_refunds_statement(&stranger, &order.id),
        statement_page(&stranger, None, 10),
    ] {
        assert!(
            desk.database.run(statement.clone()).rows(0).is_empty(),
            "{statement:?}"
        );
    }
    let own = desk
        .database
        .run(session_order_statement(&customer, &id("cs_a")));
    assert_eq!(own.rows(0).len(), 1);
}
