//! What admission takes, what it refuses, and that a refusal changes nothing.

use tollgate_core::accounts::{LimitEdit, edit_key_limits, revoke_key, set_suspended};
use tollgate_core::admission::{Admission, Ask, Refusal};
use tollgate_core::hrana::Statement;
use tollgate_core::limits::{Limits, Window};

use crate::world::{Caller, NOW_MS, World};

fn refusal(admission: Admission) -> Refusal {
    match admission {
        Admission::Refused(refusal, _) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn is_admitted(admission: &Admission) -> bool {
    matches!(admission, Admission::Admitted(_))
}

#[test]
fn one_round_trip_takes_the_hold_at_every_level_with_few_writes() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let direct = world.caller(&world.operator, 1_000, Limits::default());
    let resold = world.caller(&world.reseller, 1_000, Limits::default());
    for (caller, writes) in [(&direct, 7), (&resold, 9)] {
        let ask = world.ask(caller, 400);
        let (admission, admitted) = world.admit_counted(&ask);
        assert!(is_admitted(&admission), "{admission:?} {admitted:?}");
        assert_eq!(world.wallet(&caller.account), (1_000, 400, 0, 0));
        let (_, resolved) = world.resolve_counted(&world.resolution(caller, &ask, 300));
        assert_eq!(world.wallet(&caller.account), (700, 0, 0, 300));
        println!(
            "rows read {} + {}, written {} + {}",
            admitted.rows_read, resolved.rows_read, admitted.rows_written, resolved.rows_written
        );
        assert_eq!(admitted.rows_written + resolved.rows_written, writes);
    }
    assert_eq!(world.wallet(&world.reseller), (700, 0, 0, 300));
}

#[test]
fn a_key_that_does_not_exist_is_unknown() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let mut ask = world.ask(&caller, 1);
    ask.key_hash.0[0] ^= 1;
    assert_eq!(world.admit(&ask), Admission::UnknownKey);
}

#[test]
fn a_lost_reply_is_retried_without_a_second_hold() {
    let world = World::new();
    let caller = world.caller(&world.operator, 500, Limits::default());
    let ask = world.ask(&caller, 400);
    assert!(is_admitted(&world.admit(&ask)));
    assert!(is_admitted(&world.admit(&ask)));
    assert_eq!(world.wallet(&caller.account), (500, 400, 0, 0));
    let other = world.caller(&world.operator, 500, Limits::default());
    let same_id = Ask {
        request: ask.request,
        ..world.ask(&other, 1)
    };
    assert_eq!(world.admit(&same_id), Admission::IdTaken);
    let same_account = Ask { nonce: -1, ..ask };
    assert_eq!(world.admit(&same_account), Admission::IdTaken);
}

