//! What is sold, how much one may buy, and what payment becomes credit.

use tollgate_core::accounts::set_suspended;
use tollgate_core::ids::{AccountId, PackId, PersonId};
use tollgate_core::money::Nanos;
use tollgate_core::orders::{
    Applied, Attached, Caps, Created, Fee, Item, Mismatch, NewOrder, NewPack, Notice, OrderRefusal,
    OrderState, Payment, PaymentState, attach_session, end_pack, packs_statement, read_pack,
};
use tollgate_core::people::{EmailAddress, NewPerson, close_account};
use tollgate_core::stripe::Cents;

use super::desk::{Desk, Paid, id};
use crate::world::NOW_MS;

const CENT: i64 = 10_000_000;

fn refused(created: &Created) -> Option<OrderRefusal> {
    match created {
        Created::Refused(refusal) => Some(*refusal),
        _ => None,
    }
}

#[test]
fn a_paid_order_gives_the_customer_its_credit_and_the_reseller_its_part_once() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let order = desk.order(&customer, 1_000);
    assert_eq!(order.proceeds, Some(Nanos::new(941 * CENT)));
    assert_eq!(
        (order.state, &order.seller),
        (OrderState::New, &desk.reseller)
    );
    let paid = desk.paid(&order, "a");
    let session = paid.session("open");
    let attach = attach_session(&order.account, &order.id, &session);
    for _ in 0..2 {
        let reply = desk.database.execute(&attach.batch);
        let Attached::Done(kept) = attach.read(&session, &reply).unwrap() else {
            panic!("not kept");
        };
        assert_eq!(kept.state, OrderState::Open);
        assert_eq!(
            kept.checkout_url.as_deref(),
            Some("https://checkout.example/x")
        );
    }
    let payment = || Notice::Payment(paid.payment("paid"));
    assert!(matches!(
        desk.say("evt_1", payment()),
        Applied::Granted { .. }
    ));
    assert_eq!(desk.say("evt_1", payment()), Applied::Before);
    assert_eq!(desk.say("evt_2", payment()), Applied::Before);
    assert_eq!(desk.credit(&customer), (1_000 * CENT, 0));
    assert_eq!(desk.credit(&desk.reseller), (941 * CENT, 0));
    let order = desk.read(&order);
    assert_eq!(
        (order.state, order.paid_at_ms),
        (OrderState::Paid, Some(NOW_MS))
    );
    assert_eq!(
        order.receipt_url.as_deref(),
        Some("https://stripe.example/a")
    );
    assert_eq!(
        order.invoice_url.as_deref(),
        Some("https://invoice.example/x")
    );
    assert_eq!(desk.alarms(), Vec::<String>::new());
}

#[test]
fn a_payment_that_is_heard_of_before_its_page_was_kept_is_not_lost() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.order(&customer, 1_000);
    assert_eq!(order.proceeds, None);
    let paid = desk.paid(&order, "a");
    let applied = desk.say("evt_1", Notice::Payment(paid.payment("paid")));
    assert!(matches!(applied, Applied::Granted { .. }));
    let session = paid.session("open");
    let attach = attach_session(&order.account, &order.id, &session);
    let reply = desk.database.execute(&attach.batch);
    let attached = attach.read(&session, &reply).unwrap();
    assert!(matches!(attached, Attached::Done(order) if order.state == OrderState::Paid));
    assert_eq!(desk.credit(&customer), (1_000 * CENT, 0));
}

