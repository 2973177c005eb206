//! Who calls, and `GET /key` and `GET /credits`: the operator's own figures at OpenRouter. The
//! simulated operator bought $1,000 and has used what the record says.

use serde::Serialize;

use super::pricing::Usd;

const BOUGHT: Usd = Usd(1_000_000_000_000_000);

/// Why a credential is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is none.
    Missing,
    /// It is the key `invalid`.
    Unknown,
}

impl Refused {
    /// OpenRouter's words for it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Missing => "No auth credentials found",
            Self::Unknown => "User not found.",
        }
    }
}

/// Accepts any bearer key but `invalid`.
pub fn authenticate(authorization: Option<&str>) -> Result<&str, Refused> {
    let key = authorization
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::trim);
    match key {
        None | Some("") => Err(Refused::Missing),
        Some("invalid") => Err(Refused::Unknown),
        Some(key) => Ok(key),
    }
}

/// A secret reduced to its last four characters, and to nothing when it has no more than eight.
#[must_use]
pub fn masked(secret: &str) -> String {
    let length = secret.chars().count();
    let shown = if length > 8 { 4 } else { 0 };
    format!(
        "…{}",
        secret.chars().skip(length - shown).collect::<String>()
    )
}

#[derive(Serialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Serialize)]
struct Credits {
    total_credits: Usd,
    total_usage: Usd,
}

#[derive(Serialize)]
struct RateLimit {
    requests: i64,
    interval: &'static str,
    note: &'static str,
}

#[derive(Serialize)]
struct Key {
    label: String,
    limit: Option<Usd>,
    limit_remaining: Option<Usd>,
    limit_reset: Option<&'static str>,
    usage: Usd,
    usage_daily: Usd,
    usage_weekly: Usd,
    usage_monthly: Usd,
    byok_usage: Usd,
    byok_usage_daily: Usd,
    byok_usage_weekly: Usd,
    byok_usage_monthly: Usd,
    include_byok_in_limit: bool,
    is_free_tier: bool,
    is_management_key: bool,
    is_provisioning_key: bool,
    creator_user_id: &'static str,
    expires_at: Option<&'static str>,
    rate_limit: RateLimit,
}

/// The JSON of `GET /credits`.
#[must_use]
pub fn credits(used_picos: i128) -> Vec<u8> {
    json(Credits {
        total_credits: BOUGHT,
        total_usage: Usd(used_picos),
    })
}

/// The JSON of `GET /key` for `key`.
#[must_use]
pub fn key(key: &str, used_picos: i128) -> Vec<u8> {
    let (used, none) = (Usd(used_picos), Usd(0));
    json(Key {
        label: masked(key),
        limit: None,
        limit_remaining: None,
        limit_reset: None,
        usage: used,
        usage_daily: used,
        usage_weekly: used,
        usage_monthly: used,
        byok_usage: none,
        byok_usage_daily: none,
        byok_usage_weekly: none,
        byok_usage_monthly: none,
        include_byok_in_limit: false,
        is_free_tier: false,
        is_management_key: false,
        is_provisioning_key: false,
        creator_user_id: "user_2SimOperator",
        expires_at: None,
        rate_limit: RateLimit {
            requests: -1,
            interval: "10s",
            note: "This field is deprecated and safe to ignore.",
        },
    })
}

fn json(data: impl Serialize) -> Vec<u8> {
    serde_json::to_vec(&Envelope { data }).unwrap_or_default()
}
