//! From the hold to its end: a Worker sends the call, keeps its lease, lets the hold grow, and settles
//! until the database says that it is resolved.

use tollgate_core::admission::{Ask, Extended, Extension};
use tollgate_core::hrana::{Batch, Reply};
use tollgate_core::settlement::{
    Outcome, Progress, Resolution, ResolutionFacts, Resolved, renew_lease_statement,
};
use tollgate_core::usage::Usage;

use super::{Extending, LEASE_MS, Running, SETTLE_TRIES, Settling, Stage, Step, Worker};
use crate::simulation::Simulation;
use crate::simulation::audit::Intent;
use crate::simulation::chance::Chance;
use crate::simulation::travel::{Sent, Tries, brief};
use crate::simulation::wire::Sender;

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
const SENT: [(Next, u32); 3] = [(Next::Renew, 3), (Next::Wait, 3), (Next::Finish, 2)];
const GROWING: [(Next, u32); 4] = [
    (Next::Extend, 8),
    (Next::Renew, 2),
    (Next::Wait, 1),
    (Next::Finish, 2),
];

impl Simulation {
    pub(super) fn run(&mut self, worker: &Worker, mut run: Running) -> Step {
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
    pub(super) fn dispatch(&mut self, worker: &Worker, run: &mut Running) {
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
    pub(super) fn usage(&mut self, ask: &Ask, text_tokens: u64) -> Usage {
        let most = ask.max_tokens;
        let prompt_tokens =
            *self
                .chance
                .pick(&[0, ask.prompt_estimate, text_tokens, text_tokens + 1]);
        let completion_tokens =
            *self
                .chance
                .pick(&[0, 1, most / 2, most, most, most + 1, 1_000_000_000]);
        let part = |chance: &mut Chance, of: u64| *chance.pick(&[0, 0, of / 3, of]);
        Usage {
            prompt_tokens,
            cached_tokens: part(&mut self.chance, prompt_tokens),
            completion_tokens,
            reasoning_tokens: part(&mut self.chance, completion_tokens),
            ..Usage::default()
        }
    }

    pub(super) fn renew(&mut self, worker: &Worker, mut run: Running, now_ms: i64) -> Step {
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

    pub(super) fn begin_extension(&mut self, worker: &Worker, run: Running, now_ms: i64) -> Step {
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
            tries: Tries::default(),
        };
        self.extend(worker, extending)
    }

    pub(super) fn extend(&mut self, worker: &Worker, mut extending: Extending) -> Step {
        let extend = extending.extension.to_batch();
        let heard = self.try_on(&mut extending.tries, |simulation| {
            let intent = Intent::Extend(Box::new(extending.extension.clone()));
            simulation.tell(format!("call {}: {}", worker.call, brief(&intent)));
            simulation.send(extend.batch.clone(), Sender::Worker, intent)
        })?;
        let Some((reply, clean)) = heard else {
            let tries = &extending.tries;
            let again = tries.ended < SETTLE_TRIES;
            if tries.is_paused() || (again && self.chance.percent(60)) {
                return Ok(Some(Stage::Extending(Box::new(extending))));
            }
            let now_ms = self.now_of(worker);
            return self.finish(worker, extending.run, now_ms);
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
                run.held = extension.to.clone();
                run.held_tokens = tokens;
                run.until_ms = run.until_ms.max(extension.lease_until_ms);
                run.grown = Some(extension);
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
    pub(super) fn finish(&mut self, worker: &Worker, run: Running, now_ms: i64) -> Step {
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
                grown: run.grown,
                tries: Tries::default(),
            },
        )
    }

    /// The network delivers an extension once more when its call is over.
    fn repeat(&mut self, extension: Extension) -> Result<(), String> {
        self.tell("once more".to_owned());
        self.auditor.note("an extension was repeated after the end");
        let batch = extension.to_batch().batch;
        let intent = Intent::Extend(Box::new(extension));
        self.send_safely(batch, Sender::Worker, &intent).map(drop)
    }

    pub(super) fn settle(&mut self, call: u32, mut settling: Settling) -> Step {
        let resolve = settling.resolution.to_batch();
        let heard = self.try_on(&mut settling.tries, |simulation| {
            let intent = Intent::Resolve(Box::new(settling.resolution.clone()));
            simulation.tell(format!("call {call}: {}", brief(&intent)));
            simulation.send(resolve.batch.clone(), Sender::Worker, intent)
        })?;
        if let Some((reply, clean)) = heard {
            let resolved = resolve.read(&reply).map_err(|fault| fault.to_string())?;
            if self.resolved((&settling.resolution, resolved), (&reply, clean))? {
                let grown = settling.grown.filter(|_| self.chance.percent(50));
                return grown
                    .map_or(Ok(()), |grown| self.repeat(grown))
                    .map(|()| None);
            }
        }
        if settling.tries.ended >= SETTLE_TRIES {
            self.auditor.note("left to the sweep");
            return Ok(None);
        }
        Ok(Some(Stage::Settling(Box::new(settling))))
    }

    /// Whether the reply to a resolution says that nothing is left to do, and is true.
    pub(in crate::simulation) fn resolved(
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

    pub(super) fn is_resolved(&self, request: i64) -> Result<(), String> {
        let row = self.auditor.state.requests.get(&request);
        match row {
            Some(row) if row.state != "held" => Ok(()),
            None if self.auditor.pruned.contains(&request) => Ok(()),
            _ => Err(format!("{request} is said to be resolved, and is {row:?}")),
        }
    }
}