#[test]
fn sixty_four_parallel_calls_take_exactly_the_credit_there_is() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let asks: Vec<_> = (0..64).map(|_| world.ask(&caller, 100)).collect();
    let admitted: usize = std::thread::scope(|scope| {
        let calls: Vec<_> = asks
            .iter()
            .map(|ask| {
                let world = &world;
                scope.spawn(move || {
                    loop {
                        match world.admit(ask) {
                            Admission::Admitted(_) => break 1,
                            Admission::Contended => {}
                            Admission::Refused(Refusal::InsufficientCredits { .. }, _) => break 0,
                            other => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).sum()
    });
    assert_eq!(admitted, 10);
    assert_eq!(world.wallet(&caller.account), (1_000, 1_000, 0, 0));
}

#[test]
fn each_refusal_is_named_and_changes_nothing() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let check = |limits: Limits, change: fn(&World, &Caller, &mut Ask), expect: &str| {
        let caller = world.caller(&world.reseller, 500, limits);
        let before = world.wallet(&world.reseller);
        let mut ask = world.ask(&caller, 100);
        change(&world, &caller, &mut ask);
        let (_, reply) = world.admit_counted(&ask);
        assert_eq!(reply.rows_written, 0, "{expect}");
        let refusal = format!("{:?}", refusal(world.admit(&ask)));
        assert!(refusal.starts_with(expect), "{refusal} is not {expect}");
        assert_eq!(world.wallet(&caller.account).1, 0, "{expect}");
        assert_eq!(world.wallet(&world.reseller), before, "{expect}");
    };
    let none = Limits::default;
    let limited = |set: fn(&mut Limits)| {
        let mut limits = Limits::default();
        set(&mut limits);
        limits
    };
    check(
        none(),
        |world, caller, _| {
            world.commit(revoke_key(&caller.account, &caller.key_id, &world.change()))
        },
        "KeyRevoked",
    );
    check(
        none(),
        |world, caller, _| world.commit(set_suspended(&caller.account, true, &world.change())),
        "AccountSuspended",
    );
    check(
        none(),
        |_, _, ask| ask.levels[0].hold = tollgate_core::money::Nanos::new(501),
        "InsufficientCredits { balance: Nanos(500), held: Nanos(0), needed: Nanos(501) }",
    );
    check(
        none(),
        |_, _, ask| ask.levels[1].hold = tollgate_core::money::Nanos::new(1_001),
        "ResellerUnavailable",
    );
    check(
        limited(|l| l.parallel_calls = Some(0)),
        |_, _, _| {},
        "TooManyParallel",
    );
    check(
        limited(|l| l.requests_per_minute = Some(0)),
        |_, _, _| {},
        "RateLimited(RateRefusal { window: MinuteRequests",
    );
    check(
        limited(|l| l.requests_per_hour = Some(0)),
        |_, _, _| {},
        "RateLimited(RateRefusal { window: HourRequests",
    );
    check(
        limited(|l| l.requests_per_day = Some(0)),
        |_, _, _| {},
        "RateLimited(RateRefusal { window: DayRequests",
    );
    check(
        limited(|l| l.tokens_per_minute = Some(109)),
        |_, _, _| {},
        "RateLimited(RateRefusal { window: MinuteTokens, limit: 109, remaining: 109, retry_after_ms: None",
    );
    world.commit(set_suspended(&world.reseller, true, &world.change()));
    check(none(), |_, _, _| {}, "ResellerUnavailable");
}

#[test]
fn an_expired_key_is_refused_from_its_last_moment_on() {
    let world = World::new();
    let caller = world.caller(&world.operator, 500, Limits::default());
    let _ = world.database.run(
        Statement::new("UPDATE keys SET expires_at_ms = ?1 WHERE id = ?2")
            .bind(NOW_MS + 1)
            .bind(caller.key_id.as_str()),
    );
    let ask = world.ask(&caller, 1);
    assert!(is_admitted(&world.admit(&ask)));
    let late = Ask {
        now_ms: NOW_MS + 1,
        ..world.ask(&caller, 1)
    };
    assert_eq!(refusal(world.admit(&late)), Refusal::KeyExpired);
}

#[test]
fn a_call_priced_with_older_settings_or_prices_is_priced_again() {
    let world = World::new();
    world.grant(&world.reseller, 1_000);
    let caller = world.caller(&world.reseller, 500, Limits::default());
    let check = |change: fn(&World, &Caller)| {
        let ask = world.ask(&caller, 1);
        change(&world, &caller);
        assert!(matches!(world.admit(&ask), Admission::Reprice(_)));
        assert!(is_admitted(&world.admit(&world.ask(&caller, 1))));
    };
    check(|world, caller| {
        world.commit(edit_key_limits(
            &caller.account,
            &caller.key_id,
            &[LimitEdit::MaxTokens(Some(5))],
            &world.change(),
        ));
    });
    check(|world, _| drop(world.rule(&world.reseller)));
    check(|world, _| drop(world.rule(&world.operator)));
    check(|world, _| {
        drop(
            world
                .database
                .run(Statement::new("UPDATE catalogue SET version = version + 1")),
        );
    });
}

#[test]
fn twice_the_limit_across_any_border_admits_the_limit() {
    let world = World::new();
    let limit = 20;
    let check = |window: Window, length_ms: i64, limits: Limits| {
        let caller = world.caller(&world.operator, 1_000_000, limits);
        let border = (NOW_MS / length_ms + 2) * length_ms;
        // Half of the calls before the border and half after it, a thousandth of the window apart.
        let admitted = (-20..20)
            .filter(|step| {
                let now_ms = border + step * length_ms / 1_000;
                is_admitted(&world.admit(&Ask {
                    now_ms,
                    ..world.ask(&caller, 1)
                }))
            })
            .count();
        assert_eq!(admitted, limit, "{window:?}");
        let later = Ask {
            now_ms: border + length_ms * 62 / 60,
            ..world.ask(&caller, 1)
        };
        assert!(is_admitted(&world.admit(&later)), "{window:?}");
    };
    let some = Some(limit as u64);
    let none = Limits::default;
    check(
        Window::MinuteRequests,
        60_000,
        Limits {
            requests_per_minute: some,
            ..none()
        },
    );
    check(
        Window::HourRequests,
        3_600_000,
        Limits {
            requests_per_hour: some,
            ..none()
        },
    );
    check(
        Window::DayRequests,
        86_400_000,
        Limits {
            requests_per_day: some,
            ..none()
        },
    );
}

#[test]
fn reserved_tokens_are_corrected_to_used_tokens() {
    let world = World::new();
    let limits = Limits {
        tokens_per_minute: Some(240),
        ..Limits::default()
    };
    let caller = world.caller(&world.operator, 1_000, limits);
    let first = world.ask(&caller, 1);
    assert!(is_admitted(&world.admit(&first)));
    assert!(is_admitted(&world.admit(&world.ask(&caller, 1))));
    let third = world.ask(&caller, 1);
    assert!(matches!(
        refusal(world.admit(&third)),
        Refusal::RateLimited(_)
    ));
    // 110 were reserved, 12 were used.
    let _ = world.resolve(&world.resolution(&caller, &first, 1));
    assert!(is_admitted(&world.admit(&third)));
}
