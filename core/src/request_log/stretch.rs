//! A stretch of the log: calls with a filter between two ids, in either order, so many at most. With a
//! filter a limited number of calls is looked at, and where that ended is told, so that nothing reads
//! without limit. Pages and exports are made of stretches.

use super::line::{RequestLine, RequestStatus, WIDTH, columns, read_request_line};
use crate::accounts::View;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{KeyId, RequestId};

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

/// Which part of the log is read, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch<'a> {
    pub filter: &'a Filter,
    /// The first id, and the first after the last one.
    pub ids: (i64, i64),
    pub ascending: bool,
    /// How many calls are found at most.
    pub most: usize,
    /// How many calls are looked at at most where the index alone does not find them.
    pub scan: usize,
}

/// What a stretch has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The calls, in the order of the stretch.
    pub lines: Vec<RequestLine>,
    /// The call after which there may be more; `None` when there are none.
    pub end: Option<RequestId>,
    /// Whether it ended because so many calls were looked at.
    pub stopped_looking: bool,
}

const PLAIN: &str = "\
SELECT {columns} FROM requests r LEFT JOIN keys k ON k.id = r.key_id
WHERE r.account_id = {seen} AND r.id >= ?3 AND r.id < ?4 ORDER BY r.id {order} LIMIT ?5";

// Every row tells how many calls were looked at and where that ended; where none is found there is one
// row that tells only that.
const FILTERED: &str = "\
WITH looked AS MATERIALIZED (SELECT * FROM requests r
  WHERE r.account_id = {seen} AND r.id >= ?3 AND r.id < ?4 ORDER BY r.id {order} LIMIT ?6)
SELECT {columns}, s.calls, s.last_id
FROM (SELECT count(*) AS calls, {last}(id) AS last_id FROM looked) s
  LEFT JOIN looked r ON {filter} LEFT JOIN keys k ON k.id = r.key_id
ORDER BY r.id {order} LIMIT ?5";

impl Filter {
    /// Whether the index alone does not find the calls.
    const fn looks(&self) -> bool {
        self.key.is_some() || self.model.is_some() || self.status.is_some()
    }

    /// The first id, and the first after the last one. A call's id is a little older than its moment at
    /// most; a border may be off by that.
    pub(super) fn ids(&self) -> (i64, i64) {
        let border = |at_ms: i64| RequestId::first_at(at_ms).get();
        (
            self.from_ms.map_or(0, border),
            self.to_ms.map_or(i64::MAX, border),
        )
    }

    /// Conditions on `requests r`, whose arguments begin with `?first`.
    fn sql(&self, first: u32) -> String {
        let next = first.saturating_add(u32::from(self.key.is_some()));
        let key = self.key.as_ref().map(|_| format!("r.key_id = ?{first}"));
        let model = self.model.as_ref().map(|_| format!("r.model = ?{next}"));
        let status = self.status.map(|status| format!("({})", status.sql()));
        let all: Vec<String> = [key, model, status].into_iter().flatten().collect();
        all.join(" AND ")
    }

    /// Binds what [`Self::sql`] names.
    fn bind(&self, statement: Statement) -> Statement {
        let words = [self.key.as_ref().map(KeyId::as_str), self.model.as_deref()];
        words.into_iter().flatten().fold(statement, Statement::bind)
    }
}

impl Stretch<'_> {
    pub(super) fn statement(&self, view: View<'_>) -> Statement {
        let filtered = self.filter.looks();
        let (order, last) = if self.ascending {
            ("ASC", "max")
        } else {
            ("DESC", "min")
        };
        let sql = if filtered { FILTERED } else { PLAIN }
            .replace("{columns}", &columns())
            .replace("{order}", order)
            .replace("{last}", last)
            .replace("{filter}", &self.filter.sql(7));
        let (from, to) = self.ids;
        // One more than is shown tells whether there are more.
        let most = to_integer(self.most).saturating_add(1);
        let statement = view.statement(&sql).bind(from).bind(to).bind(most);
        if filtered {
            self.filter.bind(statement.bind(to_integer(self.scan)))
        } else {
            statement
        }
    }

    /// Reads the rows of the statement.
    pub(super) fn read(&self, rows: &[Row]) -> Result<Found, HranaFault> {
        let found = rows.iter().filter(|row| !row.is_null(0));
        let lines = found.take(self.most).map(read_request_line);
        let lines: Vec<RequestLine> = lines.collect::<Result<_, _>>()?;
        if rows.len() > self.most {
            return Ok(Found {
                end: lines.last().map(|line| line.id),
                lines,
                stopped_looking: false,
            });
        }
        let end = self.stopped_at(rows)?;
        Ok(Found {
            lines,
            end,
            stopped_looking: end.is_some(),
        })
    }

    /// The last call that was looked at, if looking ended before the calls did.
    fn stopped_at(&self, rows: &[Row]) -> Result<Option<RequestId>, HranaFault> {
        let Some(row) = rows.first().filter(|_| self.filter.looks()) else {
            return Ok(None);
        };
        let calls: i64 = row.get(WIDTH)?;
        let last: Option<i64> = row.get(WIDTH.saturating_add(1))?;
        let ended_early = calls >= to_integer(self.scan);
        Ok(last.filter(|_| ended_early).map(RequestId::from_stored))
    }
}

fn to_integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
