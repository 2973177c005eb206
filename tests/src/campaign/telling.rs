//! What callers were told, held against the books.

use std::collections::BTreeMap;

use super::bills::Bill;
use super::books::Call;
use super::workload::{End, Told};

/// How long a caller may take to read what was sent before a process died, in milliseconds.
const READ_MS: i64 = 1_000;

/// A time without a process, in Unix milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// When it was killed.
    pub from_ms: i64,
    /// When everything answered again.
    pub until_ms: i64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Telling {
    /// Calls by what their callers saw.
    pub ends: BTreeMap<String, u64>,
    /// Charges that a caller was told, and that were settled to the nano.
    pub as_told: u64,
    /// Charges that a caller was told right before a crash, and that were resolved afterwards.
    pub otherwise: u64,
    /// Every rule that was broken, in words.
    pub violations: Vec<String>,
}

impl Telling {
    /// Every call of which an answer began is in the books, under the provider's own id, and was
    /// charged what its caller was told. Only where a crash came between the telling and the
    /// settlement the sweep settled it, which knows the provider's record or nothing: then it is
    /// charged something.
    pub fn check(
        &mut self,
        told: &[Told],
        (calls, bills): (&[Call], &[Bill]),
        outage: Option<Outage>,
    ) {
        let calls: BTreeMap<i64, &Call> = calls.iter().map(|call| (call.id, call)).collect();
        let bills = bills.iter().map(|bill| (bill.marker.as_str(), bill));
        let bills: BTreeMap<&str, &Bill> = bills.collect();
        for told in told {
            let end = format!("{:?} {}", told.end, told.error);
            *self.ends.entry(end.trim_end().to_owned()).or_default() += 1;
            let Some(id) = told.id.filter(|_| told.begun) else {
                continue;
            };
            let Some(call) = calls.get(&id) else {
                self.violations
                    .push(format!("answered, and in no book: {told:?}"));
                continue;
            };
            let bill = bills.get(told.marker.as_str());
            let generation = bill.map(|bill| &bill.generation);
            if call.generation.is_some() && call.generation.as_ref() != generation {
                self.violations.push(format!("{bill:?} became {call:?}"));
            }
            if let Some(charge) = told.charge {
                self.check_charge((told, charge), call, outage);
            }
        }
    }

    /// While nothing is killed and the provider does nothing wrong, a call that is not answered is one
    /// that somebody could not pay.
    pub fn check_manners(&mut self, told: &[Told]) {
        let unpaid = ["insufficient_credits", "reseller_unavailable"];
        for told in told {
            let fine = match told.end {
                End::Whole | End::Left => true,
                End::Refused(_) => unpaid.contains(&told.error.as_str()),
                End::Failed | End::Broken | End::Unheard => false,
            };
            if !fine {
                self.violations.push(format!("without a cause: {told:?}"));
            }
        }
    }

    fn check_charge(&mut self, (told, charge): (&Told, i64), call: &Call, outage: Option<Outage>) {
        let interrupted = outage.is_some_and(|outage| {
            told.at_ms <= outage.until_ms + READ_MS
                && call
                    .resolved_at_ms
                    .is_some_and(|at_ms| at_ms >= outage.from_ms)
        });
        let charged = call.levels[0].charge;
        let settled = call.state == "settled" || charge == 0;
        if settled && charged == charge {
            self.as_told += 1;
        } else if call.state == "settled" && charged > 0 && interrupted {
            self.otherwise += 1;
        } else {
            self.violations
                .push(format!("told {told:?}, booked {call:?}"));
        }
    }
}
