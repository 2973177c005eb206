//! Money goes back with the credit that it bought, once, and exactly.

use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{EntryKind, LedgerEntry};
use tollgate_core::money::Nanos;
use tollgate_core::orders::{
    Applied, Asked, AskedRefund, Mismatch, Notice, Order, OrderState, RefundRefusal, Refundable,
    asked_refunds_statement, leftovers_statement, read_asked_refund, read_refundable, read_waiting,
    refundable_statement, stuck_refunds_statement,
};
use tollgate_core::stripe::{Cents, StripeError};

use super::desk::{Desk, Fate, answer};
use crate::world::NOW_MS;

const CENT: i64 = 10_000_000;

fn refundable(desk: &Desk, order: &Order) -> Refundable {
    let reply = desk
        .database
        .run(refundable_statement(&order.account, &order.id));
    read_refundable(&reply.rows(0)[0]).unwrap()
}

fn ask(desk: &Desk, order: &Order, cents: i64) -> Result<AskedRefund, RefundRefusal> {
    let batch =
        refundable(desk, order).ask(&desk.refund_id(), Cents::new(cents), &desk.change())?;
    let reply = desk.database.execute(&batch.batch);
    assert_eq!(batch.read(&reply), Asked::Now);
    // The same form once more.
    let reply = desk.database.execute(&batch.batch);
    assert_eq!(batch.read(&reply), Asked::Before);
    Ok(batch.refund)
}

fn spend(desk: &Desk, order: &Order, nanos: i64) {
    spend_of(desk, &order.account, nanos);
}

fn spend_of(desk: &Desk, account: &AccountId, nanos: i64) {
    let entry = LedgerEntry {
        account: account.clone(),
        kind: EntryKind::Adjustment,
        amount: Nanos::new(-nanos),
        reference: format!("adjustment:{}", desk.draw()),
        reason: "test".to_owned(),
    };
    let _ = desk.post(&entry);
}

fn ledger(desk: &Desk) -> i64 {
    desk.number("SELECT count(*) FROM ledger_entries WHERE ?1 = ?1", "")
}

#[test]
fn the_unspent_part_goes_back_and_no_more() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let order = desk.bought(&customer, 1_000, "a");
    // Two thirds of a cent short of 400 cents.
    spend(&desk, &order, 600 * CENT + 6_666_666);
    assert_eq!(refundable(&desk, &order).most, Ok(Cents::new(399)));
    let most = Cents::new(399);
    for cents in [0, -1, 400, i64::MAX] {
        assert_eq!(
            ask(&desk, &order, cents),
            Err(RefundRefusal::Amount { most })
        );
    }
    let asked = ask(&desk, &order, 300).unwrap();
    assert_eq!(desk.credit(&customer), (100 * CENT - 6_666_666, 0));
    assert_eq!(
        desk.credit(&desk.reseller),
        (941 * CENT - 941 * CENT * 3 / 10, 0)
    );
    assert_eq!(desk.read(&order).refunded, Cents::new(300));
    let went = answer(&asked, "1", "succeeded");
    assert_eq!(desk.say("evt_1", went.clone()), Applied::Booked);
    assert_eq!(desk.say("evt_2", went), Applied::Before);
    assert_eq!(desk.credit(&customer), (100 * CENT - 6_666_666, 0));
    assert_eq!(refundable(&desk, &order).most, Ok(Cents::new(99)));
    spend(&desk, &order, 100 * CENT);
    assert_eq!(refundable(&desk, &order).most, Err(RefundRefusal::Spent));
}

#[test]
fn what_goes_back_is_not_charged_again_by_automatic_top_up() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let order = desk.bought(&customer, 1_000, "a");
    let _ = desk.database.run(
        Statement::new(
            "INSERT INTO auto_top_ups (account_id, enabled, threshold_nanos, amount_cents, \
             month_limit_cents, updated_at_ms) VALUES (?1, 1, 5000000000, 1000, 2000, 0)",
        )
        .bind(customer.as_str()),
    );
    ask(&desk, &order, 1_000).unwrap();
    let off = "SELECT count(*) FROM auto_top_ups WHERE account_id = ?1 AND enabled = 0 AND stopped_by = 'refund'";
    assert_eq!(desk.number(off, customer.as_str()), 1);
}

