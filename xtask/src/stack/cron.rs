//! Calls the small Worker that runs the others' `scheduled` handlers.

use std::time::Duration;

use crate::build::Worker;
use crate::failure::{Failure, OrFail};

/// Runs the Workers' `scheduled` handlers, as the runtime's clock does in production.
#[derive(Clone, Debug)]
pub struct CronTrigger {
    pub(super) url: String,
}

impl CronTrigger {
    /// Runs a Worker's handler as for this cron expression, and waits until it and its background
    /// work are done.
    ///
    /// # Errors
    /// When the handler failed or the Worker is not running.
    pub fn run(&self, worker: Worker, expression: &str) -> Result<(), Failure> {
        let name = worker.name();
        let what = || format!("cannot run the {name}'s scheduled handler");
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_mins(15)))
            .http_status_as_error(false)
            .build()
            .into();
        let url = format!("{}/{name}", self.url);
        let mut response = agent.post(&url).send(expression).or_fail(what)?;
        let outcome = response.body_mut().read_to_string().or_fail(what)?;
        if outcome == "ok" {
            return Ok(());
        }
        Err(
            Failure::new(format!("the {name}'s scheduled handler failed: {outcome}"))
                .hint(format!("the {name}'s log says why")),
        )
    }
}
