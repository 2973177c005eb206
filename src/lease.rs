//! The hold of one call while its answer is awaited: its lease is renewed at half-life, it grows with
//! a streamed answer, and both writes record how far the answer is, so that a crash leaves something
//! to settle by.

use std::future::Future;
use std::pin::pin;

use tollgate_core::admission::{Extended, Extension, LevelHold, Refusal, Snapshot};
use tollgate_core::hrana::Batch;
use tollgate_core::settlement::{Progress, renew_lease_statement};
use tollgate_edge::clock::{Timer, now_ms, sleep_ms};

use crate::admit::Admitted;
use crate::gateway::Gateway;
use crate::log;

/// How long after the admission the provider's id is stored, in milliseconds: short calls save the
/// write.
const STORE_ID_AFTER_MS: i64 = 2_000;

/// How soon the sweep may take a hold that is left to it, in milliseconds: most records are there then.
const HAND_OVER_MS: i64 = 5_000;

/// The hold is no longer this Worker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseLost;

/// Why a hold cannot grow, and what the database knew then.
pub type Short = Box<(Refusal, Snapshot)>;

/// The lease of one call, and what it holds by now.
#[derive(Debug)]
pub struct Lease<'a> {
    gateway: &'a Gateway,
    admitted: &'a Admitted,
    held: Vec<LevelHold>,
    held_tokens: u64,
    until_ms: i64,
    renew_at_ms: i64,
    progress: Progress,
    stored_id: bool,
    lost: bool,
    timer: Timer,
}

impl<'a> Lease<'a> {
    /// The lease that admission took.
    pub fn new(gateway: &'a Gateway, admitted: &'a Admitted) -> Self {
        let until_ms = admitted.ask.lease_until_ms;
        Self {
            gateway,
            admitted,
            held: admitted.call.levels.clone(),
            held_tokens: admitted.call.held_tokens,
            until_ms,
            renew_at_ms: until_ms - gateway.config.lease_ms / 2,
            progress: Progress::default(),
            stored_id: false,
            lost: false,
            timer: Timer::default(),
        }
    }

    /// Remembers the provider's id of the call.
    pub fn note_provider_id(&mut self, id: &str) {
        if self.progress.provider_id.is_none() {
            self.progress.provider_id = Some(id.to_owned());
        }
    }

    /// Remembers how many output tokens came.
    pub fn note_tokens(&mut self, tokens: u64) {
        self.progress.tokens = tokens;
    }

    /// The provider's id of the call, once it is known.
    pub fn provider_id(&self) -> Option<&str> {
        self.progress.provider_id.as_deref()
    }

    /// What is held at each level, from the caller's account up.
    pub fn held(&self) -> &[LevelHold] {
        &self.held
    }

    /// Whether an answer of so many tokens may be relayed without more credit. The whole bound is
    /// held sooner or later; beyond it the provider ends the answer.
    pub fn covers(&self, tokens: u64) -> bool {
        tokens <= self.held_tokens || self.held_tokens >= self.admitted.call.max_tokens
    }

    /// Awaits the future and renews the lease meanwhile. The loss of the lease is told once; after
    /// that the call is only brought to its end, with nothing to renew.
    pub async fn keep<T>(&mut self, future: impl Future<Output = T>) -> Result<T, LeaseLost> {
        if self.lost {
            return Ok(future.await);
        }
        let mut future = pin!(future);
        loop {
            let next_write_ms = self.next_write_ms();
            if let Some(value) = self.timer.until(next_write_ms, future.as_mut()).await {
                return Ok(value);
            }
            self.renew().await.inspect_err(|_| self.lost = true)?;
        }
    }

    /// Holds credit for an answer of at least so many tokens, and of as many as are wanted if that is
    /// more; or says what is in the way. The hold doubles, so that a long answer waits seldom; where
    /// credit is short, it takes what is left.
    pub async fn grow(
        &mut self,
        (tokens, wanted): (u64, u64),
    ) -> Result<Result<(), Short>, LeaseLost> {
        let most = self.admitted.call.max_tokens;
        let least = tokens.min(most);
        let mut next = wanted.max(self.held_tokens.saturating_mul(2)).min(most);
        let mut reason = None;
        loop {
            match self.extend(next).await? {
                Ok(()) => break,
                Err(short) => {
                    let growable = self.admitted.call.growable_tokens(&short.1, &self.held);
                    let is_more = self.held_tokens < growable && growable < next;
                    next = growable;
                    reason = Some(short);
                    if !is_more {
                        break;
                    }
                }
            }
        }
        Ok(match reason {
            Some(short) if self.held_tokens < least => Err(short),
            _ => Ok(()),
        })
    }

