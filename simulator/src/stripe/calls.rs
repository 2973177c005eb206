//! `/v1/…`: who may call, idempotency, and which code does a call. The calls stand in `endpoints.rs`.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::dispute::Dispute;
use super::endpoints::{Action, Endpoint};
use super::form::{self, Fields, Malformed};
use super::listing::{self, View};
use super::objects::{Cause, Event, Objects};
use super::refund::Refund;
use super::refusal::Refusal;
use super::session::Session;
use super::{SECRET_KEY, VERSION, check, customer, intents, method, portal, refund, session};

const MAX_KEY_CHARS: usize = 255;

/// A call as it arrived.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// `GET`, `POST`
    pub method: &'a str,
    /// `/v1/refunds`
    pub path: &'a str,
    /// The query, or the body of a `POST`.
    pub parameters: &'a [u8],
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `Stripe-Version`.
    pub version: Option<&'a str>,
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// When, and from where.
    pub cause: Cause,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The object or the error.
    pub body: Value,
    /// The request that was answered first, when this one only repeats it.
    pub replayed: Option<String>,
}

/// The answers of calls with an idempotency key, until the process ends.
#[derive(Debug, Default)]
pub struct Answered(HashMap<String, Stored>);

#[derive(Debug)]
struct Stored {
    path: String,
    fields: Fields,
    request: Option<String>,
    answer: Answer,
}

/// Answers a call.
pub fn answer(objects: &mut Objects, answered: &mut Answered, call: &Call<'_>) -> Answer {
    match attempt(objects, answered, call) {
        Ok(answer) => answer,
        Err(refusal) => refused(&refusal),
    }
}

fn attempt(
    objects: &mut Objects,
    answered: &mut Answered,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    admit(call)?;
    let (endpoint, id) = Endpoint::find(call.method, call.path).ok_or_else(|| {
        let (method, path) = (call.method, call.path);
        let message = format!("Unrecognized request URL ({method}: {path}).");
        Refusal {
            status: 404,
            ..Refusal::invalid(message)
        }
    })?;
    let fields = form::parse(call.parameters)
        .map_err(|Malformed(name)| Refusal::invalid("Invalid form encoding").param(&name))?;
    let key = call
        .cause
        .idempotency_key
        .as_deref()
        .filter(|_| call.method == "POST");
    if let Some(stored) = key.and_then(|key| answered.0.get(key)) {
        return repeat(stored, call, &fields);
    }
    // What the table refuses was never begun, and its key stays free, as at Stripe.
    check::call(&fields, endpoint)?;
    let done = perform(objects, (endpoint, id), &fields, call);
    let answer = match done {
        Ok(mut body) => {
            listing::expand(objects, &fields, &mut body);
            Answer {
                status: 200,
                body,
                replayed: None,
            }
        }
        Err(refusal) => refused(&refusal),
    };
    if let Some(key) = key {
        let stored = Stored {
            path: call.path.to_owned(),
            fields,
            request: call.cause.request.clone(),
            answer: answer.clone(),
        };
        answered.0.insert(key.to_owned(), stored);
    }
    Ok(answer)
}

fn refused(refusal: &Refusal) -> Answer {
    Answer {
        status: refusal.status,
        body: refusal.body(),
        replayed: None,
    }
}

fn admit(call: &Call<'_>) -> Result<(), Refusal> {
    let unauthorized = |message: String| Refusal {
        status: 401,
        ..Refusal::invalid(message)
    };
    let key = call
        .authorization
        .and_then(|value| value.strip_prefix("Bearer "));
    let key = key.ok_or_else(|| {
        unauthorized(
            "You did not provide an API key. Send it in the Authorization header, using Bearer \
             auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
                .to_owned(),
        )
    })?;
    if key != SECRET_KEY {
        let shown = crate::provider::account::masked(key);
        return Err(unauthorized(format!("Invalid API Key provided: {shown}")));
    }
    if call.version != Some(VERSION) {
        let sent = call.version.unwrap_or("none");
        return Err(Refusal::invalid(format!(
            "Invalid Stripe API version: {sent}. The simulator plays {VERSION} only."
        )));
    }
    let form = "application/x-www-form-urlencoded";
    let is_form = call.content_type.is_some_and(|kind| kind.starts_with(form));
    if call.method == "POST" && !call.parameters.is_empty() && !is_form {
        return Err(Refusal::invalid(format!(
            "Invalid request (check that your POST content type is {form})."
        )));
    }
    match call.cause.idempotency_key.as_deref() {
        Some(key) if key.chars().count() > MAX_KEY_CHARS => {
            let message = format!("Idempotency keys have at most {MAX_KEY_CHARS} characters.");
            Err(Refusal::invalid(message))
        }
        Some(_) | None => Ok(()),
    }
}

