//! GitHub: a state is used once, in the browser and at the seller where it was made, and a GitHub
//! account signs in as nobody but its own person.

use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::people::{PersonName, unlink_github};
use tollgate_core::sign_in::{
    BackFromGithub, GithubTrip, GoToGithub, LocalPath, Refusal, SignIn, SignInWithGithub,
};

use super::{Doors, MINUTE_MS, OPERATOR, done, email, network, refused};
use crate::world::NOW_MS;

impl Doors {
    fn go(&self, seller: &AccountId, (net, now_ms): (u8, i64)) -> (GoToGithub, bool) {
        let go = GoToGithub {
            seller: seller.clone(),
            state: self.token(),
            verifier: self.token(),
            network: network(net),
            next: LocalPath::parse("/keys").unwrap(),
            now_ms,
        };
        let goes = GoToGithub::read(&self.database.execute(&go.to_batch())).unwrap();
        (go, goes)
    }

    fn back(&self, back: &BackFromGithub) -> Option<GithubTrip> {
        BackFromGithub::read(&self.database.execute(&back.to_batch())).unwrap()
    }

    fn vouched(&self, seller: &AccountId, id: i64, address: Option<&str>) -> SignInWithGithub {
        SignInWithGithub {
            seller: seller.clone(),
            github_id: id,
            email: address.map(email),
            name: PersonName::parse("Ada L").unwrap(),
            next: LocalPath::parse("/keys").unwrap(),
            session: self.session(),
            newcomer: self.newcomer(),
            now_ms: NOW_MS,
        }
    }

    fn github(&self, seller: &AccountId, id: i64, address: Option<&str>) -> SignIn {
        self.arrive(&self.vouched(seller, id, address))
    }

    fn arrive(&self, vouched: &SignInWithGithub) -> SignIn {
        let batch = vouched.to_batch();
        let reply = self.database.execute(&batch.batch);
        batch.read(&reply).unwrap()
    }
}

#[test]
fn a_state_is_taken_once_in_time_by_its_browser_at_its_seller() {
    let doors = Doors::new();
    let check = |seller: &AccountId, later_ms: i64, expect: bool| {
        let (go, goes) = doors.go(&doors.operator, (1, NOW_MS));
        assert!(goes);
        let state = go.state.reveal();
        let back = BackFromGithub::new(seller, (&go.state, &state), NOW_MS + later_ms).unwrap();
        let trip = doors.back(&back);
        assert_eq!(trip.is_some(), expect);
        if let Some(trip) = trip {
            assert_eq!(trip.verifier, go.verifier);
            assert_eq!(trip.next.as_str(), "/keys");
            assert_eq!(doors.back(&back), None);
        }
    };
    check(&doors.operator, 0, true);
    check(&doors.operator, 10 * MINUTE_MS - 1, true);
    check(&doors.operator, 10 * MINUTE_MS, false);
    check(&doors.reseller, 0, false);
    let (go, other) = (doors.token(), doors.token());
    for state in [
        other.reveal().as_str(),
        "",
        &go.hash().to_text(),
        &go.reveal()[1..],
    ] {
        assert!(BackFromGithub::new(&doors.operator, (&go, state), NOW_MS).is_none());
    }
}

