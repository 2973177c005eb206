//! The gateway's deployment as `wrangler.toml` describes it: the one source for production and for
//! the local runtime. A setting that the local runtime would ignore is refused, not skipped.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::failure::{Failure, OrFail};
use crate::repo::{path, read};

/// What of `wrangler.toml` concerns running the gateway.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrangler {
    /// The entry module, such as `build/index.js`.
    pub main: String,
    /// The runtime behaves as on this day.
    pub compatibility_date: String,
    /// Behaviours that are switched on or off besides.
    #[serde(default)]
    pub compatibility_flags: Vec<String>,
    /// Settings that are not secret.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
    #[serde(default)]
    secrets: Secrets,
    #[serde(default)]
    triggers: Triggers,

    // These matter to a deployment only.
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "build")]
    _build: Option<toml::Table>,
    #[serde(rename = "observability")]
    _observability: Option<toml::Table>,
    #[serde(rename = "placement")]
    _placement: Option<toml::Table>,
    #[serde(rename = "limits")]
    _limits: Option<toml::Table>,
    #[serde(rename = "routes")]
    _routes: Option<toml::Value>,
    #[serde(rename = "workers_dev")]
    _workers_dev: Option<bool>,
    #[serde(rename = "preview_urls")]
    _preview_urls: Option<bool>,
    #[serde(rename = "keep_vars")]
    _keep_vars: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    #[serde(default)]
    required: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    crons: Vec<String>,
}

impl Wrangler {
    /// Reads the repository's `wrangler.toml`.
    ///
    /// # Errors
    /// When it is not there, or has a setting that is not known here.
    pub fn read() -> Result<Self, Failure> {
        toml::from_str(&read(&path("wrangler.toml"))?).or_fail(|| "`wrangler.toml`".to_owned())
    }

    /// When the `scheduled` handler runs.
    pub fn crons(&self) -> &[String] {
        &self.triggers.crons
    }

    /// The values of all variables and secrets: those of the file, `over` before them.
    ///
    /// # Errors
    /// When a secret has no value.
    pub fn values(
        &self,
        over: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let mut values = self.vars.clone();
        values.extend(
            over.iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        match self
            .secrets
            .required
            .iter()
            .find(|name| !values.contains_key(*name))
        {
            Some(name) => Err(Failure::new(format!("the secret `{name}` has no value"))
                .hint(format!("set `{name}=…` in `.dev.vars`"))),
            None => Ok(values),
        }
    }
}
