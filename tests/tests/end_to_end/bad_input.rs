//! Requests that are wrong in any way are refused with their row of the error table and a hint;
//! nothing is sent, and nothing is charged.

use serde_json::{Value, json};
use tollgate_core::accounts::revoke_key;
use tollgate_core::key::ApiKey;
use tollgate_core::limits::Limits;

use crate::client::{Answer, Client};
use crate::stage::{Stage, shared};

const CHAT: &str = "/v1/chat/completions";

/// A request down to its bytes.
struct Raw {
    method: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Raw {
    fn send(&self, stage: &Stage) -> Answer {
        let request = ureq::http::Request::builder()
            .method(self.method)
            .uri(format!("{}{}", stage.stack.gateway_url(), self.path));
        let headers = self.headers.iter();
        let request = headers.fold(request, |request, (name, value)| {
            request.header(*name, value)
        });
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        Answer::whole(agent.run(request.body(&self.body[..]).unwrap()).unwrap())
    }
}

/// Every refusal explains itself, tells how to find it again, and is a browser's to read.
fn check_refusal(stage: &Stage, case: &str, answer: &Answer, (status, code): (u16, &str)) {
    assert_eq!(
        (answer.status, answer.error_code().as_str()),
        (status, code),
        "{case}: {answer:?}"
    );
    let error = &answer.json()["error"];
    for field in ["message", "type", "hint"] {
        let text = error[field].as_str().unwrap_or_default();
        assert!(!text.is_empty() && !text.ends_with('.'), "{case}: {error}");
    }
    assert_eq!(error["request_id"], answer.request_id(), "{case}");
    let docs_url = error["docs_url"].as_str().unwrap();
    assert!(
        docs_url.ends_with(&format!("#{code}")),
        "{case}: {docs_url}"
    );
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("*"),
        "{case}"
    );
    assert!(answer.header("server-timing").is_some(), "{case}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/json"),
        "{case}"
    );
    let logged = stage.logged(answer.request_id());
    assert_eq!(
        (&logged["status"], &logged["error_code"]),
        (&json!(status), &json!(code)),
        "{case}"
    );
    assert_eq!(logged["database"]["rows_written"], 0, "{case}: {logged}");
}

#[test]
fn a_key_that_is_not_one_is_refused_without_asking_the_database() {
    let stage = shared();
    let key = stage.customer(1_000_000_000).key;
    let key = key.reveal();
    let unknown = ApiKey::from_random([7; 32]);
    let check = |header: Option<String>, code: &str, trips: i64| {
        let case = format!("{header:?}");
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(header.map(|header| ("authorization", header)));
        let body =
            json!({"model": "sim/echo", "messages": [{"role": "user", "content": "no-key"}]});
        for (method, path) in [
            ("POST", CHAT),
            ("GET", "/v1/credits"),
            ("GET", "/api/v1/models"),
        ] {
            let body = if method == "POST" {
                body.to_string()
            } else {
                String::new()
            };
            let raw = Raw {
                method,
                path,
                headers: headers.clone(),
                body: body.into_bytes(),
            };
            let answer = raw.send(stage);
            check_refusal(stage, &case, &answer, (401, code));
            let logged = stage.logged(answer.request_id());
            let made = logged["database"]["trips"].as_i64().unwrap();
            assert!(made <= trips, "{case} {path}: {made}");
        }
    };
    let bearer = |key: &str| Some(format!("Bearer {key}"));
    let mistyped = |at: usize| {
        let typed = if key.as_bytes()[at] == b'x' { "y" } else { "x" };
        let mut key = key.to_owned();
        key.replace_range(at..=at, typed);
        bearer(&key)
    };
    check(None, "missing_key", 0);
    check(Some(String::new()), "missing_key", 0);
    check(bearer(""), "missing_key", 0);
    check(Some(format!("Basic {key}")), "missing_key", 0);
    check(Some(key.to_owned()), "missing_key", 0);
    check(bearer("sk-or-v1-0123456789abcdef"), "malformed_key", 0);
    check(bearer(&key[..key.len() - 1]), "malformed_key", 0);
    check(bearer(&format!("{key}0")), "malformed_key", 0);
    check(bearer(&key.to_uppercase()), "malformed_key", 0);
    check(mistyped(12), "malformed_key", 0);
    check(mistyped(key.len() - 1), "malformed_key", 0);
    check(bearer(unknown.reveal()), "invalid_api_key", 1);
    let revoked = stage.customer(1_000_000_000);
    stage.commit(revoke_key(
        &revoked.account,
        &revoked.key_id,
        &stage.change(),
    ));
    check(bearer(revoked.key.reveal()), "key_revoked", 2);
    assert_eq!(stage.provider.received("no-key").len(), 0);
}

