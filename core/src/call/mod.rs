//! One call of one caller: the facts that price it, what it asks of the database, and what its
//! outcome is charged. The same facts price a call before it is made and settle it afterwards.

mod facts;
mod listing;
mod priced;

pub use facts::{
    CallerFacts, ModelFacts, caller_statements, model_statement, read_caller, read_model,
};
pub use listing::public_models;
pub use priced::{Call, DEFAULT_MAX_TOKENS, Identity, LEAST_MAX_TOKENS, Wanted, price_call};
