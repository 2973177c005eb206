//! What the gateway itself says of its calls: the database's rows and round trips of each, from the
//! one line that it logs when a call is settled.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::statistics::Counts;

/// Calls that are not settled by then are left out.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the log is looked at.
const POLL: Duration = Duration::from_millis(20);

/// What calls cost the database, admission and settlement together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct DatabaseUse {
    /// Calls that were settled.
    pub calls: usize,
    /// Round trips a call.
    pub trips: Counts,
    /// Rows read a call.
    pub rows_read: Counts,
    /// Rows and index entries written a call.
    pub rows_written: Counts,
    /// Lines that tell of a fault or an alarm.
    pub faults: usize,
}

/// The gateway's log and how far it was read.
#[derive(Debug)]
pub struct GatewayLog {
    path: PathBuf,
    offset: u64,
}

#[derive(Deserialize)]
struct Line {
    message: String,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    resolved: Option<String>,
    database: Option<Used>,
}

#[derive(Clone, Copy, Deserialize)]
struct Used {
    trips: u64,
    rows_read: u64,
    rows_written: u64,
}

impl GatewayLog {
    /// A log of which nothing was read yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, offset: 0 }
    }

    /// Skips what is there.
    pub fn skip(&mut self) {
        self.offset = std::fs::metadata(&self.path).map_or(0, |file| file.len());
    }

    /// Waits until so many calls were settled since the last time, and sums them up.
    #[must_use]
    pub fn settled(&mut self, calls: u64) -> DatabaseUse {
        let deadline = Instant::now() + PATIENCE;
        let begin = self.offset;
        loop {
            let text = self.read(begin).unwrap_or_default();
            let used = sum_up(&text);
            if used.calls as u64 >= calls || Instant::now() > deadline {
                self.offset = begin + text.len() as u64;
                return used;
            }
            sleep(POLL);
        }
    }

    fn read(&self, from: u64) -> std::io::Result<String> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n');
        bytes.truncate(whole.map_or(0, |end| end + 1));
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn sum_up(log: &str) -> DatabaseUse {
    let (mut settled, mut faults) = (Vec::new(), 0);
    for line in log.lines() {
        let line: Option<Line> = serde_json::from_str(line).ok();
        let event: Option<Event> = line.and_then(|line| serde_json::from_str(&line.message).ok());
        match event {
            Some(Event {
                resolved: Some(_),
                database: Some(used),
                ..
            }) => settled.push(used),
            Some(Event { event, .. }) if event == "fault" || event == "alarm" => faults += 1,
            Some(_) | None => {}
        }
    }
    let counts = |count: fn(&Used) -> u64| Counts::of(settled.iter().map(count).collect());
    DatabaseUse {
        calls: settled.len(),
        trips: counts(|used| used.trips),
        rows_read: counts(|used| used.rows_read),
        rows_written: counts(|used| used.rows_written),
        faults,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settled_calls_count_and_faults_are_told() {
        let line = |message: &str| serde_json::json!({ "message": message }).to_string();
        let call = |trips: u64| {
            line(&format!(
                r#"{{"event":"request","resolved":"now","database":{{"trips":{trips},"rows_read":30,"rows_written":6}}}}"#
            ))
        };
        let log = [
            call(2),
            line(r#"{"event":"request","route":"health","database":{"trips":0,"rows_read":0,"rows_written":0}}"#),
            line(r#"{"event":"fault","at":"settle"}"#),
            line("workerd says something"),
            "not json".to_owned(),
            call(4),
        ]
        .join("\n");
        let used = sum_up(&log);
        assert_eq!((used.calls, used.faults, used.trips.max), (2, 1, 4));
        assert_eq!((used.rows_read.median, used.rows_written.median), (30, 6));
        assert!((used.trips.mean - 3.0).abs() < 1e-9);
    }
}
