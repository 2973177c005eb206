//! `GET models`: what the caller can use, in OpenRouter's shape, at the caller's own prices.

use std::rc::Rc;

use tollgate_core::call::public_models;
use tollgate_core::error::ErrorCode;
use worker::{Request, Response};

use crate::authenticate::authenticate;
use crate::facts;
use crate::gateway::Gateway;
use crate::respond::{self, Refused};

/// Answers `GET models`.
pub async fn answer(gateway: &Rc<Gateway>, request: &Request) -> Result<Response, Refused> {
    let hash = authenticate(request.headers())?;
    let (caller, models) = facts::read_all(gateway, &hash).await?;
    let body = public_models(&caller, &models, gateway.started_ms);
    respond::json(gateway, body, &Vec::new()).map_err(|_| Refused::from(ErrorCode::Internal))
}
