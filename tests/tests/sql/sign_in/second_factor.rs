//! The second factor: an operator's pages stay shut without it, guesses are counted, a code is used
//! once, and the session's token changes.

use std::thread;

use tollgate_core::ids::PersonId;
use tollgate_core::sealing::SealingKeys;
use tollgate_core::sign_in::{
    Code, GiveSecondFactor, SecondFactor, SecondFactorTry, SetUpSecondFactor, Token, TotpSecret,
    TrySecondFactor, remove_second_factor,
};

use super::{DAY_MS, Doors, OPERATOR, done};
use crate::world::NOW_MS;

const STEP: i64 = NOW_MS / 30_000;

struct Operator {
    doors: Doors,
    keys: SealingKeys,
    person: PersonId,
}

impl Operator {
    fn new() -> Self {
        let doors = Doors::new();
        let person = doors.person(&doors.operator, "root@example.com");
        let keys = "a:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        Self {
            doors,
            keys: SealingKeys::parse(keys).unwrap(),
            person,
        }
    }

    /// A new session, by a link: codes are sent five times in 15 minutes only.
    fn session(&self) -> Token {
        let follow = self.doors.using(self.doors.link(&self.person, NOW_MS + 1));
        done(self.doors.follow(&follow));
        follow.session.token
    }

    /// Whether a try is counted, and the code then looked at.
    fn counts(&self, now_ms: i64) -> bool {
        matches!(self.attempt(now_ms), SecondFactorTry::Counted { .. })
    }

    fn given(&self, session: &Token, step: i64) -> GiveSecondFactor {
        GiveSecondFactor {
            person: self.person.clone(),
            session: session.hash(),
            token: self.doors.token(),
            step,
            now_ms: NOW_MS,
        }
    }

    fn set_up(&self, session: &Token, secret: &TotpSecret) -> SetUpSecondFactor {
        SetUpSecondFactor {
            sealed: secret.seal(&self.keys, &self.person, [3; 12]).unwrap(),
            given: self.given(session, STEP),
        }
    }

    fn attempt(&self, now_ms: i64) -> SecondFactorTry {
        let attempt = TrySecondFactor {
            person: self.person.clone(),
            now_ms,
        };
        let batch = attempt.to_batch();
        batch
            .read(&self.doors.database.execute(&batch.batch))
            .unwrap()
    }

    fn state(&self, session: &Token) -> Option<SecondFactor> {
        let session = self.doors.who(OPERATOR, session, NOW_MS)?;
        Some(session.second_factor)
    }
}

#[test]
fn an_operator_sets_it_up_and_from_then_on_every_session_needs_it() {
    let operator = Operator::new();
    let doors = &operator.doors;
    let [first, other] = [operator.session(), operator.session()];
    assert_eq!(operator.state(&first), Some(SecondFactor::NotSetUp));
    assert_eq!(operator.attempt(NOW_MS), SecondFactorTry::NotSetUp);
    let secret = TotpSecret::from_random([7; 20]);
    let set_up = operator.set_up(&first, &secret);
    doors.commit(set_up.to_batch(&doors.change()));
    // The session goes on under another token.
    assert_eq!(operator.state(&first), None);
    let opened = &set_up.given.token;
    assert_eq!(operator.state(opened), Some(SecondFactor::Given));
    assert_eq!(operator.state(&other), Some(SecondFactor::Missing));
    // Whoever has another session cannot put a secret of its own in its place.
    let own = operator.set_up(&other, &TotpSecret::from_random([8; 20]));
    doors.refused(own.to_batch(&doors.change()));
    assert_eq!(operator.state(&other), Some(SecondFactor::Missing));

    let SecondFactorTry::Counted { sealed, used_step } = operator.attempt(NOW_MS) else {
        panic!("not counted");
    };
    let kept = TotpSecret::open(&operator.keys, &operator.person, &sealed);
    assert_eq!(kept, Some(secret));
    assert_eq!(used_step, STEP);
    let given = operator.given(&other, STEP + 1);
    doors.commit(given.to_batch());
    assert_eq!(operator.state(&given.token), Some(SecondFactor::Given));
    let log = "SELECT count(*) FROM audit_log WHERE action = 'person.totp_set_up' \
               AND before = '{\"totp\":false}' AND after = '{\"totp\":true}'";
    assert_eq!(doors.count(log), 1);
}

