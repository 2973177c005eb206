//! A seller's customers: the list, one of them, and what may be done to it. Resellers are the operator's
//! customers, too, and have the same page; their list is in `resellers`.

mod detail;
mod limits;
mod list;

pub use detail::{grant, page, resume, suspend};
pub use limits::{set as set_limits, set_spending};
pub use list::{lines_table, page as list, read_page};
