//! Which webhooks go out when, how often and with which flaws, and what became of them. Nothing is
//! sent here.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::objects::Event;
use super::signature::Flaw;

/// How far apart the places are among which `reorder` throws deliveries.
const SLOT: Duration = Duration::from_millis(50);
/// Retries wait at most that long.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// An `http` URL.
    pub url: String,
    /// `whsec_…`, all of which is the key.
    pub secret: String,
}

/// The switches of the control.
#[derive(Clone, Debug)]
pub struct Switches {
    /// Further copies of each event.
    pub duplicates: u32,
    /// Places among which each delivery is thrown; none keeps the order.
    pub reorder: u32,
    /// Before each delivery.
    pub delay: Duration,
    /// Whether events wait for a release.
    pub hold: bool,
    /// Whether a delivery does not wait for the answer to the one before it.
    pub parallel: bool,
    /// How many of the next attempts have a wrong signature.
    pub wrong_signature: u32,
    /// How many of the next attempts have an old timestamp.
    pub old_timestamp: u32,
    /// How many of the next deliveries are lost for ever.
    pub drop: u32,
    /// How often a delivery that fails is tried again.
    pub retries: u32,
    /// Before the first retry; doubles with each one.
    pub backoff: Duration,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            duplicates: 0,
            reorder: 0,
            delay: Duration::ZERO,
            hold: false,
            parallel: false,
            wrong_signature: 0,
            old_timestamp: 0,
            drop: 0,
            retries: 8,
            backoff: Duration::from_millis(200),
        }
    }
}

impl Switches {
    /// What the control shows.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "duplicates": self.duplicates,
            "reorder": self.reorder,
            "delay_ms": self.delay.as_millis(),
            "hold": self.hold,
            "parallel": self.parallel,
            "wrong_signature": self.wrong_signature,
            "old_timestamp": self.old_timestamp,
            "drop": self.drop,
            "retries": self.retries,
            "backoff_ms": self.backoff.as_millis(),
        })
    }
}

/// One copy of an event on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `evt_…`
    pub event: String,
    /// How often it failed.
    pub failures: u32,
}

/// One attempt, as the control shows it.
#[derive(Debug)]
pub struct Attempt {
    /// Unix time in seconds.
    pub at: i64,
    /// What the endpoint answered; none when it could not be reached.
    pub status: Option<u16>,
    /// Why it could not be reached.
    pub error: Option<String>,
    /// What was wrong with it on purpose.
    pub flaw: Option<&'static str>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this.
    Send(Delivery),
    /// Wait, for something new at most until then.
    Wait(Option<Instant>),
}

/// The deliveries.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Where they go; without it, events are only recorded.
    pub webhook: Option<Webhook>,
    /// How they go.
    pub switches: Switches,
    queue: BTreeMap<(Instant, u64), Delivery>,
    held: Vec<Delivery>,
    queued: u64,
    under_way: usize,
    random: u64,
    attempts: HashMap<String, Vec<Attempt>>,
}

impl Outbox {
    /// What `reorder` throws with.
    pub fn seed(&mut self, seed: u64) {
        self.random = seed;
    }

    /// Takes a new event.
    pub fn push(&mut self, event: &Event, now: Instant) {
        if self.webhook.is_none() {
            return;
        }
        for _ in 0..=self.switches.duplicates {
            let delivery = Delivery {
                event: event.id.clone(),
                failures: 0,
            };
            if self.switches.hold {
                self.held.push(delivery);
            } else {
                self.queue(delivery, now);
            }
        }
    }

    /// Sends an event again, once, held or not.
    pub fn resend(&mut self, event: &str, now: Instant) {
        let delivery = Delivery {
            event: event.to_owned(),
            failures: 0,
        };
        self.queue(delivery, now);
    }

    /// Ends the holding and sends what was held; says how many there were.
    pub fn release(&mut self, now: Instant) -> usize {
        self.switches.hold = false;
        let held = std::mem::take(&mut self.held);
        let count = held.len();
        for delivery in held {
            self.queue(delivery, now);
        }
        count
    }

    fn queue(&mut self, delivery: Delivery, now: Instant) {
        let slots = u64::from(self.switches.reorder).max(1);
        let slot = u32::try_from(self.throw() % slots).unwrap_or(0);
        self.queue_at(delivery, now + self.switches.delay + SLOT * slot);
    }

    fn queue_at(&mut self, delivery: Delivery, due: Instant) {
        self.queued += 1;
        self.queue.insert((due, self.queued), delivery);
    }

    /// The next number of splitmix64.
    fn throw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// What is due. What is to be sent is under way until it `ended`.
    pub fn next(&mut self, now: Instant) -> Next {
        loop {
            let Some(entry) = self.queue.first_entry() else {
                return Next::Wait(None);
            };
            let due = entry.key().0;
            if due > now {
                return Next::Wait(Some(due));
            }
            let delivery = entry.remove();
            if self.switches.drop > 0 {
                self.switches.drop = counted(self.switches.drop);
                continue;
            }
            self.under_way += 1;
            return Next::Send(delivery);
        }
    }

    /// What is to be wrong with the next attempt.
    pub fn flaw(&mut self) -> Option<Flaw> {
        let switches = &mut self.switches;
        if switches.wrong_signature > 0 {
            switches.wrong_signature = counted(switches.wrong_signature);
            return Some(Flaw::WrongSignature);
        }
        if switches.old_timestamp > 0 {
            switches.old_timestamp = counted(switches.old_timestamp);
            return Some(Flaw::OldTimestamp);
        }
        None
    }

    /// Notes an attempt, and queues the next one when it failed.
    pub fn ended(&mut self, delivery: Delivery, attempt: Attempt, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        let arrived = attempt
            .status
            .is_some_and(|status| (200..300).contains(&status));
        self.attempts
            .entry(delivery.event.clone())
            .or_default()
            .push(attempt);
        if arrived || delivery.failures >= self.switches.retries {
            return;
        }
        let backoff = self.switches.backoff * 2_u32.saturating_pow(delivery.failures.min(16));
        let next = Delivery {
            failures: delivery.failures + 1,
            ..delivery
        };
        self.queue_at(next, now + backoff.min(MAX_BACKOFF));
    }

    /// Whether nothing waits and nothing is under way; what is held does not count.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.under_way == 0
    }

    /// Forgets all deliveries and attempts, and how they go; the webhook stays.
    pub fn clear(&mut self) {
        let webhook = self.webhook.take();
        // Those under way end later.
        let under_way = self.under_way;
        *self = Self {
            webhook,
            under_way,
            ..Self::default()
        };
    }

    /// What became of an event.
    #[must_use]
    pub fn describe(&self, event: &str) -> Value {
        let of_event = |delivery: &&Delivery| delivery.event == event;
        let attempts: Vec<Value> = self
            .attempts
            .get(event)
            .into_iter()
            .flatten()
            .map(|attempt| {
                json!({
                    "at": attempt.at, "status": attempt.status, "error": attempt.error,
                    "flaw": attempt.flaw,
                })
            })
            .collect();
        json!({
            "attempts": attempts,
            "held": self.held.iter().filter(of_event).count(),
            "waiting": self.queue.values().filter(of_event).count(),
        })
    }
}

/// A count of the next ones, one of which is now over; `u32::MAX` stands for all.
fn counted(count: u32) -> u32 {
    if count == u32::MAX { count } else { count - 1 }
}
