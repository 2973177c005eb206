//! Purchases that do not go the straight way: beyond a cap, with a card that paid too much, with events
//! that never come, with money that comes later or not at all.

use crate::people::{change, find};
use crate::shopper::{DOLLAR, Shopper, cron, press, rested_card};
use crate::stage::{Stage, shared};
use tollgate_core::hrana::Statement;

const PLAIN: &str = "5555555555554444";
/// Whose refunds take their time.
const SLOW: &str = "4000000000007726";

fn state(shopper: &Shopper, stage: &Stage, order: &str) -> String {
    shopper.of_order(stage, order, "state")
}

/// What the reseller has, in nanos.
fn receipts(stage: &Stage) -> i64 {
    let sql = "SELECT balance_nanos - debt_nanos FROM accounts WHERE id = ?1";
    find(
        stage,
        Statement::new(sql).bind(stage.demo.reseller_id.as_str()),
    )
}

/// The page of an order at Stripe.
fn page_of(shopper: &Shopper, stage: &Stage, order: &str) -> String {
    shopper.of_order(stage, order, "checkout_url")
}

/// Loses every event from now on.
fn lose_events(shopper: &Shopper) {
    shopper.control("POST", "delivery?drop=100000");
}

#[test]
fn who_has_bought_as_much_as_they_may_is_told_before_they_pay() {
    let stage = shared();
    let mut shopper = Shopper::new(&stage, "eager");
    let orders = |shopper: &Shopper| -> i64 {
        shopper.find(&stage, "SELECT count(*) FROM orders WHERE account_id = ?1")
    };
    let check = |shopper: &mut Shopper, amount: &str, says: &str| {
        let before = orders(shopper);
        let shown = shopper.order(amount, false);
        assert_eq!(shown.status, 422, "{amount}: {}", shown.body);
        assert!(shown.body.contains(says), "{amount}: {}", shown.body);
        assert_eq!(orders(shopper), before);
    };
    check(
        &mut shopper,
        "1000.01",
        "Type an amount from $5.00 to $1000.00.",
    );
    check(
        &mut shopper,
        "4.99",
        "Type an amount from $5.00 to $1000.00.",
    );
    // In its first week an account buys for 200 a day.
    check(&mut shopper, "200.01", "You can buy for $200.00 more today");
    assert_eq!(shopper.order("150", false).status, 303);
    let unpaid = shopper.latest_order(&stage);
    check(&mut shopper, "50.01", "You can buy for $50.00 more today");
    assert_eq!(shopper.order("50", false).status, 303);
    check(
        &mut shopper,
        "5",
        "You have bought as much as one account may in a day",
    );
    // Who does not pay after all may buy something else.
    let cancel = format!("/billing/orders/{unpaid}/cancel");
    assert_eq!(shopper.browser.post(&cancel, &[]).status, 303);
    assert_eq!(state(&shopper, &stage, &unpaid), "expired");
    check(&mut shopper, "150.01", "You can buy for $150.00 more today");
    // After its first week it buys for 2,000.
    let sql = "UPDATE accounts SET created_at_ms = created_at_ms - ?2 WHERE id = ?1";
    let older = Statement::new(sql).bind(shopper.account.as_str());
    change(&stage, older.bind(8 * 86_400_000_i64));
    assert_eq!(shopper.order("1000", false).status, 303);
}

