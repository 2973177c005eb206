//! What a reseller decides in its pages, and what comes of it elsewhere: prices at the gateway, credit in
//! the ledgers of both sides, limits that hold from the next call on, revenue that adds up, a host.

use std::time::{Duration, Instant};

use serde_json::json;
use tollgate_core::calendar::rfc3339;
use tollgate_core::money::Nanos;
use xtask::clock::now_ms;

use crate::browser::Browser;
use crate::past::Past;
use crate::people::{
    PER_CALL, Shop, USD, balance, fill, logged, number, operator, refusal, rows, send_form,
};
use crate::stage::{Stage, shared};

/// What the operator charges a reseller for a call of [`PER_CALL`].
const BASE: i64 = USD / 10;

/// The id of the seller's latest rule.
fn latest_rule(stage: &Stage, shop: &Shop) -> String {
    let read = "SELECT id FROM price_rules WHERE account_id = ?1 ORDER BY created_at_ms DESC, rowid DESC LIMIT 1";
    let rows = rows(stage, read, &[shop.reseller.account.as_str()]);
    rows[0].get(0).unwrap()
}

/// Tries a rule and saves what is shown, as the page does it.
fn save_rule(shop: &mut Shop, typed: &[(&str, &str)]) -> u16 {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(typed);
    let page = format!("/prices?{}", query.finish());
    let hidden = shop.reseller.browser.get(&page).form("/prices/rules");
    let saves = [(); 2].map(|()| {
        let shown = send_form(&mut shop.reseller.browser, "/prices/rules", &hidden, &[]);
        shown.status
    });
    assert_eq!(saves[0], saves[1], "a double click");
    saves[0]
}

#[test]
fn a_price_is_tried_saved_replaced_announced_and_ended_and_the_next_call_obeys() {
    let stage = shared();
    let mut shop = Shop::open(&stage, "Prices", 100);
    let customer = shop.customer(&stage, 50);
    let unpriced = refusal(&customer.call(&stage, PER_CALL));
    assert_eq!(unpriced, (404, "model_not_found".to_owned()));

    // Trying one changes nothing.
    let state = || {
        let read = "SELECT (SELECT count(*) FROM price_rules) || ' ' || (SELECT count(*) FROM audit_log) \
                    || ' ' || (SELECT sum(rules_version) FROM accounts)";
        rows(&stage, read, &[])[0].get::<String>(0).unwrap()
    };
    let before = state();
    let tried = "/prices?pattern=sim%2Fper-request&markup=20&search=per-request";
    let page = shop.reseller.browser.get(tried);
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("sim/per-request +20%"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("$0.12"), "{}", page.text());
    assert_eq!(state(), before, "a what-if wrote something");
    assert_eq!(refusal(&customer.call(&stage, PER_CALL)).0, 404);

    let rule = [("pattern", PER_CALL), ("markup", "20"), ("priority", "3")];
    assert_eq!(save_rule(&mut shop, &rule), 303);
    let seller = shop.reseller.account.to_string();
    let count = "SELECT count(*) FROM price_rules WHERE account_id = ?1";
    assert_eq!(number(&stage, count, &[&seller]), 1, "a double click");
    let first = latest_rule(&stage, &shop);
    assert_eq!(customer.charge(&stage, PER_CALL), BASE * 120 / 100);
    let created = logged(&stage, "rule.create", &first);
    assert_eq!(created.after["markup_bps"], 2_000);
    let after = created.after.clone();
    created.check(&shop.reseller, &json!({}), &after);

    let other = [
        ("replaces", first.as_str()),
        ("pattern", PER_CALL),
        ("markup", "50"),
    ];
    assert_eq!(save_rule(&mut shop, &other), 303);
    let second = latest_rule(&stage, &shop);
    assert_ne!(first, second);
    assert_eq!(customer.charge(&stage, PER_CALL), BASE * 150 / 100);
    let ended = logged(&stage, "rule.end", &first);
    assert_eq!(ended.before, json!({ "ends_at_ms": null }));
    let history = shop.reseller.browser.get("/prices/history").text();
    let email = &shop.reseller.email;
    assert!(history.contains("sim/per-request 20%"), "{history}");
    assert_eq!(
        history.matches(email.as_str()).count(),
        3,
        "made by, ended by, and the menu: {history}"
    );

    // Announced for later, it changes nothing until then, and then nobody has to do anything.
    let starts_ms = (now_ms() / 1_000 + 4) * 1_000;
    let starts: String = rfc3339(starts_ms).unwrap().chars().take(19).collect();
    let later = [
        ("replaces", second.as_str()),
        ("pattern", PER_CALL),
        ("markup", "0"),
        ("min_charge", "0.3"),
        ("starts_at", &starts),
    ];
    assert_eq!(save_rule(&mut shop, &later), 303);
    let rules = shop.reseller.browser.get("/prices").text();
    let charge = customer.charge(&stage, PER_CALL);
    // On a machine that is busy with other things it may have begun by now.
    if now_ms() < starts_ms {
        let announced = rules.contains("announced") && rules.contains("ends");
        assert!(announced, "{rules}");
        assert_eq!(charge, BASE * 150 / 100);
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let charge = customer.charge(&stage, PER_CALL);
        if charge == 3 * BASE {
            break;
        }
        assert_eq!(charge, BASE * 150 / 100, "one rule or the other");
        assert!(Instant::now() < deadline, "an announced rule never began");
    }
    assert!(now_ms() >= starts_ms);

    let third = latest_rule(&stage, &shop);
    for _ in 0..2 {
        let end = format!("/prices/rules/{third}/end");
        assert_eq!(shop.reseller.browser.post(&end, &[]).status, 303);
    }
    assert_eq!(refusal(&customer.call(&stage, PER_CALL)).0, 404);
    let ends = "SELECT count(*) FROM audit_log WHERE action = 'rule.end' AND subject = ?1";
    assert_eq!(number(&stage, ends, &[&third]), 1, "a double click");
    let history = shop.reseller.browser.get("/prices/history").text();
    for shown in ["20%", "50%", "$0.30"] {
        assert!(history.contains(shown), "{shown}: {history}");
    }
}

