//! One-shot answers: read whole, priced, told with their charge.

use std::borrow::Cow;

use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::openrouter::{Answer, AnswerFault, cut_off, is_insured, read_answer};
use tollgate_core::settlement::{Outcome, ResolutionFacts};
use tollgate_edge::clock::within_ms;
use worker::AbortController;

use crate::completion::{Responder, report};
use crate::departure::{Gone, unless_gone};
use crate::lease::{Lease, LeaseLost};
use crate::live_call::{Bill, Ending, LiveCall};
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
        .keep(unless_gone(
            call.gateway,
            within_ms(timeout_ms, head.body(MAX_ANSWER_BYTES)),
        ))
        .await;
    let first_byte_ms = Some(call.gateway.elapsed_ms());
    let body = match read {
        Ok(Err(Gone)) => Err(cut_off()),
        Ok(Ok(Some(Ok(body)))) => Ok(body),
        Ok(Ok(Some(Err(fault)))) => {
            log::fault(call.gateway, "answer", &fault);
            Err(explain_cut(&fault))
        }
        Ok(Ok(None)) => Err(ErrorCode::ProviderTimeout.into()),
        Err(LeaseLost) => Err(ErrorCode::Internal.into()),
    };
    let body = match body {
        Ok(body) => body,
        Err(error) => {
            abort.abort();
            let fallback = call.unanswered(lease);
            return fail(call, lease, (responder, error), fallback).await;
        }
    };
    let answer = match read_answer(&body) {
        Ok(answer) => answer,
        Err(fault) => {
            // A failure that the provider tells is one that it does not bill.
            let fallback = if let AnswerFault::Provider(failure) = &fault {
                report(call.gateway, failure);
                Outcome::NotSent
            } else {
                call.unanswered(lease)
            };
            return fail(call, lease, (responder, fault.into_error()), fallback).await;
        }
    };
    if let Some(id) = &answer.provider_id {
        lease.note_provider_id(id);
    }
    let bill = bill_of(call, lease, &answer).await;
    respond(call, lease, responder, (&answer, &bill.outcome));
    Ending {
        outcome: bill.outcome,
        facts: ResolutionFacts {
            reported_cost: bill.reported_cost,
            status: Some(200),
            finish_reason: answer.finish_reason.map(Cow::into_owned),
            provider_id: lease.provider_id().map(str::to_owned),
            first_byte_ms,
            ..ResolutionFacts::default()
        },
    }
}

async fn bill_of(call: &LiveCall<'_>, lease: &mut Lease<'_>, answer: &Answer<'_>) -> Bill {
    if let Some(usage) = answer.usage {
        let insured = is_insured(answer.finish_reason.as_deref(), Some(&usage));
        return Bill {
            outcome: if insured {
                Outcome::NotSent
            } else {
                Outcome::Exact(call.complete_usage(usage))
            },
            reported_cost: answer.reported_cost,
        };
    }
    let estimate = call.request.estimated_usage(answer.visible_tokens);
    call.look_up(lease, Outcome::AtLeast(estimate)).await
}

fn respond(
    call: &LiveCall<'_>,
    lease: &Lease<'_>,
    responder: Responder,
    (answer, outcome): (&Answer<'_>, &Outcome),
) {
    let charge = call.charge(outcome, lease);
    let usage = outcome.usage().map(|usage| (usage, charge));
    let body = answer.to_caller(&call.admitted.request.generation_id(), usage);
    let mut headers = call.headers();
    headers.push(("x-tollgate-charge", charge.to_usd()));
    let response = respond::json(call.gateway, body, &headers);
    let response = response.map_err(|_| ApiError::new(ErrorCode::Internal).into());
    drop(responder.send(response));
}

/// Tells the caller the error at once, and then finds out what the call cost.
async fn fail(
    call: &LiveCall<'_>,
    lease: &mut Lease<'_>,
    (responder, error): (Responder, ApiError),
    fallback: Outcome,
) -> Ending {
    let mut ending = Ending::not_sent(Some(error.code));
    call.refuse(responder, error);
    ending = ending.billed(call.look_up(lease, fallback).await);
    ending.facts.provider_id = lease.provider_id().map(str::to_owned);
    ending
}

fn explain_cut(fault: &BodyFault) -> ApiError {
    match fault {
        BodyFault::TooLarge => ErrorCode::AnswerTooLarge.into(),
        BodyFault::Cut(_) => cut_off(),
    }
}
