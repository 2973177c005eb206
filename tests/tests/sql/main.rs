//! Admission, settlement, the ledger and the operator's commands on the real database server.

mod accounts;
mod admission;
mod alarm;
mod budgets;
mod extension;
mod idempotency;
mod key_settings;
mod ledger;
mod month_statement;
mod orders;
mod parallel_slots;
mod people;
mod personal_data;
mod reconcile;
mod request_detail;
mod request_export;
mod request_log;
mod settlement;
mod sign_in;
mod spending;
mod sweep;
mod true_up;
mod usage_days;
mod world;
