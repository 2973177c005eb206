//! Reads `.dev.vars`: a developer's own settings and keys, in the form that wrangler uses.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::Failure;

/// The variables of a file; none if there is no file.
pub fn read(file: &Path) -> Result<BTreeMap<String, String>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => parse(&text),
        Err(_) => Ok(BTreeMap::new()),
    }
}

/// Lines of `NAME=value`, the value plain or in quotes; empty lines, comments and names without a
/// value are skipped.
fn parse(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let mut variables = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line itself may be a key, so it is not shown.
        let (name, value) = line.split_once('=').ok_or_else(|| {
            Failure::new(format!("line {number} of `.dev.vars` is not `NAME=value`"))
        })?;
        let value = value.trim();
        let unquoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
            .unwrap_or(value);
        if !unquoted.is_empty() {
            variables.insert(name.trim().to_owned(), unquoted.to_owned());
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_wrangler_reads_them() {
        let check = |text: &str, expect: &[(&str, &str)]| {
            let expect = expect
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(parse(text).ok(), Some(expect.collect()), "{text}");
        };
        check("", &[]);
        check("# KEY=a\n\nKEY=b\n", &[("KEY", "b")]);
        check(
            "KEY = \"a=b\"\nURL='https://x'",
            &[("KEY", "a=b"), ("URL", "https://x")],
        );
        check("KEY=\nOTHER=\"\"\n", &[]);
        assert!(parse("just a word").is_err_and(|failure| !failure.to_string().contains("word")));
    }
}
