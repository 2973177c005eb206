//! What the operator decides in its pages, and what the gateway makes of it: what is on sale and what is
//! not, where models come from, who sells, and through whose credentials calls go.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use ureq::http::Request;
use xtask::clock::now_ms;

use crate::browser::{Browser, Shown, send};
use crate::people::{
    USD, balance, call, charges, fill, logged, number, operator, refusal, rows, send_form,
};
use crate::signing_in::sign_in_with_code;
use crate::stage::{Stage, shared};

fn not_sold() -> (u16, String) {
    (404, "model_not_found".to_owned())
}

/// The models that the gateway lists for the demo's key.
fn listed(stage: &Stage) -> String {
    let request = Request::get(format!("{}/v1/models", stage.stack.gateway_url()))
        .header("authorization", format!("Bearer {}", stage.demo.key));
    let shown = send(request.body(String::new()).unwrap());
    assert_eq!(shown.status, 200, "{}", shown.body);
    shown.body
}

/// Presses a button that must work, twice.
fn press(browser: &mut Browser, action: &str, fields: &[(&str, &str)]) {
    for _ in 0..2 {
        let shown = browser.post(action, fields);
        assert_eq!(shown.status, 303, "{action}: {}", shown.text());
    }
}

#[test]
fn what_is_switched_off_is_refused_from_the_next_call_on_and_sold_again_when_it_is_on() {
    let mut stage = shared();
    let mut operator = operator(&mut stage);
    let model = "sim/cached";
    let asked = |stage: &Stage| refusal(&call(stage, &stage.demo.key, model));
    // The gateway remembers the model by then.
    assert_eq!(asked(&stage).0, 200);
    press(
        &mut operator,
        "/models/switch",
        &[("slug", model), ("enabled", "0")],
    );
    assert_eq!(asked(&stage), not_sold());
    assert!(!listed(&stage).contains("\"sim/cached\""));
    let page = operator.get("/models?search=sim%2Fcached").text();
    assert!(
        page.contains("sim/cached off") && page.contains("Switch on"),
        "{page}"
    );
    assert_eq!(refusal(&call(&stage, &stage.demo.key, "sim/echo")).0, 200);
    press(
        &mut operator,
        "/models/switch",
        &[("slug", model), ("enabled", "1")],
    );
    assert_eq!(asked(&stage).0, 200);
    let line = logged(&stage, "model.switch", model);
    assert_eq!(
        (line.before, line.after),
        (json!({ "enabled": 0 }), json!({ "enabled": 1 }))
    );
    let lines = "SELECT count(*) FROM audit_log WHERE action = 'model.switch' AND subject = ?1";
    assert_eq!(number(&stage, lines, &[model]), 2, "a double click");

    let provider = |enabled| [("name", "openrouter"), ("enabled", enabled)];
    press(&mut operator, "/models/provider", &provider("0"));
    let off = [
        asked(&stage),
        refusal(&call(&stage, &stage.demo.key, "sim/echo")),
    ];
    let page = operator.get("/models?search=sim%2Fcached").text();
    press(&mut operator, "/models/provider", &provider("1"));
    assert_eq!(off, [not_sold(), not_sold()]);
    assert!(page.contains("its provider is off"), "{page}");
    assert_eq!(asked(&stage).0, 200);
    let line = logged(&stage, "provider.switch", "openrouter");
    assert_eq!(line.account, stage.demo.operator_id);
    assert_eq!(
        line.actor,
        format!("person:{}", stage.demo.operator.person_id)
    );
}

