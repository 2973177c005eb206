//! Admission, settlement, the ledger and the operator's commands on the real database server.

mod accounts;
mod admission;
mod alarm;
mod budgets;
mod extension;
mod idempotency;
mod key_settings;
mod ledger;
mod parallel_slots;
mod reconcile;
mod request_log;
mod settlement;
mod spending;
mod sweep;
mod true_up;
mod usage_days;
mod world;
