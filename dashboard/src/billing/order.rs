//! One order: where it is, its papers, what of it can come back; and the pages that Stripe leads back to.
//! Coming back grants nothing: Stripe is asked.

use maud::{Markup, html};
use tollgate_core::hrana::Batch;
use tollgate_core::ids::{OrderId, RefundId};
use tollgate_core::orders::{
    Order, OrderKind, OrderState, Payment, RefundLine, Refundable, order_refunds_statement,
    order_statement, read_order, read_refund_line, read_refundable, refundable_statement,
};
use tollgate_core::stripe::{Cents, StripeId, expire_session, read_session};
use tollgate_edge::clock::random_bytes;

use super::page::papers;
use super::words::{failure, order_badge, refund_badge, refund_refusal};
use super::{first, zone};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::log;
use crate::page::{
    ButtonForm, Column, Confirm, Flash, Kind, Table, Tone, alert, button_form, card,
    definition_list, link_button, live_region, moment, money, page_head, table, usd,
};
use crate::payments::{fulfil_payment_intent, fulfil_session, heard_payment};
use crate::place::Buyer;
use crate::stripe_client::ask;
use crate::visit::Visit;

/// Stripe makes no page that closes sooner than this, in milliseconds.
const LEAST_OPEN_MS: i64 = 31 * 60_000;

/// An order and its refunds, as the page shows them.
pub(super) struct Sight {
    pub refundable: Refundable,
    pub refunds: Vec<RefundLine>,
}

/// `GET /billing/orders/{id}`.
pub async fn page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let sight = read(visit, buyer, &visit.id(OrderId::parse)?).await?;
    if visit.wants_part() {
        return Ok(Answer::html(state(visit, buyer, &sight)?));
    }
    let language = buyer.language();
    let body = body(visit, buyer, &sight)?;
    Ok(buyer.page(visit, (language.tr("Order"), "/billing"), body))
}

/// The page with a message about what did not work.
pub(super) async fn told(
    visit: &Visit,
    buyer: &Buyer,
    (order, status, text): (&OrderId, u16, &str),
) -> Outcome<Answer> {
    let sight = read(visit, buyer, order).await?;
    let flash = Flash {
        kind: Kind::Warning,
        text: text.to_owned(),
    };
    let title = buyer.language().tr("Order");
    let body = body(visit, buyer, &sight)?;
    let answer = buyer.page_with(visit, (title, "/billing"), Some(flash), body);
    Ok(answer.status(status))
}

/// The page of an order for which Stripe does not answer.
pub(super) async fn unanswered(visit: &Visit, buyer: &Buyer, order: &OrderId) -> Outcome<Answer> {
    let text = buyer.language().tr(
        "Stripe, which takes the payment, does not answer. Your order is kept and nothing was charged: go on in a minute.",
    );
    told(visit, buyer, (order, 502, text)).await
}

pub(super) async fn read(visit: &Visit, buyer: &Buyer, order: &OrderId) -> Outcome<Sight> {
    let account = buyer.account();
    let mut batch = Batch::new();
    let refundable = batch.step(None, refundable_statement(account, order));
    let refunds = batch.step(None, order_refunds_statement(account, order));
    let reply = visit.execute(&batch).await?;
    let refundable = first(reply.rows_of(refundable)?, read_refundable)?;
    let refunds = reply.rows_of(refunds)?.iter().map(read_refund_line);
    Ok(Sight {
        refundable: refundable.ok_or(Fault::NotFound)?,
        refunds: refunds.collect::<Result<_, _>>()?,
    })
}

fn body(visit: &Visit, buyer: &Buyer, sight: &Sight) -> Outcome<Markup> {
    let language = buyer.language();
    let order = &sight.refundable.order;
    let back = link_button(language.tr("Back to billing"), "/billing", Tone::Plain);
    Ok(html! {
        (page_head(&language.fill("Order of {price}", &[("price", &order.price)]), "", back))
        (live_region("order", state(visit, buyer, sight)?))
        @if !sight.refunds.is_empty() { (refunds(buyer, &sight.refunds)) }
    })
}