#[test]
fn a_price_that_cannot_be_is_refused_and_rules_that_overlap_are_told() {
    let stage = shared();
    let mut shop = Shop::open(&stage, "Wrong prices", 100);
    let mut check = |typed: &[(&str, &str)], expect: &str| {
        let shown = shop.reseller.browser.post("/prices/rules", typed);
        assert_eq!(shown.status, 422, "{typed:?}");
        assert!(shown.text().contains(expect), "{typed:?}: {}", shown.text());
    };
    check(
        &[("pattern", "*"), ("markup", "-1")],
        "A markup below zero would sell below cost",
    );
    check(
        &[("pattern", "*"), ("markup", "-99999999999999999999")],
        "A markup below zero",
    );
    check(
        &[("pattern", "*"), ("markup", "100000.01")],
        "The highest markup is 100,000%",
    );
    check(
        &[("pattern", "*"), ("markup", "99999999999999999999999")],
        "The highest markup is 100,000%",
    );
    check(
        &[("pattern", "*"), ("markup", "1"), ("min_charge", "1000.01")],
        "The highest minimum of a call is $1,000",
    );
    check(
        &[("pattern", "*"), ("markup", "1"), ("min_charge", "-1")],
        "A minimum is zero or more",
    );
    check(
        &[("pattern", "*"), ("markup", "1"), ("priority", "1000001")],
        "Type a whole number from",
    );
    check(
        &[
            ("pattern", "*"),
            ("markup", "1"),
            ("starts_at", "2020-01-01T00:00"),
        ],
        "The start is in the past",
    );
    check(
        &[
            ("pattern", "a b'; DROP TABLE price_rules; --"),
            ("markup", "1"),
        ],
        "Names of models have no spaces",
    );
    check(
        &[("pattern", "<script>"), ("markup", "NaN")],
        "Type a percentage",
    );
    let seller = shop.reseller.account.to_string();
    let count = "SELECT count(*) FROM price_rules WHERE account_id = ?1";
    assert_eq!(number(&stage, count, &[&seller]), 0);

    // The dearest that there can be is shown, and no call overflows: it is not covered.
    let dearest = [
        ("pattern", "*"),
        ("markup", "100000"),
        ("min_charge", "1000"),
    ];
    assert_eq!(save_rule(&mut shop, &dearest), 303);
    let page = shop.reseller.browser.get("/prices");
    assert!(page.text().contains("$1,000.00"), "{}", page.text());
    let customer = shop.customer(&stage, 50);
    let refused = refusal(&customer.call(&stage, PER_CALL));
    assert_eq!(refused, (402, "insufficient_credits".to_owned()));

    // Of rules that overlap one wins, which the page says and the gateway obeys.
    assert_eq!(
        save_rule(
            &mut shop,
            &[("pattern", "sim/*"), ("markup", "10"), ("priority", "1")]
        ),
        303
    );
    assert_eq!(
        save_rule(&mut shop, &[("pattern", PER_CALL), ("markup", "30")]),
        303
    );
    let told = shop.reseller.browser.get("/prices").text();
    assert!(
        told.contains("sim/per-request prices nothing: sim/* wins"),
        "{told}"
    );
    assert!(told.contains("sim/* wins over * for models"), "{told}");
    assert_eq!(customer.charge(&stage, PER_CALL), BASE * 110 / 100);
}

