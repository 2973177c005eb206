//! Sessions: they count at one seller's hosts, last while they are used, and end when their owner
//! says so.

use tollgate_core::sign_in::{SecondFactor, touch_statement};

use super::{DAY_MS, Doors, HOUR_MS, MINUTE_MS, OPERATOR, RESELLER, done};
use crate::world::NOW_MS;

#[test]
fn a_page_learns_where_it_is_and_for_whom_in_one_round_trip() {
    let doors = Doors::new();
    let (signed_in, token) = doors.sign_in(&doors.reseller, "ada@example.com", NOW_MS);
    let visit = doors.visit("LOCALHOST:8788", Some(&token), NOW_MS).unwrap();
    assert_eq!(visit.site.seller, doors.reseller);
    assert_eq!(visit.site.origin, "http://localhost:8788");
    assert_eq!(visit.site.brand.name, "test");
    assert_eq!(visit.site.brand.color, "#2563eb");
    assert!(visit.site.open && !visit.site.brand.has_logo);
    let session = visit.session.unwrap();
    assert_eq!(session.person, signed_in.person);
    assert_eq!(session.hash, token.hash());
    assert_eq!(session.email.as_str(), "ada@example.com");
    assert_eq!(
        (session.name.as_str(), session.time_zone.as_str()),
        ("", "UTC")
    );
    assert_eq!(session.second_factor, SecondFactor::NotNeeded);
    assert!(session.active && !session.has_github && !session.touch_due);
    let brand = format!(
        "INSERT INTO brands (account_id, name, color, support_url, logo, logo_type, updated_at_ms) \
         VALUES ('{}', 'Acme', '#ff0000', 'https://acme.example', x'00', 'image/png', 7)",
        doors.reseller
    );
    doors.set(brand);
    let brand = doors.visit(RESELLER, None, NOW_MS).unwrap().site.brand;
    assert_eq!(
        (brand.name.as_str(), brand.color.as_str()),
        ("Acme", "#ff0000")
    );
    assert_eq!(brand.support_url.as_deref(), Some("https://acme.example"));
    assert!(brand.has_logo && brand.updated_at_ms == 7);
}

#[test]
fn a_host_that_is_nobody_s_or_not_verified_shows_nothing() {
    let doors = Doors::new();
    let (_, token) = doors.sign_in(&doors.reseller, "ada@example.com", NOW_MS);
    doors.domain("new.example", &doors.reseller, None);
    for host in [
        "",
        "evil.example",
        "localhost",
        "localhost:8788.",
        "new.example",
        "%",
    ] {
        assert_eq!(doors.visit(host, None, NOW_MS), None, "{host}");
        assert_eq!(doors.visit(host, Some(&token), NOW_MS), None, "{host}");
    }
    doors.set("UPDATE domains SET verified_at_ms = 1".to_owned());
    assert!(doors.who("new.example", &token, NOW_MS).is_some());
}

#[test]
fn a_session_counts_only_where_the_person_signed_in() {
    let doors = Doors::new();
    let (_, here) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let (_, there) = doors.sign_in(&doors.reseller, "ada@example.com", NOW_MS);
    assert!(doors.who(OPERATOR, &here, NOW_MS).is_some());
    assert!(doors.who(RESELLER, &there, NOW_MS).is_some());
    assert_eq!(doors.who(RESELLER, &here, NOW_MS), None);
    assert_eq!(doors.who(OPERATOR, &there, NOW_MS), None);
    assert_eq!(doors.who(OPERATOR, &doors.token(), NOW_MS), None);
}

#[test]
fn a_session_lasts_while_it_is_used_up_to_its_longest() {
    let doors = Doors::new();
    doors.person(&doors.operator, "root@example.com");
    let check = |address: &str, idle_ms: i64, most_ms: i64| {
        let (_, token) = doors.sign_in(&doors.operator, address, NOW_MS);
        let who = |at_ms: i64| doors.who(OPERATOR, &token, NOW_MS + at_ms);
        assert!(who(idle_ms - 1).is_some());
        assert_eq!(who(idle_ms), None);
        assert!(!who(5 * MINUTE_MS - 1).unwrap().touch_due);
        let mut at_ms = 0;
        while at_ms + idle_ms - 1 < most_ms {
            at_ms += idle_ms - 1;
            let session = who(at_ms).unwrap();
            assert!(session.touch_due);
            let _ = doors
                .database
                .run(touch_statement(&session, NOW_MS + at_ms));
            assert!(!who(at_ms).unwrap().touch_due);
        }
        assert!(who(most_ms - 1).is_some());
        assert_eq!(who(most_ms), None);
    };
    check("ada@example.com", 14 * DAY_MS, 90 * DAY_MS);
    check("root@example.com", 12 * HOUR_MS, 24 * HOUR_MS);
}

#[test]
fn a_session_that_ended_is_not_brought_back_by_being_used() {
    let doors = Doors::new();
    let (_, token) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let session = doors.who(OPERATOR, &token, NOW_MS).unwrap();
    let late = NOW_MS + 14 * DAY_MS;
    let _ = doors.database.run(touch_statement(&session, late));
    assert_eq!(doors.who(OPERATOR, &token, late), None);
}

#[test]
fn signing_in_ends_the_session_that_the_cookie_had() {
    let doors = Doors::new();
    let (_, old) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS));
    doors.ask(&ask);
    let mut answer = doors.answer(&ask);
    answer.session.replaces = Some(old.clone());
    answer.code = tollgate_core::sign_in::Code::from_random([0; 32]);
    if answer.code == ask.code {
        answer.code = tollgate_core::sign_in::Code::from_random([1; 32]);
    }
    // A wrong code ends nothing.
    let _ = doors.enter(&answer);
    assert!(doors.who(OPERATOR, &old, NOW_MS).is_some());
    answer.code = ask.code;
    done(doors.enter(&answer));
    assert_eq!(doors.who(OPERATOR, &old, NOW_MS), None);
    assert!(doors.who(OPERATOR, &answer.session.token, NOW_MS).is_some());
}
