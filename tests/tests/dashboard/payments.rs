//! A purchase through the running dashboard: whatever happens to Stripe's events, the Worker and the form
//! on the way, a payment becomes credit once, and what goes back goes back once.

use crate::browser::{Shown, value_after};
use crate::people::send_form;
use crate::shopper::{Shopper, press};
use crate::stage::{Stage, shared};

/// One pack, in nanos.
const PACK: i64 = 10_000_000_000;

const PAY: [(&str, &str); 2] = [("action", "pay"), ("card", "4242424242424242")];

/// The fields of the form that buys the first pack; its order has one id, however often it is sent.
fn form(shopper: &mut Shopper) -> Vec<(String, String)> {
    let page = shopper.browser.get("/billing").body;
    let field = |name: &str| value_after(&page, &format!("name=\"{name}\""));
    ["once", "choice"]
        .map(|name| (name.to_owned(), field(name)))
        .into()
}

fn order(shopper: &mut Shopper, form: &[(String, String)]) -> Shown {
    send_form(&mut shopper.browser, "/billing/orders", form, &[])
}

/// Pays at Stripe's page and closes the window.
fn pay(page: &str) {
    assert_eq!(press(page, &PAY).status, 303);
}

#[test]
fn a_form_that_is_sent_twice_makes_one_order_and_one_payment_page() {
    let stage = shared();
    let mut buyer = Shopper::new(&stage, "payer");
    let form = form(&mut buyer);
    let [first, second] = [order(&mut buyer, &form), order(&mut buyer, &form)];
    assert_eq!(first.status, 303, "{}", first.body);
    assert!(
        first.location.contains("/stripe/pay/"),
        "{}",
        first.location
    );
    assert_eq!(first.location, second.location);
}

#[test]
fn credit_comes_once_while_events_come_often_in_any_order_and_the_worker_dies() {
    let mut stage = shared();
    let mut buyer = Shopper::new(&stage, "payer");
    let (before, purchases) = (buyer.balance(&stage), buyer.ledger(&stage, "purchase").0);
    let pages: Vec<String> = (0..4)
        .map(|_| {
            let form = form(&mut buyer);
            order(&mut buyer, &form).location
        })
        .collect();
    buyer.control("POST", "delivery?duplicates=4&reorder=8&seed=7&parallel=1");
    for (number, page) in pages.iter().enumerate() {
        pay(page);
        if number % 2 == 1 {
            stage.stack.kill_workerd();
            stage.stack.restart_workerd().unwrap();
        }
    }
    buyer.idle();
    buyer.control("DELETE", "delivery");
    assert_eq!(buyer.balance(&stage), before + 4 * PACK);
    assert_eq!(buyer.ledger(&stage, "purchase").0, purchases + 4);
}

#[test]
fn an_order_is_kept_while_stripe_is_down_and_goes_on_with_the_same_form() {
    let stage = shared();
    let mut buyer = Shopper::new(&stage, "payer");
    let form = form(&mut buyer);
    buyer.control("POST", "down?on=1&how=503");
    let refused = order(&mut buyer, &form);
    buyer.control("POST", "down?on=0");
    assert_eq!(refused.status, 502);
    assert!(
        refused.body.contains("nothing was charged"),
        "{}",
        refused.body
    );
    // The call that got through and lost its answer is the same payment page, too.
    buyer.control("POST", "down?on=1&how=lose&times=1");
    let lost = order(&mut buyer, &form);
    buyer.control("POST", "down?on=0");
    let there = order(&mut buyer, &form);
    assert_eq!(there.status, 303, "{}", lost.body);
    let before = buyer.balance(&stage);
    pay(&there.location);
    buyer.idle();
    assert_eq!(buyer.balance(&stage), before + PACK);
    // The same form once more buys nothing more.
    assert_eq!(order(&mut buyer, &form).status, 303);
    assert_eq!(buyer.balance(&stage), before + PACK);
}

#[test]
fn a_refund_takes_its_credit_once_and_a_dispute_freezes_the_account_until_it_is_won() {
    let stage = shared();
    let mut buyer = Shopper::new(&stage, "payer");
    let mut paid = || {
        let form = form(&mut buyer);
        let page = order(&mut buyer, &form).location;
        pay(&page);
        buyer.idle();
        form[0].1.clone()
    };
    let (refunded, disputed) = (paid(), paid());
    let before = buyer.balance(&stage);

    let page = buyer
        .browser
        .get(&format!("/billing/orders/{refunded}"))
        .body;
    let action = format!("/billing/orders/{refunded}/refund");
    let form = &page[page.find(&action).expect("a refund button")..];
    let [once, amount] =
        ["once", "amount"].map(|name| value_after(form, &format!("name=\"{name}\"")));
    for _ in 0..2 {
        let fields = [("once", once.as_str()), ("amount", amount.as_str())];
        let shown = buyer.browser.post(&action, &fields);
        assert_eq!(shown.status, 303, "{}", shown.body);
    }
    buyer.idle();
    assert_eq!(buyer.balance(&stage), before - PACK);

    let payment: String = buyer.of_order(&stage, &disputed, "payment_intent_id");
    let dispute = |phase: &str| {
        let what = format!("dispute?payment_intent={payment}&phase={phase}");
        buyer.control("POST", &what);
        buyer.idle();
    };
    let status = |stage: &Stage| -> String {
        buyer.find(stage, "SELECT status FROM accounts WHERE id = ?1")
    };
    dispute("created");
    dispute("funds_withdrawn");
    assert_eq!(buyer.balance(&stage), before - 2 * PACK);
    assert_eq!(status(&stage), "suspended");
    dispute("funds_reinstated");
    dispute("closed_won");
    assert_eq!(buyer.balance(&stage), before - PACK);
    assert_eq!(status(&stage), "active");
}
