//! What nobody told of is asked for: no payment is lost because a message was.

use std::collections::BTreeSet;

use serde_json::json;
use tollgate_core::ids::OrderId;
use tollgate_core::orders::{
    Applied, Notice, Order, OrderState, Payment, Question, Unfinished, attach_session, list_since,
    read_unfinished, read_untold, unfinished_statement, untold_statement,
};
use tollgate_core::stripe::{Page, Session, StripeId, read_page};

use super::desk::{Desk, Fate, Paid};
use crate::world::NOW_MS;

const HOUR_MS: i64 = 3_600_000;

fn unfinished(desk: &Desk) -> Vec<Unfinished> {
    let reply = desk.database.run(unfinished_statement(NOW_MS + 1, 10));
    let rows = reply.rows(0).iter();
    rows.map(|row| read_unfinished(row).unwrap()).collect()
}

fn keep_page(desk: &Desk, order: &Order, paid: &Paid) {
    let session = paid.session("open");
    let attach = attach_session(&order.account, &order.id, &session);
    let _ = desk.database.execute(&attach.batch);
}

fn untold(desk: &Desk, sessions: Vec<Session>) -> Vec<StripeId> {
    let page = Page {
        data: sessions,
        has_more: false,
    };
    let reply = desk.database.run(untold_statement(&page));
    let rows = reply.rows(0).iter();
    rows.map(|row| read_untold(row).unwrap()).collect()
}

#[test]
fn an_order_whose_payment_nobody_told_of_is_asked_for_and_granted() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.order(&customer, 1_000);
    let paid = desk.paid(&order, "a");
    keep_page(&desk, &order, &paid);
    let open = unfinished(&desk);
    let Question::Session(request) = open[0].question("credit", NOW_MS) else {
        panic!("not asked");
    };
    assert!(request.path.starts_with("/v1/checkout/sessions/cs_a?"));
    assert_eq!(list_since(&open), None);
    let heard = desk.heard(None, Notice::Payment(paid.payment("paid")));
    let applied = desk.hear(heard, || Fate::Arrives);
    assert!(matches!(applied, Some(Applied::Granted { .. })));
    assert_eq!(unfinished(&desk), []);
}

#[test]
fn a_session_that_was_never_kept_is_found_in_the_list() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let lost = desk.order(&customer, 1_000);
    let open = unfinished(&desk);
    assert_eq!(open[0].question("credit", NOW_MS), Question::Listed);
    assert_eq!(list_since(&open), Some(NOW_MS - 60_000));
    let kept = desk.order(&customer, 1_000);
    let kept_paid = desk.paid(&kept, "b");
    keep_page(&desk, &kept, &kept_paid);
    let granted = desk.bought(&customer, 1_000, "c");
    let lost_paid = desk.paid(&lost, "a");
    let granted_paid = desk.paid(&granted, "c");
    let mut foreign = lost_paid.session("paid");
    foreign.client_reference_id = Some("something else".to_owned());
    let found = untold(
        &desk,
        vec![
            lost_paid.session("open"),
            kept_paid.session("open"),
            granted_paid.session("paid"),
            foreign,
        ],
    );
    assert_eq!(
        found.iter().map(StripeId::as_str).collect::<Vec<_>>(),
        ["cs_a"]
    );
    let found = untold(&desk, vec![kept_paid.session("paid")]);
    assert_eq!(found.len(), 1);
    // The page that is still open is kept, so that its order can be paid.
    let heard = desk.heard(None, Notice::Payment(lost_paid.payment("open")));
    let applied = desk.hear(heard, || Fate::Arrives);
    assert_eq!(applied, Some(Applied::Marked(OrderState::Open)));
    assert_eq!(
        desk.read(&lost).checkout_url.as_deref(),
        Some("https://checkout.example/x")
    );
}

#[test]
fn every_order_gets_its_turn_however_many_wait() {
    let desk = Desk::new();
    let made: BTreeSet<OrderId> = (0..8)
        .map(|_| {
            let customer = desk.customer(&desk.operator);
            desk.order(&customer, 1_000).id
        })
        .collect();
    let found = |minute: i64, most: u32| -> Vec<OrderId> {
        let before_ms = NOW_MS + minute * 60_000;
        let reply = desk.database.run(unfinished_statement(before_ms, most));
        let rows = reply.rows(0).iter();
        rows.map(|row| read_unfinished(row).unwrap().order.id)
            .collect()
    };
    assert_eq!(found(1, 100).len(), 8);
    let asked: BTreeSet<OrderId> = (1..60).flat_map(|minute| found(minute, 2)).collect();
    assert_eq!(asked, made);
}

#[test]
fn an_order_that_stripe_never_knew_ends() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.order(&customer, 1_000);
    let open = unfinished(&desk);
    let at = order.expires_at_ms + HOUR_MS;
    assert_eq!(open[0].question("credit", at - 1), Question::Listed);
    let Question::NeverMade(batch) = open[0].question("credit", at) else {
        panic!("not given up");
    };
    let _ = desk.database.execute(&batch);
    assert_eq!(desk.read(&order).state, OrderState::Expired);
    // Money that comes all the same is not lost.
    let heard = desk.heard(
        None,
        Notice::Payment(desk.paid(&order, "a").payment("paid")),
    );
    let applied = desk.hear(heard, || Fate::Arrives);
    assert!(matches!(applied, Some(Applied::Granted { .. })));
}

#[test]
fn a_list_of_stripe_s_is_read_whatever_else_is_sold_there() {
    let page = json!({"object": "list", "has_more": false, "data": [{
        "id": "cs_x", "url": null, "status": "complete", "payment_status": "no_payment_required",
        "client_reference_id": null, "amount_total": null, "currency": null, "customer": null,
        "payment_intent": null, "invoice": null, "livemode": false, "created": 1,
        "expires_at": 2, "mode": "setup"}]});
    let page = read_page(200, page.to_string().as_bytes()).unwrap();
    assert!(Payment::from_session(&page.data[0]).is_err());
    let desk = Desk::new();
    assert_eq!(untold(&desk, page.data), []);
}
