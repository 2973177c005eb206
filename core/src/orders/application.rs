//! Makes what Stripe said true in the database, once. An `Application` is driven by whoever can run a
//! batch: it reads, decides, writes under the condition that nothing changed meanwhile, and reads again
//! if something did. A crash anywhere leaves either all of a step or none of it; hearing the same again
//! goes on from there. The result does not depend on the order in which things are heard.

use serde::{Deserialize, Serialize};

use super::grant::{self, Mismatch};
use super::order::OrderState;
use super::payment::Payment;
use super::refund::AskedRefund;
use super::terms::Terms;
use super::waiting::{read_waiting, waiting_statement};
use super::{dispute, refunded};
use crate::audit::Change;
use crate::hrana::{Batch, HranaFault, Reply, StepIndex};
use crate::ids::{AccountId, OrderId};
use crate::stripe::{Dispute, Event, Happening, Refund, StripeId};

/// How often a step is decided anew because something changed since it was read.
const TRIES: u32 = 5;

/// Names an event, so that it is recorded by the transaction that applies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// `evt_…`
    pub id: StripeId,
    /// Stripe's name for it.
    pub kind: String,
    /// When it happened, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// What was heard of Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The payment of an order, as it was retrieved.
    Payment(Payment),
    /// A refund, as an event or an answer shows it.
    Refund(Refund),
    /// A dispute, as an event shows it.
    Dispute {
        /// The dispute.
        dispute: Dispute,
        /// Whether money moved.
        moved: Moved,
    },
}

/// What an event of a dispute says about the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// Nothing.
    No,
    /// The bank took it.
    Withdrawn,
    /// The bank gave it back.
    Reinstated,
}

/// What was heard, by which event if by one, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The event; `None` for an answer to our own question.
    pub stamp: Option<Stamp>,
    /// What it says.
    pub notice: Notice,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Retrieve this session, and apply what its payment is like now.
    Session(StripeId),
    /// Retrieve this payment, and apply what it is like now.
    PaymentIntent(StripeId),
    /// Apply this as it is.
    Notice(Notice),
    /// Forget this card, by `forget_card`.
    Card(StripeId),
    /// Nothing.
    Nothing,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The order is paid and the credit is there.
    Granted {
        /// Whose.
        account: AccountId,
        /// Which.
        order: OrderId,
    },
    /// The money came and goes back: ask Stripe for this refund now.
    Refused(Box<AskedRefund>),
    /// The order is where the payment is.
    Marked(OrderState),
    /// A refund or a dispute was booked.
    Booked,
    /// It was known; nothing changed.
    Before,
    /// Its payment is not granted yet; it is kept until then.
    Waits,
    /// It does not fit any order; people are told if money is there.
    Unmatched(Mismatch),
    /// Something else kept changing the same rows. Have it said again.
    Busy,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Execute this, and give the reply to `Application::next`.
    Run(Batch),
    /// Everything is done.
    Done(Applied),
}

/// What is decided after a read.
#[derive(Debug)]
pub(super) enum Decision {
    /// Write this.
    Write(Write),
    /// There is nothing to write.
    Done(Applied),
}

/// One transaction of an application.
#[derive(Debug)]
pub(super) struct Write {
    pub batch: Batch,
    pub commit: StepIndex,
    /// What is true once it is committed.
    pub applied: Applied,
    /// The payment whose waiting events may be applied now.
    pub payment: Option<StripeId>,
}

/// Something that was heard, on its way into the database.
#[derive(Debug)]
pub struct Application {
    terms: Terms,
    current: Heard,
    stage: Stage,
    tries: u32,
    /// What became of what was heard first.
    first: Option<Applied>,
    /// Events that waited, to be applied next.
    waiting: Vec<Heard>,
    /// Those of them that were tried since something was booked.
    tried: Vec<StripeId>,
}

#[derive(Debug)]
enum Stage {
    Read,
    Write {
        commit: StepIndex,
        waiting: Option<StepIndex>,
        applied: Applied,
    },
}

impl Subject {
    /// What there is to do about an event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let dispute = |dispute: &Dispute, moved| {
            Self::Notice(Notice::Dispute {
                dispute: dispute.clone(),
                moved,
            })
        };
        match &event.happening {
            Happening::Session(session) => match &session.client_reference_id {
                Some(_) => Self::Session(session.id.clone()),
                None => Self::Nothing,
            },
            // The payment of a session is told by the session.
            Happening::Payment(intent) => match &intent.metadata.kind {
                Some(_) => Self::PaymentIntent(intent.id.clone()),
                None => Self::Nothing,
            },
            Happening::Refund(refund) => Self::Notice(Notice::Refund(refund.clone())),
            Happening::Dispute(it) => dispute(it, Moved::No),
            Happening::FundsWithdrawn(it) => dispute(it, Moved::Withdrawn),
            Happening::FundsReinstated(it) => dispute(it, Moved::Reinstated),
            Happening::MethodRemoved(method) => Self::Card(method.clone()),
            Happening::Ignored => Self::Nothing,
        }
    }
}

