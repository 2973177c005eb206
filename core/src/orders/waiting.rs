//! Events that Stripe sent: each is recorded by the transaction that applies it, and one that came
//! before its payment was granted waits in the same table.

use serde::{Deserialize, Serialize};

use super::application::{Heard, Moved, Notice, Stamp};
use crate::hrana::{HranaFault, Row, Statement};
use crate::stripe::{Dispute, Refund, StripeId};

/// What of a waiting event is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireNotice {
    Refund(Refund),
    Dispute { dispute: Dispute, moved: Moved },
}

/// The event was applied, or is none that can be: it waits for nothing.
const RECORD: &str = "\
INSERT INTO stripe_events (id, kind, waits_for, body, created_at_ms, received_at_ms)
VALUES (?1, ?2, NULL, '', ?3, ?4)
ON CONFLICT (id) DO UPDATE SET waits_for = NULL, body = ''";

const COLUMNS: &str = "id, kind, created_at_ms, body, waits_for";

/// How long an event waits for a payment that is not ours, in milliseconds.
const PATIENCE_MS: i64 = 30 * 86_400_000;

/// Records that an event was applied.
pub(super) fn record(stamp: &Stamp, now_ms: i64) -> Statement {
    Statement::new(RECORD)
        .bind(stamp.id.as_str())
        .bind(stamp.kind.as_str())
        .bind(stamp.created_at_ms)
        .bind(now_ms)
}

/// Lets an event wait for a payment, if the SQL condition still holds: it may read the payment as `?5`
/// and an amount in cents as `?7`. An event that was heard before stays as it is.
pub(super) fn wait(
    heard: &Heard,
    payment: &StripeId,
    (while_so, cents): (&str, i64),
) -> Option<Statement> {
    let stamp = heard.stamp.as_ref()?;
    let sql = format!(
        "INSERT INTO stripe_events (id, kind, waits_for, body, created_at_ms, received_at_ms) \
         SELECT ?1, ?2, ?5, ?6, ?3, ?4 WHERE ?7 >= 0 AND {while_so} ON CONFLICT (id) DO NOTHING"
    );
    let statement = Statement::new(sql)
        .bind(stamp.id.as_str())
        .bind(stamp.kind.as_str())
        .bind(stamp.created_at_ms)
        .bind(heard.now_ms)
        .bind(payment.as_str())
        .bind(body(&heard.notice)?)
        .bind(cents);
    Some(statement)
}

fn body(notice: &Notice) -> Option<String> {
    let wire = match notice {
        Notice::Payment(_) => return None,
        Notice::Refund(refund) => WireNotice::Refund(refund.clone()),
        Notice::Dispute { dispute, moved } => WireNotice::Dispute {
            dispute: dispute.clone(),
            moved: *moved,
        },
    };
    serde_json::to_string(&wire).ok()
}

/// Reads the events that wait for a payment, the oldest first.
pub(super) fn waiting_statement(payment: &StripeId) -> Statement {
    Statement::new(format!(
        "SELECT {COLUMNS} FROM stripe_events WHERE waits_for = ?1 ORDER BY created_at_ms, id"
    ))
    .bind(payment.as_str())
}

/// Reads events whose payment was granted meanwhile, the oldest first: what a crash left waiting.
#[must_use]
pub fn leftovers_statement(limit: u32) -> Statement {
    let sql = "SELECT e.id, e.kind, e.created_at_ms, e.body, e.waits_for FROM stripe_events e \
               WHERE e.waits_for IS NOT NULL \
               AND EXISTS (SELECT 1 FROM orders o WHERE o.payment_intent_id = e.waits_for) \
               ORDER BY e.created_at_ms, e.id LIMIT ?1";
    Statement::new(sql).bind(i64::from(limit))
}

/// Leaves aside what has waited for a month: it is about a payment that is not for an order.
#[must_use]
pub fn forget_waiting_statement(now_ms: i64) -> Statement {
    let sql = "UPDATE stripe_events SET waits_for = NULL, body = '' \
               WHERE waits_for IS NOT NULL AND received_at_ms < ?1 \
               AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.payment_intent_id = waits_for)";
    Statement::new(sql).bind(now_ms.saturating_sub(PATIENCE_MS))
}

/// Reads an event that waits.
pub fn read_waiting(row: &Row, now_ms: i64) -> Result<Heard, HranaFault> {
    let id: String = row.get(0)?;
    let body: String = row.get(3)?;
    let wire = serde_json::from_str(&body).map_err(|_| HranaFault::UnexpectedColumn(3))?;
    Ok(Heard {
        stamp: Some(Stamp {
            id: StripeId::parse(&id).ok_or(HranaFault::UnexpectedColumn(0))?,
            kind: row.get(1)?,
            created_at_ms: row.get(2)?,
        }),
        notice: match wire {
            WireNotice::Refund(refund) => Notice::Refund(refund),
            WireNotice::Dispute { dispute, moved } => Notice::Dispute { dispute, moved },
        },
        now_ms,
    })
}
