//! What a call costs beside what the gateway's own list says, and whether everybody who tells the
//! charge tells the same one.

use super::FEW;
use crate::conformance::call::{Call, body, streamed};
use crate::conformance::caller::told;
use crate::conformance::outcome::{Outcome, applies, ensure, same};
use crate::conformance::prices::{Model, Usage};
use crate::conformance::session::{Session, answered};
use crate::conformance::usd::Usd;

/// Output tokens of an answer whose price is compared; reasoning counts within.
pub(super) const TOKENS: u64 = 400;
/// A charge may be this far from the list: gateways round each of a few steps up.
const ROUNDING: Usd = Usd::of_nanos(10);
/// A prompt that providers find worth caching, in bytes.
pub(super) const CACHEABLE: u64 = 6_000;

pub(super) fn told_is_taken(session: &mut Session) -> Outcome {
    let before = session.rich.before()?;
    let call = session.rich.one_shot(&session.short_body(FEW))?;
    let charge = told(answered(&call)?)?;
    let fall = session.rich.fallen(before, Some(charge))?;
    same("the charge told", charge, ("the balance's fall", fall))?;
    ensure(charge > Usd::ZERO, || "the call is free".to_owned())?;
    let generation = session.rich.generation(&call)?;
    if let Some(generation) = &generation {
        let other = ("`GET generation`'s", generation.cost);
        same("the charge told", charge, other)?;
    }
    let told_by = match generation {
        Some(_) => "`GET generation` tells the same",
        None => "there is no `GET generation`",
    };
    Ok(format!("`{charge}` was told and taken; {told_by}"))
}

pub(super) fn plain(session: &mut Session) -> Outcome {
    let prompt = session.options.prompt.clone();
    kind(session, ("plain", &prompt), |usage| {
        usage.cached + usage.written + usage.reasoning == 0
    })
}

pub(super) fn cached(session: &mut Session) -> Outcome {
    let prompt = notes(&session.run);
    kind(session, ("cached", &prompt), |usage| {
        usage.cached + usage.written > 0
    })
}

pub(super) fn reasoning(session: &mut Session) -> Outcome {
    let prompt = session.options.prompt.clone();
    kind(session, ("reasoning", &prompt), |usage| usage.reasoning > 0)
}

/// Makes calls of every model, streamed and not, and compares the charges of those whose tokens are
/// of a kind with the list.
fn kind(session: &Session, (name, prompt): (&str, &str), is: fn(Usage) -> bool) -> Outcome {
    let mut found = Vec::new();
    for model in models(session) {
        let body = body(&model.slug, prompt, TOKENS);
        for call in [
            session.rich.one_shot(&body)?,
            session.rich.streamed(&streamed(body, true))?,
        ] {
            if answered(&call)?.usage.is_some_and(is) {
                compare(&model, &call)?;
                found.push(format!("{} {}", model.slug, seen(&call)));
            }
        }
    }
    applies(!found.is_empty(), || {
        format!("no answer told of {name} tokens; `--price-model` names more models")
    })?;
    Ok(found.join("; "))
}

/// A prompt of [`CACHEABLE`] bytes that nobody sent before.
fn notes(run: &str) -> String {
    let end = " Reply with the single word ok.";
    let length = usize::try_from(CACHEABLE).unwrap_or(0) - end.len();
    let mut prompt = format!("Notes of {run}, which say little. ").repeat(length);
    prompt.truncate(length);
    prompt + end
}

pub(super) fn without_usage(session: &mut Session) -> Outcome {
    let body = body(&session.model.slug, &session.options.long_prompt, FEW);
    let measure = |with_usage| -> Outcome<(Call, Usd)> {
        let before = session.rich.before()?;
        let body = streamed(body.clone(), with_usage);
        let call = session.rich.streamed(&body)?;
        let fall = session.rich.fallen(before, answered(&call)?.cost)?;
        Ok((call, fall))
    };
    let (with, fall_with) = measure(true)?;
    let (without, fall_without) = measure(false)?;
    ensure(fall_without > Usd::ZERO, || {
        format!("asked for usage `{fall_with}`, not asked `{fall_without}`")
    })?;
    // Answers that were cut at the same bound have the same length.
    let cut = |call: &Call| call.finish.as_deref() == Some("length");
    if cut(&with) && cut(&without) {
        let other = ("without", fall_without);
        same("the charge of a stream with usage", fall_with, other)?;
    }
    if let Some(cost) = without.cost {
        same(
            "the charge told",
            cost,
            ("the balance's fall", fall_without),
        )?;
    }
    Ok(format!(
        "asked for usage `{fall_with}`, not asked `{fall_without}`"
    ))
}

fn models(session: &Session) -> Vec<Model> {
    let more = session.price_models.iter();
    let all = [&session.model].into_iter().chain(more);
    all.filter(|model| !model.conditional).cloned().collect()
}

/// The charge of an answer, if it is what its usage costs by the list.
pub(super) fn compare(model: &Model, call: &Call) -> Outcome<Usd> {
    let charge = told(call)?;
    applies(call.usage.is_some(), || {
        "an answer does not tell its usage".to_owned()
    })?;
    applies(!model.conditional, || {
        format!("the price of `{}` depends on the time", model.slug)
    })?;
    let listed = model.price(call.usage.unwrap_or_default());
    ensure(charge.apart(listed) <= ROUNDING, || {
        format!("{} {}, by the list `{listed}`", model.slug, seen(call))
    })?;
    Ok(charge)
}

/// What an answer used and cost, in words.
pub(super) fn seen(call: &Call) -> String {
    let usage = call.usage.unwrap_or_default();
    let mut text = format!("{} in", usage.prompt);
    for (count, kind) in [(usage.cached, "cached"), (usage.written, "written")] {
        if count > 0 {
            text.push_str(&format!(" ({count} {kind})"));
        }
    }
    text.push_str(&format!(", {} out", usage.completion));
    if usage.reasoning > 0 {
        text.push_str(&format!(" ({} reasoning)", usage.reasoning));
    }
    match call.cost {
        Some(cost) => text + &format!(": `{cost}`"),
        None => text,
    }
}