#[test]
fn who_is_suspended_is_refused_at_once_and_works_again_when_resumed() {
    let mut stage = shared();
    let mut shop = Shop::with_prices(&stage, "Suspends", 100);
    let mut customer = shop.customer(&stage, 50);
    // The gateway remembers the caller by then.
    assert_eq!(customer.call(&stage, PER_CALL).status, 200);
    let account = customer.member.account.clone();
    let mut press = |word: &str| {
        let action = format!("/customers/{account}/{word}");
        let page = format!("/customers/{account}");
        fill(&mut shop.reseller.browser, &page, &action, &[])
    };
    assert_eq!(press("suspend").status, 303);
    let suspended = || (403, "account_suspended".to_owned());
    assert_eq!(refusal(&customer.call(&stage, PER_CALL)), suspended());
    assert_eq!(customer.member.browser.get("/").status, 200);
    assert_eq!(press("resume").status, 303);
    assert_eq!(customer.call(&stage, PER_CALL).status, 200);
    let line = logged(&stage, "account.suspend", account.as_str());
    line.check(
        &shop.reseller,
        &json!({ "status": "active" }),
        &json!({ "status": "suspended" }),
    );
    let line = logged(&stage, "account.resume", account.as_str());
    line.check(
        &shop.reseller,
        &json!({ "status": "suspended" }),
        &json!({ "status": "active" }),
    );
    // A second click changes nothing more.
    let action = format!("/customers/{account}/resume");
    assert_eq!(shop.reseller.browser.post(&action, &[]).status, 303);
    let lines = "SELECT count(*) FROM audit_log WHERE action = 'account.resume' AND subject = ?1";
    assert_eq!(
        number(&stage, lines, &[account.as_str()]),
        1,
        "a double click"
    );

    // A suspended reseller stops its customers' calls, which are told nothing of why.
    let mut operator = operator(&mut stage);
    let reseller = format!("/customers/{}", shop.reseller.account);
    let action = format!("{reseller}/suspend");
    assert_eq!(fill(&mut operator, &reseller, &action, &[]).status, 303);
    let refused = refusal(&customer.call(&stage, PER_CALL));
    assert_eq!(refused, (503, "reseller_unavailable".to_owned()));
    let action = format!("{reseller}/resume");
    assert_eq!(fill(&mut operator, &reseller, &action, &[]).status, 303);
    assert_eq!(customer.call(&stage, PER_CALL).status, 200);
}

