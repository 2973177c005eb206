//! One call as a line of the log: the columns that every read of the log selects, and their meaning.

use crate::accounts::View;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{KeyId, RequestId};
use crate::money::Nanos;

/// How a call ended, as people ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestStatus {
    /// It has not ended.
    Held,
    /// The caller got an answer without an error.
    Ok,
    /// The caller got an error, in the middle of an answer perhaps, or nothing at all.
    Failed,
}

impl RequestStatus {
    /// Every status, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Failed, Self::Held];

    /// The word for it in addresses and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Ok => "ok",
            Self::Failed => "failed",
        }
    }

    /// The status that the word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// SQL that is true for the rows of `requests r` with this status.
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Held => "r.state = 'held'",
            Self::Ok => "r.state <> 'held' AND r.error_code IS NULL AND r.status < 400",
            Self::Failed => {
                "r.state <> 'held' AND (r.error_code IS NOT NULL OR r.status IS NULL OR r.status >= 400)"
            }
        }
    }
}

/// A call in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// The call.
    pub id: RequestId,
    /// The key that made it.
    pub key: KeyId,
    /// What people call that key.
    pub key_name: String,
    /// The model's slug.
    pub model: String,
    /// How it ended.
    pub status: RequestStatus,
    /// Whether the answer was streamed.
    pub streamed: bool,
    /// The HTTP status that the caller got; `None` if none was sent.
    pub http_status: Option<u64>,
    /// The public error that the caller got.
    pub error_code: Option<String>,
    /// Why the model stopped, as the provider says.
    pub finish_reason: Option<String>,
    /// Tokens, once they are known.
    pub tokens: Option<Tokens>,
    /// Whether the tokens are our own estimate, since the provider reported none.
    pub estimated: bool,
    /// What the call holds, or held, of the account's credit.
    pub hold: Nanos,
    /// What the account was charged, true-up included; `None` while held.
    pub charge: Option<Nanos>,
    /// What the seller who reads was itself charged, or at the top what the provider bills, true-up
    /// included; `None` while held, and for the account's own people.
    pub base: Option<Nanos>,
    /// Milliseconds from the request to the first byte of the answer.
    pub first_byte_ms: Option<u64>,
    /// Milliseconds from the request to the end of the answer.
    pub total_ms: Option<u64>,
    /// When it began, in Unix milliseconds.
    pub created_at_ms: i64,
    /// When the provider's own record corrected an estimate, in Unix milliseconds.
    pub trued_up_at_ms: Option<i64>,
}

/// What a call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Tokens of the prompt, all kinds.
    pub prompt: u64,
    /// Prompt tokens read from the provider's cache.
    pub cached: u64,
    /// Prompt tokens written to the provider's cache.
    pub cache_write: u64,
    /// Tokens of the answer, reasoning included.
    pub completion: u64,
    /// Tokens of reasoning.
    pub reasoning: u64,
}

impl RequestLine {
    /// What the seller who reads earned with the call: charge less base.
    #[must_use]
    pub fn margin(&self) -> Option<Nanos> {
        self.charge?.minus(self.base?).ok()
    }
}

/// What a true-up moved at a level of `requests r`, 0 without one; the reference is
/// `true_up:REQUEST:ACCOUNT`, and above zero it gave back.
const MOVED: &str = "\
CASE WHEN r.trued_up_at_ms IS NULL THEN 0 ELSE coalesce((SELECT e.amount_nanos FROM ledger_entries e
    WHERE e.reference = 'true_up:' || r.id || ':' || (r.levels ->> '$[{level}].account')), 0) END";

/// The columns of `requests r` with `keys k` that [`read_line`] reads, as its first ones. `?1` is the
/// account that is read and `?2` who reads: for the account itself there is no base.
const COLUMNS: &str = "\
r.id, r.key_id, coalesce(k.name, ''), r.model, r.state, r.streamed, r.status, r.error_code,
  r.finish_reason, r.prompt_tokens, r.cached_tokens, r.cache_write_tokens, r.completion_tokens,
  r.reasoning_tokens, r.outcome, r.levels ->> '$[0].hold',
  CASE WHEN r.state <> 'held' THEN (r.levels ->> '$[0].charge') - {moved} END,
  CASE WHEN r.state <> 'held' AND ?1 <> ?2
    THEN coalesce(r.levels ->> '$[1].charge', r.cost_nanos, 0) - {moved_above} END,
  r.first_byte_ms, r.total_ms, r.created_at_ms, r.trued_up_at_ms";

/// How many columns [`columns`] are.
pub(super) const WIDTH: usize = 22;

/// The columns that [`read_line`] reads.
pub(super) fn columns() -> String {
    COLUMNS
        .replace("{moved}", &MOVED.replace("{level}", "0"))
        .replace("{moved_above}", &MOVED.replace("{level}", "1"))
}

/// Reads these calls of the account again, such as those that were still held when a page was shown, in
/// no order; at most a page of them.
#[must_use]
pub fn request_lines_statement(view: View<'_>, calls: &[RequestId]) -> Statement {
    let ids: Vec<i64> = calls.iter().take(super::PAGE).map(|id| id.get()).collect();
    view.statement(&format!(
        "SELECT {} FROM requests r LEFT JOIN keys k ON k.id = r.key_id \
         WHERE r.account_id = {{seen}} AND r.id IN (SELECT c.value FROM json_each(?3) c)",
        columns()
    ))
    .bind(serde_json::json!(ids).to_string())
}

/// Reads a row that begins with the columns of the log.
pub fn read_request_line(row: &Row) -> Result<RequestLine, HranaFault> {
    let held = row.get::<String>(4)? == "held";
    let http_status: Option<u64> = row.get(6)?;
    let error_code: Option<String> = row.get(7)?;
    let status = match (held, &error_code, http_status) {
        (true, _, _) => RequestStatus::Held,
        (false, None, Some(..=399)) => RequestStatus::Ok,
        (false, _, _) => RequestStatus::Failed,
    };
    let outcome: Option<String> = row.get(14)?;
    let key: String = row.get(1)?;
    Ok(RequestLine {
        id: RequestId::from_stored(row.get(0)?),
        key: KeyId::parse(&key).ok_or(HranaFault::UnexpectedColumn(1))?,
        key_name: row.get(2)?,
        model: row.get(3)?,
        status,
        streamed: row.get(5)?,
        http_status,
        error_code,
        finish_reason: row.get(8)?,
        tokens: read_tokens(row)?,
        estimated: matches!(outcome.as_deref(), Some("at_least" | "unknown")),
        hold: Nanos::new(row.get(15)?),
        charge: row.get::<Option<i64>>(16)?.map(Nanos::new),
        base: row.get::<Option<i64>>(17)?.map(Nanos::new),
        first_byte_ms: row.get(18)?,
        total_ms: row.get(19)?,
        created_at_ms: row.get(20)?,
        trued_up_at_ms: row.get(21)?,
    })
}

fn read_tokens(row: &Row) -> Result<Option<Tokens>, HranaFault> {
    let Some(prompt) = row.get(9)? else {
        return Ok(None);
    };
    let count = |column: usize| {
        row.get::<Option<u64>>(column)
            .map(Option::unwrap_or_default)
    };
    Ok(Some(Tokens {
        prompt,
        cached: count(10)?,
        cache_write: count(11)?,
        completion: count(12)?,
        reasoning: count(13)?,
    }))
}