#[test]
fn nobody_is_sent_back_what_the_reseller_spent_of_it() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let order = desk.bought(&customer, 1_000, "a");
    // The reseller earned 941 cents by it.
    let before = refundable(&desk, &order);
    spend_of(&desk, &desk.reseller, 941 * CENT - 1);
    assert_eq!(
        refundable(&desk, &order).most,
        Err(RefundRefusal::SpentBySeller)
    );
    // What was read before the reseller spent it takes nothing either.
    let late = before
        .ask(&desk.refund_id(), Cents::new(1_000), &desk.change())
        .unwrap();
    let reply = desk.database.execute(&late.batch);
    assert_eq!(late.read(&reply), Asked::Changed);
    assert_eq!(desk.credit(&customer), (1_000 * CENT, 0));
    assert_eq!(desk.credit(&desk.reseller), (1, 0));
    // What it has again goes back, and no debt is made.
    spend_of(&desk, &desk.reseller, -(941 * CENT / 2));
    assert_eq!(refundable(&desk, &order).most, Ok(Cents::new(500)));
    let asked = ask(&desk, &order, 500).unwrap();
    assert_eq!(asked.amount, Cents::new(500));
    assert_eq!(desk.credit(&customer), (500 * CENT, 0));
    assert_eq!(desk.credit(&desk.reseller), (1, 0));
    // What the operator sends back at Stripe is the operator's decision, and makes debt.
    let refund = desk.paid(&order, "a").refund("x", ("succeeded", 500));
    assert_eq!(desk.say("evt_1", refund), Applied::Booked);
    assert_eq!(desk.credit(&desk.reseller), (0, 941 * CENT / 2 - 1));
}

#[test]
fn a_refund_that_stripe_refuses_gives_the_credit_back_once() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let order = desk.bought(&customer, 1_000, "a");
    let both = || (desk.credit(&customer).0, desk.credit(&desk.reseller).0);
    let full = both();
    let asked = ask(&desk, &order, 1_000).unwrap();
    assert_eq!(both(), (0, 0));
    let (batch, commit) = asked.give_up(&StripeError::Disputed, NOW_MS);
    assert!(desk.database.execute(&batch).is_ok(commit));
    assert!(!desk.database.execute(&batch).is_ok(commit));
    assert_eq!(both(), full);
    assert_eq!(desk.read(&order).refunded, Cents::ZERO);
    assert_eq!(desk.alarms(), ["refund_failed"]);
    // One that Stripe took and that failed later does the same.
    let asked = ask(&desk, &order, 1_000).unwrap();
    assert_eq!(
        desk.say("evt_1", answer(&asked, "1", "pending")),
        Applied::Booked
    );
    let (batch, commit) = asked.give_up(&StripeError::Missing, NOW_MS);
    assert!(!desk.database.execute(&batch).is_ok(commit));
    assert_eq!(both(), (0, 0));
    assert_eq!(
        desk.say("evt_2", answer(&asked, "1", "failed")),
        Applied::Booked
    );
    assert_eq!(
        desk.say("evt_1", answer(&asked, "1", "pending")),
        Applied::Before
    );
    assert_eq!(
        desk.say("evt_3", answer(&asked, "1", "succeeded")),
        Applied::Before
    );
    assert_eq!(both(), full);
    assert_eq!(desk.read(&order).refunded, Cents::ZERO);
}

#[test]
fn stripe_is_asked_again_for_what_it_may_not_know() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.bought(&customer, 1_000, "a");
    let asked = ask(&desk, &order, 10).unwrap();
    let read = |statement| {
        let reply = desk.database.run(statement);
        let rows = reply.rows(0).iter();
        rows.map(|row| read_asked_refund(row).unwrap())
            .collect::<Vec<_>>()
    };
    let open = |later_ms: i64| read(asked_refunds_statement(NOW_MS + later_ms, 10));
    let stuck = |later_ms: i64| read(stuck_refunds_statement(NOW_MS + later_ms, 10));
    let this = std::slice::from_ref(&asked);
    assert_eq!(open(119_999), []);
    assert_eq!(open(120_000), this);
    assert_eq!(open(82_799_999), this);
    assert_eq!(stuck(82_799_999), []);
    // Stripe may have forgotten the key by then.
    assert_eq!(open(82_800_000), []);
    assert_eq!(stuck(82_800_000), this);
    let request = asked.to_request();
    assert_eq!(request.idempotency_key.as_deref(), Some(asked.id.as_str()));
    let _ = desk.say("evt_1", answer(&asked, "1", "pending"));
    assert_eq!(open(120_000), []);
}

#[test]
fn many_parts_end_exactly_at_the_order() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let order = desk.bought(&customer, 999, "a");
    let paid = desk.paid(&order, "a");
    for (number, cents) in [1, 7, 333, 501, 156, 1].into_iter().enumerate() {
        let name = format!("r{number}");
        let refund = paid.refund(&name, ("succeeded", cents));
        assert_eq!(desk.say(&format!("evt_{name}"), refund), Applied::Booked);
    }
    assert_eq!(desk.credit(&customer), (0, 0));
    assert_eq!(desk.credit(&desk.reseller), (0, 0));
    assert_eq!(desk.read(&order).refunded, Cents::new(999));
    assert_eq!(
        refundable(&desk, &order).most,
        Err(RefundRefusal::NothingLeft)
    );
}

