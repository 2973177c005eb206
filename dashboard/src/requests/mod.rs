//! The calls of an account's own keys: the list with filters, which is live, one call with the calculation
//! of its price, and exports. What is read of them is `core::request_log`'s.

mod detail;
mod export;
mod list;
mod live;
mod search;

pub use detail::page as detail_page;
pub use export::download;
pub use list::page as list_page;
pub use live::newer;
pub use search::link_to;
