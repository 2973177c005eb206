//! One chat completion, from the request to its settlement:
//! `parse → authenticate → price → admit → dispatch → relay while metering → settle`.
//!
//! The call is a task of its own that outlives its caller: whoever leaves, it settles. Once
//! `admit` has taken the hold, nothing returns early: every path becomes an `Ending` and meets the
//! one `settle`.

use std::rc::Rc;

use futures_channel::oneshot;
use tollgate_core::call::Wanted;
use tollgate_core::catalogue::Dimension;
use tollgate_core::chat::{self, ChatRequest};
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::key::KeyHash;
use tollgate_core::money::{Nanos, Picos};
use tollgate_core::openrouter::{
    Answer, AnswerFault, Cause, Failure, MaxPrice, failure, read_answer,
};
use tollgate_core::settlement::{Outcome, ResolutionFacts};
use tollgate_core::usage::Usage;
use worker::{AbortController, AbortSignal, Request, Response};

use crate::admit::{Admitted, admit};
use crate::authenticate::authenticate;
use crate::body::read_json;
use crate::clock::{now_ms, sleep_ms, within_ms};
use crate::gateway::Gateway;
use crate::lease::{Lease, LeaseLost};
use crate::log;
use crate::provider::{BodyFault, Head, NoAnswer};
use crate::relay::relay;
use crate::respond::{self, Extra, Refused};
use crate::settle::{resolution, settle};

/// The largest one-shot answer that is read.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// How often a call is sent at most; only what the provider surely did not begin is sent again.
const MAX_DISPATCHES: u32 = 3;

/// How the caller gets its response: once, and perhaps it has left.
pub type Responder = oneshot::Sender<Result<Response, Refused>>;

/// How an admitted call ended.
#[derive(Debug)]
pub struct Ending {
    /// What is known of its usage.
    pub outcome: Outcome,
    /// What the log keeps of it.
    pub facts: ResolutionFacts,
}

/// Answers `POST chat/completions`.
pub async fn answer(gateway: &Rc<Gateway>, mut request: Request) -> Result<Response, Refused> {
    let hash = authenticate(request.headers())?;
    let body = read_json(&mut request).await?;
    let (responder, response) = oneshot::channel();
    let task = complete(gateway.clone(), hash, body, responder);
    gateway.run_beyond_response(task);
    // A task that panicked drops its end; its hold is the sweep's then.
    response
        .await
        .unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
}

async fn complete(gateway: Rc<Gateway>, hash: KeyHash, body: Vec<u8>, responder: Responder) {
    let priced = match chat::parse(&body) {
        Ok(request) => admit(&gateway, hash, wanted(&request))
            .await
            .map(|hold| (request, hold)),
        Err(error) => Err(error.into()),
    };
    let (request, admitted) = match priced {
        Ok(priced) => priced,
        Err(refused) => return drop(responder.send(Err(refused))),
    };
    let ending = if responder.is_canceled() {
        Ending::not_sent(None)
    } else {
        carry_out(&gateway, &admitted, &request, responder).await
    };
    let mut resolution = resolution(&admitted, ending.outcome, ending.facts);
    resolution.facts.resolved_at_ms = now_ms();
    resolution.facts.total_ms = Some(gateway.elapsed_ms());
    let resolved = settle(&gateway, &resolution).await;
    if resolution.shortfall > Nanos::ZERO {
        let nanos = serde_json::json!({ "shortfall_nanos": resolution.shortfall.get() });
        log::alarm(&gateway, "a call cost more than its hold", &nanos);
    }
    log::settled(&gateway, &admitted, &resolution, resolved);
}

fn wanted(request: &ChatRequest<'_>) -> Wanted {
    Wanted {
        model: request.model.clone().into_owned(),
        streamed: request.stream,
        max_tokens: request.max_tokens,
        text_tokens: request.text_tokens,
        prompt_estimate: request.prompt_estimate,
        images: request.images,
        hour_cache: request.hour_cache,
    }
}

