//! From the price to the hold: a Worker asks, hears or does not hear, and believes no refusal that is not
//! so. A hold that may have been taken is given back.

use tollgate_core::admission::{Admission, Ask, Refusal, Snapshot};
use tollgate_core::settlement::{Outcome, Resolution, ResolutionFacts, Resolved};

use super::{ADMIT_TRIES, ATTEMPTS, Asking, Doubting, Running, Stage, Step, VOID_TRIES, Worker};
use crate::simulation::Simulation;
use crate::simulation::audit::{Admit, Intent, fits};
use crate::simulation::state::Account;
use crate::simulation::travel::{Sent, brief};
use crate::simulation::wire::Sender;

impl Simulation {
    pub(super) fn ask(&mut self, worker: &mut Worker, mut asking: Asking) -> Step {
        let admit = asking.ask.to_batch();
        let heard = self.try_on(&mut asking.tries, |simulation| {
            let intent = Intent::Admit(Box::new(Admit {
                call: worker.call,
                ask: asking.ask.clone(),
                key: simulation.people.keys[worker.key].id.to_string(),
                prompt: worker.wanted.text_tokens,
                answer: asking.call.held_tokens,
                idempotency: worker.idempotency.clone(),
            }));
            simulation.tell(brief(&intent));
            simulation.send(admit.batch.clone(), Sender::Worker, intent)
        })?;
        let Some((reply, clean)) = heard else {
            if asking.tries.ended < ADMIT_TRIES {
                return Ok(Some(Stage::Asking(Box::new(asking))));
            }
            return Ok(Some(Stage::Doubting(Box::new(Doubting {
                ask: asking.ask,
                known: asking.known,
                tries: 0,
            }))));
        };
        let admission = admit
            .read(&asking.ask, &reply)
            .map_err(|fault| fault.to_string())?;
        self.answered(worker, asking, (admission, clean))
    }

    pub(super) fn answered(
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
                    grown: None,
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
    pub(super) fn refresh(&mut self, worker: &Worker, snapshot: &Snapshot) {
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
    pub(super) fn is_justified(
        &self,
        worker: &Worker,
        ask: &Ask,
        refusal: &Refusal,
    ) -> Result<(), String> {
        let state = &self.auditor.state;
        let key_id = self.people.keys[worker.key].id.to_string();
        let key = state.keys.get(&key_id).ok_or("no key")?;
        let account = state.accounts.get(&key.account).ok_or("no account")?;
        let hold = ask.own_hold().get();
        let (now_ms, amounts) = (ask.now_ms, [1, 1, 1, ask.reserved_tokens]);
        let free = |account: &Account| account.balance - account.purse.held;
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

    pub(super) fn doubt(&mut self, worker: &Worker, mut doubting: Doubting) -> Step {
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
