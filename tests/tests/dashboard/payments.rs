//! A purchase through the running dashboard: whatever happens to Stripe's events, the Worker and the form
//! on the way, a payment becomes credit once, and what goes back goes back once.

use tollgate_core::hrana::Statement;
use ureq::http::Request;

use crate::browser::{Browser, Shown, send};
use crate::stage::{Stage, shared};

/// One pack, in nanos.
const PACK: i64 = 10_000_000_000;

/// Somebody who buys.
struct Buyer {
    browser: Browser,
    account: String,
    simulator: String,
}

impl Buyer {
    fn of(stage: &mut Stage) -> Self {
        stage.renew_links();
        let buyer = Self {
            browser: Browser::signed_in(&stage.demo.end_user.sign_in_url),
            account: stage.demo.reseller_customer_id.clone(),
            simulator: stage.stack.simulator_url(),
        };
        buyer.control("DELETE", "delivery");
        buyer
    }

    fn control(&self, method: &str, what: &str) -> Shown {
        let url = format!("{}/_sim/stripe/{what}", self.simulator);
        let request = Request::builder().method(method).uri(url);
        let shown = send(request.body(String::new()).unwrap());
        assert_eq!(shown.status, 200, "{what}: {}", shown.body);
        shown
    }

    /// The fields of the form that buys the first pack; its order has one id, however often it is sent.
    fn form(&mut self) -> Vec<(String, String)> {
        let page = self.browser.get("/billing").body;
        let once = value_after(&page, "name=\"once\"");
        let choice = value_after(&page, "name=\"choice\"");
        vec![("once".to_owned(), once), ("choice".to_owned(), choice)]
    }

    fn send(&mut self, form: &[(String, String)]) -> Shown {
        let fields: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.browser.post("/billing/orders", &fields)
    }

    /// Pays at Stripe's page and closes the window.
    fn pay(page: &str) {
        let request =
            Request::post(page).header("content-type", "application/x-www-form-urlencoded");
        let body = "action=pay&card=4242424242424242".to_owned();
        assert_eq!(send(request.body(body).unwrap()).status, 303);
    }

    fn balance(&self, stage: &Stage) -> i64 {
        let read = Statement::new("SELECT balance_nanos - debt_nanos FROM accounts WHERE id = ?1");
        let rows = stage
            .stack
            .database()
            .read(read.bind(self.account.as_str()));
        rows.unwrap().first().unwrap().get(0).unwrap()
    }

    /// The entries of a kind, each of which has a reference of its own.
    fn entries(&self, stage: &Stage, kind: &str) -> i64 {
        let read = Statement::new(
            "SELECT count(*) FROM ledger_entries WHERE account_id = ?1 AND kind = ?2",
        );
        let read = read.bind(self.account.as_str()).bind(kind);
        let rows = stage.stack.database().read(read).unwrap();
        rows.first().unwrap().get(0).unwrap()
    }
}

/// The `value` of the first field that has this in its tag.
fn value_after(page: &str, mark: &str) -> String {
    let at = page
        .find(mark)
        .unwrap_or_else(|| panic!("no {mark} in {page}"));
    let value = page[at..].split("value=\"").nth(1).unwrap();
    value.split('"').next().unwrap().to_owned()
}

#[test]
fn a_form_that_is_sent_twice_makes_one_order_and_one_payment_page() {
    let mut stage = shared();
    let mut buyer = Buyer::of(&mut stage);
    let form = buyer.form();
    let [first, second] = [buyer.send(&form), buyer.send(&form)];
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
    let mut buyer = Buyer::of(&mut stage);
    let (before, purchases) = (buyer.balance(&stage), buyer.entries(&stage, "purchase"));
    let pages: Vec<String> = (0..4)
        .map(|_| {
            let form = buyer.form();
            buyer.send(&form).location
        })
        .collect();
    buyer.control("POST", "delivery?duplicates=4&reorder=8&seed=7&parallel=1");
    for (number, page) in pages.iter().enumerate() {
        Buyer::pay(page);
        if number % 2 == 1 {
            stage.stack.kill_workerd();
            stage.stack.restart_workerd().unwrap();
        }
    }
    buyer.control("GET", "idle");
    buyer.control("DELETE", "delivery");
    assert_eq!(buyer.balance(&stage), before + 4 * PACK);
    assert_eq!(buyer.entries(&stage, "purchase"), purchases + 4);
}

#[test]
fn an_order_is_kept_while_stripe_is_down_and_goes_on_with_the_same_form() {
    let mut stage = shared();
    let mut buyer = Buyer::of(&mut stage);
    let form = buyer.form();
    buyer.control("POST", "down?on=1&how=503");
    let refused = buyer.send(&form);
    buyer.control("POST", "down?on=0");
    assert_eq!(refused.status, 502);
    assert!(
        refused.body.contains("nothing was charged"),
        "{}",
        refused.body
    );
    // The call that got through and lost its answer is the same payment page, too.
    buyer.control("POST", "down?on=1&how=lose&times=1");
    let lost = buyer.send(&form);
    buyer.control("POST", "down?on=0");
    let there = buyer.send(&form);
    assert_eq!(there.status, 303, "{}", lost.body);
    let before = buyer.balance(&stage);
    Buyer::pay(&there.location);
    buyer.control("GET", "idle");
    assert_eq!(buyer.balance(&stage), before + PACK);
    // The same form once more buys nothing more.
    assert_eq!(buyer.send(&form).status, 303);
    assert_eq!(buyer.balance(&stage), before + PACK);
}

#[test]
fn a_refund_takes_its_credit_once_and_a_dispute_freezes_the_account_until_it_is_won() {
    let mut stage = shared();
    let mut buyer = Buyer::of(&mut stage);
    let mut paid = || {
        let form = buyer.form();
        let page = buyer.send(&form).location;
        Buyer::pay(&page);
        buyer.control("GET", "idle");
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
    buyer.control("GET", "idle");
    assert_eq!(buyer.balance(&stage), before - PACK);

    let read = Statement::new("SELECT payment_intent_id FROM orders WHERE id = ?1");
    let rows = stage.stack.database().read(read.bind(disputed.as_str()));
    let payment: String = rows.unwrap().first().unwrap().get(0).unwrap();
    let dispute = |phase: &str| {
        let what = format!("dispute?payment_intent={payment}&phase={phase}");
        buyer.control("POST", &what);
        buyer.control("GET", "idle");
    };
    let status = |stage: &Stage| -> String {
        let read = Statement::new("SELECT status FROM accounts WHERE id = ?1");
        let rows = stage
            .stack
            .database()
            .read(read.bind(buyer.account.as_str()));
        rows.unwrap().first().unwrap().get(0).unwrap()
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
