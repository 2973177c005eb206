//! The built gateway in workerd, with sqld and the simulator, as its callers see it.

mod client;
mod price;
mod provider;
mod stage;

mod first_call;
mod money;

mod credit;
mod limits;

mod faults;
