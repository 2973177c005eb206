//! Admission, settlement, the ledger and the operator's commands on the real database server.

mod accounts;
mod admission;
mod alarm;
mod budgets;
mod customers;
mod extension;
mod idempotency;
mod ledger;
mod parallel_slots;
mod prices;
mod provider_accounts;
mod reconcile;
mod revenue;
mod sale;
mod settlement;
mod sign_in;
mod sweep;
mod true_up;
mod usage_days;
mod world;
