//! Through which of the operator's accounts at a provider a call goes, and its credential. The database
//! keeps credentials sealed, and this is where they are opened; nothing here is ever logged. While it has
//! no account that is enabled, the one in the settings serves.

use std::collections::HashMap;
use std::rc::Rc;

use thiserror::Error;
use tollgate_core::hrana::{Batch, HranaFault, Row};
use tollgate_core::ids::ProviderAccountId;
use tollgate_core::providers::{Credential, read_stored_account, stored_account_statement};
use tollgate_core::sealing::SealingKeys;
use tollgate_edge::turso::DatabaseFault;

use crate::config::Config;
use crate::gateway::Gateway;
use crate::log;

/// One of the operator's accounts at a provider.
#[derive(Debug)]
pub struct ProviderAccount {
    /// Its id; `None`: it is the one in the settings.
    pub id: Option<ProviderAccountId>,
    /// What the provider knows it by.
    pub credential: Credential,
}

/// Accounts that a request or run has opened.
pub type Opened = HashMap<ProviderAccountId, Rc<ProviderAccount>>;

/// Why there is no credential.
#[derive(Debug, Error)]
pub enum CredentialFault {
    /// The setting is not a list of keys.
    #[error("the setting `SEALING_KEYS` is not `id:base64` with commas between")]
    Keys,
    /// It was sealed under a key that is not in the setting.
    #[error("none of `SEALING_KEYS` opens the credential of `{0}`")]
    Sealed(ProviderAccountId),
    /// There is no such account.
    #[error("the account `{0}` is not there any more")]
    Gone(ProviderAccountId),
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] DatabaseFault),
    /// The row cannot be read.
    #[error(transparent)]
    Row(#[from] HranaFault),
}

impl ProviderAccount {
    /// The account in the settings.
    pub fn of_settings(config: &Config) -> Self {
        Self {
            id: None,
            credential: Credential::from_setting(config.openrouter_api_key.clone()),
        }
    }

    /// The account of what a statement selected; without a row the one in the settings.
    pub fn of_rows(config: &Config, rows: &[Row]) -> Result<Self, CredentialFault> {
        let Some(row) = rows.first() else {
            return Ok(Self::of_settings(config));
        };
        let stored = read_stored_account(row)?;
        let keys = SealingKeys::parse(&config.sealing_keys).map_err(|_| CredentialFault::Keys)?;
        let credential = Credential::open(&keys, &stored.id, &stored.sealed.bytes);
        Ok(Self {
            credential: credential.ok_or_else(|| CredentialFault::Sealed(stored.id.clone()))?,
            id: Some(stored.id),
        })
    }
}

/// The account through which a call went that was made earlier, perhaps by another Worker. `None`: it
/// cannot be had, which the log tells.
pub async fn of_earlier_call(
    gateway: &Gateway,
    account: Option<&ProviderAccountId>,
) -> Option<Rc<ProviderAccount>> {
    let Some(id) = account else {
        return Some(Rc::new(ProviderAccount::of_settings(&gateway.config)));
    };
    if let Some(known) = gateway.opened.borrow().get(id) {
        return Some(known.clone());
    }
    let account = read(gateway, id)
        .await
        .map_err(|fault| log::fault(gateway, "credentials", &fault))
        .ok()?;
    let account = Rc::new(account);
    let mut opened = gateway.opened.borrow_mut();
    opened.insert(id.clone(), account.clone());
    Some(account)
}

async fn read(
    gateway: &Gateway,
    id: &ProviderAccountId,
) -> Result<ProviderAccount, CredentialFault> {
    let mut batch = Batch::new();
    let step = batch.step(None, stored_account_statement(id));
    let reply = gateway.database.execute(&batch).await?;
    if !reply.is_ok(step) {
        return Err(HranaFault::Malformed.into());
    }
    let rows = reply.rows(step);
    if rows.is_empty() {
        return Err(CredentialFault::Gone(id.clone()));
    }
    ProviderAccount::of_rows(&gateway.config, rows)
}
