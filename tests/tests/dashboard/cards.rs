//! Saving a card without buying, removing it, and Stripe's own page of cards and invoices, through the
//! running dashboard.

use crate::browser::value_after;
use crate::shopper::{DOLLAR, Shopper, cron, press, rested_card};
use crate::stage::{Stage, shared};

const MASTERCARD: &str = "5555555555554444";
const VISA: &str = "4242424242424242";

/// The page on which a card is saved; the form is sent twice.
fn card_page(shopper: &mut Shopper) -> String {
    let page = shopper.browser.get("/billing").body;
    let form = &page[page.find("\"/billing/card\"").expect("a button")..];
    let once = value_after(form, "name=\"once\"");
    let [first, second] =
        [(); 2].map(|()| shopper.browser.post("/billing/card", &[("once", &once)]));
    assert_eq!(first.status, 303, "{}", first.body);
    assert!(
        first.location.contains("/stripe/pay/"),
        "{}",
        first.location
    );
    assert_eq!(first.location, second.location);
    first.location
}

/// What the page says of the saved card.
fn shown(shopper: &mut Shopper) -> String {
    let page = shopper.browser.get("/billing").body;
    let at = page.find("Saved card").expect("a section");
    page[at..].split("</section>").next().unwrap().to_owned()
}

fn kept(shopper: &Shopper, stage: &Stage) -> Option<String> {
    shopper.find(
        stage,
        "SELECT (SELECT payment_method_id FROM stripe_customers WHERE account_id = ?1)",
    )
}

fn switch_on(shopper: &mut Shopper) -> u16 {
    let fields = [
        ("enabled", "on"),
        ("threshold", "5"),
        ("top_up_amount", "20"),
        ("month_limit", "20"),
    ];
    shopper.browser.post("/billing/top-up", &fields).status
}

fn stopped_by(shopper: &Shopper, stage: &Stage) -> Option<String> {
    shopper.find(
        stage,
        "SELECT stopped_by FROM auto_top_ups WHERE account_id = ?1",
    )
}

#[test]
fn a_card_is_saved_without_buying_pays_for_top_up_and_can_be_removed() {
    let stage = shared();
    rested_card(&stage, MASTERCARD);
    let mut shopper = Shopper::new(&stage, "saver");
    assert!(shown(&mut shopper).contains("No saved card"));
    assert_eq!(switch_on(&mut shopper), 422);
    // Nobody comes back from Stripe's page: the event alone tells, and comes often.
    shopper.control("POST", "delivery?duplicates=3&reorder=4&seed=3");
    let page = card_page(&mut shopper);
    press(&page, &[("action", "pay"), ("card", MASTERCARD)]);
    shopper.idle();
    shopper.control("DELETE", "delivery");
    let section = shown(&mut shopper);
    assert!(
        section.contains("mastercard 4444") && section.contains("12/2034"),
        "{section}"
    );
    assert_eq!(shopper.balance(&stage), 0);
    assert_eq!(switch_on(&mut shopper), 303);
    cron(&stage);
    shopper.idle();
    assert_eq!(shopper.ledger(&stage, "purchase"), (1, 20 * DOLLAR));

    let form = shown(&mut shopper);
    let form = &form[form.find("/billing/card/remove").expect("a button")..];
    let card = value_after(form, "name=\"card\"");
    let remove = |shopper: &mut Shopper, card: &str| {
        shopper
            .browser
            .post("/billing/card/remove", &[("card", card)])
    };
    // While Stripe is down nothing changes; another's card, or none, is not removed.
    shopper.control("POST", "down?on=1&how=503");
    assert_eq!(remove(&mut shopper, &card).status, 502);
    shopper.control("POST", "down?on=0");
    let mut thief = Shopper::new(&stage, "thief");
    assert_eq!(remove(&mut thief, &card).location, "/billing");
    assert_eq!(remove(&mut shopper, "pm_other").status, 422);
    assert_eq!(kept(&shopper, &stage), Some(card.clone()));
    let removed = remove(&mut shopper, &card);
    assert_eq!(removed.location, "/billing?done=card_removed");
    let at_stripe = shopper.at_stripe(&format!("payment_methods/{card}"));
    assert!(at_stripe["customer"].is_null(), "{at_stripe}");
    assert_eq!(
        stopped_by(&shopper, &stage).as_deref(),
        Some("card_removed")
    );
    assert!(shown(&mut shopper).contains("No saved card"));
    let log = shopper.browser.get("/audit").body;
    assert!(
        log.contains("card.remove") && log.contains("mastercard 4444"),
        "{log}"
    );
    // The event of the saving comes once more, and brings nothing back.
    let session = shopper.told(&stage, "checkout.session.completed");
    let session = session[0]["id"].as_str().unwrap();
    let back = format!("/billing/card/done?session_id={session}");
    assert_eq!(shopper.browser.get(&back).location, "/billing");
    let events = shopper.control("GET", "events?type=checkout.session.completed");
    for event in events["events"].as_array().unwrap() {
        let event = event["event"]["id"].as_str().unwrap();
        shopper.control("POST", &format!("resend?event={event}"));
    }
    shopper.idle();
    assert_eq!(kept(&shopper, &stage), None);
}

