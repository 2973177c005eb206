//! The one way to Stripe: a request of the core's goes out with the credential and the version, and its
//! answer comes back as it is. What is asked and what an answer means is in `core::stripe`.

use tollgate_core::stripe::{API_VERSION, Method, StripeError, StripeRequest};

use crate::fault::{Fault, Outcome};
use crate::log;
use crate::outbound::{Inbound, Outbound, send};
use crate::visit::Visit;

/// Asks Stripe, and reads the answer by one of the readers of `core::stripe`.
///
/// No answer at all is `StripeError::Unavailable`: whether the request had an effect is unknown, and the
/// same request may be sent again.
pub async fn ask<T>(
    visit: &Visit,
    request: StripeRequest,
    read: fn(u16, &[u8]) -> Result<T, StripeError>,
) -> Result<T, StripeError> {
    let path = request.path.clone();
    let answer = match exchange(visit, request).await {
        Ok(inbound) => read(inbound.status, &inbound.body),
        Err(fault) => {
            log::fault(visit, "stripe", &fault);
            return Err(StripeError::Unavailable);
        }
    };
    if let Err(error) = &answer {
        // Neither the query nor Stripe's own text: both may hold what people typed.
        let route = path.split('?').next().unwrap_or_default();
        let fault = service_fault(&format!("{route}: {error:?}"));
        log::fault(visit, "stripe", &fault);
    }
    answer
}

/// The fault of a page that cannot go on without Stripe.
pub fn unanswered(error: &StripeError) -> Fault {
    service_fault(error.word())
}

fn service_fault(what: &str) -> Fault {
    Fault::Service {
        service: "Stripe",
        what: what.to_owned(),
    }
}

async fn exchange(visit: &Visit, request: StripeRequest) -> Outcome<Inbound> {
    let mut headers = vec![
        (
            "authorization",
            format!("Bearer {}", visit.config.stripe_secret_key),
        ),
        ("stripe-version", API_VERSION.to_owned()),
    ];
    if let Some(key) = request.idempotency_key {
        headers.push(("idempotency-key", key));
    }
    let (method, body) = match request.method {
        Method::Get => (worker::Method::Get, None),
        Method::Post => {
            let form = "application/x-www-form-urlencoded".to_owned();
            headers.push(("content-type", form));
            (worker::Method::Post, Some(request.body))
        }
    };
    send(Outbound {
        service: "Stripe",
        method,
        url: format!("{}{}", visit.config.stripe_base_url, request.path),
        headers: &headers,
        body,
    })
    .await
}
