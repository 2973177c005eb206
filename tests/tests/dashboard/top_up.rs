//! Automatic top-up through the running dashboard: switched on in the page, begun by the scheduled task when
//! calls have spent the credit, granted once, stopped by a card that fails, and the person told of that.

use tollgate_core::hrana::Statement;
use tollgate_tests::eventually;
use ureq::http::Request;

use crate::browser::send;
use crate::browser::value_after;
use crate::people::change;
use crate::shopper::{DOLLAR, Shopper, cron, press, rested_card};
use crate::stage::{Stage, shared};

/// A card that pays whenever it is asked.
const PAYS: &str = "5555555555554444";
/// Another one.
const ALSO_PAYS: &str = "4242424242424242";

/// Sets automatic top-up in the page: below how many full dollars, given in nanos, for how many dollars, and how many in
/// a month.
fn set(shopper: &mut Shopper, threshold: i64, (amount, month): (&str, &str)) {
    let threshold = (threshold / DOLLAR).to_string();
    let fields = [
        ("enabled", "on"),
        ("threshold", threshold.as_str()),
        ("top_up_amount", amount),
        ("month_limit", month),
    ];
    let shown = shopper.browser.post("/billing/top-up", &fields);
    assert_eq!(shown.status, 303, "{}", shown.body);
}

/// A key of the shopper's own.
fn key(shopper: &mut Shopper) -> String {
    let page = shopper.browser.get("/keys/new").body;
    let once = value_after(&page, "name=\"once\"");
    let shown = shopper
        .browser
        .post("/keys", &[("once", &once), ("name", "laptop")]);
    let at = shown
        .body
        .find("tg_live_")
        .unwrap_or_else(|| panic!("{}", shown.body));
    let key = shown.body[at..].chars();
    key.take_while(|it| it.is_ascii_alphanumeric() || *it == '_')
        .collect()
}

/// Spends a little through the gateway, and waits until it is charged.
fn call(stage: &Stage, shopper: &Shopper, key: &str) {
    let body = r#"{"model":"openai/gpt-4o-mini","messages":[{"role":"user","content":"hello"}]}"#;
    let request = Request::post(format!("{}/v1/chat/completions", stage.stack.gateway_url()))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {key}"));
    let shown = send(request.body(body.to_owned()).unwrap());
    assert_eq!(shown.status, 200, "{}", shown.body);
    eventually("the call is settled", || {
        let held: i64 = shopper.find(stage, "SELECT held_nanos FROM accounts WHERE id = ?1");
        (held == 0).then_some(())
    });
}

/// The payments that Stripe was asked for while nobody was there, by their ids.
fn payments(shopper: &Shopper, stage: &Stage) -> usize {
    let payments = shopper.told(stage, "payment_intent.created");
    let kind = |it: &&serde_json::Value| it["metadata"]["kind"] == "auto_topup";
    payments.iter().filter(kind).count()
}

fn is_on(shopper: &Shopper, stage: &Stage) -> bool {
    shopper.find(
        stage,
        "SELECT enabled FROM auto_top_ups WHERE account_id = ?1",
    )
}

#[test]
fn credit_that_calls_have_spent_is_bought_again_once_however_often_it_is_looked_at() {
    let stage = shared();
    rested_card(&stage, PAYS);
    rested_card(&stage, ALSO_PAYS);
    let mut shopper = Shopper::new(&stage, "spender");
    shopper.buy(&stage, "10", PAYS);
    set(&mut shopper, 10 * DOLLAR, ("20", "45"));
    let page = shopper.browser.get("/billing").body;
    assert!(page.contains("mastercard 4444"), "{page}");
    let key = key(&mut shopper);
    cron(&stage);
    assert_eq!(payments(&shopper, &stage), 0);

    shopper.control("POST", "delivery?duplicates=3&reorder=6&seed=11&parallel=1");
    call(&stage, &shopper, &key);
    let spent = 10 * DOLLAR - shopper.balance(&stage);
    assert!((1..DOLLAR).contains(&spent), "{spent}");
    let stack = &stage.stack;
    std::thread::scope(|scope| {
        let runs = [0; 3].map(|_| {
            let (trigger, cron) = (stack.cron(), stack.crons());
            let minute = cron.last().map_or("", |(_, cron)| cron).to_owned();
            scope.spawn(move || trigger.run(xtask::build::Worker::Dashboard, &minute))
        });
        for run in runs {
            run.join().unwrap().unwrap();
        }
    });
    shopper.idle();
    cron(&stage);
    shopper.control("DELETE", "delivery");
    assert_eq!(payments(&shopper, &stage), 1);
    assert_eq!(shopper.balance(&stage), 30 * DOLLAR - spent);
    assert_eq!(shopper.ledger(&stage, "purchase"), (2, 30 * DOLLAR));

    // The next payment is made, but neither its answer nor its events arrive.
    shopper.control("POST", "delivery?drop=1000");
    set(&mut shopper, 30 * DOLLAR, ("20", "45"));
    shopper.control("POST", "down?on=1&how=lose");
    cron(&stage);
    shopper.control("POST", "down?on=0");
    shopper.idle();
    assert_eq!(payments(&shopper, &stage), 2);
    assert_eq!(shopper.balance(&stage), 30 * DOLLAR - spent);
    // Another card meanwhile: what is asked again is the same all the same.
    save_card(&mut shopper, &stage, ALSO_PAYS);
    shopper.rest(&stage);
    for _ in 0..3 {
        cron(&stage);
    }
    assert_eq!(payments(&shopper, &stage), 2);
    assert_eq!(shopper.balance(&stage), 50 * DOLLAR - spent);
    shopper.control("DELETE", "delivery");

    // The month is full, and that is no failure.
    set(&mut shopper, 60 * DOLLAR, ("20", "45"));
    cron(&stage);
    assert_eq!(payments(&shopper, &stage), 2);
    assert!(is_on(&shopper, &stage));
    assert!(shopper.mails().is_empty());
    // More in a month, and it goes on; the day has its own limit, which nothing passes.
    set(&mut shopper, 1_000 * DOLLAR, ("100", "900"));
    for _ in 0..4 {
        cron(&stage);
        shopper.idle();
    }
    assert_eq!(payments(&shopper, &stage), 3);
    assert_eq!(shopper.ledger(&stage, "purchase"), (4, 150 * DOLLAR));
}

