//! Ids of accounts, keys and price rules, and the kinds of accounts. Only their form is read;
//! whether they exist is asked of the database by the commands.

use tollgate_core::accounts::AccountKind;
use tollgate_core::ids::{AccountId, KeyId, RuleId};

use crate::failure::Failure;

/// The kind of an account that can be created below another one.
///
/// # Errors
/// When the text is none of the two.
pub fn kind(text: &str) -> Result<AccountKind, Failure> {
    match AccountKind::parse(text) {
        Some(kind @ (AccountKind::Reseller | AccountKind::Customer)) => Ok(kind),
        Some(AccountKind::Operator) => {
            Err(Failure::new("there is one operator, and nothing above it")
                .hint("create it with `cargo xtask admin operator create --name NAME`"))
        }
        None => Err(Failure::new(format!("`{text}` is no kind of account"))
            .hint("an account is a `reseller` or a `customer`")),
    }
}

/// An account's id.
///
/// # Errors
/// When the text does not have its form.
pub fn account(text: &str) -> Result<AccountId, Failure> {
    AccountId::parse(text).ok_or_else(|| {
        Failure::new(format!("`{text}` is no account"))
            .hint("accounts are called `acc_…`; `cargo xtask admin account list` shows them")
    })
}

/// A key's id.
///
/// # Errors
/// When the text does not have its form.
pub fn key(text: &str) -> Result<KeyId, Failure> {
    if text.starts_with("tg_live_") {
        // The text may be a whole key, which must not end in a log.
        return Err(Failure::new("that is a key, not a key's id").hint(
            "ids are called `key_…`; `cargo xtask admin key list --account ACC` shows them",
        ));
    }
    KeyId::parse(text).ok_or_else(|| {
        Failure::new(format!("`{text}` is no key's id"))
            .hint("ids are called `key_…`; `cargo xtask admin key list --account ACC` shows them")
    })
}

/// A price rule's id.
///
/// # Errors
/// When the text does not have its form.
pub fn rule(text: &str) -> Result<RuleId, Failure> {
    RuleId::parse(text).ok_or_else(|| {
        Failure::new(format!("`{text}` is no price rule"))
            .hint("rules are called `rul_…`; `cargo xtask admin rule list` shows them")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::same;

    #[test]
    fn ids_are_of_the_kind_that_is_asked_for_and_a_key_is_not_repeated() {
        assert!(account("acc_1").is_ok() && key("key_1").is_ok() && rule("rul_1").is_ok());
        same("", kind("reseller"), Ok(AccountKind::Reseller));
        same("", kind("operator"), Err("there is one operator"));
        same("", kind("Customer"), Err("no kind of account"));
        same("", account("key_1"), Err("`key_1` is no account"));
        same("", rule(""), Err("no price rule"));
        same("", key("acc_1"), Err("`acc_1` is no key's id"));
        let secret = "tg_live_secret";
        assert!(!key(secret).unwrap_err().to_string().contains(secret));
    }
}
