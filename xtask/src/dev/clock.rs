//! Calls the gateway's `scheduled` handler when `wrangler.toml` says so, as Cloudflare's clock does
//! in production.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::Failure;
use crate::stack::CronTrigger;

/// The crons of one gateway.
pub struct Clock {
    /// Each cron expression with its interval in minutes.
    crons: Vec<(String, u64)>,
    trigger: CronTrigger,
    /// Minutes since 1970 at the last tick.
    minute: u64,
}

impl Clock {
    /// A clock that starts with the next minute.
    pub fn new(crons: &[String], trigger: CronTrigger) -> Result<Self, Failure> {
        let interval = |cron: &String| {
            let minutes = interval(cron).ok_or_else(|| {
                Failure::new(format!("the local clock cannot keep the cron `{cron}`"))
                    .hint("it knows `* * * * *` and `*/n * * * *`")
            })?;
            Ok((cron.clone(), minutes))
        };
        let crons = crons.iter().map(interval).collect::<Result<_, Failure>>()?;
        Ok(Self {
            crons,
            trigger,
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
        for (cron, minutes) in &self.crons {
            // Like Cloudflare's, it counts the minutes of the hour.
            if (now % 60).is_multiple_of(*minutes) {
                let (cron, trigger) = (cron.clone(), self.trigger.clone());
                std::thread::spawn(move || {
                    if let Err(failure) = trigger.run(&cron) {
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
