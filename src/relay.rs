//! Relays a streamed answer while metering it. The task reads the provider and writes the caller's
//! stream itself, so that a caller who leaves does not end the metering.

use std::pin::pin;

use futures_util::StreamExt;
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::money::Nanos;
use tollgate_core::openrouter::{Closing, Seen, Transcript, cut_off, is_insured};
use tollgate_core::settlement::{Outcome, ResolutionFacts};
use tollgate_core::usage::Usage;
use worker::js_sys::Uint8Array;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{ReadableStream, TransformStream, WritableStreamDefaultWriter};
use worker::{AbortController, ByteStream, Response, ResponseBuilder};

use crate::clock::{Timer, now_ms};
use crate::completion::{Responder, report};
use crate::gateway::Gateway;
use crate::lease::{Lease, LeaseLost};
use crate::live_call::{Ending, LiveCall};
use crate::log;
use crate::provider::Head;
use crate::respond::{self, Refused};

/// How often a pending write looks whether its caller is still there, in milliseconds.
const LOOK_UP_MS: i64 = 500;

/// Relays the answer to its end, or to the caller's, and says how it ended.
pub async fn relay(
    call: &LiveCall<'_>,
    lease: &mut Lease<'_>,
    head: Head,
    (responder, abort): (Responder, AbortController),
) -> Ending {
    let mut caller = Caller::Waiting(responder);
    let mut stream = match head.stream() {
        Ok(stream) => stream,
        Err(fault) => {
            abort.abort();
            log::fault(call.gateway, "stream", &fault);
            caller
                .fail(call, lease, (&ErrorCode::Internal.into(), ""))
                .await;
            let outcome = call.look_up(lease, Outcome::NotSent).await;
            return Ending {
                outcome,
                ..Ending::not_sent(Some(ErrorCode::Internal))
            };
        }
    };
    let mut transcript = Transcript::new(
        call.admitted.request.generation_id(),
        call.admitted.ask.model.clone(),
        call.admitted.ask.now_ms,
    );
    let mut first_byte_ms = None;
    let mut timer = Timer::default();
    let broken = loop {
        match next(call, lease, (&mut stream, &mut timer)).await {
            Next::Bytes(bytes) => {
                first_byte_ms.get_or_insert_with(|| call.gateway.elapsed_ms());
                let out = transcript.push(&bytes);
                let seen = transcript.seen();
                if let Some(id) = &seen.provider_id {
                    lease.note_provider_id(id);
                }
                if let Err(error) = caller.write(call, lease, &out).await {
                    break Some(error);
                }
                // The caller need not wait for the rest, which is read for its usage only.
                if let Some(fault) = &seen.fault {
                    let last = transcript.close(closing(call, Some(fault), None));
                    caller.fail(call, lease, (fault, &last)).await;
                }
                if seen.done {
                    break None;
                }
            }
            Next::End => break None,
            Next::Broken(error) => break Some(error),
        }
    };
    if let Some(reason) = broken {
        abort.abort();
        transcript.give_up(reason);
    }
    transcript.end();
    close(call, lease, (&transcript, first_byte_ms), caller).await
}

enum Next {
    Bytes(Vec<u8>),
    End,
    Broken(ApiError),
}

async fn next(
    call: &LiveCall<'_>,
    lease: &mut Lease<'_>,
    (stream, timer): (&mut ByteStream, &mut Timer),
) -> Next {
    let end_ms = now_ms() + call.gateway.config.provider_timeout_ms;
    match lease.keep(timer.until(end_ms, stream.next())).await {
        Ok(Some(Some(Ok(bytes)))) => Next::Bytes(bytes),
        Ok(Some(None)) => Next::End,
        Ok(Some(Some(Err(fault)))) => {
            log::fault(call.gateway, "stream", &fault);
            Next::Broken(cut_off())
        }
        Ok(None) => Next::Broken(ErrorCode::ProviderTimeout.into()),
        Err(LeaseLost) => Next::Broken(ErrorCode::Internal.into()),
    }
}

/// Finds out what the call cost, ends the caller's stream with it, and says how the call ended.
async fn close(
    call: &LiveCall<'_>,
    lease: &mut Lease<'_>,
    (transcript, first_byte_ms): (&Transcript, Option<i64>),
    mut caller: Caller,
) -> Ending {
    let seen = transcript.seen();
    if let Some(failure) = &seen.failure {
        report(call.gateway, failure);
    }
    let fault = seen.fault.as_ref();
    let outcome = outcome_of(call, lease, seen).await;
    let charge = call.charge(&outcome);
    let usage = outcome.usage().filter(|_| call.request.include_usage);
    let last = transcript.close(closing(call, fault, usage.map(|usage| (usage, charge))));
    match fault {
        Some(fault) => caller.fail(call, lease, (fault, &last)).await,
        None => caller.end(call, lease, &last).await,
    }
    Ending {
        outcome,
        facts: ResolutionFacts {
            status: Some(caller.status()),
            error_code: fault.map(|fault| fault.code.row().code),
            finish_reason: seen.finish_reason.clone(),
            provider_id: lease.provider_id().map(str::to_owned),
            first_byte_ms,
            ..ResolutionFacts::default()
        },
    }
}

fn closing<'a>(
    call: &'a LiveCall<'_>,
    fault: Option<&'a ApiError>,
    usage: Option<(&'a Usage, Nanos)>,
) -> Closing<'a> {
    Closing {
        usage,
        fault,
        request_id: &call.request_id,
        docs_url: &call.gateway.config.docs_url,
    }
}

