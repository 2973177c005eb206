//! Every form: who sends it, to which path, with which fields, and what it does. A form is made anew for
//! each time that it is tried, with an object of its own where it is about one.

use std::thread::sleep;
use std::time::Duration;

use tollgate_core::accounts::AccountKind;
use tollgate_core::ids::{AccountId, PersonId, RequestId};
use tollgate_core::sign_in::{CODE_MS, Token};
use xtask::clock::now_ms;
use xtask::random;

use super::cast::{Cast, Member, NAME};
use crate::browser::Browser;
use crate::features::{app_code, app_secret};
use crate::signing_in::{code_in, mail_to};

/// A form, filled in as it should be.
#[derive(Clone)]
pub struct Form {
    /// Who sends it.
    pub browser: Browser,
    /// Where it is sent.
    pub path: String,
    /// What it says.
    pub fields: Vec<(&'static str, String)>,
    /// A file in it.
    pub file: Option<(&'static str, Vec<u8>)>,
    /// `?1` of the row's effect: mostly the account whose form it is.
    pub account: String,
    /// `?2` of the row's effect: what it is about.
    pub object: String,
}

/// What sending a form often comes to.
pub enum Effect {
    /// This number changes by so much, once, and people write so many lines into the audit log, or
    /// [`ANY`].
    Once(&'static str, i64, i64),
    /// This number, which tells whether what was said is set, goes from 0 to 1 and stays there.
    Set(&'static str),
    /// Nothing is stored.
    Nothing,
}

/// Lines of the audit log that are not counted.
pub const ANY: i64 = -1;

/// A field with a number in it.
pub struct Number {
    /// Its name.
    pub field: &'static str,
    /// How many decimals it may have.
    pub decimals: usize,
    /// Reads what is stored, in units of the last decimal; `?1` and `?2` as in the row's effect. No row or
    /// NULL: nothing is.
    pub stored: &'static str,
}

/// One form.
pub struct Row {
    /// Its path in the route list.
    pub path: &'static str,
    /// Fills it in.
    pub form: fn(&Cast<'_>) -> Form,
    /// What it does.
    pub effect: Effect,
    /// The fields that say what a number is.
    pub numbers: &'static [Number],
    /// The fields that name an object, and somebody else's object.
    pub foreign: &'static [(&'static str, Theirs)],
}

/// Finds an object that is somebody else's.
pub type Theirs = fn(&Cast<'_>) -> String;

fn of(member: &Member, path: String, fields: &[(&'static str, &str)]) -> Form {
    let fields = fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    Form {
        browser: member.browser.clone(),
        path,
        fields: fields.collect(),
        file: None,
        account: member.account.clone(),
        object: String::new(),
    }
}

impl Form {
    fn about(mut self, object: &str) -> Self {
        self.object = object.to_owned();
        self
    }
}

fn drawn(prefix: &str) -> String {
    format!("{prefix}_{}", &random::reference().unwrap()[..16])
}

/// Somebody at the operator's host whom nobody knows.
fn nobody(cast: &Cast<'_>) -> Member {
    let mut browser = Browser::new(&cast.stage.stack.dashboard_url());
    browser.get("/sign-in");
    Member {
        account: String::new(),
        person: String::new(),
        browser,
    }
}

fn new_address(cast: &Cast<'_>) -> String {
    format!("forms-{}-{}@example.test", cast.number(), now_ms())
}

fn ask_for_code(cast: &Cast<'_>) -> Form {
    // Each quarter of an hour has codes of its own.
    while now_ms() % CODE_MS > CODE_MS - 3_000 {
        sleep(Duration::from_millis(100));
    }
    let email = new_address(cast);
    of(
        &nobody(cast),
        "/sign-in".to_owned(),
        &[("email", &email), ("next", "/keys")],
    )
    .about(&email)
}

fn enter_code(cast: &Cast<'_>) -> Form {
    let asked = ask_for_code(cast);
    let mut browser = asked.browser;
    let email = asked.object;
    let shown = browser.post("/sign-in", &[("email", &email)]);
    assert_eq!(shown.status, 303, "{}", shown.body);
    let code = code_in(&mail_to(cast.stage, &email));
    let guest = Member {
        browser,
        ..nobody(cast)
    };
    of(&guest, "/sign-in/code".to_owned(), &[("code", &code)]).about(&email)
}

/// A person of the buyer's with a session of its own.
fn colleague(cast: &Cast<'_>) -> Member {
    cast.member(&cast.buyer.account)
}

fn of_colleague(cast: &Cast<'_>, path: &str) -> Form {
    let member = colleague(cast);
    of(&member, path.to_owned(), &[]).about(&member.person)
}

fn second_factor(cast: &Cast<'_>) -> Form {
    let mut member = colleague(cast);
    let page = member.browser.get("/second-factor").body;
    let code = app_code(&app_secret(&page), now_ms());
    of(&member, "/second-factor".to_owned(), &[("code", &code)]).about(&member.person)
}

fn without_second_factor(cast: &Cast<'_>) -> Form {
    let form = of_colleague(cast, "/settings/second-factor/remove");
    cast.run(&format!(
        "UPDATE people SET totp_sealed = x'00', totp_sealing_key = 'k' WHERE id = '{}'",
        form.object
    ));
    form
}

fn without_github(cast: &Cast<'_>) -> Form {
    let form = of_colleague(cast, "/settings/github/remove");
    let id = now_ms() + i64::from(cast.number());
    cast.run(&format!(
        "UPDATE people SET github_id = {id} WHERE id = '{}'",
        form.object
    ));
    form
}

/// How a form names the session of a browser.
fn session_of(member: &Member) -> String {
    let cookie = member.browser.cookie("__Host-session").unwrap();
    Token::parse(cookie).unwrap().hash().to_text()
}

fn end_session(cast: &Cast<'_>) -> Form {
    let member = colleague(cast);
    let (person, account) = (
        PersonId::parse(&member.person).unwrap(),
        AccountId::parse(&member.account).unwrap(),
    );
    let browser = cast.sign_in(&person, &account);
    let session = session_of(&Member {
        browser,
        ..member.clone()
    });
    of(
        &member,
        "/settings/sessions/end".to_owned(),
        &[("session", &session)],
    )
    .about(&person.to_string())
}

fn close(cast: &Cast<'_>) -> Form {
    let account = cast.account(AccountKind::Customer, None);
    let member = cast.member(&account);
    let email = cast.texts_of("SELECT email FROM people WHERE id = ?1", &[&member.person]);
    of(
        &member,
        "/settings/close".to_owned(),
        &[("confirm", &email[0])],
    )
    .about(&member.person)
}

const KEY_FIELDS: [(&str, &str); 14] = [
    ("name", "Renamed"),
    ("expires", "2199-12-31"),
    ("models", "openai/*\nsim/echo"),
    ("requests_per_minute", "60"),
    ("requests_per_hour", "600"),
    ("requests_per_day", "6000"),
    ("tokens_per_minute", "100000"),
    ("parallel_calls", "5"),
    ("max_tokens", "1000"),
    ("default_max_tokens", "100"),
    ("budget_day", "1.50"),
    ("budget_week", "5"),
    ("budget_month", "20"),
    ("budget_total", "100"),
];

/// An account can have a hundred keys.
fn make_room_for_keys(cast: &Cast<'_>) {
    cast.run(&format!(
        "UPDATE keys SET revoked_at_ms = 1 WHERE account_id = '{}' AND name <> 'Playground'",
        cast.buyer.account
    ));
}

fn create_key(cast: &Cast<'_>) -> Form {
    make_room_for_keys(cast);
    let once = drawn("key");
    let mut form = of(&cast.buyer, "/keys".to_owned(), &KEY_FIELDS).about(&once);
    form.fields.push(("once", once));
    form
}

fn edit_key(cast: &Cast<'_>) -> Form {
    let key = cast.key(&cast.buyer.account, NAME);
    of(&cast.buyer, format!("/keys/{key}"), &KEY_FIELDS).about(&key)
}

fn revoke_key(cast: &Cast<'_>) -> Form {
    let key = cast.key(&cast.buyer.account, NAME);
    of(&cast.buyer, format!("/keys/{key}/revoke"), &[]).about(&key)
}

fn make_room(cast: &Cast<'_>) {
    // What was ordered counts towards the most of a day.
    cast.run(&format!(
        "DELETE FROM orders WHERE account_id = '{}' AND state <> 'paid'",
        cast.buyer.account
    ));
}

fn order(cast: &Cast<'_>) -> Form {
    make_room(cast);
    let once = drawn("ord");
    let fields = [
        ("once", once.as_str()),
        ("choice", "other"),
        ("amount", "15.50"),
        ("save_card", "on"),
    ];
    of(&cast.buyer, "/billing/orders".to_owned(), &fields).about(&once)
}

fn pay_order(cast: &Cast<'_>) -> Form {
    make_room(cast);
    let order = cast.order();
    of(&cast.buyer, format!("/billing/orders/{order}/pay"), &[]).about(&order)
}

fn cancel_order(cast: &Cast<'_>) -> Form {
    let paid = pay_order(cast);
    let order = paid.object;
    let shown = paid.browser.clone().post(&paid.path, &[]);
    assert!(shown.location.contains("/stripe/pay/"), "{}", shown.body);
    of(&cast.buyer, format!("/billing/orders/{order}/cancel"), &[]).about(&order)
}

fn refund(cast: &Cast<'_>) -> Form {
    let once = drawn("rfd");
    let fields = [("once", once.as_str()), ("amount", "1")];
    of(
        &cast.buyer,
        format!("/billing/orders/{}/refund", cast.paid),
        &fields,
    )
    .about(&once)
}

fn save_card(cast: &Cast<'_>) -> Form {
    let once = drawn("ord");
    of(&cast.buyer, "/billing/card".to_owned(), &[("once", &once)])
}

fn remove_card(cast: &Cast<'_>) -> Form {
    let card = cast.save_card();
    of(
        &cast.buyer,
        "/billing/card/remove".to_owned(),
        &[("card", &card)],
    )
}

fn top_up(cast: &Cast<'_>) -> Form {
    let _ = cast.save_card();
    cast.run(&format!(
        "DELETE FROM auto_top_ups WHERE account_id = '{}'",
        cast.buyer.account
    ));
    let fields = [
        ("threshold", "0.50"),
        ("top_up_amount", "20"),
        ("month_limit", "100"),
    ];
    of(&cast.buyer, "/billing/top-up".to_owned(), &fields)
}

fn portal(cast: &Cast<'_>) -> Form {
    of(&cast.buyer, "/billing/portal".to_owned(), &[])
}

fn playground(cast: &Cast<'_>) -> Form {
    make_room_for_keys(cast);
    let once = random::token().unwrap().reveal();
    let fields = [
        ("model", "sim/echo"),
        ("prompt", "hello"),
        ("once", once.as_str()),
    ];
    of(&cast.buyer, "/playground".to_owned(), &fields)
}

fn profile(cast: &Cast<'_>) -> Form {
    let name = format!("{NAME} {}", cast.number());
    let fields = [
        ("name", name.as_str()),
        ("time_zone", "UTC"),
        ("language", "en"),
    ];
    of(&cast.buyer, "/settings/profile".to_owned(), &fields).about(&name)
}

fn save_rule(cast: &Cast<'_>) -> Form {
    // A seller can have two hundred.
    cast.run(&format!(
        "UPDATE price_rules SET ends_at_ms = starts_at_ms WHERE account_id = '{}'",
        cast.reseller.account
    ));
    let once = drawn("rul");
    let replaced = cast.rule(&cast.reseller.account);
    let fields = [
        ("once", once.as_str()),
        ("pattern", "forms/*"),
        ("markup", "12.50"),
        ("min_charge", "0.001"),
        ("priority", "3"),
        ("starts_at", "2030-01-01T00:00"),
        ("replaces", &replaced),
    ];
    of(&cast.reseller, "/prices/rules".to_owned(), &fields).about(&once)
}

fn end_rule(cast: &Cast<'_>) -> Form {
    let rule = cast.rule(&cast.reseller.account);
    of(&cast.reseller, format!("/prices/rules/{rule}/end"), &[]).about(&rule)
}

/// A form about a new customer of the reseller's.
fn of_customer(cast: &Cast<'_>, what: &str, fields: &[(&'static str, &str)]) -> Form {
    let customer = cast.account(AccountKind::Customer, Some(&cast.reseller.account));
    of(
        &cast.reseller,
        format!("/customers/{customer}/{what}"),
        fields,
    )
    .about(&customer)
}

fn suspend(cast: &Cast<'_>) -> Form {
    of_customer(cast, "suspend", &[])
}

fn resume(cast: &Cast<'_>) -> Form {
    let form = of_customer(cast, "resume", &[]);
    cast.run(&format!(
        "UPDATE accounts SET status = 'suspended' WHERE id = '{}'",
        form.object
    ));
    form
}

fn grant(cast: &Cast<'_>) -> Form {
    let once = RequestId::new(now_ms(), cast.number()).to_string();
    let fields = [
        ("once", once.as_str()),
        ("amount", "0.25"),
        ("reason", "Forms reason"),
    ];
    of_customer(cast, "grants", &fields)
}

fn limit(cast: &Cast<'_>) -> Form {
    let fields = [
        ("requests_per_minute", "7"),
        ("requests_per_hour", "8"),
        ("requests_per_day", "9"),
        ("tokens_per_minute", "10"),
        ("parallel_calls", "11"),
        ("max_tokens", "12"),
        ("default_max_tokens", "13"),
        ("allowed_models", "openai/*"),
    ];
    of_customer(cast, "limits", &fields)
}

fn limit_spending(cast: &Cast<'_>) -> Form {
    let fields = [
        ("spend_day", "1"),
        ("spend_week", "2"),
        ("spend_month", "3"),
        ("spend_total", "4"),
    ];
    of_customer(cast, "spend-limits", &fields)
}

fn brand(cast: &Cast<'_>) -> Form {
    let name = format!("{NAME} {}", cast.number());
    let fields = [
        ("name", name.as_str()),
        ("color", "#1d4ed8"),
        ("support_url", "https://help.example/forms"),
    ];
    of(&cast.reseller, "/brand".to_owned(), &fields).about(&name)
}

/// The least that is a picture: one pixel.
fn png() -> Vec<u8> {
    [
        &b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"[..],
        b"\x00\x00\x00\x0dIDATx\x9cc\xf8\xdf\xc0\xf0\x1f\x00\x06\x80\x02\x7f\x10L\x1b\xe1\x00\x00\x00\x00IEND\xaeB`\x82",
    ]
    .concat()
}

fn set_logo(cast: &Cast<'_>, sql: &str) {
    cast.run(&format!(
        "INSERT INTO brands (account_id, name, color, updated_at_ms) VALUES ('{account}', '{NAME}', \
         '#1d4ed8', 0) ON CONFLICT DO NOTHING",
        account = cast.reseller.account
    ));
    cast.run(&format!(
        "UPDATE brands SET {sql} WHERE account_id = '{}'",
        cast.reseller.account
    ));
}

fn upload_logo(cast: &Cast<'_>) -> Form {
    set_logo(cast, "logo = NULL, logo_type = NULL");
    let form = of(&cast.reseller, "/brand/logo".to_owned(), &[]);
    Form {
        file: Some(("logo", png())),
        ..form
    }
}

fn remove_logo(cast: &Cast<'_>) -> Form {
    set_logo(cast, "logo = x'00', logo_type = 'image/png'");
    of(&cast.reseller, "/brand/logo/remove".to_owned(), &[])
}

/// A host that the reseller asked for; the others of it are gone.
fn domain(cast: &Cast<'_>) -> String {
    let reseller = &cast.reseller.account;
    cast.run(&format!(
        "DELETE FROM domains WHERE account_id = '{reseller}'"
    ));
    let host = format!("n{}.forms.example", cast.number());
    cast.run(&format!(
        "INSERT INTO domains (host, account_id, origin, created_at_ms) VALUES ('{host}', \
         '{reseller}', 'https://{host}', 0)"
    ));
    host
}

fn ask_for_domain(cast: &Cast<'_>) -> Form {
    domain(cast);
    let host = format!("n{}.forms.example", cast.number());
    of(
        &cast.reseller,
        "/brand/domains".to_owned(),
        &[("host", &host)],
    )
    .about(&host)
}

fn remove_own_domain(cast: &Cast<'_>) -> Form {
    let host = domain(cast);
    of(
        &cast.reseller,
        "/brand/domains/remove".to_owned(),
        &[("host", &host)],
    )
    .about(&host)
}

fn verify_domain(cast: &Cast<'_>) -> Form {
    let host = domain(cast);
    of(
        &cast.operator,
        "/domains/verify".to_owned(),
        &[("host", &host), ("seller", &cast.reseller.account)],
    )
    .about(&host)
}

fn remove_domain(cast: &Cast<'_>) -> Form {
    let host = domain(cast);
    of(
        &cast.operator,
        "/domains/remove".to_owned(),
        &[("host", &host)],
    )
    .about(&host)
}

fn take_in(cast: &Cast<'_>) -> Form {
    let once = drawn("acc");
    let email = new_address(cast);
    let fields = [
        ("once", once.as_str()),
        ("name", "Forms shop"),
        ("email", &email),
        ("opening", "10"),
    ];
    of(&cast.operator, "/resellers".to_owned(), &fields).about(&once)
}

fn switch_model(cast: &Cast<'_>) -> Form {
    let slug = format!("forms/m{}", cast.number());
    cast.run(&format!(
        "INSERT INTO models (slug, provider, name, hidden_reasoning, free, details, imported_at_ms) \
         VALUES ('{slug}', 'openrouter', 'Forms', 0, 0, '{{}}', 0)"
    ));
    of(
        &cast.operator,
        "/models/switch".to_owned(),
        &[("slug", &slug), ("enabled", "0")],
    )
    .about(&slug)
}

fn switch_provider(cast: &Cast<'_>) -> Form {
    cast.run("UPDATE providers SET enabled = 0");
    let fields = [("name", "openrouter"), ("enabled", "1")];
    of(&cast.operator, "/models/provider".to_owned(), &fields).about("openrouter")
}

fn refuse(cast: &Cast<'_>) -> Form {
    let pattern = format!("forms/r{}*", cast.number());
    let fields = [("pattern", pattern.as_str()), ("reason", "Forms reason")];
    of(&cast.operator, "/models/refusals".to_owned(), &fields).about(&pattern)
}

fn accept(cast: &Cast<'_>) -> Form {
    let pattern = format!("forms/r{}*", cast.number());
    cast.run(&format!(
        "INSERT INTO refused_models (pattern, reason, created_at_ms) VALUES ('{pattern}', 'Forms', 0)"
    ));
    of(
        &cast.operator,
        "/models/refusals/remove".to_owned(),
        &[("pattern", &pattern)],
    )
    .about(&pattern)
}

fn import(cast: &Cast<'_>) -> Form {
    let slug = format!("forms/i{}", cast.number());
    let json = format!(
        r#"{{"data":[{{"id":"{slug}","name":"Forms \"><script>alert(1)</script>","context_length":8000,
        "architecture":{{"input_modalities":["text"],"output_modalities":["text"]}},
        "pricing":{{"prompt":"0.000001","completion":"0.000002"}},
        "top_provider":{{"context_length":8000,"max_completion_tokens":1000,"is_moderated":false}},
        "supported_parameters":["max_tokens"]}}]}}"#
    );
    of(
        &cast.operator,
        "/models/import".to_owned(),
        &[("models", &json)],
    )
    .about(&slug)
}

