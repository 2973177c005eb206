//! The run as a whole, once every other check is done.

use crate::conformance::caller::Credits;
use crate::conformance::outcome::{Outcome, applies, same};
use crate::conformance::session::Session;
use crate::conformance::usd::Usd;

pub(super) fn nothing_held(session: &mut Session) -> Outcome {
    for caller in [
        Some(&session.rich),
        session.poor.as_ref().map(|poor| &poor.caller),
    ] {
        let Some(caller) = caller else { continue };
        let now = caller.credits()?;
        applies(now.held.is_some(), || {
            "`GET credits` does not tell what is held".to_owned()
        })?;
        let free = Credits {
            held: Some(Usd::ZERO),
            ..now
        };
        // Waits for what is still running.
        caller.fallen(free, None)?;
    }
    Ok("held is `$0`".to_owned())
}

pub(super) fn books(session: &mut Session) -> Outcome {
    let first = session
        .first
        .ok_or(())
        .or_else(|()| session.rich.credits())?;
    let (charged, untold) = session.rich.booked_so_far();
    applies(untold == 0, || {
        format!("{untold} calls did not tell their charge")
    })?;
    let fall = session.rich.fallen(first, Some(charged))?;
    same("all charges", charged, ("the balance's fall", fall))?;
    let calls = session.rich.gateway().calls();
    Ok(format!("{calls} calls, `{charged}` charged and taken"))
}