impl From<&Event> for Stamp {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.clone(),
            kind: event.kind.clone(),
            created_at_ms: event.created_at_ms,
        }
    }
}

impl Application {
    /// Begins; execute the batch and give its reply to `next`.
    #[must_use]
    pub fn new(heard: Heard, terms: Terms) -> (Self, Batch) {
        let application = Self {
            terms,
            current: heard,
            stage: Stage::Read,
            tries: 0,
            first: None,
            waiting: Vec::new(),
            tried: Vec::new(),
        };
        let batch = application.read();
        (application, batch)
    }

    /// Goes on with the reply to the batch that was asked for last.
    pub fn next(&mut self, reply: &Reply) -> Result<Progress, HranaFault> {
        match std::mem::replace(&mut self.stage, Stage::Read) {
            Stage::Read => match self.decide(reply)? {
                Decision::Write(write) => Ok(self.write(write)),
                Decision::Done(applied) => Ok(self.finish(applied)),
            },
            Stage::Write {
                commit,
                waiting,
                applied,
            } => {
                if !reply.is_ok(commit) {
                    return Ok(self.again());
                }
                if let Some(step) = waiting {
                    self.line_up(&applied, reply, step)?;
                }
                Ok(self.finish(applied))
            }
        }
    }

    fn read(&self) -> Batch {
        match &self.current.notice {
            Notice::Payment(payment) => grant::read(payment, &self.terms, self.current.now_ms),
            Notice::Refund(refund) => refunded::read(refund),
            Notice::Dispute { dispute, .. } => dispute::read(dispute),
        }
    }

    fn decide(&self, reply: &Reply) -> Result<Decision, HranaFault> {
        let heard = &self.current;
        match &heard.notice {
            Notice::Payment(payment) => grant::decide(heard, payment, (&self.terms, reply)),
            Notice::Refund(refund) => refunded::decide(heard, refund, reply),
            Notice::Dispute { dispute, moved } => dispute::decide(heard, (dispute, *moved), reply),
        }
    }

    fn write(&mut self, write: Write) -> Progress {
        let mut batch = write.batch;
        let waiting = write.payment.as_ref();
        let waiting = waiting.map(|payment| batch.step(None, waiting_statement(payment)));
        self.stage = Stage::Write {
            commit: write.commit,
            waiting,
            applied: write.applied,
        };
        Progress::Run(batch)
    }

    fn again(&mut self) -> Progress {
        self.tries = self.tries.saturating_add(1);
        if self.tries >= TRIES {
            return self.finish(Applied::Busy);
        }
        Progress::Run(self.read())
    }

    /// Takes up the events that waited for what was just written.
    fn line_up(
        &mut self,
        applied: &Applied,
        reply: &Reply,
        step: StepIndex,
    ) -> Result<(), HranaFault> {
        // What was booked may have made room for what was tried in vain before.
        if *applied == Applied::Booked {
            self.tried.clear();
        }
        let now_ms = self.current.now_ms;
        let rows = reply.rows(step).iter();
        let waiting = rows.map(|row| read_waiting(row, now_ms));
        self.waiting = waiting.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The current notice is done: on to one that waited, or to the end.
    fn finish(&mut self, applied: Applied) -> Progress {
        if applied == Applied::Busy {
            return Progress::Done(Applied::Busy);
        }
        let first = self.first.get_or_insert(applied).clone();
        while !self.waiting.is_empty() {
            let heard = self.waiting.remove(0);
            let id = heard.stamp.as_ref().map(|stamp| stamp.id.clone());
            if id.as_ref().is_some_and(|id| self.tried.contains(id)) {
                continue;
            }
            self.tried.extend(id);
            self.current = heard;
            self.tries = 0;
            return Progress::Run(self.read());
        }
        Progress::Done(first)
    }
}

/// Who changes what Stripe says.
pub(super) fn by_stripe(account: &AccountId, now_ms: i64) -> Change {
    Change {
        account: account.clone(),
        actor: "stripe".to_owned(),
        at_ms: now_ms,
    }
}
