//! The running parts that the tests act on: one stage that most of them share, and stages of their
//! own for those that break a part or shorten a time.
//!
//! A static is never dropped: the parts end because each of them watches this process, and the
//! state directories are emptied by the next run, so that a failure can be looked into.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, RequestId};
use tollgate_core::limits::Limits;
use tollgate_tests::{Caller, Wallet, eventually, stage};
use xtask::clock::now_ms;

use crate::client::Client;
use crate::price::Catalogue;

/// How long after its lease a hold of a mortal stage is overdue, in milliseconds.
const MORTAL_GRACE_MS: i64 = 500;

/// A running gateway, and the prices of its provider.
pub struct Stage {
    parts: stage::Stage,
    pub catalogue: Catalogue,
}

impl Deref for Stage {
    type Target = stage::Stage;

    fn deref(&self) -> &stage::Stage {
        &self.parts
    }
}

impl DerefMut for Stage {
    fn deref_mut(&mut self) -> &mut stage::Stage {
        &mut self.parts
    }
}

/// The stage that most tests share, with the settings of `wrangler.toml`.
pub fn shared() -> &'static Stage {
    static STAGE: LazyLock<Stage> = LazyLock::new(|| Stage::start("shared", &[]));
    &STAGE
}

impl Stage {
    /// Starts a stage of its own; `vars` are settings of its gateway.
    pub fn start(name: &str, vars: &[(&str, &str)]) -> Self {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("end_to_end");
        let parts = stage::Stage::start(state.join(name), vars);
        Self {
            catalogue: Catalogue::read(&parts.provider.models()),
            parts,
        }
    }

    /// A stage whose gateway may be killed: its holds are soon overdue once it is gone.
    pub fn mortal(name: &str) -> Self {
        let grace_ms = MORTAL_GRACE_MS.to_string();
        Self::start(name, &[("LEASE_MS", "1500"), ("GRACE_MS", &grace_ms)])
    }

    /// A new customer of the operator with so much credit.
    pub fn customer(&self, credit: i64) -> Caller {
        self.caller(&self.operator, credit, Limits::default())
    }

    /// How this caller talks to the gateway.
    pub fn client(&self, caller: &Caller) -> Client {
        Client::new(&self.stack.gateway_url(), caller.key.reveal())
    }

    /// Kills the gateway of a mortal stage in the middle of this stream, when the books know the
    /// provider's id of the call.
    pub fn die_in_mid_stream(&mut self, caller: &Caller, request: &Value) -> RequestId {
        let mut stream = self.client(caller).stream(request);
        let id = stream.head.request();
        stream.read_chunks(3);
        eventually("the provider's id is stored", || {
            self.request(id).provider_id
        });
        self.stack.kill_workerd();
        id
    }

    /// Lets the gateway of a mortal stage sweep, as soon as this call of it is overdue.
    pub fn sweep_once_overdue(&self, id: RequestId) {
        let lease_until_ms = self.request(id).lease_until_ms;
        eventually("the lease is overdue", || {
            (now_ms() > lease_until_ms + MORTAL_GRACE_MS).then_some(())
        });
        self.stack.trigger_cron().unwrap();
    }

    /// What the account has, once nothing of it is held any more.
    pub fn settled(&self, account: &AccountId) -> Wallet {
        eventually("everything is settled", || {
            let wallet = self.wallet(account);
            (wallet.held == 0).then_some(wallet)
        })
    }

    /// The row of a call.
    pub fn request(&self, id: RequestId) -> Request {
        let select = "SELECT state, outcome, levels, provider_id, lease_until_ms, status, \
                      error_code, max_tokens, shortfall_nanos, prompt_estimate FROM requests WHERE id = ?1";
        let row = self.database.row(Statement::new(select).bind(id.get()));
        let levels: String = row.get(2).unwrap();
        Request {
            state: row.get(0).unwrap(),
            outcome: row.get(1).unwrap(),
            levels: serde_json::from_str(&levels).unwrap(),
            provider_id: row.get(3).unwrap(),
            lease_until_ms: row.get(4).unwrap(),
            status: row.get(5).unwrap(),
            error_code: row.get(6).unwrap(),
            max_tokens: row.get(7).unwrap(),
            shortfall_nanos: row.get(8).unwrap(),
            prompt_estimate: row.get(9).unwrap(),
        }
    }

    /// The calls of an account, the oldest first.
    pub fn requests_of(&self, account: &AccountId) -> Vec<RequestId> {
        let select = "SELECT id FROM requests WHERE account_id = ?1 ORDER BY id";
        let reply = self
            .database
            .run(Statement::new(select).bind(account.as_str()));
        let ids = reply.rows(0).iter();
        ids.map(|row| RequestId::from_stored(row.get(0).unwrap()))
            .collect()
    }

    /// What the gateway logged so far, its own lines only, each as it was printed.
    pub fn log_lines(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.stack.gateway_log()).unwrap();
        let lines = log.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            // What workerd says itself names its source.
            let own = line.get("source").is_none();
            own.then(|| line["message"].as_str().unwrap_or_default().to_owned())
        });
        lines.collect()
    }

    /// The gateway's log line of a request, once it is there.
    pub fn logged(&self, request_id: &str) -> Value {
        eventually("the request is logged", || {
            let lines = self.log_lines().into_iter();
            let mut lines = lines
                .filter(|line| line.contains(request_id))
                .map(|line| serde_json::from_str::<Value>(&line).unwrap());
            lines.find(|line| line["event"] == "request")
        })
    }
}

/// A row of `requests`.
#[derive(Debug)]
pub struct Request {
    pub state: String,
    pub outcome: Option<String>,
    pub levels: Vec<Value>,
    pub provider_id: Option<String>,
    pub lease_until_ms: i64,
    pub status: Option<i64>,
    pub error_code: Option<String>,
    pub max_tokens: i64,
    pub prompt_estimate: u64,
    pub shortfall_nanos: Option<i64>,
}
