//! What an end user sets and sees: keys that the gateway obeys, a log that finds every call once, files
//! and statements that add up, sessions that end, and the end of the account.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{KeyId, RequestId};
use tollgate_core::money::Nanos;
use xtask::clock::now_ms;

use crate::browser::{Browser, Shown};
use crate::past::{CHARGE, DAY_MS, Past};
use crate::people::{
    Customer, PER_CALL, Shop, USD, balance, call, change, fill, logged, number, refusal, rows,
    send_form,
};
use crate::stage::{Stage, shared};

/// Makes a key as the page does, and reads it there; the id comes with it.
fn make_key(customer: &mut Customer, typed: &[(&str, &str)]) -> (String, KeyId) {
    let hidden = customer.member.browser.get("/keys/new").form("/keys");
    let made = send_form(&mut customer.member.browser, "/keys", &hidden, typed);
    assert_eq!(made.status, 200, "{}", made.text());
    let id = KeyId::parse(&hidden[0].1).unwrap();
    let (_, rest) = made.body.split_once("tg_live_").expect("the key");
    let rest: String = rest
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    // A second click makes no second key and shows nothing.
    let again = send_form(&mut customer.member.browser, "/keys", &hidden, typed);
    assert!(again.text().contains("created before"), "{}", again.text());
    assert!(!again.body.contains(&rest));
    (format!("tg_live_{rest}"), id)
}

#[test]
fn what_is_set_of_a_key_holds_from_its_next_call_on() {
    let stage = shared();
    let shop = Shop::with_prices(&stage, "Keys", 100);
    let mut customer = shop.customer(&stage, 50);
    let (key, id) = make_key(
        &mut customer,
        &[("name", "ci <b>"), ("budget_total", "0.2")],
    );
    let ask = |stage: &Stage| refusal(&call(stage, &key, PER_CALL));
    // A call costs $0.125, so that the budget is for one.
    assert_eq!(ask(&stage).0, 200);
    assert_eq!(ask(&stage), (402, "key_budget_exceeded".to_owned()));
    let page = format!("/keys/{id}");
    let set = |customer: &mut Customer, typed: &[(&str, &str)]| {
        let typed = [&[("name", "ci")], typed].concat();
        let shown = fill(&mut customer.member.browser, &page, &page, &typed);
        assert_eq!(shown.status, 303, "{typed:?}: {}", shown.text());
    };
    for (field, value, status, code) in [
        ("requests_per_minute", "0", 429, "rate_limit_requests"),
        ("requests_per_hour", "0", 429, "rate_limit_requests"),
        ("requests_per_day", "0", 429, "rate_limit_requests"),
        ("tokens_per_minute", "0", 429, "rate_limit_tokens"),
        ("parallel_calls", "0", 429, "too_many_parallel"),
        ("max_tokens", "9", 400, "max_tokens_too_large"),
        ("models", "openai/*\r\nsim/echo", 403, "model_not_allowed"),
        ("budget_day", "0.13", 402, "key_budget_exceeded"),
        ("budget_week", "0.13", 402, "key_budget_exceeded"),
        ("budget_month", "0.13", 402, "key_budget_exceeded"),
        ("budget_total", "0.13", 402, "key_budget_exceeded"),
    ] {
        set(&mut customer, &[(field, value)]);
        assert_eq!(ask(&stage), (status, code.to_owned()), "{field}={value}");
        set(&mut customer, &[]);
        assert_eq!(ask(&stage).0, 200, "without {field}");
    }
    // The account's other key has limits of its own.
    set(
        &mut customer,
        &[("requests_per_minute", "0"), ("max_tokens", "77")],
    );
    assert_eq!(customer.call(&stage, PER_CALL).status, 200);
    let line = logged(&stage, "key.edit", id.as_str());
    assert_eq!(line.before["requests_per_minute"], json!(null));
    let after = json!({ "requests_per_minute": 0, "max_tokens": 77 });
    assert_eq!(line.after, after);
    assert_eq!(line.actor, format!("person:{}", customer.member.person));
    for wrong in [
        ("name", " "),
        ("budget_day", "-1"),
        ("max_tokens", "0"),
        ("models", "a\u{0}b"),
        ("expires", "2020-01-01"),
        ("expires", "soon"),
    ] {
        let typed = [("name", "ci"), wrong];
        let shown = fill(
            &mut customer.member.browser,
            &page,
            &page,
            &typed[usize::from(wrong.0 == "name")..],
        );
        assert_eq!(shown.status, 422, "{wrong:?}");
    }
}

