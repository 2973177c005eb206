//! `POST /stripe/webhook`: events that Stripe signed. It answers 2xx only once what an event says is
//! committed; anything else makes Stripe send it again, for up to three days. An event is not believed in
//! what it shows of a payment: that is asked for.

use tollgate_core::orders::{Applied, Stamp, Subject};
use tollgate_core::stripe::{Event, EventFault, SignatureFault, read_event, verify_signature};

use super::{apply, fulfil_payment_intent, fulfil_session, lose_card, terms};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::log;
use crate::visit::Visit;

/// Takes an event.
pub async fn take(visit: &Visit) -> Outcome<Answer> {
    let config = &visit.config;
    let secrets: Vec<&str> = secrets(&config.stripe_webhook_secrets).collect();
    let body = &visit.asked.body;
    let header = visit.header("stripe-signature");
    if let Err(fault) = verify_signature(header, body, &secrets, visit.now_ms) {
        return Ok(refused(match fault {
            SignatureFault::Malformed => "the signature is missing or is none",
            SignatureFault::Forged => "the signature is wrong",
            SignatureFault::OutOfTime => "the signature is too old or too new",
        }));
    }
    let event = match read_event(body, terms(visit)?.livemode) {
        Ok(event) => event,
        Err(EventFault::WrongMode) => return Ok(refused("the event is of the other mode")),
        Err(EventFault::Malformed) => {
            // Signed by Stripe, and not as Stripe's reference says: people must look.
            log::alarm(visit, "stripe_event_unreadable", &serde_json::Value::Null);
            return Ok(refused("the event cannot be read"));
        }
    };
    let answer = match hear(visit, &event).await {
        Ok(Some(Applied::Busy)) => Answer::empty(503),
        Ok(_) => Answer::empty(200),
        Err(fault @ (Fault::Service { .. } | Fault::Database(_))) => {
            log::fault(visit, "webhook", &fault);
            Answer::empty(503)
        }
        Err(fault) => return Err(fault),
    };
    Ok(answer)
}

async fn hear(visit: &Visit, event: &Event) -> Outcome<Option<Applied>> {
    let stamp = Some(Stamp::from(event));
    match Subject::of(event) {
        Subject::Session(session) => fulfil_session(visit, &session, stamp).await,
        Subject::PaymentIntent(intent) => fulfil_payment_intent(visit, &intent, stamp).await,
        Subject::Notice(notice) => apply(visit, stamp, notice).await.map(Some),
        Subject::Card(method) => lose_card(visit, &method).await.map(|()| None),
        Subject::Nothing => Ok(None),
    }
}

/// The secrets of the setting; more than one while they are exchanged.
fn secrets(setting: &str) -> impl Iterator<Item = &str> {
    let each = setting.split(',').map(str::trim);
    each.filter(|secret| !secret.is_empty())
}

fn refused(why: &str) -> Answer {
    Answer::text("text/plain; charset=utf-8", format!("{why}\n")).status(400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_secret_still_counts_while_a_new_one_takes_over() {
        let check = |setting: &str, expect: &[&str]| {
            assert_eq!(secrets(setting).collect::<Vec<_>>(), expect, "{setting}");
        };
        check("whsec_a", &["whsec_a"]);
        check("whsec_new, whsec_old", &["whsec_new", "whsec_old"]);
        check("whsec_a,,", &["whsec_a"]);
        check(" ", &[]);
    }
}
