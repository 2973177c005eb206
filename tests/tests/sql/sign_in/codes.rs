//! Codes by e-mail: five tries at any concurrency, one use, limits, and nothing that tells who is a
//! customer.

use std::thread;

use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::people::EmailAddress;
use tollgate_core::sign_in::{
    AskForCode, Asked, Attempt, CODE_MS, Code, PendingCode, Refusal, SignIn, Token,
};

use super::{DAY_MS, Doors, HOUR_MS, MINUTE_MS, done, refused};
use crate::world::NOW_MS;

/// A code that is not the right one.
fn wrong(ask: &AskForCode) -> Code {
    let right: u32 = ask.code.reveal().parse().unwrap();
    Code::parse(&format!("{:06}", (right + 1) % 1_000_000)).unwrap()
}

#[test]
fn the_right_code_signs_in_once_and_leads_on() {
    let doors = Doors::new();
    let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS));
    assert_eq!(doors.ask(&ask), Asked::Send);
    let answer = doors.answer(&ask);
    let signed_in = done(doors.enter(&answer));
    assert!(signed_in.joined);
    assert_eq!(signed_in.person, answer.newcomer.person);
    assert_eq!(signed_in.next.as_str(), "/keys?page=2");
    // The same batch again, after its reply was lost.
    assert_eq!(done(doors.enter(&answer)), signed_in);
    // The same code again, in the same millisecond and later.
    assert_eq!(refused(doors.enter(&doors.answer(&ask))), Refusal::Ended);
    let mut later = doors.answer(&ask);
    later.now_ms += 1;
    assert_eq!(refused(doors.enter(&later)), Refusal::Ended);
    assert_eq!(doors.count("SELECT count(*) FROM sessions"), 1);
    assert_eq!(doors.count("SELECT count(*) FROM people"), 1);
}

#[test]
fn a_code_is_worth_nothing_to_another_browser_seller_or_time() {
    let doors = Doors::new();
    let check = |change: fn(&Doors, &mut tollgate_core::sign_in::EnterCode), expect: bool| {
        let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS));
        assert_eq!(doors.ask(&ask), Asked::Send);
        let mut answer = doors.answer(&ask);
        change(&doors, &mut answer);
        let entered = doors.enter(&answer);
        let ended = matches!(entered, SignIn::Refused(Refusal::Ended));
        assert_eq!(ended, !expect, "{entered:?}");
    };
    check(|_, _| (), true);
    check(|doors, answer| answer.browser = doors.token(), false);
    check(
        |doors, answer| answer.seller = doors.reseller.clone(),
        false,
    );
    check(|_, answer| answer.now_ms = NOW_MS + CODE_MS - 1, true);
    check(|_, answer| answer.now_ms = NOW_MS + CODE_MS, false);
}

#[test]
fn the_page_for_a_code_knows_where_it_was_sent_until_it_is_used() {
    let doors = Doors::new();
    let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS));
    doors.ask(&ask);
    let pending = |seller: &AccountId, browser: &Token| {
        let reply = doors.database.run(PendingCode::statement(seller, browser));
        reply
            .rows(0)
            .first()
            .map(|row| PendingCode::read(row).unwrap())
    };
    let expect = PendingCode {
        email: ask.email.clone(),
        expires_at_ms: NOW_MS + CODE_MS,
    };
    assert_eq!(pending(&doors.operator, &ask.browser), Some(expect));
    assert_eq!(pending(&doors.reseller, &ask.browser), None);
    assert_eq!(pending(&doors.operator, &doors.token()), None);
    done(doors.enter(&doors.answer(&ask)));
    assert_eq!(pending(&doors.operator, &ask.browser), None);
}

#[test]
fn five_wrong_tries_end_a_code() {
    let doors = Doors::new();
    let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS));
    doors.ask(&ask);
    let mut guess = doors.answer(&ask);
    guess.code = wrong(&ask);
    for tries_left in [4, 3, 2, 1, 0] {
        let refusal = refused(doors.enter(&guess));
        assert_eq!(refusal, Refusal::WrongCode { tries_left });
    }
    assert_eq!(refused(doors.enter(&guess)), Refusal::Ended);
    assert_eq!(refused(doors.enter(&doors.answer(&ask))), Refusal::Ended);
    assert_eq!(doors.count("SELECT count(*) FROM sessions"), 0);
    assert_eq!(doors.count("SELECT count(*) FROM people"), 0);
}

