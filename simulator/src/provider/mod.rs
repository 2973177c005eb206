//! The providers that the simulator stands in for: OpenRouter. What all providers need (the record
//! of requests, response bodies, faults of the connection) stands outside.

pub mod account;
pub mod answer;
pub mod chat;
pub mod error;
pub mod fault;
pub mod generation;
pub mod host;
pub mod instance;
pub mod knobs;
pub mod listing;
pub mod models;
pub mod pieces;
pub mod price_limit;
pub mod pricing;
pub mod request;
pub mod stream;
pub mod wire;
