//! Orders become credit once, as decided when they were made, and what does not match gets none.

mod at_stripe;
mod chaos;
mod desk;
mod disputes;
mod grants;
mod pages;
mod reconciled;
mod refunds;
mod top_ups;