#[test]
fn guesses_at_the_same_moment_are_five_in_all() {
    let doors = Doors::new();
    let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS));
    doors.ask(&ask);
    let guess = || {
        let mut guess = doors.answer(&ask);
        guess.code = wrong(&ask);
        refused(doors.enter(&guess))
    };
    let refusals: Vec<Refusal> = thread::scope(|scope| {
        let guesses: Vec<_> = (0..16).map(|_| scope.spawn(guess)).collect();
        guesses
            .into_iter()
            .map(|guess| guess.join().unwrap())
            .collect()
    });
    let counted = refusals
        .iter()
        .filter(|refusal| matches!(refusal, Refusal::WrongCode { .. }));
    assert_eq!(counted.count(), 5, "{refusals:?}");
    assert_eq!(doors.count("SELECT tries FROM sign_in_codes"), 5);
}

#[test]
fn the_right_code_at_the_same_moment_makes_one_session() {
    let doors = Doors::new();
    let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS));
    doors.ask(&ask);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| doors.enter(&doors.answer(&ask)));
        }
    });
    assert_eq!(doors.count("SELECT count(*) FROM sessions"), 1);
    assert_eq!(doors.count("SELECT count(*) FROM people"), 1);
}

#[test]
fn asking_looks_the_same_whether_the_address_is_known_or_not() {
    let doors = Doors::new();
    doors.person(&doors.reseller, "known@example.com");
    let ask = |address: &str| {
        let ask = doors.asking(&doors.operator, address, (1, NOW_MS));
        let reply = doors.database.execute(&ask.to_batch());
        (AskForCode::read(&reply).unwrap(), reply.rows_written)
    };
    let known = ask("known@example.com");
    assert_eq!(known.0, Asked::Send);
    assert_eq!(known, ask("unknown@example.com"));
    let read = "SELECT count(*) FROM sign_in_codes WHERE sent = 1 AND tries = 0";
    assert_eq!(doors.count(read), 2);
}

/// Asks for a code of Ada's at the operator's from a network, as a stranger or in a browser of hers.
fn ask_for_ada(doors: &Doors, known: bool, place: (u8, i64)) -> Asked {
    let ask = doors.asking(&doors.operator, "ada@example.com", place);
    doors.ask(&AskForCode { known, ..ask })
}

#[test]
fn one_network_cannot_flood_a_mailbox_and_nobody_is_told_so() {
    let doors = Doors::new();
    let check = |net: u8, at_ms: i64, times: usize, expect: Asked| {
        for _ in 0..times {
            assert_eq!(ask_for_ada(&doors, false, (net, at_ms)), expect, "{at_ms}");
        }
    };
    check(1, NOW_MS, 5, Asked::Send);
    check(1, NOW_MS, 1, Asked::Silently);
    check(1, NOW_MS + CODE_MS - 1, 1, Asked::Silently);
    // Somebody else is not kept out by that.
    check(2, NOW_MS, 1, Asked::Send);
    // What was not sent does not count, so the mailbox is open again in time.
    check(1, NOW_MS + CODE_MS, 4, Asked::Send);
    check(1, NOW_MS + HOUR_MS, 1, Asked::Send);
    check(1, NOW_MS + 2 * HOUR_MS, 1, Asked::Silently);
    check(1, NOW_MS + DAY_MS - 1, 1, Asked::Silently);
    check(1, NOW_MS + DAY_MS, 1, Asked::Send);
    // Other addresses, and the same at another seller, have limits of their own.
    let later_ms = NOW_MS + 3 * DAY_MS;
    check(3, later_ms, 5, Asked::Send);
    check(3, later_ms, 1, Asked::Silently);
    let other = doors.asking(&doors.operator, "bob@example.com", (3, later_ms));
    assert_eq!(doors.ask(&other), Asked::Send);
    let other = doors.asking(&doors.reseller, "ada@example.com", (3, later_ms));
    assert_eq!(doors.ask(&other), Asked::Send);
}

