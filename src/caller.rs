//! The caller's end of a streamed answer: it begins with the first bytes, takes chunks at its own pace,
//! and may leave at any moment.

use std::pin::pin;

use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::openrouter::cut_off;
use tollgate_edge::clock::{Timer, now_ms};
use worker::js_sys::Uint8Array;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{ReadableStream, TransformStream, WritableStreamDefaultWriter};
use worker::{Response, ResponseBuilder};

use crate::completion::Responder;
use crate::departure::LOOK_UP_MS;
use crate::gateway::Gateway;
use crate::lease::{Lease, LeaseLost};
use crate::live_call::LiveCall;
use crate::log;
use crate::respond::{self, Refused};

/// How far the caller's response is. It begins with the first bytes for the caller, so that a
/// provider that fails before them becomes an error with a status of its own.
pub enum Caller {
    /// Nothing was sent.
    Waiting(Responder),
    /// The stream is open.
    Reading(CallerStream),
    /// Everything was told, with this status.
    Told(u16),
    /// The caller is gone, or takes nothing.
    Left,
}

impl Caller {
    /// Writes to the caller, and waits until it has taken it.
    pub async fn write(
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
                *self = Self::Left;
                Ok(())
            }
            // Nobody reads: the provider need not go on either.
            Ok(Written::Stalled) => {
                *self = Self::Left;
                Err(cut_off())
            }
            Err(LeaseLost) => Err(ErrorCode::Internal.into()),
        }
    }

    /// Writes the end and closes the stream. What was relayed is charged whether or not the caller
    /// takes the end of it.
    pub async fn end(&mut self, call: &LiveCall<'_>, lease: &mut Lease<'_>, last: &str) {
        let _ = self.write(call, lease, last).await;
        if let Self::Reading(stream) = self {
            let _ = lease.keep(stream.close()).await;
            *self = Self::Told(200);
        }
    }

    /// Tells an error: as the response, or in the stream if that has begun.
    pub async fn fail(
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
            told @ (Self::Told(_) | Self::Left) => *self = told,
        }
    }

    /// Whether the caller was seen to leave.
    pub const fn has_left(&self) -> bool {
        matches!(self, Self::Left)
    }

    pub const fn status(&self) -> u16 {
        match self {
            Self::Waiting(_) | Self::Reading(_) | Self::Left => 200,
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
                *self = match responder.send(event_stream(call, readable)) {
                    Ok(()) => Self::Reading(stream),
                    Err(_) => Self::Left,
                };
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
pub struct CallerStream {
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

fn event_stream(call: &LiveCall<'_>, readable: ReadableStream) -> Result<Response, Refused> {
    let headers = respond::headers(call.gateway, "text/event-stream", &call.headers())
        .map_err(|_| ApiError::new(ErrorCode::Internal))?;
    Ok(ResponseBuilder::new()
        .with_headers(headers)
        .stream(readable))
}