fn fetch(cast: &Cast<'_>) -> Form {
    of(&cast.operator, "/models/fetch".to_owned(), &[])
}

fn add_provider_account(cast: &Cast<'_>) -> Form {
    let once = drawn("pac");
    let fields = [
        ("once", once.as_str()),
        ("name", NAME),
        ("credential", "sk-or-v1-forms-0123456789abcdef"),
    ];
    of(&cast.operator, "/provider-accounts".to_owned(), &fields).about(&once)
}

/// A form about a new provider account.
fn of_provider_account(cast: &Cast<'_>, what: &str, enabled: bool) -> Form {
    let add = add_provider_account(cast);
    let fields: Vec<(&str, &str)> = add
        .fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let shown = add.browser.clone().post(&add.path, &fields);
    assert_eq!(shown.status, 303, "{}", shown.body);
    let id = add.object;
    cast.run(&format!(
        "UPDATE provider_accounts SET enabled = {} WHERE id = '{id}'",
        i64::from(enabled)
    ));
    of(
        &cast.operator,
        format!("/provider-accounts/{id}/{what}"),
        &[],
    )
    .about(&id)
}

const fn row(path: &'static str, form: fn(&Cast<'_>) -> Form, effect: Effect) -> Row {
    Row {
        path,
        form,
        effect,
        numbers: &[],
        foreign: &[],
    }
}

