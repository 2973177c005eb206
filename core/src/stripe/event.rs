//! What Stripe tells by webhooks. An event says that something happened, and shows the object as it
//! was then; events come late, twice and in any order.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Dispute, PaymentIntent, Refund, Session, StripeId};

/// One event of the right mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `evt_…`: the same for every delivery.
    pub id: StripeId,
    /// Stripe's name for it, such as `refund.created`.
    pub kind: String,
    /// When it happened, in Unix milliseconds.
    pub created_at_ms: i64,
    /// What happened.
    pub happening: Happening,
}

/// What happened, as far as it concerns Tollgate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A Checkout Session was completed or expired, or its payment came or failed.
    Session(Box<Session>),
    /// A payment succeeded or failed.
    Payment(Box<PaymentIntent>),
    /// A refund began or changed.
    Refund(Refund),
    /// A dispute began or changed, and no money moved.
    Dispute(Dispute),
    /// The bank took the money.
    FundsWithdrawn(Dispute),
    /// The bank gave the money back.
    FundsReinstated(Dispute),
    /// A saved card, or another method, was removed.
    MethodRemoved(StripeId),
    /// Nothing that Tollgate acts on.
    Ignored,
}

/// Why an event that was signed right is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFault {
    /// It is not an event, or what it shows is not as Stripe's reference says.
    Malformed,
    /// It is of the other mode: test money for the live Worker, or the other way round.
    WrongMode,
}

#[derive(Deserialize)]
struct WireEvent<'a> {
    id: StripeId,
    object: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    created: i64,
    livemode: bool,
    #[serde(borrow)]
    data: WireData<'a>,
}

#[derive(Deserialize)]
struct WireData<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

/// An object of which only the id counts.
#[derive(Deserialize)]
struct WireNamed {
    id: StripeId,
}

/// Reads the body of a webhook whose signature is right.
pub fn read_event(body: &[u8], livemode: bool) -> Result<Event, EventFault> {
    let wire: WireEvent<'_> = serde_json::from_slice(body).map_err(|_| EventFault::Malformed)?;
    if wire.object != "event" {
        return Err(EventFault::Malformed);
    }
    if wire.livemode != livemode {
        return Err(EventFault::WrongMode);
    }
    Ok(Event {
        happening: read_happening(wire.kind, wire.data.object).ok_or(EventFault::Malformed)?,
        id: wire.id,
        kind: wire.kind.to_owned(),
        created_at_ms: wire.created.saturating_mul(1_000),
    })
}

/// `charge.refunded` is left out: it tells a sum, and each refund tells of itself.
fn read_happening(kind: &str, object: &RawValue) -> Option<Happening> {
    Some(match kind {
        "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed"
        | "checkout.session.expired" => Happening::Session(read(object)?),
        "payment_intent.succeeded" | "payment_intent.payment_failed" => {
            Happening::Payment(read(object)?)
        }
        "refund.created" | "refund.updated" | "refund.failed" => Happening::Refund(read(object)?),
        "charge.dispute.created" | "charge.dispute.updated" | "charge.dispute.closed" => {
            Happening::Dispute(read(object)?)
        }
        "payment_method.detached" => Happening::MethodRemoved(read::<WireNamed>(object)?.id),
        "charge.dispute.funds_withdrawn" => Happening::FundsWithdrawn(read(object)?),
        "charge.dispute.funds_reinstated" => Happening::FundsReinstated(read(object)?),
        _ => Happening::Ignored,
    })
}

