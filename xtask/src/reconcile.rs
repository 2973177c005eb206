//! `cargo xtask reconcile`: recomputes every balance, debt, hold and roll-up of a database, and says
//! what does not add up. What is compared is decided in `core`; nothing is changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};
use tollgate_core::reconcile::{Books, Day, Drift, MOST_DRIFTS, ModelCost, books, day};

use crate::clock::now_ms;
use crate::database::{Connection, Database, readable};
use crate::failure::Failure;
use crate::report::{Report, Table, moment};

/// Recomputes all money from its entries and calls, and fails when a nano is missing.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// Prints JSON; amounts are in 1e-9 US dollars (`_nanos`)
    #[arg(long)]
    json: bool,
    /// Fails as well when the provider bills something else than our cost table says
    #[arg(long)]
    strict: bool,
}

/// Everything that was compared.
struct Findings {
    books: Books,
    requests: u64,
    /// Days whose calls are all there, so that they were compared with the roll-ups.
    whole_days: u64,
    drifts: Vec<Drift>,
    costs: BTreeMap<String, ModelCost>,
}

impl Arguments {
    /// Reads the database and prints the report.
    ///
    /// # Errors
    /// When money does not add up, or the database cannot be read.
    pub fn run(&self) -> Result<(), Failure> {
        let findings = Findings::read(&self.connection.open()?)?;
        let checked_at = moment(now_ms());
        findings.report(&checked_at).print(self.json);
        let drifts = findings.drifts.len();
        if drifts > 0 {
            let things = if drifts == 1 { "number" } else { "numbers" };
            return Err(Failure::new(format!(
                "the books do not add up: `{drifts}` {things} drifted"
            ))
            .hint("`cargo xtask admin account show ACC` shows an account's entries and calls"));
        }
        let differing = findings.differing();
        if self.strict && differing > 0 {
            return Err(Failure::new(format!(
                "the provider bills `{differing}` calls differently than our cost table"
            ))
            .hint("bring the costs up to date with `cargo xtask catalogue import`"));
        }
        Ok(())
    }
}

impl Findings {
    fn read(database: &Database) -> Result<Self, Failure> {
        let batch = books();
        let mut books = readable(batch.read(&database.execute(batch.batch())?))?;
        let mut findings = Self {
            drifts: std::mem::take(&mut books.drifts),
            requests: 0,
            whole_days: 0,
            costs: BTreeMap::new(),
            books,
        };
        for number in findings.books.days.clone() {
            let batch = day(number);
            findings.add(readable(batch.read(&database.execute(batch.batch())?))?);
        }
        Ok(findings)
    }

    fn add(&mut self, day: Day) {
        self.requests += day.requests;
        self.whole_days += u64::from(day.whole && day.requests > 0);
        self.drifts.extend(day.drifts);
        for cost in day.costs {
            match self.costs.get_mut(&cost.model) {
                Some(sum) => sum.add(&cost),
                None => drop(self.costs.insert(cost.model.clone(), cost)),
            }
        }
    }

    fn differing(&self) -> u64 {
        self.costs.values().map(|cost| cost.differing).sum()
    }

    fn report(&self, checked_at: &str) -> Report {
        let books = &self.books;
        let mut text = format!(
            "the books at {checked_at}\naccounts        {}\nkeys            {}\n\
             ledger entries  {}\nroll-ups        {} rows; whole days compared with their calls: {}\n\
             calls           {} that are kept\n",
            books.accounts,
            books.keys,
            books.entries,
            books.usage_days,
            self.whole_days,
            self.requests
        );
        if self.drifts.is_empty() {
            text.push_str("\nevery balance, debt, hold and charge adds up to the nano\n");
        } else {
            text.push_str("\ndoes not add up\n");
            for drift in &self.drifts {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{drift}");
            }
            if self.drifts.len() >= MOST_DRIFTS {
                text.push_str("and perhaps more\n");
            }
        }
        if !self.costs.is_empty() {
            text.push_str("\nwhat the provider says it bills, beside our cost table\n");
            text.push_str(&cost_table(self.costs.values()).to_text());
        }
        Report {
            text,
            json: json!({
                "checked_at": checked_at,
                "accounts": books.accounts,
                "keys": books.keys,
                "ledger_entries": books.entries,
                "usage_days": books.usage_days,
                "requests": self.requests,
                "days_compared": self.whole_days,
                "drifts": self.drifts.iter().map(drift_json).collect::<Value>(),
                "provider_costs": self.costs.values().map(cost_json).collect::<Value>(),
            }),
        }
    }
}

fn cost_table<'a>(costs: impl Iterator<Item = &'a ModelCost>) -> Table {
    let mut table = Table::new(&[
        "model",
        ">calls",
        ">differ",
        ">ours",
        ">reported",
        ">largest difference",
    ]);
    for cost in costs {
        table.row([
            cost.model.clone(),
            cost.calls.to_string(),
            cost.differing.to_string(),
            cost.ours.to_string(),
            cost.reported.to_string(),
            cost.largest.to_string(),
        ]);
    }
    table
}

fn drift_json(drift: &Drift) -> Value {
    json!({
        "what": drift.what.as_str(),
        "column": drift.what.column(),
        "subject": drift.subject,
        "money": drift.what.is_money(),
        "expected": drift.expected,
        "found": drift.found,
    })
}

fn cost_json(cost: &ModelCost) -> Value {
    json!({
        "model": cost.model,
        "calls": cost.calls,
        "differing": cost.differing,
        "ours_nanos": cost.ours.get(),
        "reported_nanos": cost.reported.get(),
        "largest_difference_nanos": cost.largest.get(),
    })
}