impl Row {
    const fn numbers(mut self, numbers: &'static [Number]) -> Self {
        self.numbers = numbers;
        self
    }

    const fn foreign(mut self, foreign: &'static [(&'static str, Theirs)]) -> Self {
        self.foreign = foreign;
        self
    }
}

const fn number(field: &'static str, decimals: usize, stored: &'static str) -> Number {
    Number {
        field,
        decimals,
        stored,
    }
}

const KEY_NUMBERS: &[Number] = &[
    number(
        "requests_per_minute",
        0,
        "SELECT requests_per_minute FROM keys WHERE id = ?2",
    ),
    number(
        "requests_per_hour",
        0,
        "SELECT requests_per_hour FROM keys WHERE id = ?2",
    ),
    number(
        "requests_per_day",
        0,
        "SELECT requests_per_day FROM keys WHERE id = ?2",
    ),
    number(
        "tokens_per_minute",
        0,
        "SELECT tokens_per_minute FROM keys WHERE id = ?2",
    ),
    number(
        "parallel_calls",
        0,
        "SELECT parallel_calls FROM keys WHERE id = ?2",
    ),
    number("max_tokens", 0, "SELECT max_tokens FROM keys WHERE id = ?2"),
    number(
        "default_max_tokens",
        0,
        "SELECT default_max_tokens FROM keys WHERE id = ?2",
    ),
    number(
        "budget_day",
        9,
        "SELECT budget_day_nanos FROM keys WHERE id = ?2",
    ),
    number(
        "budget_week",
        9,
        "SELECT budget_week_nanos FROM keys WHERE id = ?2",
    ),
    number(
        "budget_month",
        9,
        "SELECT budget_month_nanos FROM keys WHERE id = ?2",
    ),
    number(
        "budget_total",
        9,
        "SELECT budget_total_nanos FROM keys WHERE id = ?2",
    ),
];

