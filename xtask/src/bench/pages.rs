//! `cargo xtask bench pages`: how long the dashboard works on its pages beyond what it waits for the
//! database, with many accounts and calls in it, and what the pages weigh. It judges nothing.

use std::time::{Duration, Instant};

use serde::Deserialize;
use tollgate_core::hrana::{Batch, Statement};
use tollgate_core::ids::RequestId;

use super::statistics::Latency;
use crate::clock::now_ms;
use crate::demo::{self, Demo};
use crate::failure::{Failure, OrFail};
use crate::progress::step;
use crate::stack::{self, Stack, StackOptions};

/// Customers of the demo's reseller, and calls of theirs.
const CUSTOMERS: i64 = 1_000;
const CALLS: i64 = 100_000;

/// Calls of the end user who looks at the pages.
const OWN_CALLS: i64 = 5_000;

/// How often each page is opened, after it was opened once.
const VISITS: usize = 40;

const END_USER: [&str; 6] = [
    "/",
    "/keys",
    "/requests",
    "/billing",
    "/billing/statement",
    "/playground",
];
const RESELLER: [&str; 4] = ["/prices", "/customers", "/revenue", "/brand"];
const OPERATOR: [&str; 4] = ["/models", "/resellers", "/domains", "/audit"];

/// Seeds a stack of its own, opens the pages and prints a table.
///
/// # Errors
/// When the stack does not come up, or a page is not answered with itself.
pub fn run() -> Result<(), Failure> {
    stack::prepare()?;
    let stack = step("database, simulator and Workers", || {
        Stack::start(StackOptions::default())
    })?;
    let demo = demo::of(&stack)?.ok_or_else(|| Failure::new("the database is not a fresh one"))?;
    step(&format!("{CUSTOMERS} customers with {CALLS} calls"), || {
        seed(&stack, &demo)
    })?;
    println!(
        "{:<22} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "page", "p50 ms", "database", "beyond", "p99 bey.", "KB"
    );
    for (person, pages) in [
        (&demo.end_user, END_USER.as_slice()),
        (&demo.reseller, &RESELLER),
        (&demo.operator, &OPERATOR),
    ] {
        let visitor = Visitor::sign_in(&person.sign_in_url)?;
        for page in pages {
            println!("{}", visitor.measure(&stack, page)?);
        }
    }
    stack.stop();
    Ok(())
}

/// Somebody who signed in.
struct Visitor {
    agent: ureq::Agent,
    origin: String,
    cookie: String,
}

/// What the dashboard logs of a page.
#[derive(Deserialize)]
struct Page {
    event: String,
    database: Database,
}

#[derive(Deserialize)]
struct Database {
    ms: u64,
}

/// A line of the runtime's log.
#[derive(Deserialize)]
struct Line {
    message: String,
}

impl Visitor {
    fn sign_in(link: &str) -> Result<Self, Failure> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .into();
        let response = agent
            .get(link)
            .call()
            .or_fail(|| "cannot sign in".to_owned())?;
        let cookie = response
            .headers()
            .get("set-cookie")
            .and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|value| value.split(';').next());
        let (origin, _) = link.split_once("/sign-in").unwrap_or((link, ""));
        Ok(Self {
            agent,
            origin: origin.to_owned(),
            cookie: cookie
                .ok_or_else(|| Failure::new("the link signs nobody in"))?
                .to_owned(),
        })
    }

    /// Opens a page many times, one after the other, and makes a line of a table of it.
    fn measure(&self, stack: &Stack, path: &str) -> Result<String, Failure> {
        self.open(path)?;
        let before = self.logged(stack)?.len();
        let mut took = Vec::new();
        let mut bytes = 0;
        for _ in 0..VISITS {
            let start = Instant::now();
            bytes = self.open(path)?;
            took.push(start.elapsed());
        }
        let logged = self.logged(stack)?;
        let waited = logged.get(before..).unwrap_or_default();
        let waited: Vec<Duration> = waited.iter().copied().map(Duration::from_millis).collect();
        if waited.len() != took.len() {
            return Err(Failure::new(format!(
                "the log does not have every visit of `{path}`"
            )));
        }
        let beyond = took.iter().zip(&waited);
        let beyond: Vec<Duration> = beyond
            .map(|(took, waited)| took.saturating_sub(*waited))
            .collect();
        let [took, waited, beyond] = [took, waited, beyond].map(Latency::of);
        Ok(format!(
            "{path:<22} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>7.1}",
            took.p50_ms,
            waited.p50_ms,
            beyond.p50_ms,
            beyond.p99_ms,
            f64::from(bytes) / 1000.0
        ))
    }

    /// The size of the page.
    fn open(&self, path: &str) -> Result<u32, Failure> {
        let what = || format!("cannot open `{path}`");
        let get = self.agent.get(format!("{}{path}", self.origin));
        let mut response = get.header("cookie", &self.cookie).call().or_fail(what)?;
        if response.status() != 200 {
            return Err(Failure::new(format!(
                "`{path}` is answered with {}",
                response.status()
            )));
        }
        let page = response.body_mut().read_to_string().or_fail(what)?;
        u32::try_from(page.len()).or_fail(what)
    }

    /// How long each page that was logged so far waited for the database, in milliseconds.
    fn logged(&self, stack: &Stack) -> Result<Vec<u64>, Failure> {
        let log = std::fs::read_to_string(stack.gateway_log()).or_fail(|| "the log".to_owned())?;
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let pages = lines.filter_map(|line| serde_json::from_str::<Page>(&line.message).ok());
        Ok(pages
            .filter(|page| page.event == "page")
            .map(|page| page.database.ms)
            .collect())
    }
}

