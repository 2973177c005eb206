//! Who gets in, and who does not.

use serde_json::Value;
use ureq::http::Request;

use crate::browser::{Browser, send};
use crate::stage::{Stage, shared};

/// The latest mail to an address, once there is one.
pub fn mail_to(stage: &Stage, address: &str) -> Value {
    let url = format!(
        "{}/_sim/mail/wait?to={address}",
        stage.stack.simulator_url()
    );
    let text = ureq::get(&url)
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let mut told: Value = serde_json::from_str(&text).unwrap();
    told["mails"][0].take()
}

pub fn code_in(mail: &Value) -> String {
    let subject = mail["subject"].as_str().unwrap();
    subject.chars().take_while(char::is_ascii_digit).collect()
}

/// Signs somebody in with the code in the mail.
pub fn sign_in_with_code(stage: &Stage, browser: &mut Browser, address: &str) {
    browser.get("/sign-in");
    let asked = browser.post("/sign-in", &[("email", address)]);
    assert_eq!(asked.status, 303, "{}", asked.body);
    let code = code_in(&mail_to(stage, address));
    let entered = browser.post("/sign-in/code", &[("code", &code)]);
    assert_eq!(entered.status, 303, "{}", entered.body);
}

#[test]
fn a_newcomer_signs_up_with_nothing_but_an_address_and_the_code_sent_there() {
    let stage = shared();
    let mut browser = Browser::new(&stage.stack.dashboard_url());
    assert_eq!(browser.get("/").location, "/sign-in");
    assert_eq!(browser.get("/keys").location, "/sign-in?next=%2Fkeys");
    assert_eq!(
        browser.get("/requests?model=a&page=2").location,
        "/sign-in?next=%2Frequests%3Fmodel%3Da%26page%3D2"
    );
    browser.get("/sign-in");
    let asked = browser.post(
        "/sign-in",
        &[("email", " New.Comer@Example.test "), ("next", "/keys")],
    );
    assert_eq!(
        (asked.status, asked.location.as_str()),
        (303, "/sign-in/code")
    );
    let mail = mail_to(&stage, "new.comer@example.test");
    let code = code_in(&mail);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = browser.post("/sign-in/code", &[("code", wrong)]);
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("4 more times"), "{}", refused.body);
    // The code is of no use in another browser.
    let mut thief = Browser::new(&stage.stack.dashboard_url());
    thief.get("/sign-in");
    assert_ne!(thief.post("/sign-in/code", &[("code", &code)]).status, 200);
    assert_eq!(thief.cookie("__Host-session"), None);
    let entered = browser.post("/sign-in/code", &[("code", &code)]);
    assert_eq!((entered.status, entered.location.as_str()), (303, "/keys"));
    assert_eq!(browser.get("/").status, 200);
    // Used once.
    let again = browser.post("/sign-in/code", &[("code", &code)]);
    assert_ne!(again.status, 200);
    // The way out closes the door for the cookie, too.
    let token = browser.cookie("__Host-session").unwrap().to_owned();
    assert_eq!(browser.post("/sign-out", &[]).location, "/sign-in");
    let mut thief = Browser::new(&stage.stack.dashboard_url());
    thief.set_cookie("__Host-session", &token);
    assert_eq!(thief.get("/").location, "/sign-in");
}

#[test]
fn a_page_does_not_tell_whether_an_address_is_known() {
    let stage = shared();
    let ask = |email: &str| {
        let mut browser = Browser::new(&stage.stack.dashboard_url());
        browser.get("/sign-in");
        let asked = browser.post("/sign-in", &[("email", email)]);
        let shown = browser.get("/sign-in/code");
        (
            asked.status,
            asked.location,
            shown.status,
            shown.body.replace(email, "ADDRESS"),
        )
    };
    let strip = |(a, b, c, body): (u16, String, u16, String)| {
        let body: String = body.lines().filter(|line| !line.contains("csrf")).collect();
        let body = body
            .split("name=\"csrf\"")
            .map(|part| part.get(60..).unwrap_or_default())
            .collect::<String>();
        (a, b, c, body)
    };
    assert_eq!(
        strip(ask("reseller@demo.test")),
        strip(ask("nobody-at-all@demo.test"))
    );
}

