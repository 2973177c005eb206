//! One-shot answers: read whole, priced, told with their charge.

use std::borrow::Cow;

use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::openrouter::{Answer, AnswerFault, cut_off, read_answer};
use tollgate_core::settlement::{Outcome, ResolutionFacts};
use worker::AbortController;

use crate::clock::within_ms;
use crate::completion::{Responder, report};
use crate::lease::{Lease, LeaseLost};
use crate::live_call::{Ending, LiveCall};
use crate::log;
use crate::provider::{BodyFault, Head};
use crate::respond;

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Reads the answer, tells it to the caller, and says how the call ended.
pub async fn one_shot(
    call: &LiveCall<'_>,
    lease: &mut Lease<'_>,
    mut head: Head,
    (responder, abort): (Responder, AbortController),
) -> Ending {
    let timeout_ms = call.gateway.config.provider_timeout_ms;
    let read = lease
        .keep(within_ms(timeout_ms, head.body(MAX_ANSWER_BYTES)))
        .await;
    let first_byte_ms = Some(call.gateway.elapsed_ms());
    let body = match read {
        Ok(Some(Ok(body))) => Ok(body),
        Ok(Some(Err(fault))) => {
            log::fault(call.gateway, "answer", &fault);
            Err(explain_cut(&fault))
        }
        Ok(None) => Err(ErrorCode::ProviderTimeout.into()),
        Err(LeaseLost) => Err(ErrorCode::Internal.into()),
    };
    let body = match body {
        Ok(body) => body,
        Err(error) => {
            abort.abort();
            return fail(call, lease, responder, error).await;
        }
    };
    let answer = match read_answer(&body) {
        Ok(answer) => answer,
        Err(fault) => {
            if let AnswerFault::Provider(failure) = &fault {
                report(call.gateway, failure);
            }
            return fail(call, lease, responder, fault.into_error()).await;
        }
    };
    if let Some(id) = &answer.provider_id {
        lease.note_provider_id(id);
    }
    let outcome = outcome_of(call, lease, &answer).await;
    respond(call, responder, &answer, &outcome);
    Ending {
        outcome,
        facts: ResolutionFacts {
            status: Some(200),
            finish_reason: answer.finish_reason.map(Cow::into_owned),
            provider_id: lease.provider_id().map(str::to_owned),
            first_byte_ms,
            ..ResolutionFacts::default()
        },
    }
}

async fn outcome_of(call: &LiveCall<'_>, lease: &mut Lease<'_>, answer: &Answer<'_>) -> Outcome {
    if let Some(usage) = answer.usage {
        return Outcome::Exact(call.complete_usage(usage));
    }
    let estimate = call.request.estimated_usage(answer.visible_tokens);
    call.look_up(lease, Outcome::AtLeast(estimate)).await
}

fn respond(call: &LiveCall<'_>, responder: Responder, answer: &Answer<'_>, outcome: &Outcome) {
    let charge = call.charge(outcome);
    let usage = outcome.usage().map(|usage| (usage, charge));
    let body = answer.to_caller(&call.admitted.request.generation_id(), usage);
    let mut headers = call.headers();
    headers.push(("x-tollgate-charge", charge.to_usd()));
    let response = respond::json(call.gateway, body, &headers);
    let response = response.map_err(|_| ApiError::new(ErrorCode::Internal).into());
    drop(responder.send(response));
}

/// Tells the caller the error at once, and then finds out what the call cost. Without a record
/// nothing of an answer was given, so nothing is charged for it.
async fn fail(
    call: &LiveCall<'_>,
    lease: &mut Lease<'_>,
    responder: Responder,
    error: ApiError,
) -> Ending {
    let mut ending = Ending::not_sent(Some(error.code));
    call.refuse(responder, error);
    ending.outcome = call.look_up(lease, Outcome::NotSent).await;
    ending.facts.provider_id = lease.provider_id().map(str::to_owned);
    ending
}

fn explain_cut(fault: &BodyFault) -> ApiError {
    match fault {
        BodyFault::TooLarge => ErrorCode::AnswerTooLarge.into(),
        BodyFault::Cut(_) => cut_off(),
    }
}
