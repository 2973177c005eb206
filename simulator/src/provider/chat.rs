//! `POST /chat/completions`: decides how a call is answered and puts the answer together. Texts and
//! tokens come from `answer`, streams from `stream`, prices from `pricing`.

use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use jiff::Timestamp;
use serde_json::json;

use super::answer::Answer;
use super::error::{self, refusal};
use super::fault::Fault;
use super::generation::{self, Generation};
use super::host::Host;
use super::request::{Chat, Invalid, hash};
use super::stream::{Gzip, Pace, Plan, gzip, shatter};
use super::wire::{Ending, Frame};
use crate::record::OpenCall;
use crate::reply::{Connection, Dropped, JSON, Reply, Script, Step, whole};
use crate::{Config, World};

/// Where `sim/redirect` points to; answers as if nothing were wrong.
pub const REDIRECT_TARGET: &str = "/api/v1/redirected/chat/completions";
const DEFAULT_HEAD_MS: u64 = 3_000;
const DEFAULT_PAUSE_MS: u64 = 3_000;
const EVENTS: &str = "text/event-stream";

/// A call as the server hands it over.
pub struct Arrival {
    /// Where it is recorded.
    pub call: OpenCall,
    /// The whole request body.
    pub body: Bytes,
    /// Whether it followed the redirect.
    pub redirected: bool,
    /// Whether the client accepts gzip.
    pub accepts_gzip: bool,
    /// The connection it came on.
    pub connection: Arc<Connection>,
}