#[test]
fn a_gift_moves_from_wallet_to_wallet_once_and_never_more_than_there_is() {
    let mut stage = shared();
    let mut shop = Shop::with_prices(&stage, "Gifts", 20);
    let mut customer = shop.customer(&stage, 1);
    let (seller, buyer) = (
        shop.reseller.account.clone(),
        customer.member.account.clone(),
    );
    let page = format!("/customers/{buyer}");
    let action = format!("{page}/grants");
    let hidden = shop.reseller.browser.get(&page).form(&action);
    let reason = "for <b>waiting</b>; =1+1";
    for _ in 0..2 {
        let typed = [("amount", "7.5"), ("reason", reason)];
        let shown = send_form(&mut shop.reseller.browser, &action, &hidden, &typed);
        assert_eq!(shown.status, 303, "{}", shown.body);
    }
    let balances = |stage: &Stage| [balance(stage, &seller), balance(stage, &buyer)];
    let given = [USD * 25 / 2, USD * 17 / 2];
    assert_eq!(balances(&stage), given);
    let entries = |account: &str| {
        let read = "SELECT kind || ' ' || amount_nanos || ' ' || reason FROM ledger_entries \
                    WHERE account_id = ?1 AND reason <> 'for a test' ORDER BY id";
        let rows = rows(&stage, read, &[account]);
        rows.iter()
            .map(|row| row.get(0).unwrap())
            .collect::<Vec<String>>()
    };
    assert_eq!(
        entries(seller.as_str()),
        [format!("transfer -7500000000 {reason}")]
    );
    assert_eq!(
        entries(buyer.as_str()),
        [format!("transfer 7500000000 {reason}")]
    );
    let statement = customer.member.browser.get("/billing/statement");
    assert!(statement.text().contains(reason), "{}", statement.text());
    assert!(!statement.body.contains("<b>waiting"), "{}", statement.body);
    let mine = shop.reseller.browser.get("/billing/statement").text();
    assert!(
        mine.contains(reason) && mine.contains("\u{2212}$7.50"),
        "{mine}"
    );
    for account in [&seller, &buyer] {
        let read = "SELECT count(*) FROM audit_log WHERE account_id = ?1 AND action = 'ledger.post' \
                    AND actor = ?2";
        let person = format!("person:{}", shop.reseller.person);
        assert_eq!(number(&stage, read, &[account.as_str(), &person]), 1);
    }

    let mut refused = |typed: &[(&str, &str)], expect: &str| {
        let shown = fill(&mut shop.reseller.browser, &page, &action, typed);
        assert_eq!(shown.status, 422, "{typed:?}");
        assert!(shown.text().contains(expect), "{typed:?}: {}", shown.text());
        assert_eq!(balances(&stage), given, "{typed:?}");
    };
    refused(
        &[("amount", "12.6"), ("reason", "too much")],
        "Your own balance does not cover this: $0.10 is missing",
    );
    refused(
        &[("amount", "0"), ("reason", "none")],
        "Type an amount above zero",
    );
    refused(
        &[("amount", "-5"), ("reason", "less")],
        "Type an amount above zero",
    );
    refused(
        &[("amount", "1e3"), ("reason", "more")],
        "Type an amount of US dollars",
    );
    refused(
        &[("amount", "100001"), ("reason", "zeros")],
        "The most that is given at once",
    );
    refused(&[("amount", "1"), ("reason", " ")], "Say why");
    let once = hidden.iter().find(|(name, _)| name == "once").unwrap();
    refused(
        &[("once", &once.1), ("amount", "1"), ("reason", reason)],
        "This form was sent before with other values",
    );
    // The operator's gift is made out of nothing, and is the reseller's alone.
    let mut operator = operator(&mut stage);
    let page = format!("/customers/{seller}");
    let typed = [("amount", "3"), ("reason", "welcome")];
    let shown = fill(&mut operator, &page, &format!("{page}/grants"), &typed);
    assert_eq!(shown.status, 303, "{}", shown.body);
    assert_eq!(balances(&stage), [given[0] + 3 * USD, given[1]]);
    // Whose customer it is not, nobody gives anything.
    let foreign = operator.post(&action, &typed);
    assert_eq!(foreign.status, 404);
    assert_eq!(balances(&stage), [given[0] + 3 * USD, given[1]]);
}

