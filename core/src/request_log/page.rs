//! Pages of the log by keyset: 50 calls from a cursor on, in either direction. A page with a filter
//! looks at a limited number of calls and says where it stopped, so that no page reads without limit.

use super::line::{RequestLine, RequestStatus, columns, read_request_line};
use crate::accounts::View;
use crate::hrana::{Batch, HranaFault, Reply, Statement, StepIndex};
use crate::ids::{KeyId, RequestId};

/// How many calls a page shows.
pub const PAGE: usize = 50;

/// How many calls a page with a filter looks at.
pub const SCAN: usize = 1_000;

/// Which calls are shown; what is `None` shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Calls of this key.
    pub key: Option<KeyId>,
    /// Calls of this model.
    pub model: Option<String>,
    /// Calls that ended so.
    pub status: Option<RequestStatus>,
    /// From this moment on, in Unix milliseconds.
    pub from_ms: Option<i64>,
    /// Before this moment, in Unix milliseconds.
    pub to_ms: Option<i64>,
}

/// From where on a page is read. The call itself is not on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// Calls before this one.
    Older(RequestId),
    /// Calls after this one, the nearest of them.
    Newer(RequestId),
}

/// Which page of the log is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Which calls.
    pub filter: Filter,
    /// From where on; `None` begins with the latest call.
    pub cursor: Option<Cursor>,
}

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// The calls, the latest first, at most [`PAGE`].
    pub lines: Vec<RequestLine>,
    /// Where older calls are; `None` when there are none.
    pub older: Option<Cursor>,
    /// Where newer calls are; `None` when there were none, and on the first page. A live list asks for
    /// calls newer than its first line instead.
    pub newer: Option<Cursor>,
    /// Whether the page ended because [`SCAN`] calls were looked at: the cursor in the direction of the
    /// query goes on looking.
    pub stopped_looking: bool,
}

/// The batch that reads a page.
#[derive(Clone, Debug)]
pub struct PageBatch {
    /// What to execute.
    pub batch: Batch,
    lines: StepIndex,
    cursor: Option<Cursor>,
    filtered: bool,
}

const PLAIN: &str = "\
SELECT {columns} FROM requests r LEFT JOIN keys k ON k.id = r.key_id
WHERE r.account_id = {seen} AND r.id >= ?3 AND r.id < ?4 ORDER BY r.id {order} LIMIT ?5";

// The first row alone tells how many calls were looked at and where that ended, also when none of them is
// shown.
const FILTERED: &str = "\
WITH looked AS MATERIALIZED (SELECT * FROM requests r
  WHERE r.account_id = {seen} AND r.id >= ?3 AND r.id < ?4 ORDER BY r.id {order} LIMIT ?6)
SELECT {columns}, s.calls, s.last_id
FROM (SELECT count(*) AS calls, {last}(id) AS last_id FROM looked) s
  LEFT JOIN looked r ON {filter} LEFT JOIN keys k ON k.id = r.key_id
ORDER BY r.id {order} LIMIT ?5";

impl Filter {
    /// Whether the index alone does not find the calls.
    fn looks(&self) -> bool {
        self.key.is_some() || self.model.is_some() || self.status.is_some()
    }

    /// Ids from the first up to, not including, the second. A call's id is a little older than its
    /// moment at most; a border may be off by that.
    pub(super) fn ids(&self) -> (i64, i64) {
        let border = |at_ms: i64| RequestId::first_at(at_ms).get();
        (
            self.from_ms.map_or(0, border),
            self.to_ms.map_or(i64::MAX, border),
        )
    }

    /// Conditions on `requests r`, from the placeholder `?first` on.
    pub(super) fn sql(&self, first: u32) -> String {
        let next = first.saturating_add(u32::from(self.key.is_some()));
        let key = self.key.as_ref().map(|_| format!("r.key_id = ?{first}"));
        let model = self.model.as_ref().map(|_| format!("r.model = ?{next}"));
        let status = self.status.map(|status| format!("({})", status.sql()));
        let all: Vec<String> = [key, model, status].into_iter().flatten().collect();
        if all.is_empty() {
            "true".to_owned()
        } else {
            all.join(" AND ")
        }
    }