#[test]
fn a_one_time_link_works_once_and_only_at_its_sellers_host() {
    let mut stage = shared();
    stage.renew_links();
    let link = stage.demo.end_user.sign_in_url.clone();
    let elsewhere = link.replace(&stage.stack.reseller_url(), &stage.stack.dashboard_url());
    let path = |link: &str| format!("/sign-in{}", link.split_once("/sign-in").unwrap().1);
    let mut wrong = Browser::new(&stage.stack.dashboard_url());
    assert_eq!(wrong.get(&path(&elsewhere)).status, 403);
    let mut browser = Browser::signed_in(&link);
    assert_eq!(browser.get("/").status, 200);
    let mut second = Browser::new(&stage.stack.reseller_url());
    assert_eq!(second.get(&path(&link)).status, 403);
    // A session counts at the host of its seller only.
    let mut moved = Browser::new(&stage.stack.dashboard_url());
    moved.set_cookie("__Host-session", browser.cookie("__Host-session").unwrap());
    assert_eq!(moved.get("/").location, "/sign-in");
}

#[test]
fn what_looks_at_a_link_before_its_person_does_uses_nothing_up() {
    let mut stage = shared();
    stage.renew_links();
    let link = stage.demo.end_user.sign_in_url.clone();
    let head = Request::head(&link).body(String::new()).unwrap();
    let ahead = Request::get(&link).header("sec-purpose", "prefetch;prerender");
    for (request, expect) in [(head, 200), (ahead.body(String::new()).unwrap(), 503)] {
        let shown = send(request);
        assert_eq!(shown.status, expect);
        assert_eq!(shown.headers.get("set-cookie"), None);
    }
    assert_eq!(Browser::signed_in(&link).get("/").status, 200);
}

#[test]
fn a_form_of_another_site_or_another_session_changes_nothing() {
    let mut stage = shared();
    stage.renew_links();
    let mut browser = Browser::signed_in(&stage.demo.end_user.sign_in_url);
    let origin = stage.stack.reseller_url();
    let csrf = browser.csrf();
    let check = |fields: &[(&str, &str)], origin: &str, expect: u16| {
        let shown = browser.clone().post_raw("/sign-out", fields, origin);
        assert_eq!(shown.status, expect, "{fields:?} from {origin}");
    };
    check(&[], &origin, 403);
    check(&[("csrf", "")], &origin, 403);
    check(&[("csrf", "AAAA")], &origin, 403);
    check(&[("csrf", &csrf)], "https://evil.test", 403);
    check(&[("csrf", &csrf)], "null", 403);
    check(&[("csrf", &csrf)], &stage.stack.dashboard_url(), 403);
    assert_eq!(browser.get("/").status, 200);
    assert_eq!(
        browser
            .post_raw("/sign-out", &[("csrf", &csrf)], &origin)
            .status,
        303
    );
}

#[test]
fn a_form_that_was_open_while_somebody_signed_out_says_so_and_keeps_nothing() {
    let stage = shared();
    let mut browser = Browser::new(&stage.stack.dashboard_url());
    sign_in_with_code(&stage, &mut browser, "two.windows@example.test");
    let mut window = browser.clone();
    let typed = [
        ("name", "Typed In Vain"),
        ("time_zone", "UTC"),
        ("language", "en"),
    ];
    let csrf = window.csrf();
    assert_eq!(browser.post("/sign-out", &[]).status, 303);
    window.forget("__Host-session");
    let mut fields = typed.to_vec();
    fields.push(("csrf", &csrf));
    let refused = window.post_raw("/settings/profile", &fields, &stage.stack.dashboard_url());
    assert_eq!(refused.status, 403);
    for said in ["not signed in any more", "href=\"/sign-in\""] {
        assert!(refused.body.contains(said), "{}", refused.body);
    }
    for kept in ["Typed In Vain", &csrf] {
        assert!(!refused.body.contains(kept), "{}", refused.body);
    }
    assert_eq!(refused.headers.get("set-cookie"), None);
    // Also when the cookie is still there and its session is not.
    window.set_cookie("__Host-session", &"A".repeat(43));
    let refused = window.post("/settings/profile", &typed);
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("not signed in any more"));
    // And after signing in again the form of before is too old, the page of now is not.
    sign_in_with_code(&stage, &mut window, "two.windows@example.test");
    let refused = window.post_raw("/settings/profile", &fields, &stage.stack.dashboard_url());
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("too old"), "{}", refused.body);
    assert_eq!(window.post("/settings/profile", &typed).status, 303);
}

