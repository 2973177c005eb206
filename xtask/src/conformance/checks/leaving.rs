//! Streams that their caller closes early: never free, never the whole of what they might have cost.

use crate::conformance::call::Until;
use crate::conformance::outcome::{Outcome, applies, ensure, same};
use crate::conformance::prices::Usage;
use crate::conformance::session::{ROOM, Session};
use crate::conformance::usd::Usd;

pub(super) fn at_once(session: &mut Session) -> Outcome {
    left(session, Until::Head, 0)
}

pub(super) fn half_way(session: &mut Session) -> Outcome {
    let whole = session.reference()?.chunks;
    applies(whole >= 4, || {
        format!("an answer comes in {whole} chunks only; a longer `--prompt` helps")
    })?;
    left(session, Until::Chunks(whole / 2), 50)
}

pub(super) fn before_usage(session: &mut Session) -> Outcome {
    left(session, Until::Finish, 100)
}

/// Leaves a stream and compares its charge with that of a whole one, of which `percent` were read.
fn left(session: &mut Session, until: Until, percent: u64) -> Outcome {
    let whole = session.reference()?;
    let (before, call) = session.leave(until)?;
    let (fall, generation) = session.rich.agreed(before, &call)?;
    session.rich.book(Some(fall));
    let seen = format!(
        "left after {} of {} chunks: `{fall}`; whole `{}`",
        call.chunks, whole.chunks, whole.cost
    );
    ensure(fall > Usd::ZERO, || format!("free: {seen}"))?;
    // Answers differ from call to call, and what was read is counted in chunks.
    let read = Usage {
        completion: whole.usage.completion * percent / 100 / 2,
        reasoning: 0,
        ..whole.usage
    };
    let least = session.model.price(read);
    ensure(percent == 0 || fall.nanos() >= least.nanos(), || {
        format!("half of what was read costs `{least}` already: {seen}")
    })?;
    let room = Usage {
        completion: ROOM.min(session.model.most_output),
        ..whole.usage
    };
    let hold = session.model.price(room);
    ensure(fall < hold || whole.cost >= hold, || {
        format!("all of `max_tokens` would cost `{hold}`: {seen}")
    })?;
    if let Some(told) = &generation {
        let other = ("the balance's fall", fall);
        same("what `GET generation` tells in the end", told.cost, other)?;
    }
    let told_by = match generation {
        Some(told) if told.estimated => "; still an estimate",
        Some(_) => "; `GET generation` tells the same",
        None => "",
    };
    Ok(format!(
        "{seen}; all of `max_tokens` would cost `{hold}`{told_by}"
    ))
}
