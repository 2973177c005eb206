//! Virtual Workers: each walks one call through the states that the gateway's `completion.rs` walks it
//! through, a step at a time, with a clock of its own that is a little off. It may die at any step.

mod admission;
mod running;

use std::collections::BTreeMap;

use tollgate_core::admission::{Ask, Extension, Idempotency, LevelHold, Snapshot};
use tollgate_core::call::{
    Call, CallerFacts, Identity, ModelFacts, Wanted, caller_statements, model_statement,
    price_call, read_caller, read_model,
};
use tollgate_core::hrana::Batch;
use tollgate_core::ids::{AccountId, RequestId};
use tollgate_core::settlement::Resolution;
use tollgate_core::usage::Usage;

use super::Simulation;
use super::travel::{Fate, Tries};
use super::wire::Sender;

/// As in `wrangler.toml`.
pub const LEASE_MS: i64 = 120_000;

/// How often a Worker tries what, as in the gateway's `admit.rs` and `settle.rs`.
const ATTEMPTS: u32 = 8;
const ADMIT_TRIES: u32 = 2;
const VOID_TRIES: u32 = 4;
const SETTLE_TRIES: u32 = 8;

/// How old a request's id may be at its admission, in milliseconds, as in `admit.rs`.
const OLDEST_ID_MS: i64 = 10_000;

/// How long a Worker goes on with a call that has no hold, in milliseconds: its tries end by then.
const LONGEST_ADMISSION_MS: i64 = 60_000;

/// What an isolate remembers.
#[derive(Debug, Default)]
pub struct Isolate {
    callers: BTreeMap<usize, CallerFacts>,
    models: BTreeMap<String, ModelFacts>,
}

/// A call and who works on it.
#[derive(Debug)]
pub struct Worker {
    call: u32,
    isolate: usize,
    skew_ms: i64,
    key: usize,
    wanted: Wanted,
    idempotency: Option<(String, String)>,
    request: RequestId,
    nonce: i64,
    drawn_ms: i64,
    begun_ms: i64,
    attempts: u32,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Pricing { fresh: bool },
    Asking(Box<Asking>),
    Doubting(Box<Doubting>),
    Running(Box<Running>),
    Extending(Box<Extending>),
    Settling(Box<Settling>),
}

#[derive(Debug)]
struct Asking {
    call: Call,
    ask: Ask,
    known: Snapshot,
    tries: Tries,
}

/// A hold of which nobody knows whether it was taken.
#[derive(Debug)]
struct Doubting {
    ask: Ask,
    known: Snapshot,
    tries: u32,
}

#[derive(Debug)]
struct Running {
    call: Call,
    ask: Ask,
    snapshot: Snapshot,
    held: Vec<LevelHold>,
    held_tokens: u64,
    until_ms: i64,
    provider_id: Option<String>,
    /// What the provider bills, once the call was sent; `Some(None)`: nothing.
    sent: Option<Option<Usage>>,
    lost: bool,
    /// The last extension that was heard of.
    grown: Option<Extension>,
}

#[derive(Debug)]
struct Extending {
    run: Running,
    extension: Extension,
    tokens: u64,
    tries: Tries,
}

#[derive(Debug)]
struct Settling {
    resolution: Resolution,
    grown: Option<Extension>,
    tries: Tries,
}

/// What becomes of a Worker after a step.
type Step = Result<Option<Stage>, String>;

impl Simulation {
    /// A caller calls.
    pub(super) fn call(&mut self) -> Result<(), String> {
        let key = self.some_key();
        let wanted = self.wanted();
        self.call_for(key, wanted);
        Ok(())
    }

    /// The Worker of a call takes one step, whose batch meets with this fate. Nothing happens if it is
    /// not there any more.
    pub(super) fn step_of(&mut self, call: u32, fate: Fate) -> Result<(), String> {
        let Some(index) = self.workers.iter().position(|worker| worker.call == call) else {
            return Ok(());
        };
        let worker = self.workers.swap_remove(index);
        self.forced = Some(fate);
        let result = self.step(worker);
        self.forced = None;
        result
    }

    /// What a call is about to hold, from the caller's account up.
    pub(super) fn asked_by(&self, call: u32) -> Option<Vec<(AccountId, i64)>> {
        let worker = self.workers.iter().find(|worker| worker.call == call)?;
        let Stage::Asking(asking) = &worker.stage else {
            return None;
        };
        let levels = asking.ask.levels.iter();
        Some(
            levels
                .map(|level| (level.account.clone(), level.hold.get()))
                .collect(),
        )
    }

