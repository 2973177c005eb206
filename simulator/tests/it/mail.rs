//! What a sender of mail gets from the stand-in for Resend, and what people and tests find in the
//! mailbox.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_simulator::Simulator;
use tollgate_simulator::mail::API_KEY;

use crate::client::{Response, get, send, simulator};

fn mail(to: &str, subject: &str) -> Value {
    json!({
        "from": "Shop <shop@a.example>",
        "to": to,
        "subject": subject,
        "text": "Your code is 123456",
        "html": "<html><head></head><body><b>123456</b></body></html>",
    })
}

async fn post(simulator: &Simulator, body: &Value, headers: &str) -> Response {
    let headers = format!(
        "authorization: Bearer {API_KEY}\r\nuser-agent: tollgate\r\n\
         content-type: application/json\r\n{headers}"
    );
    send(
        simulator,
        "POST /resend/emails",
        &headers,
        &body.to_string(),
    )
    .await
}

async fn subjects(simulator: &Simulator, query: &str) -> Vec<String> {
    let found = get(simulator, &format!("/_sim/mail{query}")).await.json();
    let mails = found["mails"].as_array().unwrap().iter();
    mails
        .map(|mail| mail["subject"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_test_reads_the_mail_that_was_sent() {
    let simulator = simulator().await;
    let sent = post(&simulator, &mail("Ann <ann@b.example>", "One"), "").await;
    assert_eq!(sent.status, 200);
    let found = get(&simulator, "/_sim/mail?to=ANN%40b.example")
        .await
        .json();
    let mail = &found["mails"][0];
    assert_eq!(mail["id"], sent.json()["id"]);
    assert_eq!(mail["id"].as_str().unwrap().len(), 36);
    assert_eq!(
        (&found["last_seq"], &mail["seq"], &mail["to"]),
        (&json!(1), &json!(1), &json!(["Ann <ann@b.example>"]))
    );
    assert_eq!(mail["text"], "Your code is 123456");
}

#[tokio::test]
async fn mail_is_found_by_recipient_and_from_a_number_on() {
    let simulator = simulator().await;
    for (to, subject) in [
        ("ann@b.example", "One"),
        ("bob@b.example", "Two"),
        ("ann@b.example", "Three"),
    ] {
        post(&simulator, &mail(to, subject), "").await;
    }
    let check = async |query: &str, expect: &[&str]| {
        assert_eq!(subjects(&simulator, query).await, expect, "{query}");
    };
    check("", &["Three", "Two", "One"]).await;
    check("?to=ann@b.example", &["Three", "One"]).await;
    check("?to=ann@b.example&after=1", &["Three"]).await;
    check("?after=3", &[]).await;
    check("?to=nobody@b.example", &[]).await;
    assert_eq!(
        send(&simulator, "DELETE /_sim/mail", "", "").await.status,
        200
    );
    check("", &[]).await;
    post(&simulator, &mail("ann@b.example", "Four"), "").await;
    check("?after=3", &["Four"]).await;
}

#[tokio::test]
async fn a_test_waits_for_mail_that_is_still_to_come() {
    let simulator = simulator().await;
    post(&simulator, &mail("ann@b.example", "Before"), "").await;
    let waiting = get(&simulator, "/_sim/mail/wait?to=ann@b.example&after=1");
    let sending = async {
        post(&simulator, &mail("bob@b.example", "Another's"), "").await;
        post(&simulator, &mail("ann@b.example", "Awaited"), "").await;
    };
    let both = async { tokio::join!(waiting, sending).0 };
    let waited = tokio::time::timeout(Duration::from_secs(10), both)
        .await
        .unwrap();
    let mails = waited.json()["mails"].clone();
    assert_eq!(mails.as_array().unwrap().len(), 1);
    assert_eq!(mails[0]["subject"], "Awaited");
}

#[tokio::test]
async fn a_sender_is_refused_as_resend_refuses() {
    let simulator = simulator().await;
    let good = mail("ann@b.example", "x").to_string();
    let key = format!("authorization: Bearer {API_KEY}\r\n");
    let agent = "user-agent: t\r\n";
    let check = async |line: &str, headers: &str, body: &str, status: u16, name: &str| {
        let answer = send(&simulator, line, headers, body).await;
        let told = answer.json();
        assert_eq!(answer.status, status, "{line} {headers} {body}");
        assert_eq!(
            (&told["name"], &told["statusCode"]),
            (&json!(name), &json!(status))
        );
        assert!(told["message"].is_string());
    };
    let emails = "POST /resend/emails";
    let known = format!("{agent}{key}");
    check(emails, agent, &good, 401, "missing_api_key").await;
    let wrong = format!("{agent}authorization: Bearer re_x\r\n");
    check(emails, &wrong, &good, 403, "invalid_api_key").await;
    check(emails, &known, "{", 400, "validation_error").await;
    check(emails, &known, "{}", 422, "missing_required_field").await;
    check("POST /resend/domains", &known, &good, 404, "not_found").await;
    check("GET /resend/emails", &known, "", 405, "method_not_allowed").await;
    let long = format!("{known}idempotency-key: {}\r\n", "k".repeat(257));
    check(emails, &long, &good, 400, "invalid_idempotency_key").await;
    let faceless = send(&simulator, emails, &key, &good).await;
    assert_eq!(
        (faceless.status, faceless.text().as_str()),
        (403, "error code: 1010")
    );
    assert_eq!(subjects(&simulator, "").await.len(), 0);
}

#[tokio::test]
async fn a_repeated_request_is_sent_once() {
    let simulator = simulator().await;
    let keyed = "idempotency-key: sign-in/1\r\n";
    let (first, other) = (mail("ann@b.example", "One"), mail("ann@b.example", "Two"));
    let once = post(&simulator, &first, keyed).await;
    let again = post(&simulator, &first, keyed).await;
    assert_eq!((again.status, again.json()), (200, once.json()));
    let changed = post(&simulator, &other, keyed).await;
    assert_eq!(changed.status, 409);
    assert_eq!(changed.json()["name"], "invalid_idempotent_request");
    assert_eq!(subjects(&simulator, "").await, ["One"]);
}

#[tokio::test]
async fn a_test_can_make_sending_fail() {
    let simulator = simulator().await;
    let keyed = "idempotency-key: k\r\n";
    for (on, status, sent) in [(1, 500, 0), (0, 200, 1)] {
        let line = format!("POST /_sim/mail/down?on={on}");
        assert_eq!(send(&simulator, &line, "", "").await.status, 200);
        let answer = post(&simulator, &mail("ann@b.example", "x"), keyed).await;
        assert_eq!(answer.status, status);
        assert_eq!(subjects(&simulator, "").await.len(), sent);
    }
}

#[tokio::test]
async fn people_read_their_mail_and_nothing_in_it_runs() {
    let simulator = simulator().await;
    let nasty = "<img src=x onerror=alert(1)>";
    let mut body = mail("ann@b.example", nasty);
    body["from"] = json!(format!("{nasty} <a@b.example>"));
    body["text"] = json!("see https://a.example/?x=1&y=<2 \u{1F600}");
    post(&simulator, &body, "").await;
    post(&simulator, &mail("bob@b.example", "Later"), "").await;

    let list = get(&simulator, "/mailbox").await;
    let text = list.text();
    assert!(
        text.find("Later").unwrap() < text.find("&lt;img").unwrap(),
        "newest first"
    );
    assert!(text.contains("<meta name=\"viewport\""));
    let filtered = get(&simulator, "/mailbox?to=ann%40b.example").await.text();
    assert!(filtered.contains("&lt;img") && !filtered.contains("Later"));
    let empty = get(&simulator, "/mailbox?to=%3Cscript%3E").await.text();
    assert!(empty.contains("No mail to &lt;script&gt; yet"), "{empty}");

    let message = get(&simulator, "/mailbox/1").await;
    let shown = message.text();
    for part in [
        "<h1>&lt;img src=x onerror=alert(1)&gt;</h1>",
        "href=\"https://a.example/?x=1&amp;y=&lt;2\"",
        "src=\"/mailbox/1/html\"",
        "sandbox=\"allow-popups allow-popups-to-escape-sandbox\"",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    for page in [&text, &filtered, &shown] {
        assert!(!page.contains(nasty) && !page.contains("<script"));
    }
    let policy = message.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
}

#[tokio::test]
async fn the_markup_of_a_mail_is_shown_without_script() {
    let simulator = simulator().await;
    post(&simulator, &mail("ann@b.example", "x"), "").await;
    let part = get(&simulator, "/mailbox/1/html").await;
    assert_eq!(
        part.text(),
        "<html><head><base target=\"_blank\"></head><body><b>123456</b></body></html>"
    );
    let policy = part.header("content-security-policy").unwrap();
    assert!(policy.starts_with("sandbox "), "{policy}");
    assert!(!policy.contains("allow-scripts") && policy.contains("default-src 'none'"));
    for path in [
        "/mailbox/9",
        "/mailbox/9/html",
        "/mailbox/x",
        "/mailboxes",
        "/mailbox/1/text",
    ] {
        assert_eq!(get(&simulator, path).await.status, 404, "{path}");
    }
}
