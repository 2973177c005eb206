//! The simulation: from one seed a tree of accounts, prices and keys, and then operations of virtual
//! Workers, sweeps and people, interleaved and disturbed. The statements are the gateway's own; after
//! every step an [`audit::Auditor`] reads the tables and compares. `docs/SIMULATION.md` explains it.

pub mod audit;
mod bank;
mod books;
pub mod chance;
mod clock;
pub mod flight;
pub mod mutants;
mod office;
mod people;
mod state;
mod sweep;
mod tariff;
mod travel;
mod true_ups;
pub mod wire;
mod worker;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use audit::Auditor;
use bank::Errand;
use chance::Chance;
use clock::Clock;
use people::People;
use sweep::Sweep;
use tollgate_core::usage::Usage;
use travel::{Habits, Travel};
use true_ups::TruingUp;
use wire::Wire;
use worker::{Isolate, Worker};

/// How many lines of what happened a violation tells.
const TOLD: usize = 25;

/// What a run is made from.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Everything is drawn from it.
    pub seed: u64,
    /// How many operations there are before the end.
    pub operations: u32,
}

/// What is drawn for each operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// A caller calls.
    Call,
    /// A Worker does the next thing for its call.
    Work,
    /// A sweep starts, or does its next thing.
    Sweep,
    /// Somebody posts a ledger entry, or goes on with one.
    Post,
    /// Estimates are corrected to the provider's record.
    TrueUp,
    /// Requests are rolled up, and old ones go.
    Roll,
    /// The credit of a customer becomes what the next call holds, or a nano more or less.
    Tune,
    /// A batch that was late arrives.
    Arrive,
    /// A person changes settings, prices or people.
    Office,
    /// Time passes, or a clock jumps.
    Clock,
}

/// A run under way.
pub struct Simulation {
    wire: Wire,
    chance: Chance,
    clock: Clock,
    auditor: Auditor,
    people: People,
    habits: Habits,
    isolates: Vec<Isolate>,
    workers: Vec<Worker>,
    sweeps: Vec<Sweep>,
    postings: Vec<Errand>,
    truing_up: Vec<TruingUp>,
    late: Vec<Travel>,
    /// What the provider bills, by its own id of the call.
    provider: BTreeMap<String, Usage>,
    calls: u32,
    drawn: u32,
    /// Whether something happens between two steps of a batch at the moment.
    racing: bool,
    story: VecDeque<String>,
}

/// What a run saw.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How often each thing happened.
    pub seen: BTreeMap<String, u64>,
}

/// Something that must never be.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The run's.
    pub plan: Plan,
    /// The operation after which it was noticed.
    pub operation: u32,
    /// What is wrong.
    pub what: String,
    /// What happened last.
    pub story: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { seed, operations } = self.plan;
        writeln!(
            f,
            "violation in seed {seed}, operation {}: {}",
            self.operation, self.what
        )?;
        writeln!(f, "what happened last:")?;
        for line in &self.story {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "hint: `cargo xtask simulate --seeds 1 --from-seed {seed} --operations {operations}` replays it"
        )
    }
}

/// Runs a plan on an empty database; afterwards the wire is the caller's again.
///
/// # Errors
/// The first violation.
pub fn run(plan: Plan, wire: Wire) -> (Result<Report, Box<Violation>>, Wire) {
    let mut simulation = Simulation::new(plan, wire);
    let mut operation = 0;
    let result = simulation.everything(plan, &mut operation);
    let Simulation {
        wire,
        auditor,
        story,
        ..
    } = simulation;
    let result = match result {
        Ok(()) => Ok(Report { seen: auditor.seen }),
        Err(what) => Err(Box::new(Violation {
            plan,
            operation,
            what,
            story: story.into(),
        })),
    };
    (result, wire)
}

impl Simulation {
    fn new(plan: Plan, wire: Wire) -> Self {
        let mut chance = Chance::new(plan.seed);
        let clock = Clock::new(&mut chance);
        let habits = Habits::new(&mut chance);
        Self {
            wire,
            clock,
            habits,
            chance,
            auditor: Auditor::default(),
            people: People::default(),
            isolates: (0..3).map(|_| Isolate::default()).collect(),
            workers: Vec::new(),
            sweeps: Vec::new(),
            postings: Vec::new(),
            truing_up: Vec::new(),
            late: Vec::new(),
            provider: BTreeMap::new(),
            calls: 0,
            drawn: 0,
            racing: false,
            story: VecDeque::new(),
        }
    }

    fn everything(&mut self, plan: Plan, operation: &mut u32) -> Result<(), String> {
        self.found()?;
        while *operation < plan.operations {
            *operation += 1;
            self.clock.pass(&mut self.chance);
            let next = self.chance.weighted(&self.habits.operations);
            self.operate(next)?;
            if self.chance.percent(6) {
                self.resume_one()?;
            }
        }
        self.quiesce()
    }

    fn operate(&mut self, operation: Operation) -> Result<(), String> {
        match operation {
            Operation::Call => self.call(),
            Operation::Work => self.work(),
            Operation::Sweep => self.sweep(),
            Operation::Post => self.post(),
            Operation::Tune => self.tune(),
            Operation::TrueUp => self.true_up(),
            Operation::Roll => self.roll(),
            Operation::Arrive => self.arrive(),
            Operation::Office => self.office(),
            Operation::Clock => {
                let jump = self.clock.jump(&mut self.chance);
                self.tell(format!("the clock jumps by {jump} ms"));
                Ok(())
            }
        }
    }

    /// Lets everybody come to an end and sweeps; then nothing is held.
    fn quiesce(&mut self) -> Result<(), String> {
        self.tell("everybody comes to an end".to_owned());
        self.habits.calm();
        self.late.clear();
        for _ in 0..200 {
            if self.workers.is_empty() && self.sweeps.is_empty() && self.postings.is_empty() {
                break;
            }
            self.clock.pass(&mut self.chance);
            if !self.workers.is_empty() {
                self.work()?;
            }
            if !self.sweeps.is_empty() {
                self.sweep()?;
            }
            if !self.postings.is_empty() {
                self.post()?;
            }
        }
        self.workers.clear();
        self.postings.clear();
        self.sweeps.clear();
        self.clock.forward(3_600_000);
        self.sweep()?;
        while !self.sweeps.is_empty() {
            self.sweep()?;
        }
        self.clock.forward(3_600_000);
        self.true_up()?;
        while !self.truing_up.is_empty() {
            self.true_up()?;
        }
        self.books_agree()?;
        match self.auditor.open() {
            None => Ok(()),
            Some(id) => Err(format!("{id} is still held after the last sweep")),
        }
    }

    fn tell(&mut self, line: String) {
        if self.story.len() == TOLD {
            self.story.pop_front();
        }
        self.story.push_back(line);
    }

    /// A number that nobody drew before in this run.
    fn draw(&mut self) -> u32 {
        self.drawn += 1;
        self.drawn
    }
}