#[test]
fn a_refund_made_at_stripe_takes_what_is_spent_as_debt_once() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let order = desk.bought(&customer, 1_000, "a");
    spend(&desk, &order, 900 * CENT);
    let paid = desk.paid(&order, "a");
    let refund = paid.refund("x", ("succeeded", 500));
    assert_eq!(desk.say("evt_1", refund.clone()), Applied::Booked);
    assert_eq!(desk.say("evt_1", refund.clone()), Applied::Before);
    assert_eq!(desk.say("evt_2", refund), Applied::Before);
    assert_eq!(desk.credit(&customer), (0, 400 * CENT));
    assert_eq!(refundable(&desk, &order).most, Err(RefundRefusal::Spent));
    assert_eq!(
        desk.say("evt_3", paid.refund("x", ("canceled", 500))),
        Applied::Booked
    );
    assert_eq!(desk.credit(&customer), (100 * CENT, 0));
    assert_eq!(desk.read(&order).refunded, Cents::ZERO);
}

#[test]
fn a_refund_that_is_heard_of_before_its_payment_waits_for_it() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.order(&customer, 1_000);
    let paid = desk.paid(&order, "a");
    for event in ["evt_1", "evt_1"] {
        let refund = paid.refund("x", ("succeeded", 300));
        assert_eq!(desk.say(event, refund), Applied::Waits);
    }
    assert_eq!(
        desk.say("evt_2", paid.refund("y", ("failed", 300))),
        Applied::Waits
    );
    assert_eq!(ledger(&desk), 0);
    let applied = desk.say("evt_3", Notice::Payment(paid.payment("paid")));
    assert!(matches!(applied, Applied::Granted { .. }));
    assert_eq!(desk.credit(&customer), (700 * CENT, 0));
    assert_eq!(ledger(&desk), 4);
    let waiting = "SELECT count(*) FROM stripe_events WHERE waits_for IS NOT NULL AND ?1 = ?1";
    assert_eq!(desk.number(waiting, ""), 0);
}

#[test]
fn what_a_crash_left_waiting_is_found_and_applied() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.order(&customer, 1_000);
    let paid = desk.paid(&order, "a");
    let refund = paid.refund("x", ("succeeded", 300));
    assert_eq!(desk.say("evt_1", refund), Applied::Waits);
    let leftovers = || {
        let reply = desk.database.run(leftovers_statement(10));
        let rows = reply.rows(0).iter();
        rows.map(|row| read_waiting(row, NOW_MS).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(leftovers(), []);
    // The Worker dies after the grant and before what waited.
    let mut batches = 0;
    let heard = desk.heard(
        Some(("evt_2", "test")),
        Notice::Payment(paid.payment("paid")),
    );
    let died = desk.hear(heard, || {
        batches += 1;
        if batches < 3 {
            Fate::Arrives
        } else {
            Fate::NeverSent
        }
    });
    assert_eq!(died, None);
    assert_eq!(desk.credit(&customer), (1_000 * CENT, 0));
    for heard in leftovers() {
        assert_eq!(desk.hear(heard, || Fate::Arrives), Some(Applied::Booked));
    }
    assert_eq!(desk.credit(&customer), (700 * CENT, 0));
    assert_eq!(leftovers(), []);
}

#[test]
fn a_second_refund_of_the_same_money_waits_until_the_first_one_failed() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    assert_eq!(
        desk.say("evt_1", paid.refund("x", ("succeeded", 800))),
        Applied::Booked
    );
    assert_eq!(
        desk.say("evt_2", paid.refund("y", ("succeeded", 700))),
        Applied::Waits
    );
    assert_eq!(desk.credit(&customer), (200 * CENT, 0));
    assert_eq!(
        desk.say("evt_3", paid.refund("x", ("failed", 800))),
        Applied::Booked
    );
    assert_eq!(desk.credit(&customer), (300 * CENT, 0));
    assert_eq!(desk.read(&order).refunded, Cents::new(700));
}

#[test]
fn nobody_is_refunded_who_must_not_be() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.order(&customer, 1_000);
    assert_eq!(refundable(&desk, &order).most, Err(RefundRefusal::NotPaid));
    let bought = desk.bought(&customer, 1_000, "a");
    let read = refundable(&desk, &bought);
    let paid = desk.paid(&bought, "a");
    let dispute = paid.dispute(
        ("warning_needs_response", 1_000),
        tollgate_core::orders::Moved::No,
    );
    assert_eq!(desk.say("evt_1", dispute), Applied::Booked);
    assert_eq!(
        refundable(&desk, &bought).most,
        Err(RefundRefusal::Disputed)
    );
    // What was read before the dispute came takes nothing either.
    let late = read
        .ask(&desk.refund_id(), Cents::new(5), &desk.change())
        .unwrap();
    let reply = desk.database.execute(&late.batch);
    assert_eq!(late.read(&reply), Asked::Changed);
    assert_eq!(desk.credit(&customer), (1_000 * CENT, 0));
    // Another account's order is not there.
    let stranger = desk.customer(&desk.operator);
    let reply = desk
        .database
        .run(refundable_statement(&stranger, &bought.id));
    assert!(reply.rows(0).is_empty());
    // More than the order, or another currency, fits nothing.
    let refund = paid.refund("x", ("succeeded", 1_001));
    assert_eq!(
        desk.say("evt_2", refund),
        Applied::Unmatched(Mismatch::Amount)
    );
    assert_eq!(desk.read(&bought).state, OrderState::Paid);
}
