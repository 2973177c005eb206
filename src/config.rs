//! The gateway's settings: variables and secrets of its Worker. README lists them.

use tollgate_edge::setting::{SettingFault, base_url, given, number, text};
use worker::Env;

/// What the operator set.
#[derive(Debug)]
pub struct Config {
    /// Where Turso answers; `libsql://` is read as `https://`.
    pub turso_url: String,
    /// Turso's token.
    pub turso_token: String,
    /// Where OpenRouter's API is.
    pub openrouter_base_url: String,
    /// The operator's own credential at OpenRouter while the database has none that is enabled.
    pub openrouter_api_key: String,
    /// The keys that open the credentials in the database.
    pub sealing_keys: String,
    /// The page that explains the errors; an error's code is appended as `#code`.
    pub docs_url: String,
    /// How long a hold belongs to its Worker without a renewal, in milliseconds.
    pub lease_ms: i64,
    /// How long a lease must be overdue before the sweep takes the hold, in milliseconds.
    pub grace_ms: i64,
    /// How long the provider may take to begin its answer, or to go on with it, in milliseconds.
    pub provider_timeout_ms: i64,
    /// How long the caller may take nothing of its stream, in milliseconds.
    pub reader_timeout_ms: i64,
    /// How long a stream that its caller has left is read on, in milliseconds, where leaving it does
    /// not stop the bill. The runtime ends a Worker's work 30 seconds after its caller left.
    pub drain_ms: i64,
    /// Output tokens that a streamed call without `max_tokens` holds credit for at first; `None`: it
    /// holds its whole bound at once.
    pub first_portion: Option<u64>,
    /// The page that sells credit; told to callers who have none left.
    pub top_up_url: Option<String>,
    /// How long after its caller left a call's work is dropped on the spot, in milliseconds, as the
    /// runtime does in production: only tests set it.
    pub stop_after_leaving_ms: Option<i64>,
    /// How long a call stays in the log after it was counted, in days; zero is for ever.
    pub retention_days: i64,
    /// Whether `/panic-probe` panics: only the test of panic isolation sets it.
    pub panic_probe: bool,
}

impl Config {
    /// Reads the settings of this Worker.
    pub fn from_env(env: &Env) -> Result<Self, SettingFault> {
        Ok(Self {
            turso_url: text(env, "TURSO_URL")?,
            turso_token: text(env, "TURSO_AUTH_TOKEN")?,
            openrouter_base_url: base_url(env, "OPENROUTER_BASE_URL")?,
            openrouter_api_key: text(env, "OPENROUTER_API_KEY")?,
            sealing_keys: text(env, "SEALING_KEYS")?,
            docs_url: text(env, "DOCS_URL")?,
            lease_ms: number(env, "LEASE_MS")?,
            grace_ms: number(env, "GRACE_MS")?,
            provider_timeout_ms: number(env, "PROVIDER_TIMEOUT_MS")?,
            reader_timeout_ms: number(env, "READER_TIMEOUT_MS")?,
            drain_ms: number(env, "DRAIN_MS")?,
            first_portion: u64::try_from(number(env, "FIRST_PORTION_TOKENS")?)
                .ok()
                .filter(|tokens| *tokens > 0),
            top_up_url: given(env, "TOP_UP_URL"),
            stop_after_leaving_ms: number(env, "STOP_AFTER_LEAVING_MS").ok(),
            retention_days: number(env, "RETENTION_DAYS")?,
            panic_probe: env
                .var("PANIC_PROBE")
                .is_ok_and(|value| value.to_string() == "on"),
        })
    }
}