#[test]
fn limits_of_a_customer_hold_from_the_next_call_on_and_are_gone_when_they_are_emptied() {
    let stage = shared();
    let mut shop = Shop::with_prices(&stage, "Limits", 100);
    let customer = shop.customer(&stage, 50);
    let page = format!("/customers/{}", customer.member.account);
    let limits = format!("{page}/limits");
    let spending = format!("{page}/spend-limits");
    let mut check = |(action, field, value): (&str, &str, &str), expect: (u16, &str)| {
        let set = |shop: &mut Shop, value: &str| {
            let shown = fill(&mut shop.reseller.browser, &page, action, &[(field, value)]);
            assert_eq!(shown.status, 303, "{field}={value}: {}", shown.text());
        };
        set(&mut shop, value);
        let (status, code) = expect;
        let refused = refusal(&customer.call(&stage, PER_CALL));
        assert_eq!(refused, (status, code.to_owned()), "{field}={value}");
        set(&mut shop, "");
        let free = customer.call(&stage, PER_CALL);
        assert_eq!(free.status, 200, "{field}: {}", free.body);
    };
    for field in [
        "requests_per_minute",
        "requests_per_hour",
        "requests_per_day",
    ] {
        check((&limits, field, "0"), (429, "rate_limit_requests"));
    }
    check(
        (&limits, "tokens_per_minute", "0"),
        (429, "rate_limit_tokens"),
    );
    check((&limits, "parallel_calls", "0"), (429, "too_many_parallel"));
    check((&limits, "max_tokens", "9"), (400, "max_tokens_too_large"));
    check(
        (&limits, "allowed_models", "openai/*\nsim/echo"),
        (403, "model_not_allowed"),
    );
    for field in ["spend_day", "spend_week", "spend_month", "spend_total"] {
        check((&spending, field, "0.05"), (402, "spend_limit_exceeded"));
    }

    // The page shows what is set, and the log what was there.
    let set = [("requests_per_minute", "60"), ("allowed_models", "sim/*")];
    let shown = fill(&mut shop.reseller.browser, &page, &limits, &set);
    assert_eq!(shown.status, 303);
    let shown = shop.reseller.browser.get(&page);
    assert!(
        shown.body.contains("value=\"60\"") && shown.body.contains("sim/*</textarea>"),
        "{}",
        shown.body
    );
    let subject = customer.member.account.as_str();
    let line = logged(&stage, "account.limits", subject);
    assert_eq!(line.actor, format!("person:{}", shop.reseller.person));
    assert_eq!(line.before["requests_per_minute"], json!(null));
    assert_eq!(line.after["requests_per_minute"], json!(60));
    assert_eq!(line.after["allowed_models"], json!(["sim/*"]));
    assert_eq!(
        logged(&stage, "account.spend_limit", subject).before["total"],
        json!(50_000_000)
    );
    for (action, field, value) in [
        (&limits, "requests_per_minute", "-1"),
        (&limits, "max_tokens", "many"),
        (&limits, "max_tokens", "0"),
        (&limits, "default_max_tokens", "0"),
        (&spending, "spend_day", "-1"),
        (&spending, "spend_day", "99999999999999999999"),
    ] {
        let shown = fill(&mut shop.reseller.browser, &page, action, &[(field, value)]);
        assert_eq!(shown.status, 422, "{field}={value}");
    }
    let kept = number(
        &stage,
        "SELECT requests_per_minute FROM accounts WHERE id = ?1",
        &[subject],
    );
    assert_eq!(kept, 60);
}

#[test]
fn revenue_is_the_sum_of_what_the_calls_charged_and_cost_to_the_nano() {
    let stage = shared();
    let mut shop = Shop::with_prices(&stage, "Revenue", 100);
    let [one, other] = [(); 2].map(|()| shop.customer(&stage, 50));
    for (customer, calls) in [(&one, 40), (&other, 25)] {
        let past = Past {
            customer,
            shop: &shop,
            tenth: &customer.key_id,
            calls,
        };
        past.for_sums(&stage, 4);
    }
    let empty = shop.reseller.browser.get("/revenue").text();
    assert!(empty.contains("No calls in these days"), "{empty}");
    stage.stack.trigger_cron().unwrap();

    let read = "SELECT count(*) || ' ' || sum(r.levels ->> '$[0].charge') || ' ' || sum(r.levels ->> '$[1].charge') \
                FROM requests r WHERE r.levels ->> '$[1].account' = ?1";
    let seller = shop.reseller.account.to_string();
    let expect: String = rows(&stage, read, &[&seller])[0].get(0).unwrap();
    let file = shop.reseller.browser.get("/revenue/export?days=30").body;
    let lines: Vec<Vec<&str>> = file
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    let head: Vec<&str> = file.lines().next().unwrap().split(',').collect();
    let sum = |name: &str| -> i64 {
        let column = head
            .iter()
            .position(|known| *known == name)
            .unwrap_or_else(|| panic!("{head:?}"));
        let nanos = |text: &str| Nanos::parse_usd(text).unwrap().get();
        lines.iter().map(|line| nanos(line[column])).sum()
    };
    let found = format!(
        "{} {} {}",
        sum("calls") / USD,
        sum("charge_usd"),
        sum("cost_usd")
    );
    assert_eq!(found, expect);
    assert_eq!(sum("charge_usd") - sum("cost_usd"), sum("margin_usd"));
    let groups = "SELECT count(*) FROM (SELECT DISTINCT created_at_ms / 86400000, model, account_id FROM requests \
                  WHERE levels ->> '$[1].account' = ?1)";
    let groups = number(&stage, groups, &[&seller]);
    assert_eq!(
        lines.len(),
        usize::try_from(groups).unwrap(),
        "a line for each day, model and customer"
    );

    // The page says the same.
    let page = shop.reseller.browser.get("/revenue?days=30");
    let charges = (820 + 325) * 1_250;
    for (amount, name) in [
        (charges, "charges"),
        (charges * 4 / 5, "cost"),
        (charges / 5, "margin"),
    ] {
        let exact = Nanos::new(amount).to_string();
        assert!(
            page.body.contains(&exact),
            "{name} {exact}: {}",
            page.text()
        );
    }
    assert!(page.text().contains("Calls 65"), "{}", page.text());
    // A customer's page adds up to the same.
    let page = shop
        .reseller
        .browser
        .get(&format!("/customers/{}", one.member.account));
    let margin = Nanos::new(820 * 250).to_string();
    assert!(page.body.contains(&margin), "{margin}: {}", page.text());
    // Run again, nothing is counted twice.
    stage.stack.trigger_cron().unwrap();
    assert_eq!(
        shop.reseller.browser.get("/revenue/export?days=30").body,
        file
    );
}

