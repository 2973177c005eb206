//! `cargo xtask` as a library: installs the pinned tools, builds the gateway, and runs it on
//! loopback with its database and its stand-in provider. The end-to-end tests start the same
//! [`stack::Stack`] that `cargo xtask dev` starts. What the gateway does is not in here.

pub mod build;
pub mod cache;
pub mod dev;
pub mod docs;

pub mod admin;
pub mod catalogue;
pub mod demo;

pub mod arguments;
pub mod clock;
pub mod database;
pub mod random;
pub mod report;

pub mod failure;
pub mod process;
pub mod progress;
pub mod repo;
pub mod setup;
pub mod stack;
pub mod test;
