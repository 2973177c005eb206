//! What Stripe says becomes true here, whoever hears it: the webhook, the page after a payment, the
//! scheduled task. It runs the core's `Application`; what a payment means is decided there.

mod scheduled;
mod stopped_top_ups;
mod webhook;

use serde_json::json;
use tollgate_core::hrana::Batch;
use tollgate_core::orders::{
    Application, Applied, AskedRefund, Fee, Heard, NoPayment, Notice, Payment, Progress, SavedNow,
    Stamp, Terms, forget_card,
};
use tollgate_core::stripe::{
    Cents, StripeError, StripeId, StripeRequest, read_payment_intent, read_refund, read_session,
    retrieve_payment_intent, retrieve_session,
};

use crate::change::busy;
use crate::fault::{Fault, Outcome};
use crate::log;
use crate::stripe_client::{ask, unanswered};
use crate::visit::Visit;

pub use scheduled::run as scheduled;
pub use webhook::take as webhook;

/// What holds for every sale.
///
/// # Errors
/// When the fee that is set is none.
pub fn terms(visit: &Visit) -> Outcome<Terms> {
    let config = &visit.config;
    let bps = u32::try_from(config.payment_fee_bps)
        .map_err(|_| Fault::Bug("`PAYMENT_FEE_BPS` is below zero or too large"))?;
    Ok(Terms {
        fee: Fee {
            bps,
            fixed: Cents::new(config.payment_fee_cents),
        },
        livemode: is_live(&config.stripe_secret_key),
        ..Terms::default()
    })
}

/// Whether a secret key of Stripe's moves real money: `sk_live_…`, or `rk_live_…` with less rights.
fn is_live(secret_key: &str) -> bool {
    secret_key.starts_with("sk_live_") || secret_key.starts_with("rk_live_")
}

/// Makes true what was heard. Once this returns, it is committed, but for `Applied::Busy`.
pub async fn apply(visit: &Visit, stamp: Option<Stamp>, notice: Notice) -> Outcome<Applied> {
    let applied = run(
        visit,
        Heard {
            stamp,
            notice,
            now_ms: visit.now_ms,
        },
    )
    .await?;
    if let Applied::Refused(refund) = &applied {
        // Stripe's silence is no fault here: the scheduled task asks again.
        send_back(visit, refund).await?;
    }
    Ok(applied)
}

/// The ids of what was heard, for the log.
fn ids(heard: &Heard) -> serde_json::Value {
    let event = heard.stamp.as_ref().map(|stamp| stamp.id.as_str());
    match &heard.notice {
        Notice::Payment(payment) => {
            json!({ "event": event, "order": payment.order.as_str(), "payment": payment.session.as_str() })
        }
        Notice::Refund(refund) => json!({ "event": event, "refund": refund.id.as_str() }),
        Notice::Dispute { dispute, .. } => {
            json!({ "event": event, "dispute": dispute.id.as_str() })
        }
    }
}

async fn run(visit: &Visit, heard: Heard) -> Outcome<Applied> {
    let ids = ids(&heard);
    let (mut application, mut batch) = Application::new(heard, terms(visit)?);
    let applied = loop {
        // Sent once: a repetition of a write whose reply was lost would look like a conflict, which the
        // application takes as a reason to read again.
        let reply = visit.database.execute(&batch).await?;
        match application.next(&reply)? {
            Progress::Run(next) => batch = next,
            Progress::Done(applied) => break applied,
        }
    };
    if let Applied::Unmatched(mismatch) = &applied {
        log::alarm(
            visit,
            "payment_unmatched",
            &json!({ "in": mismatch.word(), "of": ids }),
        );
    }
    Ok(applied)
}