#[test]
fn who_is_signed_in_can_sign_in_as_somebody_else() {
    let stage = shared();
    let mut browser = Browser::new(&stage.stack.dashboard_url());
    sign_in_with_code(&stage, &mut browser, "first.of.two@example.test");
    let first = browser.cookie("__Host-session").unwrap().to_owned();
    let page = browser.get("/sign-in").body;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
    let csrf = csrf.split('"').next().unwrap().to_owned();
    let origin = stage.stack.dashboard_url();
    let fields = [
        ("email", "second.of.two@example.test"),
        ("csrf", csrf.as_str()),
    ];
    let asked = browser.post_raw("/sign-in", &fields, &origin);
    assert_eq!(asked.location, "/sign-in/code", "{}", asked.body);
    let code = code_in(&mail_to(&stage, "second.of.two@example.test"));
    assert_eq!(
        browser.post("/sign-in/code", &[("code", &code)]).status,
        303
    );
    let shown = browser.get("/settings").body;
    assert!(shown.contains("second.of.two@example.test"));
    // The session of the first is over and not only out of sight.
    let mut thief = Browser::new(&origin);
    thief.set_cookie("__Host-session", &first);
    assert_eq!(thief.get("/").location, "/sign-in");
}

#[test]
fn a_cookie_that_somebody_planted_never_becomes_a_session() {
    let stage = shared();
    let planted = "Q".repeat(42) + "A";
    let mut browser = Browser::new(&stage.stack.dashboard_url());
    browser.set_cookie("__Host-session", &planted);
    browser.get("/sign-in");
    let mut thief = Browser::new(&stage.stack.dashboard_url());
    thief.set_cookie("__Host-session", &planted);
    let address = "planted@example.test";
    sign_in_with_code(&stage, &mut browser, address);
    assert_ne!(browser.cookie("__Host-session"), Some(planted.as_str()));
    assert_eq!(thief.get("/").location, "/sign-in");
    // Signing in again gives another token, and the one before is worth nothing.
    let before = browser.cookie("__Host-session").unwrap().to_owned();
    sign_in_with_code(&stage, &mut browser, address);
    thief.set_cookie("__Host-session", &before);
    assert_eq!(thief.get("/").location, "/sign-in");
    assert_eq!(browser.get("/").status, 200);
}

#[test]
fn strangers_who_ask_for_an_address_do_not_keep_its_owner_out() {
    let stage = shared();
    let address = "wanted@example.test";
    let mut browser = Browser::new(&stage.stack.dashboard_url());
    sign_in_with_code(&stage, &mut browser, address);
    browser.post("/sign-out", &[]);
    let last = || mail_to(&stage, address)["id"].clone();
    let mut sent = 0;
    let mut before = last();
    for _ in 0..12 {
        let mut stranger = Browser::new(&stage.stack.dashboard_url());
        stranger.get("/sign-in");
        let asked = stranger.post("/sign-in", &[("email", address)]);
        // None of them learns whether it was sent.
        assert_eq!(asked.location, "/sign-in/code");
        let now = last();
        sent += usize::from(now != before);
        before = now;
    }
    // The owner's own sign-in was the first of ten.
    assert_eq!(sent, 9);
    sign_in_with_code(&stage, &mut browser, address);
    assert_eq!(browser.get("/").status, 200);
    assert_ne!(last(), before);
}

