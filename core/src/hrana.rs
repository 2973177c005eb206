//! The Hrana batch protocol of Turso and sqld, sans I/O: statements in, one JSON body out; one JSON
//! reply in, rows out. A `Batch` can hold one transaction; whoever executes it posts `to_body()` to
//! `/v2/pipeline` and hands the reply to `read_reply`.
//!
//! Only conditions that both database engines agree on are used, and a decision never rests on an
//! error's text: a transaction is committed when the step `COMMIT` has a result.

mod reply;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Serialize;

pub use reply::{Column, HranaFault, Reply, Row, StepResult, read_reply};

/// A value that Tollgate stores. There is no float among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One SQL statement with positional arguments: `?1` is the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    sql: Cow<'static, str>,
    args: Vec<Value>,
}

impl Statement {
    /// A statement without arguments yet.
    #[must_use]
    pub fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self {
            sql: sql.into(),
            args: Vec::new(),
        }
    }

    /// Appends the next positional argument.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.args.push(value.into());
        self
    }

    /// The SQL text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The arguments, `?1` first.
    #[must_use]
    pub fn args(&self) -> &[Value] {
        &self.args
    }
}

/// The place of a step in its batch, from 0.
pub type StepIndex = usize;

/// When a step runs; it names earlier steps only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Condition {
    /// That step ran without error.
    Ok {
        /// The step.
        step: StepIndex,
    },
    /// The condition does not hold.
    Not {
        /// The negated condition.
        cond: Box<Self>,
    },
    /// All of them hold.
    And {
        /// The conditions.
        conds: Vec<Self>,
    },
}

impl Condition {
    /// That step ran without error.
    #[must_use]
    pub const fn ok(step: StepIndex) -> Self {
        Self::Ok { step }
    }

    /// That step failed or was skipped.
    #[must_use]
    pub fn not_ok(step: StepIndex) -> Self {
        Self::Not {
            cond: Box::new(Self::Ok { step }),
        }
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And {
            conds: vec![self, other],
        }
    }
}

/// One step of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When the step runs; `None`: always.
    pub condition: Option<Condition>,
    /// What it runs.
    pub statement: Statement,
}

/// Statements that travel in one round trip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    steps: Vec<Step>,
}

/// A transaction inside a batch: each statement runs only if all before it did.
#[derive(Debug)]
pub struct Transaction<'a> {
    batch: &'a mut Batch,
    begin: StepIndex,
    last: StepIndex,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A batch that is one transaction of these statements; its `COMMIT` is the last step but one.
    #[must_use]
    pub fn transaction(statements: impl IntoIterator<Item = Statement>) -> (Self, StepIndex) {
        let mut batch = Self::new();
        let mut transaction = batch.begin(None);
        for statement in statements {
            transaction.then(statement);
        }
        let commit = transaction.commit();
        (batch, commit)
    }

    /// Appends a statement that runs when the condition holds, outside any transaction.
    pub fn step(&mut self, condition: Option<Condition>, statement: Statement) -> StepIndex {
        self.steps.push(Step {
            condition,
            statement,
        });
        self.steps.len().saturating_sub(1)
    }

    /// Opens a write transaction when the condition holds.
    pub fn begin(&mut self, condition: Option<Condition>) -> Transaction<'_> {
        let begin = self.step(condition, Statement::new("BEGIN IMMEDIATE"));
        Transaction {
            batch: self,
            begin,
            last: begin,
        }
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The body of `POST /v2/pipeline`. The stream is closed with the batch: one left open pins a
    /// connection of the server for ten seconds.
    #[must_use]
    pub fn to_body(&self) -> String {
        let steps = self.steps.iter().map(wire_step).collect();
        let body = WireBody {
            baton: (),
            requests: (
                WireRequest::Batch {
                    batch: WireBatch { steps },
                },
                WireRequest::Close,
            ),
        };
        serde_json::to_string(&body).unwrap_or_default()
    }
}

