#![doc = include_str!("../README.md")]
//!
//! This file starts a simulator inside a process; `main.rs` is the binary around it.

pub mod control;
mod fields;
pub mod github;
pub mod mail;
mod page;
pub mod provider;
pub mod record;
pub mod reply;
mod serial;
mod server;
pub mod stripe;

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::github::Github;
use crate::mail::Mailbox;
use crate::record::Log;
use crate::stripe::Stripe;
use crate::stripe::outbox::Webhook;

const MAX_SEEN_TEXTS: usize = 100_000;

/// How a simulator answers when neither the model nor the call says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address to listen on; loopback unless you know better.
    pub host: String,
    /// The port; 0 chooses a free one.
    pub port: u16,
    /// Milliseconds until the first token.
    pub ttft_ms: u64,
    /// Output tokens a second; 0 is unlimited.
    pub tokens_per_second: u64,
    /// Output tokens of an answer that nothing limits.
    pub tokens: u64,
    /// Milliseconds between the end of a generation and its record.
    pub record_ms: u64,
    /// Where Stripe's events go, until a control says otherwise.
    pub stripe_webhook: Option<Webhook>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            ttft_ms: 0,
            tokens_per_second: 0,
            tokens: 32,
            record_ms: 0,
            stripe_webhook: None,
        }
    }
}

/// All that a simulator knows; shared by its connections.
#[derive(Debug)]
pub struct World {
    config: Config,
    epoch: u64,
    log: Mutex<Log>,
    seen_texts: Mutex<HashSet<u64>>,
    changed: Notify,
    stripe: Stripe,
    github: Github,
    mailbox: Mailbox,
}

impl World {
    /// A world in which nothing has happened.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            stripe: Stripe::new(config.stripe_webhook.clone()),
            config,
            // Ids of an earlier process must not come again: clients keep them in databases.
            epoch: Timestamp::now().as_second().unsigned_abs(),
            log: Mutex::default(),
            seen_texts: Mutex::default(),
            changed: Notify::new(),
            github: Github::default(),
            mailbox: Mailbox::default(),
        }
    }

    /// The record of requests. Held for short, never across an await.
    pub fn log(&self) -> MutexGuard<'_, Log> {
        // A panic elsewhere leaves at worst one entry unfinished; the rest is as good as before.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stand-in for Stripe.
    #[must_use]
    pub fn stripe(&self) -> &Stripe {
        &self.stripe
    }

    /// Waits until the record fulfils `condition`, which is tried whenever a request arrives or ends.
    pub async fn until(&self, condition: impl Fn(&Log) -> bool) {
        loop {
            let changed = self.changed.notified();
            if condition(&self.log()) {
                return;
            }
            changed.await;
        }
    }

    /// Tells those who wait that a request arrived or ended.
    fn record_changed(&self) {
        self.changed.notify_waiters();
    }

    /// Whether a text with that hash comes for the first time.
    fn sees_first(&self, text_hash: u64) -> bool {
        let mut seen = self
            .seen_texts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_SEEN_TEXTS {
            seen.clear();
        }
        seen.insert(text_hash)
    }

    /// Forgets all requests and texts; numbers go on.
    fn forget(&self) {
        self.log().clear();
        self.seen_texts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// A simulator that runs in this process until it is dropped.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    world: Arc<World>,
    running: AbortHandle,
}

impl Simulator {
    /// Starts to listen, inside a tokio runtime. Fails when the address cannot be bound.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind((config.host.as_str(), config.port)).await?;
        let address = listener.local_addr()?;
        let world = Arc::new(World::new(config));
        let serving = server::serve(listener, Arc::clone(&world));
        let sending = stripe::sending::run(Arc::clone(&world));
        let running = tokio::spawn(async { tokio::join!(serving, sending) }).abort_handle();
        Ok(Self {
            address,
            world,
            running,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of the OpenRouter stand-in: `http://127.0.0.1:1234/api/v1`.
    #[must_use]
    pub fn openrouter_url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// The base URL of the Stripe stand-in: `http://127.0.0.1:1234/stripe`.
    #[must_use]
    pub fn stripe_url(&self) -> String {
        format!("http://{}/stripe", self.address)
    }

    /// What it knows.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.running.abort();
    }
}
