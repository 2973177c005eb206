//! Where one call's time goes: its parts one at a time, on one connection, with nothing else under
//! way. The database's parts are the gateway's own batches, sent by this program.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddrV4;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;
use tollgate_core::admission::{Admission, Ask, Snapshot, snapshot_statement};
use tollgate_core::call::{
    Call, CallerFacts, Identity, ModelFacts, Wanted, caller_statements, model_statement,
    price_call, read_caller, read_model,
};
use tollgate_core::hrana::{Batch, Reply, Statement, read_reply};
use tollgate_core::ids::RequestId;
use tollgate_core::key::{ApiKey, KeyHash};
use tollgate_core::settlement::{Outcome, Resolution, ResolutionFacts, Resolved};
use tollgate_core::usage::Usage;

use super::http::{Connection, Request};
use super::statistics::Latency;
use crate::clock::now_ms;
use crate::database::readable;
use crate::failure::{Failure, OrFail};
use crate::stack::Stack;

/// Between two calls: long enough for the first one's settlement.
const PAUSE: Duration = Duration::from_millis(25);

/// One part and how long it took.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// What was done.
    pub what: &'static str,
    /// How long it took.
    #[serde(flatten)]
    pub latency: Latency,
}

/// Measures so many rounds of one action.
///
/// # Errors
/// The action's own.
pub fn part(
    what: &'static str,
    rounds: usize,
    mut action: impl FnMut() -> Result<Duration, Failure>,
) -> Result<Part, Failure> {
    // The first ones open the connection and fill caches.
    for _ in 0..rounds.div_ceil(10) {
        action()?;
    }
    let durations: Result<Vec<Duration>, Failure> = (0..rounds).map(|_| action()).collect();
    Ok(Part {
        what,
        latency: Latency::of(durations?),
    })
}

/// Measures one HTTP request, with a pause before each.
///
/// # Errors
/// When an answer is not 200.
pub fn exchange(what: &'static str, rounds: usize, request: &Request) -> Result<Part, Failure> {
    let mut connection = Connection::new();
    part(what, rounds, || {
        sleep(PAUSE);
        let sent = Instant::now();
        let (status, _) = connection.exchange(request).or_fail(|| what.to_owned())?;
        let took = sent.elapsed();
        if status == 200 {
            return Ok(took);
        }
        Err(Failure::new(format!("{what}: status `{status}`")))
    })
}

/// Measures what it takes to append 4 KiB to a file and bring them to the disk, below every commit.
///
/// # Errors
/// When the stack's directory cannot be written.
pub fn disk(stack: &Stack, rounds: usize) -> Result<Part, Failure> {
    let what = || "cannot write beside the database".to_owned();
    let mut file = File::create(stack.state_dir().join("disk")).or_fail(what)?;
    part("4 KiB appended to a file and synced", rounds, || {
        let begun = Instant::now();
        file.write_all(&[1; 4096]).or_fail(what)?;
        file.sync_data().or_fail(what)?;
        Ok(begun.elapsed())
    })
}

/// A connection to the database that tells how long a batch took.
pub struct Client<'a> {
    address: SocketAddrV4,
    token: &'a str,
    connection: Connection,
}

impl<'a> Client<'a> {
    /// A connection to the stack's database.
    ///
    /// # Errors
    /// When its address is not one of this machine's.
    pub fn new(stack: &'a Stack) -> Result<Self, Failure> {
        Ok(Self {
            address: super::address(stack.database().url())?,
            token: stack.database_token(),
            connection: Connection::new(),
        })
    }

    fn execute(&mut self, batch: &Batch) -> Result<(Reply, Duration), Failure> {
        let body = batch.to_body();
        let request = Request::new(self.address, "/v2/pipeline", self.token, Some(&body));
        let sent = Instant::now();
        let answer = self.connection.exchange(&request);
        let took = sent.elapsed();
        let (status, body) = answer.or_fail(|| "the database".to_owned())?;
        let reply = readable(read_reply(status, body, batch.steps().len()))?;
        Ok((reply, took))
    }

    /// Measures a batch that is the same every time.
    ///
    /// # Errors
    /// When a step of it fails.
    pub fn part(
        &mut self,
        what: &'static str,
        rounds: usize,
        batch: &Batch,
    ) -> Result<Part, Failure> {
        part(what, rounds, || {
            let (reply, took) = self.execute(batch)?;
            match reply.failures().next() {
                Some((_, code)) => Err(Failure::new(format!("{what}: `{code}`"))),
                None => Ok(took),
            }
        })
    }
}

/// A batch of one read that touches no table.
#[must_use]
pub fn select_one() -> Batch {
    read_only([Statement::new("SELECT 1")])
}

