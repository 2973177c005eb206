//! Calls with an `Idempotency-Key`: billed once, however often and however close together.

use std::collections::BTreeSet;

use super::{FEW, REPEATS};
use crate::conformance::call::{Call, body};
use crate::conformance::caller::told;
use crate::conformance::outcome::{Outcome, Stop, ensure, same};
use crate::conformance::session::{Session, answered};
use crate::conformance::usd::Usd;

pub(super) fn in_sequence(session: &mut Session) -> Outcome {
    let key = format!("{}-sequence", session.run);
    let body = session.short_body(FEW);
    let before = session.rich.before()?;
    let first = session.rich.named(&body, Some(&key))?;
    let charge = told(answered(&first)?)?;
    session.rich.fallen(before, Some(charge))?;
    let second = session.rich.gateway().post(&body.to_string(), Some(&key))?;
    let second = Call::of(second);
    let fall = session.rich.fallen(before, None)?;
    session.rich.book(Some(fall - charge));
    same("two calls cost together", fall, ("the first", charge))?;
    Ok(format!(
        "the first cost `{charge}`, the second got {}; together `{fall}`",
        second.told()
    ))
}

pub(super) fn in_parallel(session: &mut Session) -> Outcome {
    let key = format!("{}-parallel", session.run);
    let body = body(&session.model.slug, &session.options.prompt, FEW);
    let before = session.rich.before()?;
    let calls = session.rich.at_once(REPEATS, &body, Some(&key))?;
    let made: Vec<&Call> = calls.iter().filter(|call| call.made()).collect();
    let Some(first) = made.first() else {
        return Err(Stop::Fail("none is answered".to_owned()));
    };
    let charge = told(first)?;
    let told: Usd = made.iter().filter_map(|call| call.cost).sum();
    let fall = session.rich.fallen(before, Some(charge))?;
    // The books have every charge that was told; an answer that is sent again tells the first one's.
    session.rich.book(Some(fall - told));
    let answers: BTreeSet<_> = made.iter().map(|call| call.ids.first()).collect();
    let seen = format!(
        "{} of {REPEATS} calls were answered, under {} ids; one costs `{charge}`, all together `{fall}`",
        made.len(),
        answers.len()
    );
    ensure(answers.len() == 1, || seen.clone())?;
    same(&format!("{seen}: they cost"), fall, ("one of them", charge))?;
    Ok(seen)
}

pub(super) fn another_body(session: &mut Session) -> Outcome {
    let key = format!("{}-body", session.run);
    let before = session.rich.before()?;
    let first = session.rich.named(&session.short_body(FEW), Some(&key))?;
    let charge = told(answered(&first)?)?;
    let other = body(&session.model.slug, &session.options.prompt, FEW);
    let second = session.rich.named(&other, Some(&key))?;
    if second.made() {
        ensure(second.ids.first() != first.ids.first(), || {
            "another body got the first one's answer".to_owned()
        })?;
        let due = charge + told(&second)?;
        let fall = session.rich.fallen(before, Some(due))?;
        same("both cost together", fall, ("they told", due))?;
        return Ok(format!("the other body was answered and billed: `{fall}`"));
    }
    let fall = session.rich.fallen(before, Some(charge))?;
    same("both cost together", fall, ("the first", charge))?;
    Ok(format!("the other body got {}", second.told()))
}
