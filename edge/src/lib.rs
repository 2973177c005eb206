//! What the gateway and the dashboard share of the runtime: the clock, the random bytes, the
//! settings and the way to the database. No rule lives here, and no route.

pub mod clock;
pub mod setting;
pub mod turso;
