//! One-time links: used once, in time, at the right seller.

use tollgate_core::people::Role;
use tollgate_core::sign_in::{NewLink, Refusal, SecondFactor, SignIn, UseLink};

use super::{Doors, MINUTE_MS, OPERATOR, done};
use crate::world::NOW_MS;

#[test]
fn a_link_signs_its_person_in_once() {
    let doors = Doors::new();
    let person = doors.person(&doors.operator, "root@example.com");
    let check = |change: fn(&Doors, &mut UseLink), expect: bool| {
        let link = doors.link(&person, NOW_MS + MINUTE_MS);
        let mut follow = doors.using(link);
        change(&doors, &mut follow);
        let followed = doors.follow(&follow);
        if !expect {
            assert_eq!(followed, SignIn::Refused(Refusal::Ended));
            return;
        }
        let signed_in = done(followed);
        assert_eq!(signed_in.person, person);
        assert_eq!(signed_in.role, Role::Operator);
        assert_eq!(signed_in.next.as_str(), "/");
        assert!(!signed_in.joined);
        let session = doors.who(OPERATOR, &follow.session.token, NOW_MS).unwrap();
        // A link is no way around the second factor.
        assert_eq!(session.second_factor, SecondFactor::NotSetUp);
        assert!(!session.second_factor.is_open());
        follow.session = doors.session();
        assert_eq!(doors.follow(&follow), SignIn::Refused(Refusal::Ended));
    };
    check(|_, _| (), true);
    check(|_, follow| follow.now_ms += MINUTE_MS - 1, true);
    check(|_, follow| follow.now_ms += MINUTE_MS, false);
    check(|doors, follow| follow.token = doors.token(), false);
    check(
        |doors, follow| follow.seller = doors.reseller.clone(),
        false,
    );
}

#[test]
fn the_operator_of_a_demo_gets_in_without_an_app() {
    let doors = Doors::new();
    let person = doors.person(&doors.operator, "root@example.com");
    let check = |counts_as_second_factor: bool, expect: SecondFactor| {
        let link = NewLink {
            token: doors.token(),
            counts_as_second_factor,
            ..doors.link(&person, NOW_MS + MINUTE_MS)
        };
        doors.commit(link.to_batch(&doors.change()));
        let follow = doors.using(link);
        done(doors.follow(&follow));
        let session = doors.who(OPERATOR, &follow.session.token, NOW_MS).unwrap();
        assert_eq!(session.second_factor, expect);
        assert!(!session.has_totp);
    };
    check(true, SecondFactor::Given);
    check(false, SecondFactor::NotSetUp);
}

#[test]
fn nobody_gets_a_link_into_a_closed_account() {
    let doors = Doors::new();
    let person = doors.person(&doors.reseller, "boss@example.com");
    let before = doors.link(&person, NOW_MS + MINUTE_MS);
    doors.set("UPDATE people SET closed_at_ms = 1".to_owned());
    let after = NewLink {
        token: doors.token(),
        ..before.clone()
    };
    doors.refused(after.to_batch(&doors.change()));
    let follow = doors.using(before);
    assert_eq!(doors.follow(&follow), SignIn::Refused(Refusal::Closed));
}
