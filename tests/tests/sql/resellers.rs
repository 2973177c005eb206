//! How the operator takes in a reseller, all at once and once.

use tollgate_core::accounts::AccountKind;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, PersonId};
use tollgate_core::ledger::Amount;
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::people::EmailAddress;
use tollgate_core::selling::{NewSeller, TakenIn, customer_batch};

use crate::world::{NOW_MS, World};

fn seller(
    world: &World,
    operator: &AccountId,
    (account, email, opening): (&AccountId, &str, i64),
) -> NewSeller {
    let mut random = [3; 10];
    random[..4].copy_from_slice(&world.draw().to_be_bytes());
    let person = PersonId::from_random(random);
    let email = EmailAddress::parse(email).unwrap();
    let opening = Amount::new(Nanos::new(opening));
    NewSeller::new(operator, (account, " Shop "), (person, email), opening).unwrap()
}

fn take_in(world: &World, seller: &NewSeller) -> TakenIn {
    let batch = seller.to_batch(&world.by(&world.operator));
    batch.read(&world.database.execute(&batch.batch)).unwrap()
}

#[test]
fn a_reseller_begins_with_a_person_and_its_opening_credit() {
    let world = World::new();
    let operator = &world.operator;
    let account = AccountId::from_random([77; 10]);
    let shop = seller(&world, operator, (&account, "Ada@shop.example", 5_000));
    assert_eq!(take_in(&world, &shop), TakenIn::Now);
    assert_eq!(take_in(&world, &shop), TakenIn::Before);
    // The same form with something else in it, or with the id of somebody else.
    let other = seller(&world, operator, (&account, "other@shop.example", 5_000));
    assert_eq!(take_in(&world, &other), TakenIn::IdTaken);
    let customer = world.caller(operator, 0, Limits::default()).account;
    let other = seller(&world, operator, (&customer, "other@shop.example", 5_000));
    assert_eq!(take_in(&world, &other), TakenIn::IdTaken);
    let read = customer_batch(operator, &account, NOW_MS);
    let read = read
        .read(&world.database.execute(&read.batch))
        .unwrap()
        .unwrap();
    assert_eq!(
        (read.account.kind, read.account.name.as_str()),
        (AccountKind::Reseller, "Shop")
    );
    assert_eq!(read.account.balance.get(), 5_000);
    assert_eq!(read.people[0].email, "ada@shop.example");

    // An address that is known here gets no second account, and half a reseller is none.
    let other = AccountId::from_random([78; 10]);
    let again = seller(&world, operator, (&other, "ada@shop.example", 5_000));
    assert_eq!(take_in(&world, &again), TakenIn::AddressTaken);
    let left = "SELECT (SELECT count(*) FROM accounts WHERE id = ?1) + \
                (SELECT count(*) FROM ledger_entries WHERE account_id = ?1)";
    let left = Statement::new(left).bind(other.as_str());
    assert_eq!(world.row(left).get(0), Ok(0_i64));
    let without = seller(&world, operator, (&other, "bob@shop.example", 0));
    assert_eq!(take_in(&world, &without), TakenIn::Now);
    assert_eq!(world.wallet(&other).0, 0);
}

#[test]
fn only_the_operator_takes_in_resellers() {
    let world = World::new();
    let customer = world.caller(&world.operator, 0, Limits::default()).account;
    for outsider in [&world.reseller, &customer] {
        let account = AccountId::from_random([79; 10]);
        let shop = seller(&world, outsider, (&account, "eve@shop.example", 1));
        assert_eq!(take_in(&world, &shop), TakenIn::Impossible);
    }
    let count = "SELECT count(*) FROM people WHERE email = 'eve@shop.example'";
    assert_eq!(world.row(Statement::new(count)).get(0), Ok(0_i64));
}
