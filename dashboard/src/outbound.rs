//! Calls to other companies: the one place besides the database that sends requests. It follows no
//! redirect, waits a bounded time, and reads a bounded answer. What is sent and what an answer means is
//! decided by the features.

use futures_util::StreamExt;
use tollgate_edge::clock::within_ms;
use worker::{AbortController, Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

use crate::fault::{Fault, Outcome};

/// How long a company may take for its whole answer, in milliseconds.
const TIMEOUT_MS: i64 = 15_000;

/// The most that is read of an answer.
const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// What is sent.
#[derive(Debug)]
pub struct Outbound<'a> {
    /// The company, for the log.
    pub service: &'static str,
    /// `GET`, `POST` or `DELETE`.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// The headers, secrets included.
    pub headers: &'a [(&'a str, String)],
    /// The body, if there is one.
    pub body: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Inbound {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends a request and reads the whole answer, whatever its status.
///
/// # Errors
/// When none came in time, or it was too large: whether the request had an effect is unknown.
pub async fn send(outbound: Outbound<'_>) -> Outcome<Inbound> {
    let service = outbound.service;
    let abort = AbortController::default();
    let signal = abort.signal();
    let exchange = async {
        let headers = Headers::new();
        // GitHub and Resend answer nobody without a name.
        headers.set("user-agent", "tollgate-dashboard")?;
        for (name, value) in outbound.headers {
            headers.set(name, value)?;
        }
        let mut init = RequestInit::new();
        init.with_method(outbound.method)
            .with_headers(headers)
            .with_redirect(RequestRedirect::Manual)
            .with_body(outbound.body.map(Into::into));
        let request = Request::new_with_init(&outbound.url, &init)?;
        let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
        let status = response.status_code();
        let mut body = Vec::new();
        let mut stream = response.stream()?;
        while let Some(bytes) = stream.next().await {
            body.extend(bytes?);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(worker::Error::RustError(
                    "the answer is too large".to_owned(),
                ));
            }
        }
        Ok::<_, worker::Error>(Inbound { status, body })
    };
    match within_ms(TIMEOUT_MS, exchange).await {
        Some(Ok(inbound)) => Ok(inbound),
        Some(Err(error)) => Err(Fault::Service {
            service,
            what: error.to_string(),
        }),
        None => {
            abort.abort();
            Err(Fault::Service {
                service,
                what: "no answer in time".to_owned(),
            })
        }
    }
}