#[test]
fn a_name_that_is_never_sold_is_refused_whatever_an_import_brings() {
    let mut stage = shared();
    let mut operator = operator(&mut stage);
    let models = ["sim/at-azure", "sim/at-groq", "sim/echo"];
    let answers = |stage: &Stage| models.map(|model| call(stage, &stage.demo.key, model).status);
    assert_eq!(answers(&stage), [200, 200, 200]);
    let entry = [("pattern", "sim/at-*"), ("reason", "not ours to sell")];
    for _ in 0..2 {
        let shown = fill(&mut operator, "/models", "/models/refusals", &entry);
        assert_eq!(shown.status, 303, "{}", shown.text());
    }
    assert_eq!(answers(&stage), [404, 404, 200]);
    assert_eq!(
        refusal(&call(&stage, &stage.demo.key, "sim/at-azure")),
        not_sold()
    );
    assert!(!listed(&stage).contains("\"sim/at-azure\""));
    let page = operator.get("/models").text();
    assert!(page.contains("sim/at-* not ours to sell"), "{page}");
    let imported = operator.post("/models/fetch", &[]);
    assert_eq!(imported.status, 200, "{}", imported.text());
    let why = "the refuse list has `sim/at-*`: not ours to sell";
    assert!(imported.text().contains(why), "{}", imported.text());
    assert_eq!(answers(&stage), [404, 404, 200]);
    press(
        &mut operator,
        "/models/refusals/remove",
        &[("pattern", "sim/at-*")],
    );
    assert_eq!(answers(&stage), [200, 200, 200]);
    assert_eq!(
        logged(&stage, "models.refuse", "sim/at-*").after,
        json!({ "reason": "not ours to sell" })
    );
    assert_eq!(
        logged(&stage, "models.accept", "sim/at-*").before,
        json!({ "reason": "not ours to sell" })
    );
    for wrong in [
        [("pattern", ""), ("reason", "x")],
        [("pattern", "a b"), ("reason", "x")],
        [("pattern", "a"), ("reason", " ")],
    ] {
        assert_eq!(
            operator.post("/models/refusals", &wrong).status,
            422,
            "{wrong:?}"
        );
    }
    assert_eq!(
        number(&stage, "SELECT count(*) FROM refused_models", &[]),
        0
    );
}

fn document(models: &[(&str, &str)]) -> String {
    let models = models.iter().map(|(id, request)| {
        json!({
            "id": id,
            "name": format!("Model {id}"),
            "context_length": 8_000,
            "architecture": { "input_modalities": ["text"], "output_modalities": ["text"] },
            "pricing": { "prompt": "0", "completion": "0", "request": request },
        })
    });
    json!({ "data": models.collect::<Vec<_>>() }).to_string()
}

/// Sends the form of the import, which may have a file, with one field filled in.
fn import(operator: &mut Browser, field: &str, text: &str) -> Shown {
    let csrf = operator.csrf();
    let body = format!(
        "--XX\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--XX\r\n\
         content-disposition: form-data; name=\"{field}\"\r\n\r\n{text}\r\n--XX--\r\n"
    );
    let kind = "multipart/form-data; boundary=XX";
    operator.upload("/models/import", kind, body.into_bytes())
}

/// What an import may change.
fn catalogue(stage: &Stage) -> String {
    let read = "SELECT (SELECT version FROM catalogue) || ' ' || (SELECT count(*) FROM models) || ' ' || \
                (SELECT count(*) FROM costs) || ' ' || (SELECT count(*) FROM audit_log)";
    rows(stage, read, &[])[0].get(0).unwrap()
}

