//! The requests, answers, events and signatures at the stand-in for Stripe, which refuses what Stripe
//! refuses: everything that orders do there, against the real database.

use serde_json::Value;
use tollgate_core::ids::{AccountId, OrderId};
use tollgate_core::orders::{
    Applied, Asked, DueTopUp, Heard, NoPayment, Notice, Order, OrderState, Payment, PaymentState,
    SavedNow, StripeCustomer, Subject, TopUp, attach_session, customer_statement,
    due_top_ups_statement, forget_card, read_due_top_up, read_refundable, read_stripe_customer,
    read_untold, refundable_statement, remove_card, save_customer, untold_statement,
};
use tollgate_core::stripe::{
    API_VERSION, Cents, Decline, Event, Method, NewCardPage, NewCustomer, NewPortal, NewSession,
    SessionsSince, StripeError, StripeId, StripeRequest, detach_payment_method, expire_session,
    read_customer, read_event, read_page, read_payment_intent, read_payment_method, read_portal,
    read_refund, read_session, retrieve_payment_intent, retrieve_refund, retrieve_session,
    verify_signature,
};
use tollgate_core::{limits::Limits, money::Nanos};
use tollgate_simulator::stripe::calls::{Answered, Call, answer};
use tollgate_simulator::stripe::checkout::{Deed, Outcome, press};
use tollgate_simulator::stripe::dispute::{Claim, Phase, moves};
use tollgate_simulator::stripe::objects::{Cause, Objects};
use tollgate_simulator::stripe::refund::{Status, becomes};
use tollgate_simulator::stripe::{SECRET_KEY, cards, signature};

use super::desk::{Desk, Fate};
use crate::world::NOW_MS;

const CENT: i64 = 10_000_000;

/// The stand-in, without a network.
struct Stripe {
    objects: Objects,
    answered: Answered,
    told: usize,
    card: &'static str,
}

impl Stripe {
    fn new() -> Self {
        Self {
            objects: Objects::new(1),
            answered: Answered::default(),
            told: 0,
            card: "4242424242424242",
        }
    }

    fn cause(&self) -> Cause {
        Cause {
            at: NOW_MS / 1_000,
            origin: "http://127.0.0.1:1/stripe".to_owned(),
            request: None,
            idempotency_key: None,
        }
    }

    fn ask(&mut self, request: &StripeRequest) -> (u16, Vec<u8>) {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let (method, parameters) = match request.method {
            Method::Get => ("GET", query),
            Method::Post => ("POST", request.body.as_str()),
        };
        let bearer = format!("Bearer {SECRET_KEY}");
        let call = Call {
            method,
            path,
            parameters: parameters.as_bytes(),
            authorization: Some(&bearer),
            version: Some(API_VERSION),
            content_type: Some("application/x-www-form-urlencoded"),
            cause: Cause {
                idempotency_key: request.idempotency_key.clone(),
                ..self.cause()
            },
        };
        let answer = answer(&mut self.objects, &mut self.answered, &call);
        (answer.status, answer.body.to_string().into_bytes())
    }

    /// Presses a button of the page, and where that leads.
    fn press(&mut self, session: &StripeId, deed: Deed) -> String {
        let cause = self.cause();
        match press(&mut self.objects, session.as_str(), (deed, 20), &cause).unwrap() {
            Outcome::Leaves(target) => target,
            Outcome::Stays(text) => text.to_owned(),
        }
    }

    fn pay(&mut self, session: &StripeId) -> String {
        self.press(session, Deed::Pay(cards::find(self.card).unwrap()))
    }

    /// The events that were not told yet, as their webhooks.
    fn webhooks(&mut self) -> Vec<(String, String)> {
        let events: Vec<Value> = self.objects.events.iter().map(|it| it.json()).collect();
        let fresh = events[self.told..].iter().map(Value::to_string);
        self.told = events.len();
        let at = NOW_MS / 1_000;
        fresh
            .map(|body| (signature::header("whsec_x", at, &body, None), body))
            .collect()
    }
}

/// A desk and the stand-in, with the loops that the Worker has.
struct Shop {
    desk: Desk,
    stripe: Stripe,
}

impl Shop {
    fn new() -> Self {
        Self {
            desk: Desk::new(),
            stripe: Stripe::new(),
        }
    }

