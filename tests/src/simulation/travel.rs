//! How a batch fares on its way: it arrives or not, whole or cut off, once or twice, now or later, and
//! its reply may be lost. What was executed is audited at once.

use tollgate_core::hrana::{Batch, Reply};

use super::audit::Intent;
use super::chance::Chance;
use super::flight::Flight;
use super::wire::Sender;
use super::{Operation, Simulation};

/// How long a batch may be on its way, in milliseconds: the server ends a transaction after five
/// seconds, and the gateway waits for six.
const LONGEST_MS: i64 = 6_000;

/// A batch on its way.
#[derive(Clone, Debug)]
pub struct Travel {
    flight: Flight,
    sender: Sender,
    /// What it is meant to do.
    pub intent: Intent,
    sent_ms: i64,
    whole: bool,
}

/// What its sender learns.
#[derive(Debug)]
pub enum Sent {
    /// The reply. `clean`: nothing else happened between its steps, and it ran once.
    Reply { reply: Reply, clean: bool },
    /// Nothing.
    Lost,
    /// Nothing yet: other things happen between its steps.
    Paused(Box<Travel>),
}

/// How often something was sent that is sent until it is answered, and where it is now.
#[derive(Debug, Default)]
pub struct Tries {
    /// How often it came to an end: with a reply, or with nothing.
    pub ended: u32,
    paused: Option<Box<Travel>>,
}

impl Tries {
    /// Whether it is on its way, and stands still.
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }
}

/// What happens to a batch on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Clean,
    ReplyLost,
    NeverArrives,
    Cut,
    Late,
    Paused,
    /// Paused where what was read is old when the transaction begins.
    BeforeTransaction,
    Twice,
    /// Whole, and once more later.
    Echo,
}

/// What a run is like: some are calm, some are all faults, and some do one thing most of the time.
#[derive(Debug)]
pub struct Habits {
    /// How often each operation is drawn.
    pub operations: Vec<(Operation, u32)>,
    fates: Vec<(Fate, u32)>,
    /// Of a hundred steps of a running call, in how many its Worker dies.
    pub deaths: u32,
    /// Of a hundred new calls, how many draw an id that another has.
    pub collisions: u32,
}

impl Habits {
    /// The habits of a seed.
    pub fn new(chance: &mut Chance) -> Self {
        let usual = [
            (Operation::Call, 20),
            (Operation::Work, 110),
            (Operation::Race, 8),
            (Operation::Sweep, 14),
            (Operation::Post, 12),
            (Operation::Tune, 6),
            (Operation::TrueUp, 8),
            (Operation::Roll, 2),
            (Operation::Arrive, 10),
            (Operation::Office, 5),
            (Operation::Clock, 6),
        ];
        let operations = usual.map(|(operation, weight)| {
            let much = if chance.percent(15) { 3 } else { 1 };
            (operation, weight * much)
        });
        let calm = chance.percent(15);
        let mut weight = |usual: u32| {
            if calm || chance.percent(20) {
                0
            } else if chance.percent(20) {
                usual * 4
            } else {
                usual
            }
        };
        let fates = vec![
            (Fate::Clean, 60),
            (Fate::ReplyLost, weight(7)),
            (Fate::NeverArrives, weight(4)),
            (Fate::Cut, weight(6)),
            (Fate::Late, weight(4)),
            (Fate::Paused, weight(14)),
            (Fate::Twice, weight(4)),
            (Fate::Echo, weight(5)),
        ];
        let deaths = weight(3);
        let collisions = weight(4);
        Self {
            operations: operations.to_vec(),
            fates,
            deaths,
            collisions,
        }
    }

    /// Nothing goes wrong any more.
    pub fn calm(&mut self) {
        self.fates = vec![(Fate::Clean, 1)];
        self.deaths = 0;
    }
}

impl Simulation {
    /// Sends a batch.
    pub(super) fn send(
        &mut self,
        batch: Batch,
        sender: Sender,
        intent: Intent,
    ) -> Result<Sent, String> {
        self.travel(Travel {
            flight: Flight::new(batch),
            sender,
            intent,
            sent_ms: self.clock.true_ms,
            whole: true,
        })
    }

    /// Goes on with what is on its way, or sends it once more: the reply, and whether it is `clean`.
    /// `None`: nothing was heard, or not yet.
    pub(super) fn try_on(
        &mut self,
        tries: &mut Tries,
        send: impl FnOnce(&mut Self) -> Result<Sent, String>,
    ) -> Result<Option<(Reply, bool)>, String> {
        let sent = match tries.paused.take() {
            Some(travel) => self.travel(*travel)?,
            None => send(self)?,
        };
        let heard = match sent {
            Sent::Paused(travel) => {
                tries.paused = Some(travel);
                return Ok(None);
            }
            Sent::Reply { reply, clean } => Some((reply, clean)),
            Sent::Lost => None,
        };
        tries.ended += 1;
        Ok(heard)
    }

