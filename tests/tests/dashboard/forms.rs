//! Every form in bad hands: sent twice at once, with dirt in every field, with numbers that are none, with
//! somebody else's objects. The list of forms is checked against the dashboard's own routes, so that none is
//! forgotten.

mod cast;
mod table;

use std::collections::BTreeSet;
use std::time::Instant;

use tollgate_core::ids::RequestId;
use tollgate_dashboard::{Access, route_list};
use ureq::http::Request;
use xtask::clock::now_ms;

use crate::browser::{self, Browser, Shown};
use crate::stage::shared;
use cast::Cast;
use table::{ANY, Effect, Form, ROWS, Row};

/// Forms that no person sends. Stripe proves itself by a signature over the body: `webhook` and
/// `payments` are about that.
const MACHINES: [&str; 1] = ["/stripe/webhook"];

#[test]
fn no_form_is_forgotten() {
    let posts = route_list().filter(|(method, ..)| *method == "POST");
    let (machines, people): (Vec<_>, Vec<_>) =
        posts.partition(|(.., access)| *access == Access::Machine);
    let paths = |routes: &[(_, &'static str, Access)]| -> BTreeSet<&str> {
        routes.iter().map(|(_, path, _)| *path).collect()
    };
    assert_eq!(paths(&machines), BTreeSet::from(MACHINES));
    let known: BTreeSet<&str> = ROWS.iter().map(|row| row.path).collect();
    assert_eq!(known, paths(&people));
    assert_eq!(known.len(), ROWS.len());
}

/// A form's body, with one field changed.
fn encode(form: &Form, change: Option<(&str, &Dirt)>) -> String {
    let mut pairs = Vec::new();
    for (name, value) in &form.fields {
        let escaped = |value: &str| -> String {
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            format!("{name}={value}")
        };
        match change.filter(|(field, _)| field == name) {
            None => pairs.push(escaped(value)),
            Some((_, Dirt::Text(text))) => pairs.push(escaped(text)),
            Some((_, Dirt::Encoded(text))) => pairs.push(format!("{name}={text}")),
            Some((_, Dirt::Missing)) => {}
            Some((_, Dirt::Before(text))) => pairs.extend([escaped(text), escaped(value)]),
            Some((_, Dirt::After(text))) => pairs.extend([escaped(value), escaped(text)]),
        }
    }
    pairs.join("&")
}

fn send(form: &Form, browser: &mut Browser, change: Option<(&str, &Dirt)>) -> Shown {
    let Some((name, bytes)) = &form.file else {
        return browser.post_encoded(&form.path, &encode(form, change));
    };
    let mut body = format!(
        "--XX\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n--XX\r\n\
         content-disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\n\r\n",
        browser.csrf()
    )
    .into_bytes();
    body.extend(bytes);
    body.extend(b"\r\n--XX--\r\n");
    browser.upload(&form.path, "multipart/form-data; boundary=XX", body)
}

fn is_done(shown: &Shown) -> bool {
    [200, 303].contains(&shown.status)
}

#[test]
fn a_form_that_is_sent_twice_at_once_and_once_more_does_what_it_does_once() {
    let mut stage = shared();
    stage.renew_links();
    let cast = Cast::new(&stage);
    let mut wrong = Vec::new();
    for row in ROWS {
        let begun = Instant::now();
        if let Err(what) = twice(&cast, row) {
            wrong.push(format!("{}: {what}", row.path));
        }
        eprintln!("{:5} ms {}", begun.elapsed().as_millis(), row.path);
    }
    cast.leave();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn twice(cast: &Cast<'_>, row: &Row) -> Result<(), String> {
    let form = (row.form)(cast);
    let args = [form.account.as_str(), form.object.as_str()];
    let count = || match row.effect {
        Effect::Once(sql, ..) | Effect::Set(sql) => cast.number_of(sql, &args),
        Effect::Nothing => 0,
    };
    let (before, lines) = (count(), cast.lines());
    let parallel = |_| {
        let (form, mut browser) = (&form, form.browser.clone());
        move || send(form, &mut browser, None)
    };
    let [one, other] = [0, 1].map(parallel);
    let mut shown: Vec<Shown> = std::thread::scope(|scope| {
        let threads = [scope.spawn(one), scope.spawn(other)];
        threads.map(|thread| thread.join().unwrap()).into()
    });
    let both = count();
    shown.push(send(&form, &mut form.browser.clone(), None));
    let (after, written) = (count(), cast.lines() - lines);
    let told: Vec<String> = shown
        .iter()
        .map(|shown| {
            format!(
                "{} {} {}",
                shown.status,
                shown.location,
                problems(&shown.body)
            )
        })
        .collect();
    let told = told.join(" | ");
    if !shown.iter().any(is_done) || shown.iter().any(|shown| shown.status >= 500) {
        return Err(told);
    }
    let expected = match row.effect {
        Effect::Once(_, by, _) => by,
        Effect::Set(_) => 1,
        Effect::Nothing => 0,
    };
    if [both - before, after - before] != [expected, expected] {
        let moved = [both - before, after - before];
        return Err(format!("{moved:?} instead of {expected}: {told}"));
    }
    match row.effect {
        Effect::Once(_, _, expected) if expected != ANY && written != expected => Err(format!(
            "{written} lines in the audit log instead of {expected}: {told}"
        )),
        Effect::Once(..) | Effect::Set(_) | Effect::Nothing => Ok(()),
    }
}

/// What a page says is wrong.
fn problems(page: &str) -> String {
    let texts = ["field-error", "class=\"notice", "<h1"]
        .iter()
        .flat_map(|mark| {
            page.split(mark)
                .skip(1)
                .map(|rest| rest.split_once('>').unwrap_or_default().1)
                .map(|rest| strip(rest.split("</").next().unwrap_or_default()))
        });
    texts.collect::<Vec<_>>().join("; ")
}

fn strip(html: &str) -> String {
    let mut depth = 0;
    let text = html.chars().filter(|letter| {
        match letter {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => return depth == 0,
        }
        false
    });
    text.collect()
}

/// What is typed into a field.
enum Dirt {
    /// This.
    Text(String),
    /// This, as it stands in the body.
    Encoded(&'static str),
    /// Nothing is sent.
    Missing,
    /// This, and then the field once more with what belongs there.
    Before(String),
    /// The same the other way round.
    After(String),
}

/// What would run in a page that shows it as it is.
const HTML: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";

fn dirts() -> Vec<Dirt> {
    let texts = [
        "'; DROP TABLE accounts; --",
        "a\0b\r\nSet-Cookie: x=1\u{1b}",
        "a\u{202e}b",
        "=1+1",
        "\t=1+1",
        "",
        HTML,
    ];
    let mut dirts: Vec<Dirt> = texts.map(|text| Dirt::Text(text.to_owned())).into();
    dirts.extend([
        Dirt::Text("a".repeat(100_000)),
        Dirt::Encoded("%ff%fe"),
        Dirt::Missing,
        Dirt::Before(HTML.to_owned()),
        Dirt::After(HTML.to_owned()),
    ]);
    dirts
}

impl std::fmt::Display for Dirt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{:?}", text.chars().take(60).collect::<String>()),
            Self::Encoded(text) => f.write_str(text),
            Self::Missing => f.write_str("nothing"),
            Self::Before(text) => write!(f, "{text:?} before the right one"),
            Self::After(text) => write!(f, "{text:?} after the right one"),
        }
    }
}