#[test]
fn a_code_that_was_seen_over_a_shoulder_opens_nothing() {
    let operator = Operator::new();
    let doors = &operator.doors;
    let set_up = operator.set_up(&operator.session(), &TotpSecret::from_random([7; 20]));
    doors.commit(set_up.to_batch(&doors.change()));
    let sessions: Vec<Token> = (0..4).map(|_| operator.session()).collect();
    let check = |session: &Token, step: i64, expect: bool| {
        let given = operator.given(session, step).to_batch();
        let reply = doors.database.execute(&given.0);
        assert_eq!(reply.is_ok(given.1), expect, "{step}");
    };
    check(&sessions[0], STEP, false);
    check(&sessions[0], STEP - 1, false);
    check(&sessions[0], STEP + 1, true);
    check(&sessions[1], STEP + 1, false);
    // A session that is none, or another's, opens for nobody and uses no step.
    check(&doors.token(), STEP + 2, false);
    let (_, foreign) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    check(&foreign, STEP + 2, false);
    // Of two at the same moment one is let in.
    let opened = thread::scope(|scope| {
        let given: Vec<_> = sessions[1..]
            .iter()
            .map(|session| {
                scope.spawn(|| {
                    let (batch, commit) = operator.given(session, STEP + 2).to_batch();
                    doors.database.execute(&batch).is_ok(commit)
                })
            })
            .collect();
        let opened = given.into_iter().map(|one| one.join().unwrap());
        opened.filter(|opened| *opened).count()
    });
    assert_eq!(opened, 1);
}

#[test]
fn guesses_are_twenty_a_day_at_any_concurrency() {
    let operator = Operator::new();
    let doors = &operator.doors;
    let set_up = operator.set_up(&operator.session(), &TotpSecret::from_random([7; 20]));
    doors.commit(set_up.to_batch(&doors.change()));
    let counted = |now_ms: i64| {
        thread::scope(|scope| {
            let tries: Vec<_> = (0..24)
                .map(|_| scope.spawn(|| operator.counts(now_ms)))
                .collect();
            let tries = tries.into_iter().map(|one| one.join().unwrap());
            tries.filter(|counted| *counted).count()
        })
    };
    assert_eq!(counted(NOW_MS), 20);
    // Its owner is told once.
    let told = "SELECT count(*) FROM audit_log WHERE action = 'person.totp_shut' \
                AND after = '{\"tries\":20}'";
    assert_eq!(doors.count(told), 1);
    assert_eq!(operator.attempt(NOW_MS), SecondFactorTry::TooMany);
    assert_eq!(counted(NOW_MS + DAY_MS), 20);
    // A right one does not count.
    let next_day = NOW_MS + 2 * DAY_MS;
    for step in 1..=30 {
        assert!(operator.counts(next_day));
        let given = operator.given(&operator.session(), STEP + step);
        doors.commit(given.to_batch());
    }
    let told = "SELECT count(*) FROM audit_log WHERE action = 'session.second_factor'";
    assert_eq!(doors.count(told), 30);
}

#[test]
fn a_lost_app_is_replaced_by_whoever_can_write_to_the_database() {
    let operator = Operator::new();
    let doors = &operator.doors;
    let change = doors.change();
    doors.refused(remove_second_factor(&operator.person, &change));
    let set_up = operator.set_up(&operator.session(), &TotpSecret::from_random([7; 20]));
    doors.commit(set_up.to_batch(&change));
    doors.commit(remove_second_factor(&operator.person, &change));
    assert_eq!(operator.state(&set_up.given.token), None);
    let session = operator.session();
    assert_eq!(operator.state(&session), Some(SecondFactor::NotSetUp));
    // A code of the old app is worth nothing.
    let given = operator.given(&session, STEP + 9).to_batch();
    assert!(!doors.database.execute(&given.0).is_ok(given.1));
}

#[test]
fn an_end_user_may_have_one_and_then_needs_it() {
    let operator = Operator::new();
    let doors = &operator.doors;
    let (ada, session) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    assert_eq!(operator.state(&session), Some(SecondFactor::NotNeeded));
    let secret = TotpSecret::from_random([7; 20]);
    let code = Code::parse("000000").unwrap();
    assert_eq!(secret.step_of(&code, 0, i64::MAX), None);
    let mut set_up = operator.set_up(&session, &secret);
    set_up.given.person = ada.person;
    doors.commit(set_up.to_batch(&doors.change()));
    assert_eq!(
        operator.state(&set_up.given.token),
        Some(SecondFactor::Given)
    );
    let (_, again) = doors.sign_in(&doors.operator, "ada@example.com", NOW_MS);
    assert_eq!(operator.state(&again), Some(SecondFactor::Missing));
}
