//! Virtual Workers: each walks one call through the states that the gateway's `completion.rs` walks it
//! through, a step at a time, with a clock of its own that is a little off. It may die at any step.

use std::collections::BTreeMap;

use tollgate_core::admission::{
    Admission, Ask, Extended, Extension, Idempotency, LevelHold, Refusal, Snapshot,
};
use tollgate_core::call::{
    Call, CallerFacts, Identity, ModelFacts, Wanted, caller_statements, model_statement,
    price_call, read_caller, read_model,
};
use tollgate_core::hrana::{Batch, Reply};
use tollgate_core::ids::RequestId;
use tollgate_core::settlement::{
    Outcome, Progress, Resolution, ResolutionFacts, Resolved, renew_lease_statement,
};
use tollgate_core::usage::Usage;

use super::Simulation;
use super::audit::{Admit, Intent, fits};
use super::travel::{Sent, Travel, brief};
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
    tries: u32,
    paused: Option<Box<Travel>>,
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
}

#[derive(Debug)]
struct Extending {
    run: Running,
    extension: Extension,
    tokens: u64,
    tries: u32,
    paused: Option<Box<Travel>>,
}

#[derive(Debug)]
struct Settling {
    resolution: Resolution,
    tries: u32,
    paused: Option<Box<Travel>>,
}

/// What becomes of a Worker after a step.
type Step = Result<Option<Stage>, String>;

/// What a Worker does next with a call that runs.
#[derive(Clone, Copy, Debug)]
enum Next {
    Dispatch,
    Renew,
    Extend,
    Wait,
    Finish,
}

const UNSENT: [(Next, u32); 4] = [
    (Next::Dispatch, 12),
    (Next::Renew, 1),
    (Next::Wait, 1),
    (Next::Finish, 1),
];
const SENT: [(Next, u32); 3] = [(Next::Renew, 3), (Next::Wait, 3), (Next::Finish, 3)];
const GROWING: [(Next, u32); 4] = [
    (Next::Extend, 8),
    (Next::Renew, 2),
    (Next::Wait, 1),
    (Next::Finish, 2),
];

impl Simulation {
    /// A caller calls.
    pub(super) fn call(&mut self) -> Result<(), String> {
        let key = self.some_key();
        self.call_with(key);
        Ok(())
    }

    /// A caller calls with this key, and its Worker comes as far as its admission at once.
    pub(super) fn rush(&mut self, key: &str) -> Result<(), String> {
        let of_key = |person: &super::people::KeyPerson| person.id.as_str() == key;
        let Some(key) = self.people.keys.iter().position(of_key) else {
            return Ok(());
        };
        self.call_with(key);
        for _ in 0..3 {
            if let Some(worker) = self.workers.pop() {
                self.step(worker)?;
            }
        }
        Ok(())
    }

    fn call_with(&mut self, key: usize) {
        self.calls += 1;
        let wanted = self.wanted();
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
    }

