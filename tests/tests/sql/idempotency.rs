//! `Idempotency-Key`: however often and however parallel a call is repeated, one of them is billed.

use tollgate_core::admission::{Admission, Ask, IDEMPOTENCY_MS, Idempotency, Refusal};
use tollgate_core::limits::Limits;
use tollgate_core::settlement::{Outcome, Resolution};

use crate::world::{Caller, NOW_MS, World};

fn named(world: &World, caller: &Caller, (key, body): (&str, &str)) -> Ask {
    Ask {
        idempotency: Some(Idempotency::parse(key, body.as_bytes()).unwrap()),
        ..world.ask(caller, 100)
    }
}

fn outcome(world: &World, ask: &Ask) -> String {
    match world.admit(ask) {
        Admission::Admitted(_) => "admitted".to_owned(),
        Admission::Refused(Refusal::DuplicateRequest(first), _) => {
            let charge = first.charge.map(tollgate_core::money::Nanos::get);
            format!("duplicate of {}, {charge:?}", first.state)
        }
        Admission::Refused(Refusal::IdempotencyKeyReused(_), _) => "reused".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_repeated_call_is_told_what_became_of_the_first_and_holds_nothing() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let first = named(&world, &caller, ("k1", "{}"));
    assert_eq!(outcome(&world, &first), "admitted");
    // The same attempt again, as after a lost reply, is the first call itself.
    assert_eq!(outcome(&world, &first), "admitted");
    let again = || outcome(&world, &named(&world, &caller, ("k1", "{}")));
    assert_eq!(again(), "duplicate of held, None");
    assert_eq!(
        outcome(&world, &named(&world, &caller, ("k1", "{ }"))),
        "reused"
    );
    assert_eq!(world.wallet(&caller.account), (1_000, 100, 0, 0));
    let _ = world.resolve(&world.resolution(&caller, &first, 40));
    assert_eq!(again(), "duplicate of settled, Some(40)");
    assert_eq!(
        outcome(&world, &named(&world, &caller, ("k2", "{}"))),
        "admitted"
    );
    // Without the header nothing is compared.
    assert_eq!(outcome(&world, &world.ask(&caller, 100)), "admitted");
}

#[test]
fn a_key_belongs_to_one_account_for_a_day() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let other = world.caller(&world.operator, 1_000, Limits::default());
    assert_eq!(
        outcome(&world, &named(&world, &caller, ("k", "{}"))),
        "admitted"
    );
    assert_eq!(
        outcome(&world, &named(&world, &other, ("k", "{}"))),
        "admitted"
    );
    let later = |ms: i64| Ask {
        now_ms: NOW_MS + ms,
        ..named(&world, &caller, ("k", "{}"))
    };
    let last = outcome(&world, &later(IDEMPOTENCY_MS - 1));
    assert_eq!(last, "duplicate of held, None");
    assert_eq!(outcome(&world, &later(IDEMPOTENCY_MS)), "admitted");
}

#[test]
fn a_call_that_was_not_billed_may_be_made_again_with_its_key() {
    let world = World::new();
    let caller = world.caller(&world.operator, 1_000, Limits::default());
    let first = named(&world, &caller, ("k", "{}"));
    let _ = world.admit(&first);
    let void = Resolution {
        outcome: Outcome::NotSent,
        ..world.resolution(&caller, &first, 0)
    };
    let _ = world.resolve(&void);
    assert_eq!(
        outcome(&world, &named(&world, &caller, ("k", "{ }"))),
        "reused"
    );
    assert_eq!(
        outcome(&world, &named(&world, &caller, ("k", "{}"))),
        "admitted"
    );
    assert_eq!(
        outcome(&world, &named(&world, &caller, ("k", "{}"))),
        "duplicate of held, None"
    );
}

#[test]
fn of_many_equal_calls_at_once_one_is_made() {
    let world = World::new();
    let caller = world.caller(&world.operator, 10_000, Limits::default());
    let asks: Vec<Ask> = (0..16)
        .map(|_| named(&world, &caller, ("k", "{}")))
        .collect();
    let admitted = std::thread::scope(|scope| {
        let threads: Vec<_> = asks
            .iter()
            .map(|ask| scope.spawn(|| outcome(&world, ask)))
            .collect();
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
        outcomes.filter(|outcome| outcome == "admitted").count()
    });
    assert_eq!(admitted, 1);
    assert_eq!(world.wallet(&caller.account), (10_000, 100, 0, 0));
}

#[test]
fn a_call_that_was_made_is_told_so_even_when_the_credit_is_gone() {
    let world = World::new();
    let caller = world.caller(&world.operator, 100, Limits::default());
    let first = named(&world, &caller, ("k", "{}"));
    let _ = world.admit(&first);
    let _ = world.resolve(&world.resolution(&caller, &first, 100));
    assert_eq!(
        outcome(&world, &named(&world, &caller, ("k", "{}"))),
        "duplicate of settled, Some(100)"
    );
}