impl Transaction<'_> {
    /// Appends a statement.
    pub fn then(&mut self, statement: Statement) -> StepIndex {
        self.last = self.batch.step(Some(Condition::ok(self.last)), statement);
        self.last
    }

    /// Aborts the transaction unless the statement before it changed at least one row: then the
    /// returned step fails.
    pub fn require_change(&mut self) -> StepIndex {
        self.then(Statement::new(
            "INSERT INTO guard (ok) SELECT 0 WHERE changes() = 0",
        ))
    }

    /// Aborts the transaction unless the statement before it changed exactly `count` rows.
    pub fn require_changes(&mut self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.then(
            Statement::new("INSERT INTO guard (ok) SELECT 0 WHERE changes() <> ?1").bind(count),
        );
    }

    /// Aborts the transaction unless the statement, a constant `SELECT` without a trailing clause of its
    /// own, finds a row.
    pub fn require_row(&mut self, statement: &Statement) -> StepIndex {
        let sql = format!(
            "INSERT INTO guard (ok) SELECT 0 WHERE NOT EXISTS ({})",
            statement.sql
        );
        let guard = statement.args.iter().cloned();
        self.then(guard.fold(Statement::new(sql), Statement::bind))
    }

    /// Closes the transaction: commits it, or rolls it back when any step failed. The transaction
    /// took place if and only if the returned step is `Reply::is_ok`.
    pub fn commit(self) -> StepIndex {
        let Self { batch, begin, last } = self;
        let commit = batch.step(Some(Condition::ok(last)), Statement::new("COMMIT"));
        let open = Condition::ok(begin).and(Condition::not_ok(commit));
        batch.step(Some(open), Statement::new("ROLLBACK"));
        commit
    }
}

#[derive(Serialize)]
struct WireBody<'a> {
    baton: (),
    requests: (WireRequest<'a>, WireRequest<'a>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireRequest<'a> {
    Batch { batch: WireBatch<'a> },
    Close,
}

#[derive(Serialize)]
struct WireBatch<'a> {
    steps: Vec<WireStep<'a>>,
}

#[derive(Serialize)]
struct WireStep<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'a Condition>,
    stmt: WireStatement<'a>,
}

#[derive(Serialize)]
struct WireStatement<'a> {
    sql: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<WireValue<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireValue<'a> {
    Null,
    Integer { value: String },
    Text { value: &'a str },
    Blob { base64: String },
}

fn wire_step(step: &Step) -> WireStep<'_> {
    WireStep {
        condition: step.condition.as_ref(),
        stmt: WireStatement {
            sql: &step.statement.sql,
            args: step.statement.args.iter().map(wire_value).collect(),
        },
    }
}

fn wire_value(value: &Value) -> WireValue<'_> {
    match value {
        Value::Null => WireValue::Null,
        Value::Integer(number) => WireValue::Integer {
            value: number.to_string(),
        },
        Value::Text(text) => WireValue::Text { value: text },
        Value::Blob(bytes) => WireValue::Blob {
            base64: STANDARD_NO_PAD.encode(bytes),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_commits_or_rolls_back_whatever_step_fails() {
        let mut batch = Batch::new();
        let gate = batch.step(None, Statement::new("SELECT 1"));
        let mut transaction = batch.begin(Some(Condition::ok(gate)));
        transaction.then(
            Statement::new("UPDATE t SET a = ?1")
                .bind(7)
                .bind(None::<i64>),
        );
        transaction.require_change();
        let commit = transaction.commit();
        assert_eq!(commit, 4);
        assert_eq!(
            batch.to_body(),
            concat!(
                r#"{"baton":null,"requests":[{"type":"batch","batch":{"steps":["#,
                r#"{"stmt":{"sql":"SELECT 1"}},"#,
                r#"{"condition":{"type":"ok","step":0},"stmt":{"sql":"BEGIN IMMEDIATE"}},"#,
                r#"{"condition":{"type":"ok","step":1},"stmt":{"sql":"UPDATE t SET a = ?1","#,
                r#""args":[{"type":"integer","value":"7"},{"type":"null"}]}},"#,
                r#"{"condition":{"type":"ok","step":2},"stmt":{"sql":"INSERT INTO guard (ok) SELECT 0 WHERE changes() = 0"}},"#,
                r#"{"condition":{"type":"ok","step":3},"stmt":{"sql":"COMMIT"}},"#,
                r#"{"condition":{"type":"and","conds":[{"type":"ok","step":1},"#,
                r#"{"type":"not","cond":{"type":"ok","step":4}}]},"stmt":{"sql":"ROLLBACK"}}"#,
                r#"]}},{"type":"close"}]}"#,
            )
        );
    }

    #[test]
    fn bytes_and_text_travel_unharmed() {
        let mut batch = Batch::new();
        batch.step(
            None,
            Statement::new("SELECT ?1, ?2")
                .bind(&b"\x00\xff"[..])
                .bind("q\"é"),
        );
        let body = batch.to_body();
        assert!(body.contains(r#"{"type":"blob","base64":"AP8"},{"type":"text","value":"q\"é"}"#));
    }
}