#[test]
fn a_key_ends_with_its_day_and_a_revoked_one_at_once() {
    let stage = shared();
    let shop = Shop::with_prices(&stage, "Ends", 100);
    let mut customer = shop.customer(&stage, 50);
    let today = tollgate_core::calendar::rfc3339(now_ms()).unwrap();
    let (key, id) = make_key(
        &mut customer,
        &[("name", "today"), ("expires", &today[..10])],
    );
    assert_eq!(call(&stage, &key, PER_CALL).status, 200);
    let ends_ms = number(
        &stage,
        "SELECT expires_at_ms FROM keys WHERE id = ?1",
        &[id.as_str()],
    );
    assert_eq!(ends_ms, (now_ms() / DAY_MS + 1) * DAY_MS);
    // The day is over. What the gateway remembers of the key does not keep it alive.
    let ended = Statement::new("UPDATE keys SET expires_at_ms = ?2 WHERE id = ?1");
    change(&stage, ended.bind(id.as_str()).bind(now_ms()));
    assert_eq!(
        refusal(&call(&stage, &key, PER_CALL)),
        (401, "key_expired".to_owned())
    );

    let page = format!("/keys/{}", customer.key_id);
    assert_eq!(customer.call(&stage, PER_CALL).status, 200);
    for _ in 0..2 {
        let revoked = customer.member.browser.post(&format!("{page}/revoke"), &[]);
        assert_eq!(revoked.status, 303, "{}", revoked.text());
        let refused = refusal(&customer.call(&stage, PER_CALL));
        assert_eq!(refused, (401, "key_revoked".to_owned()));
    }
    let lines = "SELECT count(*) FROM audit_log WHERE action = 'key.revoke' AND subject = ?1";
    assert_eq!(
        number(&stage, lines, &[customer.key_id.as_str()]),
        1,
        "a double click"
    );
    // It does not come back by being edited.
    let edited = customer.member.browser.post(&page, &[("name", "again")]);
    assert_eq!(edited.status, 409, "{}", edited.text());
    assert_eq!(customer.call(&stage, PER_CALL).status, 401);
    assert!(
        customer
            .member
            .browser
            .get(&page)
            .text()
            .contains("revoked for good")
    );
}

/// The calls on a page of the log, in its order.
fn calls_on(page: &Shown) -> Vec<i64> {
    let links = page.body.split("href=\"/requests/req_").skip(1);
    let ids = links.map(|link| format!("req_{}", link.split('"').next().unwrap()));
    ids.map(|id| RequestId::parse(&id).unwrap().get()).collect()
}

/// The address of the link that goes on in this direction.
fn way(page: &Shown, rel: &str) -> Option<String> {
    let (before, _) = page.body.split_once(&format!("rel=\"{rel}\""))?;
    let href = before.rsplit("href=\"").next()?.split('"').next()?;
    Some(href.replace("&amp;", "&"))
}

/// Where looking goes on after so many calls that do not fit.
fn continued(page: &Shown) -> Option<String> {
    let (before, _) = page.body.split_once("Continue looking")?;
    let href = before.rsplit("href=\"").next()?.split('"').next()?;
    Some(href.replace("&amp;", "&"))
}

/// Every call of a search, page by page until the end, and back again.
fn walk(browser: &mut Browser, search: &str) -> Vec<i64> {
    let first = format!("/requests?{search}");
    let mut found = Vec::new();
    let mut at = Some(first);
    let mut last = None;
    while let Some(address) = at {
        let page = browser.get(&address);
        assert_eq!(page.status, 200, "{address}");
        let calls = calls_on(&page);
        assert!(calls.len() <= 50, "{address}");
        found.extend(calls);
        at = way(&page, "next").or_else(|| continued(&page));
        last = Some(page);
    }
    // Back from the end, the pages have the same calls.
    let mut back = Vec::new();
    let mut page = last.unwrap();
    loop {
        let calls = calls_on(&page);
        back.splice(0..0, calls);
        let at =
            way(&page, "prev").or_else(|| continued(&page).filter(|way| way.contains("newer=")));
        let Some(address) = at else {
            break;
        };
        page = browser.get(&address);
    }
    assert_eq!(back, found, "{search}");
    found
}