/// Fills the tables that pages read. No money moves: these books are not for reconciling.
fn seed(stack: &Stack, demo: &Demo) -> Result<(), Failure> {
    const NUMBERS: &str = "WITH d(x) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)), \
        n(x) AS (SELECT a.x + 10*b.x + 100*c.x + 1000*d.x + 10000*e.x FROM d a, d b, d c, d d, d e)";
    let now_ms = now_ms();
    let day = now_ms / 86_400_000;
    let step_ms = 30 * 86_400_000 / CALLS;
    let first = RequestId::first_at(now_ms - 30 * 86_400_000).get();
    let requests = |account: &str, key: &str, limit: i64, offset: i64| {
        format!(
            "{NUMBERS} INSERT INTO requests (id, nonce, account_id, key_id, state, levels, lease_until_ms, model, \
             provider, cost_id, streamed, max_tokens, prompt_estimate, reserved_tokens, created_at_ms, outcome, \
             status, cost_nanos, prompt_tokens, completion_tokens, first_byte_ms, total_ms, resolved_at_ms) \
             SELECT {first} + ((n.x * {step_ms}) << 22) + {offset}, 1, {account}, {key}, 'settled', \
             json_array(json_object('account', {account}, 'rule', 'rul_x', 'hold', 9000, 'charge', 4000)), 0, \
             'openai/gpt-4o-mini', 'openrouter', 1, 0, 32, 5, 37, {now_ms} - 2592000000 + n.x * {step_ms}, 'exact', \
             200, 3000, 5, 32, 40, 400, {now_ms} FROM n WHERE n.x < {limit}"
        )
    };
    let (reseller, own) = (
        &demo.reseller_id,
        format!("'{}'", demo.reseller_customer_id),
    );
    let statements = [
        format!(
            "{NUMBERS} INSERT INTO accounts (id, parent_id, kind, chain, name, created_at_ms) \
             SELECT 'acc_b' || n.x, '{reseller}', 'customer', json_array('acc_b' || n.x, '{reseller}'), \
             'Customer ' || n.x, {now_ms} - n.x FROM n WHERE n.x < {CUSTOMERS}"
        ),
        requests(
            "'acc_b' || (n.x % 1000)",
            "'key_b' || (n.x % 1000)",
            CALLS,
            0,
        ),
        requests(&own, "'key_own'", OWN_CALLS, 1),
        format!(
            "{NUMBERS} INSERT INTO usage_days (account_id, day, key_id, model, caller_id, settled, voided, \
             prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens, charge_nanos, \
             base_nanos, true_up_nanos) \
             SELECT CASE l.x WHEN 0 THEN 'acc_b' || (n.x % 1000) ELSE '{reseller}' END, {day} - n.x / 1000, \
             'key_b' || (n.x % 1000), 'openai/gpt-4o-mini', 'acc_b' || (n.x % 1000), 4, 0, 20, 0, 0, 128, 0, \
             16000, 12000, 0 FROM n, (SELECT 0 AS x UNION ALL SELECT 1) l WHERE n.x < 30000"
        ),
        format!(
            "UPDATE usage_marks SET rolled_to_id = {}",
            RequestId::first_at(now_ms - 600_000).get()
        ),
    ];
    for sql in statements {
        let (batch, commit) = Batch::transaction([Statement::new(sql)]);
        let reply = stack.database().execute(&batch)?;
        if !reply.is_ok(commit) {
            return Err(Failure::new("the database refused the benchmark's rows"));
        }
    }
    Ok(())
}