/// What changes by itself; asked for again as long as something may.
fn state(visit: &Visit, buyer: &Buyer, sight: &Sight) -> Outcome<Markup> {
    let language = buyer.language();
    let order = &sight.refundable.order;
    let waits = order.state.is_unfinished();
    let path = format!("/billing/orders/{}", order.id);
    Ok(html! {
        div hx-get=[waits.then_some(&path)] hx-trigger=[waits.then_some("every 5s")] hx-swap=[waits.then_some("outerHTML")] {
            @if let Some(word) = order.failure.as_deref() {
                (alert(Kind::Warning, failure(language, word)))
            }
            (card(language.tr("Where it is"), html! {
                (facts(visit, buyer, order))
                (actions(visit, buyer, order))
            }))
            @if order.state == OrderState::Paid { (refund(buyer, &sight.refundable)?) }
        }
    })
}

fn facts(visit: &Visit, buyer: &Buyer, order: &Order) -> Markup {
    let language = buyer.language();
    let zone = zone(buyer);
    let how = match order.kind {
        OrderKind::Checkout => language.tr("On Stripe's page"),
        OrderKind::AutoTopUp => language.tr("Automatic top-up"),
    };
    let mut facts = vec![
        (language.tr("State"), order_badge(language, order)),
        (language.tr("Price"), html! { (order.price) }),
        (language.tr("Credit"), money(order.credit)),
        (language.tr("How"), html! { (how) }),
        (
            language.tr("Ordered"),
            moment(language, order.created_at_ms, &zone),
        ),
    ];
    if let Some(paid_at_ms) = order.paid_at_ms {
        facts.push((language.tr("Paid"), moment(language, paid_at_ms, &zone)));
    }
    if order.refunded > Cents::ZERO {
        facts.push((language.tr("Refunded"), html! { (order.refunded) }));
    }
    if order.receipt_url.is_some() || order.invoice_url.is_some() {
        facts.push((language.tr("Papers"), papers(visit, language, order)));
    }
    facts.push((language.tr("Number"), html! { code { (order.id) } }));
    definition_list(&facts)
}

/// What can be done about an order that is not paid.
fn actions(visit: &Visit, buyer: &Buyer, order: &Order) -> Markup {
    let language = buyer.language();
    let is_checkout = order.kind == OrderKind::Checkout;
    let left_ms = order.expires_at_ms.saturating_sub(visit.now_ms);
    let payable = match order.state {
        OrderState::New => left_ms > LEAST_OPEN_MS,
        OrderState::Open => left_ms > 0,
        OrderState::Pending
        | OrderState::Paid
        | OrderState::Failed
        | OrderState::Expired
        | OrderState::Refused => false,
    };
    let csrf = buyer.place.csrf();
    let button = |action, label, tone| ButtonForm {
        action,
        csrf,
        label,
        tone,
        values: &[],
        confirm: None,
    };
    let pay = format!("/billing/orders/{}/pay", order.id);
    let cancel = format!("/billing/orders/{}/cancel", order.id);
    html! {
        @if order.state == OrderState::Pending {
            p class="muted" {
                (language.tr("The money is on its way. Some banks take a few days; the credit comes by itself."))
            }
        }
        div class="actions" {
            @if is_checkout && payable {
                (button_form(language, &button(&pay, language.tr("Go on to the payment"), Tone::Primary)))
            }
            @if is_checkout && order.state == OrderState::Open {
                (button_form(language, &button(&cancel, language.tr("Cancel the order"), Tone::Plain)))
            }
        }
    }
}

/// What of a paid order can come back, to the cent.
fn refund(buyer: &Buyer, refundable: &Refundable) -> Outcome<Markup> {
    let language = buyer.language();
    let order = &refundable.order;
    let body = match refundable.most {
        Err(refusal) => html! { p class="muted" { (refund_refusal(language, refusal)) } },
        Ok(most) => {
            let text = what_comes_back(language, order, most);
            let once = RefundId::from_random(random_bytes()?);
            let amount = most.get().to_string();
            let path = format!("/billing/orders/{}/refund", order.id);
            let button = ButtonForm {
                action: &path,
                csrf: buyer.place.csrf(),
                label: &language.fill("Refund {most}", &[("most", &most)]),
                tone: Tone::Danger,
                values: &[("once", once.as_str()), ("amount", &amount)],
                confirm: Some(Confirm {
                    id: "refund",
                    title: &language.fill("Refund {most}?", &[("most", &most)]),
                    text: &text,
                }),
            };
            html! {
                p { (text) }
                div class="actions" { (button_form(language, &button)) }
            }
        }
    };
    Ok(card(language.tr("Refund"), body))
}

fn what_comes_back(language: Language, order: &Order, most: Cents) -> String {
    language.fill(
        "The unspent part comes back: {most} of the {price} that you paid goes to where it came from, and {credit} of credit is taken for it now. Automatic top-up is switched off with it.",
        &[
            ("most", &most),
            ("price", &order.price),
            ("credit", &usd(order.credit_of(most))),
        ],
    )
}

