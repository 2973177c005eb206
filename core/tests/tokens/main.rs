//! Measures the estimate of tokens against the counts of real tokenizers on the sample, and keeps
//! the table of `docs/TOKENS.md` true. The counts come from `measure.mjs`.

// The lints know only by this that helpers of tests may panic.
#![cfg(test)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "counts of a small fixed sample, and a test may panic"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tollgate_core::tokens::{Counter, estimate};

/// Bounds on the error that the document promises, in tenths of a percent.
const WORST_TUNED: i64 = 130;
const WORST_HELD_OUT: i64 = 270;
const MEAN_TUNED: i64 = 50;
const MEAN_HELD_OUT: i64 = 70;

const BEGIN: &str = "<!-- tokens -->\n";
const END: &str = "<!-- /tokens -->\n";

#[derive(Deserialize)]
struct Counts {
    tokenizers: Vec<Tokenizer>,
    texts: Vec<Row>,
}

#[derive(Deserialize)]
struct Tokenizer {
    name: String,
    current: bool,
    source: String,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    counts: Vec<u64>,
}

struct Measured {
    row: Row,
    characters: usize,
    bytes: u64,
    /// The mean of the current tokenizers.
    mean: i64,
    estimate: i64,
    at_most: u64,
    /// The estimate's distance from the mean, in tenths of a percent.
    error: i64,
}

impl Measured {
    fn is_tuned(&self) -> bool {
        !self.row.text.ends_with(".3")
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tokens")
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap()
}

fn rounded(dividend: i64, divisor: i64) -> i64 {
    (2 * dividend + divisor).div_euclid(2 * divisor)
}

fn measure() -> (Vec<Tokenizer>, Vec<Measured>) {
    let counts = fs::read_to_string(folder().join("counts.json")).unwrap();
    let counts: Counts = serde_json::from_str(&counts).unwrap();
    let current: Vec<bool> = counts.tokenizers.iter().map(|one| one.current).collect();
    let number = current.iter().filter(|current| **current).count();
    let number = i64::try_from(number).unwrap();
    let measured = counts.texts.into_iter().map(|row| {
        let path = folder().join("sample").join(format!("{}.txt", row.text));
        let text = fs::read_to_string(path).unwrap();
        let pairs = row.counts.iter().zip(&current);
        let sum: u64 = pairs
            .filter_map(|(count, current)| current.then_some(count))
            .sum();
        let mut counter = Counter::default();
        counter.push(&text);
        let estimate = whole(estimate(&text));
        Measured {
            characters: text.chars().count(),
            bytes: u64::try_from(text.len()).unwrap(),
            mean: rounded(whole(sum), number),
            estimate,
            at_most: counter.at_most(),
            error: rounded((estimate * number - whole(sum)) * 1_000, whole(sum)),
            row,
        }
    });
    (counts.tokenizers, measured.collect())
}

/// How far some estimates are off, in tenths of a percent.
struct Errors<'a> {
    number: i64,
    mean: i64,
    worst: i64,
    worst_text: &'a str,
}

fn errors<'a>(measured: &'a [Measured], of: impl Fn(&Measured) -> Option<i64>) -> Errors<'a> {
    let mut found = Errors {
        number: 0,
        mean: 0,
        worst: 0,
        worst_text: "",
    };
    let mut sum = 0;
    for one in measured {
        let Some(error) = of(one) else { continue };
        found.number += 1;
        sum += error.abs();
        if error.abs() > found.worst.abs() {
            (found.worst, found.worst_text) = (error, &one.row.text);
        }
    }
    found.mean = rounded(sum, found.number);
    found
}

fn tuned(one: &Measured) -> Option<i64> {
    one.is_tuned().then_some(one.error)
}

fn held_out(one: &Measured) -> Option<i64> {
    (!one.is_tuned()).then_some(one.error)
}

fn percent(tenths: i64) -> String {
    let sign = if tenths < 0 { "−" } else { "+" };
    format!("{sign}{}.{} %", tenths.abs() / 10, tenths.abs() % 10)
}