async fn carry_out(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &ChatRequest<'_>,
    responder: Responder,
) -> Ending {
    let account = admitted.snapshot.key.account.clone();
    let mut lease = Lease::new(
        gateway,
        admitted.request,
        account,
        admitted.ask.lease_until_ms,
    );
    let abort = AbortController::default();
    let sent_ms = now_ms();
    let dispatched = lease
        .keep(dispatch(gateway, admitted, request, &abort.signal()))
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
            Ending::not_sent(Some(ErrorCode::Internal))
        }
        Ok(Err(error)) => {
            abort.abort();
            let code = error.code;
            call.refuse(responder, error);
            Ending::not_sent(Some(code))
        }
        Ok(Ok(head)) => {
            if let Some(id) = &head.provider_id {
                lease.note_provider_id(id);
            }
            if request.stream {
                relay(&call, &mut lease, head, (responder, abort)).await
            } else {
                call.one_shot(&mut lease, head, (responder, abort)).await
            }
        }
    }
}

/// Sends the call until an answer begins. By the provider's terms an answer that never begins and
/// an answer with an error status are not billed (`openrouter`), so an error here means `NotSent`.
async fn dispatch(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &ChatRequest<'_>,
    signal: &AbortSignal,
) -> Result<Head, ApiError> {
    let account = admitted.snapshot.key.account.as_str();
    let body = request.upstream_body(admitted.call.max_tokens, &max_price(admitted), account);
    let mut attempt = 1;
    loop {
        let (error, may_retry) = match gateway
            .provider
            .complete(&body, request.stream, signal)
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
                explain_silence(&fault)
            }
        };
        if !may_retry || attempt == MAX_DISPATCHES {
            return Err(error);
        }
        sleep_ms(100 << attempt).await;
        attempt += 1;
    }
}

/// What to tell the caller, and whether the call was surely not sent.
fn explain_silence(fault: &NoAnswer) -> (ApiError, bool) {
    match fault {
        NoAnswer::NotConnected(_) => (ErrorCode::ProviderUnavailable.into(), true),
        NoAnswer::Dropped(_) => (ErrorCode::ProviderUnavailable.into(), false),
        NoAnswer::TimedOut => (ErrorCode::ProviderTimeout.into(), false),
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
        let cause = serde_json::json!({ "cause": failure.cause.as_str() });
        log::alarm(
            gateway,
            "the provider refuses the operator's account",
            &cause,
        );
    }
}

impl Ending {
    /// A call that the provider does not bill.
    pub fn not_sent(code: Option<ErrorCode>) -> Self {
        let facts = ResolutionFacts {
            status: code.map(|code| code.row().status),
            error_code: code.map(|code| code.row().code),
            ..ResolutionFacts::default()
        };
        Self {
            outcome: Outcome::NotSent,
            facts,
        }
    }
}

/// A call whose answer has begun.
#[derive(Debug)]
pub struct LiveCall<'a> {
    /// The surroundings.
    pub gateway: &'a Gateway,
    /// The hold and the prices.
    pub admitted: &'a Admitted,
    /// The request.
    pub request: &'a ChatRequest<'a>,
    /// The call's id as the caller knows it.
    pub request_id: String,
}

