//! The calls of an account's own keys, as people look through them: pages with filters, one call with the
//! calculation of its price, and exports. What an end user sees tells nothing of the levels above it;
//! what a seller sees of its customer's calls has the seller's own base and margin.
//!
//! Calls that were refused before they were admitted (limits, credit, an unknown model) leave no row and
//! are not in the log.

mod detail;
mod export;
mod line;
mod page;
mod stretch;

pub use detail::{AppliedRule, RequestDetail, read_request_detail, request_detail_statement};
pub use export::{Export, Format};
pub use line::{RequestLine, RequestStatus, Tokens, read_request_line, request_lines_statement};
pub use page::{Cursor, LogPage, LogQuery, PAGE, SCAN};
pub use stretch::Filter;
