//! Keeps a call's lease while its answer is awaited: at half-life it is renewed, and once the
//! provider's id is known, that is stored with it, so that a crash leaves something to look up.

use std::future::Future;
use std::pin::pin;

use tollgate_core::hrana::Batch;
use tollgate_core::ids::{AccountId, RequestId};
use tollgate_core::settlement::renew_lease_statement;

use crate::clock::{Timer, now_ms, sleep_ms};
use crate::gateway::Gateway;
use crate::log;

/// How long after the admission the provider's id is stored, in milliseconds: short calls save the
/// write.
const STORE_ID_AFTER_MS: i64 = 2_000;

/// The hold is no longer this Worker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseLost;

/// The lease of one call.
#[derive(Debug)]
pub struct Lease<'a> {
    gateway: &'a Gateway,
    request: RequestId,
    account: AccountId,
    until_ms: i64,
    renew_at_ms: i64,
    provider_id: Option<String>,
    stored_id: bool,
    lost: bool,
    timer: Timer,
}

impl<'a> Lease<'a> {
    /// The lease that admission took.
    pub fn new(
        gateway: &'a Gateway,
        request: RequestId,
        account: AccountId,
        until_ms: i64,
    ) -> Self {
        let renew_at_ms = until_ms - gateway.config.lease_ms / 2;
        Self {
            gateway,
            request,
            account,
            until_ms,
            renew_at_ms,
            provider_id: None,
            stored_id: false,
            lost: false,
            timer: Timer::default(),
        }
    }

    /// Remembers the provider's id of the call.
    pub fn note_provider_id(&mut self, id: &str) {
        if self.provider_id.is_none() {
            self.provider_id = Some(id.to_owned());
        }
    }

    /// The provider's id of the call, once it is known.
    pub fn provider_id(&self) -> Option<&str> {
        self.provider_id.as_deref()
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

    fn next_write_ms(&self) -> i64 {
        if self.provider_id.is_some() && !self.stored_id {
            return self
                .renew_at_ms
                .min(self.gateway.started_ms + STORE_ID_AFTER_MS);
        }
        self.renew_at_ms
    }

    /// Tries until the lease has run out: a database that is away for a moment must not end a
    /// stream that somebody pays for.
    async fn renew(&mut self) -> Result<(), LeaseLost> {
        loop {
            let until_ms = now_ms() + self.gateway.config.lease_ms;
            let mut batch = Batch::new();
            let statement = renew_lease_statement(
                self.request,
                &self.account,
                until_ms,
                self.provider_id.as_deref(),
            );
            let step = batch.step(None, statement);
            match self.gateway.database.execute(&batch).await {
                Ok(reply) if !reply.rows(step).is_empty() => {
                    self.until_ms = until_ms;
                    self.renew_at_ms = until_ms - self.gateway.config.lease_ms / 2;
                    self.stored_id = self.provider_id.is_some();
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
