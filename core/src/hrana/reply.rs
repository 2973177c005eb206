//! Reads the reply to a batch. A reply that is not exactly what was asked for is a fault, never a
//! guess: the caller then knows nothing about what the database did.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;

use super::{StepIndex, Value};

/// Why a reply says nothing certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HranaFault {
    /// The reply is not the JSON of a pipeline's reply.
    Malformed,
    /// The server refused the whole batch: nothing ran. Its code, such as `BLOCKED`, if it gave one.
    Refused(Option<String>),
    /// A row does not have the column that was asked for, or it holds another type.
    UnexpectedColumn(usize),
}

impl std::fmt::Display for HranaFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed => f.write_str("the database's reply is malformed"),
            Self::Refused(code) => {
                write!(
                    f,
                    "the database refused the batch: {}",
                    code.as_deref().unwrap_or("no code")
                )
            }
            Self::UnexpectedColumn(column) => {
                write!(f, "the database's row has an unexpected column {column}")
            }
        }
    }
}

impl std::error::Error for HranaFault {}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// Its condition did not hold.
    Skipped,
    /// It failed; the code is for the log only, engines differ in it.
    Failed {
        /// The engine's code, such as `SQLITE_CONSTRAINT`.
        code: String,
    },
    /// It ran.
    Done(Vec<Row>),
}

/// What a batch did, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    steps: Vec<StepResult>,
    /// Rows that all steps together read.
    pub rows_read: u64,
    /// Rows and index entries that all steps together wrote.
    pub rows_written: u64,
}

impl Reply {
    /// Builds a reply from results, as an interpreter of batches other than a server does.
    #[must_use]
    pub const fn from_steps(steps: Vec<StepResult>) -> Self {
        Self {
            steps,
            rows_read: 0,
            rows_written: 0,
        }
    }

    /// Whether the step ran without error.
    #[must_use]
    pub fn is_ok(&self, step: StepIndex) -> bool {
        matches!(self.steps.get(step), Some(StepResult::Done(_)))
    }

    /// The rows of a step; none if it was skipped or failed.
    #[must_use]
    pub fn rows(&self, step: StepIndex) -> &[Row] {
        match self.steps.get(step) {
            Some(StepResult::Done(rows)) => rows,
            Some(StepResult::Skipped | StepResult::Failed { .. }) | None => &[],
        }
    }

    /// The rows of a step that must have run.
    ///
    /// # Errors
    /// When it was skipped or failed: then its rows say nothing.
    pub fn rows_of(&self, step: StepIndex) -> Result<&[Row], HranaFault> {
        if self.is_ok(step) {
            return Ok(self.rows(step));
        }
        let code = self.failures().next().map(|(_, code)| code.to_owned());
        Err(HranaFault::Refused(code))
    }

    /// The codes of the steps that failed, for the log.
    pub fn failures(&self) -> impl Iterator<Item = (StepIndex, &str)> {
        self.steps
            .iter()
            .enumerate()
            .filter_map(|(index, step)| match step {
                StepResult::Failed { code } => Some((index, code.as_str())),
                StepResult::Skipped | StepResult::Done(_) => None,
            })
    }
}

/// One row, read by column position with the type that the query promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(Vec<Value>);

/// A type that a column can be read as.
pub trait Column: Sized {
    /// The value as this type; `None` if it holds another.
    fn from_value(value: &Value) -> Option<Self>;
}

impl Row {
    /// A row of these values.
    #[must_use]
    pub const fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// The value of a column, counted from 0.
    pub fn get<T: Column>(&self, column: usize) -> Result<T, HranaFault> {
        self.0
            .get(column)
            .and_then(T::from_value)
            .ok_or(HranaFault::UnexpectedColumn(column))
    }

    /// Whether a column is NULL, whatever its type, as after an outer join without a match.
    #[must_use]
    pub fn is_null(&self, column: usize) -> bool {
        self.0.get(column) == Some(&Value::Null)
    }
}

impl Column for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Integer(number) = value {
            Some(*number)
        } else {
            None
        }
    }
}

impl Column for u64 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).and_then(|number| Self::try_from(number).ok())
    }
}

impl Column for bool {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl Column for String {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value {
            Some(text.clone())
        } else {
            None
        }
    }
}

impl Column for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Blob(bytes) = value {
            Some(bytes.clone())
        } else {
            None
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        if *value == Value::Null {
            Some(None)
        } else {
            T::from_value(value).map(Some)
        }
    }
}

/// Reads the reply to a batch of `steps` steps. `status` is the HTTP status.
pub fn read_reply(status: u16, body: &[u8], steps: usize) -> Result<Reply, HranaFault> {
    if status != 200 {
        let code = serde_json::from_slice::<WireError>(body)
            .ok()
            .and_then(|error| error.code);
        return Err(HranaFault::Refused(code));
    }
    let reply: WireReply = serde_json::from_slice(body).map_err(|_| HranaFault::Malformed)?;
    let mut results = reply.results.into_iter();
    let batch = match results.next() {
        Some(WireResult::Ok {
            response: WireResponse::Batch { result },
        }) => result,
        Some(WireResult::Error { error }) => return Err(HranaFault::Refused(error.code)),
        Some(WireResult::Ok {
            response: WireResponse::Close,
        })
        | None => {
            return Err(HranaFault::Malformed);
        }
    };
    if batch.step_results.len() != steps || batch.step_errors.len() != steps {
        return Err(HranaFault::Malformed);
    }
    let mut reply = Reply {
        steps: Vec::with_capacity(steps),
        rows_read: 0,
        rows_written: 0,
    };
    for (result, error) in batch.step_results.into_iter().zip(batch.step_errors) {
        let step = match (result, error) {
            (None, None) => StepResult::Skipped,
            (None, Some(error)) => StepResult::Failed {
                code: error.code.unwrap_or_default(),
            },
            (Some(result), _) => {
                reply.rows_read = reply.rows_read.saturating_add(result.rows_read);
                reply.rows_written = reply.rows_written.saturating_add(result.rows_written);
                StepResult::Done(read_rows(result.rows)?)
            }
        };
        reply.steps.push(step);
    }
    Ok(reply)
}

