//! Reads Stripe's answers: the object that was asked for, or why there is none.

use serde::de::DeserializeOwned;

use super::error::read_error;
use super::{Customer, Page, PaymentIntent, PaymentMethod, Portal, Refund, Session, StripeError};

/// Reads the answer to a request for one session.
pub fn read_session(status: u16, body: &[u8]) -> Result<Session, StripeError> {
    read(status, body)
}

/// Reads the answer to a request for one payment.
pub fn read_payment_intent(status: u16, body: &[u8]) -> Result<PaymentIntent, StripeError> {
    read(status, body)
}

/// Reads the answer to a request for one refund.
pub fn read_refund(status: u16, body: &[u8]) -> Result<Refund, StripeError> {
    read(status, body)
}

/// Reads the answer to `NewCustomer`.
pub fn read_customer(status: u16, body: &[u8]) -> Result<Customer, StripeError> {
    read(status, body)
}

/// Reads the answer to `detach_payment_method`.
pub fn read_payment_method(status: u16, body: &[u8]) -> Result<PaymentMethod, StripeError> {
    read(status, body)
}

/// Reads the answer to `NewPortal`.
pub fn read_portal(status: u16, body: &[u8]) -> Result<Portal, StripeError> {
    read(status, body)
}

/// Reads the answer to `SessionsSince`.
pub fn read_page(status: u16, body: &[u8]) -> Result<Page<Session>, StripeError> {
    read(status, body)
}

fn read<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, StripeError> {
    if status != 200 {
        return Err(read_error(status, body));
    }
    serde_json::from_slice(body).map_err(|_| StripeError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::{Cents, Link, SessionPayment};

    const SESSION: &str = r#"{"id":"cs_1","url":"https://x","status":"complete","payment_status":"paid",
        "client_reference_id":"ord_1","amount_total":1000,"currency":"usd","customer":"cus_1",
        "payment_intent":{"id":"pi_1","amount":1000,"amount_received":1000,"currency":"usd",
          "status":"succeeded","customer":"cus_1","metadata":{"order_id":"ord_1"},
          "payment_method":"pm_1","last_payment_error":null,"setup_future_usage":"off_session",
          "livemode":false,"latest_charge":{"id":"ch_1","receipt_url":"https://r","amount":1000,
            "payment_method_details":{"type":"card","card":{"brand":"visa","last4":"4242",
              "fingerprint":"Xt5EWLLDS7FJjR1c","exp_month":3,"exp_year":2034}}}},
        "invoice":{"id":"in_1","hosted_invoice_url":"https://i"},
        "livemode":false,"created":1,"expires_at":2}"#;

    #[test]
    fn a_retrieved_session_tells_the_card_the_receipt_and_the_invoice() {
        let session = read_session(200, SESSION.as_bytes()).unwrap();
        assert_eq!(session.payment_status, SessionPayment::Paid);
        assert_eq!(session.amount_total, Some(Cents::new(1_000)));
        let intent = session.payment_intent.as_ref().and_then(Link::object);
        let charge = intent.and_then(|it| it.latest_charge.as_ref()?.object());
        let card = charge.and_then(|it| Some(it.payment_method_details.as_ref()?.card()));
        let card = card.unwrap();
        assert_eq!(card.fingerprint.as_deref(), Some("Xt5EWLLDS7FJjR1c"));
        assert_eq!(
            (card.kind.as_str(), card.label.as_str()),
            ("card", "visa 4242")
        );
        assert_eq!(card.expires.as_deref(), Some("03/2034"));
        let invoice = session.invoice.as_ref().and_then(Link::object).unwrap();
        assert_eq!(invoice.hosted_invoice_url.as_deref(), Some("https://i"));
    }

    #[test]
    fn ways_to_pay_without_a_card_are_named_by_what_they_are() {
        let text = SESSION.replace(
            r#""type":"card","card":{"brand":"visa","last4":"4242",
              "fingerprint":"Xt5EWLLDS7FJjR1c","exp_month":3,"exp_year":2034}"#,
            r#""type":"cashapp","cashapp":{"buyer_id":"x"}"#,
        );
        let session = read_session(200, text.as_bytes()).unwrap();
        let intent = session.payment_intent.as_ref().and_then(Link::object);
        let charge = intent.and_then(|it| it.latest_charge.as_ref()?.object());
        let card = charge.and_then(|it| Some(it.payment_method_details.as_ref()?.card()));
        let card = card.unwrap();
        assert_eq!((card.fingerprint, card.label.as_str()), (None, "cashapp"));
    }

    #[test]
    fn an_answer_that_is_not_as_it_must_be_is_no_answer() {
        let check = |status: u16, body: &str, expect: StripeError| {
            assert_eq!(read_session(status, body.as_bytes()), Err(expect), "{body}");
        };
        check(200, "", StripeError::Unreadable);
        check(
            200,
            &SESSION.replace("1000,\"currency", "10.5,\"currency"),
            StripeError::Unreadable,
        );
        check(
            200,
            &SESSION.replace("\"cs_1\"", "\"a/b\""),
            StripeError::Unreadable,
        );
        check(
            200,
            &SESSION.replace("\"paid\"", "\"perhaps\""),
            StripeError::Unreadable,
        );
        check(503, SESSION, StripeError::Unavailable);
        let page = format!(r#"{{"object":"list","data":[{SESSION}],"has_more":true}}"#);
        let page = read_page(200, page.as_bytes()).unwrap();
        assert_eq!((page.data.len(), page.has_more), (1, true));
    }
}