#[test]
fn who_closed_an_account_may_come_back_and_finds_nothing_of_it() {
    let stage = shared();
    let address = "comes.back@example.test";
    let mut browser = Browser::new(&stage.stack.dashboard_url());
    sign_in_with_code(&stage, &mut browser, address);
    let profile = [
        ("name", "Of The First"),
        ("time_zone", "Europe/Berlin"),
        ("language", "en"),
    ];
    assert_eq!(browser.post("/settings/profile", &profile).status, 303);
    for path in ["/settings", "/audit"] {
        assert!(browser.get(path).body.contains("Of The First"), "{path}");
    }
    let closed = browser.post("/settings/close", &[("confirm", address)]);
    assert_eq!(closed.location, "/sign-in?done=closed", "{}", closed.body);
    sign_in_with_code(&stage, &mut browser, address);
    for path in ["/settings", "/audit", "/settings/data"] {
        let shown = browser.get(path);
        assert_eq!(shown.status, 200);
        assert!(!shown.body.contains("Of The First"), "{path}");
    }
}

#[test]
fn cookies_go_to_this_host_alone_and_no_script_reads_them() {
    let stage = shared();
    let mut browser = Browser::new(&stage.stack.dashboard_url());
    let mut set = Vec::new();
    let mut note = |shown: &crate::browser::Shown| {
        let cookies = shown.headers.get("set-cookie").into_iter();
        set.extend(cookies.flat_map(|all| all.lines().map(str::to_owned)));
    };
    note(&browser.get("/sign-in/github"));
    note(&browser.get("/sign-in"));
    let address = "cookies@example.test";
    note(&browser.post("/sign-in", &[("email", address)]));
    let code = code_in(&mail_to(&stage, address));
    note(&browser.post("/sign-in/code", &[("code", &code)]));
    note(&browser.post("/sign-out", &[]));
    for name in [
        "__Host-github",
        "__Host-browser",
        "__Host-known",
        "__Host-session",
    ] {
        assert!(set.iter().any(|cookie| cookie.starts_with(name)), "{set:?}");
    }
    for cookie in set {
        let (name, rest) = cookie.split_once('=').unwrap();
        assert!(name.starts_with("__Host-"), "{cookie}");
        let attributes: Vec<&str> = rest.split("; ").skip(1).collect();
        for needed in ["Path=/", "HttpOnly", "Secure", "SameSite=Lax"] {
            assert!(attributes.contains(&needed), "{cookie}");
        }
        assert!(!rest.contains("Domain"), "{cookie}");
    }
}

#[test]
fn nobody_is_led_to_another_site() {
    let stage = shared();
    let check = |next: &str| {
        let mut browser = Browser::new(&stage.stack.dashboard_url());
        browser.get("/sign-in");
        let address = format!("next-{}@example.test", next.len());
        browser.post("/sign-in", &[("email", &address), ("next", next)]);
        let code = code_in(&mail_to(&stage, &address));
        assert_eq!(
            browser.post("/sign-in/code", &[("code", &code)]).location,
            "/",
            "{next}"
        );
    };
    check("https://evil.test/");
    check("//evil.test");
    check("/\\evil.test/x");
    check("javascript:alert(1)");
}

#[test]
fn a_host_that_is_nobodys_shows_nothing() {
    let stage = shared();
    for host in [
        "evil.test",
        "127.0.0.1",
        "",
        "localhost:1",
        "a,b",
        "localhost:x",
    ] {
        let request =
            Request::get(format!("{}/sign-in", stage.stack.dashboard_url())).header("host", host);
        let shown = send(request.body(String::new()).unwrap());
        assert!(
            [400, 421].contains(&shown.status),
            "{host}: {}",
            shown.status
        );
        assert!(!shown.body.contains("Demo"), "{host}");
    }
}
