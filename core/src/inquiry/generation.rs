//! One call of the caller's account: `GET generation`. After a true-up it tells the final figures.

use crate::calendar::rfc3339;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::RequestId;
use crate::json::ObjectWriter;
use crate::key::KeyHash;
use crate::money::Nanos;

const GENERATION: &str = "\
SELECT r.state, r.model, r.streamed, r.created_at_ms, r.outcome, r.prompt_tokens, r.cached_tokens,
  r.completion_tokens, r.reasoning_tokens, r.levels ->> '$[0].charge', r.status, r.error_code,
  r.finish_reason, r.first_byte_ms, r.total_ms, r.max_tokens, r.trued_up_at_ms,
  (SELECT e.amount_nanos FROM ledger_entries e
    WHERE e.reference = 'true_up:' || r.id || ':' || r.account_id)
FROM requests r JOIN keys k ON k.account_id = r.account_id
WHERE r.id = ?1 AND k.hash = ?2";

/// A call, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generation {
    /// It has not ended, so nobody knows what it costs.
    Running,
    /// The answer's body.
    Ended(String),
}

/// Reads a call of the account whose key has this hash.
#[must_use]
pub fn generation_statement(request: RequestId, hash: &KeyHash) -> Statement {
    Statement::new(GENERATION)
        .bind(request.get())
        .bind(&hash.0[..])
}

/// Reads the row of `generation_statement`.
pub fn read_generation_row(request: RequestId, row: &Row) -> Result<Generation, HranaFault> {
    let text = |column| row.get::<Option<String>>(column);
    let count = |column| row.get::<Option<i64>>(column);
    if row.get::<String>(0)? == "held" {
        return Ok(Generation::Running);
    }
    // What the true-up gave back is above zero.
    let charged = Nanos::new(count(9)?.unwrap_or_default());
    let given_back = Nanos::new(count(17)?.unwrap_or_default());
    let charge = charged
        .minus(given_back)
        .map_err(|_| HranaFault::UnexpectedColumn(17))?
        .to_usd();
    let mut data = ObjectWriter::new();
    let optional = |data: &mut ObjectWriter, name: &str, value: Option<String>| match value {
        Some(value) => data.string(name, &value),
        None => data.raw(name, "null"),
    };
    let number = |data: &mut ObjectWriter, name: &str, value: Option<i64>| match value {
        Some(value) => data.raw(name, &value.to_string()),
        None => data.raw(name, "null"),
    };
    data.string("id", &request.generation_id());
    data.string("request_id", &request.to_string());
    data.string("model", &row.get::<String>(1)?);
    data.raw(
        "streamed",
        if row.get::<bool>(2)? { "true" } else { "false" },
    );
    optional(&mut data, "created_at", rfc3339(row.get(3)?));
    // OpenRouter's two names for the same amount.
    data.raw("total_cost", &charge);
    data.raw("usage", &charge);
    number(&mut data, "tokens_prompt", count(5)?);
    number(&mut data, "tokens_completion", count(7)?);
    number(&mut data, "native_tokens_prompt", count(5)?);
    number(&mut data, "native_tokens_cached", count(6)?);
    number(&mut data, "native_tokens_completion", count(7)?);
    number(&mut data, "native_tokens_reasoning", count(8)?);
    number(&mut data, "max_tokens", count(15)?);
    let outcome = text(4)?;
    // The usage is our own estimate where the provider reported none; a true-up changes the outcome.
    let estimated = matches!(outcome.as_deref(), Some("at_least" | "unknown"));
    data.raw("estimated", if estimated { "true" } else { "false" });
    optional(&mut data, "trued_up_at", count(16)?.and_then(rfc3339));
    number(&mut data, "status", count(10)?);
    optional(&mut data, "error_code", text(11)?);
    optional(&mut data, "finish_reason", text(12)?);
    number(&mut data, "latency", count(13)?);
    number(&mut data, "generation_time", count(14)?);
    let mut body = ObjectWriter::new();
    body.raw("data", &data.end());
    Ok(Generation::Ended(body.end()))
}
