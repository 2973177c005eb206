//! Admission, settlement and the ledger on the real database server.

mod admission;
mod ledger;
mod settlement;
mod world;