/// Forms that are answered with a page when all is well: a secret that is shown once, a report, an answer.
const PAGES: [&str; 4] = ["/keys", "/models/fetch", "/models/import", "/playground"];

/// What is wrong with an answer, whatever was sent.
fn fault_of(row: &Row, field: &str, shown: &Shown) -> Option<String> {
    let injected = ["alert(1)", "x=1"];
    let header = shown.headers.iter().find(|(name, value)| {
        injected
            .iter()
            .any(|mark| name.contains(mark) || value.contains(mark))
    });
    if let Some((name, value)) = header {
        return Some(format!("the header {name}: {value}"));
    }
    if is_live(shown) {
        return Some(format!("{} shows the script as it is", shown.status));
    }
    match shown.status {
        200 if !PAGES.contains(&row.path) => Some("200 does not say what is wrong".to_owned()),
        200 | 303 | 404 => None,
        422 if !is_told(&shown.body, (row.path, field)) => Some(format!(
            "422 does not say it there: {}",
            problems(&shown.body)
        )),
        409 | 422 => None,
        status => Some(format!("{status} {}", problems(&shown.body))),
    }
}

/// Whether a page would run what was typed. Files are saved and not shown.
fn is_live(shown: &Shown) -> bool {
    let is_page = shown
        .headers
        .get("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"));
    is_page
        && ["<script>alert(1)", "<img src=x"]
            .iter()
            .any(|mark| shown.body.contains(mark))
}

