//! People: they are invited once, change what is theirs, and close their account as a whole.

use tollgate_core::accounts::{AccountKind, NewAccount};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, PersonId};
use tollgate_core::limits::Limits;
use tollgate_core::people::{
    EmailAddress, LanguageTag, NewPerson, NewReseller, Person, PersonName, Profile, TimeZoneName,
    close_account, people_statement, person_by_email_statement, read_person,
};

use crate::world::{NOW_MS, World};

fn person(number: u8, account: &AccountId, address: &str) -> NewPerson {
    NewPerson {
        id: PersonId::from_random([number; 10]),
        account: account.clone(),
        email: EmailAddress::parse(address).unwrap(),
    }
}

fn read(world: &World, statement: Statement) -> Vec<Person> {
    let reply = world.database.run(statement);
    let rows = reply.rows(0).iter();
    rows.map(|row| read_person(row).unwrap()).collect()
}

#[test]
fn an_address_is_one_person_at_a_seller() {
    let world = World::new();
    let customer = world.caller(&world.reseller, 0, Limits::default()).account;
    let check = |number: u8, account: &AccountId, address: &str, expect: bool| {
        let (batch, commit) = person(number, account, address).to_batch(&world.change());
        let reply = world.database.execute(&batch);
        assert_eq!(reply.is_ok(commit), expect, "{number}");
    };
    check(1, &world.operator, "ada@example.com", true);
    check(2, &world.reseller, "boss@example.com", true);
    // The operator's people and its resellers' are at the same pages, the reseller's customers at others.
    check(3, &world.reseller, "ada@example.com", false);
    check(4, &customer, "ada@example.com", true);
    check(5, &customer, "ada@example.com", false);
    check(6, &customer, "bob@example.com", true);
    check(
        7,
        &AccountId::from_random([77; 10]),
        "eve@example.com",
        false,
    );
    let people = read(&world, people_statement(&customer));
    let addresses: Vec<_> = people.iter().map(|person| person.email.as_str()).collect();
    assert_eq!(addresses, ["ada@example.com", "bob@example.com"]);
    let ada = EmailAddress::parse("ada@example.com").unwrap();
    let found = |seller| read(&world, person_by_email_statement(seller, &ada));
    assert_eq!(found(&world.operator)[0].account, world.operator);
    assert_eq!(found(&world.reseller)[0].account, customer);
    assert_eq!(found(&customer), []);
}

#[test]
fn a_reseller_comes_with_its_first_person_or_not_at_all() {
    let world = World::new();
    let reseller = |number: u8, address: &str| {
        let account = AccountId::from_random([number; 10]);
        NewReseller {
            person: person(number, &account, address),
            account: NewAccount {
                id: account,
                kind: AccountKind::Reseller,
                parent: Some(world.operator.clone()),
                name: "Acme".to_owned(),
                limits: Limits::default(),
            },
        }
    };
    let count = || -> i64 {
        let resellers = "SELECT count(*) FROM accounts WHERE kind = 'reseller'";
        world.row(Statement::new(resellers)).get(0).unwrap()
    };
    assert_eq!(count(), 1);
    world.commit(reseller(21, "acme@example.com").to_batch(&world.change()));
    world.refused(reseller(22, "acme@example.com").to_batch(&world.change()));
    assert_eq!(count(), 2);
}

