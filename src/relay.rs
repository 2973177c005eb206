//! Relays a streamed answer while metering it. The task reads the provider and writes the caller's
//! stream itself, so that a caller who leaves does not end the metering.

use futures_util::StreamExt;
use tollgate_core::alarm::alarm_of_refusal;
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::openrouter::{Closing, Departure, Seen, Transcript, cut_off, is_insured};
use tollgate_core::settlement::{Outcome, ResolutionFacts};
use tollgate_core::usage::Usage;
use tollgate_edge::clock::{Timer, now_ms};
use worker::{AbortController, ByteStream};

use crate::alarm;
use crate::caller::Caller;
use crate::completion::{Responder, report};
use crate::departure::LOOK_UP_MS;
use crate::lease::{Lease, LeaseLost, Short};
use crate::live_call::{Bill, Ending, LiveCall};
use crate::log;
use crate::provider::Head;

/// Relays the answer to its end, or to the caller's, and says how it ended.
pub async fn relay(
    call: &LiveCall<'_>,
    lease: &mut Lease<'_>,
    head: Head,
    (responder, abort): (Responder, AbortController),
) -> Ending {
    let mut relay = Relay::new(call, responder);
    let stream = match head.stream() {
        Ok(stream) => stream,
        Err(fault) => {
            abort.abort();
            log::fault(call.gateway, "stream", &fault);
            let error = ApiError::new(ErrorCode::Internal);
            relay.caller.fail(call, lease, (&error, "")).await;
            let fallback = call.unanswered(lease);
            let bill = call.look_up(lease, fallback).await;
            return Ending::not_sent(Some(error.code)).billed(bill);
        }
    };
    let end = relay.run(lease, stream).await;
    if !matches!(end, End::Complete) {
        abort.abort();
    }
    match &end {
        End::Complete => relay.transcript.end(),
        End::Broken(reason) => {
            relay.transcript.give_up(reason.clone());
            relay.transcript.end();
        }
        // The gateway ended it; nothing was cut off.
        End::Short(_) | End::Left => {}
    }
    relay.close(lease, &end).await
}

/// A streamed answer on its way.
struct Relay<'a> {
    call: &'a LiveCall<'a>,
    caller: Caller,
    transcript: Transcript,
    first_byte_ms: Option<i64>,
    left_at_ms: Option<i64>,
    /// Whether the whole bound was asked for, because of who answers.
    secured: bool,
}

/// How the provider's stream came to its end.
enum End {
    /// It has ended, or told that it is complete.
    Complete,
    /// The answer failed.
    Broken(ApiError),
    /// The caller's credit is used up.
    Short(Short),
    /// The caller has left, and nothing more is to be learnt or saved by reading on.
    Left,
}

/// What the provider sent next.
enum Next {
    Bytes(Vec<u8>),
    Nothing,
    End(End),
}

impl<'a> Relay<'a> {
    fn new(call: &'a LiveCall<'a>, responder: Responder) -> Self {
        Self {
            call,
            caller: Caller::Waiting(responder),
            transcript: Transcript::new(
                call.admitted.request.generation_id(),
                call.admitted.ask.model.clone(),
                call.admitted.ask.now_ms,
            ),
            first_byte_ms: None,
            left_at_ms: None,
            secured: false,
        }
    }

    async fn run(&mut self, lease: &mut Lease<'_>, mut stream: ByteStream) -> End {
        let mut timer = Timer::default();
        let timeout_ms = self.call.gateway.config.provider_timeout_ms;
        let mut silent_at_ms = now_ms() + timeout_ms;
        loop {
            if self.may_leave() {
                return End::Left;
            }
            match self
                .next(lease, (&mut stream, &mut timer), silent_at_ms)
                .await
            {
                Next::Bytes(bytes) => {
                    silent_at_ms = now_ms() + timeout_ms;
                    if let Err(end) = self.take(lease, &bytes).await {
                        return end;
                    }
                }
                Next::Nothing => {}
                Next::End(end) => return end,
            }
        }
    }

    /// Waits for the provider, but not so long that nobody notices that the caller left.
    async fn next(
        &self,
        lease: &mut Lease<'_>,
        (stream, timer): (&mut ByteStream, &mut Timer),
        silent_at_ms: i64,
    ) -> Next {
        let end_ms = silent_at_ms.min(now_ms() + LOOK_UP_MS);
        match lease.keep(timer.until(end_ms, stream.next())).await {
            Ok(Some(Some(Ok(bytes)))) => Next::Bytes(bytes),
            Ok(Some(None)) => Next::End(End::Complete),
            Ok(Some(Some(Err(fault)))) => {
                log::fault(self.call.gateway, "stream", &fault);
                Next::End(End::Broken(cut_off()))
            }
            Ok(None) if now_ms() < silent_at_ms => Next::Nothing,
            Ok(None) => Next::End(End::Broken(ErrorCode::ProviderTimeout.into())),
            Err(LeaseLost) => Next::End(End::Broken(ErrorCode::Internal.into())),
        }
    }