    /// Executes a batch that nothing happens to.
    pub(super) fn send_safely(
        &mut self,
        batch: Batch,
        sender: Sender,
        intent: &Intent,
    ) -> Result<Reply, String> {
        let mut flight = Flight::new(batch);
        let end = flight.end();
        flight.run(&mut self.wire, sender, end);
        self.auditor.observe(&mut self.wire, intent)?;
        Ok(flight.into_reply())
    }

    /// Sends a batch, or goes on with one.
    pub(super) fn travel(&mut self, mut travel: Travel) -> Result<Sent, String> {
        let drawn = self.chance.weighted(&self.habits.fates);
        let fate = self.forced.unwrap_or(drawn);
        let end = travel.flight.end();
        let too_old = self.clock.true_ms - travel.sent_ms > LONGEST_MS;
        let fate = match fate {
            _ if too_old => Fate::NeverArrives,
            Fate::Paused | Fate::BeforeTransaction if travel.flight.gaps().is_empty() => {
                Fate::Clean
            }
            Fate::Twice | Fate::Late | Fate::Echo if travel.flight.next() > 0 => Fate::Clean,
            fate => fate,
        };
        self.auditor.note(&format!("fate: {fate:?}"));
        if !matches!(fate, Fate::Clean) {
            self.tell(format!("    {fate:?}"));
        }
        match fate {
            Fate::NeverArrives => Ok(Sent::Lost),
            Fate::Late => {
                self.late.push(travel);
                Ok(Sent::Lost)
            }
            Fate::Cut => {
                let steps = end - travel.flight.next();
                let stop = travel.flight.next() + self.chance.below(steps + 1);
                self.execute(&mut travel, stop)?;
                Ok(Sent::Lost)
            }
            Fate::ReplyLost => {
                self.execute(&mut travel, end)?;
                Ok(Sent::Lost)
            }
            Fate::Paused | Fate::BeforeTransaction => {
                let gaps = travel.flight.gaps();
                let first = travel.flight.before_transaction();
                let first = first.filter(|_| fate == Fate::BeforeTransaction);
                let gap = first.unwrap_or_else(|| *self.chance.pick(&gaps));
                self.execute(&mut travel, gap)?;
                travel.whole = false;
                Ok(Sent::Paused(Box::new(travel)))
            }
            Fate::Twice => {
                let mut first = travel.clone();
                self.execute(&mut first, end)?;
                self.execute(&mut travel, end)?;
                let heard = if self.chance.percent(50) {
                    first
                } else {
                    travel
                };
                Ok(Sent::Reply {
                    reply: heard.flight.into_reply(),
                    clean: false,
                })
            }
            Fate::Clean | Fate::Echo => {
                if fate == Fate::Echo {
                    self.late.push(travel.clone());
                }
                self.execute(&mut travel, end)?;
                Ok(Sent::Reply {
                    clean: travel.whole,
                    reply: travel.flight.into_reply(),
                })
            }
        }
    }

    /// A late batch arrives; nobody hears its reply.
    pub(super) fn arrive(&mut self) -> Result<(), String> {
        let now_ms = self.clock.true_ms;
        self.late
            .retain(|travel| now_ms - travel.sent_ms <= LONGEST_MS);
        if self.late.is_empty() {
            return Ok(());
        }
        let index = self.chance.below(self.late.len());
        let mut travel = self.late.swap_remove(index);
        self.tell(format!("late: {}", brief(&travel.intent)));
        let end = travel.flight.end();
        self.execute(&mut travel, end)
    }

    fn execute(&mut self, travel: &mut Travel, end: usize) -> Result<(), String> {
        travel.flight.run(&mut self.wire, travel.sender, end);
        self.auditor.observe(&mut self.wire, &travel.intent)
    }
}

/// A few words on what a batch is meant to do.
pub fn brief(intent: &Intent) -> String {
    match intent {
        Intent::Read => "a read".to_owned(),
        Intent::Admit(admit) => format!(
            "admission of call {} as {}",
            admit.call,
            admit.ask.request.get()
        ),
        Intent::Renew { request, until_ms } => format!("renewal of {request} until {until_ms}"),
        Intent::Extend(extension) => format!("extension of {}", extension.request.get()),
        Intent::Resolve(resolution) => format!(
            "resolution of {} as {} for {}",
            resolution.request.get(),
            resolution.outcome.as_str(),
            resolution.charge().get()
        ),
        Intent::Post(posting) => posting
            .entries()
            .map(|entry| {
                let (kind, amount) = (entry.kind.as_str(), entry.amount.get());
                format!(
                    "{kind} of {amount} for {} as `{}`",
                    entry.account, entry.reference
                )
            })
            .collect::<Vec<_>>()
            .join(", "),
        Intent::TrueUp { request, outcome } => {
            format!("true-up of {request} as {}", outcome.as_str())
        }
        Intent::Prune => "old requests go".to_owned(),
        Intent::Office => "a change by a person".to_owned(),
    }
}
