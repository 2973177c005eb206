//! `cargo xtask bench`: the simulator alone, a Worker that only passes calls on, and the gateway with
//! all its checks, on one machine in one go; then the parts of one call. It reports numbers and
//! judges none. How to read them is in `docs/BENCHMARK.md`.

mod anatomy;
mod gateway_log;
mod http;
mod load;
mod machine;
pub mod pages;
mod results;
mod seed;
mod statistics;

use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tollgate_core::call::Wanted;

use crate::build;
use crate::failure::{Failure, OrFail};
use crate::progress::step;
use crate::repo::write_whole;
use crate::setup;
use crate::stack::{self, Stack};

use anatomy::{Client, Part, Shadow};
use gateway_log::GatewayLog;
use http::{Connection, Request};
use load::Lengths;
use machine::Machine;
use results::{Cell, Mode, Results, StartUp, Target};
use seed::Callers;
use statistics::Latency;

/// The connections of the cells of each target and mode.
const CONNECTIONS: [usize; 3] = [1, 8, 32];

/// A model that the seed prices and the simulator answers for, 32 tokens to a call.
const MODEL: &str = "openai/gpt-4o-mini";
const MAX_TOKENS: u64 = 32;

const PATH: &str = "/api/v1/chat/completions";

/// What the simulator takes for a credential.
const PROVIDER_KEY: &str = "sk-or-bench";

/// What the command was told.
#[derive(Debug)]
pub struct Options {
    /// How long each cell is measured, in seconds.
    pub seconds: u64,
    /// Whether to be done in moments, with numbers that say little.
    pub quick: bool,
    /// Where to write everything as JSON.
    pub json: Option<PathBuf>,
}

/// How much is measured.
#[derive(Clone, Copy)]
struct Scale {
    lengths: Lengths,
    /// Rounds of each part of a call.
    rounds: usize,
    /// Starts of the runtime.
    starts: usize,
}

impl Options {
    const fn scale(&self) -> Scale {
        if self.quick {
            return Scale {
                lengths: Lengths {
                    warm_up: Duration::from_millis(100),
                    measured: Duration::from_millis(200),
                },
                rounds: 10,
                starts: 1,
            };
        }
        Scale {
            lengths: Lengths {
                warm_up: Duration::from_secs(1),
                measured: Duration::from_secs(self.seconds),
            },
            rounds: 300,
            starts: 5,
        }
    }
}

/// Measures everything and prints it.
///
/// # Errors
/// When the stack does not come up, a part of it ends, or a part of a call cannot be measured.
/// Calls that are refused under load are no error: they are reported.
pub fn run(options: &Options) -> Result<(), Failure> {
    stack::prepare_benchmark()?;
    let machine = Machine::now(&setup::tools()?);
    let mut stack = step("database, simulator and gateway", Stack::start_benchmark)?;
    let callers = step("accounts, prices and keys", || seed::seed(&stack))?;
    let scale = options.scale();
    let (wasm_bytes, wasm_gzip_bytes) = build::wasm_size(build::Worker::Gateway)?;
    let start_up = step("start-up", || start_up(&mut stack, &callers, scale.starts))?;
    let parts = step("the parts of one call", || {
        parts(&stack, &callers, scale.rounds)
    })?;
    let mut log = GatewayLog::new(stack.gateway_log());
    log.skip();
    let mut cells = Vec::new();
    for target in Target::ALL {
        for mode in Mode::ALL {
            for connections in CONNECTIONS {
                let setting = (target, mode, connections);
                let what = format!("{}, {}, {connections} at once", target.name(), mode.name());
                cells.push(step(&what, || {
                    cell(&mut stack, &callers, &mut log, (setting, scale.lengths))
                })?);
            }
        }
    }
    stack.stop();
    let results = Results {
        machine,
        load_after: machine::load(),
        measured_seconds: scale.lengths.measured.as_secs_f64(),
        quick: options.quick,
        wasm_bytes,
        wasm_gzip_bytes,
        start_up,
        parts,
        cells,
    };
    print!("\n{}", results.to_text());
    if let Some(file) = &options.json {
        let json = serde_json::to_vec_pretty(&results).or_fail(|| "the results".to_owned())?;
        write_whole(file, &json)?;
    }
    Ok(())
}

fn cell(
    stack: &mut Stack,
    callers: &Callers,
    log: &mut GatewayLog,
    ((target, mode, connections), lengths): ((Target, Mode, usize), Lengths),
) -> Result<Cell, Failure> {
    let streamed = mode == Mode::Streamed;
    let request = request(stack, callers, target, mode)?;
    let load = load::run(&request, streamed, connections, lengths);
    stack.check()?;
    // The next cell begins when nothing of this one is under way.
    let is_gateway = matches!(target, Target::OneLevel | Target::TwoLevels);
    let database = is_gateway.then(|| log.settled(load.answers));
    Ok(Cell {
        target,
        mode,
        connections,
        load,
        database,
    })
}

