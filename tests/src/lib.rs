//! What the tests share: a client of the database, a server of it for one test, and people to act
//! in it; the running parts, with the provider's side of the story and what its bills must cost.
//! Campaigns over the running parts, which the tests run for short and `cargo xtask campaign` for long.

pub mod campaign;
mod database;
pub mod price;
mod provider;
mod server;
pub mod simulation;
pub mod sqlite;
pub mod stage;
mod waiting;
mod world;

pub use database::Database;
pub use provider::{Provider, Received};
pub use server::Server;
pub use sqlite::Sqlite;
pub use waiting::eventually;
pub use world::{Caller, Wallet, World};
