//! Callers leave their streams at every point, and pay what the provider bills: to the token at every
//! level, once the true-ups are done.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::audit::{Leniency, audit};
use super::books;
use super::random::Random;
use super::report::Report;
use super::stage::{self, Chain};
use super::telling::Telling;
use super::workload::{Leave, Order, Shape, Told};
use crate::stage::Stage;

/// Streams under way at the same time.
const PARALLEL: u64 = 16;

/// Far more than any call of the campaign costs, in nanos.
const CREDIT: i64 = 1_000_000_000;

/// Settings of the gateway under which callers leave.
struct Regime {
    name: &'static str,
    vars: &'static [(&'static str, &'static str)],
    grace_ms: i64,
}

/// As it is deployed; and with the end that the runtime makes of a Worker's work some time after its
/// caller left, so soon here that it comes before most settlements: the sweep makes them.
const REGIMES: [Regime; 2] = [
    Regime {
        name: "finishing",
        vars: &[],
        grace_ms: 60_000,
    },
    Regime {
        name: "cut-short",
        vars: &[
            ("STOP_AFTER_LEAVING_MS", "2000"),
            ("DRAIN_MS", "1000"),
            ("LEASE_MS", "4000"),
            ("GRACE_MS", "1000"),
            ("FIRST_PORTION_TOKENS", "32"),
        ],
        grace_ms: 1_000,
    },
];

const SHAPE: Shape = Shape {
    // Mostly slow enough for the gateway to notice in mid-stream that its caller left.
    tokens: (60, 160),
    paces: &[0, 25, 50, 50],
    streamed_percent: 100,
    left_percent: 100,
    most_record_ms: 4_000,
};

/// Where callers leave, each as often as the others.
const POINTS: [Leave; 6] = [
    Leave::BeforeHead,
    Leave::AtPercent(0),
    Leave::AtPercent(10),
    Leave::AtPercent(50),
    Leave::AtPercent(99),
    Leave::BeforeUsage,
];

/// Makes so many calls that are left, under each regime.
///
/// # Panics
/// When the parts do not run, or do not come to rest.
#[must_use]
pub fn drops(name: &str, seed: u64, rounds: u64) -> Report {
    let mut report = Report::begin("drops", seed);
    for regime in &REGIMES {
        report.say(format!("regime: {}", regime.name));
        drops_under(regime, name, (Random::new(seed), rounds), &mut report);
    }
    report.end()
}

fn drops_under(regime: &Regime, name: &str, (random, rounds): (Random, u64), report: &mut Report) {
    let stage = stage::start(&format!("{name}-{}", regime.name), regime.vars);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..PARALLEL.min(rounds) {
            let (stage, done, mut random) = (&stage, &done, random.fork(worker));
            scope.spawn(move || {
                for round in (worker..rounds).step_by(PARALLEL as usize) {
                    let left = leave(stage, &mut random, round);
                    done.lock().expect("no panic").push(left);
                }
            });
        }
    });
    stage.settle(regime.grace_ms);
    let done = done.into_inner().expect("no panic");
    let chains: Vec<Chain> = done.iter().map(|(chain, ..)| chain.clone()).collect();
    report.add(audit(&stage, &chains, Leniency::default()));
    check_wallets(&stage, &done, report);
    let told: Vec<Told> = done.into_iter().map(|(.., told)| told).collect();
    let mut telling = Telling::default();
    let calls = books::calls(&stage.world.database);
    telling.check(&told, (&calls, &stage.provider.bills()), None);
    telling.check_manners(&told);
    report.violations.append(&mut telling.violations);
}

fn leave(stage: &Stage, random: &mut Random, round: u64) -> (Chain, Order, Told) {
    let [chain] = &stage.chains(random, 1, (CREDIT, CREDIT))[..] else {
        unreachable!("one customer");
    };
    let point = POINTS[usize::try_from(round).unwrap_or_default() % POINTS.len()];
    let order = Order::leaving(random, (format!("drop-{round}"), point), &SHAPE);
    let told = order.place(&stage.address(), chain.caller.key.reveal());
    (chain.clone(), order, told)
}

/// Each caller made one call, so its wallet alone says what it paid. That a charge is its bill, and so
/// not the whole hold, is in the audit.
fn check_wallets(stage: &Stage, done: &[(Chain, Order, Told)], report: &mut Report) {
    let calls = books::calls(&stage.world.database);
    let bills = stage.provider.bills();
    let (mut points, mut models) = (BTreeMap::new(), BTreeMap::new());
    let mut stopped = 0_u64;
    for (chain, order, told) in done {
        *points
            .entry(format!("{:?} as {:?}", order.leave, told.end))
            .or_default() += 1;
        *models.entry(order.model.to_owned()).or_default() += 1;
        let wallet = stage.world.wallet(&chain.caller.account);
        let paid = CREDIT - wallet.balance;
        let bill = bills.iter().find(|bill| bill.marker == order.marker);
        let account = chain.caller.account.as_str();
        let call = calls.iter().find(|call| call.account == account);
        let charged = call.map_or(0, |call| call.levels[0].paid);
        stopped += u64::from(bill.is_some_and(|bill| bill.left));
        let billed = bill.is_some_and(|bill| bill.picos > 0);
        if (paid > 0) != billed || charged != paid || wallet.held != 0 || wallet.debt != 0 {
            let text = format!("{wallet:?}, charged {charged}: {order:?} {bill:?} {call:?}");
            report.violations.push(text);
        }
    }
    let calls = done.len();
    report.say(format!(
        "calls: {calls}, of which the gateway left the provider in {stopped}"
    ));
    report.count("left at", &points);
    report.count("models", &models);
}