#[test]
fn money_from_a_card_that_paid_too_much_goes_back_whole_and_once() {
    let stage = shared();
    rested_card(&stage, SLOW);
    let mut first = Shopper::new(&stage, "first");
    let mut second = Shopper::new(&stage, "second");
    first.buy(&stage, "150", SLOW);
    assert_eq!(first.balance(&stage), 150 * DOLLAR);
    let earned = receipts(&stage);
    second.control("POST", "delivery?duplicates=3&reorder=5&seed=9&parallel=1");
    let order = second.buy(&stage, "100", SLOW);
    second.control("DELETE", "delivery");
    assert_eq!(state(&second, &stage, &order), "refused");
    let refunds = |state: &str| -> i64 {
        let sql = "SELECT count(*) FROM refunds WHERE account_id = ?1 AND state = ?2 AND amount_cents = 10000 AND credit_nanos = 0";
        let statement = Statement::new(sql)
            .bind(second.account.as_str())
            .bind(state);
        find(&stage, statement)
    };
    assert_eq!(refunds("pending"), 1);
    let payment: String = second.of_order(&stage, &order, "payment_intent_id");
    let list = second.at_stripe(&format!("refunds?payment_intent={payment}"));
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(list["data"][0]["amount"], 10_000);
    let page = second.browser.get(&format!("/billing/orders/{order}")).body;
    assert!(
        page.contains("This card has reached what it may pay in a day"),
        "{page}"
    );
    // The bank sends it.
    let id = list["data"][0]["id"].as_str().unwrap();
    second.control("POST", &format!("refund?refund={id}&status=succeeded"));
    second.idle();
    cron(&stage);
    assert_eq!(refunds("succeeded"), 1);
    assert_eq!((second.balance(&stage), receipts(&stage)), (0, earned));
    assert_eq!(second.ledger(&stage, "purchase"), (0, 0));
    // Tomorrow the card may pay again.
    rested_card(&stage, SLOW);
    second.sleep(&stage);
    let order = second.buy(&stage, "100", SLOW);
    assert_eq!(state(&second, &stage, &order), "paid");
    assert_eq!(second.balance(&stage), 100 * DOLLAR);
    rested_card(&stage, SLOW);
}

#[test]
fn a_payment_that_stripe_never_told_of_is_asked_for_and_credited_once() {
    let stage = shared();
    rested_card(&stage, PLAIN);
    let mut shopper = Shopper::new(&stage, "unheard");
    lose_events(&shopper);
    let order = shopper.buy(&stage, "10", PLAIN);
    cron(&stage);
    // Too young: its payer may still be on the page.
    assert_eq!(state(&shopper, &stage, &order), "open");
    shopper.rest(&stage);
    for _ in 0..3 {
        cron(&stage);
    }
    assert_eq!(state(&shopper, &stage, &order), "paid");
    assert_eq!(shopper.ledger(&stage, "purchase"), (1, 10 * DOLLAR));
    // A straggler changes nothing.
    shopper.control("DELETE", "delivery");
    let events = shopper.control("GET", "events?type=checkout.session.completed");
    for event in events["events"].as_array().unwrap() {
        let event = event["event"]["id"].as_str().unwrap();
        shopper.control("POST", &format!("resend?event={event}"));
    }
    shopper.idle();
    assert_eq!(shopper.ledger(&stage, "purchase"), (1, 10 * DOLLAR));
}

#[test]
fn a_payment_on_a_page_that_nobody_kept_is_found_even_if_stripe_is_down_for_hours() {
    let stage = shared();
    rested_card(&stage, PLAIN);
    let mut shopper = Shopper::new(&stage, "forgotten");
    shopper.buy(&stage, "10", PLAIN);
    // The page is made, and the answer with its address is lost.
    lose_events(&shopper);
    shopper.control("POST", "down?on=1&how=lose&times=1");
    let shown = shopper.order("20", false);
    assert_eq!(shown.status, 502, "{}", shown.body);
    let order = shopper.latest_order(&stage);
    assert_eq!(state(&shopper, &stage, &order), "new");
    let sessions = shopper.at_stripe("checkout/sessions?limit=1");
    assert_eq!(sessions["data"][0]["client_reference_id"], order.as_str());
    let page = sessions["data"][0]["url"].as_str().unwrap();
    press(page, &[("action", "pay"), ("card", PLAIN)]);
    shopper.idle();
    // Long after its page closed, Stripe does not answer: the order must not end unasked.
    shopper.shift(&stage, "expires_at_ms", 4 * 3_600_000);
    shopper.rest(&stage);
    shopper.control("POST", "down?on=1&how=503");
    cron(&stage);
    shopper.control("POST", "down?on=0");
    assert_eq!(state(&shopper, &stage, &order), "new");
    for _ in 0..3 {
        cron(&stage);
    }
    assert_eq!(state(&shopper, &stage, &order), "paid");
    assert_eq!(shopper.ledger(&stage, "purchase"), (2, 30 * DOLLAR));
    shopper.control("DELETE", "delivery");
}

