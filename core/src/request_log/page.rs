//! Pages of the log by keyset: 50 calls from a cursor on, in either direction.

use super::line::RequestLine;
use super::stretch::{Filter, Stretch};
use crate::accounts::View;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::RequestId;

/// How many calls a page shows.
pub const PAGE: usize = 50;

/// How many calls a page with a filter looks at.
pub const SCAN: usize = 1_000;

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

impl LogQuery {
    /// Reads a page of the log of the account's own calls; the rows are for [`Self::read`].
    #[must_use]
    pub fn statement(&self, view: View<'_>) -> Statement {
        self.stretch().statement(view)
    }

    /// What the rows say. An account that the reader may not see has no calls.
    pub fn read(&self, rows: &[Row]) -> Result<LogPage, HranaFault> {
        let found = self.stretch().read(rows)?;
        let mut lines = found.lines;
        let end = found.end;
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
            stopped_looking: found.stopped_looking,
        })
    }

    fn stretch(&self) -> Stretch<'_> {
        let (from, to) = self.filter.ids();
        let (ids, ascending) = match self.cursor {
            None => ((from, to), false),
            Some(Cursor::Older(id)) => ((from, to.min(id.get())), false),
            Some(Cursor::Newer(id)) => ((from.max(after(id).get()), to), true),
        };
        Stretch {
            filter: &self.filter,
            ids,
            ascending,
            most: PAGE,
            scan: SCAN,
        }
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