fn render(tokenizers: &[Tokenizer], measured: &[Measured]) -> String {
    let mut out = String::new();
    for one in tokenizers {
        let current = if one.current { "current" } else { "older" };
        writeln!(out, "- `{}`: {} ({current})", one.name, one.source).unwrap();
    }
    let names: Vec<&str> = tokenizers.iter().map(|one| &*one.name).collect();
    let names = names.join(" | ");
    writeln!(
        out,
        "\n| Text | Characters | {names} | Mean of the current | Estimate | Error | At most |"
    )
    .unwrap();
    writeln!(out, "|---|{}", "---:|".repeat(tokenizers.len() + 5)).unwrap();
    for one in measured {
        let star = if one.is_tuned() { "" } else { " \\*" };
        let counts: Vec<String> = one.row.counts.iter().map(u64::to_string).collect();
        let (text, counts) = (&one.row.text, counts.join(" | "));
        let error = percent(one.error);
        writeln!(
            out,
            "| {text}{star} | {} | {counts} | {} | {} | {error} | {} |",
            one.characters, one.mean, one.estimate, one.at_most
        )
        .unwrap();
    }
    writeln!(
        out,
        "\n| Texts | Number | Mean error | Worst error |\n|---|---:|---:|---|"
    )
    .unwrap();
    let mut line = |name: &str, errors: &Errors<'_>| {
        let (number, text) = (errors.number, errors.worst_text);
        let (mean, worst) = (percent(errors.mean).replace('+', ""), percent(errors.worst));
        writeln!(out, "| {name} | {number} | {mean} | {worst} ({text}) |").unwrap();
    };
    line("tuned on", &errors(measured, tuned));
    line("held out", &errors(measured, held_out));
    line("all", &errors(measured, |one| Some(one.error)));
    for (at, tokenizer) in tokenizers.iter().enumerate() {
        let against = errors(measured, |one| {
            let count = whole(one.row.counts[at]);
            Some(rounded((one.estimate - count) * 1_000, count))
        });
        line(
            &format!("all, against `{}` alone", tokenizer.name),
            &against,
        );
    }
    out
}

#[test]
fn an_estimate_is_as_near_to_real_tokenizers_as_the_document_says() {
    let (_, measured) = measure();
    let check = |name: &str, errors: &Errors<'_>, mean_bound: i64, worst_bound: i64| {
        let (mean, worst, text) = (errors.mean, errors.worst, errors.worst_text);
        assert!(mean <= mean_bound, "{name}: mean {mean}");
        assert!(
            worst.abs() <= worst_bound,
            "{name}: worst {worst} in {text}"
        );
    };
    check(
        "tuned on",
        &errors(&measured, tuned),
        MEAN_TUNED,
        WORST_TUNED,
    );
    check(
        "held out",
        &errors(&measured, held_out),
        MEAN_HELD_OUT,
        WORST_HELD_OUT,
    );
}

#[test]
fn no_measured_tokenizer_is_above_the_cautious_count() {
    for one in measure().1 {
        let highest = one.row.counts.iter().max().unwrap();
        let name = &one.row.text;
        assert!(
            one.at_most >= *highest,
            "{name}: {} of {highest}",
            one.at_most
        );
        assert!(one.at_most <= one.bytes, "{name}: {}", one.at_most);
    }
}

#[test]
fn the_sample_is_what_was_measured() {
    let (tokenizers, measured) = measure();
    let mut files: Vec<String> = fs::read_dir(folder().join("sample"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let rows = measured.iter().map(|one| format!("{}.txt", one.row.text));
    assert_eq!(rows.collect::<Vec<String>>(), files);
    for one in &measured {
        let name = &one.row.text;
        assert_eq!(one.row.counts.len(), tokenizers.len(), "{name}");
        assert!(
            (350..=2_000).contains(&one.characters),
            "{name}: {}",
            one.characters
        );
    }
}

/// `TOLLGATE_WRITE_DOCS=1 cargo test -p tollgate-core --test tokens` writes the table.
#[test]
fn the_document_shows_the_measured_errors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/TOKENS.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let (tokenizers, measured) = measure();
    let table = render(&tokenizers, &measured);
    let fresh = format!("{before}{BEGIN}{table}{END}{after}");
    if std::env::var_os("TOLLGATE_WRITE_DOCS").is_some() {
        fs::write(&path, &fresh).unwrap();
    } else {
        assert!(
            page == fresh,
            "the table is not what the code counts; run with `TOLLGATE_WRITE_DOCS=1` to write it"
        );
    }
}