#[test]
fn a_profile_is_changed_with_before_and_after() {
    let world = World::new();
    let ada = person(1, &world.operator, "ada@example.com");
    world.commit(ada.to_batch(&world.change()));
    let profile = Profile {
        name: PersonName::parse("Ada <b>'\"L").unwrap(),
        time_zone: TimeZoneName::parse("Europe/Berlin").unwrap(),
        language: LanguageTag::parse("de").unwrap(),
    };
    world.commit(profile.to_batch(&ada.id, &world.change()));
    let nobody = PersonId::from_random([77; 10]);
    world.refused(profile.to_batch(&nobody, &world.change()));
    let select = "SELECT p.name, p.time_zone, p.language, l.before, l.after FROM people p \
                  JOIN audit_log l ON l.subject = p.id AND l.action = 'person.profile'";
    let row = world.row(Statement::new(select));
    let text = |column| row.get::<String>(column).unwrap();
    assert_eq!(text(0), "Ada <b>'\"L");
    assert_eq!(
        (text(1), text(2)),
        ("Europe/Berlin".to_owned(), "de".to_owned())
    );
    assert_eq!(text(3), r#"{"name":"","time_zone":"UTC","language":"en"}"#);
    assert!(text(4).contains("Europe/Berlin"));
}

#[test]
fn a_closed_account_spends_and_buys_nothing_and_keeps_its_balance() {
    let world = World::new();
    let caller = world.caller(&world.reseller, 1_000, Limits::default());
    let other = world.caller(&world.reseller, 1_000, Limits::default());
    let account = &caller.account;
    for (number, account) in [(1, account), (2, account), (3, &other.account)] {
        let address = format!("p{number}@example.com");
        world.commit(person(number, account, &address).to_batch(&world.change()));
    }
    let sessions = "INSERT INTO sessions (hash, person_id, seller_id, agent, expires_at_ms, \
                    seen_at_ms, created_at_ms) SELECT randomblob(32), id, seller_id, '', 9, 1, 1 \
                    FROM people";
    let _ = world.database.run(Statement::new(sessions));
    let top_ups = "INSERT INTO auto_top_ups (account_id, enabled, threshold_nanos, amount_cents, \
                   month_limit_cents, updated_at_ms) SELECT id, 1, 1, 1, 1, 1 FROM accounts \
                   WHERE kind = 'customer'";
    let _ = world.database.run(Statement::new(top_ups));

    world.commit(close_account(account, &world.change()));
    let state = |account: &AccountId| {
        let state = "SELECT a.status, a.balance_nanos, \
            (SELECT count(*) FROM keys k WHERE k.account_id = a.id AND k.revoked_at_ms IS NULL), \
            (SELECT count(*) FROM people p WHERE p.account_id = a.id AND p.closed_at_ms IS NULL), \
            (SELECT count(*) FROM sessions s JOIN people p ON p.id = s.person_id \
              WHERE p.account_id = a.id), \
            (SELECT t.enabled FROM auto_top_ups t WHERE t.account_id = a.id) \
            FROM accounts a WHERE a.id = ?1";
        let row = world.row(Statement::new(state).bind(account.as_str()));
        let numbers = [1, 2, 3, 4, 5].map(|column| row.get::<i64>(column).unwrap());
        (row.get::<String>(0).unwrap(), numbers)
    };
    assert_eq!(
        state(account),
        ("suspended".to_owned(), [1_000, 0, 0, 0, 0])
    );
    assert_eq!(
        state(&other.account),
        ("active".to_owned(), [1_000, 1, 1, 1, 1])
    );
    let select = "SELECT before FROM audit_log WHERE action = 'account.close'";
    let log: String = world.row(Statement::new(select)).get(0).unwrap();
    assert_eq!(
        log,
        r#"{"status":"active","balance_nanos":1000,"debt_nanos":0}"#
    );
    // Once is enough, and others depend on a reseller's and the operator's.
    world.refused(close_account(account, &world.change()));
    let boss = person(4, &world.reseller, "boss@example.com");
    world.commit(boss.to_batch(&world.change()));
    world.refused(close_account(&world.reseller, &world.change()));
    world.refused(close_account(&world.operator, &world.change()));
    assert_eq!(state_of(&world, &world.reseller), "active");
    let closed = read(&world, people_statement(account));
    assert!(
        closed
            .iter()
            .all(|person| person.closed_at_ms == Some(NOW_MS))
    );
}

fn state_of(world: &World, account: &AccountId) -> String {
    let select = "SELECT status FROM accounts WHERE id = ?1";
    let row = world.row(Statement::new(select).bind(account.as_str()));
    row.get(0).unwrap()
}
