//! Hrana batches on SQLite in this process, without a server: the same steps, conditions and replies,
//! many times faster. What sqld does besides, such as HTTP and its checkpoints, is not here.

use std::fs;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use tollgate_core::hrana::{Batch, Condition, Reply, Row, Statement, StepResult, Value};

/// Statements that are kept compiled: the simulation has fewer different ones.
const STATEMENTS: usize = 512;

/// A database in memory with one connection.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
}

/// An argument of a statement.
struct Argument<'a>(&'a Value);

impl Sqlite {
    /// A database with the schema of `migrations/`; `rewrite` may change the text of each file.
    ///
    /// # Panics
    /// When a file cannot be read or executed.
    #[must_use]
    pub fn new(rewrite: impl Fn(String) -> String) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_MEMORY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(":memory:", flags).expect("memory");
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // As on the server: this build of SQLite would enforce them.
        connection
            .execute_batch("PRAGMA foreign_keys = OFF")
            .expect("a pragma");
        for sql in migrations() {
            connection
                .execute_batch(&rewrite(sql))
                .expect("a migration");
        }
        Self { connection }
    }

    /// Executes a batch as the server does. A transaction that the batch leaves open is rolled back,
    /// as when its stream is closed.
    ///
    /// # Panics
    /// When a query yields a float: no query of ours asks for one, and `read_reply` refuses it.
    #[must_use]
    pub fn execute(&self, batch: &Batch) -> Reply {
        let mut results = Vec::with_capacity(batch.steps().len());
        for step in batch.steps() {
            let runs = step
                .condition
                .as_ref()
                .is_none_or(|condition| holds(condition, &results));
            results.push(if runs {
                self.run(&step.statement)
            } else {
                StepResult::Skipped
            });
        }
        if !self.connection.is_autocommit() {
            self.connection
                .execute_batch("ROLLBACK")
                .expect("a rollback");
        }
        Reply::from_steps(results)
    }

    fn run(&self, statement: &Statement) -> StepResult {
        match self.rows(statement) {
            Ok(rows) => StepResult::Done(rows),
            Err(error) => StepResult::Failed {
                code: error.to_string(),
            },
        }
    }

    fn rows(&self, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
        let mut prepared = self.connection.prepare_cached(statement.sql())?;
        let columns = prepared.column_count();
        let arguments = statement.args().iter().map(Argument);
        let mut rows = prepared.query(rusqlite::params_from_iter(arguments))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|column| Ok(value(row.get_ref(column)?)));
            all.push(Row::new(values.collect::<rusqlite::Result<_>>()?));
        }
        Ok(all)
    }
}

impl ToSql for Argument<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The texts of `migrations/`, in their order.
///
/// # Panics
/// When one cannot be read.
#[must_use]
pub fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let files = fs::read_dir(folder).expect("the migrations");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let read = |file: &std::path::PathBuf| fs::read_to_string(file).expect("a migration");
    files.iter().map(read).collect()
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => panic!("a query yields the float {number}"),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

fn holds(condition: &Condition, results: &[StepResult]) -> bool {
    match condition {
        Condition::Ok { step } => matches!(results.get(*step), Some(StepResult::Done(_))),
        Condition::Not { cond } => !holds(cond, results),
        Condition::And { conds } => conds.iter().all(|condition| holds(condition, results)),
    }
}