#[test]
fn a_long_prompt_with_an_unknown_key_is_told_that_the_key_is_unknown() {
    let stage = shared();
    let client = Client::new(
        &stage.stack.gateway_url(),
        ApiKey::from_random([8; 32]).reveal(),
    );
    for kilobytes in [60, 100, 900] {
        let mut request = good();
        request["messages"][0]["content"] = json!("bad-input ".repeat(kilobytes * 100));
        let answer = client.chat(&request);
        let case = format!("{kilobytes} kB");
        check_refusal(stage, &case, &answer, (401, "invalid_api_key"));
    }
}

#[test]
fn a_route_that_does_not_exist_is_told_with_those_that_do() {
    let stage = shared();
    let check = |method: &'static str, path: &'static str, expect: (u16, &str)| {
        let raw = Raw {
            method,
            path,
            headers: Vec::new(),
            body: Vec::new(),
        };
        let answer = raw.send(stage);
        check_refusal(stage, &format!("{method} {path}"), &answer, expect);
        answer
    };
    let unknown = (404, "unknown_route");
    check("GET", "/", unknown);
    check("GET", "/v1", unknown);
    check("GET", "/v2/models", unknown);
    check("POST", "/v1/chat/completions/", unknown);
    check("POST", "/v1/embeddings", unknown);
    check("GET", "/v1/%2e%2e/admin", unknown);
    let wrong = (405, "method_not_allowed");
    assert_eq!(check("GET", CHAT, wrong).header("allow"), Some("POST"));
    assert_eq!(
        check("DELETE", "/v1/key", wrong).header("allow"),
        Some("GET")
    );
    assert_eq!(
        check("POST", "/api/v1/models", wrong).header("allow"),
        Some("GET")
    );
    assert_eq!(
        check("PUT", "/v1/credits", wrong).header("allow"),
        Some("GET")
    );
}

/// A caller and what it tries to send.
struct Sender<'a> {
    stage: &'a Stage,
    key: String,
}

