//! Who calls: the key in the request's headers. Only its form is checked here; admission reads the
//! key in the transaction that takes the hold.

use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::key::{ApiKey, KeyHash};
use worker::Headers;

/// The hash of the caller's key. A key that was mistyped is refused without touching the database.
pub fn authenticate(headers: &Headers) -> Result<KeyHash, ApiError> {
    let header = headers
        .get("authorization")
        .ok()
        .flatten()
        .unwrap_or_default();
    let (scheme, token) = header.trim().split_once(' ').unwrap_or(("", ""));
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(ErrorCode::MissingKey.into());
    }
    let key = ApiKey::parse(token.trim()).map_err(|_| ApiError::new(ErrorCode::MalformedKey))?;
    Ok(key.hash())
}
