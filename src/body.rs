//! Reads a request's body, no more of it than a call may have, and no more at a time than an isolate
//! can hold: a checksum proves no account, so a large body is read only for a key that exists.

use std::cell::Cell;
use std::ops::Deref;

use futures_util::StreamExt;
use tollgate_core::chat::MAX_BODY_BYTES;
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::key::KeyHash;
use tollgate_edge::clock::within_ms;
use worker::{Headers, Request};

use crate::facts;
use crate::gateway::Gateway;

/// The most that is read for a key of which only the checksum is known.
const MAX_UNKNOWN_BYTES: usize = 64 * 1024;

/// What all bodies of this isolate together may take; an isolate has 128 MB.
const MAX_HELD_BYTES: usize = 48 * 1024 * 1024;

/// How long a caller may send nothing, in milliseconds.
const PAUSE_MS: i64 = 30_000;

thread_local! {
    static HELD_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// A whole body; while it lives, it counts among those that the isolate holds.
#[derive(Debug, Default)]
pub struct Body(Vec<u8>);

/// The whole body of a JSON request.
pub async fn read_json(
    gateway: &Gateway,
    hash: &KeyHash,
    request: &mut Request,
) -> Result<Body, ApiError> {
    check_headers(request.headers())?;
    let Ok(mut stream) = request.stream() else {
        return Err(ErrorCode::InvalidJson.into());
    };
    let mut body = Body::default();
    let mut is_known = false;
    loop {
        let Some(next) = within_ms(PAUSE_MS, stream.next()).await else {
            return Err(ErrorCode::BodyTimeout.into());
        };
        let Some(bytes) = next else {
            return Ok(body);
        };
        body.take(&bytes.map_err(|_| ApiError::new(ErrorCode::InvalidJson))?)?;
        if body.len() > MAX_UNKNOWN_BYTES && !is_known {
            facts::require_key(gateway, hash).await?;
            is_known = true;
        }
    }
}

impl Body {
    fn take(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        // Memory of a Worker never shrinks, so the limits hold while reading.
        if self.0.len() + bytes.len() > MAX_BODY_BYTES {
            return Err(ErrorCode::BodyTooLarge.into());
        }
        let held = HELD_BYTES.get() + bytes.len();
        if held > MAX_HELD_BYTES {
            return Err(ApiError::new(ErrorCode::GatewayBusy).with_retry_after(1));
        }
        HELD_BYTES.set(held);
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        HELD_BYTES.set(HELD_BYTES.get().saturating_sub(self.0.len()));
    }
}

fn check_headers(headers: &Headers) -> Result<(), ApiError> {
    let header = |name: &str| headers.get(name).ok().flatten().unwrap_or_default();
    let encoding = header("content-encoding");
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Err(ErrorCode::EncodedBody.into());
    }
    let content_type = header("content-type").to_ascii_lowercase();
    if content_type
        .split(';')
        .next()
        .is_none_or(|kind| kind.trim() != "application/json")
    {
        return Err(ErrorCode::UnsupportedMediaType.into());
    }
    if header("content-length")
        .parse()
        .is_ok_and(|length: usize| length > MAX_BODY_BYTES)
    {
        return Err(ErrorCode::BodyTooLarge.into());
    }
    Ok(())
}
