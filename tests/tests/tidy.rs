//! What no compiler checks and a reader relies on: where I/O is, how long files are, and that every
//! setting is documented.

use std::fs;
use std::path::{Path, PathBuf};

/// Files that hold one idea stay below this, tests apart.
const MOST_LINES: usize = 450;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!files.is_empty(), "{folder}");
    files
}

/// The files of the Workers in which one of these words stands.
fn worker_files_with(words: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = ["src", "dashboard/src", "edge/src"]
        .into_iter()
        .flat_map(sources)
        .filter(|(_, text)| words.iter().any(|word| text.contains(word)))
        .map(|(name, _)| name)
        .collect();
    found.sort();
    found
}

#[test]
fn each_worker_reaches_the_network_in_one_file_besides_the_database() {
    let found = worker_files_with(&["Fetch::", "fetch_with", "Fetcher"]);
    let known = [
        "dashboard/src/outbound.rs",
        "edge/src/turso.rs",
        "src/provider.rs",
    ];
    assert_eq!(found, known);
}

#[test]
fn the_workers_ask_for_time_and_chance_in_one_file_only() {
    let clock = ["edge/src/clock.rs"];
    assert_eq!(
        worker_files_with(&["worker::Date", "Date::now", "Delay::"]),
        clock
    );
    assert_eq!(
        worker_files_with(&["getrandom::u", "getrandom::fill"]),
        clock
    );
}

#[test]
fn the_core_does_no_input_or_output() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::env",
        "SystemTime",
        "Instant::now",
        "async fn",
        "worker::",
    ];
    let sources = sources("core/src").into_iter();
    for (name, text) in sources.filter(|(name, _)| !name.ends_with("tests.rs")) {
        for word in forbidden {
            assert!(!text.contains(word), "{name} has `{word}`");
        }
    }
}

#[test]
fn a_file_holds_one_idea() {
    let folders = [
        "src",
        "core/src",
        "dashboard/src",
        "edge/src",
        "simulator/src",
        "xtask/src",
    ];
    for folder in folders {
        for (name, text) in sources(folder) {
            let code = text.split("\n#[cfg(test)]\nmod tests {").next();
            let lines = code.unwrap_or_default().lines().count();
            let is_test = name.ends_with("tests.rs");
            assert!(is_test || lines <= MOST_LINES, "{name} has {lines} lines");
            let says = text.starts_with("//!") || text.starts_with("#![doc");
            assert!(is_test || says, "{name} does not say what it holds");
        }
    }
}

#[test]
fn every_setting_is_documented() {
    let config = ["src/config.rs", "dashboard/src/config.rs"]
        .map(|file| fs::read_to_string(root().join(file)).unwrap())
        .concat();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let settings: Vec<&str> = config
        .split('"')
        .filter(|text| text.len() > 4 && text.bytes().all(|c| c.is_ascii_uppercase() || c == b'_'))
        .collect();
    assert!(settings.contains(&"TURSO_URL"), "{settings:?}");
    for setting in settings {
        assert!(readme.contains(setting), "`{setting}` is not in README.md");
    }
}
