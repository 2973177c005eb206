//! `POST /billing/orders/{id}/refund`: the credit of the unspent part is taken, then Stripe is asked to
//! send the money. If Stripe refuses, the credit comes back; if it does not answer, it is asked again.

use tollgate_core::ids::{OrderId, RefundId};
use tollgate_core::orders::{Asked, RefundRefusal};
use tollgate_core::stripe::Cents;

use super::order::{read, told};
use super::words::refund_refusal;
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::payments::{SentBack, send_back};
use crate::place::Buyer;
use crate::visit::Visit;

/// Refunds what the page showed.
pub async fn refund(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let order = visit.id(OrderId::parse)?;
    let form = &visit.asked.form;
    let once = RefundId::parse(form.get("once")).ok_or(Fault::NotFound)?;
    let amount = Cents::new(form.get("amount").parse().unwrap_or(0));
    let sight = read(visit, buyer, &order).await?;
    let done = format!("/billing/orders/{order}?done=refunded");
    if sight.refunds.iter().any(|line| line.id == once) {
        return Ok(Answer::see_other(done));
    }
    let refused = async |refusal: RefundRefusal| {
        let why = refund_refusal(language, refusal);
        told(visit, buyer, (&order, 422, why.as_str())).await
    };
    let ask = match sight.refundable.ask(&once, amount, &buyer.change(visit)) {
        Ok(ask) => ask,
        Err(refusal) => return refused(refusal).await,
    };
    let reply = visit.execute(&ask.batch).await?;
    match ask.read(&reply) {
        Asked::Now | Asked::Before => {}
        Asked::Changed => {
            let text = language.tr(
                "Nothing was refunded: the credit changed meanwhile. Look at the amount and press the button again.",
            );
            return told(visit, buyer, (&order, 409, text)).await;
        }
    }
    match send_back(visit, &ask.refund).await? {
        SentBack::Underway | SentBack::Unknown => Ok(Answer::see_other(done)),
        SentBack::Refused => {
            let text = language.tr(
                "The payment cannot be sent back. Your credit is as it was; the seller has been told.",
            );
            told(visit, buyer, (&order, 409, text)).await
        }
    }
}