#[test]
fn strangers_slow_an_address_down_and_never_shut_it() {
    let doors = Doors::new();
    // Each from another network.
    let mut net = 0;
    let mut check = |at_ms: i64, times: usize, expect: Asked| {
        for _ in 0..times {
            net += 1;
            assert_eq!(ask_for_ada(&doors, false, (net, at_ms)), expect, "{at_ms}");
        }
    };
    check(NOW_MS, 10, Asked::Send);
    check(NOW_MS, 5, Asked::Silently);
    let gap_ms = 30 * MINUTE_MS;
    check(NOW_MS + gap_ms - 1, 5, Asked::Silently);
    check(NOW_MS + gap_ms, 1, Asked::Send);
    check(NOW_MS + gap_ms, 5, Asked::Silently);
    check(NOW_MS + 2 * gap_ms - 1, 5, Asked::Silently);
    check(NOW_MS + 2 * gap_ms, 1, Asked::Send);
    check(NOW_MS + DAY_MS, 8, Asked::Send);
    check(NOW_MS + DAY_MS, 1, Asked::Silently);
    // What follows a plus is no other mailbox.
    let tagged = doors.asking(&doors.operator, "ada+x@example.com", (250, NOW_MS + DAY_MS));
    assert_eq!(doors.ask(&tagged), Asked::Silently);
}

#[test]
fn a_day_of_asking_from_everywhere_is_fewer_than_a_hundred_guesses_of_a_million() {
    let doors = Doors::new();
    for minute in 0..24 * 60_i64 {
        let net = u8::try_from(minute % 250).unwrap();
        ask_for_ada(&doors, false, (net, NOW_MS + minute * MINUTE_MS));
    }
    let row = doors.row(Statement::new(
        "SELECT sum(sent), sum(5 - tries) FILTER (WHERE sent = 1) FROM sign_in_codes",
    ));
    assert_eq!((row.get(0), row.get(1)), (Ok(10 + 47_i64), Ok(50 + 47_i64)));
    // The browser in which Ada signed in before gets a code at once, with five tries.
    let now_ms = NOW_MS + DAY_MS - 1;
    let own = doors.asking(&doors.operator, "ada@example.com", (1, now_ms));
    let own = AskForCode { known: true, ..own };
    assert_eq!(doors.ask(&own), Asked::Send);
    let mut guess = doors.answer(&own);
    guess.code = wrong(&own);
    let refusal = refused(doors.enter(&guess));
    assert_eq!(refusal, Refusal::WrongCode { tries_left: 4 });
    assert!(
        !done(doors.enter(&doors.answer(&own)))
            .next
            .as_str()
            .is_empty()
    );
}

#[test]
fn a_known_browser_has_a_share_that_nobody_else_uses_up() {
    let doors = Doors::new();
    let check = |net: u8, at_ms: i64, expect: &[Asked]| {
        for expect in expect {
            assert_eq!(ask_for_ada(&doors, true, (net, at_ms)), *expect, "{at_ms}");
        }
    };
    // Strangers, also behind the same address, have asked for all that they may.
    for net in 1..=11 {
        ask_for_ada(&doors, false, (net, NOW_MS));
    }
    for number in 0..30 {
        let address = format!("bob{number}@example.com");
        doors.ask(&doors.asking(&doors.operator, &address, (1, NOW_MS)));
    }
    assert_eq!(ask_for_ada(&doors, false, (1, NOW_MS)), Asked::TooOften);
    assert_eq!(ask_for_ada(&doors, false, (99, NOW_MS)), Asked::Silently);
    check(1, NOW_MS, &[Asked::Send; 5]);
    // What is more is asked for like a stranger.
    check(1, NOW_MS, &[Asked::TooOften]);
    check(99, NOW_MS, &[Asked::Silently]);
    check(99, NOW_MS + CODE_MS, &[Asked::Send; 5]);
    check(99, NOW_MS + CODE_MS, &[Asked::Silently]);
    check(98, NOW_MS + 2 * CODE_MS, &[Asked::Send; 6]);
    check(97, NOW_MS + 3 * CODE_MS, &[Asked::Send; 5]);
    // Twenty of its own, and the one of a stranger's for which half an hour was over.
    check(96, NOW_MS + 4 * CODE_MS, &[Asked::Send, Asked::Silently]);
    check(95, NOW_MS + DAY_MS, &[Asked::Send; 5]);
}