/// Answers a call, or drops its connection.
pub async fn complete(world: &World, mut arrival: Arrival) -> Result<Response<Reply>, Dropped> {
    let chat = match Chat::read(&arrival.body) {
        Ok(chat) => chat,
        Err(Invalid(message)) => {
            return Ok(refusal(arrival.call, 400, &error::body(400, &message)));
        }
    };
    arrival.call.asks_for(&chat.slug);
    if !chat.affordable {
        let message = "No endpoints found that satisfy the max price of this request";
        return Ok(refusal(arrival.call, 404, &error::body(404, message)));
    }
    let fault = if arrival.redirected {
        Fault::None
    } else {
        chat.model.fault
    };
    match fault {
        Fault::Status(code) => Ok(refusal(arrival.call, code, &error::status_body(code))),
        Fault::StatusOnce(code) if world.sees_first(text_hash(&chat)) => {
            let mut response = refusal(arrival.call, code, &error::status_body(code));
            if code == 429 {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Ok(response)
        }
        Fault::ErrorIn200 => Ok(error_in_200(arrival.call, chat.stream)),
        Fault::Timeout => std::future::pending().await,
        Fault::DropBefore => {
            arrival.call.finished();
            Err(Dropped)
        }
        Fault::Redirect => {
            let mut response = whole(arrival.call, 307, JSON, "");
            response
                .headers_mut()
                .insert(LOCATION, HeaderValue::from_static(REDIRECT_TARGET));
            Ok(response)
        }
        Fault::Html => {
            let page = "<!doctype html><title>SimCloud</title><h1>Just a moment…</h1>";
            Ok(whole(arrival.call, 200, "text/html; charset=utf-8", page))
        }
        Fault::Empty => Ok(whole(
            arrival.call,
            200,
            if chat.stream { EVENTS } else { JSON },
            "",
        )),
        _ => Ok(generate(world, arrival, chat, fault).await),
    }
}

async fn generate(
    world: &World,
    mut arrival: Arrival,
    chat: Chat,
    fault: Fault,
) -> Response<Reply> {
    let knobs = chat.knobs;
    let streamed = chat.stream;
    let id = generation::id(world.epoch, chat.hash, arrival.call.seq);
    let plan = plan(&world.config, chat, (id, fault));
    let head = match fault {
        Fault::SlowHead => Duration::from_millis(knobs.head_ms.unwrap_or(DEFAULT_HEAD_MS)),
        _ => Duration::ZERO,
    };
    let (id, extent) = (Arc::clone(&plan.id), plan.answer.extent);
    let mut generation = Generation::new(id, &plan.slug, plan.model, extent);
    generation.takes = head + plan.takes();
    generation.record_after =
        Duration::from_millis(knobs.record_ms.unwrap_or(world.config.record_ms));
    if streamed {
        generation = generation.streamed();
    }
    arrival.call.generates(generation);
    if !head.is_zero() {
        tokio::time::sleep(head).await;
    }
    if streamed {
        stream(plan, arrival)
    } else {
        one_shot(plan, arrival).await
    }
}

fn plan(config: &Config, chat: Chat, (id, fault): (Arc<str>, Fault)) -> Plan {
    let (knobs, model) = (chat.knobs, chat.model);
    let answer = Answer::new(&chat, config.tokens);
    let tps = knobs.tps.or(model.tokens_per_second);
    let pause_ms = match fault {
        Fault::Pause => knobs.pause_ms.unwrap_or(DEFAULT_PAUSE_MS),
        _ => 0,
    };
    Plan {
        id,
        slug: chat.slug,
        created: Timestamp::now().as_second(),
        cut_after: knobs.cut_after.unwrap_or(answer.extent.generated / 2),
        answer,
        form: chat.form,
        model,
        fault,
        tells_usage: fault != Fault::NoUsage && knobs.usage != Some(0),
        pace: Pace {
            first: Duration::from_millis(knobs.ttft_ms.unwrap_or(config.ttft_ms)),
            tokens_per_second: tps.unwrap_or(config.tokens_per_second),
        },
        pause: Duration::from_millis(pause_ms),
        usage_after: Duration::from_millis(knobs.usage_ms.unwrap_or(0)),
    }
}

fn stream(plan: Plan, mut arrival: Arrival) -> Response<Reply> {
    let compressed = plan.fault == Fault::Gzip && arrival.accepts_gzip;
    let (id, host) = (Arc::clone(&plan.id), plan.model.host);
    let mut script = plan.script();
    if compressed {
        script = Box::new(Gzip::new(script));
    }
    arrival.call.answered(200);
    let reply = Reply::paced(script, None, arrival.call, arrival.connection);
    generated(reply, EVENTS, (&id, host), compressed)
}

async fn one_shot(plan: Plan, mut arrival: Arrival) -> Response<Reply> {
    let due = plan.takes();
    if !due.is_zero() {
        tokio::time::sleep(due).await;
    }
    let mut body = one_shot_body(&plan, &mut arrival.call);
    let compressed = plan.fault == Fault::Gzip && arrival.accepts_gzip;
    if compressed {
        body = gzip(&body).unwrap_or_default();
    }
    arrival.call.answered(200);
    let reply = match one_shot_script(plan.fault, &body, plan.answer.extent.generated) {
        None => {
            arrival.call.finished();
            Reply::once(body)
        }
        Some(script) => {
            let length = body.len().try_into().ok();
            Reply::paced(script, length, arrival.call, arrival.connection)
        }
    };
    generated(reply, JSON, (&plan.id, plan.model.host), compressed)
}

fn one_shot_body(plan: &Plan, call: &mut OpenCall) -> Vec<u8> {
    let failed = plan.fault == Fault::ErrorMidStream;
    let pieces = &plan.answer.pieces;
    let said = if failed {
        let heard =
            (0..pieces.count()).find(|count| plan.answer.tokens_through(*count) >= plan.cut_after);
        let heard = heard.unwrap_or(pieces.count());
        call.generated(plan.answer.tokens_through(heard));
        pieces.text_through(heard)
    } else {
        pieces.text()
    };
    let end = Ending {
        finish_reason: if failed {
            "error"
        } else {
            plan.answer.extent.finish_reason
        },
        failed,
        usage_of: call.generation().filter(|_| plan.tells_usage),
    };
    let frame = Frame {
        id: &plan.id,
        provider: plan.model.host.name,
        model: &plan.slug,
        created: plan.created,
    };
    let mut body = frame.answer(&plan.form, &said, &end);
    if plan.fault == Fault::MalformedSse {
        body.truncate(body.len() / 2);
    }
    body
}

/// How a one-shot body is written when it is not written at once.
fn one_shot_script(fault: Fault, body: &[u8], tokens: u64) -> Option<Script> {
    let write = move |bytes| Step::Write {
        due: Duration::ZERO,
        bytes,
        tokens,
    };
    match fault {
        Fault::DropMid | Fault::ResetMid => {
            let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
            let reset = fault == Fault::ResetMid;
            Some(Box::new(
                [write(half), Step::Flush, Step::Cut { reset }].into_iter(),
            ))
        }
        Fault::SplitUtf8 => {
            let writes = shatter(body).into_iter();
            Some(Box::new(
                writes.flat_map(move |bytes| [write(bytes), Step::Flush]),
            ))
        }
        _ => None,
    }
}

/// The head of an answer that was generated, with headers that a gateway must not pass on.
fn generated(
    reply: Reply,
    kind: &'static str,
    (id, host): (&str, Host),
    compressed: bool,
) -> Response<Reply> {
    let mut response = Response::new(reply);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-generation-id", id);
    }
    if compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert("x-openrouter-provider", HeaderValue::from_static(host.name));
    headers.insert(
        "x-openrouter-account",
        HeaderValue::from_static("operator@sim.example"),
    );
    headers.insert(
        "set-cookie",
        HeaderValue::from_static("__sim=user_2SimOperator; HttpOnly"),
    );
    headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
    response
}

fn error_in_200(call: OpenCall, stream: bool) -> Response<Reply> {
    let body = json!({"error": error::provider_failed(), "user_id": "user_2SimOperator"});
    if stream {
        let events = format!(": OPENROUTER PROCESSING\n\ndata: {body}\n\n");
        return whole(call, 200, EVENTS, events);
    }
    whole(call, 200, JSON, body.to_string())
}

fn text_hash(chat: &Chat) -> u64 {
    hash(format!("{}\n{}", chat.slug, chat.last_user_text).as_bytes())
}