    /// A call that is not sent yet is priced once more, by what is true now.
    pub(super) fn price_again(&mut self, call: u32) {
        if let Some(worker) = self.workers.iter_mut().find(|worker| worker.call == call) {
            worker.stage = Stage::Pricing { fresh: true };
        }
    }

    /// Whether the batch of a call stands still.
    pub(super) fn is_paused(&self, call: u32) -> bool {
        let mut workers = self.workers.iter();
        workers.any(|worker| worker.call == call && worker.is_paused())
    }

    /// A caller calls with this key; the number of the call.
    pub(super) fn call_for(&mut self, key: usize, wanted: Wanted) -> u32 {
        self.calls += 1;
        let (wanted, idempotency) = self.with_idempotency(wanted, key);
        let request = self.draw_request();
        let worker = Worker {
            call: self.calls,
            isolate: self.chance.below(self.isolates.len()),
            skew_ms: if self.chance.percent(50) {
                0
            } else {
                self.chance.within(-2_000, 2_000)
            },
            key,
            wanted,
            idempotency,
            request,
            nonce: self.chance.within(i64::MIN, i64::MAX),
            drawn_ms: self.clock.now_ms,
            begun_ms: self.clock.true_ms,
            attempts: 0,
            stage: Stage::Pricing { fresh: false },
        };
        self.tell(format!(
            "call {} of {} for {}",
            worker.call, self.people.keys[key].id, worker.wanted.model
        ));
        self.workers.push(worker);
        self.calls
    }

    /// A key, mostly one that works.
    pub(super) fn some_key(&mut self) -> usize {
        let count = self.people.keys.len();
        for _ in 0..3 {
            let key = self.chance.below(count);
            let id = self.people.keys[key].id.to_string();
            let row = self.auditor.state.keys.get(&id);
            let works = row.is_some_and(|row| {
                let ended = row.expires_at_ms.is_some_and(|at| at <= self.clock.now_ms);
                row.revoked_at_ms.is_none() && !ended
            });
            if works {
                return key;
            }
        }
        self.chance.below(count)
    }

    pub(super) fn wanted(&mut self) -> Wanted {
        let model = if self.chance.percent(4) {
            "sim/unknown".to_owned()
        } else {
            self.chance.pick(&self.people.models).clone()
        };
        let text_tokens = *self.chance.pick(&[0, 1, 7, 100, 1_000, 100_000]);
        let streamed = self.chance.percent(50);
        let named = *self
            .chance
            .pick(&[0, 1, 2, 50, 256, 1_000, 4_096, 1_000_000]);
        Wanted {
            model,
            streamed,
            max_tokens: self.chance.percent(60).then_some(named),
            text_tokens,
            prompt_estimate: *self.chance.pick(&[text_tokens, text_tokens / 4, 0]),
            images: 0,
            hour_cache: false,
            first_portion: self
                .chance
                .percent(80)
                .then_some(*self.chance.pick(&[1, 16, 256, 1_024])),
            idempotency: None,
        }
    }

    /// Some calls carry an `Idempotency-Key` that another carries too, with the same body or not.
    fn with_idempotency(
        &mut self,
        mut wanted: Wanted,
        key: usize,
    ) -> (Wanted, Option<(String, String)>) {
        if !self.chance.percent(25) {
            return (wanted, None);
        }
        let header = format!("idem-{}", self.chance.below(3));
        let body = *self.chance.pick(&["a", "a", "b"]);
        wanted.idempotency = Idempotency::parse(&header, body.as_bytes()).ok();
        let account = &self.people.keys[key].account;
        (
            wanted,
            Some((format!("{account} {header}"), fingerprint(body))),
        )
    }

    /// An id, which another call of the last moments may have drawn too.
    fn draw_request(&mut self) -> RequestId {
        let recent: Vec<RequestId> = self
            .workers
            .iter()
            .filter(|worker| self.clock.true_ms - worker.begun_ms < 5_000)
            .map(|worker| worker.request)
            .collect();
        if !recent.is_empty() && self.chance.percent(self.habits.collisions) {
            return *self.chance.pick(&recent);
        }
        let random = self.chance.next().to_le_bytes();
        RequestId::new(
            self.clock.now_ms,
            u32::from_le_bytes([random[0], random[1], random[2], 0]),
        )
    }

    /// A Worker does its next thing, or dies.
    pub(super) fn work(&mut self) -> Result<(), String> {
        if self.workers.is_empty() {
            return self.call();
        }
        // A batch does not stand still for long.
        let paused = self.workers.iter().position(Worker::is_paused);
        let index = match paused {
            Some(index) if self.chance.percent(30) => index,
            _ => self.chance.below(self.workers.len()),
        };
        let worker = self.workers.swap_remove(index);
        self.step(worker)
    }

