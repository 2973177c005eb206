//! What people do in the dashboard that needs another company, a file or a stream: GitHub, the app of the
//! second factor, the playground, exports, a logo, a provider's credential.

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha1::Sha1;
use ureq::http::Request;
use xtask::clock::now_ms;

use crate::browser::{Browser, Shown, send, value_after};
use crate::signing_in::sign_in_with_code;
use crate::stage::shared;

/// GitHub's page, answered as this person; what comes back to the dashboard.
fn answer_github(page: &str, person: &str) -> Shown {
    let (address, query) = page.split_once('?').unwrap();
    let request =
        Request::post(address).header("content-type", "application/x-www-form-urlencoded");
    let back = send(request.body(format!("{query}&{person}")).unwrap());
    assert_eq!(back.status, 302, "{}", back.body);
    back
}

fn path_of(location: &str, origin: &str) -> String {
    location.strip_prefix(origin).unwrap_or(location).to_owned()
}

#[test]
fn github_lets_in_whom_it_knows_by_a_verified_address_and_nobody_else() {
    let stage = shared();
    let origin = stage.stack.dashboard_url();
    let come_back = |person: &str| {
        let mut browser = Browser::new(&origin);
        let away = browser.get("/sign-in/github");
        assert_eq!(away.status, 303, "{}", away.body);
        let back = answer_github(&away.location, person);
        let shown = browser.get(&path_of(&back.location, &origin));
        (browser, shown, back.location)
    };
    let (mut browser, shown, used) = come_back("person=octo-tester");
    assert_eq!(
        (shown.status, shown.location.as_str()),
        (303, "/"),
        "{}",
        shown.body
    );
    assert_eq!(browser.get("/").status, 200);
    // The way back works once, and in the browser that began it.
    for mut other in [browser, Browser::new(&origin)] {
        assert_eq!(other.get(&path_of(&used, &origin)).status, 403);
    }
    for nobody in ["person=octo-unverified", "person=octo-silent", "cancel=1"] {
        let (browser, shown, _) = come_back(nobody);
        assert_ne!(shown.status, 303, "{nobody}");
        assert_eq!(browser.cookie("__Host-session"), None, "{nobody}");
    }
}

/// The secret in the address that the page of the second factor has for an app.
pub fn app_secret(page: &str) -> String {
    let secret = page
        .split("secret=")
        .nth(1)
        .expect("an address for the app");
    secret
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}

/// The code that an app shows for a secret in base32 (RFC 6238).
pub fn app_code(secret: &str, at_ms: i64) -> String {
    let mut bits = 0_u64;
    let mut count = 0;
    let mut bytes = Vec::new();
    for letter in secret.bytes() {
        let digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
            .iter()
            .position(|known| *known == letter);
        bits = bits << 5 | u64::try_from(digit.unwrap()).unwrap();
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 255) as u8);
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&bytes).unwrap();
    mac.update(&(at_ms / 30_000).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let word = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

#[test]
fn the_operator_gets_nowhere_without_the_second_factor() {
    let stage = shared();
    let mut browser = Browser::new(&stage.stack.dashboard_url());
    sign_in_with_code(&stage, &mut browser, &stage.demo.operator.email);
    let led = "/second-factor?next=%2Fmodels%3Fpage%3D2";
    assert_eq!(browser.get("/models?page=2").location, led);
    assert_eq!(
        browser.post("/models/switch", &[]).location,
        "/second-factor"
    );
    let page = browser.get(led).body;
    assert!(
        page.contains("name=\"next\" value=\"/models?page=2\""),
        "{page}"
    );
    let secret = app_secret(&page);
    let code = app_code(&secret, now_ms());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(
        browser.post("/second-factor", &[("code", wrong)]).status,
        422
    );
    let before = browser.cookie("__Host-session").unwrap().to_owned();
    let code = app_code(&secret, now_ms());
    let fields = [("code", code.as_str()), ("next", "/models?page=2")];
    let opened = browser.post("/second-factor", &fields);
    assert_eq!(
        (opened.status, opened.location.as_str()),
        (303, "/models?page=2")
    );
    assert_ne!(browser.cookie("__Host-session"), Some(before.as_str()));
    assert_eq!(browser.get("/models").status, 200);
    // Whoever signs in next is asked for it, and a code is good once.
    let mut again = Browser::new(&stage.stack.dashboard_url());
    sign_in_with_code(&stage, &mut again, &stage.demo.operator.email);
    assert_eq!(again.get("/").location, "/second-factor");
    let refused = again.post("/second-factor", &fields);
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("value=\"/models?page=2\""),
        "{}",
        refused.body
    );
    assert_eq!(
        again.get("/models").location,
        "/second-factor?next=%2Fmodels"
    );
    // The next code, which is good half a minute early, leads on, and to no other site.
    let shown = again
        .get("/second-factor?next=https%3A%2F%2Fevil.test")
        .body;
    assert!(!shown.contains("evil.test"), "{shown}");
    let code = app_code(&secret, now_ms() + 30_000);
    let fields = [("code", code.as_str()), ("next", "//evil.test")];
    assert_eq!(again.post("/second-factor", &fields).location, "/");
}