    fn customer(&mut self) -> AccountId {
        let desk = &self.desk;
        let account = desk.caller(&desk.reseller, 0, Limits::default()).account;
        desk.made_at(&account, NOW_MS - 8 * 86_400_000);
        let new = NewCustomer {
            account: &account,
            email: "a+b@example.org",
            name: "Ä & Ö",
        };
        let request = new.to_request();
        let (status, body) = self.stripe.ask(&request);
        let customer = read_customer(status, &body).unwrap();
        // Asked twice, it is the same one.
        let (status, body) = self.stripe.ask(&request);
        assert_eq!(read_customer(status, &body).unwrap(), customer);
        let (batch, _) = save_customer(&account, &customer.id, NOW_MS);
        let _ = desk.database.execute(&batch);
        account
    }

    fn known(&self, account: &AccountId) -> StripeCustomer {
        let reply = self.desk.database.run(customer_statement(account));
        read_stripe_customer(&reply.rows(0)[0]).unwrap()
    }

    /// An order with its open page.
    fn order(&mut self, account: &AccountId, (cents, save_card): (i64, bool)) -> (Order, StripeId) {
        let order = self.desk.order(account, cents);
        let customer = self.known(account);
        let new = NewSession {
            order: &order.id,
            price: order.price,
            name: "Credit",
            customer: &customer.id,
            success_url: "https://shop.example/paid?session={CHECKOUT_SESSION_ID}",
            cancel_url: "https://shop.example/billing",
            expires_at_ms: order.expires_at_ms,
            save_card,
            automatic_tax: true,
        };
        let (status, body) = self.stripe.ask(&new.to_request());
        let session = read_session(status, &body).unwrap();
        let attach = attach_session(account, &order.id, &session);
        let _ = self.desk.database.execute(&attach.batch);
        (order, session.id)
    }

    /// Takes in every webhook that was not told yet.
    fn listen(&mut self) -> Vec<Applied> {
        let webhooks = self.stripe.webhooks();
        let mut all = Vec::new();
        for (header, body) in webhooks {
            verify_signature(&header, body.as_bytes(), &["whsec_x"], NOW_MS).unwrap();
            let event = read_event(body.as_bytes(), false).unwrap();
            all.extend(self.take_in(&event));
        }
        all
    }

    fn take_in(&mut self, event: &Event) -> Option<Applied> {
        let payment = match Subject::of(event) {
            Subject::Session(id) => {
                let (status, body) = self.stripe.ask(&retrieve_session(&id));
                Payment::from_session(&read_session(status, &body).unwrap())
            }
            Subject::PaymentIntent(id) => {
                let (status, body) = self.stripe.ask(&retrieve_payment_intent(&id));
                Payment::from_intent(&read_payment_intent(status, &body).unwrap())
            }
            Subject::Notice(notice) => return Some(self.hear(Some(event), notice)),
            Subject::Card(_) | Subject::Nothing => return None,
        };
        match payment {
            Ok(payment) => Some(self.hear(Some(event), Notice::Payment(payment))),
            Err(NoPayment::NotOurs) => None,
            Err(NoPayment::Incomplete) => panic!("{event:?}"),
        }
    }

    fn hear(&self, event: Option<&Event>, notice: Notice) -> Applied {
        let heard = Heard {
            stamp: event.map(Into::into),
            notice,
            now_ms: NOW_MS,
        };
        self.desk.hear(heard, || Fate::Arrives).unwrap()
    }
}

#[test]
fn a_pack_is_paid_on_the_page_and_its_receipt_and_invoice_are_kept() {
    let mut shop = Shop::new();
    let account = shop.customer();
    let (order, session) = shop.order(&account, (1_000, false));
    let target = shop.stripe.pay(&session);
    assert_eq!(
        target,
        format!("https://shop.example/paid?session={session}")
    );
    let applied = shop.listen();
    let granted = |it: &&Applied| matches!(it, Applied::Granted { .. });
    assert_eq!(applied.iter().filter(granted).count(), 1, "{applied:?}");
    assert_eq!(shop.desk.credit(&account), (1_000 * CENT, 0));
    let order = shop.desk.read(&order);
    assert!(
        order.receipt_url.is_some() && order.invoice_url.is_some(),
        "{order:?}"
    );
    assert_eq!(shop.known(&account).card, None);
    assert_eq!(shop.desk.alarms(), Vec::<String>::new());
}

