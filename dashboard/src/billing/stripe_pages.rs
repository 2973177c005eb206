//! `POST /billing/portal`: the way to Stripe's own page of an account's cards and invoices.

use tollgate_core::hrana::Batch;
use tollgate_core::orders::{customer_statement, read_stripe_customer};
use tollgate_core::stripe::{NewPortal, read_portal};

use super::{first, outside};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::place::Buyer;
use crate::stripe_client::{ask, unanswered};
use crate::visit::Visit;

/// Opens the page, for who bought something before.
pub async fn portal(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let mut batch = Batch::new();
    batch.step(None, customer_statement(buyer.account()));
    let reply = visit.execute(&batch).await?;
    let Some(customer) = first(reply.rows_of(0)?, read_stripe_customer)? else {
        // Stripe has nothing to show yet.
        return Ok(Answer::see_other("/billing"));
    };
    let request = NewPortal {
        customer: &customer.id,
        return_url: &format!("{}/billing", buyer.place.site.origin),
    };
    let portal = ask(visit, request.to_request(), read_portal).await;
    let portal = portal.map_err(|error| unanswered(&error))?;
    let url = outside(visit, &portal.url).ok_or_else(|| Fault::Service {
        service: "Stripe",
        what: "a page at an unknown origin".to_owned(),
    })?;
    Ok(Answer::see_other(url))
}
