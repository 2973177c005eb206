//! Reads a request's body, no more of it than a call may have.

use futures_util::StreamExt;
use tollgate_core::chat::MAX_BODY_BYTES;
use tollgate_core::error::{ApiError, ErrorCode};
use worker::{Headers, Request};

/// The whole body of a JSON request.
pub async fn read_json(request: &mut Request) -> Result<Vec<u8>, ApiError> {
    check_headers(request.headers())?;
    let Ok(mut stream) = request.stream() else {
        return Err(ErrorCode::InvalidJson.into());
    };
    let mut body = Vec::new();
    while let Some(bytes) = stream.next().await {
        let bytes = bytes.map_err(|_| ApiError::new(ErrorCode::InvalidJson))?;
        // Memory of a Worker never shrinks, so the limit holds while reading.
        if body.len() + bytes.len() > MAX_BODY_BYTES {
            return Err(ErrorCode::BodyTooLarge.into());
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
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
