//! What a caller asks about itself: its key, its credit, its calls. One read each, nothing written.

use std::rc::Rc;

use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::hrana::{Batch, HranaFault, Reply, Statement};
use tollgate_core::ids::RequestId;
use tollgate_core::inquiry::{
    Generation, check_key, credits_statement, generation_statement, key_statement,
    read_generation_row, render_credits, render_key,
};
use tollgate_core::key::KeyHash;
use tollgate_edge::clock::sleep_ms;
use worker::{Request, Response};

use crate::authenticate::authenticate;
use crate::gateway::Gateway;
use crate::log;
use crate::respond::{self, Refused};

const KEY_STEP: usize = 0;
const FIRST_STEP: usize = 1;

/// Answers `GET key`.
pub async fn key(gateway: &Rc<Gateway>, request: &Request) -> Result<Response, Refused> {
    let (_, reply) = ask(gateway, request, |_| None).await?;
    let row = check_key(reply.rows(KEY_STEP), gateway.started_ms)?;
    json(gateway, render_key(row, gateway.started_ms))
}

/// Answers `GET credits`.
pub async fn credits(gateway: &Rc<Gateway>, request: &Request) -> Result<Response, Refused> {
    let (_, reply) = ask(gateway, request, |hash| Some(credits_statement(hash))).await?;
    let row = reply
        .rows(FIRST_STEP)
        .first()
        .ok_or(ErrorCode::InvalidApiKey)?;
    json(gateway, render_credits(row))
}

/// Answers `GET generation`. A call is settled just after its answer has ended, so a caller that
/// asks at once is asked to wait only if that takes long.
pub async fn generation(gateway: &Rc<Gateway>, request: &Request) -> Result<Response, Refused> {
    const PAUSES_MS: [i64; 4] = [30, 100, 300, 600];
    let not_found = || ApiError::new(ErrorCode::GenerationNotFound).with_param("id");
    let url = request
        .url()
        .map_err(|_| ApiError::new(ErrorCode::Internal))?;
    let id = url.query_pairs().find(|(name, _)| name == "id");
    let missing = || ApiError::new(ErrorCode::MissingField).with_param("id");
    let (_, id) = id.ok_or_else(missing)?;
    let id = RequestId::parse(&id);
    for pause_ms in PAUSES_MS.into_iter().map(Some).chain([None]) {
        let (_, reply) = ask(gateway, request, |hash| {
            id.map(|id| generation_statement(id, hash))
        })
        .await?;
        let (Some(id), Some(row)) = (id, reply.rows(FIRST_STEP).first()) else {
            return Err(not_found().into());
        };
        match read_generation_row(id, row).map_err(|fault| unreadable(gateway, &fault))? {
            Generation::Ended(body) => return json(gateway, Ok(body)),
            Generation::Running => {}
        }
        if let Some(pause_ms) = pause_ms {
            sleep_ms(pause_ms).await;
        }
    }
    let running = not_found()
        .with_message("this call is still running")
        .with_hint("ask again when its answer has ended")
        .with_retry_after(1);
    Err(running.into())
}

/// Reads the caller's key and, besides, what `more` makes of its hash.
async fn ask(
    gateway: &Gateway,
    request: &Request,
    more: impl FnOnce(&KeyHash) -> Option<Statement>,
) -> Result<(KeyHash, Reply), Refused> {
    let hash = authenticate(request.headers())?;
    let mut batch = Batch::new();
    batch.step(None, key_statement(&hash));
    if let Some(statement) = more(&hash) {
        batch.step(None, statement);
    }
    let reply = gateway.database.execute(&batch).await.map_err(|fault| {
        log::fault(gateway, "inquiry", &fault);
        ApiError::new(ErrorCode::DatabaseUnavailable)
    })?;
    if !(0..batch.steps().len()).all(|step| reply.is_ok(step)) {
        return Err(ErrorCode::DatabaseUnavailable.into());
    }
    check_key(reply.rows(KEY_STEP), gateway.started_ms)?;
    Ok((hash, reply))
}

fn json(gateway: &Gateway, body: Result<String, HranaFault>) -> Result<Response, Refused> {
    let body = body.map_err(|fault| unreadable(gateway, &fault))?;
    respond::json(gateway, body, &Vec::new()).map_err(|_| Refused::from(ErrorCode::Internal))
}

fn unreadable(gateway: &Gateway, fault: &HranaFault) -> ApiError {
    log::fault(gateway, "inquiry", fault);
    ErrorCode::DatabaseUnavailable.into()
}
