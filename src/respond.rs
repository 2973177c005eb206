//! Responses: JSON and errors with the headers that every answer carries, and CORS, because callers
//! may be browser pages of any origin. No cookie is ever read, so any origin is safe.

use tollgate_core::error::ApiError;
use worker::{Headers, Response, ResponseBuilder, Result};

use crate::gateway::Gateway;

const EXPOSED: &str = "x-request-id, server-timing, retry-after, x-should-retry, \
x-tollgate-charge, x-tollgate-max-tokens, x-tollgate-balance, x-tollgate-held, x-ratelimit-limit-requests, \
x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, \
x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens";

/// Headers besides those of every answer.
pub type Extra = Vec<(&'static str, String)>;

/// A refusal and the headers that go with it.
#[derive(Debug)]
pub struct Refused {
    /// What the caller is told.
    pub error: Box<ApiError>,
    /// Such as how its rate limits stand.
    pub headers: Extra,
    /// Whether the request's log line is, or will be, written by its settlement.
    pub logged: bool,
}

impl<T: Into<ApiError>> From<T> for Refused {
    fn from(error: T) -> Self {
        Self {
            error: Box::new(error.into()),
            headers: Vec::new(),
            logged: false,
        }
    }
}

/// A JSON answer.
pub fn json(gateway: &Gateway, body: String, extra: &Extra) -> Result<Response> {
    let headers = headers(gateway, "application/json", extra)?;
    Ok(ResponseBuilder::new()
        .with_headers(headers)
        .fixed(body.into_bytes()))
}

/// An error in OpenAI's shape.
pub fn error(gateway: &Gateway, refused: &Refused) -> Result<Response> {
    let Refused {
        error,
        headers: extra,
        ..
    } = refused;
    let headers = headers(gateway, "application/json", extra)?;
    if let Some(seconds) = error.retry_after_seconds {
        headers.set("retry-after", &seconds.to_string())?;
    }
    if error.forbids_retry() {
        headers.set("x-should-retry", "false")?;
    }
    let body = error.to_json(&gateway.request().to_string(), &gateway.config.docs_url);
    Ok(ResponseBuilder::new()
        .with_status(error.status())
        .with_headers(headers)
        .fixed(body.into_bytes()))
}

/// The answer to a browser that asks whether it may call.
pub fn preflight() -> Result<Response> {
    let headers = Headers::new();
    headers.set("access-control-allow-origin", "*")?;
    headers.set("access-control-allow-methods", "GET, POST, OPTIONS")?;
    // The star does not cover `authorization`, which must be named.
    headers.set("access-control-allow-headers", "authorization, *")?;
    headers.set("access-control-max-age", "86400")?;
    Ok(ResponseBuilder::new()
        .with_status(204)
        .with_headers(headers)
        .empty())
}

/// The headers of every answer, and `extra`.
pub fn headers(gateway: &Gateway, content_type: &str, extra: &Extra) -> Result<Headers> {
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-request-id", &gateway.request().to_string())?;
    headers.set("access-control-allow-origin", "*")?;
    headers.set("access-control-expose-headers", EXPOSED)?;
    headers.set("server-timing", &gateway.timings.header(gateway.started_ms))?;
    for (name, value) in extra {
        headers.set(name, value)?;
    }
    Ok(headers)
}