#[test]
fn money_that_comes_later_or_not_at_all_is_taken_for_what_it_is() {
    let mut shop = Shop::new();
    let account = shop.customer();
    let check = |shop: &mut Shop, paid: bool, expect: OrderState| {
        let (order, session) = shop.order(&account, (1_000, false));
        shop.stripe.press(&session, Deed::PayLater);
        shop.listen();
        assert_eq!(shop.desk.read(&order).state, OrderState::Pending);
        shop.stripe.press(&session, Deed::Settle { paid });
        shop.listen();
        assert_eq!(shop.desk.read(&order).state, expect);
    };
    check(&mut shop, false, OrderState::Failed);
    check(&mut shop, true, OrderState::Paid);
    let (order, session) = shop.order(&account, (1_000, false));
    let (status, body) = shop.stripe.ask(&expire_session(&session));
    assert!(read_session(status, &body).is_ok());
    shop.listen();
    assert_eq!(shop.desk.read(&order).state, OrderState::Expired);
    assert_eq!(shop.desk.credit(&account), (1_000 * CENT, 0));
}

#[test]
fn a_refund_from_the_page_reaches_the_card_and_its_end_is_heard() {
    let mut shop = Shop::new();
    let account = shop.customer();
    let (order, session) = shop.order(&account, (1_000, false));
    shop.stripe.pay(&session);
    shop.listen();
    let desk = &shop.desk;
    let reply = desk.database.run(refundable_statement(&account, &order.id));
    let refundable = read_refundable(&reply.rows(0)[0]).unwrap();
    let ask = refundable.ask(&desk.refund_id(), Cents::new(400), &desk.change());
    let ask = ask.unwrap();
    let reply = desk.database.execute(&ask.batch);
    assert_eq!(ask.read(&reply), Asked::Now);
    let request = ask.refund.to_request();
    let (status, body) = shop.stripe.ask(&request);
    let refund = read_refund(status, &body).unwrap();
    assert_eq!(
        shop.hear(None, Notice::Refund(refund.clone())),
        Applied::Booked
    );
    assert!(shop.listen().iter().all(|it| *it == Applied::Before));
    assert_eq!(shop.desk.credit(&account), (600 * CENT, 0));
    let (status, body) = shop.stripe.ask(&retrieve_refund(&refund.id));
    assert_eq!(read_refund(status, &body).unwrap(), refund);
    let cause = shop.stripe.cause();
    becomes(
        &mut shop.stripe.objects,
        refund.id.as_str(),
        Status::Failed,
        &cause,
    )
    .unwrap();
    shop.listen();
    assert_eq!(shop.desk.credit(&account), (1_000 * CENT, 0));
    assert_eq!(shop.desk.read(&order).refunded, Cents::ZERO);
}

#[test]
fn a_dispute_is_heard_from_its_first_word_to_its_last() {
    let mut shop = Shop::new();
    let account = shop.customer();
    let (order, session) = shop.order(&account, (1_000, false));
    shop.stripe.pay(&session);
    shop.listen();
    let intent = shop.desk.read(&order).payment_intent.unwrap();
    let phase = |shop: &mut Shop, name: &str| {
        let claim = Claim {
            intent: intent.as_str(),
            amount: None,
            reason: "fraudulent",
        };
        let cause = shop.stripe.cause();
        moves(
            &mut shop.stripe.objects,
            claim,
            Phase::find(name).unwrap(),
            &cause,
        )
        .unwrap();
        shop.listen();
        shop.desk.credit(&account).0
    };
    assert_eq!(phase(&mut shop, "created"), 1_000 * CENT);
    assert_eq!(phase(&mut shop, "funds_withdrawn"), 0);
    // Stripe refuses to refund what is disputed, and so do we.
    let reply = shop
        .desk
        .database
        .run(refundable_statement(&account, &order.id));
    assert!(read_refundable(&reply.rows(0)[0]).unwrap().most.is_err());
    assert_eq!(phase(&mut shop, "closed_won"), 1_000 * CENT);
    assert_eq!(phase(&mut shop, "funds_reinstated"), 1_000 * CENT);
}

/// An account that saved this card and is due for a top-up.
fn saved(shop: &mut Shop, card: &'static str) -> (AccountId, DueTopUp) {
    let account = shop.customer();
    shop.stripe.card = card;
    let (_, session) = shop.order(&account, (500, true));
    shop.stripe.pay(&session);
    shop.listen();
    let known = shop.known(&account).card.unwrap();
    assert!(known.label.starts_with("visa "), "{known:?}");
    let top_up = TopUp {
        enabled: true,
        threshold: Nanos::new(6_000_000_000),
        amount: Cents::new(2_000),
        month_limit: Cents::new(2_000),
    };
    let edit = top_up.edit(&account, &shop.desk.terms.caps, &shop.desk.change());
    shop.desk.commit(edit.unwrap());
    let due = due_top_ups_statement(&shop.desk.terms, NOW_MS, 10);
    let reply = shop.desk.database.run(due);
    let mut due = reply
        .rows(0)
        .iter()
        .map(|row| read_due_top_up(row).unwrap());
    let due = due.find(|due| due.account == account).unwrap();
    (account, due)
}