fn as_ids(rows: &[tollgate_core::hrana::Row]) -> Vec<i64> {
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

#[test]
fn the_log_finds_each_call_once_whatever_is_looked_for() {
    let stage = shared();
    let shop = Shop::with_prices(&stage, "Log", 100);
    let mut customer = shop.customer(&stage, 50);
    let (_, other) = make_key(&mut customer, &[("name", "other")]);
    let past = Past {
        customer: &customer,
        shop: &shop,
        tenth: &other,
        calls: 2_300,
    };
    past.over_days(&stage, 3);
    let account = customer.member.account.to_string();
    let day = |ago: i64| {
        let day = tollgate_core::calendar::rfc3339(now_ms() - ago * DAY_MS).unwrap();
        day[..10].to_owned()
    };
    let (yesterday, before) = (day(1), day(2));
    let border = |text: &str| {
        let read = "SELECT strftime('%s', ?1) * 1000";
        RequestId::first_at(number(&stage, read, &[text])).get()
    };
    let (from, to) = (border(&before), border(&yesterday));
    let first = customer.key_id.to_string();
    for (search, test) in [
        (
            format!("from={before}&to={before}"),
            format!("id >= {from} AND id < {to}"),
        ),
        (format!("key={other}"), format!("key_id = '{other}'")),
        (
            format!("key={other}&status=failed"),
            format!("key_id = '{other}' AND status = 502"),
        ),
        (
            format!("key={first}&model=sim%2Fmodel-1&status=ok&from={yesterday}"),
            format!("key_id = '{first}' AND model = 'sim/model-1' AND status = 200 AND id >= {to}"),
        ),
        (
            "model=sim%2Fmodel-2&status=failed".to_owned(),
            "model = 'sim/model-2' AND status = 502".to_owned(),
        ),
        ("model=nobody%2Fnothing".to_owned(), "false".to_owned()),
        ("status=held".to_owned(), "state = 'held'".to_owned()),
    ] {
        let read =
            format!("SELECT id FROM requests WHERE account_id = ?1 AND {test} ORDER BY id DESC");
        let expect = as_ids(&rows(&stage, &read, &[&account]));
        assert_eq!(
            walk(&mut customer.member.browser, &search),
            expect,
            "{search}"
        );
    }
    let all = as_ids(&rows(
        &stage,
        "SELECT id FROM requests WHERE account_id = ?1 ORDER BY id DESC",
        &[&account],
    ));
    assert_eq!(walk(&mut customer.member.browser, ""), all);
    // A call that comes while somebody pages moves nothing.
    let second = way(&customer.member.browser.get("/requests"), "next").unwrap();
    assert_eq!(customer.call(&stage, PER_CALL).status, 200);
    assert_eq!(
        calls_on(&customer.member.browser.get(&second)),
        all[50..100]
    );
    // Somebody else's key finds nothing.
    let mut stranger = shop.customer(&stage, 0);
    assert_eq!(
        walk(&mut stranger.member.browser, &format!("key={other}")),
        Vec::<i64>::new()
    );
}

fn nanos(usd: &str) -> i64 {
    Nanos::parse_usd(usd).unwrap().get()
}

#[test]
fn files_of_twenty_thousand_calls_are_whole_and_agree_and_the_statement_adds_up() {
    let stage = shared();
    let mut shop = Shop::with_prices(&stage, "Files", 2_000);
    let mut customer = shop.customer(&stage, 1_000);
    let (_, other) = make_key(&mut customer, &[("name", "=other")]);
    let calls = 20_000;
    let past = Past {
        customer: &customer,
        shop: &shop,
        tenth: &other,
        calls,
    };
    past.for_sums(&stage, 70);
    shop.give(&customer.member, ("5", "+1"));

    let browser = &mut customer.member.browser;
    let csv = browser.get("/requests/export?format=csv");
    let json = browser.get("/requests/export?format=json");
    let head: Vec<&str> = csv.body.lines().next().unwrap().split(',').collect();
    let lines: Vec<Vec<&str>> = csv
        .body
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    let objects: Vec<BTreeMap<String, Value>> = serde_json::from_str(&json.body).unwrap();
    assert_eq!((lines.len(), objects.len()), (20_000, 20_000));
    for (line, object) in lines.iter().zip(&objects) {
        assert_eq!(line.len(), head.len(), "{line:?}");
        for (name, cell) in head.iter().zip(line) {
            let value = match &object[*name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            // A spreadsheet takes no name for a formula.
            let value = if value.starts_with('=') {
                format!("'{value}")
            } else {
                value
            };
            assert_eq!(*cell, value, "{name} of {line:?}");
        }
    }
    let account = customer.member.account.to_string();
    let known = as_ids(&rows(
        &stage,
        "SELECT id FROM requests WHERE account_id = ?1 ORDER BY id",
        &[&account],
    ));
    let column = |name: &str| head.iter().position(|known| *known == name).unwrap();
    let found: Vec<i64> = lines
        .iter()
        .map(|line| RequestId::parse(line[column("id")]).unwrap().get())
        .collect();
    assert_eq!(found, known);
    let charged: i64 = lines
        .iter()
        .map(|line| nanos(line[column("charge_usd")]))
        .sum();
    assert_eq!(charged, calls * (calls + 1) / 2 * CHARGE);
    let some = browser.get(&format!(
        "/requests/export?format=csv&key={other}&status=failed"
    ));
    let expect =
        "SELECT count(*) FROM requests WHERE account_id = ?1 AND key_id = ?2 AND status = 502";
    let expect = number(&stage, expect, &[&account, other.as_str()]);
    assert_eq!(
        some.body.lines().count(),
        usize::try_from(expect).unwrap() + 1
    );

    // Months follow on each other, and the last ends with what there is.
    let mut opening = None;
    let mut month = |ago: i64| {
        let read = format!("SELECT strftime('%Y-%m', 'now', 'start of month', '-{ago} months')");
        let month: String = rows(&stage, &read, &[])[0].get(0).unwrap();
        let file = customer
            .member
            .browser
            .get(&format!("/billing/statement.csv?month={month}"));
        assert_eq!(file.status, 200, "{}", file.text());
        let lines: Vec<Vec<&str>> = file
            .body
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect())
            .collect();
        let mut sum = None;
        for line in &lines {
            let balance = nanos(line[5]);
            match sum {
                None => assert_eq!(line[1], "opening"),
                Some(sum) if line[1] == "closing" => assert_eq!(balance, sum, "{line:?}"),
                Some(sum) => assert_eq!(balance, sum + nanos(line[4]), "{line:?}"),
            }
            sum = Some(balance);
        }
        assert!(
            opening.is_none_or(|opening| Some(opening) == sum),
            "{month}"
        );
        assert_eq!(lines.last().unwrap()[1], "closing");
        opening = Some(nanos(lines[0][5]));
        (sum.unwrap(), lines.len())
    };
    let (closing, _) = month(0);
    assert_eq!(closing, balance(&stage, &customer.member.account));
    assert_eq!(closing, 1_005 * USD - charged);
    assert!(month(1).1 > 28, "a line a day");
    month(2);
    month(3);
    assert_eq!(month(4), (0, 2));
}

#[test]
fn a_name_a_zone_and_a_language_are_kept_and_pages_are_in_them() {
    let stage = shared();
    let mut shop = Shop::with_prices(&stage, "Profiles", 100);
    let mut customer = shop.customer(&stage, 50);
    assert_eq!(customer.call(&stage, PER_CALL).status, 200);
    let browser = &mut customer.member.browser;
    assert!(browser.get("/requests").body.contains(" UTC\""));
    let typed = [
        ("name", "Ada <Lovelace>"),
        ("time_zone", "asia/kathmandu"),
        ("language", "en"),
    ];
    let saved = browser.post("/settings/profile", &typed);
    assert_eq!(saved.status, 303, "{}", saved.text());
    let log = browser.get("/requests");
    assert!(
        log.body.contains(" +0545\"") && !log.body.contains(" UTC\""),
        "{}",
        log.body
    );
    let settings = browser.get("/settings");
    assert!(
        settings.body.contains("value=\"Ada &lt;Lovelace&gt;\""),
        "{}",
        settings.body
    );
    assert!(
        settings.body.contains("value=\"Asia/Kathmandu\""),
        "{}",
        settings.body
    );
    assert!(
        settings.body.contains("<html lang=\"en\""),
        "{}",
        settings.body
    );
    assert!(
        settings.text().contains("Language English"),
        "{}",
        settings.text()
    );
    let of_customer = shop
        .reseller
        .browser
        .get(&format!("/customers/{}", customer.member.account));
    assert!(
        of_customer.text().contains("Ada <Lovelace>"),
        "{}",
        of_customer.text()
    );
    logged(&stage, "person.profile", customer.member.person.as_str()).check(
        &customer.member,
        &json!({ "name": "", "time_zone": "UTC", "language": "en" }),
        &json!({ "name": "Ada <Lovelace>", "time_zone": "Asia/Kathmandu", "language": "en" }),
    );
    let browser = &mut customer.member.browser;
    for (name, zone) in [
        ("a\nb", "UTC"),
        (&*"x".repeat(81), "UTC"),
        ("Ada", "Mars/Base"),
        ("Ada", "../x"),
    ] {
        let typed = [("name", name), ("time_zone", zone), ("language", "en")];
        assert_eq!(
            browser.post("/settings/profile", &typed).status,
            422,
            "{typed:?}"
        );
    }
    // A language that there is not is the one that there is.
    let typed = [("name", "Ada"), ("time_zone", "UTC"), ("language", "tlh")];
    assert_eq!(browser.post("/settings/profile", &typed).status, 303);
    assert!(browser.get("/settings").body.contains("<html lang=\"en\""));
}

/// Whether somebody is signed in there.
fn is_in(browser: &mut Browser) -> bool {
    let shown = browser.get("/keys");
    assert!(
        shown.status == 200 || shown.location.starts_with("/sign-in"),
        "{}",
        shown.body
    );
    shown.status == 200
}

/// The sessions that the settings offer to end, but for the one that looks.
fn other_sessions(browser: &mut Browser) -> Vec<String> {
    let page = browser.get("/settings").body;
    let rows = page
        .split("<tr>")
        .filter(|row| row.contains("name=\"session\""));
    let rows = rows.filter(|row| !row.contains("this one"));
    let values = rows.map(|row| row.split("name=\"session\" value=\"").nth(1).unwrap());
    values
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_session_that_ends_elsewhere_is_over_at_its_next_request() {
    let stage = shared();
    let shop = Shop::open(&stage, "Sessions", 0);
    let mut customer = shop.customer(&stage, 0);
    let mut lost = customer.member.another_browser(&stage);
    let mut kept = customer.member.another_browser(&stage);
    let mut stranger = shop.customer(&stage, 0);
    let sessions = other_sessions(&mut customer.member.browser);
    assert_eq!(sessions.len(), 2);
    let end = |browser: &mut Browser, session: &str| {
        browser.post("/settings/sessions/end", &[("session", session)])
    };
    // Nobody ends the session of somebody else.
    end(&mut stranger.member.browser, &sessions[0]);
    assert!(is_in(&mut lost) && is_in(&mut kept));
    for _ in 0..2 {
        let ended = end(&mut customer.member.browser, &sessions[0]);
        assert_eq!(ended.status, 303, "a double click: {}", ended.text());
    }
    let mut in_now = [is_in(&mut lost), is_in(&mut kept)];
    in_now.sort_unstable();
    assert_eq!(in_now, [false, true]);
    assert!(is_in(&mut customer.member.browser));
    let (mut out, mut still) = if is_in(&mut lost) {
        (kept, lost)
    } else {
        (lost, kept)
    };
    // What it had open does nothing any more.
    let refused = out.post(
        "/settings/profile",
        &[("name", "thief"), ("time_zone", "UTC")],
    );
    assert_eq!(refused.status, 403);
    let name = "SELECT count(*) FROM people WHERE id = ?1 AND name = ''";
    assert_eq!(number(&stage, name, &[customer.member.person.as_str()]), 1);
    logged(&stage, "session.end", customer.member.person.as_str());
    let data = customer.member.browser.get("/settings/data").body;
    assert!(
        data.contains("session.end") && !data.contains(&sessions[0]),
        "{data}"
    );

    let over = customer
        .member
        .browser
        .post("/settings/sessions/end-all", &[]);
    assert_eq!((over.status, over.location.as_str()), (303, "/sign-in"));
    assert!(!is_in(&mut customer.member.browser) && !is_in(&mut still));
    assert!(is_in(&mut stranger.member.browser));
    let line = logged(&stage, "session.end_all", customer.member.person.as_str());
    assert_eq!(
        (line.before, line.after),
        (json!({ "sessions": 2 }), json!({ "sessions": 0 }))
    );
}

#[test]
fn a_closed_account_has_no_key_and_no_session_and_took_its_data_along() {
    let stage = shared();
    let mut shop = Shop::with_prices(&stage, "Closes", 100);
    let mut customer = shop.customer(&stage, 50);
    let (second, _) = make_key(&mut customer, &[("name", "second")]);
    assert_eq!(customer.call(&stage, PER_CALL).status, 200);
    assert_eq!(call(&stage, &second, "sim/echo").status, 200);
    let mut elsewhere = customer.member.another_browser(&stage);

    let data = elsewhere.get("/settings/data");
    assert!(data.headers["content-disposition"].starts_with("attachment"));
    let data: Value = serde_json::from_str(&data.body).unwrap();
    let count = |name: &str| {
        data[name]
            .as_array()
            .unwrap_or_else(|| panic!("{name}: {data}"))
            .len()
    };
    assert_eq!(data["person"][0]["email"], json!(customer.member.email));
    assert_eq!(
        data["account"][0]["id"],
        json!(customer.member.account.as_str())
    );
    assert_eq!(
        (
            count("sessions"),
            count("keys"),
            count("requests"),
            count("ledger")
        ),
        (2, 2, 2, 1)
    );
    assert!(count("audit_log") >= 3, "{}", data["audit_log"]);
    let whole = data.to_string();
    for secret in [&customer.key, &second] {
        assert!(!whole.contains(&secret[..20]), "{secret}");
    }

    let close = |browser: &mut Browser, typed: &str| {
        fill(
            browser,
            "/settings/close",
            "/settings/close",
            &[("confirm", typed)],
        )
    };
    assert_eq!(
        close(&mut customer.member.browser, "somebody@else.test").status,
        422
    );
    assert_eq!(customer.call(&stage, PER_CALL).status, 200);
    let email = format!(" {} ", customer.member.email.to_uppercase());
    let closed = close(&mut customer.member.browser, &email);
    assert_eq!(
        (closed.status, closed.location.as_str()),
        (303, "/sign-in?done=closed")
    );
    for key in [&customer.key, &second] {
        assert_eq!(
            refusal(&call(&stage, key, PER_CALL)),
            (401, "key_revoked".to_owned())
        );
    }
    assert!(!is_in(&mut elsewhere) && !is_in(&mut customer.member.browser));
    assert!(customer.member.browser.get("/sign-in?done=closed").status == 200);
    let line = logged(&stage, "account.close", customer.member.account.as_str());
    assert_eq!(line.actor, format!("person:{}", customer.member.person));
    assert_eq!(line.before["status"], json!("active"));
    assert_eq!(line.after["status"], json!("suspended"));
    // Its seller cannot wake the keys.
    let resume = format!("/customers/{}/resume", customer.member.account);
    shop.reseller.browser.post(&resume, &[]);
    assert_eq!(refusal(&call(&stage, &second, PER_CALL)).0, 401);
    // A reseller has customers who depend on it: it asks the operator.
    assert_eq!(shop.reseller.browser.get("/settings/close").status, 404);
    assert_eq!(
        shop.reseller
            .browser
            .post("/settings/close", &[("confirm", &shop.reseller.email)])
            .status,
        404
    );
}