    /// Binds what [`Self::sql`] names.
    pub(super) fn bind(&self, statement: Statement) -> Statement {
        let words = [self.key.as_ref().map(KeyId::as_str), self.model.as_deref()];
        words.into_iter().flatten().fold(statement, Statement::bind)
    }
}

/// Reads a page of the log of the account's own calls.
#[must_use]
pub fn log_page(view: View<'_>, query: &LogQuery) -> PageBatch {
    let (mut from, mut to) = query.filter.ids();
    let ascending = match query.cursor {
        None => false,
        Some(Cursor::Older(id)) => {
            to = to.min(id.get());
            false
        }
        Some(Cursor::Newer(id)) => {
            from = from.max(id.get().saturating_add(1));
            true
        }
    };
    let filtered = query.filter.looks();
    let (order, last) = if ascending {
        ("ASC", "max")
    } else {
        ("DESC", "min")
    };
    let sql = if filtered { FILTERED } else { PLAIN }
        .replace("{columns}", &columns())
        .replace("{order}", order)
        .replace("{last}", last)
        .replace("{filter}", &query.filter.sql(7));
    // One more than is shown tells whether there are more.
    let shown = i64::try_from(PAGE).unwrap_or(i64::MAX).saturating_add(1);
    let mut statement = view.statement(&sql).bind(from).bind(to).bind(shown);
    if filtered {
        let scan = i64::try_from(SCAN).unwrap_or(i64::MAX);
        statement = query.filter.bind(statement.bind(scan));
    }
    let mut batch = Batch::new();
    let lines = batch.step(None, statement);
    PageBatch {
        batch,
        lines,
        cursor: query.cursor,
        filtered,
    }
}

impl PageBatch {
    /// What the reply to the batch says. An account that the reader may not see has no calls.
    pub fn read(&self, reply: &Reply) -> Result<LogPage, HranaFault> {
        if !reply.is_ok(self.lines) {
            let code = reply.failures().next().map(|(_, code)| code.to_owned());
            return Err(HranaFault::Refused(code));
        }
        let rows = reply.rows(self.lines);
        let stopped_at = self.stopped_at(reply)?;
        let found = rows.iter().filter(|row| !row.is_null(0));
        let mut lines = found
            .take(PAGE)
            .map(read_request_line)
            .collect::<Result<Vec<_>, _>>()?;
        let has_more = rows.len() > PAGE;
        let stopped_at = stopped_at.filter(|_| !has_more);
        // The far end, where a page in the same direction goes on.
        let end = if has_more {
            lines.last().map(|line| line.id)
        } else {
            stopped_at
        };
        let (older, newer) = match self.cursor {
            None => (end.map(Cursor::Older), None),
            Some(Cursor::Older(from)) => {
                let first = lines.first().map_or(before(from), |line| line.id);
                (end.map(Cursor::Older), Some(Cursor::Newer(first)))
            }
            Some(Cursor::Newer(from)) => {
                let first = lines.first().map_or(after(from), |line| line.id);
                lines.reverse();
                (Some(Cursor::Older(first)), end.map(Cursor::Newer))
            }
        };
        Ok(LogPage {
            lines,
            older,
            newer,
            stopped_looking: stopped_at.is_some(),
        })
    }

    /// The last call that was looked at, if looking ended before the calls did.
    fn stopped_at(&self, reply: &Reply) -> Result<Option<RequestId>, HranaFault> {
        let Some(row) = reply.rows(self.lines).first().filter(|_| self.filtered) else {
            return Ok(None);
        };
        let calls: u64 = row.get(super::line::WIDTH)?;
        let last: Option<i64> = row.get(super::line::WIDTH.saturating_add(1))?;
        let ended_early = usize::try_from(calls).is_ok_and(|calls| calls >= SCAN);
        Ok(last.filter(|_| ended_early).map(RequestId::from_stored))
    }
}

/// So that a page that is newer than this has the call itself.
fn before(id: RequestId) -> RequestId {
    RequestId::from_stored(id.get().saturating_sub(1))
}

/// So that a page that is older than this has the call itself.
fn after(id: RequestId) -> RequestId {
    RequestId::from_stored(id.get().saturating_add(1))
}
