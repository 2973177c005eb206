//! A sign-in through the stand-in for GitHub, as an app and its user see it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tollgate_simulator::Simulator;
use tollgate_simulator::github::{CLIENT_ID, CLIENT_SECRET};
use url::{Url, form_urlencoded};

use crate::client::{Response, get, send, simulator};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "http://127.0.0.1:8788/sign-in/github/callback?from=page";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const AUTHORIZE: &str = "/github/login/oauth/authorize";

/// What an app asks for.
fn wish(scope: &str) -> Vec<(String, String)> {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let pairs = [
        ("client_id", CLIENT_ID),
        ("redirect_uri", CALLBACK),
        ("state", "st & te"),
        ("scope", scope),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

fn encoded<S: AsRef<str>>(pairs: &[(S, S)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs.iter().map(|(name, value)| (name, value)));
    form.finish()
}

/// Answers the page and returns where the browser is sent.
async fn decide(simulator: &Simulator, scope: &str, answers: &[(&str, &str)]) -> Url {
    let mut form = wish(scope);
    form.extend(
        answers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
    );
    let line = format!("POST {AUTHORIZE}");
    let sent = send(simulator, &line, FORM, &encoded(&form)).await;
    assert_eq!(sent.status, 302, "{}", sent.text());
    Url::parse(sent.header("location").unwrap()).unwrap()
}

fn parameter(url: &Url, wanted: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}

/// Exchanges a code; `changes` replace good fields.
async fn exchange(simulator: &Simulator, code: &str, changes: &[(&str, &str)]) -> Value {
    let mut fields = json!({
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "code": code,
        "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
    });
    for (name, value) in changes {
        fields[name] = json!(value);
    }
    let pairs: Vec<(&str, &str)> = fields
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let headers = format!("{FORM}accept: application/json\r\n");
    let line = "POST /github/login/oauth/access_token";
    let answer = send(simulator, line, &headers, &encoded(&pairs)).await;
    assert_eq!(answer.status, 200, "GitHub's errors come with 200");
    answer.json()
}

/// Signs somebody in and returns the token.
async fn token(simulator: &Simulator, scope: &str, answers: &[(&str, &str)]) -> String {
    let back = decide(simulator, scope, answers).await;
    let code = parameter(&back, "code").unwrap();
    let answer = exchange(simulator, &code, &[]).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn ask(simulator: &Simulator, path: &str, token: &str) -> Response {
    let headers = format!("authorization: Bearer {token}\r\nuser-agent: tollgate\r\n");
    send(simulator, &format!("GET /github/api{path}"), &headers, "").await
}

#[tokio::test]
async fn the_page_offers_people_a_form_and_a_way_out() {
    let simulator = simulator().await;
    let query = encoded(&wish("read:user user:email"));
    let shown = get(&simulator, &format!("{AUTHORIZE}?{query}")).await;
    assert_eq!(shown.status, 200);
    let text = shown.text();
    for part in [
        "<meta name=\"viewport\"",
        "value=\"octo-tester\"",
        "name=\"email\"",
        "name=\"cancel\"",
        "http://127.0.0.1:8788",
        "value=\"st &amp; te\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("<script"));
    let refused = get(&simulator, &format!("{AUTHORIZE}?client_id=%3Cb%3E")).await;
    assert_eq!(refused.status, 404);
    assert!(refused.text().contains("client_id"));
}

#[tokio::test]
async fn an_app_learns_who_signed_in_and_which_addresses_are_verified() {
    let simulator = simulator().await;
    let back = decide(
        &simulator,
        "read:user user:email",
        &[("person", "octo-several")],
    )
    .await;
    assert!(back.as_str().starts_with(CALLBACK), "{back}");
    assert_eq!(parameter(&back, "state").unwrap(), "st & te");
    let code = parameter(&back, "code").unwrap();
    let answer = exchange(&simulator, &code, &[]).await;
    assert_eq!(answer["token_type"], "bearer");
    assert_eq!(answer["scope"], "read:user,user:email");
    let token = answer["access_token"].as_str().unwrap();
    assert!(token.starts_with("gho_"), "{token}");
    let user = ask(&simulator, "/user", token).await.json();
    assert_eq!(
        (&user["login"], &user["id"], &user["email"]),
        (&json!("octo-several"), &json!(900_002), &Value::Null)
    );
    let emails = ask(&simulator, "/user/emails", token).await.json();
    let flags = |index: usize| {
        let email = &emails[index];
        let flag = |name: &str| email[name].as_bool().unwrap();
        (flag("primary"), flag("verified"))
    };
    assert_eq!(emails[1]["email"], "octo-several@example.com");
    assert_eq!((flags(0), flags(1)), ((false, false), (true, true)));
}

#[tokio::test]
async fn anybody_can_be_made_up() {
    let simulator = simulator().await;
    let answers = [
        ("person", "other"),
        ("login", "<b>octo</b>"),
        ("id", "77"),
        ("name", ""),
        ("email", "me@example.com"),
    ];
    let token = token(&simulator, "user", &answers).await;
    let user = ask(&simulator, "/user", &token).await.json();
    assert_eq!(
        (&user["login"], &user["id"]),
        (&json!("<b>octo</b>"), &json!(77))
    );
    let emails = ask(&simulator, "/user/emails", &token).await.json();
    let expect = json!([{
        "email": "me@example.com", "primary": true, "verified": false, "visibility": "private",
    }]);
    assert_eq!(emails, expect);
}

#[tokio::test]
async fn a_person_who_cancels_goes_back_without_a_code() {
    let simulator = simulator().await;
    let back = decide(&simulator, "user:email", &[("cancel", "1")]).await;
    assert_eq!(parameter(&back, "error").unwrap(), "access_denied");
    assert_eq!(parameter(&back, "state").unwrap(), "st & te");
    assert_eq!(parameter(&back, "code"), None);
}

#[tokio::test]
async fn a_code_is_refused_as_github_refuses_it() {
    let simulator = simulator().await;
    let check = async |changes: &[(&str, &str)], expect: &str| {
        let back = decide(&simulator, "user:email", &[("person", "octo-tester")]).await;
        let code = parameter(&back, "code").unwrap();
        let answer = exchange(&simulator, &code, changes).await;
        assert_eq!(answer["error"], expect, "{changes:?}: {answer}");
        assert!(answer["error_description"].is_string() && answer["error_uri"].is_string());
    };
    let (credentials, code) = ("incorrect_client_credentials", "bad_verification_code");
    check(&[("client_id", "x")], credentials).await;
    check(&[("client_secret", "x")], credentials).await;
    check(&[("client_secret", "x"), ("code", "x")], credentials).await;
    check(&[("code", "x")], code).await;
    check(&[("code_verifier", "x")], code).await;
    check(&[("code_verifier", "")], code).await;
    check(
        &[("redirect_uri", "http://a.example/")],
        "redirect_uri_mismatch",
    )
    .await;

    let back = decide(&simulator, "user:email", &[("person", "octo-tester")]).await;
    let used = parameter(&back, "code").unwrap();
    assert!(exchange(&simulator, &used, &[]).await["access_token"].is_string());
    assert_eq!(exchange(&simulator, &used, &[]).await["error"], code);
}

#[tokio::test]
async fn an_exchange_works_in_every_form_that_github_takes() {
    let simulator = simulator().await;
    let back = decide(&simulator, "user:email", &[("person", "octo-tester")]).await;
    let body = json!({
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        "code": parameter(&back, "code").unwrap(), "code_verifier": VERIFIER,
    });
    let line = "POST /github/login/oauth/access_token";
    let headers = "content-type: application/json\r\n";
    let answer = send(&simulator, line, headers, &body.to_string()).await;
    let text = answer.text();
    assert!(text.starts_with("access_token=gho_"), "{text}");
    assert!(
        text.ends_with("&scope=user%3Aemail&token_type=bearer"),
        "{text}"
    );
}

#[tokio::test]
async fn the_api_demands_a_user_agent_a_token_and_its_scope() {
    let simulator = simulator().await;
    let token = token(&simulator, "read:user", &[("person", "octo-tester")]).await;
    let check = async |path: &str, headers: &str, status: u16, part: &str| {
        let line = format!("GET /github/api{path}");
        let answer = send(&simulator, &line, headers, "").await;
        assert_eq!(answer.status, status, "{path} {headers}");
        assert!(answer.text().contains(part), "{}", answer.text());
    };
    let agent = "user-agent: t\r\n";
    let good = format!("{agent}authorization: Bearer {token}\r\n");
    let bad = format!("{agent}authorization: Bearer gho_x\r\n");
    let without_agent = format!("authorization: Bearer {token}\r\n");
    check("/user", &good, 200, "octo-tester").await;
    check("/user", &without_agent, 403, "User-Agent header").await;
    check("/user", agent, 401, "Requires authentication").await;
    check("/user", &bad, 401, "\"status\":\"401\"").await;
    check("/user/emails", &bad, 401, "Bad credentials").await;
    check("/user/emails", &good, 404, "Not Found").await;
    check("/user/keys", &good, 404, "Not Found").await;
}

#[tokio::test]
async fn a_test_can_take_github_down() {
    let simulator = simulator().await;
    for (on, status) in [(1, 503), (0, 401)] {
        let line = format!("POST /_sim/github/down?on={on}");
        assert_eq!(send(&simulator, &line, "", "").await.status, 200);
        assert_eq!(ask(&simulator, "/user", "x").await.status, status);
    }
    assert_eq!(get(&simulator, "/_sim/github/down?on=1").await.status, 404);
}
