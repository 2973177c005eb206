//! Disputes at the payer's bank. Each event adds to what is known of a dispute; the ledger and the
//! account follow from all that is known, so that the order of the events does not matter:
//!
//! - the credit is taken when the bank took the money, and given back when it came back or the dispute
//!   was won after that;
//! - the account is suspended while a dispute is serious and not won, also after it was lost.

use super::after_sale::{Found, booked, find, order_of};
use super::application::{Applied, Decision, Heard, Moved, by_stripe};
use super::grant::{Mismatch, add_record, alarmed, recorded};
use super::order::{Order, Part};
use crate::alarm::{Alarm, AlarmKind};
use crate::audit::Entry;
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement, Transaction};
use crate::ledger::Posting;
use crate::money::Nanos;
use crate::stripe::{Cents, Dispute, DisputeStatus, StripeId};

/// How a dispute ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Open,
    Lost,
    Won,
}

/// What a dispute is about: what it was first heard to be, so that what it takes is what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct About {
    amount: Cents,
    part: Part,
}

/// What is known of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    end: End,
    serious: bool,
    withdrawn: bool,
    returned: bool,
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Lost => "lost",
            Self::Won => "won",
        }
    }
}

impl Known {
    const NOTHING: Self = Self {
        end: End::Open,
        serious: false,
        withdrawn: false,
        returned: false,
    };

    /// What this event says alone.
    const fn of(status: DisputeStatus, moved: Moved) -> Self {
        let (end, serious) = match status {
            DisputeStatus::WarningNeedsResponse | DisputeStatus::WarningUnderReview => {
                (End::Open, false)
            }
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview => (End::Open, true),
            DisputeStatus::WarningClosed | DisputeStatus::Prevented => (End::Won, false),
            DisputeStatus::Won => (End::Won, true),
            DisputeStatus::Lost => (End::Lost, true),
        };
        let (withdrawn, reinstated) = match moved {
            Moved::No => (false, false),
            Moved::Withdrawn => (true, false),
            Moved::Reinstated => (false, true),
        };
        let won = matches!(end, End::Won);
        Self {
            end,
            serious,
            withdrawn,
            returned: reinstated || won,
        }
    }

    fn with(self, other: Self) -> Self {
        Self {
            end: self.end.max(other.end),
            serious: self.serious || other.serious,
            withdrawn: self.withdrawn || other.withdrawn,
            returned: self.returned || other.returned,
        }
    }

    fn freezes(self) -> bool {
        self.serious && self.end != End::Won
    }

    const fn gives_back(self) -> bool {
        self.withdrawn && self.returned
    }
}

const KNOWN: &str = "\
SELECT state, serious, withdrawn, returned, amount_cents, credit_nanos, proceeds_nanos
FROM disputes WHERE id = ?1";

const INSERT: &str = "\
INSERT INTO disputes (id, order_id, account_id, amount_cents, credit_nanos, proceeds_nanos, reason,
  state, serious, withdrawn, returned, created_at_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

const UPDATE: &str = "\
UPDATE disputes SET state = ?3, serious = ?4, withdrawn = ?5, returned = ?6
WHERE id = ?1 AND account_id = ?2 AND state = ?7 AND serious = ?8 AND withdrawn = ?9
  AND returned = ?10";

const SUSPEND: &str = "\
UPDATE accounts SET status = 'suspended' WHERE id = ?1 AND status = 'active' AND kind <> 'operator'";

const FROZE: &str = "\
UPDATE disputes SET froze = 1 WHERE id = ?2 AND account_id = ?1 AND changes() > 0";

// Whoever was suspended by a person, or has another dispute, stays suspended.
const RESUME: &str = "\
UPDATE accounts SET status = 'active' WHERE id = ?1 AND status = 'suspended'
  AND EXISTS (SELECT 1 FROM disputes d WHERE d.account_id = ?1 AND d.froze = 1)
  AND NOT EXISTS (SELECT 1 FROM disputes d WHERE d.account_id = ?1 AND d.serious = 1
    AND d.state <> 'won')";

