//! Tollgate's rules without I/O: what a call costs, who may make it, what is held and what is
//! settled. Clocks, ids, random bytes, sockets and the database belong to the Workers that use it;
//! this crate receives values and returns decisions.

pub mod calendar;
pub mod ids;
pub mod key;
pub mod line;
pub mod money;
pub mod pattern;

pub mod catalogue;
pub mod pricing;
pub mod usage;

pub mod chat;
pub mod error;
pub mod json;
pub mod openrouter;
pub mod sse;
pub mod tokens;

pub mod accounts;
pub mod admission;
pub mod alarm;
pub mod audit;
pub mod budget;
pub mod call;
pub mod csv;
pub mod hrana;
pub mod inquiry;
pub mod ledger;
pub mod limits;
pub mod month_statement;
pub mod orders;
pub mod personal_data;
pub mod playground;
pub mod providers;
pub mod reconcile;
pub mod request_log;
pub mod selling;
pub mod settlement;
pub mod spending;
pub mod stored_call;
pub mod stripe;
pub mod sweep;
pub mod true_up;
pub mod usage_days;

pub mod brand;
mod mac;
pub mod people;
pub mod sealing;
pub mod sign_in;
