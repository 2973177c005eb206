//! Many callers with wallets near zero, while credit comes and goes and somebody watches every
//! account.

use std::time::Duration;

use tollgate_core::hrana::Statement;

use super::audit::{Leniency, audit};
use super::books;
use super::crowd::{Crowd, Poster};
use super::random::Random;
use super::report::Report;
use super::stage::{self, Chain};
use super::telling::Telling;
use super::workload::Shape;
use crate::stage::Stage;

const CONNECTIONS: usize = 32;
const RESELLERS: usize = 4;

/// About what a few calls hold, in nanos: the reseller's wallet, and each of its customers'.
const CREDIT: (i64, i64) = (3_000_000, 500_000);

const GRACE_MS: i64 = 60_000;

const SHAPE: Shape = Shape {
    tokens: (1, 400),
    paces: &[0, 0, 0, 1_000],
    streamed_percent: 60,
    left_percent: 15,
    most_record_ms: 1_500,
};

/// How often a watcher looks at the accounts alone before it compares them with all calls.
const GLANCES: u64 = 20;

const GLANCE: &str = "\
SELECT id || ': balance ' || balance_nanos || ', held ' || held_nanos || ', debt ' || debt_nanos
FROM accounts WHERE balance_nanos < 0 OR held_nanos < 0 OR held_nanos > balance_nanos OR debt_nanos < 0";

/// Lets the crowd in for so long.
///
/// # Panics
/// When the parts do not run, or do not come to rest.
#[must_use]
pub fn load(name: &str, seed: u64, seconds: u64) -> Report {
    let mut report = Report::begin("load", seed);
    let stage = stage::start(name, &[("FIRST_PORTION_TOKENS", "8")]);
    let mut random = Random::new(seed);
    let chains: Vec<Chain> = (0..RESELLERS)
        .flat_map(|_| stage.chains(&mut random, CONNECTIONS / RESELLERS, CREDIT))
        .collect();
    let (crowd, poster) = (Crowd::default(), Poster::new(&stage));
    let watched = std::thread::scope(|scope| {
        let (crowd, stage, chains, poster) = (&crowd, &stage, &chains, &poster);
        for (chain, index) in chains.iter().zip(0..) {
            let random = random.fork(index);
            let address = stage.address();
            scope.spawn(move || crowd.call(&address, chain, (random, &SHAPE)));
        }
        let posting = random.fork(1_000);
        // More comes than goes, so that there is always somebody to serve.
        scope.spawn(move || poster.post(crowd, chains, (posting, -400_000, 800_000)));
        let watcher = scope.spawn(move || watch(stage, crowd));
        std::thread::sleep(Duration::from_secs(seconds));
        crowd.stop();
        watcher.join().expect("no panic")
    });
    stage.settle(GRACE_MS);
    let leniency = Leniency {
        dry_wallets: true,
        ..Leniency::default()
    };
    report.say(format!(
        "{CONNECTIONS} connections for {seconds} s, calls: {}",
        crowd.calls()
    ));
    let calls = books::calls(&stage.world.database);
    let mut telling = Telling::default();
    let told = crowd.take_told();
    telling.check(&told, (&calls, &stage.provider.bills()), None);
    telling.check_manners(&told);
    report.count("told", &telling.ends);
    report.say(format!(
        "charges told, and booked as told: {}",
        telling.as_told
    ));
    report.violations.append(&mut telling.violations);
    let (entries, posted) = (books::entries(&stage.world.database), crowd.take_posted());
    report.say(format!("credit moved meanwhile: {} times", posted.len()));
    let lost = posted.iter().filter_map(|event| event.violation(&entries));
    report.violations.extend(lost);
    report.say(format!("looks at all accounts: {}", watched.looks));
    report.violations.extend(watched.violations);
    report.add(audit(&stage, &chains, leniency));
    report.end()
}

struct Watched {
    looks: u64,
    violations: Vec<String>,
}

/// Reads all accounts in one statement, again and again.
fn watch(stage: &Stage, crowd: &Crowd) -> Watched {
    let database = &stage.world.database;
    let mut watched = Watched {
        looks: 0,
        violations: Vec::new(),
    };
    while !crowd.is_over() {
        watched.looks += 1;
        let found = if watched.looks.is_multiple_of(GLANCES) {
            books::violations(database)
        } else {
            let reply = database.run(Statement::new(GLANCE));
            let rows = reply.rows(0).iter();
            rows.map(|row| row.get(0).expect("a text")).collect()
        };
        let meanwhile = found.into_iter().map(|what| format!("meanwhile: {what}"));
        watched.violations.extend(meanwhile);
    }
    watched
}
