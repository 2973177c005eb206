//! One chat completion, from the request to its settlement:
//! `parse → authenticate → price → admit → dispatch → relay while metering → settle`.
//!
//! The call is a task of its own that outlives its caller: whoever leaves, it settles. Once
//! `admit` has taken the hold, nothing returns early: every path becomes an `Ending` and meets the
//! one `settle`.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::select;
use tollgate_core::admission::Idempotency;
use tollgate_core::alarm::{Alarm, AlarmKind};
use tollgate_core::call::Wanted;
use tollgate_core::catalogue::Dimension;
use tollgate_core::chat::{self, ChatRequest};
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::key::KeyHash;
use tollgate_core::money::{Nanos, Picos};
use tollgate_core::openrouter::{Cause, Failure, MaxPrice, failure};
use tollgate_core::settlement::Resolution;
use tollgate_edge::clock::{now_ms, sleep_ms};
use worker::{AbortController, AbortSignal, Headers, Request, Response};

use crate::admit::{Admitted, admit};
use crate::alarm;
use crate::authenticate::authenticate;
use crate::body::{Body, read_json};
use crate::departure::{Gone, gone_for, unless_gone};
use crate::gateway::Gateway;
use crate::lease::{Lease, LeaseLost};
use crate::live_call::{Ending, LiveCall};
use crate::log;
use crate::one_shot::one_shot;
use crate::provider::{Head, NoAnswer};
use crate::relay::relay;
use crate::respond::Refused;
use crate::settle::settle;

/// How often a call is sent at most; only what the provider surely did not begin is sent again.
const MAX_DISPATCHES: u32 = 3;

/// How the caller gets its response: once, and perhaps it has left.
pub type Responder = oneshot::Sender<Result<Response, Refused>>;

/// Answers `POST chat/completions`.
pub async fn answer(gateway: &Rc<Gateway>, mut request: Request) -> Result<Response, Refused> {
    let hash = authenticate(request.headers())?;
    let idempotency_key = idempotency_key(request.headers());
    let body = read_json(gateway, &hash, &mut request).await?;
    let idempotency = idempotency_key
        .map(|key| Idempotency::parse(&key, &body))
        .transpose()?;
    let (responder, response) = oneshot::channel();
    let task = complete(gateway.clone(), (hash, idempotency), body, responder);
    gateway.run_beyond_response(dropped_as_in_production(gateway.clone(), task));
    // A task that panicked drops its end; its hold is the sweep's then.
    response
        .await
        .unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
}

fn idempotency_key(headers: &Headers) -> Option<String> {
    headers.get("idempotency-key").ok().flatten()
}

/// Runs the task; where a test says so, drops it some time after the caller left.
async fn dropped_as_in_production(gateway: Rc<Gateway>, task: impl Future<Output = ()>) {
    match gateway.config.stop_after_leaving_ms {
        None => task.await,
        Some(ms) => {
            select(pin!(task), pin!(gone_for(&gateway, ms))).await;
        }
    }
}

async fn complete(
    gateway: Rc<Gateway>,
    (hash, idempotency): (KeyHash, Option<Idempotency>),
    body: Body,
    responder: Responder,
) {
    let priced = match chat::parse(&body) {
        Ok(request) => admit(&gateway, hash, wanted(&gateway, &request, idempotency))
            .await
            .map(|hold| (request, hold)),
        Err(error) => Err(error.into()),
    };
    let (request, admitted) = match priced {
        Ok(priced) => priced,
        Err(refused) => return drop(responder.send(Err(refused))),
    };
    let mut lease = Lease::new(&gateway, &admitted);
    let ending = if responder.is_canceled() || gateway.caller_left() {
        Ending::not_sent(None)
    } else {
        carry_out(&gateway, (&admitted, &mut lease), &request, responder).await
    };
    let (ask, key) = (&admitted.ask, &admitted.snapshot.key);
    let priced = admitted.call.price(&ending.outcome, lease.held());
    let mut resolution =
        Resolution::of((ask, key), lease.held(), ending.outcome, ending.facts).with_prices(&priced);
    resolution.facts.resolved_at_ms = now_ms();
    resolution.facts.total_ms = Some(gateway.elapsed_ms());
    // An estimate frees the rest of the hold. Whoever leaves in order to be charged by one keeps its
    // credit held until the provider's record is there.
    if resolution.outcome.is_estimate() && gateway.caller_left() && lease.hand_over().await {
        return log::settled(&gateway, &admitted, &resolution, None);
    }
    let resolved = settle(&gateway, &resolution).await;
    if resolved.is_none() {
        let what = "a hold could not be resolved; the sweep will";
        log::alarm(&gateway, what, &serde_json::Value::Null);
    }
    if resolution.shortfall > Nanos::ZERO {
        let nanos = serde_json::json!({ "shortfall_nanos": resolution.shortfall.get() });
        log::alarm(&gateway, "a call cost more than its hold", &nanos);
        let detail = format!(
            "{} cost {} more than its hold",
            admitted.request, resolution.shortfall
        );
        alarm::raise_beyond_response(&gateway, Alarm::for_operator(AlarmKind::Shortfall, detail));
    }
    log::settled(&gateway, &admitted, &resolution, resolved);
}