    /// A key, mostly one that works.
    fn some_key(&mut self) -> usize {
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

    fn wanted(&mut self) -> Wanted {
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
        if !self.chance.percent(15) {
            return (wanted, None);
        }
        let header = format!("idem-{}", self.chance.below(4));
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
                    lease_until_ms: now_ms + LEASE_MS,
                };
                Ok(Some(Stage::Asking(Box::new(Asking {
                    ask: call.ask(&identity),
                    call,
                    known: caller.snapshot,
                    tries: 0,
                    paused: None,
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

    fn ask(&mut self, worker: &mut Worker, mut asking: Asking) -> Step {
        let admit = asking.ask.to_batch();
        let sent = match asking.paused.take() {
            Some(travel) => self.travel(*travel)?,
            None => {
                let intent = Intent::Admit(Box::new(Admit {
                    call: worker.call,
                    ask: asking.ask.clone(),
                    key: self.people.keys[worker.key].id.to_string(),
                    prompt: worker.wanted.text_tokens,
                    answer: asking.call.held_tokens,
                    idempotency: worker.idempotency.clone(),
                }));
                self.tell(brief(&intent));
                self.send(admit.batch.clone(), Sender::Worker, intent)?
            }
        };
        let (reply, clean) = match sent {
            Sent::Reply { reply, clean } => (reply, clean),
            Sent::Paused(travel) => {
                asking.paused = Some(travel);
                return Ok(Some(Stage::Asking(Box::new(asking))));
            }
            Sent::Lost => {
                asking.tries += 1;
                if asking.tries < ADMIT_TRIES {
                    return Ok(Some(Stage::Asking(Box::new(asking))));
                }
                return Ok(Some(Stage::Doubting(Box::new(Doubting {
                    ask: asking.ask,
                    known: asking.known,
                    tries: 0,
                }))));
            }
        };
        let admission = admit
            .read(&asking.ask, &reply)
            .map_err(|fault| fault.to_string())?;
        self.answered(worker, asking, (admission, clean))
    }

    fn answered(
        &mut self,
        worker: &mut Worker,
        asking: Asking,
        (admission, clean): (Admission, bool),
    ) -> Step {
        let Asking { call, ask, .. } = asking;
        worker.attempts += 1;
        match admission {
            Admission::Admitted(snapshot) => {
                let row = self.auditor.state.requests.get(&ask.request.get());
                if row.is_none_or(|row| row.nonce != ask.nonce) {
                    return Err(format!(
                        "call {} was admitted, and has no hold",
                        worker.call
                    ));
                }
                self.refresh(worker, &snapshot);
                Ok(Some(Stage::Running(Box::new(Running {
                    held: call.levels.clone(),
                    held_tokens: call.held_tokens,
                    until_ms: ask.lease_until_ms,
                    provider_id: None,
                    sent: None,
                    lost: false,
                    call,
                    ask,
                    snapshot,
                }))))
            }
            Admission::Refused(refusal, _) => {
                if clean {
                    self.is_justified(worker, &ask, &refusal)?;
                }
                self.auditor
                    .note(&format!("refused: {}", name_of(&refusal)));
                Ok(None)
            }
            _ if worker.attempts >= ATTEMPTS => {
                self.auditor.note("gave up");
                Ok(None)
            }
            Admission::Reprice(_) => {
                self.auditor.note("priced again");
                Ok(Some(Stage::Pricing { fresh: true }))
            }
            Admission::UnknownKey => Err(format!("call {}: its key is not known", worker.call)),
            Admission::IdTaken => {
                self.auditor.note("the id was taken");
                worker.request = self.draw_request();
                worker.drawn_ms = self.clock.now_ms;
                Ok(Some(Stage::Pricing { fresh: false }))
            }
            Admission::Contended if clean => Err(format!(
                "call {} was refused without a reason: {ask:?}",
                worker.call
            )),
            Admission::Contended => Ok(Some(Stage::Pricing { fresh: false })),
        }
    }

    /// Keeps what admission read, as the gateway's `facts::refresh` does.
    fn refresh(&mut self, worker: &Worker, snapshot: &Snapshot) {
        let callers = &mut self.isolates[worker.isolate].callers;
        let Some(mut known) = callers.remove(&worker.key) else {
            return;
        };
        let versions = |snapshot: &Snapshot| -> Vec<i64> {
            let levels = snapshot.levels.iter();
            levels.map(|level| level.rules_version).collect()
        };
        if versions(&known.snapshot) == versions(snapshot) {
            known.snapshot = snapshot.clone();
            callers.insert(worker.key, known);
        }
    }

    /// A refusal tells the truth about the tables.
    fn is_justified(&self, worker: &Worker, ask: &Ask, refusal: &Refusal) -> Result<(), String> {
        let state = &self.auditor.state;
        let key_id = self.people.keys[worker.key].id.to_string();
        let key = state.keys.get(&key_id).ok_or("no key")?;
        let account = state.accounts.get(&key.account).ok_or("no account")?;
        let hold = ask.own_hold().get();
        let (now_ms, amounts) = (ask.now_ms, [1, 1, 1, ask.reserved_tokens]);
        let free = |account: &super::state::Account| account.balance - account.purse.held;
        let true_of = |refusal: &Refusal| match refusal {
            Refusal::KeyRevoked => key.revoked_at_ms.is_some(),
            Refusal::KeyExpired => key.expires_at_ms.is_some_and(|at| at <= now_ms),
            Refusal::AccountSuspended => account.status == "suspended",
            Refusal::DuplicateRequest(_) | Refusal::IdempotencyKeyReused(_) => {
                let first = worker.idempotency.as_ref();
                first.is_some_and(|(name, _)| state.first_calls.get(name).is_some())
            }
            Refusal::ResellerUnavailable { .. } => {
                let above = account.chain.iter().skip(1).zip(ask.levels.iter().skip(1));
                above.into_iter().any(|(id, level)| {
                    state.accounts.get(id).is_none_or(|account| {
                        account.status == "suspended"
                            || free(account) < level.hold.get()
                            || fits(&account.purse, level.hold.get(), now_ms).is_err()
                    })
                })
            }
            Refusal::ModelNotAllowed | Refusal::MaxTokensTooLarge { .. } => true,
            Refusal::TooManyParallel { limit } => i128::from(key.open_holds) >= i128::from(*limit),
            Refusal::RateLimited(rate) => {
                let window = tollgate_core::limits::Window::ALL
                    .into_iter()
                    .position(|window| window == rate.window)
                    .unwrap_or_default();
                self.auditor
                    .window_is_full(&key_id, window, (now_ms, amounts[window], rate.limit))
            }
            Refusal::KeyBudgetExceeded(_) => fits(&key.purse, hold, now_ms).is_err(),
            Refusal::SpendLimitExceeded(_) => fits(&account.purse, hold, now_ms).is_err(),
            Refusal::InsufficientCredits { .. } => free(account) < hold,
        };
        if true_of(refusal) {
            Ok(())
        } else {
            Err(format!(
                "call {} is refused by {refusal:?}, and that is not so: {key:?} {account:?}",
                worker.call
            ))
        }
    }

    fn doubt(&mut self, worker: &Worker, mut doubting: Doubting) -> Step {
        let facts = ResolutionFacts {
            resolved_at_ms: self.now_of(worker),
            ..ResolutionFacts::default()
        };
        let Doubting { ask, known, .. } = &doubting;
        let void = Resolution::of((ask, &known.key), &ask.levels, Outcome::NotSent, facts);
        let resolve = void.to_batch();
        let intent = Intent::Resolve(Box::new(void));
        self.tell(format!(
            "call {}: is its hold there? {}",
            worker.call,
            brief(&intent)
        ));
        if let Sent::Reply { reply, .. } =
            self.send(resolve.batch.clone(), Sender::Worker, intent)?
        {
            let resolved = resolve.read(&reply).map_err(|fault| fault.to_string())?;
            self.auditor.note(&format!("void in doubt: {resolved:?}"));
            if matches!(resolved, Resolved::Now | Resolved::Before) {
                return Ok(None);
            }
        }
        doubting.tries += 1;
        let again = doubting.tries < VOID_TRIES;
        Ok(again.then(|| Stage::Doubting(Box::new(doubting))))
    }

    fn run(&mut self, worker: &Worker, mut run: Running) -> Step {
        let now_ms = self.now_of(worker);
        let grows = run.held_tokens < run.call.max_tokens;
        let may_extend = grows && run.sent.is_some() && !run.lost;
        let next = match (run.lost, run.sent) {
            (true, _) => Next::Finish,
            (false, None) => self.chance.weighted(&UNSENT),
            (false, Some(_)) if may_extend => self.chance.weighted(&GROWING),
            (false, Some(_)) => self.chance.weighted(&SENT),
        };
        match next {
            Next::Dispatch => {
                self.dispatch(worker, &mut run);
                Ok(Some(Stage::Running(Box::new(run))))
            }
            Next::Renew => self.renew(worker, run, now_ms),
            Next::Extend => self.begin_extension(worker, run, now_ms),
            Next::Wait => Ok(Some(Stage::Running(Box::new(run)))),
            Next::Finish => self.finish(worker, run, now_ms),
        }
    }

    /// The provider begins the call, and knows from now on what it bills.
    fn dispatch(&mut self, worker: &Worker, run: &mut Running) {
        let id = format!("gen-{}", worker.call);
        let billed = self.chance.percent(85);
        self.tell(format!(
            "call {} is sent, {}",
            worker.call,
            if billed { "billed" } else { "not billed" }
        ));
        run.sent = Some(billed.then(|| self.usage(&run.ask, worker.wanted.text_tokens)));
        run.provider_id = self.chance.percent(70).then(|| id.clone());
        if let Some(Some(usage)) = run.sent {
            self.auditor.billed.insert(run.ask.request.get());
            if self.chance.percent(80) {
                self.provider.insert(id, usage);
            }
        }
    }

    /// What a call uses: within its bound, at its bound, or beyond it.
    fn usage(&mut self, ask: &Ask, text_tokens: u64) -> Usage {
        let most = ask.max_tokens;
        let prompt_tokens =
            *self
                .chance
                .pick(&[0, ask.prompt_estimate, text_tokens, text_tokens + 1]);
        let completion_tokens =
            *self
                .chance
                .pick(&[0, 1, most / 2, most, most, most + 1, 1_000_000_000]);
        let part = |chance: &mut super::Chance, of: u64| *chance.pick(&[0, 0, of / 3, of]);
        Usage {
            prompt_tokens,
            cached_tokens: part(&mut self.chance, prompt_tokens),
            completion_tokens,
            reasoning_tokens: part(&mut self.chance, completion_tokens),
            ..Usage::default()
        }
    }

    fn renew(&mut self, worker: &Worker, mut run: Running, now_ms: i64) -> Step {
        let until_ms = now_ms + LEASE_MS;
        let progress = Progress {
            provider_id: run.provider_id.clone(),
            tokens: if run.sent.is_some() {
                run.held_tokens.min(50)
            } else {
                0
            },
        };
        let mut batch = Batch::new();
        let account = &run.snapshot.key.account;
        let step = batch.step(
            None,
            renew_lease_statement((run.ask.request, account), until_ms, &progress),
        );
        let request = run.ask.request.get();
        let intent = Intent::Renew { request, until_ms };
        self.tell(format!("call {}: {}", worker.call, brief(&intent)));
        match self.send(batch, Sender::Worker, intent)? {
            Sent::Reply { reply, .. } if reply.rows(step).is_empty() => {
                self.auditor.note("a lease was lost");
                self.is_resolved(request)?;
                run.lost = true;
            }
            Sent::Reply { .. } => {
                run.until_ms = until_ms;
                let row = self.auditor.state.requests.get(&request);
                let renewed = row.is_some_and(|row| row.lease_until_ms >= until_ms);
                if !renewed {
                    return Err(format!(
                        "{request} was renewed until {until_ms}, and is {row:?}"
                    ));
                }
            }
            Sent::Lost | Sent::Paused(_) => {
                if now_ms >= run.until_ms {
                    run.lost = true;
                }
            }
        }
        Ok(Some(Stage::Running(Box::new(run))))
    }

    fn begin_extension(&mut self, worker: &Worker, run: Running, now_ms: i64) -> Step {
        let more = *self.chance.pick(&[1, run.held_tokens, run.call.max_tokens]);
        let tokens = run
            .held_tokens
            .saturating_add(more)
            .min(run.call.max_tokens);
        let Some(to) = run.call.holds_for(tokens) else {
            return self.finish(worker, run, now_ms);
        };
        let extension = Extension {
            request: run.ask.request,
            account: run.snapshot.key.account.clone(),
            key: run.snapshot.key.id.clone(),
            key_hash: run.ask.key_hash,
            now_ms,
            lease_until_ms: now_ms + LEASE_MS,
            progress: Progress {
                provider_id: run.provider_id.clone(),
                tokens: run.held_tokens,
            },
            from: run.held.clone(),
            to,
        };
        let extending = Extending {
            run,
            extension,
            tokens,
            tries: 0,
            paused: None,
        };
        self.extend(worker, extending)
    }

    fn extend(&mut self, worker: &Worker, mut extending: Extending) -> Step {
        let extend = extending.extension.to_batch();
        let sent = match extending.paused.take() {
            Some(travel) => self.travel(*travel)?,
            None => {
                let intent = Intent::Extend(Box::new(extending.extension.clone()));
                self.tell(format!("call {}: {}", worker.call, brief(&intent)));
                self.send(extend.batch.clone(), Sender::Worker, intent)?
            }
        };
        let (reply, clean) = match sent {
            Sent::Reply { reply, clean } => (reply, clean),
            Sent::Paused(travel) => {
                extending.paused = Some(travel);
                return Ok(Some(Stage::Extending(Box::new(extending))));
            }
            Sent::Lost => {
                extending.tries += 1;
                if extending.tries < SETTLE_TRIES {
                    return Ok(Some(Stage::Extending(Box::new(extending))));
                }
                let now_ms = self.now_of(worker);
                return self.finish(worker, extending.run, now_ms);
            }
        };
        let Extending {
            mut run,
            extension,
            tokens,
            ..
        } = extending;
        let extended = extend
            .read(&extension, &reply)
            .map_err(|fault| fault.to_string())?;
        let now_ms = self.now_of(worker);
        match extended {
            Extended::Now => {
                run.held = extension.to;
                run.held_tokens = tokens;
                run.until_ms = run.until_ms.max(extension.lease_until_ms);
            }
            Extended::Gone => {
                self.is_resolved(extension.request.get())?;
                run.lost = true;
            }
            Extended::Refused(_) => {
                self.auditor.note("an extension was refused");
                return self.finish(worker, run, now_ms);
            }
            Extended::Contended if clean => {
                return Err(format!(
                    "an extension was refused without a reason: {extension:?}"
                ));
            }
            Extended::Contended => {}
        }
        Ok(Some(Stage::Running(Box::new(run))))
    }

    /// The call is over; what is known of it depends on how it ended.
    fn finish(&mut self, worker: &Worker, run: Running, now_ms: i64) -> Step {
        let estimate = Usage {
            prompt_tokens: run.ask.prompt_estimate,
            ..Usage::default()
        };
        let outcome = match &run.sent {
            None | Some(None) => Outcome::NotSent,
            Some(Some(usage)) => match self.chance.below(10) {
                0..6 if !run.lost => Outcome::Exact(*usage),
                6..8 => Outcome::AtLeast(Usage {
                    completion_tokens: usage.completion_tokens / 2,
                    reasoning_tokens: 0,
                    ..*usage
                }),
                _ => Outcome::Unknown(estimate),
            },
        };
        let facts = ResolutionFacts {
            status: Some(200),
            provider_id: run.provider_id.clone(),
            resolved_at_ms: now_ms,
            ..ResolutionFacts::default()
        };
        let priced = run.call.price(&outcome, &run.held);
        let resolution = Resolution::of((&run.ask, &run.snapshot.key), &run.held, outcome, facts);
        self.settle(
            worker.call,
            Settling {
                resolution: resolution.with_prices(&priced),
                tries: 0,
                paused: None,
            },
        )
    }

    fn settle(&mut self, call: u32, mut settling: Settling) -> Step {
        let resolve = settling.resolution.to_batch();
        let sent = match settling.paused.take() {
            Some(travel) => self.travel(*travel)?,
            None => {
                let intent = Intent::Resolve(Box::new(settling.resolution.clone()));
                self.tell(format!("call {call}: {}", brief(&intent)));
                self.send(resolve.batch.clone(), Sender::Worker, intent)?
            }
        };
        match sent {
            Sent::Reply { reply, clean } => {
                let resolved = resolve.read(&reply).map_err(|fault| fault.to_string())?;
                if self.resolved((&settling.resolution, resolved), (&reply, clean))? {
                    return Ok(None);
                }
            }
            Sent::Paused(travel) => {
                settling.paused = Some(travel);
                return Ok(Some(Stage::Settling(Box::new(settling))));
            }
            Sent::Lost => {}
        }
        settling.tries += 1;
        if settling.tries >= SETTLE_TRIES {
            self.auditor.note("left to the sweep");
            return Ok(None);
        }
        Ok(Some(Stage::Settling(Box::new(settling))))
    }

    /// Whether the reply to a resolution says that nothing is left to do, and is true.
    pub(super) fn resolved(
        &mut self,
        (resolution, resolved): (&Resolution, Resolved),
        (reply, clean): (&Reply, bool),
    ) -> Result<bool, String> {
        let request = resolution.request.get();
        self.auditor.note(&format!("settle: {resolved:?}"));
        match resolved {
            Resolved::Now | Resolved::Before => {
                self.is_resolved(request)?;
                Ok(true)
            }
            Resolved::NoHold if self.auditor.pruned.contains(&request) => Ok(true),
            Resolved::NoHold => Err(format!("the hold of {request} is gone")),
            Resolved::Contended if clean => {
                let failed: Vec<_> = reply.failures().collect();
                Err(format!(
                    "{request} cannot be resolved: {failed:?} {resolution:?}"
                ))
            }
            Resolved::Contended => Ok(false),
        }
    }

    fn is_resolved(&self, request: i64) -> Result<(), String> {
        let row = self.auditor.state.requests.get(&request);
        match row {
            Some(row) if row.state != "held" => Ok(()),
            None if self.auditor.pruned.contains(&request) => Ok(()),
            _ => Err(format!("{request} is said to be resolved, and is {row:?}")),
        }
    }
}

impl Worker {
    fn is_paused(&self) -> bool {
        match &self.stage {
            Stage::Asking(asking) => asking.paused.is_some(),
            Stage::Extending(extending) => extending.paused.is_some(),
            Stage::Settling(settling) => settling.paused.is_some(),
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

const fn name_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::KeyRevoked => "key revoked",
        Refusal::KeyExpired => "key expired",
        Refusal::AccountSuspended => "account suspended",
        Refusal::DuplicateRequest(_) => "duplicate request",
        Refusal::IdempotencyKeyReused(_) => "idempotency key reused",
        Refusal::ResellerUnavailable { .. } => "reseller unavailable",
        Refusal::ModelNotAllowed => "model not allowed",
        Refusal::MaxTokensTooLarge { .. } => "max_tokens too large",
        Refusal::TooManyParallel { .. } => "too many parallel",
        Refusal::RateLimited(_) => "rate limited",
        Refusal::KeyBudgetExceeded(_) => "key budget",
        Refusal::SpendLimitExceeded(_) => "spend limit",
        Refusal::InsufficientCredits { .. } => "insufficient credits",
    }
}
