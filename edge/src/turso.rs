//! The database over HTTP: the one place that talks to Turso. A batch goes out, a reply comes back;
//! whether to try again is the caller's decision, because only the caller knows the batch's id.

use std::cell::Cell;

use thiserror::Error;
use tollgate_core::hrana::{Batch, HranaFault, Reply, read_reply};
use worker::{AbortController, Fetch, Headers, Method, Request, RequestInit};

use crate::clock::{now_ms, within_ms};

/// A transaction of the server ends after five seconds; what took longer did not happen or is lost.
const TIMEOUT_MS: i64 = 6_000;

/// Why nothing is known of a batch.
#[derive(Debug, Error)]
pub enum DatabaseFault {
    /// The request failed.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[from] worker::Error),
    /// No reply came in time.
    #[error("the database took too long")]
    TimedOut,
    /// The reply says nothing certain.
    #[error(transparent)]
    Reply(#[from] HranaFault),
}

/// A connection to the database for one request, and what it cost.
#[derive(Debug)]
pub struct Turso {
    url: String,
    authorization: String,
    trips: Cell<u64>,
    waited_ms: Cell<i64>,
    rows_read: Cell<u64>,
    rows_written: Cell<u64>,
}

/// What a request cost the database.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseUse {
    /// Round trips.
    pub trips: u64,
    /// How long they took together, in milliseconds.
    pub waited_ms: i64,
    /// Rows read.
    pub rows_read: u64,
    /// Rows and index entries written.
    pub rows_written: u64,
}

impl Turso {
    /// The database at this address, such as `libsql://name.turso.io`, opened with this token.
    #[must_use]
    pub fn new(url: &str, token: &str) -> Self {
        let url = url
            .strip_prefix("libsql://")
            .map_or_else(|| url.to_owned(), |host| format!("https://{host}"));
        Self {
            url: format!("{}/v2/pipeline", url.trim_end_matches('/')),
            authorization: format!("Bearer {token}"),
            trips: Cell::new(0),
            waited_ms: Cell::new(0),
            rows_read: Cell::new(0),
            rows_written: Cell::new(0),
        }
    }

    /// Executes a batch in one round trip.
    ///
    /// # Errors
    /// When nothing certain is known of it; it may have been executed.
    pub async fn execute(&self, batch: &Batch) -> Result<Reply, DatabaseFault> {
        self.trips.set(self.trips.get() + 1);
        let abort = AbortController::default();
        let signal = abort.signal();
        let exchange = async {
            let request = self.request(batch.to_body())?;
            let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
            let body = response.bytes().await?;
            Ok::<_, worker::Error>((response.status_code(), body))
        };
        let sent_ms = now_ms();
        let answer = within_ms(TIMEOUT_MS, exchange).await;
        self.waited_ms
            .set(self.waited_ms.get() + now_ms() - sent_ms);
        let Some(answer) = answer else {
            abort.abort();
            return Err(DatabaseFault::TimedOut);
        };
        let (status, body) = answer?;
        let reply = read_reply(status, &body, batch.steps().len())?;
        self.rows_read.set(self.rows_read.get() + reply.rows_read);
        self.rows_written
            .set(self.rows_written.get() + reply.rows_written);
        Ok(reply)
    }

    /// What this request cost the database so far.
    pub const fn used(&self) -> DatabaseUse {
        DatabaseUse {
            trips: self.trips.get(),
            waited_ms: self.waited_ms.get(),
            rows_read: self.rows_read.get(),
            rows_written: self.rows_written.get(),
        }
    }

    fn request(&self, body: String) -> worker::Result<Request> {
        let headers = Headers::new();
        headers.set("authorization", &self.authorization)?;
        headers.set("content-type", "application/json")?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_body(Some(body.into()));
        Request::new_with_init(&self.url, &init)
    }
}