const LIMIT_NUMBERS: &[Number] = &[
    number(
        "requests_per_minute",
        0,
        "SELECT requests_per_minute FROM accounts WHERE id = ?2",
    ),
    number(
        "requests_per_hour",
        0,
        "SELECT requests_per_hour FROM accounts WHERE id = ?2",
    ),
    number(
        "requests_per_day",
        0,
        "SELECT requests_per_day FROM accounts WHERE id = ?2",
    ),
    number(
        "tokens_per_minute",
        0,
        "SELECT tokens_per_minute FROM accounts WHERE id = ?2",
    ),
    number(
        "parallel_calls",
        0,
        "SELECT parallel_calls FROM accounts WHERE id = ?2",
    ),
    number(
        "max_tokens",
        0,
        "SELECT max_tokens FROM accounts WHERE id = ?2",
    ),
    number(
        "default_max_tokens",
        0,
        "SELECT default_max_tokens FROM accounts WHERE id = ?2",
    ),
];

const SPEND_NUMBERS: &[Number] = &[
    number(
        "spend_day",
        9,
        "SELECT spend_limit_day_nanos FROM accounts WHERE id = ?2",
    ),
    number(
        "spend_week",
        9,
        "SELECT spend_limit_week_nanos FROM accounts WHERE id = ?2",
    ),
    number(
        "spend_month",
        9,
        "SELECT spend_limit_month_nanos FROM accounts WHERE id = ?2",
    ),
    number(
        "spend_total",
        9,
        "SELECT spend_limit_total_nanos FROM accounts WHERE id = ?2",
    ),
];

