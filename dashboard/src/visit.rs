//! What one request works with: what was asked, the settings, the database and the moment. Nothing here
//! is shared between requests.

use tollgate_core::hrana::{Batch, Reply};
use tollgate_core::ids::RequestId;
use tollgate_core::sealing::SealingKeys;
use tollgate_edge::clock::{now_ms, random_bytes};
use tollgate_edge::turso::Turso;
use worker::Env;

use crate::asked::Asked;
use crate::config::Config;
use crate::fault::{Fault, Outcome};
use crate::language::Language;

/// One request's surroundings.
#[derive(Debug)]
pub struct Visit {
    /// Names the request in the log and on error pages.
    pub request: RequestId,
    /// When it came, in Unix milliseconds: the one moment at which everything in it happens.
    pub now_ms: i64,
    /// The settings.
    pub config: Config,
    /// The database.
    pub database: Turso,
    /// The runtime's bindings, for calls to other Workers.
    pub env: Env,
    /// What was asked.
    pub asked: Asked,
}

impl Visit {
    /// Begins a request.
    pub fn begin(env: Env, config: Config, asked: Asked) -> Outcome<Self> {
        let now_ms = now_ms();
        let [a, b, c, d] = random_bytes()?;
        Ok(Self {
            request: RequestId::new(now_ms, u32::from_be_bytes([a, b, c, d])),
            now_ms,
            database: Turso::new(&config.turso_url, &config.turso_token),
            config,
            env,
            asked,
        })
    }

    /// What nobody asked for: the surroundings of a scheduled task.
    ///
    /// # Errors
    /// In words for the log, when the settings are not complete or the runtime gives no random bytes.
    pub fn of_nobody(env: Env) -> Result<Self, String> {
        let config = Config::from_env(&env).map_err(|fault| fault.to_string())?;
        Self::begin(env, config, Asked::default()).map_err(|fault| fault.to_string())
    }

    /// Executes a batch that only reads, or one whose repetition changes nothing: once more if the first
    /// reply is lost.
    pub async fn execute(&self, batch: &Batch) -> Outcome<Reply> {
        match self.database.execute(batch).await {
            Ok(reply) => Ok(reply),
            Err(_) => Ok(self.database.execute(batch).await?),
        }
    }

    /// The keys that seal secrets.
    pub fn sealing(&self) -> Outcome<SealingKeys> {
        SealingKeys::parse(&self.config.sealing_keys)
            .map_err(|_| Fault::Bug("`SEALING_KEYS` is not a list of keys"))
    }

    /// What the path has in the place of that name.
    pub fn param(&self, name: &str) -> &str {
        let known = self.asked.params.iter().find(|(known, _)| known == name);
        known.map_or("", |(_, value)| value)
    }

    /// The id in the path; nothing is found at anything else.
    pub fn id<T>(&self, parse: impl Fn(&str) -> Option<T>) -> Outcome<T> {
        parse(self.param("id")).ok_or(Fault::NotFound)
    }

    /// A header; empty if it was not sent.
    pub fn header(&self, name: &str) -> &str {
        let known = self.asked.headers.iter().find(|(known, _)| *known == name);
        known.map_or("", |(_, value)| value)
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut cookies = self.header("cookie").split(';');
        cookies.find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// Whether htmx asks for a part of the page and not the page.
    pub fn wants_part(&self) -> bool {
        self.header("hx-request") == "true" && self.header("hx-boosted") != "true"
    }

    /// The language of those who have not signed in.
    pub const fn language(&self) -> Language {
        Language::English
    }

    /// How long the database took so far, in milliseconds.
    pub const fn database_ms(&self) -> i64 {
        self.database.used().waited_ms
    }
}
