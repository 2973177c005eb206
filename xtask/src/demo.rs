//! The demo of the local stack: an operator, a reseller and a customer of each, so that a fresh stack
//! answers its first call. The keys are shown once by nature: they are kept in the state directory,
//! readable by the owner only, so that a second start can print them again.

mod doors;
mod seed;

use std::fs;

use serde::{Deserialize, Serialize};

use crate::catalogue;
use crate::failure::{Failure, OrFail};
use crate::repo::write_whole;
use crate::stack::Stack;

use doors::open_doors;
pub use seed::seed;

use seed::PER_REQUEST_MODEL;

/// Who lives in the demo. The keys are secrets, and are shown nowhere else.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
pub struct Demo {
    /// The key of a customer of the operator, with $100.
    pub key: String,
    /// That customer.
    pub account_id: String,
    /// The key of a customer of the operator, with $1.00 and no limits.
    pub low_balance_key: String,
    /// A key of the first customer that was revoked.
    pub revoked_key: String,
    /// The reseller, with a wholesale wallet of $1,000.
    pub reseller_id: String,
    /// The key of a customer of the reseller, with $50.
    pub reseller_customer_key: String,
    /// That customer.
    pub reseller_customer_id: String,
    /// The operator.
    pub operator_id: String,
    /// Who signs in for the reseller's customer.
    pub end_user: DemoPerson,
    /// Who signs in for the reseller.
    pub reseller: DemoPerson,
    /// Who signs in for the operator.
    pub operator: DemoPerson,
}

/// Who signs in at the demo's pages.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
pub struct DemoPerson {
    /// The person's id.
    pub person_id: String,
    /// The address that codes are sent to.
    pub email: String,
    /// A one-time link, made anew at every start.
    pub sign_in_url: String,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo")
            .field("operator_id", &self.operator_id)
            .finish_non_exhaustive()
    }
}

impl Demo {
    /// What a person needs to know to use it, in lines; the keys are in it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self {
            key,
            account_id,
            low_balance_key,
            revoked_key,
            reseller_id,
            reseller_customer_key,
            reseller_customer_id,
            operator_id,
            end_user,
            reseller,
            operator,
        } = self;
        format!(
            "\
operator             {operator_id}
                     charges its cost and 20 %
customer             {account_id}, with $100
  key                {key}
  revoked key        {revoked_key}
another customer     with $1.00: exactly ten calls of `{PER_REQUEST_MODEL}`, which costs $0.01
                     and is charged $0.10, since its rule adds 900 %
  low balance key    {low_balance_key}
reseller             {reseller_id}, with $1,000
                     charges its cost and 25 %
reseller's customer  {reseller_customer_id}, with $50
  key                {reseller_customer_key}

sign in once with these links, or any time with a code, which the mailbox gets
end user             {}
                     {}
reseller             {}
                     {}
operator             {}
                     {}
",
            end_user.email,
            end_user.sign_in_url,
            reseller.email,
            reseller.sign_in_url,
            operator.email,
            operator.sign_in_url,
        )
    }
}

/// The stack's demo, seeded when it is first asked for. None in a database that this stack did not
/// make: there it would be money for whoever reads a log. None, too, when its keys are lost.
///
/// # Errors
/// When the database refuses it, the simulator does not list its models, or the state directory
/// cannot be written.
pub fn of(stack: &Stack) -> Result<Option<Demo>, Failure> {
    if !stack.has_local_database() {
        return Ok(None);
    }
    let file = stack.state_dir().join("demo.json");
    if let Ok(text) = fs::read(&file) {
        let mut demo: Demo =
            serde_json::from_slice(&text).or_fail(|| format!("`{}`", file.display()))?;
        open_doors(stack, &mut demo)?;
        return Ok(Some(demo));
    }
    let simulated = catalogue::fetch(&format!("{}/api/v1/models", stack.simulator_url()))?;
    let mut demo = seed(stack.database(), &[(&simulated, "simulator")])?;
    match &mut demo {
        Some(demo) => {
            open_doors(stack, demo)?;
            let text = serde_json::to_vec(demo).or_fail(|| "the demo keys".to_owned())?;
            write_whole(&file, &text)?;
        }
        None => eprintln!(
            "  note: the database has an operator, but `{}` with the demo's keys is not there; \
             `--fresh` starts anew",
            file.display()
        ),
    }
    Ok(demo)
}
