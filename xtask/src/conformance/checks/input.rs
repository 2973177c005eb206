//! Calls that are not what they should be: refused for nothing, or billed for what was made.

use serde_json::{Value, json};

use super::FEW;
use super::price::{compare, seen};
use crate::conformance::call::{Call, body};
use crate::conformance::caller::told;
use crate::conformance::outcome::{Outcome, Stop, applies, ensure, same};
use crate::conformance::session::{SHORT, Session};
use crate::conformance::usd::Usd;

pub(super) fn unknown_model(session: &mut Session) -> Outcome {
    let slug = format!("conformance/{}", session.run);
    let call = session.rich.one_shot(&body(&slug, SHORT, FEW))?;
    refused(&call, "a model that nobody has")?;
    Ok(format!("`{slug}`: {}", call.told()))
}

pub(super) fn unpriced_model(session: &mut Session) -> Outcome {
    let named = session.options.unpriced_model.iter();
    let slugs: Vec<String> = named.chain(&session.unpriced).take(3).cloned().collect();
    applies(!slugs.is_empty(), || {
        "every listed model has a price, and no `--unpriced-model` was named".to_owned()
    })?;
    let mut seen = Vec::new();
    for slug in slugs {
        let call = session.rich.one_shot(&body(&slug, SHORT, FEW))?;
        refused(&call, &format!("`{slug}`, which has no price,"))?;
        seen.push(format!("`{slug}`: {}", call.told()));
    }
    Ok(seen.join(", "))
}

pub(super) fn failed_calls(session: &mut Session) -> Outcome {
    let before = session.rich.before()?;
    let with = |name: &str, value: Value| {
        let mut body = session.short_body(FEW);
        body[name] = value;
        body.to_string()
    };
    let bodies = [
        with("messages", json!([])),
        with("messages", json!("hello")),
        with("temperature", json!("hot")),
        with("max_tokens", json!("many")),
        "{".to_owned(),
    ];
    let mut failed = Vec::new();
    let mut due = Usd::ZERO;
    for body in &bodies {
        let call = session.rich.text(body, None)?;
        if call.made() {
            due = due + told(&call)?;
        } else {
            failed.push(call.status.to_string());
        }
    }
    ensure(!failed.is_empty(), || {
        "not even a body that is no JSON is refused".to_owned()
    })?;
    let fall = session.rich.fallen(before, Some(due))?;
    same("the balance's fall", fall, ("what was answered cost", due))?;
    Ok(format!(
        "{} of {} calls failed ({}), the balance fell by `{fall}`",
        failed.len(),
        bodies.len(),
        failed.join(", ")
    ))
}

pub(super) fn duplicate_fields(session: &mut Session) -> Outcome {
    let slug = json!(session.model.slug);
    let messages = json!([{"role": "user", "content": session.options.long_prompt}]);
    let twice = |first: u64, second: u64| {
        format!(
            r#"{{"model":{slug},"max_tokens":{first},"messages":{messages},"max_tokens":{second}}}"#
        )
    };
    no_discount(session, &[twice(1, FEW), twice(FEW, 1)])
}

pub(super) fn unequal_bounds(session: &mut Session) -> Outcome {
    let with = |one: u64, other: u64| {
        let mut body = body(&session.model.slug, &session.options.long_prompt, one);
        body["max_completion_tokens"] = json!(other);
        body.to_string()
    };
    no_discount(session, &[with(1, FEW), with(FEW, 1)])
}

pub(super) fn several_answers(session: &mut Session) -> Outcome {
    let mut body = body(&session.model.slug, &session.options.long_prompt, FEW / 2);
    body["n"] = json!(2);
    no_discount(session, &[body.to_string()])
}

/// Each body is refused for nothing, or costs its usage at the listed prices.
fn no_discount(session: &Session, bodies: &[String]) -> Outcome {
    let mut seen_all = Vec::new();
    for body in bodies {
        let before = session.rich.before()?;
        let call = session.rich.text(body, None)?;
        if call.made() {
            let charge = compare(&session.model, &call)?;
            let fall = session.rich.fallen(before, Some(charge))?;
            same("the charge", charge, ("the balance's fall", fall))?;
            let answers = call.body["choices"].as_array().map_or(0, Vec::len);
            seen_all.push(format!("{answers} answers, {}", seen(&call)));
        } else {
            answered_or_refused(&call)?;
            let fall = session.rich.fallen(before, Some(Usd::ZERO))?;
            same(
                "the charge for a refusal",
                fall,
                ("it should be", Usd::ZERO),
            )?;
            seen_all.push(call.told());
        }
    }
    Ok(seen_all.join("; "))
}

fn refused(call: &Call, what: &str) -> Outcome<()> {
    ensure(!call.made(), || {
        let cost = call.cost.map(|cost| format!(" for `{cost}`"));
        format!("{what} is answered{}", cost.unwrap_or_default())
    })?;
    answered_or_refused(call)
}

/// It is one of the two, and not because of a rate limit.
fn answered_or_refused(call: &Call) -> Outcome<()> {
    applies(call.status != 429, || {
        format!("a rate limit is in the way: {}", call.told())
    })?;
    if call.made() || call.status >= 400 {
        return Ok(());
    }
    Err(Stop::Fail(format!(
        "neither answered nor refused: {}",
        call.told()
    )))
}