    /// Relays what the provider sent, once credit is held for it.
    async fn take(&mut self, lease: &mut Lease<'_>, bytes: &[u8]) -> Result<(), End> {
        let call = self.call;
        self.first_byte_ms
            .get_or_insert_with(|| call.gateway.elapsed_ms());
        let out = self.transcript.push(bytes);
        let seen = self.transcript.seen();
        if let Some(id) = &seen.provider_id {
            lease.note_provider_id(id);
        }
        lease.note_tokens(seen.visible_tokens);
        // Usage that comes before the end is a report, not the bill.
        let billed = seen.usage.filter(|_| seen.finish_reason.is_some());
        let counted = seen.usage.map_or(0, |usage| usage.completion_tokens);
        let tokens = billed.map_or(seen.visible_tokens_at_most.max(counted), |_| counted);
        // A host that goes on bills its whole bound, read or not: all of it is held at once.
        let goes_on = seen.departure == Some(Departure::Drain);
        let wanted = if goes_on && !self.secured {
            self.secured = true;
            call.admitted.call.max_tokens
        } else {
            tokens
        };
        if !lease.covers(wanted) {
            let grown = lease.grow((tokens, wanted)).await;
            let grown = grown.map_err(|LeaseLost| End::Broken(ErrorCode::Internal.into()))?;
            // An answer that is complete is billed; it may as well be read.
            if let Err(short) = grown
                && billed.is_none()
            {
                return Err(End::Short(short));
            }
        }
        let written = self.caller.write(call, lease, &out).await;
        written.map_err(End::Broken)?;
        // The caller need not wait for the rest, which is read for its usage only.
        if let Some(fault) = &seen.fault {
            let told = Closing {
                fault: Some(fault),
                ..closing(call)
            };
            let last = self.transcript.close(told);
            self.caller.fail(call, lease, (fault, &last)).await;
        }
        if seen.done {
            return Err(End::Complete);
        }
        Ok(())
    }

    /// Whether a stream whose caller left can be closed: that stops the bill, or the runtime is
    /// about to end this work anyway.
    fn may_leave(&mut self) -> bool {
        if !self.caller.has_left() && !self.call.gateway.caller_left() {
            return false;
        }
        let left_at_ms = *self.left_at_ms.get_or_insert_with(now_ms);
        let over = now_ms() - left_at_ms >= self.call.gateway.config.drain_ms;
        over || self.transcript.seen().departure == Some(Departure::Cancel)
    }

    /// Finds out what the call cost, ends the caller's stream with it, and says how the call ended.
    async fn close(mut self, lease: &mut Lease<'_>, end: &End) -> Ending {
        let call = self.call;
        let seen = self.transcript.seen();
        if let Some(failure) = &seen.failure {
            report(call.gateway, failure);
        }
        let bill = bill_of(call, lease, (seen, end)).await;
        let charge = call.charge(&bill.outcome, lease);
        let usage = bill.outcome.usage();
        let short = match end {
            End::Short(short) => Some(explain(call, short)),
            End::Complete | End::Broken(_) | End::Left => None,
        };
        let nothing = Usage::default();
        let last = self.transcript.close(Closing {
            usage: usage
                .filter(|_| call.request.include_usage)
                .map(|usage| (usage, charge)),
            fault: seen.fault.as_ref(),
            limit: short
                .as_ref()
                .map(|reason| (reason, usage.unwrap_or(&nothing), charge)),
            ..closing(call)
        });
        match &seen.fault {
            Some(fault) => self.caller.fail(call, lease, (fault, &last)).await,
            None => self.caller.end(call, lease, &last).await,
        }
        let ended = seen.fault.as_ref().or(short.as_ref());
        Ending {
            outcome: bill.outcome,
            facts: ResolutionFacts {
                status: Some(self.caller.status()),
                error_code: ended.map(|error| error.code.row().code),
                finish_reason: seen.finish_reason.clone(),
                provider_id: lease.provider_id().map(str::to_owned),
                reported_cost: bill.reported_cost,
                first_byte_ms: self.first_byte_ms,
                ..ResolutionFacts::default()
            },
        }
    }
}

/// What the caller is told when its hold cannot grow; who must know besides is alarmed.
fn explain(call: &LiveCall<'_>, short: &Short) -> ApiError {
    let (refusal, snapshot) = &**short;
    if let Some(alarm) = alarm_of_refusal(refusal, snapshot, now_ms()) {
        alarm::raise_beyond_response(call.gateway, alarm);
    }
    refusal.to_error(call.help())
}

fn closing<'a>(call: &'a LiveCall<'_>) -> Closing<'a> {
    Closing {
        usage: None,
        fault: None,
        limit: None,
        request_id: &call.request_id,
        docs_url: &call.gateway.config.docs_url,
    }
}

async fn bill_of(call: &LiveCall<'_>, lease: &mut Lease<'_>, (seen, end): (&Seen, &End)) -> Bill {
    // A report in the middle of an answer that was not read to its end says only how far it was.
    let whole = matches!(end, End::Complete) || seen.finish_reason.is_some();
    let told_error = seen.finish_reason.as_deref() == Some("error");
    let insured = whole
        && is_insured(seen.finish_reason.as_deref(), seen.usage.as_ref())
        && (told_error || seen.visible_tokens == 0);
    if let Some(usage) = seen.usage.filter(|_| whole && !insured) {
        return Bill {
            outcome: Outcome::Exact(call.complete_usage(usage)),
            reported_cost: seen.reported_cost,
        };
    }
    let told_failure = seen.failure.is_some() && seen.visible_tokens == 0;
    let fallback = if insured || told_failure {
        Outcome::NotSent
    } else if seen.visible_tokens == 0 {
        call.unanswered(lease)
    } else {
        Outcome::AtLeast(call.request.estimated_usage(seen.visible_tokens))
    };
    call.look_up(lease, fallback).await
}