fn begin(shop: &Shop, due: &DueTopUp) -> Order {
    let begin = due.begin(&shop.desk.order_id(), &shop.desk.terms, NOW_MS);
    let reply = shop.desk.database.execute(&begin.batch);
    begin.read(&reply).unwrap().unwrap()
}

#[test]
fn a_saved_card_pays_while_nobody_is_there() {
    let mut shop = Shop::new();
    let (account, due) = saved(&mut shop, "4242424242424242");
    let order = begin(&shop, &due);
    let request = due.to_request(&order, "Credit");
    let (status, body) = shop.stripe.ask(&request);
    let intent = read_payment_intent(status, &body).unwrap();
    let payment = Payment::from_intent(&intent).unwrap();
    assert!(
        matches!(payment.state, PaymentState::Paid(_)),
        "{payment:?}"
    );
    assert!(matches!(
        shop.hear(None, Notice::Payment(payment)),
        Applied::Granted { .. }
    ));
    let (status, body) = shop.stripe.ask(&request);
    assert_eq!(read_payment_intent(status, &body).unwrap().id, intent.id);
    assert!(shop.listen().iter().all(|it| *it == Applied::Before));
    assert_eq!(shop.desk.credit(&account), (2_500 * CENT, 0));
}

#[test]
fn a_card_is_saved_without_buying_and_a_later_page_wins_over_an_earlier_one() {
    let mut shop = Shop::new();
    let account = shop.customer();
    let customer = shop.known(&account).id;
    let page = |shop: &mut Shop, once: &str, card: &'static str| {
        let new = NewCardPage {
            account: &account,
            customer: &customer,
            once,
            success_url: "https://shop.example/card?session_id={CHECKOUT_SESSION_ID}",
            cancel_url: "https://shop.example/billing",
        };
        let (status, body) = shop.stripe.ask(&new.to_request());
        let session = read_session(status, &body).unwrap();
        shop.stripe.card = card;
        session
    };
    let keep = |shop: &mut Shop, session: &StripeId, made_s: i64| {
        let (status, body) = shop.stripe.ask(&retrieve_session(session));
        let mut session = read_session(status, &body).unwrap();
        session.created = made_s;
        let saved = SavedNow::from_session(&session)?;
        assert_eq!(saved.keep(true), None, "test money in live mode");
        let _ = shop.desk.database.run(saved.keep(false).unwrap());
        Some(())
    };
    let first = page(&mut shop, "a", "5555555555554444");
    assert_eq!(keep(&mut shop, &first.id, 10), None, "it is still open");
    shop.stripe.pay(&first.id);
    assert_eq!(keep(&mut shop, &first.id, 10), Some(()));
    let card = shop.known(&account).card.unwrap();
    assert_eq!(
        (card.label.as_str(), card.expires.as_deref()),
        ("mastercard 4444", Some("12/2034"))
    );
    assert_eq!(card.fingerprint, "SimPrintMast4444");
    assert!(shop.listen().is_empty(), "no order is told of");
    let second = page(&mut shop, "b", "4242424242424242");
    shop.stripe.pay(&second.id);
    for (session, made_s) in [(&second, 20), (&first, 10), (&second, 20)] {
        let _ = keep(&mut shop, &session.id, made_s);
        assert_eq!(shop.known(&account).card.unwrap().label, "visa 4242");
    }
    // Removed at Stripe: gone here, and hearing of its saving again brings nothing back.
    let card = shop.known(&account).card.unwrap();
    let method = card.payment_method.clone();
    let (status, body) = shop.stripe.ask(&detach_payment_method(&method));
    assert_eq!(read_payment_method(status, &body).unwrap().id, method);
    let (status, body) = shop.stripe.ask(&detach_payment_method(&method));
    assert!(read_payment_method(status, &body).unwrap_err().is_final());
    // Stripe's event is faster than the person, whose line in the log is written once all the same.
    let (batch, commit) = forget_card(&method, NOW_MS);
    assert!(shop.desk.database.execute(&batch).is_ok(commit));
    for _ in 0..2 {
        let removed = remove_card(&account, &card, &shop.desk.change());
        shop.desk.commit(removed);
    }
    let lines = "SELECT count(*) FROM audit_log WHERE subject = ?1 AND action = 'card.remove' \
                 AND after ->> 'card' = 'visa 4242'";
    assert_eq!(shop.desk.number(lines, account.as_str()), 1);
    assert_eq!(shop.known(&account).card, None);
    assert_eq!(keep(&mut shop, &second.id, 20), None);
    assert_eq!(shop.known(&account).card, None);
}