/// The smallest transaction that writes.
#[must_use]
pub fn smallest_write() -> Batch {
    Batch::transaction([Statement::new(
        "UPDATE catalogue SET version = version WHERE id = 1",
    )])
    .0
}

/// The first step of an admission: the read that says everything about a key.
#[must_use]
pub fn snapshot(key: &ApiKey) -> Batch {
    read_only([snapshot_statement(&key.hash())])
}

/// What the gateway reads when it knows nothing of a key or a model yet.
#[must_use]
pub fn cold_read(key: &ApiKey, model: &str) -> Batch {
    let [caller, rules] = caller_statements(&key.hash(), now_ms());
    read_only([caller, rules, model_statement(Some(model))])
}

fn read_only<const N: usize>(statements: [Statement; N]) -> Batch {
    let mut batch = Batch::new();
    for statement in statements {
        batch.step(None, statement);
    }
    batch
}

/// A caller whose calls are admitted and settled without a gateway.
pub struct Shadow {
    hash: KeyHash,
    caller: CallerFacts,
    model: ModelFacts,
    wanted: Wanted,
    drawn: u32,
}

impl Shadow {
    /// Reads what prices the caller's calls of a model.
    ///
    /// # Errors
    /// When the key or the model is not there.
    pub fn new(stack: &Stack, key: &ApiKey, wanted: Wanted) -> Result<Self, Failure> {
        let [caller, rules] = caller_statements(&key.hash(), now_ms());
        let model = model_statement(Some(&wanted.model));
        let [caller, rules, model] = stack.database().read_all([caller, rules, model])?;
        let missing = || Failure::new("the benchmark's key or model is not in its database");
        Ok(Self {
            hash: key.hash(),
            caller: readable(read_caller(&caller, &rules))?.ok_or_else(missing)?,
            model: readable(read_model(&model))?.pop().ok_or_else(missing)?,
            wanted,
            drawn: 0,
        })
    }

    /// Admits and settles so many calls, one after another, and times both batches.
    ///
    /// # Errors
    /// When the database does not admit or settle one of them.
    pub fn parts(
        &mut self,
        client: &mut Client<'_>,
        rounds: usize,
        [admission, settlement]: [&'static str; 2],
    ) -> Result<[Part; 2], Failure> {
        let mut settled = Vec::new();
        let admission = part(admission, rounds, || {
            let (admitted, settle) = self.round(client)?;
            settled.push(settle);
            Ok(admitted)
        })?;
        let measured = settled.split_off(settled.len() - rounds);
        let settlement = Part {
            what: settlement,
            latency: Latency::of(measured),
        };
        Ok([admission, settlement])
    }

    fn round(&mut self, client: &mut Client<'_>) -> Result<(Duration, Duration), Failure> {
        self.drawn += 1;
        let at_ms = now_ms();
        let call = price_call(self.wanted.clone(), &self.caller, &self.model, at_ms)
            .map_err(|error| Failure::new(format!("the call has no price: {}", error.message)))?;
        let ask = call.ask(&Identity {
            request: RequestId::new(at_ms, self.drawn),
            nonce: i64::from(self.drawn),
            key_hash: self.hash,
            provider_account: None,
            lease_until_ms: at_ms + 120_000,
        });
        let admit = ask.to_batch();
        let (reply, admitted) = client.execute(&admit.batch)?;
        let snapshot = match readable(admit.read(&ask, &reply))? {
            Admission::Admitted(snapshot) => snapshot,
            other => {
                return Err(Failure::new(format!(
                    "the call was not admitted: {other:?}"
                )));
            }
        };
        let resolve = resolution(&call, &ask, &snapshot).to_batch();
        let (reply, settled) = client.execute(&resolve.batch)?;
        match readable(resolve.read(&reply))? {
            Resolved::Now => Ok((admitted, settled)),
            other => Err(Failure::new(format!("the call was not settled: {other:?}"))),
        }
    }
}

/// The end of a call that went well.
fn resolution(call: &Call, ask: &Ask, snapshot: &Snapshot) -> Resolution {
    let outcome = Outcome::Exact(Usage {
        prompt_tokens: ask.prompt_estimate,
        completion_tokens: ask.max_tokens,
        ..Usage::default()
    });
    let facts = ResolutionFacts {
        status: Some(200),
        finish_reason: Some("stop".to_owned()),
        provider_id: Some("gen-benchmark".to_owned()),
        first_byte_ms: Some(1),
        total_ms: Some(1),
        resolved_at_ms: ask.now_ms,
        ..ResolutionFacts::default()
    };
    let priced = call.price(&outcome, &ask.levels);
    Resolution::of((ask, &snapshot.key), &ask.levels, outcome, facts).with_prices(&priced)
}