/// Asks Stripe what the payment of a session is like now, or which card it saved, and makes that true.
/// `None`: it is for no order.
pub async fn fulfil_session(
    visit: &Visit,
    session: &StripeId,
    stamp: Option<Stamp>,
) -> Outcome<Option<Applied>> {
    let session = ask(visit, retrieve_session(session), read_session).await;
    let session = session.map_err(|error| unanswered(&error))?;
    if let Some(card) = SavedNow::from_session(&session) {
        keep_card(visit, &card).await?;
        return Ok(None);
    }
    heard_payment(visit, stamp, Payment::from_session(&session)).await
}

/// Keeps a card that was saved on a page of its own.
async fn keep_card(visit: &Visit, card: &SavedNow) -> Outcome<()> {
    let Some(keep) = card.keep(terms(visit)?.livemode) else {
        return Ok(());
    };
    let mut batch = Batch::new();
    let kept = batch.step(None, keep);
    visit.execute(&batch).await?.rows_of(kept)?;
    Ok(())
}

/// Forgets a card that was removed at Stripe.
async fn lose_card(visit: &Visit, method: &StripeId) -> Outcome<()> {
    let (batch, commit) = forget_card(method, visit.now_ms);
    if visit.execute(&batch).await?.is_ok(commit) {
        return Ok(());
    }
    Err(busy())
}

/// The same for the payment of an automatic top-up.
pub async fn fulfil_payment_intent(
    visit: &Visit,
    payment_intent: &StripeId,
    stamp: Option<Stamp>,
) -> Outcome<Option<Applied>> {
    let request = retrieve_payment_intent(payment_intent);
    let intent = ask_payment_intent(visit, request).await;
    let intent = intent.map_err(|error| unanswered(&error))?;
    heard_payment(visit, stamp, intent).await
}

/// What Stripe answers to a request for a payment, or to one that makes it.
pub async fn ask_payment_intent(
    visit: &Visit,
    request: StripeRequest,
) -> Result<Result<Payment, NoPayment>, StripeError> {
    let intent = ask(visit, request, read_payment_intent).await?;
    Ok(Payment::from_intent(&intent))
}

/// Makes true what is known of a payment.
pub async fn heard_payment(
    visit: &Visit,
    stamp: Option<Stamp>,
    payment: Result<Payment, NoPayment>,
) -> Outcome<Option<Applied>> {
    match payment {
        Ok(payment) => {
            let applied = apply(visit, stamp, Notice::Payment(payment)).await?;
            Ok(Some(applied))
        }
        Err(NoPayment::NotOurs) => Ok(None),
        Err(NoPayment::Incomplete) => Err(Fault::Service {
            service: "Stripe",
            what: "a payment without its charge".to_owned(),
        }),
    }
}

/// What became of a refund that Stripe was asked for.
#[derive(Debug)]
pub enum SentBack {
    /// Stripe has it.
    Underway,
    /// Nobody knows. The scheduled task asks again.
    Unknown,
    /// Stripe refuses, and the credit is back.
    Refused,
}

/// Asks Stripe for a refund whose credit is taken, or gives the credit back if Stripe refuses.
pub async fn send_back(visit: &Visit, refund: &AskedRefund) -> Outcome<SentBack> {
    match ask(visit, refund.to_request(), read_refund).await {
        Ok(answer) => {
            // Refunds lead to no further refund, so this ends.
            let heard = Heard {
                stamp: None,
                notice: Notice::Refund(answer),
                now_ms: visit.now_ms,
            };
            run(visit, heard).await?;
            Ok(SentBack::Underway)
        }
        Err(error) if error.is_final() => {
            let (batch, _) = refund.give_up(&error, visit.now_ms);
            visit.execute(&batch).await?;
            Ok(SentBack::Refused)
        }
        Err(_) => Ok(SentBack::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_money_is_never_taken_for_real_money() {
        let check = |key: &str, expect: bool| assert_eq!(is_live(key), expect, "{key}");
        check("sk_live_abc", true);
        check("rk_live_abc", true);
        check("sk_test_live_", false);
        check("sk_test_simulator", false);
        check("", false);
    }
}