const THAWED: &str = "UPDATE disputes SET froze = 0 WHERE account_id = ?1 AND changes() > 0";

pub(super) fn read(dispute: &Dispute) -> Batch {
    let mut batch = Batch::new();
    batch.step(None, order_of(dispute.payment_intent.as_ref()));
    batch.step(None, Statement::new(KNOWN).bind(dispute.id.as_str()));
    batch
}

impl About {
    /// A dispute is about the price at most, whatever the bank adds to it.
    fn of(dispute: &Dispute, order: &Order) -> Self {
        let amount = dispute.amount.min(order.price);
        Self {
            amount,
            part: order.part(amount),
        }
    }
}

fn read_about(row: &Row) -> Result<About, HranaFault> {
    Ok(About {
        amount: Cents::new(row.get(4)?),
        part: Part {
            credit: Nanos::new(row.get(5)?),
            proceeds: row.get::<Option<i64>>(6)?.map(Nanos::new),
        },
    })
}

fn read_known(row: &Row) -> Result<Known, HranaFault> {
    let word: String = row.get(0)?;
    let ends = [End::Open, End::Lost, End::Won];
    let end = ends.into_iter().find(|end| end.as_str() == word);
    Ok(Known {
        end: end.ok_or(HranaFault::UnexpectedColumn(0))?,
        serious: row.get(1)?,
        withdrawn: row.get(2)?,
        returned: row.get(3)?,
    })
}

pub(super) fn decide(
    heard: &Heard,
    (dispute, moved): (&Dispute, Moved),
    reply: &Reply,
) -> Result<Decision, HranaFault> {
    let (order, payment) = match find(heard, dispute.payment_intent.as_ref(), reply)? {
        Found::Order(order, payment) => (order, payment),
        Found::None(decision) => return Ok(decision),
    };
    if dispute.currency != "usd" || dispute.amount <= Cents::ZERO {
        let detail = format!("dispute {} does not fit order {}", dispute.id, order.id);
        return Ok(alarmed(heard, Mismatch::Amount, detail));
    }
    let row = reply.rows(1).first();
    let before = row.map(read_known).transpose()?;
    let about = row.map(read_about).transpose()?;
    let about = about.unwrap_or_else(|| About::of(dispute, &order));
    let after = before
        .unwrap_or(Known::NOTHING)
        .with(Known::of(dispute.status, moved));
    if before == Some(after) {
        return Ok(recorded(heard, Applied::Before, None));
    }
    let subject = (&*order, &payment, dispute);
    Ok(book(heard, (subject, about), (before, after)))
}

/// Writes what is known now, and what follows from it and did not follow before.
fn book(
    heard: &Heard,
    ((order, payment, dispute), about): ((&Order, &StripeId, &Dispute), About),
    (known, after): (Option<Known>, Known),
) -> Decision {
    let before = known.unwrap_or(Known::NOTHING);
    let change = by_stripe(&order.account, heard.now_ms);
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    transaction.then(match known {
        None => insert(heard, (order, dispute), (about, after)),
        Some(before) => update((order, dispute), (before, after)),
    });
    transaction.require_change();
    if let Some(sale) = order.sale(about.part, dispute.id.as_str(), "dispute") {
        if after.withdrawn && !before.withdrawn {
            Posting::dispute(&sale).append(&mut transaction, &change);
        }
        if after.gives_back() && !before.gives_back() {
            Posting::dispute_won(&sale).append(&mut transaction, &change);
        }
    }
    if after.freezes() && !before.freezes() {
        freeze(&mut transaction, heard, (order, dispute));
    }
    if before.freezes() && !after.freezes() {
        thaw(&mut transaction, heard, order);
    }
    add_record(&mut transaction, heard);
    let commit = transaction.commit();
    booked(batch, commit, payment)
}

fn insert(
    heard: &Heard,
    (order, dispute): (&Order, &Dispute),
    (About { amount, part }, known): (About, Known),
) -> Statement {
    Statement::new(INSERT)
        .bind(dispute.id.as_str())
        .bind(order.id.as_str())
        .bind(order.account.as_str())
        .bind(amount.get())
        .bind(part.credit.get())
        .bind(part.proceeds.map(Nanos::get))
        .bind(dispute.reason.as_str())
        .bind(known.end.as_str())
        .bind(known.serious)
        .bind(known.withdrawn)
        .bind(known.returned)
        .bind(heard.now_ms)
}

