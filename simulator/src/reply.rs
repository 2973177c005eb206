//! Response bodies: one buffer, or a script of writes, pauses and cuts with full control over what
//! goes out when. What a script says is a provider's affair.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::time::{Instant, Sleep};

use crate::record::OpenCall;

/// The content type of JSON.
pub const JSON: &str = "application/json";

/// The connection ends here, on purpose or because the client broke it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection is dropped")]
pub struct Dropped;

/// How a connection is to be closed; shared by its responses.
#[derive(Debug, Default)]
pub struct Connection {
    reset: AtomicBool,
}

impl Connection {
    /// Whether it ends with a TCP reset rather than an orderly close.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }
}

/// One step of a script.
#[derive(Clone, Debug)]
pub enum Step {
    /// Send bytes, as one HTTP chunk.
    Write {
        /// The earliest time, counted from the start of the body.
        due: Duration,
        /// What to send; never empty.
        bytes: Bytes,
        /// Output tokens generated once this is sent.
        tokens: u64,
    },
    /// Hand what was written to the network before anything else is written.
    Flush,
    /// Drop the connection.
    Cut {
        /// With a TCP reset.
        reset: bool,
    },
}

/// A sequence of steps, made while it is sent.
pub type Script = Box<dyn Iterator<Item = Step> + Send>;

/// A response body.
pub enum Reply {
    /// One buffer.
    Once(Option<Bytes>),
    /// A script.
    Paced(Box<Paced>),
}

/// A script under way.
pub struct Paced {
    script: Script,
    held: Option<Step>,
    started: Instant,
    pause: Option<Pin<Box<Sleep>>>,
    length: Option<u64>,
    call: OpenCall,
    connection: Arc<Connection>,
}

impl Reply {
    /// A body in one piece.
    #[must_use]
    pub fn once(bytes: impl Into<Bytes>) -> Self {
        Self::Once(Some(bytes.into()))
    }

    /// A scripted body. `length` becomes the `content-length`, kept or not; without it the body is
    /// chunked.
    #[must_use]
    pub fn paced(
        script: Script,
        length: Option<u64>,
        call: OpenCall,
        connection: Arc<Connection>,
    ) -> Self {
        Self::Paced(Box::new(Paced {
            script,
            held: None,
            started: Instant::now(),
            pause: None,
            length,
            call,
            connection,
        }))
    }
}

impl Paced {
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        match self.held.take().or_else(|| self.script.next()) {
            None => {
                self.call.finished();
                Poll::Ready(None)
            }
            Some(Step::Write { due, bytes, tokens }) => {
                if !due.is_zero() && self.poll_until(due, cx).is_pending() {
                    self.held = Some(Step::Write { due, bytes, tokens });
                    return Poll::Pending;
                }
                self.call.generated(tokens);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Some(Step::Flush) => {
                // The connection flushes whenever its body has nothing to give.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Cut { reset }) => {
                self.connection.reset.store(reset, Ordering::Release);
                self.call.finished();
                Poll::Ready(Some(Err(Dropped)))
            }
        }
    }

    fn poll_until(&mut self, due: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let due = self.started + due;
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if pause.deadline() != due {
            pause.as_mut().reset(due);
        }
        ready!(pause.as_mut().poll(cx));
        Poll::Ready(())
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        match &mut *self {
            Self::Once(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Paced(paced) => paced.poll_step(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Once(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Paced(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let length = match self {
            Self::Once(bytes) => bytes.as_ref().and_then(|bytes| bytes.len().try_into().ok()),
            Self::Paced(paced) => paced.length,
        };
        length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A finished answer in one piece.
#[must_use]
pub fn whole(
    mut call: OpenCall,
    code: u16,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Reply> {
    call.answered(code);
    call.finished();
    plain(code, kind, body)
}

/// The same for a request that is not recorded.
#[must_use]
pub fn plain(code: u16, kind: &'static str, body: impl Into<Bytes>) -> Response<Reply> {
    let mut response = Response::new(Reply::once(body));
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
