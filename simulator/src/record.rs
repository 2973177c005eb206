//! What the simulator remembers: every request it received, and what each generation used. Bounded:
//! the oldest entries go when there are too many or when their bodies take too much room.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::World;
use crate::provider::generation::Generation;

const MAX_ENTRIES: usize = 100_000;
const MAX_KEPT_BYTES: usize = 256 * 1_024 * 1_024;
const MAX_BODY_BYTES: usize = 64 * 1_024;

/// One request as it arrived, and how it ended.
#[derive(Debug)]
pub struct Entry {
    /// Counts up from 1; never used twice.
    pub seq: u64,
    /// When its body was complete.
    pub received: Timestamp,
    /// `POST`
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Lines of `name: value`; of a credential only the last four characters.
    pub headers: String,
    /// The first 64 KiB of the body.
    pub body: Vec<u8>,
    /// The length of the whole body in bytes.
    pub body_bytes: usize,
    /// The model's name without knobs, when the request was a readable chat request.
    pub model: Option<String>,
    /// How it ended; `None` while it is under way.
    pub outcome: Option<Outcome>,
    /// How often its generation was looked up.
    pub lookups: u32,
}

/// How a request ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The status that was sent; `None` when no response head was.
    pub status: Option<u16>,
    /// Whether the client left before the answer was complete.
    pub client_gone: bool,
    /// What would be billed; `None` when nothing was generated.
    pub generation: Option<Generation>,
}

/// Sums since the start or the last clearing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Requests received.
    pub received: u64,
    /// Requests whose client left before the answer was complete.
    pub clients_gone: u64,
    /// 1e-12 USD that would be billed.
    pub billed_picos: i128,
}

/// The requests in order of arrival.
#[derive(Debug, Default)]
pub struct Log {
    last_seq: u64,
    entries: VecDeque<Entry>,
    kept_bytes: usize,
    in_flight: u64,
    totals: Totals,
}

impl Log {
    /// Adds a request that just arrived and gives it its number.
    pub fn open(&mut self, mut entry: Entry) -> u64 {
        self.last_seq += 1;
        entry.seq = self.last_seq;
        entry.body.truncate(MAX_BODY_BYTES);
        self.kept_bytes += kept_bytes(&entry);
        self.entries.push_back(entry);
        while self.entries.len() > MAX_ENTRIES || self.kept_bytes > MAX_KEPT_BYTES {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.kept_bytes -= kept_bytes(&oldest);
        }
        self.in_flight += 1;
        self.totals.received += 1;
        self.last_seq
    }

    /// Notes how request `seq` ended.
    pub fn close(&mut self, seq: u64, outcome: Outcome) {
        self.in_flight -= 1;
        // A request from before a clearing is no part of the sums after it.
        if let Some(entry) = self.entry_mut(seq) {
            let billed = outcome
                .generation
                .as_ref()
                .map_or(0, |made| made.cost().total().0);
            let gone = u64::from(outcome.client_gone);
            entry.outcome = Some(outcome);
            self.totals.billed_picos += billed;
            self.totals.clients_gone += gone;
        }
    }

    /// The entry with that number, if it is still kept.
    pub fn entry_mut(&mut self, seq: u64) -> Option<&mut Entry> {
        let first = self.entries.front()?.seq;
        self.entries
            .get_mut(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// All that is kept, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The number of the latest request.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Requests under way.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// The sums.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Forgets all requests and sums; numbers go on.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.kept_bytes = 0;
        self.totals = Totals::default();
    }
}

fn kept_bytes(entry: &Entry) -> usize {
    entry.body.len() + entry.headers.len() + entry.path.len()
}

/// A request under way. When it is dropped, the log learns how the request ended: unless it was
/// `finished`, the client left.
#[derive(Debug)]
pub struct OpenCall {
    world: Arc<World>,
    /// The request's number.
    pub seq: u64,
    outcome: Outcome,
}

impl OpenCall {
    /// Logs a request that just arrived.
    #[must_use]
    pub fn new(world: &Arc<World>, entry: Entry) -> Self {
        let seq = world.log().open(entry);
        world.record_changed();
        let outcome = Outcome {
            client_gone: true,
            ..Outcome::default()
        };
        Self {
            world: Arc::clone(world),
            seq,
            outcome,
        }
    }

    /// Notes which model the request asks for.
    pub fn asks_for(&mut self, model: &str) {
        if let Some(entry) = self.world.log().entry_mut(self.seq) {
            entry.model = Some(model.to_owned());
        }
    }

    /// A response head with that status goes out.
    pub fn answered(&mut self, status: u16) {
        self.outcome.status = Some(status);
    }

    /// From here on something is billed.
    pub fn generates(&mut self, generation: Generation) {
        self.outcome.generation = Some(generation);
    }

    /// The generation under way.
    #[must_use]
    pub fn generation(&self) -> Option<&Generation> {
        self.outcome.generation.as_ref()
    }

    /// `tokens` output tokens are generated by now.
    pub fn generated(&mut self, tokens: u64) {
        if let Some(generation) = &mut self.outcome.generation {
            generation.tokens = tokens;
        }
    }

    /// The answer is complete, or broken off as planned.
    pub fn finished(&mut self) {
        self.outcome.client_gone = false;
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut outcome = std::mem::take(&mut self.outcome);
        if let Some(generation) = &mut outcome.generation {
            generation.end(outcome.client_gone);
        }
        self.world.log().close(self.seq, outcome);
        self.world.record_changed();
    }
}