impl Sender<'_> {
    fn send(
        &self,
        case: &str,
        (headers, body): (&[(&'static str, &str)], &[u8]),
        expect: (u16, &str),
    ) {
        let mut all = vec![("authorization", format!("Bearer {}", self.key))];
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json".to_owned()));
        }
        all.extend(
            headers
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let raw = Raw {
            method: "POST",
            path: CHAT,
            headers: all,
            body: body.to_vec(),
        };
        check_refusal(self.stage, case, &raw.send(self.stage), expect);
    }

    fn text(&self, body: &str, expect: (u16, &str)) {
        self.send(
            body.get(..200).unwrap_or(body),
            (&[], body.as_bytes()),
            expect,
        );
    }

    /// A good request with one field changed.
    fn field(&self, name: &str, value: Value, code: &str) {
        let mut body = good();
        body[name] = value;
        self.text(&body.to_string(), (400, code));
    }
}

fn good() -> Value {
    json!({
        "model": "sim/echo",
        "messages": [{"role": "user", "content": "bad-input"}],
        "max_tokens": 10,
    })
}

#[test]
fn a_body_that_cannot_be_read_for_certain_is_refused() {
    let stage = shared();
    let caller = stage.customer(1_000_000_000);
    let sender = Sender {
        stage,
        key: caller.key.reveal().to_owned(),
    };
    let not_json = (400, "invalid_json");
    let whole = good().to_string();
    sender.text("", not_json);
    sender.text("hello", not_json);
    sender.text("[]", not_json);
    sender.text("null", not_json);
    sender.text(&whole[..whole.len() - 1], not_json);
    sender.text(&format!("{whole} {{}}"), not_json);
    sender.text(&format!("{whole},"), not_json);
    sender.text(&whole.replace("\"sim/echo\"", "'sim/echo'"), not_json);
    sender.text(&whole.replace("10", "1_0"), not_json);
    sender.text(&whole.replace("10", "NaN"), not_json);
    let nested = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    sender.text(&whole.replace("10", &nested), not_json);
    let not_utf8 = [&whole.as_bytes()[..whole.len() - 2], &b"\xff\"}"[..]].concat();
    sender.send("not UTF-8", (&[], &not_utf8), not_json);

    let twice = (400, "duplicate_field");
    sender.text(&whole.replacen('{', "{\"max_tokens\":1,", 1), twice);
    sender.text(&whole.replacen('{', "{\"max_tok\\u0065ns\":1,", 1), twice);
    sender.text(
        &whole.replace("\"role\"", "\"role\":\"system\",\"role\""),
        twice,
    );

    let encoded = |encoding: &str| {
        let case = format!("content-encoding: {encoding}");
        let headers = [("content-encoding", encoding)];
        sender.send(&case, (&headers, whole.as_bytes()), (415, "encoded_body"));
    };
    encoded("gzip");
    encoded("br");
    encoded("x-unknown");
    let typed = |kind: &str| {
        let headers = [("content-type", kind)];
        sender.send(
            kind,
            (&headers, whole.as_bytes()),
            (415, "unsupported_media_type"),
        );
    };
    typed("text/plain");
    typed("application/x-www-form-urlencoded");
    typed("multipart/form-data; boundary=x");

    let long = whole.replace("bad-input", &"x".repeat(1024 * 1024));
    sender.text(&long, (413, "body_too_large"));
    let announced = [("content-length", "20971521"), ("expect", "100-continue")];
    let refused = stage.client(&caller).announce(&announced);
    assert!(refused.starts_with("HTTP/1.1 413 "), "{refused}");
    assert!(refused.contains("body_too_large"), "{refused}");
    assert_eq!(stage.requests_of(&caller.account), []);
    assert_eq!(stage.provider.received("bad-input").len(), 0);
}

#[test]
fn a_field_with_a_wrong_value_is_named_and_refused() {
    let stage = shared();
    let caller = stage.customer(1_000_000_000);
    let sender = Sender {
        stage,
        key: caller.key.reveal().to_owned(),
    };
    let field = |name: &str, value: Value, code: &str| sender.field(name, value, code);
    for absurd in [
        "-1",
        "0",
        "1.5",
        "1e3",
        "99999999999999999999999",
        "1e999",
        "\"10\"",
        "true",
    ] {
        let body = good().to_string().replace("10", absurd);
        sender.text(&body, (400, "invalid_value"));
    }
    field("max_tokens", json!(65_537), "max_tokens_too_large");
    field("max_completion_tokens", json!(11), "invalid_value");
    field("model", json!(7), "invalid_value");
    field("model", json!(""), "invalid_value");
    field("model", Value::Null, "missing_field");
    field("messages", Value::Null, "missing_field");
    field("messages", json!([]), "invalid_value");
    field("messages", json!("hello"), "invalid_value");
    field(
        "messages",
        json!([{"role": "nobody", "content": "x"}]),
        "invalid_value",
    );
    field(
        "messages",
        json!([{"role": "user", "content": 7}]),
        "invalid_value",
    );
    field("temperature", json!(-0.1), "invalid_value");
    field("temperature", json!(2.1), "invalid_value");
    field("temperature", json!("hot"), "invalid_value");
    field("top_p", json!(1e300), "invalid_value");
    field("stream", json!("yes"), "invalid_value");
    field(
        "stream_options",
        json!({"include_usage": true}),
        "invalid_value",
    );
    field("n", json!(2), "invalid_value");
    field("tools", json!({}), "invalid_value");
    field("colour", json!("blue"), "unsupported_parameter");
    field(
        "provider",
        json!({"order": ["SimCloud"]}),
        "unsupported_parameter",
    );
    field("models", json!(["sim/slow"]), "unsupported_parameter");
    field("plugins", json!([{"id": "web"}]), "unsupported_parameter");
    let part = |part: Value| json!([{"role": "user", "content": [part]}]);
    let audio = json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}});
    field("messages", part(audio), "unsupported_content");
    let file = json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "AAAA"}});
    field("messages", part(file), "unsupported_content");
    let picture = json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}});
    let mut blind = good();
    blind["model"] = json!("sim/slow");
    blind["messages"] = part(picture);
    sender.text(&blind.to_string(), (400, "unsupported_content"));
    assert_eq!(stage.requests_of(&caller.account), []);
    assert_eq!(stage.provider.received("bad-input").len(), 0);
}