#[test]
fn a_payment_that_does_not_match_its_order_gives_nothing_and_tells_the_operator() {
    let check = |change: fn(&mut Payment), expect: Mismatch| {
        let desk = Desk::new();
        let customer = desk.customer(&desk.reseller);
        let order = desk.order(&customer, 1_000);
        let mut payment = desk.paid(&order, "a").payment("paid");
        change(&mut payment);
        let applied = desk.say("evt_1", Notice::Payment(payment));
        assert_eq!(applied, Applied::Unmatched(expect));
        assert_eq!(desk.credit(&customer), (0, 0));
        assert_eq!(desk.credit(&desk.reseller), (0, 0));
        assert_eq!(desk.read(&order).state, OrderState::New);
        assert_eq!(desk.alarms(), ["payment_unmatched"]);
    };
    let received = |payment: &mut Payment, cents: i64| {
        if let PaymentState::Paid(receipt) = &mut payment.state {
            receipt.received = Cents::new(cents);
        }
    };
    check(|it| it.amount = Some(Cents::new(999)), Mismatch::Amount);
    check(|it| it.amount = Some(Cents::new(1_001)), Mismatch::Amount);
    check(|it| it.amount = None, Mismatch::Amount);
    let _ = received;
    check(
        |it| {
            if let PaymentState::Paid(receipt) = &mut it.state {
                receipt.received = Cents::new(1);
            }
        },
        Mismatch::Amount,
    );
    check(
        |it| it.currency = Some("eur".to_owned()),
        Mismatch::Currency,
    );
    check(|it| it.currency = None, Mismatch::Currency);
    check(|it| it.customer = Some(id("cus_other")), Mismatch::Customer);
    check(|it| it.customer = None, Mismatch::Customer);
    check(|it| it.livemode = true, Mismatch::Mode);
    check(
        |it| it.kind = tollgate_core::orders::OrderKind::AutoTopUp,
        Mismatch::Kind,
    );
    check(
        |it| it.order = tollgate_core::ids::OrderId::from_random([250; 10]),
        Mismatch::Order,
    );
}

#[test]
fn an_order_is_paid_by_one_session_and_no_other() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let order = desk.bought(&customer, 1_000, "a");
    let again = desk.paid(&order, "b").payment("paid");
    let applied = desk.say("evt_2", Notice::Payment(again));
    assert_eq!(applied, Applied::Unmatched(Mismatch::Session));
    assert_eq!(desk.credit(&customer), (1_000 * CENT, 0));
    assert_eq!(desk.alarms(), ["payment_unmatched"]);
}

#[test]
fn a_payment_that_takes_its_time_or_never_comes_is_shown_as_that() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let check = |name: &str, states: &[&str], expect: (OrderState, Option<&str>)| {
        let order = desk.order(&customer, 500);
        let paid = desk.paid(&order, name);
        for (number, state) in states.iter().enumerate() {
            let event = format!("evt_{name}{number}");
            let _ = desk.say(&event, Notice::Payment(paid.payment(state)));
        }
        let order = desk.read(&order);
        assert_eq!(
            (order.state, order.failure.as_deref()),
            expect,
            "{states:?}"
        );
    };
    check("a", &["open"], (OrderState::Open, None));
    check("b", &["open", "expired"], (OrderState::Expired, None));
    check("c", &["pending"], (OrderState::Pending, None));
    check("d", &["pending", "open"], (OrderState::Pending, None));
    check(
        "e",
        &["pending", "failed"],
        (OrderState::Failed, Some("card_declined")),
    );
    check(
        "f",
        &["failed", "pending"],
        (OrderState::Failed, Some("card_declined")),
    );
    check("g", &["expired", "open"], (OrderState::Expired, None));
    assert_eq!(desk.credit(&customer), (0, 0));
    // Money that is there counts, whatever was heard before and after.
    check(
        "h",
        &["failed", "paid", "pending", "failed"],
        (OrderState::Paid, None),
    );
    check(
        "i",
        &["expired", "paid", "expired"],
        (OrderState::Paid, None),
    );
    assert_eq!(desk.credit(&customer), (1_000 * CENT, 0));
}

#[test]
fn nobody_buys_more_than_the_cap_of_the_day() {
    let mut desk = Desk::new();
    desk.terms.caps = Caps {
        account_day: Cents::new(3_000),
        account_day_first_week: Cents::new(1_000),
        ..Caps::default()
    };
    let old = desk.customer(&desk.operator);
    let left = |cents: i64| {
        Some(OrderRefusal::OverCap {
            left: Cents::new(cents),
        })
    };
    let try_it = |desk: &Desk, account: &AccountId, cents: i64| {
        refused(&desk.create(account, desk.item(cents)))
    };
    desk.bought(&old, 1_000, "a");
    // What may still be paid counts as well.
    desk.order(&old, 1_500);
    assert_eq!(try_it(&desk, &old, 501), left(500));
    assert_eq!(try_it(&desk, &old, 500), None);
    assert_eq!(try_it(&desk, &old, 500), left(0));
    let new = desk.customer(&desk.operator);
    desk.made_at(&new, NOW_MS - 86_400_000);
    assert_eq!(try_it(&desk, &new, 1_001), left(1_000));
    assert_eq!(try_it(&desk, &new, 1_000), None);
    // Pages that closed do not count, and neither does what was paid yesterday.
    desk.now_ms += 86_400_000;
    assert_eq!(try_it(&desk, &old, 3_001), left(3_000));
    assert_eq!(try_it(&desk, &old, 3_000), None);
}

