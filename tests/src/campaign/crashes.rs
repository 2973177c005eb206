//! Processes are killed under load, at any moment. Afterwards nothing is held, nothing that was
//! acknowledged is missing, and every call is charged once: by its bill, or where the books never
//! learned the provider's id of it, by the documented default.

use std::collections::BTreeMap;
use std::time::Duration;

use xtask::stack::Stack;

use super::audit::{Leniency, audit};
use super::books;
use super::crowd::{Crowd, Poster};
use super::random::Random;
use super::report::Report;
use super::stage::{Chain, Stage, now_ms};
use super::telling::{Outage, Telling};
use super::workload::Shape;

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

/// What was found over all rounds.
#[derive(Debug, Default)]
struct Findings {
    victims: BTreeMap<String, u64>,
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
    let mut stage = Stage::start(name, &vars);
    let mut random = Random::new(seed);
    let chains: Vec<Chain> = (0..RESELLERS)
        .flat_map(|_| stage.chains(&mut random, CONNECTIONS / RESELLERS, (CREDIT, CREDIT)))
        .collect();
    let mut findings = Findings::default();
    for round in 0..rounds {
        let (crowd, outage) = crash(
            &mut stage,
            &chains,
            (random.fork(round), round),
            &mut findings,
        );
        stage.settle(GRACE_MS);
        findings.calls += crowd.calls();
        let calls = books::calls(&stage.world.database);
        let bills = stage.provider.bills();
        let told = crowd.take_told();
        findings
            .telling
            .check(&told, (&calls, &bills), Some(outage));
        let entries = books::entries(&stage.world.database);
        for event in crowd.take_posted() {
            findings.acknowledged += u64::from(event.acknowledged == Some(true));
            findings.violations.extend(event.violation(&entries));
        }
        let broken = books::violations(&stage.world.database);
        let broken = broken
            .into_iter()
            .map(|what| format!("round {round}: {what}"));
        findings.violations.extend(broken);
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
    (mut random, round): (Random, u64),
    findings: &mut Findings,
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
        let outage = kill(stack, (&mut random, round), findings);
        crowd.until_calls(crowd.calls() + 40);
        crowd.stop();
        outage
    });
    (crowd, outage)
}

/// Kills one of the parts or both, in turn, and starts them again after a while.
fn kill(stack: &mut Stack, (random, round): (&mut Random, u64), findings: &mut Findings) -> Outage {
    let down = Duration::from_millis(random.between(0, 800));
    let (workerd, sqld) = [
        (true, false),
        (false, true),
        (true, false),
        (false, true),
        (true, true),
    ][usize::try_from(round % 5).unwrap_or_default()];
    let from_ms = now_ms();
    if workerd {
        *findings.victims.entry("workerd".to_owned()).or_default() += 1;
        stack.kill_workerd();
    }
    if sqld {
        *findings.victims.entry("sqld".to_owned()).or_default() += 1;
        stack.kill_sqld();
    }
    std::thread::sleep(down);
    if sqld {
        stack
            .restart_sqld()
            .unwrap_or_else(|failure| panic!("{failure}"));
    }
    if workerd {
        stack
            .restart_workerd()
            .unwrap_or_else(|failure| panic!("{failure}"));
    }
    Outage {
        from_ms,
        until_ms: now_ms(),
    }
}

impl Findings {
    fn tell(&mut self, report: &mut Report) {
        report.count("killed", &self.victims);
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
