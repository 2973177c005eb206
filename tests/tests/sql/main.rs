//! Admission, settlement, the ledger and the operator's commands on the real database server.

mod accounts;
mod admission;
mod ledger;
mod reconcile;
mod settlement;
mod sweep;
mod usage_days;
mod world;
