//! What this isolate remembers of callers and models between requests, so that a warm admission is
//! one round trip. The memory grants nothing: admission compares the versions of everything here
//! in the transaction that takes the hold.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tollgate_core::admission::Snapshot;
use tollgate_core::alarm::{Alarm, AlarmKind};
use tollgate_core::call::{
    CallerFacts, ModelFacts, caller_statements, model_statement, read_caller, read_model,
};
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::hrana::{Batch, Reply, Statement};
use tollgate_core::key::KeyHash;
use tollgate_core::providers::call_account_statement;

use crate::alarm;
use crate::credentials::{CredentialFault, ProviderAccount};
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
    models: HashMap<String, (Rc<ModelFacts>, Rc<ProviderAccount>)>,
}

/// What prices a call.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The caller.
    pub caller: Rc<CallerFacts>,
    /// The model.
    pub model: Rc<ModelFacts>,
    /// Through which of the operator's accounts its calls go. Its changes raise the catalogue's version.
    pub account: Rc<ProviderAccount>,
    /// Whether they are remembered: then they may be out of date.
    pub remembered: bool,
}

/// What this isolate remembers, if it remembers both.
pub fn remembered(hash: &KeyHash, slug: &str) -> Option<Facts> {
    MEMORY.with_borrow(|memory| {
        let caller = memory.callers.get(hash)?.clone();
        let (model, account) = memory.models.get(slug)?.clone();
        let same_catalogue = caller.snapshot.catalogue_version == model.catalogue_version;
        same_catalogue.then_some(Facts {
            caller,
            model,
            account,
            remembered: true,
        })
    })
}

/// Reads both in one round trip and remembers them.
pub async fn read(gateway: &Gateway, hash: &KeyHash, slug: &str) -> Result<Facts, ApiError> {
    // The version stands with the model: an account that is newer is caught by admission.
    let more = [model_statement(Some(slug)), call_account_statement(slug)];
    let (caller, reply) = read_caller_and(gateway, hash, more).await?;
    let [model, account] = [MORE, MORE + 1].map(|step| reply.rows(step));
    let caller = Rc::new(caller);
    let models = read_model(model).map_err(|fault| unavailable(gateway, &fault))?;
    let Some(model) = models.into_iter().next().map(Rc::new) else {
        return Err(ApiError::new(ErrorCode::ModelNotFound).with_param("model"));
    };
    let account = ProviderAccount::of_rows(&gateway.config, account);
    let account = Rc::new(account.map_err(|fault| without_credential(gateway, &fault))?);
    MEMORY.with_borrow_mut(|memory| {
        make_room(&mut memory.callers);
        make_room(&mut memory.models);
        memory.callers.insert(*hash, caller.clone());
        let entry = (model.clone(), account.clone());
        memory.models.insert(slug.to_owned(), entry);
    });
    Ok(Facts {
        caller,
        model,
        account,
        remembered: false,
    })
}

/// Reads the caller and, in the same round trip, every model that is on sale.
pub async fn read_all(
    gateway: &Gateway,
    hash: &KeyHash,
) -> Result<(CallerFacts, Vec<ModelFacts>), ApiError> {
    let (caller, reply) = read_caller_and(gateway, hash, [model_statement(None)]).await?;
    let models = read_model(reply.rows(MORE)).map_err(|fault| unavailable(gateway, &fault))?;
    Ok((caller, models))
}

/// The place of the first statement that is read beside the caller.
const MORE: usize = 2;

async fn read_caller_and(
    gateway: &Gateway,
    hash: &KeyHash,
    more: impl IntoIterator<Item = Statement>,
) -> Result<(CallerFacts, Reply), ApiError> {
    let mut batch = Batch::new();
    for statement in caller_statements(hash, gateway.started_ms)
        .into_iter()
        .chain(more)
    {
        batch.step(None, statement);
    }
    let reply = gateway
        .database
        .execute(&batch)
        .await
        .map_err(|fault| unavailable(gateway, &fault))?;
    let [snapshot, rules] = [0, 1];
    if !(0..batch.steps().len()).all(|step| reply.is_ok(step)) {
        return Err(ErrorCode::DatabaseUnavailable.into());
    }
    let caller = read_caller(reply.rows(snapshot), reply.rows(rules))
        .map_err(|fault| unavailable(gateway, &fault))?
        .ok_or(ErrorCode::InvalidApiKey)?;
    check_key(&caller, gateway)?;
    Ok((caller, reply))
}

fn unavailable(gateway: &Gateway, fault: &dyn std::error::Error) -> ApiError {
    log::fault(gateway, "facts", fault);
    ApiError::new(ErrorCode::DatabaseUnavailable)
}

/// An account that is enabled and cannot be opened stops its calls: another one would be a guess. The
/// operator must know.
fn without_credential(gateway: &Gateway, fault: &CredentialFault) -> ApiError {
    let what = "the operator's credential cannot be opened";
    let why = fault.to_string();
    log::alarm(gateway, what, &serde_json::json!({ "why": why }));
    let alarm = Alarm::for_operator(AlarmKind::ProviderRefuses, format!("{what}: {why}"));
    alarm::raise_beyond_response(gateway, alarm);
    ApiError::new(ErrorCode::ProviderUnavailable)
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
    read_caller_and(gateway, hash, []).await.map(drop)
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
