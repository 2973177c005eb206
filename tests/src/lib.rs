//! What the tests share: a client of the database, a server of it for one test, and people to act
//! in it. Campaigns over the running parts, which the tests run for short and `cargo xtask campaign`
//! for long.

pub mod campaign;
mod database;
mod server;
pub mod simulation;
pub mod sqlite;
mod world;

pub use database::Database;
pub use server::Server;
pub use sqlite::Sqlite;
pub use world::{Caller, Wallet, World};