const RULE_NUMBERS: &[Number] = &[
    number(
        "markup",
        2,
        "SELECT markup_bps FROM price_rules WHERE id = ?2",
    ),
    number(
        "min_charge",
        9,
        "SELECT min_charge_nanos FROM price_rules WHERE id = ?2",
    ),
    number(
        "priority",
        0,
        "SELECT priority FROM price_rules WHERE id = ?2",
    ),
];

const TOP_UP_NUMBERS: &[Number] = &[
    number(
        "threshold",
        9,
        "SELECT threshold_nanos FROM auto_top_ups WHERE account_id = ?1",
    ),
    number(
        "top_up_amount",
        2,
        "SELECT amount_cents FROM auto_top_ups WHERE account_id = ?1",
    ),
    number(
        "month_limit",
        2,
        "SELECT month_limit_cents FROM auto_top_ups WHERE account_id = ?1",
    ),
];

use Effect::{Nothing, Once, Set};

/// Every form of the dashboard.
pub const ROWS: &[Row] = &[
    row(
        "/sign-in",
        ask_for_code,
        Once("SELECT count(*) FROM sign_in_codes WHERE email = ?2", 1, 0),
    ),
    row(
        "/sign-in/code",
        enter_code,
        Set("SELECT count(*) FROM people WHERE email = ?2"),
    ),
    row(
        "/sign-out",
        |cast| of_colleague(cast, "/sign-out"),
        Once("SELECT count(*) FROM sessions WHERE person_id = ?2", -1, 0),
    ),
    row(
        "/second-factor",
        second_factor,
        Once("SELECT count(*) FROM people WHERE id = ?2 AND totp_sealed IS NOT NULL", 1, 1),
    ),
    row("/keys", create_key, Once("SELECT count(*) FROM keys WHERE account_id = ?1", 1, 1))
        .numbers(KEY_NUMBERS)
        .foreign(&[("once", |cast| cast.rival.key.clone())]),
    row(
        "/keys/{id}",
        edit_key,
        Once("SELECT count(*) FROM keys WHERE id = ?2 AND name = 'Renamed'", 1, 1),
    )
    .numbers(KEY_NUMBERS),
    row(
        "/keys/{id}/revoke",
        revoke_key,
        Once("SELECT count(*) FROM keys WHERE id = ?2 AND revoked_at_ms IS NOT NULL", 1, 1),
    ),
    row(
        "/billing/orders",
        order,
        Once("SELECT count(*) FROM orders WHERE account_id = ?1", 1, 0),
    )
    .numbers(&[number("amount", 2, "SELECT price_cents FROM orders WHERE id = ?2")])
    .foreign(&[
        ("once", |cast| cast.rival.order.clone()),
        ("choice", |cast| cast.rival.pack.clone()),
    ]),
    row(
        "/billing/orders/{id}/pay",
        pay_order,
        Once("SELECT count(*) FROM orders WHERE id = ?2 AND state = 'open'", 1, 0),
    ),
    row(
        "/billing/orders/{id}/cancel",
        cancel_order,
        Once("SELECT count(*) FROM orders WHERE id = ?2 AND state = 'expired'", 1, 0),
    ),
    row(
        "/billing/orders/{id}/refund",
        refund,
        Once("SELECT count(*) FROM ledger_entries WHERE account_id = ?1 AND kind = 'refund'", 1, 1),
    )
    .numbers(&[number("amount", 0, "SELECT amount_cents FROM refunds WHERE id = ?2")])
    .foreign(&[("once", |cast| cast.rival.refund.clone())]),
    row(
        "/billing/top-up",
        top_up,
        Set("SELECT count(*) FROM auto_top_ups WHERE account_id = ?1 AND threshold_nanos = 500000000"),
    )
    .numbers(TOP_UP_NUMBERS),
    row("/billing/card", save_card, Nothing),
    row(
        "/billing/card/remove",
        remove_card,
        Once(
            "SELECT count(*) FROM stripe_customers WHERE account_id = ?1 AND payment_method_id IS NOT NULL",
            -1,
            1,
        ),
    )
    .foreign(&[("card", |_| "pm_rival".to_owned())]),
    row("/billing/portal", portal, Nothing),
    row(
        "/prices/rules",
        save_rule,
        Once("SELECT count(*) FROM price_rules WHERE account_id = ?1 AND id = ?2", 1, 2),
    )
    .numbers(RULE_NUMBERS)
    .foreign(&[
        ("once", |cast| cast.rival.rule.clone()),
        ("replaces", |cast| cast.rival.rule.clone()),
    ]),
    row(
        "/prices/rules/{id}/end",
        end_rule,
        // Of two at once the later one may be of an earlier millisecond, and then the rule ended at that.
        Once("SELECT count(*) FROM price_rules WHERE id = ?2 AND ends_at_ms IS NOT NULL", 1, ANY),
    ),
    row(
        "/customers/{id}/suspend",
        suspend,
        Once("SELECT count(*) FROM accounts WHERE id = ?2 AND status = 'suspended'", 1, 1),
    ),
    row(
        "/customers/{id}/resume",
        resume,
        Once("SELECT count(*) FROM accounts WHERE id = ?2 AND status = 'active'", 1, 1),
    ),
    row(
        "/customers/{id}/grants",
        grant,
        Once("SELECT count(*) FROM ledger_entries WHERE account_id IN (?1, ?2)", 2, 2),
    )
    .numbers(&[number(
        "amount",
        9,
        "SELECT amount_nanos FROM ledger_entries WHERE account_id = ?2",
    )]),
    row(
        "/customers/{id}/limits",
        limit,
        Set("SELECT count(*) FROM accounts WHERE id = ?2 AND requests_per_minute = 7"),
    )
    .numbers(LIMIT_NUMBERS),
    row(
        "/customers/{id}/spend-limits",
        limit_spending,
        Set("SELECT count(*) FROM accounts WHERE id = ?2 AND spend_limit_day_nanos = 1000000000"),
    )
    .numbers(SPEND_NUMBERS),
    row(
        "/brand",
        brand,
        Set("SELECT count(*) FROM brands WHERE account_id = ?1 AND name = ?2"),
    ),
    row(
        "/brand/logo",
        upload_logo,
        Set("SELECT count(*) FROM brands WHERE account_id = ?1 AND logo IS NOT NULL"),
    ),
    row(
        "/brand/logo/remove",
        remove_logo,
        Set("SELECT count(*) FROM brands WHERE account_id = ?1 AND logo IS NULL"),
    ),
    row(
        "/brand/domains",
        ask_for_domain,
        Once("SELECT count(*) FROM domains WHERE host = ?2", 1, 1),
    )
    .foreign(&[("host", |cast| cast.rival.host.clone())]),
    row(
        "/brand/domains/remove",
        remove_own_domain,
        Once("SELECT count(*) FROM domains WHERE host = ?2", -1, 1),
    )
    .foreign(&[("host", |cast| cast.rival.host.clone())]),
    row("/resellers", take_in, Once("SELECT count(*) FROM accounts WHERE id = ?2", 1, 3))
        .numbers(&[number(
            "opening",
            9,
            "SELECT sum(amount_nanos) FROM ledger_entries WHERE account_id = ?2",
        )])
        .foreign(&[("once", |cast| cast.rival.customer.clone())]),
    row(
        "/models/switch",
        switch_model,
        Once("SELECT count(*) FROM models WHERE slug = ?2 AND enabled = 0", 1, 1),
    ),
    row(
        "/models/provider",
        switch_provider,
        Once("SELECT count(*) FROM providers WHERE name = ?2 AND enabled = 1", 1, 1),
    ),
    row(
        "/models/refusals",
        refuse,
        Once("SELECT count(*) FROM refused_models WHERE pattern = ?2", 1, 1),
    ),
    row(
        "/models/refusals/remove",
        accept,
        Once("SELECT count(*) FROM refused_models WHERE pattern = ?2", -1, 1),
    ),
    row("/models/import", import, Set("SELECT count(*) FROM models WHERE slug = ?2")),
    row("/models/fetch", fetch, Nothing),
    row(
        "/provider-accounts",
        add_provider_account,
        Once("SELECT count(*) FROM provider_accounts WHERE id = ?2", 1, 1),
    ),
    row(
        "/provider-accounts/{id}/enable",
        |cast| of_provider_account(cast, "enable", false),
        Once("SELECT count(*) FROM provider_accounts WHERE id = ?2 AND enabled = 1", 1, 1),
    ),
    row(
        "/provider-accounts/{id}/disable",
        |cast| of_provider_account(cast, "disable", true),
        Once("SELECT count(*) FROM provider_accounts WHERE id = ?2 AND enabled = 0", 1, 1),
    ),
    row(
        "/provider-accounts/{id}/remove",
        |cast| of_provider_account(cast, "remove", false),
        Once("SELECT count(*) FROM provider_accounts WHERE id = ?2", -1, 1),
    ),
    row(
        "/provider-accounts/{id}/test",
        |cast| of_provider_account(cast, "test", false),
        Set("SELECT count(*) FROM provider_accounts WHERE id = ?2 AND tested_at_ms IS NOT NULL"),
    ),
    row(
        "/provider-accounts/{id}/reseal",
        |cast| of_provider_account(cast, "reseal", false),
        Nothing,
    ),
    row(
        "/domains/verify",
        verify_domain,
        Once("SELECT count(*) FROM domains WHERE host = ?2 AND verified_at_ms IS NOT NULL", 1, 1),
    ),
    row(
        "/domains/remove",
        remove_domain,
        Once("SELECT count(*) FROM domains WHERE host = ?2", -1, 1),
    ),
    row(
        "/playground",
        playground,
        Once("SELECT count(*) FROM requests WHERE account_id = ?1", 1, ANY),
    ),
    row(
        "/settings/profile",
        profile,
        Set("SELECT count(*) FROM people WHERE account_id = ?1 AND name = ?2"),
    ),
    row(
        "/settings/sessions/end",
        end_session,
        Once("SELECT count(*) FROM sessions WHERE person_id = ?2", -1, 1),
    )
    .foreign(&[("session", |cast| session_of(&cast.rival.member))]),
    row(
        "/settings/sessions/end-all",
        |cast| of_colleague(cast, "/settings/sessions/end-all"),
        Once("SELECT count(*) FROM sessions WHERE person_id = ?2", -1, 1),
    ),
    row(
        "/settings/second-factor/remove",
        without_second_factor,
        Once("SELECT count(*) FROM people WHERE id = ?2 AND totp_sealed IS NULL", 1, 1),
    ),
    row(
        "/settings/github/remove",
        without_github,
        Once("SELECT count(*) FROM people WHERE id = ?2 AND github_id IS NULL", 1, 1),
    ),
    row(
        "/settings/close",
        close,
        Once("SELECT count(*) FROM people WHERE id = ?2 AND closed_at_ms IS NOT NULL", 1, 1),
    ),
];