/// Saves a card on Stripe's page, without buying, and comes back from there.
fn save_card(shopper: &mut Shopper, stage: &Stage, card: &str) {
    let page = shopper.browser.get("/billing").body;
    let form = &page[page.find("\"/billing/card\"").expect("a button")..];
    let once = value_after(form, "name=\"once\"");
    let shown = shopper.browser.post("/billing/card", &[("once", &once)]);
    let back = press(&shown.location, &[("action", "pay"), ("card", card)]).location;
    let origin = stage.stack.reseller_url();
    let path = back
        .strip_prefix(&origin)
        .unwrap_or_else(|| panic!("{back}"));
    assert_eq!(
        shopper.browser.get(path).location,
        "/billing?done=card_saved"
    );
}

#[test]
fn a_card_that_fails_stops_it_and_everybody_of_the_account_gets_one_mail_that_says_why() {
    let stage = shared();
    let check = |card: &str, why: &str| {
        rested_card(&stage, card);
        let mut shopper = Shopper::new(&stage, "stopped");
        let other = Shopper::person(&stage, &shopper.account);
        shopper.buy(&stage, "10", card);
        set(&mut shopper, 10 * DOLLAR, ("20", "100"));
        let key = key(&mut shopper);
        call(&stage, &shopper, &key);
        let before = shopper.balance(&stage);
        // The mail cannot be sent at first.
        mail_down(&stage, true);
        cron(&stage);
        shopper.idle();
        cron(&stage);
        assert!(shopper.mails().is_empty() && other.mails().is_empty());
        mail_down(&stage, false);
        for _ in 0..3 {
            cron(&stage);
        }
        assert_eq!(payments(&shopper, &stage), 1);
        assert_eq!(shopper.balance(&stage), before);
        assert!(!is_on(&shopper, &stage));
        let page = shopper.browser.get("/billing").body;
        assert!(page.contains("Automatic top-up was switched off"), "{page}");
        assert!(page.contains(why), "{page}");
        for person in [&shopper, &other] {
            let mails = person.mails();
            assert_eq!(mails.len(), 1, "{mails:?}");
            let text = mails[0]["text"].as_str().unwrap();
            assert!(text.contains(why), "{text}");
            let link = format!("{}/billing", stage.stack.reseller_url());
            assert!(text.contains(&link), "{text}");
        }
        // Switched on again and stopped again is another mail.
        set(&mut shopper, 10 * DOLLAR, ("20", "100"));
        cron(&stage);
        shopper.idle();
        cron(&stage);
        assert_eq!(payments(&shopper, &stage), 2);
        assert_eq!(shopper.mails().len(), 2);
        assert!(!is_on(&shopper, &stage));
    };
    check("4000002760003184", "wants you to confirm the payment");
    check("4000000000000341", "bank refused the payment");
}

fn mail_down(stage: &Stage, down: bool) {
    let on = i32::from(down);
    let url = format!("{}/_sim/mail/down?on={on}", stage.stack.simulator_url());
    assert_eq!(
        send(Request::post(url).body(String::new()).unwrap()).status,
        200
    );
}

#[test]
fn a_threshold_counts_only_what_is_free() {
    let stage = shared();
    rested_card(&stage, PAYS);
    let mut shopper = Shopper::new(&stage, "holder");
    shopper.buy(&stage, "10", PAYS);
    set(&mut shopper, 10 * DOLLAR, ("20", "20"));
    let hold = |by: i64| {
        let sql = "UPDATE accounts SET held_nanos = held_nanos + ?2 WHERE id = ?1";
        let statement = Statement::new(sql).bind(shopper.account.as_str());
        change(&stage, statement.bind(by));
    };
    cron(&stage);
    assert_eq!(payments(&shopper, &stage), 0);
    // A call in flight may use what it holds.
    hold(1);
    cron(&stage);
    hold(-1);
    assert_eq!(payments(&shopper, &stage), 1);
    assert_eq!(shopper.balance(&stage), 30 * DOLLAR);
}
