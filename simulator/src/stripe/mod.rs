//! A stand-in for Stripe under `/stripe`: the calls, the hosted pages and the signed webhooks that
//! selling credit packs takes. This file holds its state and reads its requests; the calls are listed
//! in `endpoints.rs`.

pub mod calls;
pub mod cards;
pub mod cart;
pub mod check;
pub mod checkout;
pub mod control;
pub mod customer;
pub mod dispute;
pub mod endpoints;
pub mod form;
pub mod intents;
pub mod invoice;
pub mod listing;
pub mod method;
pub mod objects;
pub mod outbox;
mod pages;
pub mod parameters;
pub mod payment;
pub mod portal;
pub mod refund;
pub mod refusal;
pub mod sending;
pub mod session;
pub mod setup;
pub mod signature;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION};
use hyper::http::request::Parts;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::World;
use crate::page::{self, HTML};
use crate::record::OpenCall;
use crate::reply::{Dropped, JSON, Reply, plain, whole};
use calls::{Answered, Call};
use checkout::{Deed, Outcome};
use objects::{Cause, Objects};
use outbox::{Outbox, Webhook};

/// The one API version that is played.
pub const VERSION: &str = "2026-10-28.endive";
/// The one secret key that is accepted.
pub const SECRET_KEY: &str = "sk_test_simulator";

/// How Stripe is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It answers with that status and does nothing.
    Status(u16),
    /// It closes the connection and does nothing.
    Close,
    /// It does what it is asked for, and its answer is lost.
    Lose,
}

/// A Stripe that is down.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// How.
    pub how: How,
    /// For how many calls; `u32::MAX` is for all.
    pub left: u32,
}

/// All that the stand-in knows.
#[derive(Debug)]
pub struct State {
    /// The account.
    pub objects: Objects,
    /// The webhooks.
    pub outbox: Outbox,
    /// Whether it is down.
    pub outage: Option<Outage>,
    answered: Answered,
}

impl State {
    fn new() -> Self {
        Self {
            objects: Objects::new(Timestamp::now().as_nanosecond()),
            outbox: Outbox::default(),
            outage: None,
            answered: Answered::default(),
        }
    }

    /// Hands new events to the outbox.
    fn flush(&mut self) {
        for event in std::mem::take(&mut self.objects.fresh) {
            self.outbox.push(&event, Instant::now());
        }
    }

    /// Forgets everything but the webhook.
    fn clear(&mut self) {
        self.outbox.clear();
        let outbox = std::mem::take(&mut self.outbox);
        *self = Self {
            outbox,
            ..Self::new()
        };
    }

    /// How the call that arrives now fails.
    fn fails(&mut self) -> Option<How> {
        let outage = self.outage.as_mut()?;
        let how = outage.how;
        if outage.left != u32::MAX {
            outage.left = outage.left.saturating_sub(1);
        }
        if outage.left == 0 {
            self.outage = None;
        }
        Some(how)
    }
}

/// The stand-in.
#[derive(Debug)]
pub struct Stripe {
    state: Mutex<State>,
    changed: Notify,
}

