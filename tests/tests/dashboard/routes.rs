//! Every route with no session, with the wrong role and with somebody else's objects. The list is the
//! dashboard's own, so a new route cannot be forgotten: one that names objects in a way that this test
//! does not know fails it.

use tollgate_dashboard::{Access, route_list};

use crate::browser::{Browser, Shown};
use crate::stage::{Stage, shared};

/// What must never be on a page of somebody else.
fn secrets(stage: &Stage) -> Vec<String> {
    let demo = &stage.demo;
    vec![
        demo.reseller_customer_id.clone(),
        demo.account_id.clone(),
        demo.end_user.email.clone(),
        demo.operator.email.clone(),
        demo.key.get(..16).unwrap().to_owned(),
        demo.reseller_customer_key.get(..16).unwrap().to_owned(),
    ]
}

fn check_silent(stage: &Stage, shown: &Shown, what: &str, allowed: &[&str]) {
    for secret in secrets(stage) {
        if !allowed.contains(&secret.as_str()) {
            assert!(!shown.body.contains(&secret), "{what} shows `{secret}`");
        }
    }
}

/// The path with ids that are nobody's, or somebody else's.
fn path_of(stage: &Stage, path: &str) -> String {
    let foreign = |path: &str| match path.split('/').nth(1).unwrap_or_default() {
        "keys" => "key_0000000000000000".to_owned(),
        "requests" => "req_0000000000000".to_owned(),
        "customers" | "resellers" => stage.demo.account_id.clone(),
        "billing" => "ord_0000000000000000".to_owned(),
        "prices" => "rul_0000000000000000".to_owned(),
        "provider-accounts" => "pva_0000000000000000".to_owned(),
        "settings" => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "domains" => "nobody.example".to_owned(),
        "models" => "nobody%2Fnothing".to_owned(),
        "sign-in" => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "assets" => "nothing.js".to_owned(),
        other => panic!("say whose `{other}` this test should ask for"),
    };
    if !path.contains('{') {
        return path.to_owned();
    }
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            foreign(path)
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

fn ask(browser: &mut Browser, method: &str, path: &str) -> Shown {
    match method {
        "GET" => browser.get(path),
        "POST" => browser.post(path, &[]),
        other => panic!("no route has the method `{other}`"),
    }
}

#[test]
fn without_a_session_every_page_leads_to_the_sign_in() {
    let stage = shared();
    for (method, pattern, access) in route_list() {
        let path = path_of(&stage, pattern);
        let mut browser = Browser::new(&stage.stack.dashboard_url());
        let shown = ask(&mut browser, method, &path);
        let what = format!("{method} {path}");
        check_silent(&stage, &shown, &what, &[]);
        match (access, method) {
            (Access::Machine | Access::Anybody, _) => assert!(shown.status < 500, "{what}"),
            (_, "GET") => {
                assert_eq!(shown.status, 303, "{what}");
                assert!(shown.location.starts_with("/sign-in"), "{what}");
            }
            // A form that carries no token of a session is refused before anything else.
            (_, _) => assert_eq!(shown.status, 403, "{what}"),
        }
    }
}

#[test]
fn with_the_wrong_role_a_page_does_not_exist() {
    let mut stage = shared();
    stage.renew_links();
    let demo = &stage.demo;
    let people = [
        (
            "end user",
            &demo.end_user,
            [Access::Seller, Access::Operator].as_slice(),
            [demo.end_user.email.as_str(), &demo.reseller_customer_id],
        ),
        (
            "reseller",
            &demo.reseller,
            [Access::Operator].as_slice(),
            [demo.reseller.email.as_str(), &demo.reseller_customer_id],
        ),
        (
            "operator",
            &demo.operator,
            [Access::Buyer].as_slice(),
            [demo.operator.email.as_str(), &demo.account_id],
        ),
    ];
    for (name, person, forbidden, own) in people {
        let mut browser = Browser::signed_in(&person.sign_in_url);
        let mut tried = 0;
        for (method, pattern, access) in route_list() {
            if !forbidden.contains(&access) {
                continue;
            }
            tried += 1;
            let path = path_of(&stage, pattern);
            let shown = ask(&mut browser, method, &path);
            assert_eq!(shown.status, 404, "{name}: {method} {path}");
            check_silent(&stage, &shown, &format!("{name}: {path}"), &own);
        }
        assert!(tried > 3, "{name} was kept from {tried} routes only");
    }
}

#[test]
fn somebody_elses_objects_are_not_found() {
    let mut stage = shared();
    stage.renew_links();
    let demo = &stage.demo;
    // Neither is a customer of the other's seller.
    let people = [
        (
            "end user",
            &demo.end_user,
            [Access::Buyer, Access::Person].as_slice(),
        ),
        (
            "reseller",
            &demo.reseller,
            [Access::Buyer, Access::Seller, Access::Person].as_slice(),
        ),
    ];
    for (name, person, allowed) in people {
        let mut browser = Browser::signed_in(&person.sign_in_url);
        for (method, pattern, access) in route_list() {
            if !allowed.contains(&access) || !pattern.contains('{') {
                continue;
            }
            let path = path_of(&stage, pattern);
            let shown = ask(&mut browser, method, &path);
            let what = format!("{name}: {method} {path}");
            assert!(
                [404, 422].contains(&shown.status),
                "{what}: {}",
                shown.status
            );
            let own = [
                demo.end_user.email.as_str(),
                &demo.reseller_customer_id,
                &demo.account_id,
            ];
            check_silent(&stage, &shown, &what, &own);
        }
    }
}

#[test]
fn every_answer_forbids_foreign_scripts_and_frames() {
    let stage = shared();
    for (method, pattern, _) in route_list() {
        if method != "GET" {
            continue;
        }
        let mut browser = Browser::new(&stage.stack.dashboard_url());
        let shown = browser.get(&path_of(&stage, pattern));
        let policy = &shown.headers["content-security-policy"];
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{pattern}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{pattern}: {policy}");
        assert_eq!(
            shown.headers["x-content-type-options"], "nosniff",
            "{pattern}"
        );
    }
}