#[test]
fn a_pasted_catalogue_is_on_sale_at_once_and_a_broken_one_changes_nothing() {
    let mut stage = shared();
    let mut operator = operator(&mut stage);
    let [good, bad] = ["good", "bad"].map(|name| format!("sim/per-request?{name}={}", now_ms()));
    let paste = |operator: &mut Browser, text: &str| import(operator, "models", text);
    let before = catalogue(&stage);
    let long = format!("{{\"data\":[{}", "[".repeat(100_000));
    for text in [
        "",
        "[]",
        "{}",
        "not json",
        "{\"data\":1}",
        "{\"data\":[",
        &long,
    ] {
        let shown = paste(&mut operator, text);
        let start: String = text.chars().take(20).collect();
        assert_eq!(shown.status, 422, "{start}: {}", shown.text());
        let told = shown.text().contains("not a list of models");
        assert!(told, "{start}: {}", shown.text());
        assert_eq!(catalogue(&stage), before);
    }
    // What cannot be sold safely is left out with its reason; the rest is sold.
    let shown = paste(
        &mut operator,
        &document(&[(&good, "0.02"), (&bad, "-1"), ("sim/<b>\u{e9}", "1")]),
    );
    assert_eq!(shown.status, 200, "{}", shown.text());
    let text = shown.text();
    assert!(text.contains("Imported: 1. Left out: 2."), "{text}");
    assert!(
        text.contains(&format!("{bad} : `request` is `-1`: it has no fixed price")),
        "{text}"
    );
    assert!(!shown.body.contains("sim/<b>"), "{}", shown.body);
    let charged = |stage: &Stage| charges(stage, &call(stage, &stage.demo.key, &good))[0];
    assert_eq!(charged(&stage), USD / 50 * 12 / 10);
    assert_eq!(refusal(&call(&stage, &stage.demo.key, &bad)), not_sold());
    // A file is the same, however large such a list is, and a changed cost holds from now on.
    let file = document(&[(&good, "0.03")]);
    let large = file.replacen(
        "{\"data\"",
        &format!("{{\"about\":\"{}\",\"data\"", "x".repeat(900_000)),
        1,
    );
    assert_eq!(paste(&mut operator, &large).status, 200);
    let shown = import(&mut operator, "file\"; filename=\"models.json", &large);
    assert_eq!(shown.status, 200, "{}", shown.text());
    assert_eq!(charged(&stage), USD * 3 / 100 * 12 / 10);
    let line = logged(&stage, "catalogue.import", "1");
    assert_eq!(line.after, json!({ "models": 1, "source": "uploaded" }));
    press(
        &mut operator,
        "/models/switch",
        &[("slug", &good), ("enabled", "0")],
    );
    assert_eq!(refusal(&call(&stage, &stage.demo.key, &good)), not_sold());
    // An import does not switch on what was switched off.
    assert_eq!(paste(&mut operator, &file).status, 200);
    assert_eq!(refusal(&call(&stage, &stage.demo.key, &good)), not_sold());
}

#[test]
fn the_providers_list_is_fetched_and_what_is_none_changes_nothing() {
    let mut stage = shared();
    let base = format!("{}/api/v1", stage.stack.simulator_url());
    let simulator = stage.stack.simulator_url();
    let mut browser = operator(&mut stage);
    let shown = browser.post("/models/fetch", &[]);
    assert_eq!(shown.status, 200, "{}", shown.text());
    assert!(shown.text().contains("Imported: "), "{}", shown.text());
    let line = logged(&stage, "catalogue.import", "1");
    assert_eq!(line.after["source"], json!(format!("{base}/models")));
    let before = catalogue(&stage);
    // A page that is no list, and one that is not there.
    for (address, expect) in [("/mailbox?", 422), ("/nowhere", 502)] {
        stage
            .stack
            .set_var("OPENROUTER_BASE_URL", &format!("{simulator}{address}"));
        stage.stack.restart_workerd().unwrap();
        let shown = browser.post("/models/fetch", &[]);
        assert_eq!(shown.status, expect, "{}", shown.text());
        assert_eq!(catalogue(&stage), before);
    }
    stage.stack.set_var("OPENROUTER_BASE_URL", &base);
    stage.stack.restart_workerd().unwrap();
}

/// The `value` of the first text field of this name.
fn secret_on(page: &Shown) -> String {
    let (_, rest) = page
        .body
        .split_once("tg_live_")
        .unwrap_or_else(|| panic!("no key in {}", page.text()));
    let rest: String = rest
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    format!("tg_live_{rest}")
}