#[test]
fn a_saved_card_that_wants_its_owner_switches_top_up_off() {
    let check = |card: &'static str, expect: Decline| {
        let mut shop = Shop::new();
        let (account, due) = saved(&mut shop, card);
        let order = begin(&shop, &due);
        let (status, body) = shop.stripe.ask(&due.to_request(&order, "Credit"));
        let error = read_payment_intent(status, &body).unwrap_err();
        assert_eq!(error, StripeError::Declined(expect));
        // The event says the same, without the answer.
        let applied = shop.listen();
        assert_eq!(applied, [Applied::Marked(OrderState::Failed)]);
        let order = shop.desk.read(&order);
        assert_eq!(order.failure.as_deref(), Some(expect.word()));
        let off = "SELECT enabled FROM auto_top_ups WHERE account_id = ?1";
        assert_eq!(shop.desk.number(off, account.as_str()), 0);
    };
    check("4000002760003184", Decline::AuthenticationRequired);
    check("4000000000000341", Decline::Refused);
}

#[test]
fn a_session_that_nobody_told_of_is_in_the_list() {
    let mut shop = Shop::new();
    let account = shop.customer();
    let (order, session) = shop.order(&account, (1_000, false));
    shop.stripe.pay(&session);
    let list = SessionsSince {
        created_at_ms: NOW_MS,
        after: None,
    };
    let (status, body) = shop.stripe.ask(&list.to_request());
    let page = read_page(status, &body).unwrap();
    assert!(!page.has_more);
    let reply = shop.desk.database.run(untold_statement(&page));
    assert_eq!(read_untold(&reply.rows(0)[0]), Ok(session.clone()));
    let after = SessionsSince {
        created_at_ms: NOW_MS,
        after: Some(&session),
    };
    let (status, body) = shop.stripe.ask(&after.to_request());
    assert_eq!(read_page(status, &body).unwrap().data, []);
    assert_eq!(shop.desk.read(&order).state, OrderState::Open);
}

#[test]
fn a_second_person_of_an_account_can_buy_while_the_first_one_s_answer_was_lost() {
    let mut shop = Shop::new();
    let account = AccountId::from_random([8; 10]);
    let mut ask = |email, name| {
        let new = NewCustomer {
            account: &account,
            email,
            name,
        };
        let (status, body) = shop.stripe.ask(&new.to_request());
        read_customer(status, &body).unwrap().id
    };
    let first = ask("a@example.org", "Lab");
    assert_eq!(ask("a@example.org", "Lab"), first);
    assert_ne!(ask("b@example.org", "Lab"), first);
    assert_ne!(ask("a@example.org", "Laboratory"), first);
}

#[test]
fn refusals_of_stripe_are_told_apart() {
    let mut shop = Shop::new();
    let account = shop.customer();
    let missing = StripeId::parse("cs_missing").unwrap();
    let (status, body) = shop.stripe.ask(&retrieve_session(&missing));
    assert_eq!(read_session(status, &body), Err(StripeError::Missing));
    let customer = shop.known(&account);
    let order = OrderId::from_random([9; 10]);
    let new = |price: i64| {
        NewSession {
            order: &order,
            price: Cents::new(price),
            name: "Credit",
            customer: &customer.id,
            success_url: "https://shop.example/paid",
            cancel_url: "https://shop.example/billing",
            expires_at_ms: NOW_MS + 3_600_000,
            save_card: false,
            automatic_tax: false,
        }
        .to_request()
    };
    let (status, body) = shop.stripe.ask(&new(1_000));
    assert!(read_session(status, &body).is_ok());
    // Every key says what its fields are, so only a wrong one can come with others.
    let wrong = StripeRequest {
        idempotency_key: new(1_000).idempotency_key,
        ..new(2_000)
    };
    let (status, body) = shop.stripe.ask(&wrong);
    assert_eq!(read_session(status, &body), Err(StripeError::Conflict));
    let portal = NewPortal {
        customer: &customer.id,
        return_url: "https://shop.example/billing",
    };
    let (status, body) = shop.stripe.ask(&portal.to_request());
    assert!(read_portal(status, &body).unwrap().url.contains("/portal/"));
}
