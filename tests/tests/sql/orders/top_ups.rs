//! The saved card pays by itself when credit runs low, within every limit, and stops when it fails.

use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, PersonId};
use tollgate_core::ledger::{EntryKind, LedgerEntry};
use tollgate_core::money::Nanos;
use tollgate_core::orders::{
    Applied, DueTopUp, KeptTopUp, Notice, Order, OrderState, PaymentState, Question, StoppedTopUp,
    TopUp, due_top_ups_statement, forget_card, forget_untold_statement, give_up_top_up,
    read_due_top_up, read_stopped_top_up, read_top_up, read_unfinished, stopped_top_ups_statement,
    top_up_statement, unfinished_statement,
};
use tollgate_core::people::{EmailAddress, NewPerson};
use tollgate_core::stripe::{Cents, Decline, StripeError};

use super::desk::{Desk, id};
use crate::world::NOW_MS;

const CENT: i64 = 10_000_000;

const SET: TopUp = TopUp {
    enabled: true,
    threshold: Nanos::new(5_000_000_000),
    amount: Cents::new(2_000),
    month_limit: Cents::new(6_000),
};

/// A customer of the reseller with 10 dollars and a saved card.
fn customer(desk: &Desk) -> AccountId {
    let account = desk.customer(&desk.reseller);
    let order = desk.order(&account, 1_000);
    let mut payment = desk
        .paid(&order, &format!("first{}", desk.draw()))
        .payment("paid");
    if let PaymentState::Paid(receipt) = &mut payment.state {
        receipt.saved = Some(id("pm_saved"));
    }
    let event = format!("evt_first{}", desk.draw());
    assert!(matches!(
        desk.say(&event, Notice::Payment(payment)),
        Applied::Granted { .. }
    ));
    account
}

fn set(desk: &Desk, account: &AccountId, top_up: &TopUp) {
    let commit = top_up.edit(account, &desk.terms.caps, &desk.change());
    desk.commit(commit.unwrap());
}

fn spend(desk: &Desk, account: &AccountId, nanos: i64) {
    let entry = LedgerEntry {
        account: account.clone(),
        kind: EntryKind::Adjustment,
        amount: Nanos::new(-nanos),
        reference: format!("adjustment:{}", desk.draw()),
        reason: "test".to_owned(),
    };
    let _ = desk.post(&entry);
}

fn due(desk: &Desk) -> Vec<DueTopUp> {
    let reply = desk
        .database
        .run(due_top_ups_statement(&desk.terms, desk.now_ms, 10));
    let rows = reply.rows(0).iter();
    rows.map(|row| read_due_top_up(row).unwrap()).collect()
}

fn begin(desk: &Desk, due: &DueTopUp) -> Option<Order> {
    let begin = due.begin(&desk.order_id(), &desk.terms, desk.now_ms);
    let reply = desk.database.execute(&begin.batch);
    begin.read(&reply).unwrap()
}

fn kept(desk: &Desk, account: &AccountId) -> KeptTopUp {
    let reply = desk.database.run(top_up_statement(account));
    read_top_up(&reply.rows(0)[0]).unwrap()
}

#[test]
fn credit_that_runs_low_is_topped_up_once_at_a_time() {
    let desk = Desk::new();
    let account = customer(&desk);
    set(&desk, &account, &SET);
    assert_eq!(due(&desk), []);
    spend(&desk, &account, 500 * CENT);
    assert_eq!(due(&desk), [], "exactly the threshold is enough");
    spend(&desk, &account, 1);
    let found = due(&desk);
    assert_eq!((&found[0].account, found[0].attempts), (&account, 0));
    let order = begin(&desk, &found[0]).unwrap();
    assert_eq!((order.attempt, order.price), (Some(1), Cents::new(2_000)));
    assert_eq!(order.proceeds, Some(Nanos::new(1_912 * CENT)));
    let request = found[0].to_request(&order, "credit");
    let key = format!("topup:{account}:1");
    assert_eq!(request.idempotency_key, Some(key));
    // Two crons at once, and a cron while the payment is on its way.
    assert_eq!(begin(&desk, &found[0]), None);
    assert_eq!(due(&desk), []);
    let payment = desk.paid(&order, "t1").top_up("succeeded");
    let applied = desk.say("evt_t1", Notice::Payment(payment.clone()));
    assert!(matches!(applied, Applied::Granted { .. }));
    assert_eq!(
        desk.say("evt_t2", Notice::Payment(payment)),
        Applied::Before
    );
    assert_eq!(desk.credit(&account), (2_500 * CENT - 1, 0));
    assert_eq!(due(&desk), []);
}

