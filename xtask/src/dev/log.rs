//! Follows the gateway's log. workerd wraps every line that the gateway prints into a JSON object;
//! the line itself goes to the terminal, workerd's own complaints beside it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use serde::Deserialize;

/// A log file and how far it was read.
pub struct Log {
    path: PathBuf,
    offset: u64,
    /// The beginning of a line whose end is not written yet.
    partial: Vec<u8>,
}

/// One line of workerd's.
#[derive(Deserialize)]
struct Line {
    level: String,
    message: String,
    /// Where in workerd it comes from; the gateway's own lines have none.
    source: Option<String>,
}

impl Log {
    /// Reads a log from its beginning.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            offset: 0,
            partial: Vec::new(),
        }
    }

    /// Prints what was added since the last time. A log that cannot be read now prints nothing.
    pub fn print_new_lines(&mut self) {
        let Ok(added) = self.read() else { return };
        self.partial.extend(added);
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            if let Some(text) = readable(&String::from_utf8_lossy(&line)) {
                println!("{text}");
            }
        }
    }

    fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut added = Vec::new();
        file.read_to_end(&mut added)?;
        self.offset = file.stream_position()?;
        Ok(added)
    }
}

/// What of a log line is for a person's eyes.
fn readable(line: &str) -> Option<String> {
    match serde_json::from_str::<Line>(line) {
        Ok(Line {
            message,
            source: None,
            ..
        }) => Some(message),
        Ok(Line { level, message, .. }) if level == "error" || level == "warning" => {
            Some(format!("workerd: {message}"))
        }
        Ok(_) => None,
        Err(_) => Some(line.trim_end().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_shows_the_gateways_lines_and_workerds_complaints_only() {
        let check = |line: &str, expect: Option<&str>| {
            assert_eq!(readable(line).as_deref(), expect, "{line}");
        };
        check(
            r#"{"timestamp":1,"level":"log","message":"{\"status\":200}"}"#,
            Some(r#"{"status":200}"#),
        );
        check(
            r#"{"timestamp":"1","level":"error","source":"a.rs:1","message":"in use","context_depth":0}"#,
            Some("workerd: in use"),
        );
        check(
            r#"{"timestamp":"1","level":"info","source":"a.c++:1","message":"detail"}"#,
            None,
        );
        check("not json\n", Some("not json"));
    }
}