#[test]
fn an_order_whose_page_closed_ends_and_one_that_stripe_never_had_too() {
    let stage = shared();
    let mut shopper = Shopper::new(&stage, "leaver");
    lose_events(&shopper);
    assert_eq!(shopper.order("10", false).status, 303);
    let closed = shopper.latest_order(&stage);
    let session: String = shopper.of_order(&stage, &closed, "session_id");
    shopper.control("POST", &format!("expire?session={session}"));
    shopper.control("POST", "down?on=1&how=503");
    assert_eq!(shopper.order("20", false).status, 502);
    shopper.control("POST", "down?on=0");
    let never = shopper.latest_order(&stage);
    shopper.rest(&stage);
    cron(&stage);
    assert_eq!(state(&shopper, &stage, &closed), "expired");
    assert_eq!(state(&shopper, &stage, &never), "new");
    shopper.shift(&stage, "expires_at_ms", 4 * 3_600_000);
    cron(&stage);
    assert_eq!(state(&shopper, &stage, &never), "expired");
    shopper.control("DELETE", "delivery");
    let page = shopper
        .browser
        .get(&format!("/billing/orders/{closed}"))
        .body;
    assert!(page.contains("Canceled"), "{page}");
}

#[test]
fn money_that_comes_after_an_order_was_given_up_is_credited() {
    let stage = shared();
    rested_card(&stage, PLAIN);
    let mut shopper = Shopper::new(&stage, "late");
    assert_eq!(shopper.order("10", false).status, 303);
    let order = shopper.latest_order(&stage);
    let end = "UPDATE orders SET state = 'expired' WHERE account_id = ?1";
    change(&stage, Statement::new(end).bind(shopper.account.as_str()));
    let page = page_of(&shopper, &stage, &order);
    press(&page, &[("action", "pay"), ("card", PLAIN)]);
    shopper.idle();
    assert_eq!(state(&shopper, &stage, &order), "paid");
    assert_eq!(shopper.ledger(&stage, "purchase"), (1, 10 * DOLLAR));
}

#[test]
fn money_from_a_bank_counts_when_it_is_there_and_not_before() {
    let stage = shared();
    let check = |told: bool, button: &str, (ends, credit): (&str, i64)| {
        let mut shopper = Shopper::new(&stage, "patient");
        if !told {
            lose_events(&shopper);
        }
        assert_eq!(shopper.order("10", false).status, 303);
        let order = shopper.latest_order(&stage);
        let page = page_of(&shopper, &stage, &order);
        let hear = || {
            shopper.idle();
            if !told {
                shopper.rest(&stage);
                cron(&stage);
            }
        };
        press(&page, &[("action", "later")]);
        hear();
        assert_eq!(
            state(&shopper, &stage, &order),
            "pending",
            "{told} {button}"
        );
        assert_eq!(shopper.balance(&stage), 0);
        press(&page, &[("action", button)]);
        hear();
        assert_eq!(state(&shopper, &stage, &order), ends, "{told} {button}");
        cron(&stage);
        assert_eq!(shopper.balance(&stage), credit);
        shopper.control("DELETE", "delivery");
        shopper.order("10", false);
        let shown = shopper
            .browser
            .get(&format!("/billing/orders/{order}"))
            .body;
        let says = if credit > 0 { "Paid" } else { "Failed" };
        assert!(shown.contains(says), "{shown}");
    };
    for told in [true, false] {
        check(told, "settle", ("paid", 10 * DOLLAR));
        check(told, "bounce", ("failed", 0));
    }
}
