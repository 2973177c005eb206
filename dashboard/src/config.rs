//! The dashboard's settings: variables and secrets of its Worker. README lists them.

use tollgate_edge::setting::{SettingFault, base_url, given, number, text};
use worker::Env;

/// What the operator set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where Turso answers.
    pub turso_url: String,
    /// Turso's token.
    pub turso_token: String,
    /// The gateway's address, as people paste it.
    pub gateway_url: String,
    /// Where Stripe's API is.
    pub stripe_base_url: String,
    /// The origins of the pages that Stripe shows, with spaces between them.
    pub stripe_page_origins: String,
    /// Stripe's secret key.
    pub stripe_secret_key: String,
    /// The secrets of Stripe's webhook, with commas between them: the new and the old one while they
    /// are rotated.
    pub stripe_webhook_secrets: String,
    /// Whether Stripe works out the taxes that are part of the price.
    pub stripe_automatic_tax: bool,
    /// What the operator keeps of a reseller's receipts, in hundredths of a percent.
    pub payment_fee_bps: i64,
    /// What it keeps of each besides, in cents.
    pub payment_fee_cents: i64,
    /// The OAuth application's id at GitHub; `None`: no sign-in with GitHub.
    pub github_client_id: Option<String>,
    /// The OAuth application's secret.
    pub github_client_secret: Option<String>,
    /// Where GitHub's pages are.
    pub github_base_url: String,
    /// Where GitHub's API is.
    pub github_api_url: String,
    /// Where Resend's API is.
    pub resend_base_url: String,
    /// Resend's key.
    pub resend_api_key: String,
    /// The sender of our e-mail, such as `Shop <no-reply@shop.example>`.
    pub mail_from: String,
    /// The keys that seal what the database keeps of secrets.
    pub sealing_keys: String,
    /// Where the provider is whose credentials the operator can test.
    pub openrouter_base_url: String,
}

impl Config {
    /// Reads the settings of this Worker.
    pub fn from_env(env: &Env) -> Result<Self, SettingFault> {
        Ok(Self {
            turso_url: text(env, "TURSO_URL")?,
            turso_token: text(env, "TURSO_AUTH_TOKEN")?,
            gateway_url: base_url(env, "GATEWAY_URL")?,
            stripe_base_url: base_url(env, "STRIPE_BASE_URL")?,
            stripe_page_origins: text(env, "STRIPE_PAGE_ORIGINS")?,
            stripe_secret_key: text(env, "STRIPE_SECRET_KEY")?,
            stripe_webhook_secrets: text(env, "STRIPE_WEBHOOK_SECRETS")?,
            stripe_automatic_tax: given(env, "STRIPE_AUTOMATIC_TAX").is_some(),
            payment_fee_bps: number(env, "PAYMENT_FEE_BPS")?,
            payment_fee_cents: number(env, "PAYMENT_FEE_CENTS")?,
            github_client_id: given(env, "GITHUB_CLIENT_ID"),
            github_client_secret: given(env, "GITHUB_CLIENT_SECRET"),
            github_base_url: base_url(env, "GITHUB_BASE_URL")?,
            github_api_url: base_url(env, "GITHUB_API_URL")?,
            resend_base_url: base_url(env, "RESEND_BASE_URL")?,
            resend_api_key: text(env, "RESEND_API_KEY")?,
            mail_from: text(env, "MAIL_FROM")?,
            sealing_keys: text(env, "SEALING_KEYS")?,
            openrouter_base_url: base_url(env, "OPENROUTER_BASE_URL")?,
        })
    }
}
