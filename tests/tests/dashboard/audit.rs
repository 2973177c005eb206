//! The audit log as people read it: who sees which lines, and that a line tells what was changed and
//! nothing else.

use serde_json::json;

use crate::browser::Browser;
use crate::people::{Member, Shop, fill, logged, operator};
use crate::stage::shared;

/// What a reseller and its customer did.
struct Done {
    shop: Shop,
    customer: Member,
    /// What the reseller did, and what its customer did: the ids of what was changed.
    sellers: Vec<String>,
    buyers: Vec<String>,
}

/// Each of them changes a few things.
fn act(stage: &crate::stage::Stage, name: &str) -> Done {
    let mut shop = Shop::with_prices(stage, name, 100);
    let mut customer = shop.customer(stage, 10);
    shop.give(&customer.member, ("1", "a gift"));
    for word in ["suspend", "resume"] {
        let shown = shop.reseller.browser.post(
            &format!("/customers/{}/{word}", customer.member.account),
            &[],
        );
        assert_eq!(shown.status, 303);
    }
    let host = format!(
        "{}.example",
        shop.reseller.account.as_str().replace('_', "-")
    );
    assert_eq!(
        shop.reseller
            .browser
            .post("/brand/domains", &[("host", &host)])
            .status,
        303
    );
    let key = format!("/keys/{}", customer.key_id);
    let named = [
        ("name", "renamed"),
        ("max_tokens", "100"),
        ("budget_day", "5"),
    ];
    assert_eq!(
        fill(&mut customer.member.browser, &key, &key, &named).status,
        303
    );
    let rule = "SELECT id FROM price_rules WHERE account_id = ?1";
    let rule = crate::people::rows(stage, rule, &[shop.reseller.account.as_str()]);
    Done {
        sellers: vec![
            rule[0].get(0).unwrap(),
            host,
            customer.member.account.to_string(),
        ],
        buyers: vec![customer.key_id.to_string()],
        customer: customer.member,
        shop,
    }
}

/// Every page of somebody's log, as text.
fn whole_log(browser: &mut Browser, filter: &str) -> String {
    let mut text = String::new();
    let mut at = Some(format!("/audit?{filter}"));
    while let Some(address) = at {
        let page = browser.get(&address);
        assert_eq!(page.status, 200, "{address}");
        text.push_str(&page.text());
        let older = page.body.split_once("rel=\"next\"");
        at = older.map(|(before, _)| {
            let href = before.rsplit("href=\"").next().unwrap();
            href.split('"').next().unwrap().replace("&amp;", "&")
        });
    }
    text
}

#[test]
fn everybody_sees_the_lines_of_the_own_account_and_the_operator_all_of_them() {
    let mut stage = shared();
    let mut mine = act(&stage, "Mine");
    let mut other = act(&stage, "Other");
    let check = |log: &str, there: &[&Vec<String>], absent: &[&Vec<String>]| {
        for id in there.iter().copied().flatten() {
            assert!(log.contains(id), "no `{id}` in {log}");
        }
        for id in absent.iter().copied().flatten() {
            assert!(!log.contains(id), "`{id}` in {log}");
        }
    };
    let log = whole_log(&mut mine.shop.reseller.browser, "");
    check(&log, &[&mine.sellers], &[&other.sellers, &other.buyers]);
    for action in [
        "rule.create",
        "account.suspend",
        "account.resume",
        "ledger.post",
        "domain.request",
    ] {
        assert!(log.contains(action), "{action}: {log}");
    }
    assert!(log.contains(&mine.shop.reseller.email), "who: {log}");
    assert!(log.contains("status: active \u{2192} suspended"), "{log}");
    let log = whole_log(&mut mine.customer.browser, "");
    check(&log, &[&mine.buyers], &[&other.sellers, &other.buyers]);
    assert!(
        !log.contains("rule.create") && !log.contains("domain.request"),
        "{log}"
    );
    assert!(log.contains("a gift"), "{log}");
    // Whoever gave it is a seller's person, whom the customer does not know.
    assert!(!log.contains(&mine.shop.reseller.email), "{log}");
    // Filters narrow it, and open nothing.
    let subject = format!("subject={}", other.buyers[0]);
    let actor = format!("actor=person:{}", other.shop.reseller.person);
    for browser in [&mut mine.shop.reseller.browser, &mut mine.customer.browser] {
        for filter in [&subject, &actor, &"before=99999999999".to_owned()] {
            let log = whole_log(browser, filter);
            check(&log, &[], &[&other.sellers]);
        }
        assert!(whole_log(browser, &subject).contains("Nothing was found"));
    }
    let log = whole_log(&mut other.shop.reseller.browser, "action=rule.");
    assert!(
        log.contains("rule.create") && !log.contains("account.suspend"),
        "{log}"
    );

    let mut operator = operator(&mut stage);
    for done in [&mine, &other] {
        for id in done.sellers.iter().chain(&done.buyers) {
            let log = operator.get(&format!("/audit?subject={id}")).text();
            assert!(log.contains(id), "{log}");
        }
        let log = whole_log(
            &mut operator,
            &format!("actor=person:{}", done.shop.reseller.person),
        );
        assert!(
            log.contains(&done.shop.reseller.email) && log.contains("rule.create"),
            "{log}"
        );
    }
}

#[test]
fn a_line_tells_what_was_changed_and_does_not_claim_that_the_rest_is_gone() {
    let stage = shared();
    let mut done = act(&stage, "Lines");
    let key = done.buyers[0].clone();
    let line = logged(&stage, "key.edit", &key);
    assert_eq!(
        line.after,
        json!({ "name": "renamed", "max_tokens": 100, "budget_day_nanos": 5_000_000_000_i64 })
    );
    let page = format!("/keys/{key}");
    let typed = [
        ("name", "renamed"),
        ("max_tokens", "100"),
        ("budget_day", "6"),
    ];
    assert_eq!(
        fill(&mut done.customer.browser, &page, &page, &typed).status,
        303
    );
    let log = done
        .customer
        .browser
        .get(&format!("/audit?subject={key}&action=key.edit"))
        .text();
    assert!(
        log.contains("budget_day_nanos: 5000000000 \u{2192} 6000000000"),
        "{log}"
    );
    assert!(
        !log.contains("max_tokens: 100 \u{2192} \u{2013}"),
        "what stayed is not gone: {log}"
    );
    assert!(!log.contains("name: renamed \u{2192} \u{2013}"), "{log}");
}
