//! One command's dealings with the database: who acts, when, on what. Looks things up with a clear
//! sentence for what is not there.

use std::env;

use tollgate_core::accounts::{
    Account, AccountKind, Commit, Key, Rule, account_statement, key_statement, operator_statement,
    read_account, read_key, read_rule, rule_statement,
};
use tollgate_core::audit::Change;
use tollgate_core::hrana::{HranaFault, Row, Statement};
use tollgate_core::ids::{AccountId, KeyId, RuleId};

use crate::arguments;
use crate::clock::now_ms;
use crate::database::{Database, readable};
use crate::failure::Failure;

/// A database, the person at the terminal and the moment.
#[derive(Debug)]
pub struct Session<'a> {
    /// Where changes are made.
    pub database: &'a Database,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
    actor: String,
}

impl<'a> Session<'a> {
    /// A session of the person who runs the command.
    #[must_use]
    pub fn of_user(database: &'a Database) -> Self {
        let name = |variable| env::var(variable).ok().filter(|name| !name.is_empty());
        let user = name("USER").or_else(|| name("LOGNAME"));
        Self::of(
            database,
            format!("admin:{}", user.as_deref().unwrap_or("unknown")),
        )
    }

    /// A session of this actor.
    #[must_use]
    pub fn of(database: &'a Database, actor: String) -> Self {
        Self {
            database,
            now_ms: now_ms(),
            actor,
        }
    }

    /// A change that enters the log of this account.
    #[must_use]
    pub fn change(&self, account: &AccountId) -> Change {
        Change {
            account: account.clone(),
            actor: self.actor.clone(),
            at_ms: self.now_ms,
        }
    }

    /// Makes a change.
    ///
    /// # Errors
    /// When the database refuses it: then nothing was changed.
    pub fn commit(&self, commit: &Commit) -> Result<(), Failure> {
        if self.database.commit(commit)? {
            return Ok(());
        }
        Err(
            Failure::new("the database refused the change; nothing was changed").hint(
                "somebody else may have changed the same thing just now: look, and try again",
            ),
        )
    }

    /// Reads rows of one kind.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn list<T>(
        &self,
        statement: Statement,
        read: fn(&Row) -> Result<T, HranaFault>,
    ) -> Result<Vec<T>, Failure> {
        readable(self.database.read(statement)?.iter().map(read).collect())
    }

    /// The operator, if there is one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_operator(&self) -> Result<Option<Account>, Failure> {
        Ok(self.list(operator_statement(), read_account)?.pop())
    }

    /// The operator.
    ///
    /// # Errors
    /// When there is none yet.
    pub fn operator(&self) -> Result<Account, Failure> {
        self.find_operator()?.ok_or_else(|| {
            Failure::new("there is no operator yet")
                .hint("create it with `cargo xtask admin operator create --name NAME`")
        })
    }

    /// An account.
    ///
    /// # Errors
    /// When there is none of this id.
    pub fn account(&self, id: &AccountId) -> Result<Account, Failure> {
        let found = self.list(account_statement(id), read_account)?.pop();
        found.ok_or_else(|| {
            Failure::new(format!("there is no account `{id}`"))
                .hint("`cargo xtask admin account list` shows the accounts")
        })
    }

    /// The account to which a list is narrowed, if one was typed.
    ///
    /// # Errors
    /// When the text is no id, or there is no account of it.
    pub fn only_account(&self, text: Option<&str>) -> Result<Option<AccountId>, Failure> {
        let id = text.map(arguments::account).transpose()?;
        if let Some(id) = &id {
            self.account(id)?;
        }
        Ok(id)
    }

    /// An account that is charged for calls, which the operator is not.
    ///
    /// # Errors
    /// When there is none of this id, or it is the operator.
    pub fn charged_account(&self, id: &AccountId) -> Result<Account, Failure> {
        let account = self.account(id)?;
        if account.kind == AccountKind::Operator {
            return Err(Failure::new(format!(
                "`{id}` is the operator, which nobody charges: it has no credit, keys or limits"
            ))
            .hint("name a reseller or a customer"));
        }
        Ok(account)
    }

    /// An account that has accounts below it, and so sets prices.
    ///
    /// # Errors
    /// When there is none of this id, or it is a customer.
    pub fn parent_account(&self, id: &AccountId) -> Result<Account, Failure> {
        let account = self.account(id)?;
        if account.kind == AccountKind::Customer {
            return Err(Failure::new(format!(
                "`{id}` is a customer: it has no accounts below it and sets no prices"
            ))
            .hint("name the operator or a reseller"));
        }
        Ok(account)
    }

    /// A key.
    ///
    /// # Errors
    /// When there is none of this id.
    pub fn key(&self, id: &KeyId) -> Result<Key, Failure> {
        let found = self.list(key_statement(id), read_key)?.pop();
        found.ok_or_else(|| {
            Failure::new(format!("there is no key `{id}`"))
                .hint("`cargo xtask admin key list --account ACC` shows an account's keys")
        })
    }

    /// A price rule.
    ///
    /// # Errors
    /// When there is none of this id.
    pub fn rule(&self, id: &RuleId) -> Result<Rule, Failure> {
        let found = self.list(rule_statement(id), read_rule)?.pop();
        found.ok_or_else(|| {
            Failure::new(format!("there is no price rule `{id}`"))
                .hint("`cargo xtask admin rule list --account OWNER` shows an account's rules")
        })
    }
}