/// Fields of which the one beside them says what is wrong with both.
const TOLD_BESIDE: [(&str, &str); 2] = [("/models/import", "models"), ("/playground", "model")];

/// Whether the page of a refused form says what is wrong at the field, if people see that one.
fn is_told(page: &str, (path, field): (&str, &str)) -> bool {
    let named = format!(" name=\"{field}\"");
    let mut tags = page.split('<').filter(|tag| tag.contains(&named));
    let hidden = |tag: &&str| !tag.contains("type=\"hidden\"") && !tag.contains("type=\"radio\"");
    match tags.find(hidden) {
        Some(tag) if !TOLD_BESIDE.contains(&(path, field)) => tag.contains("aria-invalid=\"true\""),
        Some(_) | None => {
            page.contains("class=\"field-error\"") || page.contains("class=\"notice ")
        }
    }
}

#[test]
fn whatever_is_typed_is_kept_as_it_is_or_refused_and_runs_nowhere() {
    let mut stage = shared();
    stage.renew_links();
    let cast = Cast::new(&stage);
    let (tables, rival) = (tables(&cast), cast.of_rival());
    let mut wrong = Vec::new();
    for row in ROWS {
        let begun = Instant::now();
        let names: Vec<&str> = (row.form)(&cast)
            .fields
            .iter()
            .map(|(name, _)| *name)
            .collect();
        for name in names {
            let is_number = row.numbers.iter().any(|number| number.field == name);
            for dirt in dirts() {
                // What is wrong with a number is tried below.
                if is_number
                    && matches!(&dirt, Dirt::Text(text) if text.len() < 50 && !text.is_empty())
                {
                    continue;
                }
                let form = (row.form)(&cast);
                let shown = send(&form, &mut form.browser.clone(), Some((name, &dirt)));
                if let Some(fault) = fault_of(row, name, &shown) {
                    wrong.push(format!("{} {name} = {dirt}: {fault}", row.path));
                }
            }
        }
        eprintln!("{:5} ms {}", begun.elapsed().as_millis(), row.path);
    }
    // What the right values of other fields have overwritten is typed in once more.
    for row in ROWS {
        for (name, _) in (row.form)(&cast).fields {
            let form = (row.form)(&cast);
            let dirt = Dirt::Text(HTML.to_owned());
            let shown = send(&form, &mut form.browser.clone(), Some((name, &dirt)));
            if is_done(&shown) && matches!(row.effect, Effect::Set(_)) {
                break;
            }
        }
    }
    wrong.extend(walk(&cast));
    assert_eq!(self::tables(&cast), tables);
    assert_eq!(cast.of_rival(), rival);
    cast.leave();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn tables(cast: &Cast<'_>) -> Vec<String> {
    cast.texts_of("SELECT name FROM sqlite_master ORDER BY name", &[])
}

/// Pages on which something that was typed must be seen, so that the walk looks at the right ones.
const SEEN: [&str; 9] = [
    "operator /audit",
    "operator /customers/{id}",
    "operator /models",
    "operator /provider-accounts",
    "operator /resellers",
    "buyer /keys",
    "buyer /keys/{id}",
    "buyer /settings",
    "reseller /brand",
];

/// Opens every page of everybody; what is wrong with some of them.
fn walk(cast: &Cast<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    let people = [
        ("operator", &cast.operator),
        ("reseller", &cast.reseller),
        ("buyer", &cast.buyer),
    ];
    for (name, member) in people {
        let mut browser = member.browser.clone();
        for (method, pattern, _) in route_list() {
            if method != "GET" {
                continue;
            }
            for path in addresses(cast, &member.account, pattern) {
                let shown = browser.get(&path);
                let token = browser.csrf();
                let mut tokens = shown.body.split("name=\"csrf\" value=\"").skip(1);
                let is_ours = tokens.all(|rest| rest.starts_with(&token));
                if shown.status >= 500 || is_live(&shown) || !is_ours {
                    wrong.push(format!(
                        "{name} {path}: {} {}",
                        shown.status,
                        problems(&shown.body)
                    ));
                }
                if shown.body.contains("&lt;script&gt;alert(1)") {
                    seen.insert(format!("{name} {pattern}"));
                }
            }
        }
    }
    let missed = SEEN.iter().filter(|page| !seen.contains(**page));
    wrong.extend(missed.map(|page| format!("{page} does not show what was typed")));
    wrong
}

/// The addresses of a route for an account's people; those with an id are of its latest objects.
fn addresses(cast: &Cast<'_>, account: &str, pattern: &str) -> Vec<String> {
    if !pattern.contains('{') {
        return vec![pattern.to_owned()];
    }
    let sql = match pattern.split('/').nth(1).unwrap_or_default() {
        "keys" => "SELECT id FROM keys WHERE account_id = ?1 ORDER BY created_at_ms DESC LIMIT 20",
        "customers" => {
            "SELECT a.id FROM accounts a LEFT JOIN people p ON p.account_id = a.id \
             WHERE a.parent_id = ?1 ORDER BY (p.name || a.name) LIKE '%<script>%' DESC LIMIT 20"
        }
        "billing" => "SELECT id FROM orders WHERE account_id = ?1 LIMIT 5",
        _ => return Vec::new(),
    };
    let ids = cast.texts_of(sql, &[account]);
    ids.iter().map(|id| pattern.replace("{id}", id)).collect()
}

#[test]
fn a_number_is_stored_as_it_was_typed_or_refused() {
    let mut stage = shared();
    stage.renew_links();
    let cast = Cast::new(&stage);
    let mut wrong = Vec::new();
    for row in ROWS {
        for number in row.numbers {
            for typed in [
                "-1",
                "0",
                "1e9",
                "NaN",
                "1,5",
                "1.5",
                "0.000000000001",
                "99999999999999999999",
                "+1",
                " 2 ",
                "１２",
                "1 0",
                "0x10",
                "-0",
                "inf",
            ] {
                let form = (row.form)(&cast);
                let stored = || -> Option<i64> {
                    let rows = cast.read(number.stored, &[&form.account, &form.object]);
                    rows.first().and_then(|row| row.get(0).unwrap())
                };
                let before = stored();
                let dirt = Dirt::Text(typed.to_owned());
                let shown = send(
                    &form,
                    &mut form.browser.clone(),
                    Some((number.field, &dirt)),
                );
                let after = stored();
                let is_right = match is_done(&shown) {
                    true => {
                        after.map(i128::from) == said(typed, number.decimals) && after.is_some()
                    }
                    false => after == before && fault_of(row, number.field, &shown).is_none(),
                };
                let is_negative = after < Some(0) && after.is_some() && number.field != "priority";
                if !is_right || is_negative {
                    let field = number.field;
                    let told = problems(&shown.body);
                    wrong.push(format!(
                        "{} {field} = {typed:?}: {} {told}, {before:?} -> {after:?}",
                        row.path, shown.status
                    ));
                }
            }
        }
    }
    cast.leave();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a number says, in units of its last decimal; `None` if it says none that can be kept.
fn said(typed: &str, decimals: usize) -> Option<i128> {
    let typed = typed.trim();
    let (sign, digits) = match typed.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, typed.strip_prefix('+').unwrap_or(typed)),
    };
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(rest) || rest.len() > decimals {
        return None;
    }
    let units: i128 = format!("{whole}{rest:0<decimals$}").parse().ok()?;
    Some(sign * units)
}