    /// Leaves the hold to the sweep, which asks for the provider's record in a moment: whether it did.
    pub async fn hand_over(&self) -> bool {
        let until_ms = now_ms() + HAND_OVER_MS - self.gateway.config.grace_ms;
        let call = (self.admitted.request, &self.admitted.snapshot.key.account);
        let mut batch = Batch::new();
        let step = batch.step(None, renew_lease_statement(call, until_ms, &self.progress));
        match self.gateway.database.execute(&batch).await {
            Ok(reply) => !reply.rows(step).is_empty(),
            Err(fault) => {
                log::fault(self.gateway, "hand over", &fault);
                false
            }
        }
    }

    async fn extend(&mut self, tokens: u64) -> Result<Result<(), Short>, LeaseLost> {
        let Some(to) = self.admitted.call.holds_for(tokens) else {
            return Err(LeaseLost);
        };
        loop {
            let until_ms = now_ms() + self.gateway.config.lease_ms;
            let extension = self.extension(to.clone(), until_ms);
            let extend = extension.to_batch();
            let read = match self.gateway.database.execute(&extend.batch).await {
                Ok(reply) => extend.read(&extension, &reply).map_err(Into::into),
                Err(fault) => Err(fault),
            };
            match read {
                Ok(Extended::Now) => {
                    self.held = to;
                    self.held_tokens = tokens;
                    self.renewed(until_ms);
                    return Ok(Ok(()));
                }
                Ok(Extended::Refused(short)) => return Ok(Err(short)),
                Ok(Extended::Gone) => break,
                Ok(Extended::Contended) => {}
                Err(fault) => log::fault(self.gateway, "extend", &fault),
            }
            if now_ms() >= self.until_ms {
                break;
            }
            sleep_ms(100).await;
        }
        self.lost = true;
        Err(LeaseLost)
    }

    fn extension(&self, to: Vec<LevelHold>, lease_until_ms: i64) -> Extension {
        let key = &self.admitted.snapshot.key;
        Extension {
            request: self.admitted.request,
            account: key.account.clone(),
            key: key.id.clone(),
            key_hash: self.admitted.ask.key_hash,
            now_ms: now_ms(),
            lease_until_ms,
            progress: self.progress.clone(),
            from: self.held.clone(),
            to,
        }
    }

    fn renewed(&mut self, until_ms: i64) {
        self.until_ms = until_ms;
        self.renew_at_ms = until_ms - self.gateway.config.lease_ms / 2;
        self.stored_id = self.progress.provider_id.is_some();
    }

    fn next_write_ms(&self) -> i64 {
        if self.progress.provider_id.is_some() && !self.stored_id {
            return self
                .renew_at_ms
                .min(self.gateway.started_ms + STORE_ID_AFTER_MS);
        }
        self.renew_at_ms
    }

    /// Tries until the lease has run out: a database that is away for a moment must not end a
    /// stream that somebody pays for.
    async fn renew(&mut self) -> Result<(), LeaseLost> {
        let account = &self.admitted.snapshot.key.account;
        loop {
            let until_ms = now_ms() + self.gateway.config.lease_ms;
            let mut batch = Batch::new();
            let call = (self.admitted.request, account);
            let step = batch.step(None, renew_lease_statement(call, until_ms, &self.progress));
            match self.gateway.database.execute(&batch).await {
                Ok(reply) if !reply.rows(step).is_empty() => {
                    self.renewed(until_ms);
                    return Ok(());
                }
                Ok(reply) if reply.is_ok(step) => return Err(LeaseLost),
                Ok(_) => {}
                Err(fault) => log::fault(self.gateway, "renew", &fault),
            }
            if now_ms() >= self.until_ms {
                return Err(LeaseLost);
            }
            sleep_ms(250).await;
        }
    }
}