#[test]
fn to_close_an_account_and_sign_up_again_is_no_way_around_the_cap() {
    let mut desk = Desk::new();
    desk.terms.caps.account_day = Cents::new(3_000);
    let customer = |number: u8, address: &str| {
        let account = desk.customer(&desk.operator);
        let person = NewPerson {
            id: PersonId::from_random([number; 10]),
            account: account.clone(),
            email: EmailAddress::parse(address).unwrap(),
        };
        desk.commit(person.to_batch(&desk.change()));
        account
    };
    let first = customer(1, "ada@example.com");
    desk.bought(&first, 1_000, "a");
    desk.commit(close_account(&first, &desk.change()));
    let second = customer(2, "ada@example.com");
    let other = customer(3, "bob@example.com");
    let check = |account: &AccountId, cents: i64| {
        let refusal = refused(&desk.create(account, desk.item(3_001)));
        let left = Cents::new(cents);
        assert_eq!(refusal, Some(OrderRefusal::OverCap { left }));
    };
    check(&second, 2_000);
    check(&other, 3_000);
    desk.bought(&second, 2_000, "b");
    check(&second, 0);
}

#[test]
fn two_orders_at_once_do_not_pass_the_cap_together() {
    let mut desk = Desk::new();
    desk.terms.caps.account_day = Cents::new(3_000);
    let customer = desk.customer(&desk.operator);
    let made = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| desk.create(&customer, desk.item(1_000))))
            .collect();
        let made = tries.into_iter().map(|one| one.join().unwrap());
        made.filter(|created| matches!(created, Created::Now(_)))
            .count()
    });
    assert!(made <= 3, "{made}");
    let sum = "SELECT coalesce(sum(price_cents), 0) FROM orders WHERE account_id = ?1";
    assert_eq!(
        desk.number(sum, customer.as_str()),
        1_000 * i64::try_from(made).unwrap()
    );
}

#[test]
fn a_card_that_paid_too_much_gets_its_money_back_and_gives_no_credit() {
    let mut desk = Desk::new();
    desk.terms.caps.card_day = Cents::new(2_500);
    desk.terms.caps.card_day_first_week = Cents::new(2_000);
    let one = desk.customer(&desk.reseller);
    let other = desk.customer(&desk.operator);
    desk.bought(&one, 1_500, "a");
    let order = desk.order(&other, 1_001);
    let payment = |paid: &Paid| Notice::Payment(paid.payment("paid"));
    let paid = desk.paid(&order, "b");
    let Applied::Refused(refund) = desk.say("evt_b", payment(&paid)) else {
        panic!("not refused");
    };
    assert_eq!((refund.amount.get(), refund.credit.get()), (1_001, 0));
    assert_eq!(desk.say("evt_b", payment(&paid)), Applied::Before);
    let kept = desk.read(&order);
    assert_eq!(
        (kept.state, kept.failure.as_deref()),
        (OrderState::Refused, Some("card_cap"))
    );
    assert_eq!(desk.credit(&other), (0, 0));
    assert_eq!(desk.alarms(), ["card_over_cap"]);
    // The money going back moves no credit either.
    let went = super::desk::answer(&refund, "b", "succeeded");
    assert_eq!(desk.say("evt_c", went), Applied::Booked);
    assert_eq!(desk.credit(&other), (0, 0));
    // What was refused does not count, and another card has a day of its own.
    desk.bought(&other, 1_000, "d");
    let order = desk.order(&other, 1_500);
    let mut paid = desk.paid(&order, "e");
    paid.card = "fp2".to_owned();
    assert!(matches!(
        desk.say("evt_e", payment(&paid)),
        Applied::Granted { .. }
    ));
    // A new account may use less of its card.
    let new = desk.customer(&desk.operator);
    desk.made_at(&new, NOW_MS - 86_400_000);
    let order = desk.order(&new, 2_001);
    let mut paid = desk.paid(&order, "f");
    paid.card = "fp3".to_owned();
    assert!(matches!(
        desk.say("evt_f", payment(&paid)),
        Applied::Refused(_)
    ));
}

