//! The caller's key: `GET key`.

use crate::budget::{Period, Purse, WirePurse, purse_sql};
use crate::calendar::{Periods, rfc3339};
use crate::error::{ApiError, ErrorCode};
use crate::hrana::{HranaFault, Row, Statement};
use crate::json::ObjectWriter;
use crate::key::KeyHash;
use crate::money::Nanos;

const KEY: &str = "\
SELECT k.revoked_at_ms, k.expires_at_ms, k.prefix, k.name, k.charged_nanos,
  k.charged_day, k.charged_day_nanos, k.charged_week, k.charged_week_nanos,
  k.charged_month, k.charged_month_nanos,
  coalesce(k.requests_per_minute, a.requests_per_minute),
  coalesce(k.requests_per_hour, a.requests_per_hour),
  coalesce(k.requests_per_day, a.requests_per_day),
  coalesce(k.tokens_per_minute, a.tokens_per_minute),
  coalesce(k.parallel_calls, a.parallel_calls),
  coalesce(k.max_tokens, a.max_tokens),
  coalesce(k.allowed_models, a.allowed_models), {purse}
FROM keys k JOIN accounts a ON a.id = k.account_id WHERE k.hash = ?1";

const LIMITS: [&str; 6] = [
    "requests_per_minute",
    "requests_per_hour",
    "requests_per_day",
    "tokens_per_minute",
    "parallel_calls",
    "max_tokens",
];

/// Reads the key with this hash.
#[must_use]
pub fn key_statement(hash: &KeyHash) -> Statement {
    Statement::new(KEY.replace("{purse}", &purse_sql("k", "budget"))).bind(&hash.0[..])
}

/// The row of `key_statement` if the key may still ask. A suspended account may: it wants to know.
pub fn check_key(rows: &[Row], now_ms: i64) -> Result<&Row, ApiError> {
    let row = rows.first().ok_or(ErrorCode::InvalidApiKey)?;
    let time = |column| {
        row.get::<Option<i64>>(column)
            .map_err(|_| ApiError::new(ErrorCode::DatabaseUnavailable))
    };
    if time(0)?.is_some() {
        return Err(ErrorCode::KeyRevoked.into());
    }
    if time(1)?.is_some_and(|at| at <= now_ms) {
        return Err(ErrorCode::KeyExpired.into());
    }
    Ok(row)
}

/// The answer's body. `limit` is the tightest of the key's budgets at this moment.
pub fn render_key(row: &Row, now_ms: i64) -> Result<String, HranaFault> {
    let usd = |column| {
        row.get::<i64>(column)
            .map(|nanos| Nanos::new(nanos).to_usd())
    };
    let of_period = |period: i64, column: usize| {
        if row.get::<i64>(column)? == period {
            usd(column.saturating_add(1))
        } else {
            Ok("0".to_owned())
        }
    };
    let now = Periods::of(now_ms);
    let mut data = ObjectWriter::new();
    data.string("label", &format!("{}…", row.get::<String>(2)?));
    data.string("name", &row.get::<String>(3)?);
    data.raw("usage", &usd(4)?);
    data.raw("usage_daily", &of_period(now.day, 5)?);
    data.raw("usage_weekly", &of_period(now.week, 7)?);
    data.raw("usage_monthly", &of_period(now.month, 9)?);
    render_budget(&mut data, &read_purse(row)?, now_ms);
    data.raw("creator_user_id", "null");
    for name in [
        "byok_usage",
        "byok_usage_daily",
        "byok_usage_weekly",
        "byok_usage_monthly",
    ] {
        data.raw(name, "0");
    }
    let no = [
        "include_byok_in_limit",
        "is_free_tier",
        "is_management_key",
        "is_provisioning_key",
    ];
    for name in no {
        data.raw(name, "false");
    }
    match row.get::<Option<i64>>(1)?.and_then(rfc3339) {
        Some(expires_at) => data.string("expires_at", &expires_at),
        None => data.raw("expires_at", "null"),
    }
    data.raw("limits", &render_limits(row)?);
    data.raw("rate_limit", &render_rate_limit(row)?);
    let mut body = ObjectWriter::new();
    body.raw("data", &data.end());
    Ok(body.end())
}

fn read_purse(row: &Row) -> Result<Purse, HranaFault> {
    let wire: Result<WirePurse, _> = serde_json::from_str(&row.get::<String>(18)?);
    wire.map(Purse::from)
        .map_err(|_| HranaFault::UnexpectedColumn(18))
}

/// OpenRouter's three members, and Tollgate's own with every budget.
fn render_budget(data: &mut ObjectWriter, purse: &Purse, now_ms: i64) {
    let left = |period: Period| purse.left_in(period, now_ms);
    let tightest = Period::ALL
        .into_iter()
        .filter_map(|period| Some((left(period)?, period)))
        .min_by_key(|(left, _)| *left);
    let usd = |amount: Option<Nanos>| amount.map_or("null".to_owned(), Nanos::to_usd);
    let budget = tightest.and_then(|(_, period)| purse.budget.of(period));
    data.raw("limit", &usd(budget));
    let remaining = tightest.map(|(left, _)| left.max(Nanos::ZERO));
    data.raw("limit_remaining", &usd(remaining));
    match tightest.and_then(|(_, period)| reset_word(period)) {
        Some(word) => data.string("limit_reset", word),
        None => data.raw("limit_reset", "null"),
    }
    let mut budgets = ObjectWriter::new();
    for period in Period::ALL {
        budgets.raw(period.as_str(), &usd(purse.budget.of(period)));
    }
    data.raw("budgets", &budgets.end());
}

const fn reset_word(period: Period) -> Option<&'static str> {
    match period {
        Period::Total => None,
        Period::Day => Some("daily"),
        Period::Week => Some("weekly"),
        Period::Month => Some("monthly"),
    }
}

fn render_limits(row: &Row) -> Result<String, HranaFault> {
    let mut limits = ObjectWriter::new();
    for (column, name) in (11..).zip(LIMITS) {
        match row.get::<Option<u64>>(column)? {
            Some(limit) => limits.number(name, limit),
            None => limits.raw(name, "null"),
        }
    }
    // Stored as a JSON array.
    let models = row.get::<Option<String>>(17)?;
    limits.raw("allowed_models", models.as_deref().unwrap_or("null"));
    Ok(limits.end())
}

/// OpenRouter's own form, which it calls deprecated; -1 stands for no limit.
fn render_rate_limit(row: &Row) -> Result<String, HranaFault> {
    let mut rate = ObjectWriter::new();
    let requests = row
        .get::<Option<u64>>(11)?
        .map_or("-1".to_owned(), |limit| limit.to_string());
    rate.raw("requests", &requests);
    rate.string("interval", "1m");
    rate.string("note", "see `limits`");
    Ok(rate.end())
}