fn refunds(buyer: &Buyer, refunds: &[RefundLine]) -> Markup {
    let language = buyer.language();
    let columns = [
        Column::text(language.tr("Asked for")),
        Column::number(language.tr("Money")),
        Column::number(language.tr("Credit")),
        Column::text(language.tr("State")),
    ];
    let row = |line: &RefundLine| {
        vec![
            moment(language, line.created_at_ms, &zone(buyer)),
            html! { (line.amount) },
            money(line.credit),
            refund_badge(language, line.state),
        ]
    };
    let rows: Vec<Vec<Markup>> = refunds.iter().map(row).collect();
    let title = language.tr("Refunds");
    let list = table(&Table {
        caption: title,
        columns: &columns,
        rows: &rows,
        body_id: None,
    });
    card(title, list)
}

async fn read_one(visit: &Visit, buyer: &Buyer, id: &OrderId) -> Outcome<Order> {
    let mut batch = Batch::new();
    batch.step(None, order_statement(buyer.account(), id));
    let reply = visit.execute(&batch).await?;
    first(reply.rows_of(0)?, read_order)?.ok_or(Fault::NotFound)
}

/// `GET /billing/orders/{id}/done`: where Stripe leads who has paid.
pub async fn done(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let id = visit.id(OrderId::parse)?;
    let mut order = read_one(visit, buyer, &id).await?;
    if order.state.is_unfinished() {
        // What cannot be known now is told by the webhook, or asked for by the scheduled task.
        match catch_up(visit, &order).await {
            Ok(()) => order = read_one(visit, buyer, &id).await?,
            Err(fault) => log::fault(visit, "done", &fault),
        }
    }
    Ok(Answer::see_other(match order.state {
        OrderState::Paid => "/billing?done=paid".to_owned(),
        OrderState::Pending => format!("/billing/orders/{id}?done=pending"),
        OrderState::New
        | OrderState::Open
        | OrderState::Failed
        | OrderState::Expired
        | OrderState::Refused => format!("/billing/orders/{id}"),
    }))
}

/// Makes true what Stripe says of an order now.
async fn catch_up(visit: &Visit, order: &Order) -> Outcome<()> {
    match (order.kind, &order.session) {
        (OrderKind::Checkout, Some(session)) => {
            fulfil_session(visit, session, None).await?;
        }
        (OrderKind::AutoTopUp, Some(intent)) => {
            fulfil_payment_intent(visit, intent, None).await?;
        }
        (OrderKind::Checkout, None) => {
            // The page was made, and nobody kept it. The session names its order, so that another
            // one in the address changes nothing of this order.
            let said = visit.asked.query.get("session_id");
            if let Some(session) = StripeId::parse(said) {
                fulfil_session(visit, &session, None).await?;
            }
        }
        (OrderKind::AutoTopUp, None) => {}
    }
    Ok(())
}

/// `GET /billing/orders/{id}/canceled`: where Stripe leads who changed their mind. The order stays until
/// it is canceled here or its time is over.
pub async fn canceled(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let id = visit.id(OrderId::parse)?;
    let order = read_one(visit, buyer, &id).await?;
    if order.state == OrderState::Paid {
        return Ok(Answer::see_other("/billing?done=paid"));
    }
    let text = buyer
        .language()
        .tr("Nothing was charged. Go on with the payment, or cancel the order.");
    told(visit, buyer, (&id, 200, text)).await
}

/// `POST /billing/orders/{id}/cancel`: closes Stripe's page, unless it was used.
pub async fn cancel(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let id = visit.id(OrderId::parse)?;
    let order = read_one(visit, buyer, &id).await?;
    let session = order.session.filter(|_| order.state == OrderState::Open);
    let Some(session) = session else {
        return Ok(Answer::see_other(format!("/billing/orders/{id}")));
    };
    match ask(visit, expire_session(&session), read_session).await {
        Ok(session) => {
            heard_payment(visit, None, Payment::from_session(&session)).await?;
            Ok(Answer::see_other("/billing?done=canceled"))
        }
        Err(error) if error.is_final() => {
            // It was used or is over: where it is now, Stripe tells.
            fulfil_session(visit, &session, None).await?;
            Ok(Answer::see_other(format!("/billing/orders/{id}")))
        }
        Err(_) => unanswered(visit, buyer, &id).await,
    }
}