/// The call of a target: the same bytes for all but the address and the credential.
fn request(
    stack: &Stack,
    callers: &Callers,
    target: Target,
    mode: Mode,
) -> Result<Request, Failure> {
    let no_worker = || Failure::new("the stack has no Worker that passes calls on");
    let (url, credential) = match target {
        Target::Simulator => (stack.simulator_url(), PROVIDER_KEY),
        Target::PassThrough => (
            stack.pass_through_url().ok_or_else(no_worker)?,
            PROVIDER_KEY,
        ),
        Target::OneLevel => (stack.gateway_url(), callers.one_level.reveal()),
        Target::TwoLevels => (stack.gateway_url(), callers.two_levels.reveal()),
    };
    let stream = match mode {
        Mode::OneShot => "",
        Mode::Streamed => r#","stream":true,"stream_options":{"include_usage":true}"#,
    };
    let body = format!(
        r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":"Say something short about the sea."}}],"max_tokens":{MAX_TOKENS}{stream}}}"#
    );
    Ok(Request::new(address(&url)?, PATH, credential, Some(&body)))
}

/// The address in a URL that names one.
fn address(url: &str) -> Result<SocketAddrV4, Failure> {
    url.strip_prefix("http://")
        .unwrap_or(url)
        .parse()
        .or_fail(|| format!("`{url}` has no address of this machine"))
}

/// Starts the runtime a few times: until it first answers, and then the first call, for which the
/// gateway remembers nothing.
fn start_up(stack: &mut Stack, callers: &Callers, starts: usize) -> Result<StartUp, Failure> {
    let (mut first_answers, mut first_calls) = (Vec::new(), Vec::new());
    for _ in 0..starts {
        stack.kill_workerd();
        let begun = Instant::now();
        stack.restart_workerd()?;
        first_answers.push(begun.elapsed());
        let request = request(stack, callers, Target::OneLevel, Mode::OneShot)?;
        let sent = Instant::now();
        let mut connection = Connection::new();
        let (status, _) = connection
            .exchange(&request)
            .or_fail(|| "the first call".to_owned())?;
        first_calls.push(sent.elapsed());
        if status != 200 {
            return Err(Failure::new(format!("the first call: status `{status}`")));
        }
    }
    Ok(StartUp {
        first_answer: Latency::of(first_answers),
        first_call: Latency::of(first_calls),
    })
}

fn parts(stack: &Stack, callers: &Callers, rounds: usize) -> Result<Vec<Part>, Failure> {
    let mut parts = vec![anatomy::disk(stack, rounds)?];
    parts.extend(parts_over_http(stack, callers, rounds)?);
    parts.extend(parts_of_the_database(stack, callers, rounds)?);
    Ok(parts)
}

fn parts_over_http(stack: &Stack, callers: &Callers, rounds: usize) -> Result<Vec<Part>, Failure> {
    let call = |target| request(stack, callers, target, Mode::OneShot);
    let gateway = address(&stack.gateway_url())?;
    let get = |path| Request::new(gateway, path, callers.one_level.reveal(), None);
    [
        ("simulator alone, one-shot", call(Target::Simulator)?),
        ("pass-through, one-shot", call(Target::PassThrough)?),
        ("gateway: `GET health`", get("/v1/health")),
        (
            "gateway: `GET key`, one read of the database",
            get("/v1/key"),
        ),
        ("gateway, one level, one-shot", call(Target::OneLevel)?),
        ("gateway, two levels, one-shot", call(Target::TwoLevels)?),
    ]
    .iter()
    .map(|(what, request)| anatomy::exchange(what, rounds, request))
    .collect()
}

fn parts_of_the_database(
    stack: &Stack,
    callers: &Callers,
    rounds: usize,
) -> Result<Vec<Part>, Failure> {
    let mut client = Client::new(stack)?;
    let key = &callers.one_level;
    let mut parts = Vec::new();
    for (what, batch) in [
        ("database: `SELECT 1`", anatomy::select_one()),
        ("database: admission's first read", anatomy::snapshot(key)),
        ("database: the cold read", anatomy::cold_read(key, MODEL)),
        ("database: the least write", anatomy::smallest_write()),
    ] {
        parts.push(client.part(what, rounds, &batch)?);
    }
    let one_level = [
        "database: admission, one level",
        "database: settlement, one level",
    ];
    let two_levels = [
        "database: admission, two levels",
        "database: settlement, two levels",
    ];
    for (key, names) in [(key, one_level), (&callers.two_levels, two_levels)] {
        let wanted = Wanted {
            model: MODEL.to_owned(),
            streamed: false,
            max_tokens: Some(MAX_TOKENS),
            text_tokens: 64,
            prompt_estimate: 16,
            images: 0,
            hour_cache: false,
            first_portion: None,
            idempotency: None,
        };
        parts.extend(Shadow::new(stack, key, wanted)?.parts(&mut client, rounds, names)?);
    }
    Ok(parts)
}
