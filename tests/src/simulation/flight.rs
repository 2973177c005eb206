//! A batch on its way: executed whole, up to a step, or in parts with something else in between. It
//! works on every engine alike, because a part of a batch is a batch: what its conditions say of the
//! steps before it is known by then.

use tollgate_core::hrana::{Batch, Condition, Reply, StepIndex, StepResult};

use super::wire::{Sender, Wire};

/// A batch, and what its first steps did.
#[derive(Clone, Debug)]
pub struct Flight {
    batch: Batch,
    results: Vec<StepResult>,
}

/// A condition over steps of which the first ones are known.
enum Partly {
    Known(bool),
    Open(Condition),
}

impl Flight {
    /// A batch of which nothing is executed yet.
    #[must_use]
    pub const fn new(batch: Batch) -> Self {
        Self {
            batch,
            results: Vec::new(),
        }
    }

    /// The first step that is not executed.
    #[must_use]
    pub fn next(&self) -> StepIndex {
        self.results.len()
    }

    /// How many steps there are.
    #[must_use]
    pub fn end(&self) -> StepIndex {
        self.batch.steps().len()
    }

    /// The steps before which something else can happen: no transaction is open there.
    #[must_use]
    pub fn gaps(&self) -> Vec<StepIndex> {
        let mut open = false;
        let mut gaps = Vec::new();
        for (index, step) in self.batch.steps().iter().enumerate() {
            if !open && index > self.next() {
                gaps.push(index);
            }
            match step.statement.sql() {
                "BEGIN IMMEDIATE" => open = true,
                "ROLLBACK" => open = false,
                _ => {}
            }
        }
        gaps
    }

    /// Executes the steps before `end`. A transaction that is open then is rolled back: whoever stops
    /// inside of one has crashed.
    pub fn run(&mut self, wire: &mut Wire, sender: Sender, end: StepIndex) {
        if self.next() == 0 && end == self.end() {
            let reply = wire.execute(&self.batch, sender);
            self.results = (0..end).map(|step| result(&reply, step)).collect();
            return;
        }
        let (part, places) = self.part(end);
        let reply = wire.execute(&part, sender);
        self.results.extend(
            places
                .into_iter()
                .map(|place| place.map_or(StepResult::Skipped, |place| result(&reply, place))),
        );
    }

    /// What the whole batch did, as its sender reads it.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        Reply::from_steps(self.results)
    }

    /// The steps from the next one up to `end` as a batch, and where each stands in it.
    fn part(&self, end: StepIndex) -> (Batch, Vec<Option<StepIndex>>) {
        let mut part = Batch::new();
        let mut places = Vec::new();
        for step in &self.batch.steps()[self.next()..end] {
            let condition = match &step.condition {
                None => Partly::Known(true),
                Some(condition) => self.resolve(condition, &places),
            };
            places.push(match condition {
                Partly::Known(false) => None,
                Partly::Known(true) => Some(part.step(None, step.statement.clone())),
                Partly::Open(open) => Some(part.step(Some(open), step.statement.clone())),
            });
        }
        (part, places)
    }

    fn resolve(&self, condition: &Condition, places: &[Option<StepIndex>]) -> Partly {
        match condition {
            Condition::Ok { step } => match self.results.get(*step) {
                Some(result) => Partly::Known(matches!(result, StepResult::Done(_))),
                None => match places[step - self.results.len()] {
                    Some(place) => Partly::Open(Condition::ok(place)),
                    None => Partly::Known(false),
                },
            },
            Condition::Not { cond } => match self.resolve(cond, places) {
                Partly::Known(known) => Partly::Known(!known),
                Partly::Open(open) => Partly::Open(Condition::Not {
                    cond: Box::new(open),
                }),
            },
            Condition::And { conds } => {
                let mut open = Vec::new();
                for condition in conds {
                    match self.resolve(condition, places) {
                        Partly::Known(false) => return Partly::Known(false),
                        Partly::Known(true) => {}
                        Partly::Open(condition) => open.push(condition),
                    }
                }
                if open.is_empty() {
                    Partly::Known(true)
                } else {
                    Partly::Open(Condition::And { conds: open })
                }
            }
        }
    }
}

/// What one step did, as far as a reply tells.
#[must_use]
pub fn result(reply: &Reply, step: StepIndex) -> StepResult {
    if reply.is_ok(step) {
        return StepResult::Done(reply.rows(step).to_vec());
    }
    let code = reply.failures().find(|(failed, _)| *failed == step);
    code.map_or(StepResult::Skipped, |(_, code)| StepResult::Failed {
        code: code.to_owned(),
    })
}
