//! What a campaign says at its end.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Instant;

use super::audit::Audit;

/// The most violations that are printed in full.
const MOST_SHOWN: usize = 20;

/// The result of a campaign.
#[derive(Debug)]
pub struct Report {
    title: String,
    began: Instant,
    lines: Vec<String>,
    /// Every rule that was broken, in words. Empty is what it is all about.
    pub violations: Vec<String>,
}

impl Report {
    /// Begins now; the seed is printed at once, so that it is known whatever happens.
    #[must_use]
    pub fn begin(name: &str, seed: u64) -> Self {
        let title = format!("{name}, seed {seed}");
        println!("{title}");
        Self {
            title,
            began: Instant::now(),
            lines: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Adds a line.
    pub fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Adds how often each thing happened.
    pub fn count(&mut self, what: &str, counts: &BTreeMap<String, u64>) {
        let counts: Vec<String> = counts
            .iter()
            .map(|(kind, count)| format!("{kind}: {count}"))
            .collect();
        self.say(format!("{what}: {}", counts.join(", ")));
    }

    /// Adds what an audit found.
    pub fn add(&mut self, audit: Audit) {
        self.count("calls by outcome", &audit.outcomes);
        self.say(format!(
            "billed by the provider: ${}, of that charged by the default: ${}; paid at all levels: \
             ${}; shortfall: ${}",
            usd(audit.billed_picos),
            usd(audit.unmatched_picos),
            usd(audit.paid * 1_000),
            usd(audit.shortfall * 1_000),
        ));
        self.violations.extend(audit.violations);
    }

    /// Ends it, and prints everything.
    #[must_use]
    pub fn end(mut self) -> Self {
        let seconds = self.began.elapsed().as_secs_f64();
        self.say(format!("wall time: {seconds:.1} s"));
        println!("{self}");
        self
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for line in &self.lines {
            writeln!(f, "  {line}")?;
        }
        write!(f, "  violations: {}", self.violations.len())?;
        for violation in self.violations.iter().take(MOST_SHOWN) {
            write!(f, "\n    {violation}")?;
        }
        Ok(())
    }
}

fn usd(picos: i128) -> String {
    let micros = picos / 1_000_000;
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