fn read_rows(rows: Vec<Vec<WireValue>>) -> Result<Vec<Row>, HranaFault> {
    rows.into_iter()
        .map(|row| {
            row.into_iter()
                .map(read_value)
                .collect::<Result<_, _>>()
                .map(Row)
        })
        .collect()
}

fn read_value(value: WireValue) -> Result<Value, HranaFault> {
    Ok(match value {
        WireValue::Null => Value::Null,
        WireValue::Integer { value } => {
            Value::Integer(value.parse().map_err(|_| HranaFault::Malformed)?)
        }
        WireValue::Text { value } => Value::Text(value),
        WireValue::Blob { base64 } => Value::Blob(
            STANDARD_NO_PAD
                .decode(&base64)
                .or_else(|_| STANDARD.decode(&base64))
                .map_err(|_| HranaFault::Malformed)?,
        ),
        // No query of ours asks for a float: one here means that an integer overflowed into it.
        WireValue::Float => return Err(HranaFault::Malformed),
    })
}

#[derive(Deserialize)]
struct WireReply {
    results: Vec<WireResult>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireResult {
    Ok { response: WireResponse },
    Error { error: WireError },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireResponse {
    Batch { result: WireBatchResult },
    Close,
}

#[derive(Deserialize)]
struct WireBatchResult {
    step_results: Vec<Option<WireStepResult>>,
    step_errors: Vec<Option<WireError>>,
}

#[derive(Deserialize)]
struct WireStepResult {
    rows: Vec<Vec<WireValue>>,
    #[serde(default)]
    rows_read: u64,
    #[serde(default)]
    rows_written: u64,
}

#[derive(Deserialize)]
struct WireError {
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireValue {
    Null,
    Integer { value: String },
    Float,
    Text { value: String },
    Blob { base64: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = r#"{"baton":null,"base_url":null,"results":[{"type":"ok","response":{
        "type":"batch","result":{"step_results":[
          {"cols":[{"name":"a","decltype":null}],"rows":[[{"type":"integer","value":"9007199254740993"},
           {"type":"text","value":"é"},{"type":"null"},{"type":"blob","base64":"AP8="}]],
           "affected_row_count":0,"last_insert_rowid":null,"replication_index":null,
           "rows_read":3,"rows_written":1,"query_duration_ms":0.1},null,null],
         "step_errors":[null,{"message":"secret","code":"SQLITE_CONSTRAINT"},null],
         "replication_index":null}}},{"type":"ok","response":{"type":"close"}}]}"#;

    #[test]
    fn rows_failures_and_skipped_steps_are_told_apart() {
        let reply = read_reply(200, REPLY.as_bytes(), 3).unwrap();
        assert!(reply.is_ok(0) && !reply.is_ok(1) && !reply.is_ok(2));
        assert_eq!(reply.rows_of(0), Ok(reply.rows(0)));
        let failed = HranaFault::Refused(Some("SQLITE_CONSTRAINT".into()));
        assert_eq!(reply.rows_of(2), Err(failed));
        let row = &reply.rows(0)[0];
        assert_eq!(row.get::<i64>(0), Ok(9_007_199_254_740_993));
        assert_eq!(row.get::<String>(1), Ok("é".to_owned()));
        assert_eq!(row.get::<Option<i64>>(2), Ok(None));
        assert_eq!(row.get::<Vec<u8>>(3), Ok(vec![0, 255]));
        assert_eq!(row.get::<Vec<u8>>(1), Err(HranaFault::UnexpectedColumn(1)));
        assert_eq!(row.get::<String>(0), Err(HranaFault::UnexpectedColumn(0)));
        assert_eq!(row.get::<i64>(9), Err(HranaFault::UnexpectedColumn(9)));
        assert_eq!(
            reply.failures().collect::<Vec<_>>(),
            [(1, "SQLITE_CONSTRAINT")]
        );
        assert_eq!((reply.rows_read, reply.rows_written), (3, 1));
    }

    #[test]
    fn whatever_is_not_the_asked_reply_is_a_fault() {
        let check = |status: u16, body: &str, steps: usize, expect: HranaFault| {
            assert_eq!(
                read_reply(status, body.as_bytes(), steps),
                Err(expect),
                "{body}"
            );
        };
        check(200, REPLY, 2, HranaFault::Malformed);
        check(200, "", 1, HranaFault::Malformed);
        check(200, r#"{"results":[]}"#, 0, HranaFault::Malformed);
        check(
            200,
            &REPLY.replace("integer\",\"value\":\"9", "float\",\"value\":9.5,\"x\":\""),
            3,
            HranaFault::Malformed,
        );
        check(429, "busy", 1, HranaFault::Refused(None));
        check(
            403,
            r#"{"message":"x","code":"BLOCKED"}"#,
            1,
            HranaFault::Refused(Some("BLOCKED".into())),
        );
    }
}
