//! One part of the stack: a child process with a log and an address that tells when it is ready.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::failure::{Failure, OrFail};
use crate::process::{Guarded, describe};
use crate::progress::last_lines;

/// How long a part may take to come up.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a part that comes up is asked whether it is ready.
const POLL: Duration = Duration::from_millis(10);

/// A child process, running or not.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    log: PathBuf,
    /// Answers any HTTP status once the part is ready.
    health: String,
    child: Option<Guarded>,
}

impl Service {
    /// A part that is not running yet.
    pub fn new(name: &'static str, log: PathBuf, health: String) -> Self {
        Self {
            name,
            log,
            health,
            child: None,
        }
    }

    /// Starts it; its output is appended to its log.
    pub fn start(&mut self, command: &mut Command) -> Result<(), Failure> {
        let what = || format!("cannot write `{}`", self.log.display());
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .or_fail(what)?;
        let errors = log.try_clone().or_fail(what)?;
        self.child = Some(Guarded::spawn(command.stdout(log).stderr(errors))?);
        Ok(())
    }

    /// Waits until it answers.
    pub fn wait(&mut self) -> Result<(), Failure> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .http_status_as_error(false)
            .build()
            .into();
        let deadline = Instant::now() + START_TIMEOUT;
        while agent.get(&self.health).call().is_err() {
            self.check()?;
            if Instant::now() > deadline {
                let seconds = START_TIMEOUT.as_secs();
                return Err(self.failed(&format!("does not answer after {seconds} s")));
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Fails if it has ended by itself.
    pub fn check(&mut self) -> Result<(), Failure> {
        let ended = match &mut self.child {
            Some(child) => child.ended()?,
            None => None,
        };
        ended.map_or(Ok(()), |status| Err(self.failed(&describe(status))))
    }

    /// Ends it like `kill -9`; it then counts as not running.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill();
        }
    }

    /// Asks it to end and waits for that.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.stop();
        }
    }

    fn failed(&self, how: &str) -> Failure {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines = last_lines(&log, 5);
        let lines = if lines.is_empty() {
            String::new()
        } else {
            format!("\n{lines}")
        };
        Failure::new(format!("`{}` {how}{lines}", self.name))
            .hint(format!("its log is `{}`", self.log.display()))
    }
}
