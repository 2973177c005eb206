//! The short run of the fuzz targets: every recorded input, and some thousand changed ones that are
//! the same on every machine. The long run is `cargo xtask fuzz`.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use tollgate_fuzz_properties::{Check, Mutator, TARGETS};

/// Changed inputs for each target.
const MUTATIONS: u64 = 2_000;

/// What all of `corpus/` may take in the repository.
const MOST_CORPUS_BYTES: u64 = 300_000;

fn fuzz_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The recorded inputs of a target, in the order of their names.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let dir = fuzz_dir().join("corpus").join(target);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{}", dir.display());
    files
        .into_iter()
        .map(|file| (file.clone(), fs::read(file).unwrap()))
        .collect()
}

/// The words of a target's dictionary, in libFuzzer's form: one quoted word a line.
fn words(target: &str) -> Vec<Vec<u8>> {
    let file = fuzz_dir()
        .join("dictionaries")
        .join(format!("{target}.dict"));
    let text = fs::read_to_string(&file).unwrap();
    let quoted = text
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    let words: Vec<_> = quoted.map(unescape).collect();
    assert!(!words.is_empty(), "{}", file.display());
    words
}

/// libFuzzer's escapes: `\"`, `\\` and `\xAB`.
fn unescape(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let byte = match (first, after) {
            (b'\\', [b'x', high, low, ..]) => {
                rest = &after[3..];
                let hex = [*high, *low];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            (b'\\', [escaped, ..]) => {
                rest = &after[1..];
                *escaped
            }
            (byte, _) => *byte,
        };
        bytes.push(byte);
    }
    bytes
}

/// Runs a target on one input; a broken property is told with what is needed to see it again.
fn run(target: &str, check: Check, input: &[u8], origin: &str) {
    if catch_unwind(|| check(input)).is_err() {
        let bytes: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!(
            "`{target}` is broken by {origin}\ntext: {}\nhex: {bytes}",
            String::from_utf8_lossy(input)
        );
    }
}

/// The whole short run of one target.
fn check(target: &str) {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, check) = found.unwrap();
    let recorded = corpus(target);
    for (file, input) in &recorded {
        run(target, *check, input, &file.display().to_string());
    }
    let inputs: Vec<_> = recorded.into_iter().map(|(_, input)| input).collect();
    let words = words(target);
    for seed in 0..MUTATIONS {
        let input = Mutator::new(&inputs, &words, seed).next_input();
        run(target, *check, &input, &format!("seed {seed}"));
    }
}

#[test]
fn no_stream_makes_the_decoder_lose_or_invent_an_event() {
    check("sse");
}

#[test]
fn no_streamed_answer_breaks_the_caller_s_stream_or_tells_of_the_operator() {
    check("transcript");
}

#[test]
fn no_body_is_sent_on_as_anything_but_what_was_priced() {
    check("body");
}

#[test]
fn no_reply_of_the_database_is_read_as_more_than_it_says() {
    check("hrana");
}

#[test]
fn no_record_or_price_list_is_misread() {
    check("record");
}

#[test]
fn no_answer_or_failure_tells_of_the_operator() {
    check("answer");
}

#[test]
fn the_corpus_stays_small() {
    let sizes = TARGETS.iter().flat_map(|(target, _)| corpus(target));
    let bytes: u64 = sizes
        .map(|(file, _)| fs::metadata(file).unwrap().len())
        .sum();
    assert!(bytes <= MOST_CORPUS_BYTES, "{bytes}: run `cargo fuzz cmin`");
}

#[test]
fn every_target_of_the_long_run_is_in_the_short_one() {
    let files = fs::read_dir(fuzz_dir().join("fuzz_targets")).unwrap();
    let mut found: Vec<String> = files
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    found.sort();
    let mut known: Vec<_> = TARGETS.iter().map(|(target, _)| *target).collect();
    known.sort_unstable();
    assert_eq!(found, known);
}