fn update((order, dispute): (&Order, &Dispute), (before, after): (Known, Known)) -> Statement {
    let statement = Statement::new(UPDATE)
        .bind(dispute.id.as_str())
        .bind(order.account.as_str());
    [after, before]
        .into_iter()
        .fold(statement, |statement, known| {
            statement
                .bind(known.end.as_str())
                .bind(known.serious)
                .bind(known.withdrawn)
                .bind(known.returned)
        })
}

fn freeze(transaction: &mut Transaction<'_>, heard: &Heard, (order, dispute): (&Order, &Dispute)) {
    let account = order.account.as_str();
    transaction.then(status_entry(heard, order, ("account.suspend", "suspended")));
    transaction.then(Statement::new(SUSPEND).bind(account));
    let froze = Statement::new(FROZE)
        .bind(account)
        .bind(dispute.id.as_str());
    transaction.then(froze);
    let detail = format!(
        "order {} of account {} is disputed as {}: {}",
        order.id, order.account, dispute.id, dispute.reason
    );
    let alarm = Alarm::for_operator(AlarmKind::Disputed, detail);
    transaction.then(alarm.raise(heard.now_ms));
}

fn thaw(transaction: &mut Transaction<'_>, heard: &Heard, order: &Order) {
    let account = order.account.as_str();
    transaction.then(status_entry(heard, order, ("account.resume", "active")));
    transaction.then(Statement::new(RESUME).bind(account));
    transaction.then(Statement::new(THAWED).bind(account));
}

fn status_entry(heard: &Heard, order: &Order, (action, status): (&'static str, &str)) -> Statement {
    let change = by_stripe(&order.account, heard.now_ms);
    change.of(Entry {
        action,
        table: "accounts",
        subject: order.account.as_str(),
        before: "json_object('status', r.status)",
        after: serde_json::json!({ "status": status, "because_of": "dispute" }).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known after these events, and whether money is taken, given back and the account frozen.
    fn check(events: &[(DisputeStatus, Moved)], expect: (bool, bool, bool)) {
        let fold = |events: &mut dyn Iterator<Item = &(DisputeStatus, Moved)>| {
            events.fold(Known::NOTHING, |known, (status, moved)| {
                known.with(Known::of(*status, *moved))
            })
        };
        let known = fold(&mut events.iter());
        assert_eq!(known, fold(&mut events.iter().rev()), "{events:?}");
        let got = (known.withdrawn, known.gives_back(), known.freezes());
        assert_eq!(got, expect, "{events:?}");
    }

    #[test]
    fn a_dispute_takes_freezes_and_gives_back_whatever_is_heard_first() {
        use DisputeStatus as S;
        let opened = (S::NeedsResponse, Moved::No);
        let taken = (S::NeedsResponse, Moved::Withdrawn);
        check(&[opened], (false, false, true));
        check(&[opened, taken], (true, false, true));
        check(&[opened, taken, (S::Lost, Moved::No)], (true, false, true));
        check(&[opened, taken, (S::Won, Moved::No)], (true, true, false));
        let back = (S::Won, Moved::Reinstated);
        check(
            &[opened, taken, (S::Won, Moved::No), back],
            (true, true, false),
        );
        check(
            &[opened, taken, (S::UnderReview, Moved::Reinstated)],
            (true, true, true),
        );
        let asked = (S::WarningNeedsResponse, Moved::No);
        check(&[asked], (false, false, false));
        check(
            &[asked, (S::WarningClosed, Moved::No)],
            (false, false, false),
        );
        check(
            &[asked, opened, (S::WarningClosed, Moved::No)],
            (false, false, false),
        );
        check(&[(S::Prevented, Moved::No)], (false, false, false));
        check(&[(S::Lost, Moved::No)], (false, false, true));
    }
}