#[test]
fn a_host_shows_a_brand_from_when_the_operator_verified_it_until_it_is_removed() {
    let mut stage = shared();
    let mut shop = Shop::open(&stage, "Hosts", 10);
    let named = [
        ("name", "Ada's <models>"),
        ("color", "#0f766e"),
        ("support_url", ""),
    ];
    assert_eq!(shop.reseller.browser.post("/brand", &named).status, 303);
    let host = format!("shop{}.example", now_ms());
    let origin = format!("https://{host}");
    let at_host = || Browser::at(&origin, &stage.stack.dashboard_url()).get("/sign-in");
    assert_eq!(at_host().status, 421);
    for _ in 0..2 {
        let asked = shop
            .reseller
            .browser
            .post("/brand/domains", &[("host", &host)]);
        assert_eq!(asked.status, 303, "{}", asked.body);
    }
    assert!(
        shop.reseller
            .browser
            .get("/brand")
            .text()
            .contains("waits for the operator")
    );
    assert_eq!(at_host().status, 421, "nobody verified it");
    // Not the seller's to verify, nor another seller's to ask for or to remove.
    assert_eq!(
        shop.reseller
            .browser
            .post("/domains/verify", &[("host", &host)])
            .status,
        404
    );
    let mut rival = Shop::open(&stage, "Rival", 0);
    assert_eq!(
        rival
            .reseller
            .browser
            .post("/brand/domains", &[("host", &host)])
            .status,
        422
    );
    rival
        .reseller
        .browser
        .post("/brand/domains/remove", &[("host", &host)]);
    assert_eq!(
        number(
            &stage,
            "SELECT count(*) FROM domains WHERE host = ?1",
            &[&host]
        ),
        1
    );

    let server = stage.stack.dashboard_url();
    let mut operator = operator(&mut stage);
    let claim = [
        ("host", host.as_str()),
        ("seller", shop.reseller.account.as_str()),
    ];
    let listed = operator.get("/domains").text();
    assert!(
        listed.contains(&format!("{host} Hosts waits for you")),
        "{listed}"
    );
    for _ in 0..2 {
        assert_eq!(operator.post("/domains/verify", &claim).status, 303);
    }
    // Nobody takes away the host that the page is at.
    let here = server.split_once("://").unwrap().1;
    assert_eq!(
        operator.post("/domains/remove", &[("host", here)]).status,
        404
    );
    assert_eq!(operator.get("/domains").status, 200);
    let mut visitor = Browser::at(&origin, &server);
    let shown = visitor.get("/sign-in");
    assert_eq!(shown.status, 200);
    assert!(shown.text().contains("Ada's <models>"), "{}", shown.text());
    assert!(!shown.body.contains("<models>"), "{}", shown.body);
    assert!(visitor.get("/brand/color.css").body.contains("0f766e"));
    // Its customers sign up there, and what they are told leads there.
    let asked = visitor.post("/sign-in", &[("email", "new@hosts.example.test")]);
    assert_eq!(asked.status, 303, "{}", asked.body);
    let line = logged(&stage, "domain.verify", &host);
    assert_eq!(line.before["verified_at_ms"], json!(null));
    assert!(line.after["verified_at_ms"].is_i64());
    assert_eq!(line.account, stage.demo.operator_id);

    for _ in 0..2 {
        let removed = shop
            .reseller
            .browser
            .post("/brand/domains/remove", &[("host", &host)]);
        assert_eq!(removed.status, 303);
    }
    assert_eq!(visitor.get("/sign-in").status, 421);
    let line = logged(&stage, "domain.remove", &host);
    assert_eq!(line.actor, format!("person:{}", shop.reseller.person));
    assert_eq!(
        line.before["account"],
        json!(shop.reseller.account.as_str())
    );
}
