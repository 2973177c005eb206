//! What can go wrong while a page is made and is nobody's wrong input. It is logged once, in `entrance`;
//! the visitor is told that it is not their fault, and the request's id.

use thiserror::Error;
use tollgate_core::hrana::HranaFault;
use tollgate_edge::turso::DatabaseFault;

/// Why a page could not be made.
#[derive(Debug, Error)]
pub enum Fault {
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] DatabaseFault),
    /// The database answered something else than it was asked.
    #[error(transparent)]
    Reply(#[from] HranaFault),
    /// The runtime gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The runtime refused something.
    #[error("the runtime: {0}")]
    Runtime(#[from] worker::Error),
    /// A service that a page depends on did not answer, or not as it should.
    #[error("{service}: {what}")]
    Service {
        /// Which.
        service: &'static str,
        /// What happened; never a secret, and never what the visitor typed.
        what: String,
    },
    /// Nothing was found where the visitor pointed, or it is not theirs.
    #[error("not found")]
    NotFound,
    /// Something that the code rules out.
    #[error("a bug: {0}")]
    Bug(&'static str),
}

/// What a route comes to.
pub type Outcome<T> = Result<T, Fault>;
