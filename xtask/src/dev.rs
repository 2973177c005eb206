//! `cargo xtask dev`: the local stack until it is told to stop, with its log on the terminal.

mod announce;
mod clock;
mod log;
mod variables;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::failure::{Failure, OrFail};
use crate::progress::{seconds, step};
use crate::repo::{self, remove};
use crate::stack::{self, Ports, Stack, StackOptions};
use crate::{database, demo};

use clock::Clock;
use log::Log;

/// Where the state is kept if nothing else is said, below the repository.
pub const STATE_DIR: &str = ".tollgate";

/// How often the loop looks for a signal, a dead child, new log lines and a new minute.
const TICK: Duration = Duration::from_millis(50);

/// What the command was told.
#[derive(Debug)]
pub struct Options {
    /// Whether to start with an empty database.
    pub fresh: bool,
    /// Where the state is kept, if not in [`STATE_DIR`].
    pub state: Option<PathBuf>,
    /// The gateway's port; the others follow.
    pub base_port: u16,
    /// Where to write addresses and demo keys.
    pub ready_file: Option<PathBuf>,
}

/// Runs the stack until SIGINT or SIGTERM.
///
/// # Errors
/// When it does not come up, or a part of it ends by itself.
pub fn run(options: Options) -> Result<(), Failure> {
    let started = Instant::now();
    if let Some(file) = &options.ready_file {
        remove(file)?;
    }
    stack::prepare()?;
    let state = options.state.unwrap_or_else(|| repo::path(STATE_DIR));
    if options.fresh {
        stack::clear(&state)?;
    }
    let vars = variables::read(&repo::path(".dev.vars"))?;
    let mut stack = step("database, simulator, gateway and dashboard", || {
        Stack::start(StackOptions {
            state: Some(state),
            ports: Ports::From(options.base_port),
            vars,
        })
    })?;
    let clock = Clock::new(&stack)?;
    let demo = demo::of(&stack)?;
    if stack.has_local_database() {
        database::remember(stack.state_dir(), stack.database())?;
    }
    // From here on a signal ends the loop below; until here it ended the process, and with it
    // every child.
    let stop = stop_flag()?;
    eprintln!("  ready after {}\n", seconds(started.elapsed()));
    announce::print(&stack, demo.as_ref());
    if let Some(file) = &options.ready_file {
        announce::write(file, &stack, demo.as_ref())?;
    }
    let outcome = serve(&mut stack, clock, &stop);
    if let Some(file) = &options.ready_file {
        remove(file)?;
    }
    stack.stop();
    outcome
}

fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag))
            .or_fail(|| "cannot handle signals".to_owned())?;
    }
    Ok(flag)
}

fn serve(stack: &mut Stack, mut clock: Clock, stop: &AtomicBool) -> Result<(), Failure> {
    let mut log = Log::new(stack.gateway_log());
    while !stop.load(Ordering::Relaxed) {
        log.print_new_lines();
        stack.check()?;
        clock.tick();
        std::thread::sleep(TICK);
    }
    Ok(())
}
