//! What one request works with: its id and times, its settings, its database and its provider.
//! Nothing here is shared between requests.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

use thiserror::Error;
use tollgate_core::ids::RequestId;
use tollgate_edge::clock::{now_ms, random_u64};
use tollgate_edge::setting::SettingFault;
use tollgate_edge::turso::Turso;
use worker::{AbortSignal, Context, Env, console_error};

use crate::config::Config;
use crate::credentials::Opened;
use crate::provider::OpenRouter;

/// Why a request cannot even begin.
#[derive(Debug, Error)]
pub enum StartFault {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] SettingFault),
    /// The runtime gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// One request's surroundings.
#[derive(Debug)]
pub struct Gateway {
    request: Cell<RequestId>,
    /// Random; tells this request from another that drew the same id.
    pub nonce: i64,
    /// When the request came, in Unix milliseconds.
    pub started_ms: i64,
    /// How long its parts took.
    pub timings: Timings,
    /// The settings.
    pub config: Config,
    /// The database.
    pub database: Turso,
    /// The provider.
    pub provider: OpenRouter,
    /// The operator's accounts there that were needed for calls made earlier.
    pub opened: RefCell<Opened>,
    caller: Option<(Context, AbortSignal)>,
}

/// How long the parts of a request took, in milliseconds.
#[derive(Debug, Default)]
pub struct Timings {
    /// From the first look at the caller's facts until the hold was committed or refused.
    pub admission_ms: Cell<Option<i64>>,
    /// From sending the call until the provider's answer began.
    pub upstream_ms: Cell<Option<i64>>,
}

impl Gateway {
    /// Begins a request, or with no caller a run of the clock's. The signal fires when the caller leaves.
    pub fn begin(
        env: &Env,
        caller: Option<(Context, AbortSignal)>,
    ) -> Result<Rc<Self>, StartFault> {
        let config = Config::from_env(env)?;
        let started_ms = now_ms();
        Ok(Rc::new(Self {
            request: Cell::new(random_request_id(started_ms)?),
            nonce: random_u64()?.cast_signed(),
            started_ms,
            timings: Timings::default(),
            database: Turso::new(&config.turso_url, &config.turso_token),
            provider: OpenRouter::new(&config),
            opened: RefCell::default(),
            config,
            caller,
        }))
    }

    /// Begins a run that nobody called. That it cannot begin is in the log.
    pub fn begin_run(env: &Env) -> Option<Rc<Self>> {
        Self::begin(env, None)
            .map_err(|fault| {
                let line = serde_json::json!({ "level": "error", "fault": fault.to_string() });
                console_error!("{line}");
            })
            .ok()
    }

    /// The request's id, told in `x-request-id`.
    pub const fn request(&self) -> RequestId {
        self.request.get()
    }

    /// Takes another id, because another request has this one.
    pub fn draw_request_id(&self) -> Result<(), getrandom::Error> {
        self.request.set(random_request_id(now_ms())?);
        Ok(())
    }

    /// Runs a task that may go on after the response has ended or the caller has left. A run of
    /// the clock's has no response and starts no such task.
    pub fn run_beyond_response(&self, task: impl Future<Output = ()> + 'static) {
        if let Some((context, _)) = &self.caller {
            context.wait_until(task);
        }
    }

    /// Whether the caller has closed its connection.
    pub fn caller_left(&self) -> bool {
        self.caller
            .as_ref()
            .is_some_and(|(_, signal)| signal.aborted())
    }

    /// Milliseconds since the request came.
    pub fn elapsed_ms(&self) -> i64 {
        now_ms() - self.started_ms
    }
}

fn random_request_id(now_ms: i64) -> Result<RequestId, getrandom::Error> {
    let low = u32::try_from(random_u64()? & 0xffff_ffff).unwrap_or_default();
    Ok(RequestId::new(now_ms, low))
}

impl Timings {
    /// The header `server-timing`.
    pub fn header(&self, started_ms: i64) -> String {
        let mut parts = Vec::new();
        if let Some(ms) = self.admission_ms.get() {
            parts.push(format!("admission;dur={ms}"));
        }
        if let Some(ms) = self.upstream_ms.get() {
            parts.push(format!("upstream;dur={ms}"));
        }
        parts.push(format!("total;dur={}", now_ms() - started_ms));
        parts.join(", ")
    }
}
