//! One setting of a Worker: a variable or a secret of its environment. Which settings there are is said
//! by each Worker's `config`.

use thiserror::Error;
use worker::Env;

/// A setting that is missing or unreadable.
#[derive(Debug, Error)]
pub enum SettingFault {
    /// It is not set.
    #[error("the setting `{0}` is missing")]
    Missing(&'static str),
    /// It is not a whole number.
    #[error("the setting `{0}` is not a whole number")]
    NotANumber(&'static str),
}

/// The setting of that name, which may be empty.
///
/// # Errors
/// When it is not set.
pub fn text(env: &Env, name: &'static str) -> Result<String, SettingFault> {
    // Variables and secrets are both plain strings of the environment.
    env.var(name)
        .map(|value| value.to_string())
        .map_err(|_| SettingFault::Missing(name))
}

/// The setting of that name, if it is set and not empty.
#[must_use]
pub fn given(env: &Env, name: &'static str) -> Option<String> {
    text(env, name).ok().filter(|value| !value.is_empty())
}

/// A whole number.
///
/// # Errors
/// When it is not set, or is no whole number.
pub fn number(env: &Env, name: &'static str) -> Result<i64, SettingFault> {
    text(env, name)?
        .parse()
        .map_err(|_| SettingFault::NotANumber(name))
}

/// An address that paths are put behind, without the slashes at its end.
///
/// # Errors
/// When it is not set.
pub fn base_url(env: &Env, name: &'static str) -> Result<String, SettingFault> {
    text(env, name).map(|url| url.trim_end_matches('/').to_owned())
}