#[test]
fn github_sees_the_hash_of_the_verifier_first() {
    let doors = Doors::new();
    let (mut go, _) = doors.go(&doors.operator, (1, NOW_MS));
    go.verifier =
        tollgate_core::sign_in::Token::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
            .expect("the verifier of RFC 7636, appendix B");
    let query = go.query("Iv1.a", "http://127.0.0.1:8788/sign-in/github/back");
    let value = |name: &str| &query.iter().find(|(known, _)| *known == name).unwrap().1;
    assert_eq!(
        value("code_challenge"),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    assert_eq!(value("code_challenge_method"), "S256");
    assert_eq!(value("state"), &go.state.reveal());
}

#[test]
fn a_network_cannot_leave_sign_ins_open_without_end() {
    let doors = Doors::new();
    for _ in 0..30 {
        assert!(doors.go(&doors.operator, (1, NOW_MS)).1);
    }
    assert!(
        !doors
            .go(&doors.reseller, (1, NOW_MS + 10 * MINUTE_MS - 1))
            .1
    );
    assert!(doors.go(&doors.operator, (2, NOW_MS)).1);
    assert!(doors.go(&doors.operator, (1, NOW_MS + 10 * MINUTE_MS)).1);
}

#[test]
fn a_newcomer_joins_and_is_known_by_number_whatever_the_address_becomes() {
    let doors = Doors::new();
    let vouched = doors.vouched(&doors.operator, 7, Some("ada@example.com"));
    let first = done(doors.arrive(&vouched));
    assert!(first.joined);
    assert_eq!(first.next.as_str(), "/keys");
    // The same batch again, after its reply was lost.
    assert_eq!(done(doors.arrive(&vouched)), first);
    let session = doors.who(OPERATOR, &vouched.session.token, NOW_MS).unwrap();
    assert!(session.has_github);
    assert_eq!(session.name, "Ada L");
    for address in [None, Some("other@example.com"), Some("ada@example.com")] {
        let again = done(doors.github(&doors.operator, 7, address));
        assert_eq!((again.person, again.joined), (first.person.clone(), false));
    }
    let kept = "SELECT count(*) FROM people WHERE email = 'ada@example.com'";
    assert_eq!(doors.count(kept), 1);
    assert_eq!(doors.count("SELECT count(*) FROM people"), 1);
    // The same GitHub account at another seller is another person.
    let there = done(doors.github(&doors.reseller, 7, Some("ada@example.com")));
    assert!(there.joined && there.person != first.person);
}

#[test]
fn a_verified_address_connects_with_its_person_and_no_other_github_account_does() {
    let doors = Doors::new();
    let (ada, _) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let check = |id: i64, address: Option<&str>, expect: Result<(), Refusal>| match doors.github(
        &doors.operator,
        id,
        address,
    ) {
        SignIn::Done(signed_in) => {
            assert_eq!(
                (signed_in.person, signed_in.joined),
                (ada.person.clone(), false)
            );
            assert_eq!(expect, Ok(()));
        }
        SignIn::Refused(refusal) => assert_eq!(expect, Err(refusal)),
    };
    check(7, None, Err(Refusal::NoAddress));
    check(7, Some("ada@example.com"), Ok(()));
    check(7, None, Ok(()));
    check(8, Some("ada@example.com"), Err(Refusal::OtherGithub));
    check(8, None, Err(Refusal::NoAddress));
    let log = "SELECT after FROM audit_log WHERE action = 'person.link_github' AND subject = ?1";
    let reply = doors
        .database
        .run(Statement::new(log).bind(ada.person.as_str()));
    let [line] = reply.rows(0) else {
        panic!("not exactly one line");
    };
    assert_eq!(line.get::<String>(0).unwrap(), r#"{"github_id":7}"#);
    // Once it is taken away, another one may come.
    doors.commit(unlink_github(&ada.person, &doors.change()));
    doors.refused(unlink_github(&ada.person, &doors.change()));
    check(7, None, Err(Refusal::NoAddress));
    check(8, Some("ada@example.com"), Ok(()));
    check(7, Some("ada@example.com"), Err(Refusal::OtherGithub));
    assert_eq!(doors.count("SELECT count(*) FROM people"), 1);
}

#[test]
fn a_github_account_of_one_person_never_takes_another_one_s_address() {
    let doors = Doors::new();
    let (ada, _) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let bob = done(doors.github(&doors.operator, 8, Some("bob@example.com")));
    // Bob's GitHub account now has Ada's address: he stays Bob.
    let again = done(doors.github(&doors.operator, 8, Some("ada@example.com")));
    assert_eq!(again.person, bob.person);
    let github = "SELECT github_id FROM people WHERE id = ?1";
    let row = doors.row(Statement::new(github).bind(ada.person.as_str()));
    assert_eq!(row.get::<Option<i64>>(0), Ok(None));
}

#[test]
fn a_github_account_comes_back_after_its_account_was_closed() {
    let doors = Doors::new();
    let github = || doors.github(&doors.operator, 7, Some("ada@example.com"));
    let first = done(github());
    for _ in 0..2 {
        doors.set("UPDATE people SET closed_at_ms = 1".to_owned());
        let again = done(github());
        assert!(again.joined && again.person != first.person);
        assert_eq!(done(github()).person, again.person);
    }
    doors.set("UPDATE people SET closed_at_ms = 1".to_owned());
    // Who came back with a code is the one to whom it is connected.
    let (ada, _) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    assert_eq!(done(github()).person, ada.person);
    assert_eq!(doors.count("SELECT count(*) FROM people"), 4);
}

#[test]
fn a_barred_account_and_a_suspended_seller_stay_shut() {
    let doors = Doors::new();
    done(doors.github(&doors.operator, 7, Some("ada@example.com")));
    doors.sign_in(&doors.operator, "bob@example.com", NOW_MS);
    doors.set("UPDATE people SET closed_at_ms = 1, barred = 1".to_owned());
    let check = |id: i64, address: Option<&str>, expect: Refusal| {
        assert_eq!(refused(doors.github(&doors.operator, id, address)), expect);
    };
    check(7, None, Refusal::NoAddress);
    check(7, Some("ada@example.com"), Refusal::Closed);
    check(9, Some("bob@example.com"), Refusal::Closed);
    check(9, Some("ada@example.com"), Refusal::Closed);
    // And nothing is connected with it.
    assert_eq!(
        doors.count("SELECT count(*) FROM people WHERE github_id = 9"),
        0
    );
    doors.set(format!(
        "UPDATE accounts SET status = 'suspended' WHERE id = '{}'",
        doors.reseller
    ));
    let new = doors.github(&doors.reseller, 10, Some("eve@example.com"));
    assert_eq!(refused(new), Refusal::NotOpen);
    assert_eq!(doors.count("SELECT count(*) FROM people"), 2);
}
