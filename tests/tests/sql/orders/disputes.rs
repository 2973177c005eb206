//! A dispute takes the credit, suspends the account, and undoes both when it is won.

use tollgate_core::accounts::set_suspended;
use tollgate_core::audit::Change;
use tollgate_core::ids::{AccountId, PersonId};
use tollgate_core::orders::{Applied, Moved, Notice};
use tollgate_core::people::{EmailAddress, NewPerson, close_account, unpaid_orders_statement};

use super::desk::Desk;

const CENT: i64 = 10_000_000;

fn suspended(desk: &Desk, account: &AccountId) -> bool {
    let sql = "SELECT count(*) FROM accounts WHERE id = ?1 AND status = 'suspended'";
    desk.number(sql, account.as_str()) == 1
}

#[test]
fn a_dispute_freezes_the_account_and_a_won_one_restores_everything() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    let both = || (desk.credit(&customer), desk.credit(&desk.reseller));
    let full = both();
    let say = |event: &str, status: &str, moved: Moved| {
        desk.say(event, paid.dispute((status, 1_000), moved))
    };
    assert_eq!(say("evt_1", "needs_response", Moved::No), Applied::Booked);
    assert!(suspended(&desk, &customer));
    assert_eq!(both(), full);
    assert_eq!(desk.alarms(), ["disputed"]);
    assert_eq!(
        say("evt_2", "needs_response", Moved::Withdrawn),
        Applied::Booked
    );
    assert_eq!(
        say("evt_2", "needs_response", Moved::Withdrawn),
        Applied::Before
    );
    assert_eq!(both(), ((0, 0), (0, 0)));
    assert_eq!(say("evt_3", "won", Moved::No), Applied::Booked);
    assert_eq!(say("evt_4", "won", Moved::Reinstated), Applied::Before);
    assert_eq!(both(), full);
    assert!(!suspended(&desk, &customer));
}

#[test]
fn a_lost_dispute_keeps_the_money_and_the_account_stays_suspended() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    // The bank adds its own, which is not the customer's.
    let say = |event: &str, status: &str, moved: Moved| {
        desk.say(event, paid.dispute((status, 2_500), moved))
    };
    assert_eq!(say("evt_1", "lost", Moved::No), Applied::Booked);
    assert_eq!(
        say("evt_2", "needs_response", Moved::Withdrawn),
        Applied::Booked
    );
    assert_eq!(desk.credit(&customer), (0, 0));
    assert!(suspended(&desk, &customer));
}

#[test]
fn a_question_of_the_bank_s_freezes_nobody() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    for (event, status) in [
        ("evt_1", "warning_needs_response"),
        ("evt_2", "warning_under_review"),
        ("evt_3", "warning_closed"),
    ] {
        let _ = desk.say(event, paid.dispute((status, 1_000), Moved::No));
        assert!(!suspended(&desk, &customer), "{status}");
    }
    assert_eq!(desk.credit(&customer), (1_000 * CENT, 0));
    assert_eq!(desk.alarms(), Vec::<String>::new());
}

#[test]
fn who_was_suspended_by_a_person_stays_so_when_a_dispute_is_won() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    desk.commit(set_suspended(&customer, true, &desk.change()));
    let _ = desk.say("evt_1", paid.dispute(("needs_response", 1_000), Moved::No));
    let _ = desk.say("evt_2", paid.dispute(("won", 1_000), Moved::No));
    assert!(suspended(&desk, &customer));
}

#[test]
fn a_person_s_suspension_stands_also_after_the_account_was_resumed_during_the_dispute() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    let _ = desk.say("evt_1", paid.dispute(("needs_response", 1_000), Moved::No));
    desk.commit(set_suspended(&customer, false, &desk.change()));
    desk.commit(set_suspended(&customer, true, &desk.change()));
    let _ = desk.say("evt_2", paid.dispute(("won", 1_000), Moved::No));
    assert!(suspended(&desk, &customer));
    // The next dispute may freeze and resume it again, once a person let it work.
    desk.commit(set_suspended(&customer, false, &desk.change()));
    let other = desk.bought(&customer, 1_000, "b");
    let other = desk.paid(&other, "b");
    let _ = desk.say("evt_3", other.dispute(("needs_response", 1_000), Moved::No));
    assert!(suspended(&desk, &customer));
    let _ = desk.say("evt_4", other.dispute(("won", 1_000), Moved::No));
    assert!(!suspended(&desk, &customer));
}

