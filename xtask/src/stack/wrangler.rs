//! A Worker's deployment as its `wrangler.toml` describes it: the one source for production and for the
//! local runtime. A setting that the local runtime would ignore is refused, not skipped.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::build::Worker;
use crate::failure::{Failure, OrFail};
use crate::repo::read;

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
    /// Other Workers that it calls.
    #[serde(default)]
    pub services: Vec<ServiceBinding>,
    /// Its name in production.
    pub name: String,

    // These matter to a deployment only.
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

/// Another Worker that a Worker calls.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceBinding {
    /// What its code calls it.
    pub binding: String,
    /// The other's name in production.
    pub service: String,
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
    /// Reads the `wrangler.toml` of a Worker.
    ///
    /// # Errors
    /// When it is not there, or has a setting that is not known here.
    pub fn read(worker: Worker) -> Result<Self, Failure> {
        let file = worker.dir().join("wrangler.toml");
        toml::from_str(&read(&file)?).or_fail(|| format!("`{}`", file.display()))
    }

    /// When the `scheduled` handler runs.
    pub fn crons(&self) -> &[String] {
        &self.triggers.crons
    }

    /// The values of all variables and secrets: those of the file, `over` before them. What of `over` is
    /// a setting of another Worker's and not of this one stays away.
    ///
    /// # Errors
    /// When a secret has no value.
    pub fn values<'a>(
        &self,
        over: &BTreeMap<String, String>,
        others: impl Iterator<Item = &'a Self>,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let others: Vec<&Self> = others.collect();
        let is_foreign =
            |name: &str| !self.knows(name) && others.iter().any(|other| other.knows(name));
        let mut values = self.vars.clone();
        let given = over.iter().filter(|(name, _)| !is_foreign(name));
        values.extend(given.map(|(name, value)| (name.clone(), value.clone())));
        let mut required = self.secrets.required.iter();
        match required.find(|name| !values.contains_key(*name)) {
            Some(name) => Err(Failure::new(format!("the secret `{name}` has no value"))
                .hint(format!("set `{name}=…` in `.dev.vars`"))),
            None => Ok(values),
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.vars.contains_key(name) || self.secrets.required.iter().any(|known| known == name)
    }
}
