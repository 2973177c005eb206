//! What must hold for any bytes that strangers send: callers, providers and the database. One
//! module for each reader, each with one `check` that panics when a property is broken. libFuzzer
//! calls these functions (`fuzz_targets/`), and so does the short run in the ordinary tests.

pub mod answer;
pub mod body;
pub mod hrana;
pub mod record;
pub mod sse;
pub mod transcript;

mod json;
mod mutation;
mod pieces;
mod secrets;

pub use mutation::Mutator;

/// A property: bytes that are checked, by panicking if it is broken.
pub type Check = fn(&[u8]);

/// Every target by its name, which is also that of its corpus and dictionary.
pub const TARGETS: [(&str, Check); 6] = [
    ("sse", sse::check),
    ("transcript", transcript::check),
    ("body", body::check),
    ("hrana", hrana::check),
    ("record", record::check),
    ("answer", answer::check),
];
