//! The people of the dashboard: who they are, what they may see, how they come and go. How they prove
//! who they are is in `sign_in`.

mod close;
mod create;
mod email;
mod profile;
mod read;

use crate::accounts::AccountKind;

pub use close::{close_account, unpaid_orders_statement};
pub use create::{NewPerson, NewReseller};
pub use email::EmailAddress;
pub use profile::{LanguageTag, PersonName, Profile, TimeZoneName, unlink_github};
pub use read::{Person, people_statement, person_by_email_statement, read_person};

/// What a person may see and do: it follows from the kind of the person's account, which never
/// changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Buys credit, holds keys.
    EndUser,
    /// Sets prices for the customers below its account.
    Reseller,
    /// Runs the installation.
    Operator,
}

impl Role {
    /// The role of an account's people.
    #[must_use]
    pub const fn of(kind: AccountKind) -> Self {
        match kind {
            AccountKind::Customer => Self::EndUser,
            AccountKind::Reseller => Self::Reseller,
            AccountKind::Operator => Self::Operator,
        }
    }
}