fn read<'a, T: Deserialize<'a>>(object: &'a RawValue) -> Option<T> {
    serde_json::from_str(object.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::Cents;

    fn event(kind: &str, object: &str) -> String {
        format!(
            r#"{{"id":"evt_1","object":"event","api_version":"x","created":1795348800,"livemode":false,
            "data":{{"object":{object},"previous_attributes":{{}}}},"request":null,"type":"{kind}"}}"#
        )
    }

    const REFUND: &str = r#"{"id":"re_1","object":"refund","amount":250,"currency":"usd",
        "status":"succeeded","payment_intent":"pi_1","metadata":{"refund_id":"rfd_1","x":"y"}}"#;
    const SESSION: &str = r#"{"id":"cs_1","object":"checkout.session","url":null,"status":"complete",
        "payment_status":"paid","client_reference_id":"ord_1","amount_total":1000,"currency":"usd",
        "customer":"cus_1","payment_intent":"pi_1","invoice":null,"livemode":false,
        "created":1795348700,"expires_at":1795350800,"mode":"payment"}"#;
    const DISPUTE: &str = r#"{"id":"dp_1","object":"dispute","amount":1000,"currency":"usd",
        "status":"needs_response","reason":"fraudulent","payment_intent":"pi_1"}"#;

    #[test]
    fn an_event_tells_what_happened_and_when() {
        let got = read_event(event("refund.updated", REFUND).as_bytes(), false).unwrap();
        assert_eq!(
            (got.id.as_str(), got.created_at_ms),
            ("evt_1", 1_795_348_800_000)
        );
        let Happening::Refund(refund) = got.happening else {
            panic!("no refund");
        };
        assert_eq!(refund.amount, Cents::new(250));
        assert_eq!(refund.metadata.refund_id.as_deref(), Some("rfd_1"));
        let check = |kind: &str, object: &str, expect: fn(&Happening) -> bool| {
            let got = read_event(event(kind, object).as_bytes(), false).unwrap();
            assert!(expect(&got.happening), "{kind}");
        };
        check("checkout.session.completed", SESSION, |it| {
            matches!(it, Happening::Session(_))
        });
        check("checkout.session.expired", SESSION, |it| {
            matches!(it, Happening::Session(_))
        });
        check("refund.failed", REFUND, |it| {
            matches!(it, Happening::Refund(_))
        });
        check("charge.dispute.closed", DISPUTE, |it| {
            matches!(it, Happening::Dispute(_))
        });
        check("charge.dispute.funds_withdrawn", DISPUTE, |it| {
            matches!(it, Happening::FundsWithdrawn(_))
        });
        check("charge.dispute.funds_reinstated", DISPUTE, |it| {
            matches!(it, Happening::FundsReinstated(_))
        });
        let method = r#"{"id":"pm_1","object":"payment_method","customer":null,"type":"card"}"#;
        check("payment_method.detached", method, |it| {
            *it == Happening::MethodRemoved(StripeId::parse("pm_1").unwrap())
        });
        check("charge.refunded", "{}", |it| *it == Happening::Ignored);
        check("product.created", "[1.5]", |it| *it == Happening::Ignored);
    }

    #[test]
    fn what_is_not_exactly_an_event_moves_no_money() {
        let check = |body: &str, expect: EventFault| {
            assert_eq!(read_event(body.as_bytes(), false), Err(expect), "{body}");
        };
        let refund = event("refund.created", REFUND);
        check("", EventFault::Malformed);
        check("[]", EventFault::Malformed);
        check(
            &refund.replace("\"evt_1\"", "\"../x\""),
            EventFault::Malformed,
        );
        check(
            &refund.replace("\"event\"", "\"charge\""),
            EventFault::Malformed,
        );
        check(&refund.replace("250", "250.0"), EventFault::Malformed);
        check(&refund.replace("250", "2.5e2"), EventFault::Malformed);
        check(&refund.replace("250", "\"250\""), EventFault::Malformed);
        check(
            &refund.replace("250", "9223372036854775808"),
            EventFault::Malformed,
        );
        check(
            &refund.replace("250,", "250,\"amount\":1,"),
            EventFault::Malformed,
        );
        check(&refund.replace("succeeded", "paid"), EventFault::Malformed);
        check(
            &refund.replace("\"id\":\"re_1\",", ""),
            EventFault::Malformed,
        );
        check(&format!("{refund}x"), EventFault::Malformed);
        let live = refund.replace("\"livemode\":false", "\"livemode\":true");
        check(&live, EventFault::WrongMode);
        assert!(read_event(live.as_bytes(), true).is_ok());
        assert_eq!(
            read_event(refund.as_bytes(), true),
            Err(EventFault::WrongMode)
        );
    }
}
