//! The rows of `provider_accounts`: what the operator does with them, and what the gateway reads. Each change raises the catalogue's version, so that the next call reads anew whom it goes through.

use serde_json::json;

use super::Credential;
use crate::accounts::id;
use crate::audit::{Change, ChangeBatch, Entry};
use crate::catalogue::{is_operator, raise_version};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, ProviderAccountId};
use crate::line::line;
use crate::sealing::Sealed;

const MAX_NAME_CHARS: usize = 80;

/// A provider account to add. Its credential is sealed for its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProviderAccount {
    id: ProviderAccountId,
    provider: &'static str,
    name: String,
    sealed: Sealed,
    hint: String,
}

/// A provider account as a page shows it: without its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderAccountLine {
    /// Its id.
    pub id: ProviderAccountId,
    /// The provider's name.
    pub provider: String,
    /// What people call it.
    pub name: String,
    /// The last characters of the credential.
    pub hint: String,
    /// Whether calls may go through it.
    pub enabled: bool,
    /// Whether calls go through it now: it is the oldest of its provider that is enabled.
    pub in_use: bool,
    /// The id of the sealing key that its credential is encrypted under.
    pub sealing_key: String,
    /// When it was last tested, in Unix milliseconds.
    pub tested_at_ms: Option<i64>,
    /// What came of it, as `TestResult` writes it.
    pub test_result: Option<String>,
    /// Since when it exists, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// A provider account and its sealed credential, for the Worker that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// Its id.
    pub id: ProviderAccountId,
    /// Its credential, encrypted.
    pub sealed: Sealed,
}

/// Another sealed credential for an account: the same one under a newer sealing key, or a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement<'a> {
    /// What is there: if it is something else by now, nothing changes.
    pub old: &'a Sealed,
    /// What is to be there.
    pub new: &'a Sealed,
    /// The hint of a new credential; `None`: it is the same one.
    pub hint: Option<&'a str>,
}

impl NewProviderAccount {
    /// An account at OpenRouter; `None` when the name is no line of at most 80 characters.
    #[must_use]
    pub fn new(
        id: ProviderAccountId,
        name: &str,
        (credential, sealed): (&Credential, Sealed),
    ) -> Option<Self> {
        Some(Self {
            id,
            provider: "openrouter",
            name: line(name, MAX_NAME_CHARS)?.to_owned(),
            sealed,
            hint: credential.hint().to_owned(),
        })
    }

    /// Whether an account that is there is this one, as far as can be told without opening what is sealed.
    #[must_use]
    pub fn is(&self, line: &ProviderAccountLine) -> bool {
        (&self.id, &self.name, &self.hint) == (&line.id, &line.name, &line.hint)
    }

    /// Adds it, enabled. `Refused`: one was added before under this id.
    #[must_use]
    pub fn to_batch(&self, operator: &AccountId, change: &Change) -> ChangeBatch {
        let insert = Statement::new(
            "INSERT INTO provider_accounts (id, provider, name, sealed, sealing_key, hint, \
             created_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
        )
        .bind(self.id.as_str())
        .bind(self.provider)
        .bind(self.name.as_str())
        .bind(self.sealed.bytes.as_slice())
        .bind(self.sealed.key.as_str())
        .bind(self.hint.as_str())
        .bind(change.at_ms);
        let entry = change.of(Entry {
            action: "provider_account.create",
            table: "provider_accounts",
            subject: self.id.as_str(),
            before: "'{}'",
            after: json!({
                "provider": self.provider,
                "name": self.name,
                "hint": self.hint,
                "sealing_key": self.sealed.key,
            })
            .to_string(),
        });
        ChangeBatch::new(&is_operator(operator), [insert, entry, raise_version()])
    }
}

/// Lets calls go through an account, or no longer. `Refused`: it is so already, or there is no such
/// account.
#[must_use]
pub fn switch_provider_account(
    operator: &AccountId,
    (account, enabled): (&ProviderAccountId, bool),
    change: &Change,
) -> ChangeBatch {
    let entry = change.of(Entry {
        action: "provider_account.switch",
        table: "provider_accounts",
        subject: account.as_str(),
        before: "json_object('enabled', r.enabled)",
        after: json!({ "enabled": i64::from(enabled) }).to_string(),
    });
    let update =
        Statement::new("UPDATE provider_accounts SET enabled = ?2 WHERE id = ?1 AND enabled <> ?2")
            .bind(account.as_str())
            .bind(enabled);
    ChangeBatch::new(&is_operator(operator), [entry, update, raise_version()])
}

/// Forgets an account that is switched off, and its credential. Calls that were made through it and wait
/// for the provider's record keep their estimates. `Refused`: it is on, or there is no such account.
#[must_use]
pub fn remove_provider_account(
    operator: &AccountId,
    account: &ProviderAccountId,
    change: &Change,
) -> ChangeBatch {
    let entry = change.of(Entry {
        action: "provider_account.remove",
        table: "provider_accounts",
        subject: account.as_str(),
        before: "json_object('provider', r.provider, 'name', r.name, 'hint', r.hint)",
        after: "{}".to_owned(),
    });
    let delete = Statement::new("DELETE FROM provider_accounts WHERE id = ?1 AND enabled = 0")
        .bind(account.as_str());
    ChangeBatch::new(&is_operator(operator), [entry, delete, raise_version()])
}