#[test]
fn a_form_that_is_sent_twice_makes_one_order() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.operator);
    let other = desk.customer(&desk.operator);
    let new = NewOrder {
        id: desk.order_id(),
        account: customer.clone(),
        person: None,
        item: desk.item(1_000),
        saves_card: true,
        expires_at_ms: NOW_MS + 3_600_000,
        now_ms: NOW_MS,
    };
    let Created::Now(first) = desk.create_as(&new) else {
        panic!("not made");
    };
    assert!(first.saves_card);
    assert_eq!(desk.create_as(&new), Created::Before(first));
    let dearer = NewOrder {
        item: desk.item(2_000),
        ..new.clone()
    };
    assert_eq!(desk.create_as(&dearer), Created::Contended);
    let stranger = NewOrder {
        account: other,
        ..new
    };
    assert_eq!(desk.create_as(&stranger), Created::Contended);
    assert_eq!(
        desk.number("SELECT count(*) FROM orders WHERE ?1 = ?1", ""),
        1
    );
}

#[test]
fn who_may_not_buy_is_told_why() {
    let mut desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let nobody = AccountId::from_random([77; 10]);
    let create = |desk: &Desk, account: &AccountId| refused(&desk.create(account, desk.item(100)));
    assert_eq!(create(&desk, &nobody), Some(OrderRefusal::NoAccount));
    assert_eq!(create(&desk, &desk.operator), Some(OrderRefusal::NoAccount));
    desk.commit(set_suspended(&customer, true, &desk.change()));
    assert_eq!(create(&desk, &customer), Some(OrderRefusal::Suspended));
    desk.commit(set_suspended(&customer, false, &desk.change()));
    desk.commit(set_suspended(&desk.reseller, true, &desk.change()));
    assert_eq!(create(&desk, &customer), Some(OrderRefusal::Suspended));
    desk.commit(set_suspended(&desk.reseller, false, &desk.change()));
    desk.terms.fee = Fee {
        bps: 0,
        fixed: Cents::new(100),
    };
    assert_eq!(create(&desk, &customer), Some(OrderRefusal::Unprofitable));
    // The operator itself may sell at a loss.
    let direct = desk.customer(&desk.operator);
    assert_eq!(create(&desk, &direct), None);
}

#[test]
fn a_pack_is_sold_by_its_seller_to_its_own_customers_until_it_ends() {
    let desk = Desk::new();
    let customer = desk.customer(&desk.reseller);
    let stranger = desk.customer(&desk.operator);
    let pack = NewPack {
        id: PackId::from_random([1; 10]),
        seller: desk.reseller.clone(),
        price: Cents::new(999),
        credit: Nanos::new(11_000_000_000),
    };
    desk.commit(pack.to_batch(&desk.change()));
    let not_a_seller = NewPack {
        id: PackId::from_random([2; 10]),
        seller: customer.clone(),
        ..pack.clone()
    };
    desk.refused(not_a_seller.to_batch(&desk.change()));
    let packs = || {
        let reply = desk.database.run(packs_statement(&desk.reseller, NOW_MS));
        let rows = reply.rows(0).iter();
        rows.map(|row| read_pack(row).unwrap()).collect::<Vec<_>>()
    };
    let offered = packs();
    let item = Item {
        pack: Some(pack.id.clone()),
        price: offered[0].price,
        credit: offered[0].credit,
    };
    assert!(item.credit.get() >= 11_000_000_000 && item.credit.get() % 999 == 0);
    let Created::Now(order) = desk.create(&customer, item.clone()) else {
        panic!("not made");
    };
    let _ = desk.say(
        "evt_1",
        Notice::Payment(desk.paid(&order, "a").payment("paid")),
    );
    assert_eq!(desk.credit(&customer), (item.credit.get(), 0));
    let check = |account: &AccountId, item: Item| {
        let refusal = refused(&desk.create(account, item));
        assert_eq!(refusal, Some(OrderRefusal::PackGone));
    };
    check(&stranger, item.clone());
    let cheaper = Item {
        price: Cents::new(998),
        ..item.clone()
    };
    check(&customer, cheaper);
    desk.refused(end_pack(&desk.operator, &pack.id, &desk.change()));
    desk.commit(end_pack(&desk.reseller, &pack.id, &desk.change()));
    desk.refused(end_pack(&desk.reseller, &pack.id, &desk.change()));
    check(&customer, item);
    assert_eq!(packs(), []);
}
