//! `/_sim/stripe/…`: where webhooks go and how, a Stripe that is down, and what only a bank or a person
//! in Stripe's dashboard does. Needs no key and is never recorded.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::dispute::{self, Claim, Phase};
use super::form::{self, Fields};
use super::objects::{Cause, Objects};
use super::outbox::{Outbox, Switches, Webhook};
use super::refund;
use super::refusal::Refusal;
use super::session;
use super::{How, Outage, State};
use crate::World;

/// Answers a control request, whose path is without `/_sim/stripe`, with a status and JSON.
pub async fn answer(
    world: &Arc<World>,
    (method, path, query): (&str, &str, &str),
    cause: &Cause,
) -> (u16, Value) {
    if (method, path) == ("GET", "/idle") {
        world.stripe().until(|state| state.outbox.is_idle()).await;
    }
    let Ok(fields) = form::parse(query.as_bytes()) else {
        return (400, json!({"error": "the query is no form"}));
    };
    let done = perform(&mut world.stripe().state(), (method, path), &fields, cause);
    world.stripe().changed.notify_waiters();
    match done {
        Ok(body) => (200, body),
        Err(refusal) => (refusal.status, refusal.body()),
    }
}

fn perform(
    state: &mut State,
    call: (&str, &str),
    fields: &Fields,
    cause: &Cause,
) -> Result<Value, Refusal> {
    let outcome = match call {
        ("GET", "/idle" | "/delivery") | ("POST", "/delivery") => {
            set(&mut state.outbox, fields)?;
            state.outbox.switches.json()
        }
        ("DELETE", "/delivery") => {
            state.outbox.switches = Switches::default();
            state.outbox.switches.json()
        }
        ("POST", "/webhook") => {
            let given = |name| form::text(fields, name).ok_or_else(|| Refusal::missing(name));
            state.outbox.webhook = Some(Webhook {
                url: given("url")?.to_owned(),
                secret: given("secret")?.to_owned(),
            });
            json!({"webhook": given("url")?})
        }
        ("DELETE", "/webhook") => {
            state.outbox.webhook = None;
            json!({"webhook": null})
        }
        ("POST", "/release") => json!({"released": state.outbox.release(Instant::now())}),
        ("POST", "/resend") => {
            let event = form::text(fields, "event").unwrap_or_default();
            if state.objects.events.get(event).is_none() {
                return Err(Refusal::not_found("event", event));
            }
            state.outbox.resend(event, Instant::now());
            json!({"resent": event})
        }
        ("POST", "/down") => {
            state.outage = outage(fields)?;
            json!({"down": state.outage.is_some()})
        }
        ("GET", "/events") => events(state, fields),
        ("POST", "/dispute") => move_dispute(&mut state.objects, fields, cause)?,
        ("POST", "/refund") => move_refund(&mut state.objects, fields, cause)?,
        ("POST", "/expire") => {
            let id = form::text(fields, "session").unwrap_or_default();
            session::expire(&mut state.objects, id, cause)?
        }
        ("DELETE", "" | "/") => {
            state.clear();
            json!({"forgotten": true})
        }
        (method, path) => {
            let message = format!("no such control: {method} /_sim/stripe{path}");
            return Err(Refusal {
                status: 404,
                ..Refusal::invalid(message)
            });
        }
    };
    state.flush();
    Ok(outcome)
}

fn set(outbox: &mut Outbox, fields: &Fields) -> Result<(), Refusal> {
    for name in fields.keys() {
        let value = form::text(fields, name).unwrap_or_default();
        let count = count(value)
            .ok_or_else(|| Refusal::invalid("a number, `on` or `off` is expected").param(name))?;
        let switches = &mut outbox.switches;
        match name.as_str() {
            "duplicates" => switches.duplicates = count,
            "reorder" => switches.reorder = count,
            "delay_ms" => switches.delay = Duration::from_millis(count.into()),
            "hold" => switches.hold = count > 0,
            "parallel" => switches.parallel = count > 0,
            "wrong_signature" => switches.wrong_signature = count,
            "old_timestamp" => switches.old_timestamp = count,
            "drop" => switches.drop = count,
            "retries" => switches.retries = count,
            "backoff_ms" => switches.backoff = Duration::from_millis(count.into()),
            "seed" => outbox.seed(count.into()),
            _ => return Err(Refusal::unknown(name)),
        }
    }
    Ok(())
}

/// A number; `on` stands for all there are.
fn count(value: &str) -> Option<u32> {
    match value {
        "on" | "true" => Some(u32::MAX),
        "off" | "false" => Some(0),
        number => number.parse().ok(),
    }
}

fn outage(fields: &Fields) -> Result<Option<Outage>, Refusal> {
    let on = form::text(fields, "on").and_then(count);
    let left = match form::text(fields, "times") {
        Some(times) => count(times),
        None => on.map(|on| if on == 1 { u32::MAX } else { on }),
    };
    let how = match form::text(fields, "how").unwrap_or("503") {
        "500" => How::Status(500),
        "503" => How::Status(503),
        "close" => How::Close,
        "lose" => How::Lose,
        _ => {
            let message = "`500`, `503`, `close` or `lose` is expected";
            return Err(Refusal::invalid(message).param("how"));
        }
    };
    match (on, left) {
        (Some(0), _) => Ok(None),
        (Some(_), Some(left)) => Ok(Some(Outage { how, left })),
        _ => Err(Refusal::missing("on")),
    }
}

fn events(state: &State, fields: &Fields) -> Value {
    let kind = form::text(fields, "type");
    let events = state.objects.events.iter();
    let events = events.filter(|event| kind.is_none_or(|kind| event.kind == kind));
    let described = events.map(|event| {
        let mut described = state.outbox.describe(&event.id);
        described["event"] = event.json();
        described
    });
    json!({"events": described.collect::<Vec<_>>()})
}

fn move_dispute(objects: &mut Objects, fields: &Fields, cause: &Cause) -> Result<Value, Refusal> {
    let given = |name| form::text(fields, name).ok_or_else(|| Refusal::missing(name));
    let phase = Phase::find(given("phase")?);
    let phase = phase.ok_or_else(|| Refusal::invalid("No such phase").param("phase"))?;
    let claim = Claim {
        intent: given("payment_intent")?,
        amount: form::integer(fields, "amount"),
        reason: form::text(fields, "reason").unwrap_or("fraudulent"),
    };
    dispute::moves(objects, claim, phase, cause)
}

fn move_refund(objects: &mut Objects, fields: &Fields, cause: &Cause) -> Result<Value, Refusal> {
    let Some(id) = form::text(fields, "refund") else {
        return refund::create(objects, fields, cause);
    };
    let status = form::text(fields, "status").and_then(refund::Status::find);
    let status = status.ok_or_else(|| Refusal::invalid("No such status").param("status"))?;
    refund::becomes(objects, id, status, cause)
}