#[test]
fn who_is_taken_in_as_a_reseller_signs_in_by_code_and_sells_to_who_comes() {
    let mut stage = shared();
    let mut operator = operator(&mut stage);
    let email = format!("ada{}@resellers.test", now_ms());
    let typed = [
        ("name", "Ada's shop"),
        ("email", email.as_str()),
        ("opening", "50"),
    ];
    let hidden = operator.get("/resellers").form("/resellers");
    let taken = [(); 2].map(|()| send_form(&mut operator, "/resellers", &hidden, &typed));
    assert_eq!(
        (taken[0].status, taken[1].status),
        (303, 303),
        "{}",
        taken[1].text()
    );
    assert_eq!(taken[0].location, taken[1].location);
    let id = taken[0]
        .location
        .trim_start_matches("/customers/")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    let account = tollgate_core::ids::AccountId::parse(&id).unwrap();
    assert_eq!(balance(&stage, &account), 50 * USD, "once");
    let again = fill(&mut operator, "/resellers", "/resellers", &typed);
    assert_eq!(again.status, 422);
    assert!(
        again.text().contains("with this address already"),
        "{}",
        again.text()
    );
    for wrong in [
        [("name", "B"), ("email", "no address"), ("opening", "")],
        [("name", ""), ("email", "b@resellers.test"), ("opening", "")],
        [
            ("name", "B"),
            ("email", "b@resellers.test"),
            ("opening", "-1"),
        ],
    ] {
        assert_eq!(
            fill(&mut operator, "/resellers", "/resellers", &wrong).status,
            422,
            "{wrong:?}"
        );
    }
    assert!(
        operator
            .get("/resellers?search=Ada")
            .text()
            .contains(&email)
    );

    let mut reseller = Browser::new(&stage.stack.dashboard_url());
    sign_in_with_code(&stage, &mut reseller, &email);
    assert_eq!(reseller.get("/customers").status, 200);
    assert_eq!(reseller.get("/models").status, 404);
    assert!(reseller.get("/").text().contains("$50.00"));
    let saved = reseller.post("/prices/rules", &[("pattern", "*"), ("markup", "100")]);
    assert_eq!(saved.status, 303, "{}", saved.text());
    let host = format!("ada{}.example", now_ms());
    assert_eq!(
        reseller.post("/brand/domains", &[("host", &host)]).status,
        303
    );
    press(
        &mut operator,
        "/domains/verify",
        &[("host", &host), ("seller", account.as_str())],
    );

    // Somebody comes, gets credit, makes a key and calls with it.
    let mut customer = Browser::at(&format!("https://{host}"), &stage.stack.dashboard_url());
    let comer = format!("bob{}@comers.test", now_ms());
    sign_in_with_code(&stage, &mut customer, &comer);
    let found = reseller.get(&format!("/customers?search={comer}"));
    let (_, rest) = found
        .body
        .split_once("href=\"/customers/acc_")
        .unwrap_or_else(|| panic!("{}", found.text()));
    let page = format!("/customers/acc_{}", rest.split('"').next().unwrap());
    let given = fill(
        &mut reseller,
        &page,
        &format!("{page}/grants"),
        &[("amount", "5"), ("reason", "hello")],
    );
    assert_eq!(given.status, 303, "{}", given.text());
    let made = fill(&mut customer, "/keys/new", "/keys", &[("name", "mine")]);
    assert_eq!(made.status, 200, "{}", made.text());
    let key = secret_on(&made);
    let answer = call(&stage, &key, crate::people::PER_CALL);
    assert_eq!(answer.status, 200, "{}", answer.body);
    // The operator's price for it is $0.10, and the reseller's twice that.
    assert_eq!(charges(&stage, &answer), [USD / 5, USD / 10]);
    assert_eq!(balance(&stage, &account), 45 * USD - USD / 10);
    assert!(
        customer.get("/").text().contains("$4.80"),
        "{}",
        customer.get("/").text()
    );
}