async fn outcome_of(call: &LiveCall<'_>, lease: &mut Lease<'_>, seen: &Seen) -> Outcome {
    let insured = is_insured(seen.finish_reason.as_deref(), seen.usage.as_ref());
    if let Some(usage) = seen.usage.filter(|_| !insured) {
        return Outcome::Exact(call.complete_usage(usage));
    }
    let nothing_billed = insured || seen.failure.is_some() || seen.visible_tokens == 0;
    let fallback = if nothing_billed {
        Outcome::NotSent
    } else {
        Outcome::AtLeast(call.request.estimated_usage(seen.visible_tokens))
    };
    call.look_up(lease, fallback).await
}

fn event_stream(call: &LiveCall<'_>, readable: ReadableStream) -> Result<Response, Refused> {
    let headers = respond::headers(call.gateway, "text/event-stream", &call.headers())
        .map_err(|_| ApiError::new(ErrorCode::Internal))?;
    Ok(ResponseBuilder::new()
        .with_headers(headers)
        .stream(readable))
}

/// How far the caller's response is. It begins with the first bytes for the caller, so that a
/// provider that fails before them becomes an error with a status of its own.
enum Caller {
    /// Nothing was sent.
    Waiting(Responder),
    /// The stream is open.
    Reading(CallerStream),
    /// Everything was told, with this status; or the caller has left.
    Told(u16),
}

impl Caller {
    /// Writes to the caller, and waits until it has taken it.
    async fn write(
        &mut self,
        call: &LiveCall<'_>,
        lease: &mut Lease<'_>,
        text: &str,
    ) -> Result<(), ApiError> {
        if text.is_empty() {
            return Ok(());
        }
        self.begin(call);
        let Self::Reading(stream) = self else {
            return Ok(());
        };
        match lease.keep(stream.write(call.gateway, text)).await {
            Ok(Written::Taken) => Ok(()),
            Ok(Written::Left) => {
                *self = Self::Told(200);
                Ok(())
            }
            // Nobody reads: the provider need not go on either.
            Ok(Written::Stalled) => {
                *self = Self::Told(200);
                Err(cut_off())
            }
            Err(LeaseLost) => Err(ErrorCode::Internal.into()),
        }
    }

    /// Writes the end and closes the stream. What was relayed is charged whether or not the caller
    /// takes the end of it.
    async fn end(&mut self, call: &LiveCall<'_>, lease: &mut Lease<'_>, last: &str) {
        let _ = self.write(call, lease, last).await;
        if let Self::Reading(stream) = self {
            let _ = lease.keep(stream.close()).await;
            *self = Self::Told(200);
        }
    }

    /// Tells an error: as the response, or in the stream if that has begun.
    async fn fail(
        &mut self,
        call: &LiveCall<'_>,
        lease: &mut Lease<'_>,
        (error, last): (&ApiError, &str),
    ) {
        match std::mem::replace(self, Self::Told(error.status())) {
            Self::Waiting(responder) => call.refuse(responder, error.clone()),
            Self::Reading(stream) => {
                *self = Self::Reading(stream);
                self.end(call, lease, last).await;
            }
            told @ Self::Told(_) => *self = told,
        }
    }

    const fn status(&self) -> u16 {
        match self {
            Self::Waiting(_) | Self::Reading(_) => 200,
            Self::Told(status) => *status,
        }
    }

    fn begin(&mut self, call: &LiveCall<'_>) {
        if !matches!(self, Self::Waiting(_)) {
            return;
        }
        let Self::Waiting(responder) = std::mem::replace(self, Self::Told(200)) else {
            return;
        };
        match CallerStream::open(call.gateway) {
            Ok((stream, readable)) => {
                if responder.send(event_stream(call, readable)).is_ok() {
                    *self = Self::Reading(stream);
                }
            }
            Err(fault) => {
                log::fault(call.gateway, "stream", &fault);
                call.refuse(responder, ErrorCode::Internal.into());
                *self = Self::Told(ErrorCode::Internal.row().status);
            }
        }
    }
}

/// What became of a write.
enum Written {
    /// The caller has it.
    Taken,
    /// The caller has left.
    Left,
    /// The caller took nothing for too long.
    Stalled,
}

/// The writing end of the caller's response.
struct CallerStream {
    writer: WritableStreamDefaultWriter,
    timeout_ms: i64,
    timer: Timer,
}

impl CallerStream {
    fn open(gateway: &Gateway) -> worker::Result<(Self, ReadableStream)> {
        let pipe = TransformStream::new()?;
        let writer = pipe.writable().get_writer()?;
        let timeout_ms = gateway.config.reader_timeout_ms;
        let stream = Self {
            writer,
            timeout_ms,
            timer: Timer::default(),
        };
        Ok((stream, pipe.readable()))
    }

    /// Writes, and waits until the caller has taken it. A write to a caller who left may stay
    /// pending for ever, so the wait looks up now and then.
    async fn write(&mut self, gateway: &Gateway, text: &str) -> Written {
        let chunk: JsValue = Uint8Array::from(text.as_bytes()).into();
        let mut write = pin!(JsFuture::from(self.writer.write_with_chunk(&chunk)));
        let end_ms = now_ms() + self.timeout_ms;
        loop {
            let look_up_ms = end_ms.min(now_ms() + LOOK_UP_MS);
            match self.timer.until(look_up_ms, write.as_mut()).await {
                Some(Ok(_)) => return Written::Taken,
                Some(Err(_)) => return Written::Left,
                None if gateway.caller_left() => return Written::Left,
                None if now_ms() >= end_ms => return Written::Stalled,
                None => {}
            }
        }
    }

    async fn close(&mut self) {
        let closed = JsFuture::from(self.writer.close());
        let _ = self.timer.until(now_ms() + LOOK_UP_MS, closed).await;
    }
}
