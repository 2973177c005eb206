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
    let once = parse_once(form.get("once")).ok_or(Fault::NotFound)?;
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

/// How long an id is that was drawn for a form. Ids that follow from other ids are longer, and nobody may
/// take one of those away.
const DRAWN: usize = 20;

fn parse_once(text: &str) -> Option<RefundId> {
    RefundId::parse(text).filter(|_| text.len() == DRAWN)
}

#[cfg(test)]
mod tests {
    use tollgate_core::ids::OrderId;

    use super::*;

    #[test]
    fn a_form_cannot_take_the_id_of_a_refund_that_is_still_to_come() {
        let drawn = RefundId::from_random([7; 10]);
        assert_eq!(parse_once(drawn.as_str()), Some(drawn));
        let order = OrderId::from_random([7; 10]);
        assert_eq!(parse_once(RefundId::named(order.as_str()).as_str()), None);
        assert_eq!(parse_once(""), None);
    }
}
