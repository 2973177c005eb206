//! What the tests share: a real database server on loopback, built from `migrations/`.

mod database;

pub use database::Database;