#[test]
fn a_month_a_day_and_a_card_have_their_limits() {
    let mut desk = Desk::new();
    let account = customer(&desk);
    set(&desk, &account, &SET);
    let mut number = 0;
    let mut buy = |desk: &Desk| {
        let free = desk.credit(&account).0;
        spend(desk, &account, free);
        let found = due(desk);
        let order = begin(desk, found.first()?)?;
        number += 1;
        let name = format!("m{number}");
        let payment = desk.paid(&order, &name).top_up("succeeded");
        let _ = desk.say(&format!("evt_{name}"), Notice::Payment(payment));
        Some(desk.read(&order).state)
    };
    for _ in 0..3 {
        assert_eq!(buy(&desk), Some(OrderState::Paid));
    }
    assert_eq!(buy(&desk), None, "60 dollars a month");
    // The next month.
    desk.now_ms += 9 * 86_400_000;
    assert_eq!(buy(&desk), Some(OrderState::Paid));
    desk.terms.caps.account_day = Cents::new(3_999);
    assert_eq!(buy(&desk), None, "the account's cap");
    desk.terms.caps.account_day = Cents::new(4_000);
    desk.terms.caps.card_day = Cents::new(3_999);
    assert_eq!(buy(&desk), None, "the card's cap");
    desk.terms.caps.card_day = Cents::new(4_000);
    assert_eq!(buy(&desk), Some(OrderState::Paid));
}

#[test]
fn a_card_that_is_refused_switches_it_off_and_says_why() {
    let desk = Desk::new();
    let account = customer(&desk);
    set(&desk, &account, &SET);
    spend(&desk, &account, 900 * CENT);
    let order = begin(&desk, &due(&desk)[0]).unwrap();
    let error = StripeError::Declined(Decline::AuthenticationRequired);
    let (batch, commit) = give_up_top_up(&account, &order.id, &error, NOW_MS);
    assert!(desk.database.execute(&batch).is_ok(commit));
    assert!(!desk.database.execute(&batch).is_ok(commit));
    let after = kept(&desk, &account);
    assert!(!after.top_up.enabled);
    assert_eq!(after.stopped_by.as_deref(), Some("authentication_required"));
    assert_eq!(due(&desk), []);
    let alarms = "SELECT count(*) FROM alarms WHERE account_id = ?1 AND kind = 'top_up_stopped'";
    assert_eq!(desk.number(alarms, account.as_str()), 1);
    assert_eq!(desk.read(&order).state, OrderState::Failed);
    // Switched on again, the next one has a number of its own.
    set(&desk, &account, &SET);
    assert_eq!(kept(&desk, &account).stopped_by, None);
    let order = begin(&desk, &due(&desk)[0]).unwrap();
    assert_eq!(order.attempt, Some(2));
    // The same by an event.
    let failed = desk.paid(&order, "t").top_up("requires_payment_method");
    let applied = desk.say("evt_t", Notice::Payment(failed));
    assert_eq!(applied, Applied::Marked(OrderState::Failed));
    assert!(!kept(&desk, &account).top_up.enabled);
}

