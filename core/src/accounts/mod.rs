//! Accounts, keys, their budgets and price rules: how people change and read them. Every change is one transaction
//! with its audit entry, and raises the version that calls in flight are compared with. The
//! transaction commits exactly when the subject exists and the change is allowed.

mod budgets;
mod change;
mod create;
mod history;
mod key_forms;
mod key_list;
mod key_settings;
mod read;
mod view;

use crate::hrana::{Batch, Statement, StepIndex};
use crate::ids::AccountId;

pub(crate) use budgets::spend_limit_steps;
pub use budgets::{
    BudgetEdit, account_purse_statement, edit_key_budget, edit_spend_limit, key_purse_statement,
    read_purse,
};
pub use change::{
    LimitEdit, edit_account_limits, edit_key_limits, end_rule, revoke_key, set_suspended,
};
pub(crate) use change::{
    account_limits_steps, end_rule_steps, keep_from_thawing, raise_key_versions, suspend_steps,
};
pub use create::{NewAccount, NewKey, NewRule};
pub use history::{
    AuditLine, CallLine, LedgerLine, audit_statement, calls_statement, ledger_statement,
    read_audit_line, read_call_line, read_ledger_line,
};
pub use key_forms::{
    KeyNameError, LONGEST_KEY_NAME, LONGEST_MODEL_PATTERN, MOST_MODEL_PATTERNS, ModelPatternsError,
    key_name, model_patterns,
};
pub use key_list::{
    KeyLine, KeyStatus, MOST_REVOKED_KEYS, key_line_statement, key_list_statements, read_key_line,
};
pub use key_settings::{
    KeyCreated, KeyCreation, KeyCreationBatch, KeyEdit, MOST_LIVE_KEYS, edit_key,
};
pub use read::{
    Account, Key, Rule, account_statement, accounts_statement, ancestors_statement,
    child_statement, key_statement, keys_statement, operator_statement, read_account, read_key,
    read_rule, rule_statement, rules_statement, viewed_account_statement,
};
pub(crate) use read::{id, price_rule};
pub use view::View;

/// A transaction, and the step that tells whether it took place.
pub type Commit = (Batch, StepIndex);

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// The root: owns the provider accounts and the catalogue.
    Operator,
    /// Has customers below it and a wholesale wallet.
    Reseller,
    /// Calls the gateway.
    Customer,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Reseller, Self::Customer];

    /// The word that the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Reseller => "reseller",
            Self::Customer => "customer",
        }
    }
    /// The kind that the database's word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

pub(crate) fn raise_rules_version(account: &AccountId) -> Statement {
    Statement::new("UPDATE accounts SET rules_version = rules_version + 1 WHERE id = ?1")
        .bind(account.as_str())
}

/// One transaction in which every statement must change something.
pub(crate) fn commit<const N: usize>(statements: [Statement; N]) -> Commit {
    commit_with_tail(statements, None)
}

/// The same, with a last statement that may find nothing to change.
pub(crate) fn commit_with_tail<const N: usize>(
    statements: [Statement; N],
    tail: Option<Statement>,
) -> Commit {
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    for statement in statements {
        transaction.then(statement);
        transaction.require_change();
    }
    if let Some(tail) = tail {
        transaction.then(tail);
    }
    let step = transaction.commit();
    (batch, step)
}
