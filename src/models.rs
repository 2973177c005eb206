//! `GET models`: what the caller can use, in OpenRouter's shape, at the caller's own prices.

use std::rc::Rc;

use tollgate_core::call::{
    caller_statements, model_statement, public_models, read_caller, read_model,
};
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::hrana::Batch;
use worker::{Request, Response};

use crate::authenticate::authenticate;
use crate::gateway::Gateway;
use crate::log;
use crate::respond::{self, Refused};

/// Answers `GET models`.
pub async fn answer(gateway: &Rc<Gateway>, request: &Request) -> Result<Response, Refused> {
    let hash = authenticate(request.headers())?;
    let mut batch = Batch::new();
    let [snapshot, rules] = caller_statements(&hash, gateway.started_ms);
    let [snapshot, rules, models] =
        [snapshot, rules, model_statement(None)].map(|statement| batch.step(None, statement));
    let unavailable = |fault: &dyn std::error::Error| {
        log::fault(gateway, "models", fault);
        ApiError::new(ErrorCode::DatabaseUnavailable)
    };
    let reply = gateway
        .database
        .execute(&batch)
        .await
        .map_err(|fault| unavailable(&fault))?;
    if ![snapshot, rules, models]
        .into_iter()
        .all(|step| reply.is_ok(step))
    {
        return Err(ErrorCode::DatabaseUnavailable.into());
    }
    let caller = read_caller(reply.rows(snapshot), reply.rows(rules))
        .map_err(|fault| unavailable(&fault))?
        .ok_or(ErrorCode::InvalidApiKey)?;
    let models = read_model(reply.rows(models)).map_err(|fault| unavailable(&fault))?;
    let body = public_models(&caller, &models, gateway.started_ms)?;
    respond::json(gateway, body, &Vec::new()).map_err(|_| Refused::from(ErrorCode::Internal))
}
