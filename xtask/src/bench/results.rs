//! The results of a run, as JSON and as tables for people.

use std::fmt::Write as _;

use serde::Serialize;

use super::anatomy::Part;
use super::gateway_log::DatabaseUse;
use super::load::Load;
use super::machine::Machine;
use super::statistics::Latency;
use crate::report::Table;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The provider's stand-in itself.
    Simulator,
    /// The Worker that does nothing but pass calls on.
    PassThrough,
    /// The gateway, for a customer of the operator.
    OneLevel,
    /// The gateway, for a customer of a reseller.
    TwoLevels,
}

impl Target {
    /// All, in the order in which they are measured.
    pub const ALL: [Self; 4] = [
        Self::Simulator,
        Self::PassThrough,
        Self::OneLevel,
        Self::TwoLevels,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simulator => "simulator alone",
            Self::PassThrough => "pass-through",
            Self::OneLevel => "gateway, one level",
            Self::TwoLevels => "gateway, two levels",
        }
    }
}

/// How an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// As a whole.
    OneShot,
    /// As it is made.
    Streamed,
}

impl Mode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OneShot, Self::Streamed];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneShot => "one-shot",
            Self::Streamed => "streamed",
        }
    }
}

/// One load on one target.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// Who answered.
    pub target: Target,
    /// How.
    pub mode: Mode,
    /// Calls at the same time.
    pub connections: usize,
    /// What was measured.
    #[serde(flatten)]
    pub load: Load,
    /// What the calls cost the database, by the gateway's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseUse>,
}

/// The runtime's start.
#[derive(Clone, Debug, Serialize)]
pub struct StartUp {
    /// From starting the process until `GET health` is answered, seen every 10 ms.
    pub first_answer: Latency,
    /// The first call after that.
    pub first_call: Latency,
}

/// Everything that a run measured.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// On what.
    pub machine: Machine,
    /// The load averages when it was over; the run itself is in them.
    pub load_after: String,
    /// How long each cell was measured.
    pub measured_seconds: f64,
    /// Whether it was a smoke run.
    pub quick: bool,
    /// The gateway's WASM.
    pub wasm_bytes: usize,
    /// The same, compressed with gzip.
    pub wasm_gzip_bytes: usize,
    /// The runtime's start.
    pub start_up: StartUp,
    /// Where one call's time goes.
    pub parts: Vec<Part>,
    /// The loads.
    pub cells: Vec<Cell>,
}

impl Results {
    /// The tables, and what is not in a table.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.head();
        let sections = [
            ("load", self.load_table()),
            (
                "requests/s of the gateway, in parts of the pass-through's",
                self.ratio_table(),
            ),
            (
                "what a call costs the database, by the gateway's log",
                self.database_table(),
            ),
            ("where one call's time goes", self.part_table()),
        ];
        for (title, table) in sections {
            // Writing to a string does not fail.
            let _ = write!(text, "\n{title}\n{}", table.to_text());
        }
        text.push_str(&self.errors());
        text
    }

    fn head(&self) -> String {
        let machine = &self.machine;
        let start = &self.start_up;
        let mut text = String::new();
        let quick = if self.quick {
            ", a smoke run: the numbers say little"
        } else {
            ""
        };
        for (name, value) in [
            (
                "run",
                format!(
                    "{}, {} s a cell{quick}",
                    machine.date, self.measured_seconds
                ),
            ),
            ("commit", machine.commit.clone()),
            ("machine", format!("{} × {}", machine.cores, machine.cpu)),
            ("system", machine.os.clone()),
            (
                "load",
                format!("{} before, {} after", machine.load_before, self.load_after),
            ),
            ("workerd", machine.workerd.clone()),
            ("sqld", machine.sqld.clone()),
            ("rustc", machine.rustc.clone()),
            (
                "wasm",
                format!(
                    "{} bytes, {} with gzip",
                    self.wasm_bytes, self.wasm_gzip_bytes
                ),
            ),
            (
                "start-up",
                format!(
                    "{:.0} ms until workerd answers, then {:.1} ms for the first call (medians of {})",
                    start.first_answer.p50_ms, start.first_call.p50_ms, start.first_call.count
                ),
            ),
        ] {
            let _ = writeln!(text, "{name:<9} {value}");
        }
        text
    }

    fn load_table(&self) -> Table {
        let mut table = Table::new(&[
            "target",
            "mode",
            ">connections",
            ">requests/s",
            ">p50 ms",
            ">p99 ms",
            ">errors",
        ]);
        for cell in &self.cells {
            table.row([
                cell.target.name().to_owned(),
                cell.mode.name().to_owned(),
                cell.connections.to_string(),
                format!("{:.0}", cell.load.requests_per_second),
                format!("{:.2}", cell.load.latency.p50_ms),
                format!("{:.2}", cell.load.latency.p99_ms),
                cell.load.errors.values().sum::<u64>().to_string(),
            ]);
        }
        table
    }

    fn ratio_table(&self) -> Table {
        let mut table = Table::new(&["mode", ">connections", ">one level", ">two levels"]);
        let through = self.cells.iter();
        for base in through.filter(|cell| cell.target == Target::PassThrough) {
            let ratio = |target: Target| {
                let cell = self.cells.iter().find(|cell| {
                    (cell.target, cell.mode, cell.connections)
                        == (target, base.mode, base.connections)
                });
                let through = base.load.requests_per_second;
                match cell.filter(|_| through > 0.0) {
                    Some(cell) => format!("{:.3}", cell.load.requests_per_second / through),
                    None => "-".to_owned(),
                }
            };
            table.row([
                base.mode.name().to_owned(),
                base.connections.to_string(),
                ratio(Target::OneLevel),
                ratio(Target::TwoLevels),
            ]);
        }
        table
    }

    fn database_table(&self) -> Table {
        let mut table = Table::new(&[
            "target",
            "mode",
            ">connections",
            ">calls",
            ">trips",
            ">most",
            ">rows read",
            ">most",
            ">rows written",
            ">most",
            ">faults",
        ]);
        for cell in &self.cells {
            let Some(used) = &cell.database else { continue };
            table.row([
                cell.target.name().to_owned(),
                cell.mode.name().to_owned(),
                cell.connections.to_string(),
                used.calls.to_string(),
                format!("{:.2}", used.trips.mean),
                used.trips.max.to_string(),
                format!("{:.1}", used.rows_read.mean),
                used.rows_read.max.to_string(),
                format!("{:.2}", used.rows_written.mean),
                used.rows_written.max.to_string(),
                used.faults.to_string(),
            ]);
        }
        table
    }

    fn part_table(&self) -> Table {
        let mut table = Table::new(&["part", ">p50 ms", ">p99 ms"]);
        for part in &self.parts {
            table.row([
                part.what.to_owned(),
                format!("{:.2}", part.latency.p50_ms),
                format!("{:.2}", part.latency.p99_ms),
            ]);
        }
        table
    }

    /// The errors of every cell that had any, in words.
    fn errors(&self) -> String {
        let mut text = String::new();
        for cell in &self.cells {
            for (what, count) in &cell.load.errors {
                let (target, mode) = (cell.target.name(), cell.mode.name());
                let connections = cell.connections;
                let _ = write!(
                    text,
                    "\nerror: {target}, {mode}, {connections} connections: {count} × {what}"
                );
            }
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }
}
