//! What a call costs the operator, and what each account of the caller's chain is charged for it:
//! exactly afterwards, at most beforehand. Balances, budgets and refusals are not decided here.

mod charge_lines;
mod cost;
mod display;
mod quote;
mod rule;

pub use charge_lines::{ChargeFacts, ChargeItem, ChargeLine, charge_lines};
pub use cost::{BoundRefusal, cost_bound, cost_of};
pub use display::public_model;
pub use quote::{Quote, affordable_output_tokens};
pub use rule::{PriceRule, charges, pick};
