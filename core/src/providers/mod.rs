//! The operator's own accounts at providers: their credentials, which are stored encrypted and shown to
//! nobody, and how the operator adds, tests and switches them. Which of them a call goes through is read
//! with the call's facts. Sending anything to a provider belongs to the shells.

mod account;
mod credential;
mod tested;

pub use account::{
    NewProviderAccount, ProviderAccountLine, Replacement, StoredAccount, call_account_statement,
    operators_account_statement, provider_accounts_statement, read_provider_account_line,
    read_stored_account, remove_provider_account, stored_account_statement,
    switch_provider_account,
};
pub use credential::Credential;
pub use tested::{TestResult, record_test};
