//! What this isolate remembers of callers and models between requests, so that a warm admission is
//! one round trip. The memory grants nothing: admission compares the versions of everything here
//! in the transaction that takes the hold.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tollgate_core::admission::Snapshot;
use tollgate_core::call::{
    CallerFacts, ModelFacts, caller_statements, model_statement, read_caller, read_model,
};
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::hrana::{Batch, Statement};
use tollgate_core::key::KeyHash;

use crate::gateway::Gateway;
use crate::log;

/// Entries of each kind that are kept; a full memory starts anew.
const MAX_ENTRIES: usize = 1_024;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

#[derive(Default)]
struct Memory {
    callers: HashMap<KeyHash, Rc<CallerFacts>>,
    models: HashMap<String, Rc<ModelFacts>>,
}

/// What prices a call.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The caller.
    pub caller: Rc<CallerFacts>,
    /// The model.
    pub model: Rc<ModelFacts>,
    /// Whether they are remembered: then they may be out of date.
    pub remembered: bool,
}

/// What this isolate remembers, if it remembers both.
pub fn remembered(hash: &KeyHash, slug: &str) -> Option<Facts> {
    MEMORY.with_borrow(|memory| {
        let caller = memory.callers.get(hash)?.clone();
        let model = memory.models.get(slug)?.clone();
        let same_catalogue = caller.snapshot.catalogue_version == model.catalogue_version;
        same_catalogue.then_some(Facts {
            caller,
            model,
            remembered: true,
        })
    })
}

/// Reads both in one round trip and remembers them.
pub async fn read(gateway: &Gateway, hash: &KeyHash, slug: &str) -> Result<Facts, ApiError> {
    let (caller, models) = read_fresh(gateway, hash, Some(slug)).await?;
    let caller = Rc::new(caller);
    let Some(model) = models.into_iter().next().map(Rc::new) else {
        return Err(ApiError::new(ErrorCode::ModelNotFound).with_param("model"));
    };
    MEMORY.with_borrow_mut(|memory| {
        make_room(&mut memory.callers);
        make_room(&mut memory.models);
        memory.callers.insert(*hash, caller.clone());
        memory.models.insert(slug.to_owned(), model.clone());
    });
    Ok(Facts {
        caller,
        model,
        remembered: false,
    })
}

/// Reads the caller and, in the same round trip, one model or with `None` all of them.
pub async fn read_fresh(
    gateway: &Gateway,
    hash: &KeyHash,
    slug: Option<&str>,
) -> Result<(CallerFacts, Vec<ModelFacts>), ApiError> {
    read_caller_and(gateway, hash, Some(model_statement(slug))).await
}

async fn read_caller_and(
    gateway: &Gateway,
    hash: &KeyHash,
    models: Option<Statement>,
) -> Result<(CallerFacts, Vec<ModelFacts>), ApiError> {
    let mut batch = Batch::new();
    for statement in caller_statements(hash, gateway.started_ms)
        .into_iter()
        .chain(models)
    {
        batch.step(None, statement);
    }
    let unavailable = |fault: &dyn std::error::Error| {
        log::fault(gateway, "facts", fault);
        ApiError::new(ErrorCode::DatabaseUnavailable)
    };
    let reply = gateway
        .database
        .execute(&batch)
        .await
        .map_err(|fault| unavailable(&fault))?;
    let [snapshot, rules, models] = [0, 1, 2];
    if !(0..batch.steps().len()).all(|step| reply.is_ok(step)) {
        return Err(ErrorCode::DatabaseUnavailable.into());
    }
    let caller = read_caller(reply.rows(snapshot), reply.rows(rules))
        .map_err(|fault| unavailable(&fault))?
        .ok_or(ErrorCode::InvalidApiKey)?;
    check_key(&caller, gateway)?;
    let models = read_model(reply.rows(models)).map_err(|fault| unavailable(&fault))?;
    Ok((caller, models))
}

/// Keeps what admission just read of a caller, for the next call's defaults. Rules are kept only
/// while their versions are the same.
pub fn refresh(hash: &KeyHash, snapshot: Snapshot) {
    MEMORY.with_borrow_mut(|memory| {
        let Some(known) = memory.callers.remove(hash) else {
            return;
        };
        let versions = |snapshot: &Snapshot| -> Vec<i64> {
            snapshot
                .levels
                .iter()
                .map(|level| level.rules_version)
                .collect()
        };
        if versions(&known.snapshot) == versions(&snapshot) {
            let rules = known.rules.clone();
            memory
                .callers
                .insert(*hash, Rc::new(CallerFacts { snapshot, rules }));
        }
    });
}

/// Refuses a key that does not exist or may not call; costs a read only if it is not remembered.
pub async fn require_key(gateway: &Gateway, hash: &KeyHash) -> Result<(), ApiError> {
    if MEMORY.with_borrow(|memory| memory.callers.contains_key(hash)) {
        return Ok(());
    }
    read_caller_and(gateway, hash, None).await.map(drop)
}

/// A key that may not call at all is told so at once, before any question of model and price.
fn check_key(caller: &CallerFacts, gateway: &Gateway) -> Result<(), ApiError> {
    let key = &caller.snapshot.key;
    if key.revoked_at_ms.is_some() {
        return Err(ErrorCode::KeyRevoked.into());
    }
    if key.expires_at_ms.is_some_and(|at| at <= gateway.started_ms) {
        return Err(ErrorCode::KeyExpired.into());
    }
    Ok(())
}

fn make_room<K, V>(entries: &mut HashMap<K, V>) {
    if entries.len() >= MAX_ENTRIES {
        entries.clear();
    }
}
