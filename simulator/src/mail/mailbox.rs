//! The messages that were sent, and which requests asked for them. Bounded: the oldest go when there
//! are too many or when they take too much room.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::address::same;
use crate::serial::Serial;

const MOST_MESSAGES: usize = 1_000;
const MOST_BYTES: usize = 64 * 1_024 * 1_024;
const MOST_KEYS: usize = 10_000;

/// How long Resend remembers an idempotency key.
const KEY_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// One message as it was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Counts up from 1; never used twice.
    pub seq: u64,
    /// The id that the sender got.
    pub id: String,
    /// When it was handed in.
    pub at: Timestamp,
    /// The sender, with or without a name.
    pub from: String,
    /// The recipients, at least one.
    pub to: Vec<String>,
    /// Where answers go, if not to the sender.
    pub reply_to: Vec<String>,
    /// One line.
    pub subject: String,
    /// The part without markup.
    pub text: Option<String>,
    /// The part with markup, as it came: not to be trusted.
    pub html: Option<String>,
}

impl Message {
    /// Whether it is for that address; `None` is any.
    #[must_use]
    pub fn is_to(&self, address: Option<&str>) -> bool {
        address.is_none_or(|address| self.to.iter().any(|to| same(to, address)))
    }

    fn bytes(&self) -> usize {
        let lists = self.to.iter().chain(&self.reply_to).map(String::len);
        let parts = [&self.text, &self.html].map(|part| part.as_ref().map_or(0, String::len));
        self.from.len() + self.subject.len() + lists.sum::<usize>() + parts.iter().sum::<usize>()
    }
}

/// A request that bears an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The sender's key.
    pub key: String,
    /// SHA-256 of the request's body.
    pub digest: [u8; 32],
}

/// The same key came with another body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict;

/// All messages that are still kept, and the keys of their requests.
#[derive(Debug, Default)]
pub struct Messages {
    last_seq: u64,
    kept: VecDeque<Message>,
    bytes: usize,
    answered: VecDeque<(Keyed, Timestamp, String)>,
}

impl Messages {
    /// Takes a message, whose number it sets, and tells its id: that of the first when this is a
    /// repetition.
    pub fn deliver(
        &mut self,
        mut message: Message,
        keyed: Option<Keyed>,
    ) -> Result<String, Conflict> {
        let oldest = message.at - KEY_LIFE;
        self.answered.retain(|(_, at, _)| *at > oldest);
        if let Some(keyed) = keyed {
            let mut answered = self.answered.iter();
            if let Some((first, _, id)) = answered.find(|(first, ..)| first.key == keyed.key) {
                return (first.digest == keyed.digest)
                    .then(|| id.clone())
                    .ok_or(Conflict);
            }
            self.answered
                .push_back((keyed, message.at, message.id.clone()));
            if self.answered.len() > MOST_KEYS {
                self.answered.pop_front();
            }
        }
        self.last_seq += 1;
        message.seq = self.last_seq;
        let id = message.id.clone();
        self.bytes += message.bytes();
        self.kept.push_back(message);
        while self.kept.len() > MOST_MESSAGES || self.bytes > MOST_BYTES {
            let Some(gone) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= gone.bytes();
        }
        Ok(id)
    }

    /// The message with that number, if it is still kept.
    #[must_use]
    pub fn get(&self, seq: u64) -> Option<&Message> {
        self.kept.iter().find(|message| message.seq == seq)
    }

    /// The messages to an address, or to any, newest first.
    pub fn to(&self, address: Option<&str>) -> impl Iterator<Item = &Message> {
        let newest_first = self.kept.iter().rev();
        newest_first.filter(move |message| message.is_to(address))
    }

    /// The number of the latest message.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Forgets messages and keys; numbers go on.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.bytes = 0;
        self.answered.clear();
    }
}

/// The messages with those who wait for them.
#[derive(Debug, Default)]
pub struct Mailbox {
    messages: Mutex<Messages>,
    changed: Notify,
    down: AtomicBool,
    pub(super) serial: Serial,
}

impl Mailbox {
    /// The messages. Held for short, never across an await.
    pub fn messages(&self) -> MutexGuard<'_, Messages> {
        // A panic elsewhere leaves at worst one message uncounted.
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the messages fulfil `condition`, which is tried whenever one arrives.
    pub async fn until(&self, condition: impl Fn(&Messages) -> bool) {
        loop {
            let changed = self.changed.notified();
            if condition(&self.messages()) {
                return;
            }
            changed.await;
        }
    }

    /// Tells those who wait that a message arrived.
    pub(super) fn arrived(&self) {
        self.changed.notify_waiters();
    }

    /// Makes sending fail, or ends that.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// Whether sending fails.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, at_s: i64) -> Message {
        Message {
            seq: 0,
            id: id.to_owned(),
            at: Timestamp::from_second(at_s).unwrap(),
            from: "a@b.example".to_owned(),
            to: vec!["c@d.example".to_owned()],
            reply_to: Vec::new(),
            subject: "s".to_owned(),
            text: Some("t".to_owned()),
            html: None,
        }
    }

    #[test]
    fn a_repeated_request_sends_nothing_for_a_day() {
        let keyed = |key: &str, body: u8| {
            Some(Keyed {
                key: key.to_owned(),
                digest: [body; 32],
            })
        };
        let mut messages = Messages::default();
        let mut check = |id, at_s, keyed, expect: Result<&str, Conflict>, count| {
            let told = messages.deliver(message(id, at_s), keyed);
            assert_eq!(told.as_deref().map_err(|error| *error), expect, "{id}");
            assert_eq!(messages.to(None).count(), count, "{id}");
        };
        check("first", 0, keyed("k", 1), Ok("first"), 1);
        check("again", 86_399, keyed("k", 1), Ok("first"), 1);
        check("other body", 86_399, keyed("k", 2), Err(Conflict), 1);
        check("other key", 86_399, keyed("l", 1), Ok("other key"), 2);
        check("no key", 86_399, None, Ok("no key"), 3);
        check("next day", 86_400, keyed("k", 1), Ok("next day"), 4);
    }

    #[test]
    fn memory_stays_bounded() {
        let mut messages = Messages::default();
        for number in 0..=MOST_MESSAGES {
            messages
                .deliver(message(&number.to_string(), 0), None)
                .unwrap();
        }
        assert_eq!(messages.to(None).count(), MOST_MESSAGES);
        assert!(messages.get(1).is_none() && messages.get(2).is_some());
        for id in ["half", "other half"] {
            let html = Some("x".repeat(MOST_BYTES / 2));
            let large = Message {
                html,
                ..message(id, 0)
            };
            messages.deliver(large, None).unwrap();
        }
        assert_eq!(messages.to(None).count(), 1);
        messages.clear();
        assert_eq!((messages.to(None).count(), messages.bytes), (0, 0));
        assert_eq!(messages.last_seq(), 1_003);
    }
}
