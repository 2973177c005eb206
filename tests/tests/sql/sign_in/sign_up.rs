//! Who signs in for the first time gets an account below the seller: once, in one piece, with its
//! lines in the audit log.

use std::thread;

use tollgate_core::accounts::{AccountKind, account_statement, read_account, set_suspended};
use tollgate_core::hrana::Statement;
use tollgate_core::people::{Role, close_account};
use tollgate_core::sign_in::{Code, Refusal, UseLink};

use super::{Doors, OPERATOR, RESELLER, done, refused};
use crate::world::NOW_MS;

#[test]
fn a_newcomer_gets_an_account_below_the_seller_whose_pages_they_are() {
    let doors = Doors::new();
    let check = |host: &str, seller: &tollgate_core::ids::AccountId| {
        let (signed_in, token) = doors.sign_in(seller, "ada@example.com", NOW_MS);
        assert!(signed_in.joined);
        assert_eq!(signed_in.role, Role::EndUser);
        let session = doors.who(host, &token, NOW_MS).unwrap();
        assert_eq!(session.person, signed_in.person);
        assert_eq!(session.parent.as_ref(), Some(seller));
        assert_eq!(session.language, "de");
        let change = session.change(7);
        assert_eq!(change.actor, format!("person:{}", session.person));
        assert_eq!((&change.account, change.at_ms), (&session.account, 7));
        let row = doors.row(account_statement(&session.account));
        let account = read_account(&row).unwrap();
        assert_eq!(account.kind, AccountKind::Customer);
        assert_eq!(account.name, "ada@example.com");
        assert!(account.active);
        assert_eq!(account.balance.get(), 0);
        let log = "SELECT group_concat(action || ' ' || actor || ' ' || subject, ', ') \
                   FROM (SELECT * FROM audit_log WHERE account_id = ?1 ORDER BY id)";
        let log = doors.row(Statement::new(log).bind(session.account.as_str()));
        let (person, account) = (&session.person, &session.account);
        let expect = format!(
            "account.create person:{person} {account}, person.create person:{person} {person}, \
             session.begin person:{person} {person}"
        );
        assert_eq!(log.get::<String>(0), Ok(expect));
        // The second time it is the same person.
        let (again, _) = doors.sign_in(seller, "ada@example.com", NOW_MS + 1);
        assert!(!again.joined);
        assert_eq!(again.person, signed_in.person);
        signed_in.person
    };
    let here = check(OPERATOR, &doors.operator);
    let there = check(RESELLER, &doors.reseller);
    // The same address at another seller is another person.
    assert_ne!(here, there);
    let erased = "SELECT count(*) FROM audit_log WHERE after LIKE '%ada%' OR before LIKE '%ada%'";
    assert_eq!(doors.count(erased), 0);
}

#[test]
fn everybody_sees_when_and_how_somebody_signed_in() {
    let doors = Doors::new();
    let (ada, _) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let link = doors.link(&ada.person, NOW_MS + 1);
    let follow = doors.using(link);
    done(doors.follow(&follow));
    // The same once more, after its reply was lost; a second use of the link; a wrong code.
    done(doors.follow(&follow));
    let again = doors.follow(&UseLink {
        session: doors.session(),
        ..follow
    });
    assert_eq!(refused(again), Refusal::Ended);
    let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS));
    doors.ask(&ask);
    let mut guess = doors.answer(&ask);
    guess.code = Code::parse("000000").unwrap();
    if guess.code == ask.code {
        guess.code = Code::parse("000001").unwrap();
    }
    let wrong = refused(doors.enter(&guess));
    assert_eq!(wrong, Refusal::WrongCode { tries_left: 4 });
    let log = "SELECT group_concat(actor || after, ' ') FROM (SELECT l.* FROM audit_log l JOIN people p \
               ON p.account_id = l.account_id AND p.id = l.subject WHERE l.action = 'session.begin' \
               ORDER BY l.id)";
    let person = &ada.person;
    let agent = "Firefox on Linux";
    assert_eq!(
        doors.row(Statement::new(log)).get::<String>(0),
        Ok(format!(
            r#"person:{person}{{"by":"code","agent":"{agent}"}} person:{person}{{"by":"link","agent":"{agent}"}}"#
        ))
    );
}

#[test]
fn a_reseller_s_person_signs_in_at_the_operator_s_host_as_a_reseller() {
    let doors = Doors::new();
    let person = doors.person(&doors.reseller, "boss@example.com");
    let (signed_in, token) = doors.sign_in(&doors.operator, "boss@example.com", NOW_MS);
    assert_eq!((signed_in.person, signed_in.role), (person, Role::Reseller));
    assert!(!signed_in.joined);
    let session = doors.who(OPERATOR, &token, NOW_MS).unwrap();
    assert_eq!(session.account, doors.reseller);
    assert_eq!(doors.who(RESELLER, &token, NOW_MS), None);
}