fn repeat(stored: &Stored, call: &Call<'_>, fields: &Fields) -> Result<Answer, Refusal> {
    if stored.path != call.path || stored.fields != *fields {
        let key = call.cause.idempotency_key.as_deref().unwrap_or_default();
        return Err(Refusal {
            kind: "idempotency_error",
            ..Refusal::invalid(format!(
                "Keys for idempotent requests can only be used with the same endpoint and \
                 parameters they were first used with. Use a key other than '{key}' if you meant \
                 to execute a different request."
            ))
        });
    }
    Ok(Answer {
        replayed: stored.request.clone().or_else(|| Some(String::new())),
        ..stored.answer.clone()
    })
}

fn perform(
    objects: &mut Objects,
    (endpoint, id): (&Endpoint, &str),
    fields: &Fields,
    call: &Call<'_>,
) -> Result<Value, Refusal> {
    let cause = &call.cause;
    match endpoint.action {
        Action::CreateCustomer => Ok(customer::create(objects, fields, cause)),
        Action::UpdateCustomer => customer::update(objects, id, fields, cause),
        Action::CreateSession => session::create(objects, fields, cause),
        Action::ExpireSession => session::expire(objects, id, cause),
        Action::CreateIntent => intents::create(objects, fields, cause),
        Action::DetachMethod => method::detach(objects, id, cause),
        Action::CreateRefund => refund::create(objects, fields, cause),
        Action::CreatePortal => portal::create(objects, fields, cause),
        Action::Retrieve => {
            let found = objects.json(endpoint.object, id);
            found.ok_or_else(|| Refusal::not_found(endpoint.object, id))
        }
        Action::ListSessions | Action::ListRefunds | Action::ListDisputes | Action::ListEvents => {
            list(objects, endpoint, fields)
        }
    }
}

fn list(objects: &Objects, endpoint: &Endpoint, fields: &Fields) -> Result<Value, Refusal> {
    let is = |name: &str, value: Option<&str>| {
        form::text(fields, name).is_none_or(|wanted| value == Some(wanted))
    };
    let money_back = |intent: &str, charge: &str| {
        is("payment_intent", Some(intent)) && is("charge", Some(charge))
    };
    let url = endpoint.path;
    match endpoint.action {
        Action::ListSessions => {
            let wants = |row: &Session| {
                is("customer", row.customer.as_deref())
                    && is("payment_intent", row.intent.as_deref())
                    && is("status", Some(row.status.name()))
            };
            let view = View {
                url,
                key: |row: &Session| (row.id.as_str(), row.created),
                wants: &wants,
                json: Session::json,
            };
            listing::page(&objects.sessions, fields, view)
        }
        Action::ListRefunds => {
            let view = View {
                url,
                key: |row: &Refund| (row.id.as_str(), row.created),
                wants: &|row: &Refund| money_back(&row.intent, &row.charge),
                json: Refund::json,
            };
            listing::page(&objects.refunds, fields, view)
        }
        Action::ListDisputes => {
            let view = View {
                url,
                key: |row: &Dispute| (row.id.as_str(), row.created),
                wants: &|row: &Dispute| money_back(&row.intent, &row.charge),
                json: Dispute::json,
            };
            listing::page(&objects.disputes, fields, view)
        }
        _ => {
            let types: Vec<&str> = form::texts(fields, "types").collect();
            let view = View {
                url,
                key: |row: &Event| (row.id.as_str(), row.created),
                wants: &|row: &Event| {
                    is("type", Some(row.kind)) && (types.is_empty() || types.contains(&row.kind))
                },
                json: Event::json,
            };
            listing::page(&objects.events, fields, view)
        }
    }
}

/// The body of an answer of a Stripe that is down.
#[must_use]
pub fn down() -> Value {
    json!({"error": {
        "type": "api_error",
        "message": "An unknown error occurred while processing your request.",
    }})
}
