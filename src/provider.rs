//! Providers over HTTP: the one place that talks to OpenRouter. It sends what it is given, follows
//! no redirect, and copies no header of the caller's.

use futures_util::StreamExt;
use thiserror::Error;
use tollgate_core::openrouter::{self, Attribution};
use tollgate_edge::clock::within_ms;
use worker::{
    AbortController, AbortSignal, ByteStream, Fetch, Headers, Method, Request, RequestInit,
    RequestRedirect, Response,
};

use crate::config::Config;
use crate::credentials::ProviderAccount;

/// The most of a failure's body that is read: it is only scanned for a short message.
const MAX_FAILURE_BYTES: usize = 64 * 1024;

/// How long a record or a failure's body may take, in milliseconds.
const RECORD_TIMEOUT_MS: i64 = 5_000;

/// Why no answer began.
#[derive(Debug, Error)]
pub enum NoAnswer {
    /// The connection could not be opened, or ended before an answer began. The runtime does not
    /// tell these apart, so the call counts as sent.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(worker::Error),
    /// No answer began in time.
    #[error("the provider took too long to begin")]
    TimedOut,
}

/// Why a body ended early.
#[derive(Debug, Error)]
pub enum BodyFault {
    /// It is larger than allowed.
    #[error("the answer is too large")]
    TooLarge,
    /// The connection ended.
    #[error("the provider's answer was cut off: {0}")]
    Cut(#[from] worker::Error),
}

/// An answer that began.
#[derive(Debug)]
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The provider's own id of the call, if its headers tell.
    pub provider_id: Option<String>,
    response: Response,
}

/// OpenRouter, to whoever has an account there.
#[derive(Debug)]
pub struct OpenRouter {
    base_url: String,
    timeout_ms: i64,
}

impl OpenRouter {
    /// The provider of these settings.
    pub fn new(config: &Config) -> Self {
        Self {
            base_url: config.openrouter_base_url.clone(),
            timeout_ms: config.provider_timeout_ms,
        }
    }

    /// Sends a chat completion through an account and waits until its answer begins.
    pub async fn complete(
        &self,
        account: &ProviderAccount,
        (body, streamed): (&str, bool),
        signal: &AbortSignal,
    ) -> Result<Head, NoAnswer> {
        let request = self.request(account, openrouter::CHAT_PATH, Some((body, streamed)));
        let send = async {
            let response = Fetch::Request(request?).send_with_signal(signal).await?;
            Head::of(response)
        };
        match within_ms(self.timeout_ms, send).await {
            None => Err(NoAnswer::TimedOut),
            Some(Ok(head)) => Ok(head),
            Some(Err(error)) => Err(NoAnswer::Unreachable(error)),
        }
    }

    /// The provider's own record of a call that was made through this account: the body of its answer, or
    /// `None` if it has none (yet).
    pub async fn record(&self, account: &ProviderAccount, provider_id: &str) -> Option<Vec<u8>> {
        let path = openrouter::generation_path(provider_id)?;
        let abort = AbortController::default();
        let signal = abort.signal();
        let read = async {
            let request = self.request(account, &path, None).ok()?;
            let response = Fetch::Request(request)
                .send_with_signal(&signal)
                .await
                .ok()?;
            let mut head = Head::of(response).ok()?;
            if head.status != 200 {
                return None;
            }
            head.body(MAX_FAILURE_BYTES).await.ok()
        };
        let record = within_ms(RECORD_TIMEOUT_MS, read).await;
        if record.is_none() {
            abort.abort();
        }
        record.flatten()
    }

    /// A request with a body, whose answer may be streamed, is a POST; without one it is a GET.
    fn request(
        &self,
        account: &ProviderAccount,
        path: &str,
        body: Option<(&str, bool)>,
    ) -> worker::Result<Request> {
        let streamed = body.is_some_and(|(_, streamed)| streamed);
        let method = if body.is_some() {
            Method::Post
        } else {
            Method::Get
        };
        let headers = Headers::new();
        let credential = account.credential.expose();
        for (name, value) in
            openrouter::request_headers(credential, streamed, Attribution::default())
        {
            headers.set(name, &value)?;
        }
        let mut init = RequestInit::new();
        init.with_method(method)
            .with_headers(headers)
            .with_redirect(RequestRedirect::Manual)
            .with_body(body.map(|(body, _)| body.into()));
        Request::new_with_init(&format!("{}{path}", self.base_url), &init)
    }
}

impl Head {
    fn of(response: Response) -> worker::Result<Self> {
        let headers = response.headers();
        Ok(Self {
            status: response.status_code(),
            retry_after: headers.get("retry-after")?,
            provider_id: headers.get(openrouter::GENERATION_ID_HEADER)?,
            response,
        })
    }

    /// The body as it arrives.
    pub fn stream(mut self) -> worker::Result<ByteStream> {
        self.response.stream()
    }

    /// The whole body, at most `max` bytes of it.
    pub async fn body(&mut self, max: usize) -> Result<Vec<u8>, BodyFault> {
        let mut stream = self.response.stream()?;
        let mut body = Vec::new();
        while let Some(bytes) = stream.next().await {
            let bytes = bytes?;
            if body.len() + bytes.len() > max {
                return Err(BodyFault::TooLarge);
            }
            body.extend_from_slice(&bytes);
        }
        Ok(body)
    }

    /// The beginning of a failure's body; empty if it cannot be read.
    pub async fn failure_body(&mut self) -> Vec<u8> {
        let body = within_ms(RECORD_TIMEOUT_MS, self.body(MAX_FAILURE_BYTES)).await;
        body.and_then(Result::ok).unwrap_or_default()
    }
}
