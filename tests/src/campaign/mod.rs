//! Campaigns against the built gateway over real sockets: callers who leave, processes that are
//! killed, wallets near zero. What everybody paid is held against the provider's own bills. All
//! chance comes from a printed seed; what is random besides is the timing.

pub mod audit;
pub mod bills;
pub mod books;
mod connection;
mod crashes;
mod crowd;
mod drops;
mod load;
mod random;
mod report;
mod stage;
mod telling;
mod workload;

pub use crashes::crashes;
pub use drops::drops;
pub use load::load;
pub use random::Random;
pub use report::Report;