impl LiveCall<'_> {
    /// Tells the caller an error; whether it is still there does not matter.
    pub fn refuse(&self, responder: Responder, error: ApiError) {
        let headers = self.admitted.rate_limit_headers();
        drop(responder.send(Err(Refused { error, headers })));
    }

    /// The headers of an answer.
    pub fn headers(&self) -> Extra {
        let mut headers = self.admitted.rate_limit_headers();
        if self.request.max_tokens.is_none() {
            headers.push((
                "x-tollgate-max-tokens",
                self.admitted.call.max_tokens.to_string(),
            ));
        }
        headers
    }

    /// The provider's usage, with what only the request tells.
    pub fn complete_usage(&self, usage: Usage) -> Usage {
        Usage {
            images: self.request.images,
            hour_cache: self.request.hour_cache,
            ..usage
        }
    }

    /// What is charged when the provider reported nothing: its own record, or else `fallback`. The
    /// record may take a moment to appear.
    pub async fn look_up(&self, lease: &mut Lease<'_>, fallback: Outcome) -> Outcome {
        const PAUSES_MS: [i64; 4] = [0, 200, 600, 1_500];
        let Some(provider_id) = lease.provider_id().map(str::to_owned) else {
            return fallback;
        };
        for pause_ms in PAUSES_MS {
            let read = async {
                sleep_ms(pause_ms).await;
                self.gateway.provider.record(&provider_id).await
            };
            match lease.keep(read).await {
                Err(LeaseLost) => return fallback,
                Ok(Some(body)) => {
                    let usage = tollgate_core::openrouter::billed_usage(&body);
                    if let Some(outcome) = usage {
                        return outcome.map_usage(|usage| self.complete_usage(usage));
                    }
                }
                Ok(None) => {}
            }
        }
        fallback
    }

    async fn one_shot(
        &self,
        lease: &mut Lease<'_>,
        mut head: Head,
        (responder, abort): (Responder, AbortController),
    ) -> Ending {
        let timeout_ms = self.gateway.config.provider_timeout_ms;
        let read = lease
            .keep(within_ms(timeout_ms, head.body(MAX_ANSWER_BYTES)))
            .await;
        let first_byte_ms = Some(self.gateway.elapsed_ms());
        let body = match read {
            Ok(Some(Ok(body))) => body,
            Ok(Some(Err(fault))) => {
                abort.abort();
                log::fault(self.gateway, "answer", &fault);
                return self.fail(lease, responder, explain_cut(&fault)).await;
            }
            Ok(None) => {
                abort.abort();
                return self
                    .fail(lease, responder, ErrorCode::ProviderTimeout.into())
                    .await;
            }
            Err(LeaseLost) => {
                abort.abort();
                return self
                    .fail(lease, responder, ErrorCode::Internal.into())
                    .await;
            }
        };
        let answer = match read_answer(&body) {
            Ok(answer) => answer,
            Err(fault) => {
                if let AnswerFault::Provider(failure) = &fault {
                    report(self.gateway, failure);
                }
                return self.fail(lease, responder, fault.into_error()).await;
            }
        };
        if let Some(id) = &answer.provider_id {
            lease.note_provider_id(id);
        }
        let outcome = self.outcome_of(lease, &answer).await;
        self.respond(responder, &answer, &outcome);
        Ending {
            outcome,
            facts: ResolutionFacts {
                status: Some(200),
                finish_reason: answer.finish_reason.map(std::borrow::Cow::into_owned),
                provider_id: lease.provider_id().map(str::to_owned),
                first_byte_ms,
                ..ResolutionFacts::default()
            },
        }
    }

    async fn outcome_of(&self, lease: &mut Lease<'_>, answer: &Answer<'_>) -> Outcome {
        if let Some(usage) = answer.usage {
            return Outcome::Exact(self.complete_usage(usage));
        }
        let estimate = self.request.estimated_usage(answer.visible_bytes);
        self.look_up(lease, Outcome::AtLeast(estimate)).await
    }

    fn respond(&self, responder: Responder, answer: &Answer<'_>, outcome: &Outcome) {
        let charge = self
            .admitted
            .call
            .price(outcome)
            .charges
            .first()
            .copied()
            .unwrap_or_default();
        let usage = outcome.usage().map(|usage| (usage, charge));
        let body = answer.to_caller(&self.admitted.request.generation_id(), usage);
        let mut headers = self.headers();
        headers.push(("x-tollgate-charge", charge.to_usd()));
        let response = respond::json(self.gateway, body, &headers);
        let response = response.map_err(|_| ApiError::new(ErrorCode::Internal).into());
        drop(responder.send(response));
    }

    /// Tells the caller the error at once, and then finds out what the call cost. Without a record
    /// nothing of an answer was given, so nothing is charged for it.
    async fn fail(&self, lease: &mut Lease<'_>, responder: Responder, error: ApiError) -> Ending {
        let code = error.code;
        self.refuse(responder, error);
        let outcome = self.look_up(lease, Outcome::NotSent).await;
        let mut ending = Ending::not_sent(Some(code));
        ending.outcome = outcome;
        ending.facts.provider_id = lease.provider_id().map(str::to_owned);
        ending
    }
}

fn explain_cut(fault: &BodyFault) -> ApiError {
    match fault {
        BodyFault::TooLarge => ErrorCode::AnswerTooLarge.into(),
        BodyFault::Cut(_) => tollgate_core::openrouter::cut_off(),
    }
}