    fn step(&mut self, mut worker: Worker) -> Result<(), String> {
        if self.chance.percent(self.habits.deaths) {
            self.tell(format!("call {}: its Worker dies", worker.call));
            self.auditor.note("a Worker died");
            return Ok(());
        }
        let stage = std::mem::replace(&mut worker.stage, Stage::Pricing { fresh: true });
        let late = self.clock.true_ms - worker.begun_ms > LONGEST_ADMISSION_MS;
        let next = match stage {
            Stage::Pricing { .. } | Stage::Asking(_) if late => Ok(None),
            Stage::Pricing { fresh } => self.price(&mut worker, fresh),
            Stage::Asking(asking) => self.ask(&mut worker, *asking),
            Stage::Doubting(doubting) => self.doubt(&worker, *doubting),
            Stage::Running(run) => self.run(&worker, *run),
            Stage::Extending(extending) => self.extend(&worker, *extending),
            Stage::Settling(settling) => self.settle(worker.call, *settling),
        };
        if let Some(stage) = next? {
            worker.stage = stage;
            self.workers.push(worker);
        }
        Ok(())
    }

    fn now_of(&self, worker: &Worker) -> i64 {
        self.clock.now_ms + worker.skew_ms
    }

    fn price(&mut self, worker: &mut Worker, fresh: bool) -> Step {
        let now_ms = self.now_of(worker);
        if now_ms - worker.drawn_ms > OLDEST_ID_MS {
            worker.request = self.draw_request();
            worker.drawn_ms = self.clock.now_ms;
        }
        let remembered = if fresh { None } else { self.remembered(worker) };
        let was_remembered = remembered.is_some();
        let facts = match remembered {
            Some(facts) => Some(facts),
            None => self.read_facts(worker, now_ms)?,
        };
        let Some((caller, model)) = facts else {
            self.auditor.note("refused: no such key or model");
            return Ok(None);
        };
        match price_call(worker.wanted.clone(), &caller, &model, now_ms) {
            Ok(call) => {
                let identity = Identity {
                    request: worker.request,
                    nonce: worker.nonce,
                    key_hash: self.people.keys[worker.key].hash,
                    provider_account: None,
                    lease_until_ms: now_ms + LEASE_MS,
                };
                Ok(Some(Stage::Asking(Box::new(Asking {
                    ask: call.ask(&identity),
                    call,
                    known: caller.snapshot,
                    tries: Tries::default(),
                }))))
            }
            Err(_) if was_remembered => Ok(Some(Stage::Pricing { fresh: true })),
            Err(error) => {
                self.auditor
                    .note(&format!("refused: {}", error.code.row().code));
                Ok(None)
            }
        }
    }

    fn remembered(&self, worker: &Worker) -> Option<(CallerFacts, ModelFacts)> {
        let isolate = &self.isolates[worker.isolate];
        let caller = isolate.callers.get(&worker.key)?;
        let model = isolate.models.get(&worker.wanted.model)?;
        let same = caller.snapshot.catalogue_version == model.catalogue_version;
        same.then(|| (caller.clone(), model.clone()))
    }

    fn read_facts(
        &mut self,
        worker: &Worker,
        now_ms: i64,
    ) -> Result<Option<(CallerFacts, ModelFacts)>, String> {
        let mut batch = Batch::new();
        for statement in caller_statements(&self.people.keys[worker.key].hash, now_ms) {
            batch.step(None, statement);
        }
        batch.step(None, model_statement(Some(&worker.wanted.model)));
        let reply = self.wire.execute(&batch, Sender::Worker);
        let caller =
            read_caller(reply.rows(0), reply.rows(1)).map_err(|fault| fault.to_string())?;
        let models = read_model(reply.rows(2)).map_err(|fault| fault.to_string())?;
        let facts = caller.zip(models.into_iter().next());
        if let Some((caller, model)) = &facts {
            let isolate = &mut self.isolates[worker.isolate];
            isolate.callers.insert(worker.key, caller.clone());
            isolate
                .models
                .insert(worker.wanted.model.clone(), model.clone());
        }
        Ok(facts)
    }
}

impl Worker {
    fn is_paused(&self) -> bool {
        match &self.stage {
            Stage::Asking(asking) => asking.tries.is_paused(),
            Stage::Extending(extending) => extending.tries.is_paused(),
            Stage::Settling(settling) => settling.tries.is_paused(),
            Stage::Pricing { .. } | Stage::Doubting(_) | Stage::Running(_) => false,
        }
    }
}

/// The fingerprint of a body, as the database shows it in hexadecimal.
fn fingerprint(body: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(body.as_bytes());
    digest.iter().map(|byte| format!("{byte:02X}")).collect()
}
