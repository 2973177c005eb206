//! Random ids and keys, from the operating system's generator.

use tollgate_core::ids::{AccountId, KeyId, PersonId, RuleId};
use tollgate_core::key::ApiKey;
use tollgate_core::sign_in::Token;

use crate::failure::{Failure, OrFail};

/// A new account's id.
///
/// # Errors
/// When the system gives no random bytes.
pub fn account_id() -> Result<AccountId, Failure> {
    bytes().map(AccountId::from_random)
}

/// A new key's id.
///
/// # Errors
/// As [`account_id`].
pub fn key_id() -> Result<KeyId, Failure> {
    bytes().map(KeyId::from_random)
}

/// A new price rule's id.
///
/// # Errors
/// As [`account_id`].
pub fn rule_id() -> Result<RuleId, Failure> {
    bytes().map(RuleId::from_random)
}

/// A new person's id.
///
/// # Errors
/// As [`account_id`].
pub fn person_id() -> Result<PersonId, Failure> {
    bytes().map(PersonId::from_random)
}

/// A new token for a one-time link.
///
/// # Errors
/// As [`account_id`].
pub fn token() -> Result<Token, Failure> {
    bytes().map(Token::from_random)
}

/// A new API key.
///
/// # Errors
/// As [`account_id`].
pub fn api_key() -> Result<ApiKey, Failure> {
    bytes().map(ApiKey::from_random)
}

/// 128 random bits as 32 hexadecimal digits, for a reference that nobody chose.
///
/// # Errors
/// As [`account_id`].
pub fn reference() -> Result<String, Failure> {
    let bytes: [u8; 16] = bytes()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).or_fail(|| "the system gives no random bytes".to_owned())?;
    Ok(bytes)
}