#[test]
fn everybody_of_an_account_is_told_once_that_a_payment_stopped_it() {
    let desk = Desk::new();
    let account = customer(&desk);
    let people: Vec<String> = ["a@example.org", "b@example.org", "gone@example.org"]
        .map(|email| {
            let person = NewPerson {
                id: PersonId::from_random([desk.draw() as u8; 10]),
                account: account.clone(),
                email: EmailAddress::parse(email).unwrap(),
            };
            desk.commit(person.to_batch(&desk.change()));
            person.id.to_string()
        })
        .to_vec();
    let close = "UPDATE people SET closed_at_ms = 1 WHERE id = ?1";
    let _ = desk
        .database
        .run(Statement::new(close).bind(people[2].as_str()));
    let told = |now_ms: i64| -> Vec<StoppedTopUp> {
        let reply = desk.database.run(stopped_top_ups_statement(now_ms, 10));
        let rows = reply.rows(0).iter();
        rows.map(|row| read_stopped_top_up(row).unwrap()).collect()
    };
    set(&desk, &account, &SET);
    spend(&desk, &account, 6_000_000_000);
    assert_eq!(told(desk.now_ms), []);
    let stop = || {
        let [due] = &due(&desk)[..] else { panic!() };
        let order = begin(&desk, due).unwrap();
        let error = StripeError::Declined(Decline::Expired);
        let (batch, _) = give_up_top_up(&account, &order.id, &error, desk.now_ms);
        let _ = desk.database.execute(&batch);
        // Heard of twice it stopped once.
        let _ = desk.database.execute(&batch);
    };
    stop();
    let first = told(desk.now_ms);
    let mut emails: Vec<&str> = first.iter().map(|it| it.email.as_str()).collect();
    emails.sort_unstable();
    assert_eq!(emails, ["a@example.org", "b@example.org"]);
    assert!(
        first
            .iter()
            .all(|it| it.account == account && it.stopped_by == "expired_card")
    );
    assert_ne!(first[0].mail_name(), first[1].mail_name());
    // A mail that nobody takes is not tried for ever.
    assert_eq!(told(desk.now_ms + 24 * 3_600_000), []);
    let _ = desk.database.run(forget_untold_statement(desk.now_ms));
    assert_eq!(told(desk.now_ms), first);
    let _ = desk.database.run(first[0].told());
    assert_eq!(told(desk.now_ms), []);
    // What was told of the first stop says nothing of the second.
    set(&desk, &account, &SET);
    stop();
    let _ = desk.database.run(first[0].told());
    let second = told(desk.now_ms);
    assert_eq!(second.len(), 2);
    assert!(
        second
            .iter()
            .all(|it| first.iter().all(|old| old.mail_name() != it.mail_name()))
    );
    // Who switched it on again knows.
    set(&desk, &account, &SET);
    assert_eq!(told(desk.now_ms), []);
}

#[test]
fn a_payment_that_was_begun_is_asked_for_with_the_same_card_whatever_is_saved_since() {
    let desk = Desk::new();
    let account = customer(&desk);
    set(&desk, &account, &SET);
    spend(&desk, &account, 6_000_000_000);
    let [due] = &due(&desk)[..] else { panic!() };
    let order = begin(&desk, due).unwrap();
    let asked = due.to_request(&order, "credit");
    let again = || {
        let reply = desk.database.run(unfinished_statement(i64::MAX, 10));
        let [row] = reply.rows(0) else { panic!() };
        match read_unfinished(row)
            .unwrap()
            .question("credit", desk.now_ms)
        {
            Question::PaymentIntent(request) => request,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(again(), asked);
    let other = "UPDATE stripe_customers SET payment_method_id = 'pm_other' WHERE account_id = ?1";
    let _ = desk
        .database
        .run(Statement::new(other).bind(account.as_str()));
    assert_eq!(again(), asked);
    let (batch, commit) = forget_card(&id("pm_other"), desk.now_ms);
    assert!(desk.database.execute(&batch).is_ok(commit));
    assert_eq!(again(), asked);
    assert_eq!(
        kept(&desk, &account).stopped_by.as_deref(),
        Some("card_removed")
    );
}

#[test]
fn nothing_is_bought_without_a_card_or_for_who_is_suspended() {
    let desk = Desk::new();
    let account = desk.customer(&desk.reseller);
    let without_card = SET.edit(&account, &desk.terms.caps, &desk.change());
    desk.refused(without_card.unwrap());
    let off = TopUp {
        enabled: false,
        ..SET
    };
    set(&desk, &account, &off);
    let account = customer(&desk);
    set(&desk, &account, &SET);
    spend(&desk, &account, 900 * CENT);
    assert_eq!(due(&desk).len(), 1);
    let status = |word: &str| {
        let sql = "UPDATE accounts SET status = ?2 WHERE id = ?1";
        let _ = desk
            .database
            .run(Statement::new(sql).bind(account.as_str()).bind(word));
    };
    status("suspended");
    assert_eq!(due(&desk), []);
    status("active");
    set(&desk, &account, &off);
    assert_eq!(due(&desk), []);
    let logged = "SELECT count(*) FROM audit_log WHERE subject = ?1 AND action = 'top_up.edit'";
    assert_eq!(desk.number(logged, account.as_str()), 2);
}
