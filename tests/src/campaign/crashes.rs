//! Processes are killed under load, at any moment. Afterwards nothing is held, nothing that was
//! acknowledged is missing, and every call is charged once: by its bill, or where the books never
//! learned the provider's id of it, by the documented default.

use std::collections::BTreeMap;
use std::time::Duration;

use xtask::clock::now_ms;
use xtask::stack::Stack;

use super::audit::{Leniency, audit};
use super::books;
use super::crowd::{Crowd, Poster};
use super::random::Random;
use super::report::Report;
use super::stage::{self, Chain};
use super::telling::{Outage, Telling};
use super::workload::Shape;
use crate::stage::Stage;

const CONNECTIONS: usize = 32;
const RESELLERS: usize = 4;
const POSTERS: u64 = 2;

/// Far more than all calls cost, in nanos.
const CREDIT: i64 = 10_000_000_000;

/// The sweep may take a hold soon after its Worker is gone, but later than a living Worker settles
/// that found the database away: it tries for four seconds after its first second.
const LEASE_MS: &str = "3000";
const GRACE_MS: i64 = 6_000;

const SHAPE: Shape = Shape {
    tokens: (1, 60),
    paces: &[0, 0, 20, 100],
    streamed_percent: 60,
    left_percent: 15,
    most_record_ms: 1_000,
};

/// What is killed in a round.
#[derive(Clone, Copy, Debug)]
struct Victims {
    name: &'static str,
    workerd: bool,
    sqld: bool,
}

/// Round by round, and then again.
const VICTIMS: [Victims; 3] = [
    Victims {
        name: "workerd",
        workerd: true,
        sqld: false,
    },
    Victims {
        name: "sqld",
        workerd: false,
        sqld: true,
    },
    Victims {
        name: "both",
        workerd: true,
        sqld: true,
    },
];

/// What was found over all rounds.
#[derive(Debug, Default)]
struct Findings {
    victims: BTreeMap<String, u64>,
    /// Calls that were charged by the default, by what had been killed.
    defaults: BTreeMap<String, u64>,
    known_defaults: u64,
    calls: u64,
    telling: Telling,
    acknowledged: u64,
    violations: Vec<String>,
}

/// Kills something so many times.
///
/// # Panics
/// When the parts do not come up again, or do not come to rest.
#[must_use]
pub fn crashes(name: &str, seed: u64, rounds: u64) -> Report {
    let mut report = Report::begin("crashes", seed);
    let grace = GRACE_MS.to_string();
    let vars = [
        ("LEASE_MS", LEASE_MS),
        ("GRACE_MS", &grace),
        ("FIRST_PORTION_TOKENS", "16"),
    ];
    let mut stage = stage::start(name, &vars);
    let mut random = Random::new(seed);
    let chains: Vec<Chain> = (0..RESELLERS)
        .flat_map(|_| stage.chains(&mut random, CONNECTIONS / RESELLERS, (CREDIT, CREDIT)))
        .collect();
    let mut findings = Findings::default();
    for (round, victims) in (0..rounds).zip(VICTIMS.iter().cycle()) {
        let (crowd, outage) = crash(&mut stage, &chains, (random.fork(round), *victims));
        stage.settle(GRACE_MS);
        findings.check(&stage, &crowd, (*victims, outage));
    }
    findings.tell(&mut report);
    let leniency = Leniency {
        crashes: true,
        ..Leniency::default()
    };
    report.add(audit(&stage, &chains, leniency));
    report.end()
}

/// One round: load, a death in the midst of it, and load until the dead are back.
fn crash(
    stage: &mut Stage,
    chains: &[Chain],
    (mut random, victims): (Random, Victims),
) -> (Crowd, Outage) {
    let crowd = Crowd::default();
    let address = stage.address();
    let posters = Poster::new(stage);
    let stack = &mut stage.stack;
    let outage = std::thread::scope(|scope| {
        let (crowd, address, posters) = (&crowd, &address, &posters);
        for (chain, index) in chains.iter().zip(0..) {
            let random = random.fork(index);
            scope.spawn(move || crowd.call(address, chain, (random, &SHAPE)));
        }
        for index in 0..POSTERS {
            let random = random.fork(1_000 + index);
            scope.spawn(move || posters.post(crowd, chains, (random, 1, 1_000_000)));
        }
        crowd.until_calls(random.between(20, 200));
        // Not only when a call has just ended.
        std::thread::sleep(Duration::from_micros(random.between(0, 300_000)));
        let outage = kill(stack, victims, &mut random);
        crowd.until_calls(crowd.calls() + 40);
        crowd.stop();
        outage
    });
    (crowd, outage)
}

/// Kills these parts, and starts them again after a while.
fn kill(stack: &mut Stack, victims: Victims, random: &mut Random) -> Outage {
    let down = Duration::from_millis(random.between(0, 800));
    let from_ms = now_ms();
    if victims.workerd {
        stack.kill_workerd();
    }
    if victims.sqld {
        stack.kill_sqld();
    }
    std::thread::sleep(down);
    if victims.sqld {
        let restarted = stack.restart_sqld();
        restarted.unwrap_or_else(|failure| panic!("{failure}"));
    }
    if victims.workerd {
        let restarted = stack.restart_workerd();
        restarted.unwrap_or_else(|failure| panic!("{failure}"));
    }
    Outage {
        from_ms,
        until_ms: now_ms(),
    }
}

impl Findings {
    /// Looks at everything after a round.
    fn check(&mut self, stage: &Stage, crowd: &Crowd, (victims, outage): (Victims, Outage)) {
        *self.victims.entry(victims.name.to_owned()).or_default() += 1;
        self.calls += crowd.calls();
        let database = &stage.world.database;
        let calls = books::calls(database);
        let told = (crowd.take_told(), stage.provider.bills());
        self.telling.check(&told.0, (&calls, &told.1), Some(outage));
        let defaults = calls.iter().filter(|call| call.outcome == "unknown");
        let defaults = u64::try_from(defaults.count()).unwrap_or_default();
        *self.defaults.entry(victims.name.to_owned()).or_default() +=
            defaults - self.known_defaults;
        self.known_defaults = defaults;
        let entries = books::entries(database);
        for event in crowd.take_posted() {
            self.acknowledged += u64::from(event.acknowledged == Some(true));
            self.violations.extend(event.violation(&entries));
        }
        self.violations.extend(books::violations(database));
    }

    fn tell(&mut self, report: &mut Report) {
        report.count("killed", &self.victims);
        report.count("charged by the default afterwards", &self.defaults);
        report.say(format!("calls: {}", self.calls));
        let telling = &mut self.telling;
        report.count("told", &telling.ends);
        report.say(format!(
            "charges told: {} booked as told, {} resolved after the crash; credit acknowledged: {}",
            telling.as_told, telling.otherwise, self.acknowledged
        ));
        report.violations.append(&mut telling.violations);
        report.violations.append(&mut self.violations);
    }
}
