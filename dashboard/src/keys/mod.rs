//! Keys: the list, making one, its settings and its end, and examples to paste. A secret is on one page
//! only, the answer to the form that made it; it is not stored, and no address shows it again.

mod create;
mod detail;
mod examples;
mod fields;
mod list;
mod settings;

pub use create::{create, new_page};
pub use detail::{edit, page as detail_page, revoke};
pub use examples::quick_start;
pub use list::page as list_page;