#[test]
fn an_account_that_was_closed_during_a_dispute_stays_closed_when_it_is_won() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let person = NewPerson {
        id: PersonId::from_random([9; 10]),
        account: customer.clone(),
        email: EmailAddress::parse("ada@example.com").unwrap(),
    };
    desk.commit(person.to_batch(&desk.change()));
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    let _ = desk.say("evt_1", paid.dispute(("needs_response", 1_000), Moved::No));
    desk.commit(close_account(&customer, &desk.change()));
    let _ = desk.say("evt_2", paid.dispute(("won", 1_000), Moved::No));
    assert!(suspended(&desk, &customer));
}

#[test]
fn an_account_is_not_closed_while_one_of_its_orders_may_still_be_paid() {
    let mut desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let person = NewPerson {
        id: PersonId::from_random([9; 10]),
        account: customer.clone(),
        email: EmailAddress::parse("ada@example.com").unwrap(),
    };
    desk.commit(person.to_batch(&desk.change()));
    let unpaid = |desk: &Desk| {
        let reply = desk
            .database
            .run(unpaid_orders_statement(&customer, desk.now_ms));
        reply.rows(0).len()
    };
    let order = desk.order(&customer, 1_000);
    desk.refused(close_account(&customer, &desk.change()));
    assert_eq!(unpaid(&desk), 1);
    let paid = desk.paid(&order, "a");
    let _ = desk.say("evt_1", Notice::Payment(paid.payment("pending")));
    // The bank takes its days, and Stripe's page has long been closed.
    desk.now_ms += 86_400_000;
    let later = Change {
        at_ms: desk.now_ms,
        ..desk.change()
    };
    assert_eq!(unpaid(&desk), 1);
    desk.refused(close_account(&customer, &later));
    assert!(!suspended(&desk, &customer));
    let _ = desk.say("evt_2", Notice::Payment(paid.payment("paid")));
    assert_eq!(unpaid(&desk), 0);
    desk.commit(close_account(&customer, &later));
    assert!(suspended(&desk, &customer));
}

#[test]
fn what_a_dispute_took_comes_back_whatever_amount_a_later_event_tells() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let order = desk.bought(&customer, 1_000, "a");
    let paid = desk.paid(&order, "a");
    let both = || (desk.credit(&customer), desk.credit(&desk.reseller));
    let full = both();
    let say = |event: &str, status: (&str, i64), moved: Moved| {
        desk.say(event, paid.dispute(status, moved))
    };
    let opened = ("needs_response", 1_000);
    assert_eq!(say("evt_1", opened, Moved::No), Applied::Booked);
    let taken = ("needs_response", 900);
    assert_eq!(say("evt_2", taken, Moved::Withdrawn), Applied::Booked);
    assert_eq!(both(), ((0, 0), (0, 0)));
    assert_eq!(say("evt_3", ("won", 700), Moved::No), Applied::Booked);
    assert_eq!(both(), full);
    assert!(!suspended(&desk, &customer));
}

#[test]
fn an_account_stays_suspended_until_its_last_dispute_is_won() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let one = desk.bought(&customer, 1_000, "a");
    let other = desk.bought(&customer, 1_000, "b");
    let (one, other) = (desk.paid(&one, "a"), desk.paid(&other, "b"));
    let say = |event: &str, notice: Notice| desk.say(event, notice);
    let _ = say("evt_1", one.dispute(("needs_response", 1_000), Moved::No));
    let _ = say("evt_2", other.dispute(("needs_response", 1_000), Moved::No));
    let _ = say("evt_3", one.dispute(("won", 1_000), Moved::No));
    assert!(suspended(&desk, &customer));
    let _ = say("evt_4", other.dispute(("won", 1_000), Moved::No));
    assert!(!suspended(&desk, &customer));
}
