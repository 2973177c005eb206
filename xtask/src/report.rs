//! What a command prints: text for people, or with `--json` one JSON value for programs. Which facts
//! are printed is decided by the commands.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde_json::Value;
use tollgate_core::calendar::rfc3339;

/// The outcome of a command in both forms.
#[derive(Clone, Debug)]
pub struct Report {
    /// For people: lines that end in a line feed.
    pub text: String,
    /// For programs.
    pub json: Value,
}

impl Report {
    /// A report of one line.
    pub fn line(text: impl Into<String>, json: Value) -> Self {
        let mut text = text.into();
        text.push('\n');
        Self { text, json }
    }

    /// Prints one of the two forms. A reader that has gone away is no error.
    pub fn print(&self, as_json: bool) {
        let mut out = io::stdout().lock();
        let written = if as_json {
            writeln!(out, "{:#}", self.json)
        } else {
            out.write_all(self.text.as_bytes())
        };
        drop(written.and_then(|()| out.flush()));
    }
}

/// Rows below a head, each column as wide as its widest cell.
#[derive(Clone, Debug)]
pub struct Table {
    head: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows. A column whose head starts with `>` is flush right.
    #[must_use]
    pub const fn new(head: &'static [&'static str]) -> Self {
        Self {
            head,
            rows: Vec::new(),
        }
    }

    /// Appends a row; cells beyond the head are left out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as lines, or the line `none` when it has no rows.
    #[must_use]
    pub fn to_text(&self) -> String {
        if self.rows.is_empty() {
            return "none\n".to_owned();
        }
        let heads: Vec<String> = self
            .head
            .iter()
            .map(|head| head.trim_start_matches('>').to_owned())
            .collect();
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&heads]);
            let widths = cells
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count());
            widths.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let mut text = String::new();
        for row in [&heads].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for ((cell, width), head) in row.iter().zip(&widths).zip(self.head) {
                // Writing to a string does not fail.
                let _ = if head.starts_with('>') {
                    write!(line, "{cell:>width$}  ")
                } else {
                    write!(line, "{cell:<width$}  ")
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A moment in Unix milliseconds for people, to the second, in UTC.
#[must_use]
pub fn moment(at_ms: i64) -> String {
    let whole = at_ms.div_euclid(1_000).saturating_mul(1_000);
    rfc3339(whole).unwrap_or_else(|| at_ms.to_string())
}

/// A cell for a value that may be missing.
#[must_use]
pub fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let mut table = Table::new(&["name", ">amount", "note"]);
        table.row(["é".into(), "$1.5".into(), String::new()]);
        table.row(["longer".into(), "$100".into(), "x".into()]);
        assert_eq!(
            table.to_text(),
            "name    amount  note\né         $1.5\nlonger    $100  x\n"
        );
        assert_eq!(Table::new(&["a"]).to_text(), "none\n");
    }

    #[test]
    fn moments_are_seconds_in_utc() {
        assert_eq!(moment(1_795_348_800_999), "2026-11-22T12:00:00Z");
        assert_eq!(moment(i64::MAX), i64::MAX.to_string());
    }
}
