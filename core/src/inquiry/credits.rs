//! The caller's credit: `GET credits`.

use crate::hrana::{HranaFault, Row, Statement};
use crate::json::ObjectWriter;
use crate::key::KeyHash;
use crate::money::Nanos;

// Credits are all that ever came in, so that credits less usage is the balance.
const CREDITS: &str = "\
SELECT a.balance_nanos - a.debt_nanos + a.charged_nanos, a.charged_nanos, a.balance_nanos,
  a.held_nanos, a.debt_nanos
FROM keys k JOIN accounts a ON a.id = k.account_id WHERE k.hash = ?1";

/// Reads the credit of the account whose key has this hash.
#[must_use]
pub fn credits_statement(hash: &KeyHash) -> Statement {
    Statement::new(CREDITS).bind(&hash.0[..])
}

/// The answer's body, in US dollars: OpenRouter's two numbers, and what of the balance calls in
/// flight hold.
pub fn render_credits(row: &Row) -> Result<String, HranaFault> {
    let mut data = ObjectWriter::new();
    let names = ["total_credits", "total_usage", "balance", "held", "debt"];
    for (column, name) in names.into_iter().enumerate() {
        data.raw(name, &Nanos::new(row.get(column)?).to_usd());
    }
    let mut body = ObjectWriter::new();
    body.raw("data", &data.end());
    Ok(body.end())
}