#[test]
fn the_card_of_the_latest_page_stays_in_whatever_order_stripe_tells() {
    let stage = shared();
    let mut shopper = Shopper::new(&stage, "changer");
    shopper.control("POST", "delivery?hold=1");
    let first = card_page(&mut shopper);
    press(&first, &[("action", "pay"), ("card", MASTERCARD)]);
    // Stripe's moments are seconds.
    let made = |page: &str| {
        let session = page.rsplit('/').next().unwrap().to_owned();
        shopper.at_stripe(&format!("checkout/sessions/{session}"))["created"]
            .as_i64()
            .unwrap()
    };
    let first_made = made(&first);
    tollgate_tests::eventually("Stripe's next second", || {
        (xtask::clock::now_ms() / 1_000 > first_made).then_some(())
    });
    let second = card_page(&mut shopper);
    let back = press(&second, &[("action", "pay"), ("card", VISA)]).location;
    let origin = stage.stack.reseller_url();
    // Back from the second page before any event; then the first one's events.
    let path = back.strip_prefix(&origin).unwrap();
    assert_eq!(
        shopper.browser.get(path).location,
        "/billing?done=card_saved"
    );
    assert!(shown(&mut shopper).contains("visa 4242"));
    shopper.control("POST", "release");
    shopper.control("DELETE", "delivery");
    shopper.idle();
    assert!(shown(&mut shopper).contains("visa 4242"));
}

#[test]
fn stripe_s_own_page_shows_the_caller_s_cards_only_and_what_is_removed_there_is_forgotten_here() {
    let stage = shared();
    rested_card(&stage, MASTERCARD);
    rested_card(&stage, VISA);
    let mut shopper = Shopper::new(&stage, "lookup");
    let mut other = Shopper::new(&stage, "neighbour");
    // Stripe does not know who never bought anything.
    assert_eq!(
        shopper.browser.post("/billing/portal", &[]).location,
        "/billing"
    );
    shopper.buy(&stage, "10", MASTERCARD);
    other.buy(&stage, "10", VISA);
    assert_eq!(switch_on(&mut shopper), 303);
    let open = |shopper: &mut Shopper| {
        let shown = shopper.browser.post("/billing/portal", &[]);
        assert_eq!(shown.status, 303, "{}", shown.body);
        let page = crate::browser::send(
            ureq::http::Request::get(&shown.location)
                .body(String::new())
                .unwrap(),
        );
        assert_eq!(page.status, 200, "{}", page.body);
        (shown.location, page.body)
    };
    let (portal, page) = open(&mut shopper);
    assert!(
        page.contains("mastercard 4444") && !page.contains("visa 4242"),
        "{page}"
    );
    let (_, others) = open(&mut other);
    assert!(
        others.contains("visa 4242") && !others.contains("mastercard 4444"),
        "{others}"
    );
    // Its way back leads to where it was opened.
    let way_back = format!("href=\"{}/billing\"", stage.stack.reseller_url());
    assert!(page.contains(&way_back), "{page}");
    // Not even with its id does it remove another's card.
    let (mine, theirs) = (
        kept(&shopper, &stage).unwrap(),
        kept(&other, &stage).unwrap(),
    );
    press(&portal, &[("remove", &theirs)]);
    shopper.idle();
    assert_eq!(kept(&other, &stage), Some(theirs));
    press(&portal, &[("remove", &mine)]);
    shopper.idle();
    assert_eq!(kept(&shopper, &stage), None);
    assert_eq!(
        stopped_by(&shopper, &stage).as_deref(),
        Some("card_removed")
    );
    cron(&stage);
    assert_eq!(shopper.ledger(&stage, "purchase"), (1, 10 * DOLLAR));
}
