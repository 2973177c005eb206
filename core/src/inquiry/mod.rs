//! What a caller may ask about itself, in OpenRouter's shapes: its key, its credit, its calls. All
//! of it is read by the key's hash, so that no caller can name another's row.

mod credits;
mod generation;
mod key;

pub use credits::{credits_statement, render_credits};
pub use generation::{Generation, generation_statement, read_generation_row};
pub use key::{check_key, key_statement, render_key};