/// Fields that say a day or a moment: the form's path, the field, and what reads it as it would be typed.
const DATES: [(&str, &str, &str); 3] = [
    (
        "/keys",
        "expires",
        "SELECT strftime('%Y-%m-%d', expires_at_ms / 1000 - 1, 'unixepoch') FROM keys WHERE id = ?2",
    ),
    (
        "/keys/{id}",
        "expires",
        "SELECT strftime('%Y-%m-%d', expires_at_ms / 1000 - 1, 'unixepoch') FROM keys WHERE id = ?2",
    ),
    (
        "/prices/rules",
        "starts_at",
        "SELECT strftime('%Y-%m-%d', starts_at_ms / 1000, 'unixepoch') FROM price_rules WHERE id = ?2",
    ),
];

#[test]
fn a_day_is_the_day_that_was_typed_or_refused() {
    let mut stage = shared();
    stage.renew_links();
    let cast = Cast::new(&stage);
    let mut wrong = Vec::new();
    let mut check = |typed: &str, expect: Option<&str>| {
        for (path, field, stored) in DATES {
            let row = ROWS.iter().find(|row| row.path == path).unwrap();
            let form = (row.form)(&cast);
            let dirt = Dirt::Text(typed.to_owned());
            let shown = send(&form, &mut form.browser.clone(), Some((field, &dirt)));
            let stored: Option<String> = cast
                .read(stored, &[&form.account, &form.object])
                .first()
                .and_then(|row| row.get(0).unwrap());
            let is_right = match is_done(&shown) {
                true => expect.is_some() && stored.as_deref() == expect,
                false => stored.is_none() && fault_of(row, field, &shown).is_none(),
            };
            if !is_right {
                let told = problems(&shown.body);
                let status = shown.status;
                wrong.push(format!(
                    "{path} {field} = {typed:?}: {status} {told}, {stored:?}"
                ));
            }
        }
    };
    check("2030-02-28", Some("2030-02-28"));
    check(" 2030-02-28\t", Some("2030-02-28"));
    check("2030-02-28T00:00", Some("2030-02-28"));
    check("20300228", Some("2030-02-28"));
    for never in [
        "2030-02-30",
        "-1",
        "0",
        "1e9",
        "NaN",
        "28.02.2030",
        "2030-2-8",
        "99999-12-31",
        "9999-12-31",
        "+2030-02-28",
        "２０３０-02-28",
        "2030-02-28T25:00",
        "1970-01-01",
        "2020-01-01",
        "99999999999999999999",
        "-009999-01-01",
        "tomorrow",
    ] {
        check(never, None);
    }
    cast.leave();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A form that makes something new takes an id that is another's for a slip, and draws one; a host or a
/// session that is another's is as good as gone.
const WITHOUT_A_WORD: [(&str, &str); 3] = [
    ("/billing/orders", "once"),
    ("/brand/domains/remove", "host"),
    ("/settings/sessions/end", "session"),
];

#[test]
fn a_form_that_names_somebody_elses_object_changes_nothing_of_it() {
    let mut stage = shared();
    stage.renew_links();
    let cast = Cast::new(&stage);
    let rival = cast.of_rival();
    let mut wrong = Vec::new();
    for row in ROWS {
        for (field, theirs) in row.foreign {
            let form = (row.form)(&cast);
            let dirt = Dirt::Text(theirs(&cast));
            let shown = send(&form, &mut form.browser.clone(), Some((field, &dirt)));
            let is_silent = WITHOUT_A_WORD.contains(&(row.path, field)) && shown.status == 303;
            if ![404, 409, 422].contains(&shown.status) && !is_silent {
                let told = problems(&shown.body);
                wrong.push(format!("{} {field}: {} {told}", row.path, shown.status));
            }
            if cast.of_rival() != rival {
                wrong.push(format!("{} {field}: {:?}", row.path, cast.of_rival()));
            }
        }
    }
    assert!(rival.len() > 8, "{rival:?}");
    cast.leave();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_form_that_is_too_large_is_refused_with_the_reason() {
    let mut stage = shared();
    stage.renew_links();
    let cast = Cast::new(&stage);
    let mut browser = cast.buyer.browser.clone();
    let shown = browser.post(
        "/playground",
        &[("model", "sim/echo"), ("prompt", &"é".repeat(100_000))],
    );
    assert_eq!(shown.status, 413, "{}", shown.body);
    assert!(shown.body.contains("too large"), "{}", shown.body);
}

/// What a spreadsheet takes for a formula.
const FORMULAS: [&str; 4] = ["=1+1", "+1+1", "-1+1", "@SUM(1)"];

#[test]
fn nothing_that_was_typed_runs_in_a_spreadsheet() {
    let mut stage = shared();
    stage.renew_links();
    let cast = Cast::new(&stage);
    let (mut operator, mut buyer) = (cast.operator.browser.clone(), cast.buyer.browser.clone());
    for formula in FORMULAS {
        // Names of keys are in the requests, reasons in the statement, names of accounts in the revenue.
        let key = cast.new_key(&cast.buyer.account, "Renamed");
        let named = buyer.post(&format!("/keys/{}", key.id), &[("name", formula)]);
        assert_eq!(named.status, 303, "{}", named.body);
        let url = format!("{}/v1/chat/completions", stage.stack.gateway_url());
        let call = Request::post(url)
            .header("authorization", format!("Bearer {}", key.key.reveal()))
            .header("content-type", "application/json");
        let body = r#"{"model":"sim/echo","messages":[{"role":"user","content":"hi"}]}"#;
        let answer = browser::send(call.body(body.to_owned()).unwrap());
        assert_eq!(answer.status, 200, "{}", answer.body);
        let once = RequestId::new(now_ms(), cast.number()).to_string();
        let grant = [
            ("once", once.as_str()),
            ("amount", "1"),
            ("reason", formula),
        ];
        let granted = operator.post(&format!("/customers/{}/grants", cast.buyer.account), &grant);
        assert_eq!(granted.status, 303, "{}", granted.body);
        let email = format!("forms-{}-{}@example.test", cast.number(), now_ms());
        let shop = operator.post("/resellers", &[("name", formula), ("email", &email)]);
        assert_eq!(shop.status, 303, "{}", shop.body);
        let account = shop.location.split(['/', '?']).nth(2).unwrap();
        cast.run(&format!(
            "INSERT INTO usage_days SELECT '{account}', {}, 'key_forms', '{formula}', '{account}', \
             1, 0, 1, 0, 0, 1, 0, 1, 1, 0",
            now_ms() / 86_400_000,
        ));
    }
    let files = [
        (buyer.clone(), "/requests/export?format=csv", "key_name"),
        (buyer, "/billing/statement.csv", "reason"),
        (operator, "/revenue/export", "customer_name"),
    ];
    for (mut browser, path, column) in files {
        let file = browser.get(path);
        assert_eq!(file.status, 200, "{path}");
        let mut lines = csv_lines(&file.body);
        let head = lines.remove(0);
        let at = head.iter().position(|name| name == column);
        let at = at.unwrap_or_else(|| panic!("{path}: {head:?}"));
        for formula in FORMULAS {
            let defused = format!("'{formula}");
            assert!(
                lines.iter().any(|line| line[at] == defused),
                "{path}: no {defused}"
            );
        }
        for cell in lines.iter().flatten() {
            let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            assert!(!is_formula || cell.parse::<f64>().is_ok(), "{path}: {cell}");
        }
    }
    cast.leave();
}

/// The cells of a CSV file, as another program reads them.
fn csv_lines(file: &str) -> Vec<Vec<String>> {
    let mut lines = vec![vec![String::new()]];
    let mut is_quoted = false;
    for letter in file.chars() {
        let line = lines.last_mut().unwrap();
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => line.push(String::new()),
            '\n' if !is_quoted => lines.push(vec![String::new()]),
            '\r' if !is_quoted => {}
            letter => line.last_mut().unwrap().push(letter),
        }
    }
    lines.pop();
    lines
}

#[test]
fn who_has_no_card_is_told_why_automatic_top_up_stays_off() {
    let mut stage = shared();
    stage.renew_links();
    let cast = Cast::new(&stage);
    let mut browser = cast.rival.member.browser.clone();
    let fields = [
        ("enabled", "on"),
        ("threshold", "5"),
        ("top_up_amount", "20"),
        ("month_limit", "100"),
    ];
    let shown = browser.post("/billing/top-up", &fields);
    assert_eq!(shown.status, 422);
    assert!(shown.body.contains("It was not saved"), "{}", shown.body);
}

#[test]
fn a_form_that_is_sent_again_with_something_else_in_it_does_not_say_that_it_was_done() {
    let mut stage = shared();
    stage.renew_links();
    let cast = Cast::new(&stage);
    let check = |path: &str, field: &str, other: &str| {
        let row = ROWS.iter().find(|row| row.path == path).unwrap();
        let form = (row.form)(&cast);
        let first = send(&form, &mut form.browser.clone(), None);
        assert!(is_done(&first), "{path}: {}", first.body);
        let dirt = Dirt::Text(other.to_owned());
        let again = send(&form, &mut form.browser.clone(), Some((field, &dirt)));
        let told = problems(&again.body);
        assert!(
            [404, 409, 422].contains(&again.status),
            "{path}: {} {told}",
            again.status
        );
    };
    check("/customers/{id}/grants", "amount", "0.26");
    check("/prices/rules", "markup", "13");
    check(
        "/provider-accounts",
        "credential",
        "sk-or-v1-other-0123456789abcdeg",
    );
    check("/provider-accounts", "name", "Forms other");
    check("/resellers", "name", "Forms other");
    cast.leave();
}
