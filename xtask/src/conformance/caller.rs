//! One key of the gateway and the credit behind it: makes calls, asks what they cost, and watches
//! the balance. What is expected of either is decided by the checks.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::call::{Call, Until};
use super::gateway::{Answer, Gateway};
use super::outcome::{Outcome, Stop, applies};
use super::usd::Usd;
use crate::failure::Failure;

/// Between two questions to the gateway.
const PAUSE: Duration = Duration::from_millis(100);

/// A key and what is known of its account.
#[derive(Debug)]
pub struct Caller {
    gateway: Gateway,
    /// The longest wait for a charge that is still to come.
    patience: Duration,
    /// How long a balance stands still before it is believed, where holds are not told.
    settle: Duration,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    charged: Usd,
    untold: u64,
    /// Whether a call was made whose charge nobody has waited for.
    under_way: bool,
    has_generations: Option<bool>,
}

/// What an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credits {
    /// What is left, holds included.
    pub balance: Usd,
    /// What of it calls in flight hold, where the gateway tells it.
    pub held: Option<Usd>,
}

/// What `GET generation` tells of a call.
#[derive(Clone, Debug)]
pub struct Generation {
    /// What it cost.
    pub cost: Usd,
    /// Whether that may still change.
    pub estimated: bool,
}

impl Caller {
    /// A key that made no call yet.
    #[must_use]
    pub fn new(gateway: Gateway, patience: Duration, settle: Duration) -> Self {
        Self {
            gateway,
            patience,
            settle,
            books: Mutex::default(),
        }
    }

    /// The gateway, for calls that are made of something else than JSON.
    #[must_use]
    pub const fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The longest wait for a charge.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Makes a call and books its charge.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn one_shot(&self, body: &Value) -> Outcome<Call> {
        self.named(body, None)
    }

