//! `cargo xtask` as a library: installs the pinned tools, builds the gateway, and runs it on
//! loopback with its database and its stand-in provider. The end-to-end tests start the same
//! [`stack::Stack`] that `cargo xtask dev` starts. Also what an operator does by hand, against any
//! database. What the gateway does is not in here.

pub mod admin;
pub mod arguments;
pub mod bench;
pub mod build;
pub mod cache;
pub mod campaign;
pub mod catalogue;
pub mod clock;
pub mod conformance;
pub mod database;
pub mod demo;
pub mod dev;
pub mod docs;
pub mod failure;
pub mod fuzz;
pub mod messages;
pub mod process;
pub mod progress;
pub mod random;
pub mod reconcile;
pub mod repo;
pub mod report;
pub mod setup;
pub mod simulate;
pub mod stack;
pub mod test;