fn wanted(
    gateway: &Gateway,
    request: &ChatRequest<'_>,
    idempotency: Option<Idempotency>,
) -> Wanted {
    Wanted {
        model: request.model.clone().into_owned(),
        streamed: request.stream,
        max_tokens: request.max_tokens,
        text_tokens: request.text_tokens,
        prompt_estimate: request.prompt_estimate,
        images: request.images,
        hour_cache: request.hour_cache,
        first_portion: gateway.config.first_portion,
        idempotency,
    }
}

async fn carry_out(
    gateway: &Gateway,
    (admitted, lease): (&Admitted, &mut Lease<'_>),
    request: &ChatRequest<'_>,
    responder: Responder,
) -> Ending {
    let abort = AbortController::default();
    let sent_ms = now_ms();
    let dispatched = lease
        .keep(unless_gone(
            gateway,
            dispatch(gateway, admitted, request, &abort.signal()),
        ))
        .await;
    gateway.timings.upstream_ms.set(Some(now_ms() - sent_ms));
    let call = LiveCall {
        gateway,
        admitted,
        request,
        request_id: admitted.request.to_string(),
    };
    match dispatched {
        Err(LeaseLost) => {
            abort.abort();
            call.refuse(responder, ErrorCode::Internal.into());
            Ending {
                outcome: call.unknown(),
                ..Ending::not_sent(Some(ErrorCode::Internal))
            }
        }
        // The provider may go on with what nobody waits for any more.
        Ok(Err(Gone)) => {
            abort.abort();
            Ending {
                outcome: call.unknown(),
                ..Ending::not_sent(None)
            }
        }
        Ok(Ok(Err(silence))) => {
            abort.abort();
            let code = silence.error.code;
            call.refuse(responder, silence.error);
            let mut ending = Ending::not_sent(Some(code));
            if silence.may_be_billed {
                ending.outcome = call.unknown();
            }
            ending
        }
        Ok(Ok(Ok(head))) => {
            if let Some(id) = &head.provider_id {
                lease.note_provider_id(id);
            }
            if request.stream {
                relay(&call, lease, head, (responder, abort)).await
            } else {
                one_shot(&call, lease, head, (responder, abort)).await
            }
        }
    }
}

/// An answer that did not begin.
struct Silence {
    /// What the caller is told.
    error: ApiError,
    /// Whether the provider may have worked all the same.
    may_be_billed: bool,
}

/// Sends the call until an answer begins. OpenRouter does not bill an answer with an error status or
/// without completion tokens ("zero completion insurance",
/// openrouter.ai/docs/features/zero-completion-insurance). It may bill a call that took too long to
/// begin, because only streams can be cancelled.
async fn dispatch(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &ChatRequest<'_>,
    signal: &AbortSignal,
) -> Result<Head, Silence> {
    let account = admitted.snapshot.key.account.as_str();
    let body = request.upstream_body(admitted.call.max_tokens, &max_price(admitted), account);
    let mut attempt = 1;
    loop {
        let (error, may_retry) = match gateway
            .provider
            .complete(&admitted.account, (&body, request.stream), signal)
            .await
        {
            Ok(head) if head.status == 200 => return Ok(head),
            Ok(mut head) => {
                let body = head.failure_body().await;
                let failure = failure(head.status, head.retry_after.as_deref(), &body);
                report(gateway, &failure);
                (failure.error, failure.retry)
            }
            Err(fault) => {
                log::fault(gateway, "dispatch", &fault);
                return Err(Silence::of(&fault));
            }
        };
        if !may_retry || attempt == MAX_DISPATCHES {
            return Err(Silence {
                error,
                may_be_billed: false,
            });
        }
        sleep_ms(100 << attempt).await;
        attempt += 1;
    }
}

impl Silence {
    /// A connection that failed began no answer that anybody could bill; a provider that is slow may
    /// be at work.
    fn of(fault: &NoAnswer) -> Self {
        let (code, may_be_billed) = match fault {
            NoAnswer::Unreachable(_) => (ErrorCode::ProviderUnavailable, false),
            NoAnswer::TimedOut => (ErrorCode::ProviderTimeout, true),
        };
        Self {
            error: code.into(),
            may_be_billed,
        }
    }
}

/// The dearest prices that the hold may be computed from: OpenRouter leaves out what is dearer, and
/// counts conditional prices with it.
fn max_price(admitted: &Admitted) -> MaxPrice {
    let cost = &admitted.call.prices.cost;
    let price = |dimension| cost.dearest(dimension).unwrap_or(Picos::ZERO);
    MaxPrice {
        prompt: price(Dimension::Prompt),
        completion: price(Dimension::Completion),
        request: price(Dimension::Request),
        image: price(Dimension::Image),
    }
}

/// A refused credential or an empty account at the provider stops everybody: the operator must know.
pub fn report(gateway: &Gateway, failure: &Failure) {
    if matches!(failure.cause, Cause::Credential | Cause::Credits) {
        let what = "the provider refuses the operator's account";
        let cause = failure.cause.as_str();
        log::alarm(gateway, what, &serde_json::json!({ "cause": cause }));
        let detail = format!("{what}: {cause}");
        let alarm = Alarm::for_operator(AlarmKind::ProviderRefuses, detail);
        alarm::raise_beyond_response(gateway, alarm);
    }
}