    /// The same with an `Idempotency-Key`.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn named(&self, body: &Value, key: Option<&str>) -> Outcome<Call> {
        self.text(&body.to_string(), key)
    }

    /// The same with a body of any text.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn text(&self, body: &str, key: Option<&str>) -> Outcome<Call> {
        self.note(true);
        let answer = self.gateway.post(body, key);
        self.booked(answer.map(Call::of))
    }

    /// Makes a streamed call, reads it to its end and books its charge.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn streamed(&self, body: &Value) -> Outcome<Call> {
        self.note(true);
        let stream = self.gateway.stream(&body.to_string());
        self.booked(stream.and_then(|stream| Call::read(stream, Until::End)))
    }

    /// Makes a streamed call and leaves it. Nothing is booked.
    ///
    /// # Errors
    /// When the connection fails or the stream ends before.
    pub fn left(&self, body: &Value, until: Until) -> Outcome<Call> {
        self.note(true);
        let stream = self.gateway.stream(&body.to_string())?;
        Ok(Call::read(stream, until)?)
    }

    /// Adds a charge to the books; `None` is one that nobody tells.
    pub fn book(&self, charge: Option<Usd>) {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        match charge {
            Some(charge) => books.charged = books.charged + charge,
            None => books.untold += 1,
        }
    }

    /// The sum of all charges that were told, and how many calls told none.
    #[must_use]
    pub fn booked_so_far(&self) -> (Usd, u64) {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        (books.charged, books.untold)
    }

    fn booked(&self, call: Result<Call, Failure>) -> Outcome<Call> {
        // Nobody knows what a call cost whose connection broke.
        let mut call = call.inspect_err(|_| self.book(None))?;
        if call.made() {
            if call.cost.is_none() {
                call.cost = self.generation(&call)?.map(|told| told.cost);
            }
            self.book(call.cost);
        }
        Ok(call)
    }

    /// What the gateway knows of a call; `None` where it tells nothing.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn generation(&self, call: &Call) -> Outcome<Option<Generation>> {
        let has = self.books.lock().map(|books| books.has_generations);
        let has = has.unwrap_or_default();
        let plain = |id: &&String| {
            let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
            id.bytes().all(plain)
        };
        let Some(id) = call.ids.iter().find(plain).filter(|_| has != Some(false)) else {
            return Ok(None);
        };
        // Whoever never told anything may have no such route.
        let patience = if has.is_some() {
            self.patience
        } else {
            self.settle
        };
        let started = Instant::now();
        let told = loop {
            let answer = self.gateway.get(&format!("generation?id={id}"))?;
            let told = read_generation(&answer);
            if told.is_some() || started.elapsed() > patience {
                break told;
            }
            std::thread::sleep(PAUSE);
        };
        if has.is_none()
            && let Ok(mut books) = self.books.lock()
        {
            books.has_generations = Some(told.is_some());
        }
        Ok(told)
    }

    /// What there is before something is tried: once every earlier call has been charged.
    ///
    /// # Errors
    /// When the gateway does not tell it, or credit stays held.
    pub fn before(&self) -> Outcome<Credits> {
        let now = self.credits()?;
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = books.under_way;
        drop(books);
        if under_way {
            let free = now.held.map(|_| Usd::ZERO);
            self.fallen(Credits { held: free, ..now }, None)?;
        }
        self.credits()
    }

    fn note(&self, under_way: bool) {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.under_way = under_way;
    }

    /// What there is now.
    ///
    /// # Errors
    /// When the gateway does not tell it.
    pub fn credits(&self) -> Outcome<Credits> {
        let answer = self.gateway.get("credits")?;
        let credits = read_credits(&answer);
        credits.ok_or_else(|| {
            let status = answer.status;
            Stop::NotApplicable(format!(
                "the gateway has no `GET credits` that tells a balance (status {status})"
            ))
        })
    }

    /// How far the balance has fallen since, once nothing more is held than then. Waits for an
    /// expected charge, and otherwise until nothing changes.
    ///
    /// # Errors
    /// When credit stays held.
    pub fn fallen(&self, before: Credits, expected: Option<Usd>) -> Outcome<Usd> {
        let started = Instant::now();
        let mut since = (self.credits()?, Instant::now());
        loop {
            let now = self.credits()?;
            if now != since.0 {
                since = (now, Instant::now());
            }
            let fall = before.balance - now.balance;
            let released = now.held <= before.held;
            let arrived = expected.is_some_and(|charge| charge.nanos() == fall.nanos());
            let told = now.held.is_some() && expected.is_none();
            if released && (arrived || told || since.1.elapsed() >= self.settle) {
                self.note(false);
                return Ok(fall);
            }
            if started.elapsed() > self.patience {
                let held = now.held.unwrap_or_default();
                return Err(Stop::Fail(format!(
                    "`{held}` is still held after {} seconds",
                    self.patience.as_secs()
                )));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// How far the balance has fallen since, and what `GET generation` tells of the one call that
    /// was made, once both agree on a charge or patience is at its end.
    ///
    /// # Errors
    /// When credit stays held.
    pub fn agreed(&self, before: Credits, call: &Call) -> Outcome<(Usd, Option<Generation>)> {
        let started = Instant::now();
        loop {
            let told = self.generation(call)?;
            let expected = told.as_ref().map(|told| told.cost);
            let fall = self.fallen(before, expected)?;
            let agrees = |told: &Generation| !told.estimated && told.cost.nanos() == fall.nanos();
            let agree = told.as_ref().is_none_or(agrees);
            if (agree && fall > Usd::ZERO) || started.elapsed() > self.patience {
                return Ok((fall, told));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Makes the same call many times at once; the answers in any order.
    ///
    /// # Errors
    /// When a connection fails.
    pub fn at_once(&self, calls: usize, body: &Value, key: Option<&str>) -> Outcome<Vec<Call>> {
        std::thread::scope(|scope| {
            let calls: Vec<_> = (0..calls)
                .map(|_| scope.spawn(|| self.named(body, key)))
                .collect();
            let ended = calls.into_iter().map(|call| match call.join() {
                Ok(call) => call,
                Err(_) => Err(Stop::Fail("the suite failed in a call".to_owned())),
            });
            ended.collect()
        })
    }
}

fn read_credits(answer: &Answer) -> Option<Credits> {
    let data = answer.body.get("data").unwrap_or(&answer.body);
    let amount = |name: &str| Usd::read(&data[name]);
    let difference = || Some(amount("total_credits")? - amount("total_usage")?);
    Some(Credits {
        balance: amount("balance").or_else(difference)?,
        held: amount("held"),
    })
    .filter(|_| answer.status == 200)
}

fn read_generation(answer: &Answer) -> Option<Generation> {
    let data = answer.body.get("data").unwrap_or(&answer.body);
    Some(Generation {
        cost: Usd::read(&data["total_cost"])?,
        estimated: data["estimated"] == true,
    })
    .filter(|_| answer.status == 200)
}

/// Goes on if somebody tells what a call cost.
///
/// # Errors
/// When nobody does.
pub fn told(call: &Call) -> Outcome<Usd> {
    applies(call.cost.is_some(), || {
        "neither `usage.cost` nor `GET generation` tells what a call cost".to_owned()
    })?;
    Ok(call.cost.unwrap_or_default())
}