impl Stripe {
    /// An empty account that delivers to a webhook, or to none.
    #[must_use]
    pub fn new(webhook: Option<Webhook>) -> Self {
        let mut state = State::new();
        state.outbox.webhook = webhook;
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// What it knows. Held for short, never across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves at worst one object unfinished.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until what it knows fulfils `condition`, which is tried whenever something changes.
    pub async fn until(&self, condition: impl Fn(&State) -> bool) {
        loop {
            let changed = self.changed.notified();
            if condition(&self.state()) {
                return;
            }
            changed.await;
        }
    }
}

/// Answers a request whose path is without `/stripe`.
pub fn answer(
    world: &Arc<World>,
    call: OpenCall,
    (head, path): (&Parts, &str),
    body: &Bytes,
) -> Result<Response<Reply>, Dropped> {
    let mut cause = cause(head);
    let answered = if path.starts_with("/v1/") {
        cause.request = Some(format!("req_sim{:011}", call.seq));
        cause.idempotency_key = text(head, "idempotency-key").map(str::to_owned);
        api(&mut world.stripe().state(), call, (head, path, body), cause)
    } else {
        Ok(hosted(
            &mut world.stripe().state(),
            call,
            (head, path, body),
            &cause,
        ))
    };
    world.stripe().changed.notify_waiters();
    answered
}

/// Answers a control request whose path is without `/_sim/stripe`.
pub async fn control(world: &Arc<World>, head: &Parts, path: &str) -> Response<Reply> {
    let query = head.uri.query().unwrap_or_default();
    let call = (head.method.as_str(), path, query);
    let (status, body) = control::answer(world, call, &cause(head)).await;
    plain(status, JSON, body.to_string())
}

fn text(head: &Parts, name: impl hyper::header::AsHeaderName) -> Option<&str> {
    head.headers.get(name)?.to_str().ok()
}

/// A change that no call makes, at this time.
fn cause(head: &Parts) -> Cause {
    let host = text(head, HOST).unwrap_or("127.0.0.1");
    Cause {
        at: Timestamp::now().as_second(),
        origin: format!("http://{host}/stripe"),
        request: None,
        idempotency_key: None,
    }
}

fn api(
    state: &mut State,
    mut open: OpenCall,
    (head, path, body): (&Parts, &str, &Bytes),
    cause: Cause,
) -> Result<Response<Reply>, Dropped> {
    let failure = state.fails();
    match failure {
        Some(How::Status(status)) => {
            return Ok(whole(open, status, JSON, calls::down().to_string()));
        }
        Some(How::Close) => {
            open.finished();
            return Err(Dropped);
        }
        Some(How::Lose) | None => {}
    }
    session::sweep(&mut state.objects, &cause);
    let query = head.uri.query().unwrap_or_default().as_bytes();
    let call = Call {
        method: head.method.as_str(),
        path,
        parameters: if head.method == "POST" { body } else { query },
        authorization: text(head, AUTHORIZATION),
        version: text(head, "stripe-version"),
        content_type: text(head, CONTENT_TYPE),
        cause,
    };
    let answer = calls::answer(&mut state.objects, &mut state.answered, &call);
    state.flush();
    if failure.is_some() {
        open.finished();
        return Err(Dropped);
    }
    let mut response = whole(open, answer.status, JSON, answer.body.to_string());
    let mut tell = |name: &'static str, value: Option<&str>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    };
    tell("request-id", call.cause.request.as_deref());
    tell("stripe-version", Some(VERSION));
    tell("idempotency-key", call.cause.idempotency_key.as_deref());
    tell("original-request", answer.replayed.as_deref());
    tell(
        "idempotent-replayed",
        answer.replayed.is_some().then_some("true"),
    );
    Ok(response)
}

fn hosted(
    state: &mut State,
    mut call: OpenCall,
    (head, path, body): (&Parts, &str, &Bytes),
    cause: &Cause,
) -> Response<Reply> {
    session::sweep(&mut state.objects, cause);
    let (kind, id) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or_default();
    let fields = form::parse(body).unwrap_or_default();
    let objects = &mut state.objects;
    let mut message = None;
    if head.method == "POST" {
        let outcome = match kind {
            "pay" => Deed::read(&fields).and_then(|deed| {
                let tax_percent = form::integer(&fields, "tax_percent").unwrap_or_default();
                checkout::press(objects, id, (deed, tax_percent), cause)
            }),
            "portal" => form::text(&fields, "remove").map(|method| {
                match portal::remove(objects, id, method, cause) {
                    Some(_) => Outcome::Stays("The card is removed."),
                    None => Outcome::Stays("There is no such card."),
                }
            }),
            _ => None,
        };
        match outcome {
            Some(Outcome::Leaves(target)) => {
                state.flush();
                return see_other(call, &target);
            }
            Some(Outcome::Stays(said)) => message = Some(said),
            None => return whole(call, 400, HTML, "no such button"),
        }
    }
    let page = match kind {
        "pay" => pages::checkout(objects, id, message),
        "portal" => pages::portal(objects, id, message),
        "receipt" => pages::receipt(objects, id),
        "invoice" => pages::invoice(objects, id.trim_end_matches("/pdf")),
        _ => None,
    };
    state.flush();
    match page {
        Some(page) => {
            call.answered(200);
            call.finished();
            page::page(200, page.title, &page.content)
        }
        None => whole(call, 404, HTML, "no such page"),
    }
}

fn see_other(call: OpenCall, target: &str) -> Response<Reply> {
    let mut response = whole(call, 303, HTML, Bytes::new());
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(LOCATION, target);
    }
    response
}