impl Replacement<'_> {
    /// Replaces what is sealed. `Refused`: something else is there by now, or no such account.
    #[must_use]
    pub fn to_batch(
        &self,
        operator: &AccountId,
        account: &ProviderAccountId,
        change: &Change,
    ) -> ChangeBatch {
        let mut after = json!({ "sealing_key": self.new.key });
        if let (Some(hint), Some(after)) = (self.hint, after.as_object_mut()) {
            after.insert("hint".to_owned(), json!(hint));
        }
        let entry = change.of(Entry {
            action: if self.hint.is_some() {
                "provider_account.credential"
            } else {
                "provider_account.reseal"
            },
            table: "provider_accounts",
            subject: account.as_str(),
            before: "json_object('sealing_key', r.sealing_key, 'hint', r.hint)",
            after: after.to_string(),
        });
        let update = Statement::new(
            "UPDATE provider_accounts SET sealed = ?3, sealing_key = ?4, hint = coalesce(?5, hint), \
             tested_at_ms = CASE WHEN ?5 IS NULL THEN tested_at_ms END, \
             test_result = CASE WHEN ?5 IS NULL THEN test_result END WHERE id = ?1 AND sealed = ?2",
        )
        .bind(account.as_str())
        .bind(self.old.bytes.as_slice())
        .bind(self.new.bytes.as_slice())
        .bind(self.new.key.as_str())
        .bind(self.hint);
        ChangeBatch::new(&is_operator(operator), [entry, update, raise_version()])
    }
}

/// Of the enabled accounts of a provider, calls go through the oldest.
const IN_USE: &str = "\
SELECT u.id FROM provider_accounts u WHERE u.provider = a.provider AND u.enabled = 1
  ORDER BY u.created_at_ms, u.id LIMIT 1";

/// Reads every provider account, for the operator, the oldest first.
#[must_use]
pub fn provider_accounts_statement(operator: &AccountId) -> Statement {
    Statement::new(format!(
        "SELECT a.id, a.provider, a.name, a.hint, a.enabled, coalesce(a.id = ({IN_USE}), 0), \
         a.sealing_key, a.tested_at_ms, a.test_result, a.created_at_ms FROM provider_accounts a \
         JOIN accounts o ON o.id = ?1 AND o.kind = 'operator' ORDER BY a.created_at_ms, a.id"
    ))
    .bind(operator.as_str())
}

/// Reads a row of them.
pub fn read_provider_account_line(row: &Row) -> Result<ProviderAccountLine, HranaFault> {
    Ok(ProviderAccountLine {
        id: id(row, 0, ProviderAccountId::parse)?,
        provider: row.get(1)?,
        name: row.get(2)?,
        hint: row.get(3)?,
        enabled: row.get(4)?,
        in_use: row.get(5)?,
        sealing_key: row.get(6)?,
        tested_at_ms: row.get(7)?,
        test_result: row.get(8)?,
        created_at_ms: row.get(9)?,
    })
}

/// Reads a provider account with its sealed credential for the operator, who tests it or seals it anew.
/// Nothing of it is for a page.
#[must_use]
pub fn operators_account_statement(operator: &AccountId, account: &ProviderAccountId) -> Statement {
    Statement::new(
        "SELECT a.id, a.sealing_key, a.sealed FROM provider_accounts a \
         JOIN accounts o ON o.id = ?2 AND o.kind = 'operator' WHERE a.id = ?1",
    )
    .bind(account.as_str())
    .bind(operator.as_str())
}

/// Reads a provider account, whether or not it is enabled: to ask about a call that was made through it.
#[must_use]
pub fn stored_account_statement(account: &ProviderAccountId) -> Statement {
    Statement::new("SELECT id, sealing_key, sealed FROM provider_accounts WHERE id = ?1")
        .bind(account.as_str())
}

/// Reads through which account a call of this model goes. No row: its provider has none that is enabled,
/// and the Worker's own setting holds.
#[must_use]
pub fn call_account_statement(slug: &str) -> Statement {
    Statement::new(format!(
        "SELECT a.id, a.sealing_key, a.sealed FROM models m JOIN provider_accounts a \
         ON a.provider = m.provider AND a.id = ({IN_USE}) WHERE m.slug = ?1"
    ))
    .bind(slug)
}

/// Reads the row of any of the three statements.
pub fn read_stored_account(row: &Row) -> Result<StoredAccount, HranaFault> {
    Ok(StoredAccount {
        id: id(row, 0, ProviderAccountId::parse)?,
        sealed: Sealed {
            key: row.get(1)?,
            bytes: row.get(2)?,
        },
    })
}