#[test]
fn the_playground_streams_an_answer_and_its_price_is_in_the_log() {
    let mut stage = shared();
    stage.renew_links();
    let mut browser = Browser::signed_in(&stage.demo.end_user.sign_in_url);
    let csrf = browser.csrf();
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs([
        ("model", "sim/echo"),
        ("prompt", "hello out there"),
        ("csrf", &csrf),
    ]);
    let request = Request::post(format!("{}/playground", stage.stack.reseller_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", stage.stack.reseller_url())
        .header("accept", "text/event-stream")
        .header(
            "cookie",
            format!(
                "__Host-session={}",
                browser.cookie("__Host-session").unwrap()
            ),
        );
    let streamed = send(request.body(body.finish()).unwrap());
    assert_eq!(streamed.status, 200, "{}", streamed.body);
    assert!(streamed.headers["content-type"].starts_with("text/event-stream"));
    let chunks = streamed
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let chunks: Vec<Value> = chunks
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect();
    let text: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert!(text.contains("hello out there"), "{}", streamed.body);
    let cost = chunks
        .iter()
        .find_map(|chunk| chunk["usage"]["cost"].as_f64());
    assert!(cost.is_some_and(|cost| cost > 0.0), "{}", streamed.body);
    let log = browser.get("/requests").body;
    assert!(log.contains("sim/echo"), "{log}");
    // Without a script the same form answers with a page, once.
    let once = value_after(&browser.get("/playground").body, "name=\"once\"");
    let fields = [
        ("model", "sim/echo"),
        ("prompt", "once more"),
        ("once", once.as_str()),
    ];
    let page = browser.post("/playground", &fields);
    assert_eq!(page.status, 200);
    assert!(page.body.contains("once more once more"), "{}", page.body);
}

#[test]
fn everything_of_an_account_leaves_as_files_that_programs_read() {
    let mut stage = shared();
    stage.renew_links();
    let mut browser = Browser::signed_in(&stage.demo.end_user.sign_in_url);
    let csv = browser.get("/requests/export?format=csv");
    assert_eq!(csv.status, 200);
    assert!(csv.headers["content-disposition"].starts_with("attachment"));
    let json = browser.get("/requests/export?format=json");
    let rows: Value = serde_json::from_str(&json.body).unwrap();
    let lines = csv.body.lines().count();
    assert_eq!(
        lines,
        rows.as_array().unwrap().len() + 1,
        "a head and a line a call"
    );
    let data = browser.get("/settings/data");
    let data: Value = serde_json::from_str(&data.body).unwrap();
    assert!(data.to_string().contains(&stage.demo.end_user.email));
    assert_eq!(browser.get("/billing/statement.csv").status, 200);
    let mut reseller = Browser::signed_in(&stage.demo.reseller.sign_in_url);
    assert_eq!(reseller.get("/revenue/export").status, 200);
}

#[test]
fn a_logo_is_a_picture_or_it_is_refused() {
    let mut stage = shared();
    stage.renew_links();
    let mut reseller = Browser::signed_in(&stage.demo.reseller.sign_in_url);
    // The least that is a picture: one pixel.
    let png = [
        &b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"[..],
        b"\x00\x00\x00\x0dIDATx\x9cc\xf8\xdf\xc0\xf0\x1f\x00\x06\x80\x02\x7f\x10L\x1b\xe1\x00\x00\x00\x00IEND\xaeB`\x82",
    ]
    .concat();
    let upload = |reseller: &mut Browser, bytes: &[u8], csrf: &str| {
        let mut body = format!(
            "--XX\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--XX\r\n\
             content-disposition: form-data; name=\"logo\"; filename=\"a.png\"\r\n\
             content-type: image/png\r\n\r\n"
        )
        .into_bytes();
        body.extend(bytes);
        body.extend(b"\r\n--XX--\r\n");
        reseller.upload("/brand/logo", "multipart/form-data; boundary=XX", body)
    };
    let named = |support| {
        [
            ("name", "Demo shop"),
            ("color", "#1d4ed8"),
            ("support_url", support),
        ]
    };
    assert_eq!(
        reseller
            .post("/brand", &named("javascript:alert(1)"))
            .status,
        422
    );
    let saved = reseller.post("/brand", &named("https://help.example"));
    assert_eq!(saved.status, 303, "{}", saved.body);
    let csrf = reseller.csrf();
    assert_eq!(upload(&mut reseller, &png, "").status, 403);
    // Cut off, or not what it says it is: nothing of it counts, not even its token.
    let token = format!("--XX\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n");
    for kind in ["multipart/form-data; boundary=XX", "multipart/form-data"] {
        let cut_off = reseller.upload("/brand/logo", kind, token.clone().into_bytes());
        assert_eq!(cut_off.status, 403, "{kind}");
    }
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    assert_eq!(upload(&mut reseller, svg, &csrf).status, 422);
    let large = [png.as_slice(), &vec![0; 110_000]].concat();
    assert_eq!(upload(&mut reseller, &large, &csrf).status, 422);
    let taken = upload(&mut reseller, &png, &csrf);
    let said = taken.body.split("field-error").nth(1).unwrap_or_default();
    assert_eq!(taken.status, 303, "{said}");
    let logo = Browser::new(&stage.stack.reseller_url()).get("/brand/logo");
    assert_eq!(logo.status, 200);
    assert_eq!(logo.headers["content-type"], "image/png");
    assert_eq!(logo.headers["x-content-type-options"], "nosniff");
}

#[test]
fn a_credential_goes_in_is_tested_and_never_comes_out() {
    let mut stage = shared();
    stage.renew_links();
    let mut operator = Browser::signed_in(&stage.demo.operator.sign_in_url);
    let secret = "sk-or-simulator";
    let once = value_after(&operator.get("/provider-accounts").body, "name=\"once\"");
    let fields = [
        ("name", "Main"),
        ("credential", secret),
        ("once", once.as_str()),
    ];
    let created = operator.post("/provider-accounts", &fields);
    assert_eq!(created.status, 303, "{}", created.body);
    let tested = operator.post(&format!("/provider-accounts/{once}/test"), &[]);
    assert_eq!(tested.status, 303, "{}", tested.body);
    let page = operator.get("/provider-accounts").body;
    assert!(page.contains("Main") && !page.contains(secret), "{page}");
    // The gateway uses it from the next call on.
    let call = Request::post(format!("{}/v1/chat/completions", stage.stack.gateway_url()))
        .header("authorization", format!("Bearer {}", stage.demo.key))
        .header("content-type", "application/json");
    let body = r#"{"model":"sim/echo","messages":[{"role":"user","content":"hi"}]}"#;
    let answer = send(call.body(body.to_owned()).unwrap());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let read = tollgate_core::hrana::Statement::new(
        "SELECT provider_account_id FROM requests ORDER BY id DESC LIMIT 1",
    );
    let rows = stage.stack.database().read(read).unwrap();
    let used: Option<String> = rows.first().unwrap().get(0).unwrap();
    assert_eq!(used.as_deref(), Some(once.as_str()));
}