#[test]
fn a_code_that_was_not_sent_is_right_for_nobody_and_fails_like_any_other() {
    let doors = Doors::new();
    let fails_after = |ask: &AskForCode, tries: &[u64]| {
        for tries_left in tries {
            let refusal = refused(doors.enter(&doors.answer(ask)));
            let tries_left = *tries_left;
            assert_eq!(refusal, Refusal::WrongCode { tries_left });
        }
        assert_eq!(refused(doors.enter(&doors.answer(ask))), Refusal::Ended);
    };
    for _ in 1..=5 {
        ask_for_ada(&doors, false, (1, NOW_MS));
    }
    let ask = doors.asking(&doors.operator, "ada@example.com", (1, NOW_MS));
    assert_eq!(doors.ask(&ask), Asked::Silently);
    fails_after(&ask, &[4, 3, 2, 1, 0]);
    // A slow one is tried once, sent or not.
    for net in 2..=6 {
        ask_for_ada(&doors, false, (net, NOW_MS));
    }
    let ask = doors.asking(&doors.operator, "ada@example.com", (7, NOW_MS));
    assert_eq!(doors.ask(&ask), Asked::Silently);
    fails_after(&ask, &[0]);
    let ask = doors.asking(&doors.operator, "ada@example.com", (7, NOW_MS + HOUR_MS));
    assert_eq!(doors.ask(&ask), Asked::Send);
    let mut guess = doors.answer(&ask);
    guess.code = wrong(&ask);
    let refusal = refused(doors.enter(&guess));
    assert_eq!(refusal, Refusal::WrongCode { tries_left: 0 });
    assert_eq!(refused(doors.enter(&doors.answer(&ask))), Refusal::Ended);
}

#[test]
fn a_network_cannot_ask_for_ever_whatever_the_addresses() {
    let doors = Doors::new();
    let ask = |number: i64, (net, now_ms): (u8, i64)| {
        let seller = [&doors.operator, &doors.reseller][usize::from(number % 2 == 0)];
        let address = format!("ada{number}@example.com");
        doors.ask(&doors.asking(seller, &address, (net, now_ms)))
    };
    for number in 0..30 {
        let at_ms = NOW_MS + number * MINUTE_MS;
        assert_eq!(ask(number, (1, at_ms)), Asked::Send);
    }
    let end_ms = NOW_MS + HOUR_MS;
    assert_eq!(ask(30, (1, end_ms - 1)), Asked::TooOften);
    assert_eq!(ask(30, (2, end_ms - 1)), Asked::Send);
    assert_eq!(ask(31, (1, end_ms)), Asked::Send);
    assert_eq!(ask(32, (1, end_ms)), Asked::TooOften);
    // What was refused left nothing behind.
    assert_eq!(doors.count("SELECT count(*) FROM sign_in_codes"), 32);
}

#[test]
fn limits_hold_for_requests_at_the_same_moment() {
    let doors = Doors::new();
    thread::scope(|scope| {
        for net in 0..16 {
            let ask = doors.asking(&doors.operator, "ada@example.com", (net, NOW_MS));
            let doors = &doors;
            scope.spawn(move || doors.ask(&ask));
        }
    });
    let sent = Statement::new("SELECT sum(sent), count(*) FROM sign_in_codes");
    let row = doors.row(sent);
    assert_eq!((row.get(0), row.get(1)), (Ok(10_i64), Ok(16_i64)));
}

#[test]
fn a_form_that_is_sent_twice_asks_for_one_code() {
    let doors = Doors::new();
    let address = EmailAddress::parse("ada@example.com").unwrap();
    let asking = |before: &Token, now_ms: i64| {
        let attempt = Attempt::of(&[7; 32], (before, &address), now_ms);
        AskForCode {
            browser: attempt.browser,
            code: attempt.code,
            ..doors.asking(&doors.operator, "ada@example.com", (1, now_ms))
        }
    };
    let [first, other] = [doors.token(), doors.token()];
    let begun_ms = NOW_MS - NOW_MS.rem_euclid(CODE_MS);
    let ask = asking(&first, begun_ms);
    assert_eq!(doors.ask(&ask), Asked::Send);
    let again = asking(&first, begun_ms + CODE_MS - 1);
    assert_eq!(doors.ask(&again), Asked::Before);
    assert_eq!(doors.count("SELECT count(*) FROM sign_in_codes"), 1);
    // Another browser, the same one with the token that it got, and the same one later get another code.
    for new in [
        asking(&other, begun_ms),
        asking(&ask.browser, begun_ms),
        asking(&first, begun_ms + CODE_MS),
    ] {
        assert_ne!(new.browser, ask.browser);
        assert_eq!(doors.ask(&new), Asked::Send);
    }
    assert!(done(doors.enter(&doors.answer(&ask))).joined);
    assert_eq!(doors.ask(&again), Asked::Before);
}
