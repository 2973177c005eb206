//! Sessions end for their owner only, one or all, and what nobody needs goes.

use tollgate_core::audit::Changed;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::PersonId;
use tollgate_core::sign_in::{
    CODE_MS, SessionLine, Token, cleanup_batch, end_session, read_session_line, sessions_statement,
    sign_out_everywhere, sign_out_statement,
};

use super::{DAY_MS, Doors, MINUTE_MS, OPERATOR};
use crate::world::NOW_MS;

fn sessions(doors: &Doors, person: &PersonId, now_ms: i64) -> Vec<SessionLine> {
    let reply = doors.database.run(sessions_statement(person, now_ms));
    let rows = reply.rows(0).iter();
    rows.map(|row| read_session_line(row).unwrap()).collect()
}

#[test]
fn signing_out_ends_this_session_and_no_other() {
    let doors = Doors::new();
    let (ada, first) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let (_, second) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS + 1);
    let lines = sessions(&doors, &ada.person, NOW_MS + 1);
    let hashes: Vec<_> = lines.iter().map(|line| line.hash).collect();
    assert_eq!(hashes, [second.hash(), first.hash()]);
    assert_eq!(lines[0].agent, "Firefox on Linux");
    let _ = doors.database.run(sign_out_statement(&first));
    assert_eq!(doors.who(OPERATOR, &first, NOW_MS + 1), None);
    assert!(doors.who(OPERATOR, &second, NOW_MS + 1).is_some());
    assert_eq!(sessions(&doors, &ada.person, NOW_MS + 1).len(), 1);
    assert_eq!(sessions(&doors, &ada.person, NOW_MS + 15 * DAY_MS), []);
}

#[test]
fn nobody_ends_the_session_of_another() {
    let doors = Doors::new();
    let (ada, own) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let (bob, foreign) = doors.sign_in(&doors.operator, "bob@example.com", NOW_MS);
    let change = doors.change();
    let end = |person: &PersonId, session: &Token| {
        let end = end_session(person, &session.hash(), &change);
        end.read(&doors.database.execute(&end.batch))
    };
    assert_eq!(end(&ada.person, &foreign), Changed::Refused);
    assert_eq!(end(&ada.person, &doors.token()), Changed::Refused);
    // Sent twice, it is one line in the log.
    for _ in 0..2 {
        doors.commit(sign_out_everywhere(&ada.person, None, &change));
    }
    assert_eq!(doors.who(OPERATOR, &own, NOW_MS), None);
    assert!(doors.who(OPERATOR, &foreign, NOW_MS).is_some());
    assert_eq!(end(&bob.person, &foreign), Changed::Now);
    assert_eq!(doors.who(OPERATOR, &foreign, NOW_MS), None);
    assert_eq!(end(&bob.person, &foreign), Changed::Refused);
    let log =
        "SELECT group_concat(action || before) FROM audit_log WHERE action LIKE 'session.end%'";
    let log: String = doors.row(Statement::new(log)).get(0).unwrap();
    assert_eq!(
        log,
        r#"session.end_all{"sessions":1},session.end{"sessions":1}"#
    );
}

#[test]
fn signing_out_everywhere_may_leave_the_session_at_hand_and_takes_links_along() {
    let doors = Doors::new();
    let sign_in = || doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    let (ada, here) = sign_in();
    let others: Vec<Token> = (0..3).map(|_| sign_in().1).collect();
    doors.link(&ada.person, NOW_MS + MINUTE_MS);
    let stays = here.hash();
    doors.commit(sign_out_everywhere(
        &ada.person,
        Some(&stays),
        &doors.change(),
    ));
    assert!(doors.who(OPERATOR, &here, NOW_MS).is_some());
    for other in &others {
        assert_eq!(doors.who(OPERATOR, other, NOW_MS), None);
    }
    assert_eq!(doors.count("SELECT count(*) FROM sign_in_links"), 0);
    // Also when there is no other.
    doors.commit(sign_out_everywhere(
        &ada.person,
        Some(&stays),
        &doors.change(),
    ));
}

#[test]
fn what_has_ended_goes_and_limits_still_see_a_day_back() {
    let doors = Doors::new();
    let (ada, _) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    doors.link(&ada.person, NOW_MS + MINUTE_MS);
    doors.set(format!(
        "INSERT INTO oauth_states (hash, seller_id, network_hash, verifier, next, expires_at_ms) \
         VALUES (zeroblob(32), '{}', x'00', '', '/', {})",
        doors.operator,
        NOW_MS + MINUTE_MS
    ));
    let check = |at_ms: i64, expect: [i64; 4]| {
        let reply = doors.database.execute(&cleanup_batch(at_ms));
        assert!((0..4).all(|step| reply.is_ok(step)));
        let left = [
            "SELECT count(*) FROM sessions",
            "SELECT count(*) FROM sign_in_links",
            "SELECT count(*) FROM oauth_states",
            "SELECT count(*) FROM sign_in_codes",
        ];
        assert_eq!(left.map(|sql| doors.count(sql)), expect, "{at_ms}");
    };
    check(NOW_MS + MINUTE_MS - 1, [1, 1, 1, 1]);
    check(NOW_MS + MINUTE_MS, [1, 0, 0, 1]);
    check(NOW_MS + CODE_MS, [1, 0, 0, 1]);
    check(NOW_MS + DAY_MS, [1, 0, 0, 0]);
    check(NOW_MS + 14 * DAY_MS, [0, 0, 0, 0]);
}