#[test]
fn a_model_without_a_price_for_the_caller_does_not_exist_for_it() {
    let stage = shared();
    let reseller = stage.new_reseller(1_000_000_000, 0);
    let narrow = stage.new_reseller(1_000_000_000, 0);
    let rules = "UPDATE price_rules SET pattern = 'sim/e*' WHERE account_id = ?1";
    let rules = tollgate_core::hrana::Statement::new(rules).bind(narrow.as_str());
    drop(stage.database.run(rules));
    let check = |parent, model: &str, sold: bool| {
        let caller = stage.caller(parent, 1_000_000_000, Limits::default());
        let client = stage.client(&caller);
        let mut request = good();
        request["model"] = json!(model);
        request["messages"][0]["content"] = json!("priced-or-not");
        let answer = client.chat(&request);
        if sold {
            assert_eq!(answer.status, 200, "{answer:?}");
        } else {
            check_refusal(stage, model, &answer, (404, "model_not_found"));
        }
        let models = client.get("/v1/models").json();
        let models = models["data"].as_array().unwrap().iter();
        assert_eq!(
            models.filter(|listed| listed["id"] == model).count(),
            usize::from(sold)
        );
    };
    check(&reseller, "sim/slow-head", true);
    check(&reseller, "sim/nope", false);
    check(&reseller, "openai/gpt-4o", false);
    check(&reseller, "SIM/ECHO", false);
    check(&narrow, "sim/echo", true);
    check(&narrow, "sim/usage-last", false);
    assert_eq!(stage.provider.received("priced-or-not").len(), 2);
}

#[test]
fn a_call_that_the_credit_does_not_cover_tells_what_it_would() {
    let stage = shared();
    let caller = stage.customer(200_000);
    let client = stage.client(&caller);
    let mut request = good();
    request["max_tokens"] = json!(5_000);
    request["messages"][0]["content"] = json!("too-dear");
    let answer = client.chat(&request);
    check_refusal(stage, "too dear", &answer, (402, "insufficient_credits"));
    let details = &answer.json()["error"]["details"];
    assert_eq!(details["balance"], json!(0.0002), "{details}");
    let affordable = details["affordable_max_tokens"].as_i64().unwrap();
    assert!((1..5_000).contains(&affordable), "{details}");
    assert_eq!(stage.provider.received("too-dear").len(), 0);
    request["max_tokens"] = json!(affordable + 1);
    assert_eq!(client.chat(&request).status, 402);
    request["max_tokens"] = json!(affordable);
    assert_eq!(client.chat(&request).status, 200);
}