/// The provider accounts that are switched on.
fn enabled(stage: &Stage) -> Vec<String> {
    let rows = rows(
        stage,
        "SELECT id FROM provider_accounts WHERE enabled = 1",
        &[],
    );
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

/// Through which provider account a call goes; none is the gateway's own setting.
fn through(stage: &Stage) -> Option<String> {
    let answer = call(stage, &stage.demo.key, "sim/echo");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let read = "SELECT provider_account_id FROM requests ORDER BY id DESC LIMIT 1";
    rows(stage, read, &[])[0].get(0).unwrap()
}

/// Adds a provider account, with a double click; its id.
fn add(browser: &mut Browser, name: &str, credential: &str) -> String {
    let typed = [("name", name), ("credential", credential)];
    let hidden = browser.get("/provider-accounts").form("/provider-accounts");
    for _ in 0..2 {
        let added = send_form(browser, "/provider-accounts", &hidden, &typed);
        assert_eq!(added.status, 303, "{}", added.text());
    }
    hidden[0].1.clone()
}

#[test]
fn calls_go_on_while_credentials_are_added_switched_sealed_anew_and_removed() {
    let mut stage = shared();
    let mut browser = operator(&mut stage);
    let others = enabled(&stage);
    for id in &others {
        press(
            &mut browser,
            &format!("/provider-accounts/{id}/disable"),
            &[],
        );
    }
    assert_eq!(through(&stage), None);
    let (first, second) = (
        add(&mut browser, "First", "sk-or-first"),
        add(&mut browser, "Second", "sk-or-second"),
    );
    let act = |browser: &mut Browser, id: &str, word: &str| {
        press(browser, &format!("/provider-accounts/{id}/{word}"), &[]);
    };
    assert_eq!(through(&stage), Some(first.clone()), "the oldest");
    // One that is on cannot be forgotten.
    act(&mut browser, &first, "remove");
    assert_eq!(enabled(&stage).len(), 2);
    act(&mut browser, &first, "disable");
    assert_eq!(through(&stage), Some(second.clone()));
    act(&mut browser, &second, "disable");
    assert_eq!(through(&stage), None);
    act(&mut browser, &first, "enable");
    act(&mut browser, &second, "enable");
    assert_eq!(through(&stage), Some(first.clone()));

    // A new sealing key before the old one: what is there still opens, and is sealed anew one by one.
    let old = STANDARD.encode(fs::read(stage.stack.state_dir().join("sealing.key")).unwrap());
    let (old, new) = (
        format!("local:{old}"),
        format!("new:{}", STANDARD.encode([7; 32])),
    );
    let seal_with = |stage: &mut Stage, keys: &str| {
        stage.stack.set_var("SEALING_KEYS", keys);
        stage.stack.restart_workerd().unwrap();
    };
    seal_with(&mut stage, &format!("{new},{old}"));
    assert_eq!(through(&stage), Some(first.clone()));
    assert!(
        browser
            .get("/provider-accounts")
            .text()
            .contains("local old key")
    );
    act(&mut browser, &first, "reseal");
    assert_eq!(through(&stage), Some(first.clone()));
    let line = logged(&stage, "provider_account.reseal", &first);
    assert_eq!(line.before["sealing_key"], json!("local"));
    assert_eq!(line.after, json!({ "sealing_key": "new" }));
    let log = browser.get(&format!("/audit?subject={first}"));
    assert!(!log.body.contains("sk-or-first"), "{}", log.text());

    // Without the old key the first works; the second, which was forgotten, stops calls and is not guessed.
    seal_with(&mut stage, &new);
    assert_eq!(through(&stage), Some(first.clone()));
    act(&mut browser, &first, "test");
    assert!(browser.get("/provider-accounts").text().contains("works"));
    act(&mut browser, &first, "disable");
    let stopped = refusal(&call(&stage, &stage.demo.key, "sim/echo"));
    assert_eq!(stopped, (502, "provider_unavailable".to_owned()));

    seal_with(&mut stage, &old);
    assert_eq!(through(&stage), Some(second.clone()));
    act(&mut browser, &second, "disable");
    for id in [&first, &second] {
        act(&mut browser, id, "remove");
        assert_eq!(
            logged(&stage, "provider_account.remove", id).after,
            json!({})
        );
    }
    let typed = [("name", "Short"), ("credential", "invalid")];
    let page = "/provider-accounts";
    let refused = fill(&mut browser, page, page, &typed);
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("This is no key"),
        "{}",
        refused.text()
    );
    assert_eq!(through(&stage), None);
    for id in &others {
        act(&mut browser, id, "enable");
    }
}