#[test]
fn two_sign_ups_at_the_same_moment_make_one_person() {
    let doors = Doors::new();
    let answers: Vec<_> = (0..4)
        .map(|_| {
            let ask = doors.asking(&doors.reseller, "ada@example.com", (1, NOW_MS));
            doors.ask(&ask);
            doors.answer(&ask)
        })
        .collect();
    let joined = thread::scope(|scope| {
        let entering: Vec<_> = answers
            .iter()
            .map(|answer| scope.spawn(|| done(doors.enter(answer)).joined))
            .collect();
        let joined = entering.into_iter().map(|one| one.join().unwrap());
        joined.filter(|joined| *joined).count()
    });
    assert_eq!(joined, 1);
    assert_eq!(doors.count("SELECT count(*) FROM people"), 1);
    // The operator, the reseller and the newcomer.
    assert_eq!(doors.count("SELECT count(*) FROM accounts"), 3);
    assert_eq!(doors.count("SELECT count(*) FROM sessions"), 4);
}

#[test]
fn a_suspended_account_still_signs_in_until_it_is_closed() {
    let doors = Doors::new();
    let (signed_in, token) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let session = doors.who(OPERATOR, &token, NOW_MS).unwrap();
    doors.commit(set_suspended(&session.account, true, &doors.change()));
    let (_, token) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS + 1);
    assert!(!doors.who(OPERATOR, &token, NOW_MS + 1).unwrap().active);
    doors.commit(close_account(&session.account, &doors.change()));
    assert_eq!(doors.who(OPERATOR, &token, NOW_MS + 1), None);
    // To close it is no way out of the suspension.
    let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS + 2));
    doors.ask(&ask);
    assert_eq!(refused(doors.enter(&doors.answer(&ask))), Refusal::Closed);
    assert_eq!(doors.count("SELECT count(*) FROM people"), 1);
    let person = "SELECT id FROM people";
    assert_eq!(
        doors.row(Statement::new(person)).get::<String>(0),
        Ok(signed_in.person.to_string())
    );
}

#[test]
fn who_closed_an_account_comes_back_as_somebody_new() {
    let doors = Doors::new();
    let sign_in = || {
        let (signed_in, token) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
        let session = doors.who(OPERATOR, &token, NOW_MS).unwrap();
        (signed_in, session, token)
    };
    let mut accounts = Vec::new();
    for _ in 0..2 {
        let (signed_in, session, token) = sign_in();
        assert!(signed_in.joined && !accounts.contains(&session.account));
        assert!(session.active && session.name.is_empty() && !session.has_totp);
        // From then on it is the same person.
        assert_eq!(sign_in().0.person, signed_in.person);
        doors.commit(close_account(&session.account, &doors.change()));
        assert_eq!(doors.who(OPERATOR, &token, NOW_MS), None);
        accounts.push(session.account);
    }
    // A debt that comes later, by a dispute, holds as well; once it is paid, the address is free.
    let owe = |nanos: i64| {
        let account = &accounts[0];
        let sql = format!("UPDATE accounts SET debt_nanos = {nanos} WHERE id = '{account}'");
        doors.set(sql);
    };
    owe(1);
    let ask = doors.asking(&doors.operator, "ada@example.com", (2, NOW_MS));
    doors.ask(&ask);
    assert_eq!(refused(doors.enter(&doors.answer(&ask))), Refusal::Closed);
    owe(0);
    let ask = doors.asking(&doors.operator, "ada@example.com", (2, NOW_MS));
    doors.ask(&ask);
    assert!(done(doors.enter(&doors.answer(&ask))).joined);
}

#[test]
fn a_suspended_seller_keeps_its_people_and_takes_no_new_ones() {
    let doors = Doors::new();
    let (_, _) = doors.sign_in(&doors.reseller, "ada@example.com", NOW_MS);
    doors.commit(set_suspended(&doors.reseller, true, &doors.change()));
    let (_, token) = doors.sign_in(&doors.reseller, "ada@example.com", NOW_MS + 1);
    assert!(!doors.visit(RESELLER, None, NOW_MS).unwrap().site.open);
    assert!(doors.who(RESELLER, &token, NOW_MS + 1).is_some());
    let ask = doors.asking(&doors.reseller, "bob@example.com", (1, NOW_MS));
    doors.ask(&ask);
    assert_eq!(refused(doors.enter(&doors.answer(&ask))), Refusal::NotOpen);
    assert_eq!(doors.count("SELECT count(*) FROM people"), 1);
}

#[test]
fn the_database_itself_keeps_people_with_their_seller() {
    let doors = Doors::new();
    let (signed_in, _) = doors.sign_in(&doors.reseller, "ada@example.com", NOW_MS);
    let check = |sql: String| {
        let mut batch = tollgate_core::hrana::Batch::new();
        batch.step(None, Statement::new(sql.clone()));
        assert!(!doors.database.execute(&batch).is_ok(0), "{sql}");
    };
    let (person, operator) = (&signed_in.person, &doors.operator);
    check(format!(
        "UPDATE people SET seller_id = '{operator}' WHERE id = '{person}'"
    ));
    check(format!(
        "UPDATE people SET account_id = '{operator}' WHERE id = '{person}'"
    ));
    check(format!(
        "UPDATE people SET email = 'Ada@example.com' WHERE id = '{person}'"
    ));
    check(format!(
        "INSERT INTO people (id, seller_id, account_id, email, created_at_ms) \
         SELECT 'per_x', '{operator}', account_id, 'x@example.com', 1 FROM people"
    ));
    check(format!(
        "INSERT INTO people (id, seller_id, account_id, email, created_at_ms) \
         SELECT 'per_x', seller_id, account_id, email, 1 FROM people WHERE '{operator}' <> ''"
    ));
}
