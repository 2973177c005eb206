//! A wallet that is almost empty: who is refused is told why, and nobody goes below zero.

use serde_json::Value;

use super::AT_ONCE;
use crate::conformance::call::{Call, body, streamed, unbounded};
use crate::conformance::caller::Credits;
use crate::conformance::outcome::{Outcome, Stop, applies, ensure, same};
use crate::conformance::session::{MOST_SHARE, Poor, SHARES, SHORT, Session};
use crate::conformance::usd::Usd;

pub(super) fn refusal(session: &mut Session) -> Outcome {
    let Poor { caller, model } = session.poor()?;
    let before = caller.before()?;
    let price = |tokens| model.per_output().times(tokens);
    let most = model.most_output;
    applies(price(most) > before.balance, || {
        format!("the poor key's `{}` pay the longest answer", before.balance)
    })?;
    // Half of the model's most, unless that is paid for: prompt and answer share the context.
    let half = most / 2;
    let wanted = if price(half) > before.balance {
        half
    } else {
        most
    };
    let slug = &model.slug;
    let refused = caller.one_shot(&body(slug, SHORT, wanted))?;
    applies(!matches!(refused.status, 400 | 422 | 429), || {
        format!(
            "{wanted} tokens are refused for another reason: {}",
            refused.told()
        )
    })?;
    ensure(refused.status == 402, || {
        format!(
            "{wanted} tokens for `{}` with a balance of `{}` got {}",
            price(wanted),
            before.balance,
            refused.told()
        )
    })?;
    let balance = amount(&refused, "balance")?;
    same(
        "the balance told",
        balance,
        ("`GET credits`'", before.balance),
    )?;
    let held = amount(&refused, "held")?;
    let needed = amount(&refused, "needed")?;
    ensure(needed > balance - held, || {
        format!("needed `{needed}` is not more than what is free of `{balance}`")
    })?;
    let affordable = detail(&refused, "affordable_max_tokens")?;
    let affordable = affordable.as_u64().unwrap_or(0);
    let seen =
        format!("balance `{balance}`, held `{held}`, needed `{needed}`, affordable {affordable}");
    ensure(affordable > 0, || format!("nothing is affordable: {seen}"))?;
    let admitted = caller.one_shot(&body(slug, SHORT, affordable))?;
    ensure(admitted.made(), || {
        format!("{seen}, which got {}", admitted.told())
    })?;
    Ok(format!("402 {seen}, which was admitted"))
}

pub(super) fn parallel(session: &mut Session) -> Outcome {
    let Poor { caller, model } = session.poor()?;
    let before = caller.before()?;
    let prompt = &session.options.long_prompt;
    let tokens = share(session, before)?;
    let calls = caller.at_once(AT_ONCE, &body(&model.slug, prompt, tokens), None)?;
    let (made, refused): (Vec<&Call>, Vec<&Call>) = calls.iter().partition(|call| call.made());
    applies(calls.iter().all(|call| call.status != 429), || {
        "a rate limit is in the way of parallel calls".to_owned()
    })?;
    let charged: Usd = made.iter().filter_map(|call| call.cost).sum();
    let untold = made.iter().any(|call| call.cost.is_none());
    let fall = caller.fallen(before, Some(charged).filter(|_| !untold))?;
    let left = before.balance - fall;
    let refusals: Vec<String> = refused.iter().map(|call| call.told()).collect();
    let seen = format!(
        "{AT_ONCE} calls of up to {tokens} tokens with `{}`: {} made, {} refused; charged \
         `{charged}`, taken `{fall}`, left `{left}`",
        before.balance,
        made.len(),
        refused.len()
    );
    ensure(left >= Usd::ZERO && charged <= before.balance, || {
        format!("overdrawn: {seen}")
    })?;
    ensure(!made.is_empty(), || {
        format!("a funded caller is refused: {seen}")
    })?;
    ensure(refused.iter().all(|call| call.status == 402), || {
        format!("{seen}; refused with {}", refusals.join(", "))
    })?;
    applies(!untold, || format!("charges are not told: {seen}"))?;
    same(&format!("{seen}: charged"), charged, ("taken", fall))?;
    Ok(seen)
}

/// Output tokens that a fourth of the credit pays.
fn share(session: &Session, has: Credits) -> Outcome<u64> {
    let model = &session.poor()?.model;
    let (least, most) = session.poor_credit();
    let (has, held) = (has.balance, has.held.unwrap_or_default());
    applies(held == Usd::ZERO, || {
        "calls of the poor key are running".to_owned()
    })?;
    // More credit than this would not be spent by so many calls.
    let limit = most.times(2);
    applies(has >= least.over(2) && has <= limit, || {
        format!("the poor key has `{has}`; it should have `{least}` to `{most}`")
    })?;
    let prompt = session
        .model
        .at_most(session.options.long_prompt.len() as u64, 0);
    let share = has.over(u32::try_from(SHARES).unwrap_or(1)) - prompt;
    let tokens = share.buys(model.per_output()).unwrap_or(0);
    Ok(tokens.clamp(1, MOST_SHARE.min(model.most_output)))
}

pub(super) fn stream(session: &mut Session) -> Outcome {
    let Poor { caller, model } = session.poor()?;
    let before = caller.before()?;
    let prompt = &session.options.long_prompt;
    let call = caller.streamed(&streamed(unbounded(&model.slug, prompt), true))?;
    applies(call.made(), || {
        format!(
            "the poor key's `{}` pay no stream: {}",
            before.balance,
            call.told()
        )
    })?;
    let fall = caller.fallen(before, call.cost)?;
    let left = before.balance - fall;
    let finish = call.finish.as_deref().unwrap_or("nothing");
    let seen = format!(
        "had `{}`, paid `{fall}` for {} chunks, left `{left}`, ended with `{finish}`",
        before.balance, call.chunks
    );
    ensure(left >= Usd::ZERO, || format!("below zero: {seen}"))?;
    ensure(fall > Usd::ZERO, || format!("free: {seen}"))?;
    applies(left < before.balance.over(2), || {
        format!("the model stopped by itself; a longer `--long-prompt` helps: {seen}")
    })?;
    Ok(seen)
}

/// A number that an honest refusal tells, in the error or in what it is wrapped in.
fn detail(refused: &Call, name: &str) -> Outcome<Value> {
    let error = &refused.body["error"];
    let places = [&error["details"], &error["metadata"], error];
    let found = places.iter().find_map(|place| place.get(name));
    found
        .filter(|value| !value.is_null())
        .cloned()
        .ok_or_else(|| {
            Stop::Fail(format!(
                "the refusal, {}, does not tell `{name}`",
                refused.told()
            ))
        })
}

fn amount(refused: &Call, name: &str) -> Outcome<Usd> {
    let value = detail(refused, name)?;
    Usd::read(&value).ok_or_else(|| Stop::Fail(format!("`{name}` is no amount: {value}")))
}
