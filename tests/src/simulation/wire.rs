//! What stands between the actors and the database: either engine, a tape of what was executed, and
//! the faults that are put into statements on purpose.

use std::cell::Cell;

use tollgate_core::hrana::{Batch, Reply, Statement};

use super::mutants::{Mutant, Parts};
use crate::{Server, Sqlite};

/// The database of a run.
#[derive(Debug)]
pub enum Engine {
    /// In this process.
    Sqlite(Box<Sqlite>),
    /// A server of its own.
    Sqld(Server),
}

/// Who sends a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A Worker with its call.
    Worker,
    /// The sweep.
    Sweep,
    /// A person, through a tool.
    Person,
    /// The simulation itself, to see what is there: its statements are never tampered with.
    Watcher,
}

/// A database with a tape.
#[derive(Debug)]
pub struct Wire {
    engine: Engine,
    mutant: Option<&'static Mutant>,
    /// The parts of the mutant that found their place so far.
    pub parts: Parts,
    tape: Option<Vec<(Batch, Reply)>>,
}

impl Wire {
    /// An empty database in this process.
    #[must_use]
    pub fn sqlite(mutant: Option<&'static Mutant>) -> Self {
        let parts = Cell::new(0);
        let sqlite = Sqlite::new(|sql| match mutant {
            Some(mutant) => {
                let (sql, found) = mutant.schema(sql);
                parts.set(parts.get() | found);
                sql
            }
            None => sql,
        });
        Self {
            engine: Engine::Sqlite(Box::new(sqlite)),
            mutant,
            parts: parts.get(),
            tape: None,
        }
    }

    /// An empty database on a server of its own.
    #[must_use]
    pub fn sqld() -> Self {
        Self {
            engine: Engine::Sqld(Server::start()),
            mutant: None,
            parts: 0,
            tape: None,
        }
    }

    /// Keeps every batch and its reply from now on.
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.tape = Some(Vec::new());
        self
    }

    /// What was kept.
    #[must_use]
    pub fn into_tape(self) -> Vec<(Batch, Reply)> {
        self.tape.unwrap_or_default()
    }

    /// Executes a batch.
    #[must_use]
    pub fn execute(&mut self, batch: &Batch, sender: Sender) -> Reply {
        let rewritten;
        let batch = match self.mutant {
            Some(mutant) if sender != Sender::Watcher => {
                rewritten = self.rewrite(batch, (mutant, sender));
                &rewritten
            }
            _ => batch,
        };
        let reply = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.execute(batch),
            Engine::Sqld(server) => server.execute(batch),
        };
        if let Some(tape) = &mut self.tape {
            tape.push((batch.clone(), reply.clone()));
        }
        reply
    }

    fn rewrite(&mut self, batch: &Batch, (mutant, sender): (&Mutant, Sender)) -> Batch {
        let mut rewritten = Batch::new();
        for step in batch.steps() {
            let statement = match mutant.statement(step.statement.sql(), sender) {
                None => step.statement.clone(),
                Some((sql, parts)) => {
                    self.parts |= parts;
                    let args = step.statement.args().iter().cloned();
                    args.fold(Statement::new(sql), Statement::bind)
                }
            };
            rewritten.step(step.condition.clone(), statement);
        }
        rewritten
    }
}
