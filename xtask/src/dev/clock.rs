//! Calls the Workers' `scheduled` handlers when their `wrangler.toml` says so, as Cloudflare's clock does
//! in production.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::build::Worker;
use crate::failure::Failure;
use crate::stack::{CronTrigger, Stack};

/// The crons of one stack.
pub struct Clock {
    /// Each cron expression with its Worker and its interval in minutes.
    crons: Vec<(Worker, String, u64)>,
    trigger: CronTrigger,
    /// Minutes since 1970 at the last tick.
    minute: u64,
}

impl Clock {
    /// A clock that starts with the next minute.
    pub fn new(stack: &Stack) -> Result<Self, Failure> {
        let interval = |(worker, cron): (Worker, &str)| {
            let minutes = interval(cron).ok_or_else(|| {
                Failure::new(format!("the local clock cannot keep the cron `{cron}`"))
                    .hint("it knows `* * * * *` and `*/n * * * *`")
            })?;
            Ok((worker, cron.to_owned(), minutes))
        };
        let crons = stack.crons().map(interval);
        Ok(Self {
            crons: crons.collect::<Result<_, Failure>>()?,
            trigger: stack.cron(),
            minute: unix_minute(),
        })
    }

    /// Starts what is due, once per minute, and does not wait for it.
    pub fn tick(&mut self) {
        let now = unix_minute();
        if now == self.minute {
            return;
        }
        self.minute = now;
        for (worker, cron, minutes) in &self.crons {
            // Like Cloudflare's, it counts the minutes of the hour.
            if (now % 60).is_multiple_of(*minutes) {
                let (worker, cron, trigger) = (*worker, cron.clone(), self.trigger.clone());
                std::thread::spawn(move || {
                    if let Err(failure) = trigger.run(worker, &cron) {
                        eprintln!("{failure}");
                    }
                });
            }
        }
    }
}

fn unix_minute() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs() / 60)
}

/// The minutes between two runs, for an expression that names nothing but minutes.
fn interval(cron: &str) -> Option<u64> {
    let minutes = cron.strip_suffix(" * * * *")?;
    match minutes.strip_prefix('*')? {
        "" => Some(1),
        rest => rest
            .strip_prefix('/')?
            .parse()
            .ok()
            .filter(|minutes| (1..60).contains(minutes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cron_that_the_local_clock_cannot_keep_is_refused_not_guessed() {
        let check = |cron: &str, expect| assert_eq!(interval(cron), expect, "{cron}");
        check("* * * * *", Some(1));
        check("*/5 * * * *", Some(5));
        check("*/0 * * * *", None);
        check("*/60 * * * *", None);
        check("5 * * * *", None);
        check("0 3 * * *", None);
        check("* * * * 1", None);
        check("", None);
    }
}
