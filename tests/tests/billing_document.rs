//! `docs/BILLING.md` cannot lie about its proofs: every test and check that it names exists, and it
//! names every check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use xtask::conformance::checks::CHECKS;

/// Where tests are, and what their names begin with in the document.
const HOMES: [(&str, &str); 7] = [
    ("core", "core/src"),
    ("tokens", "core/tests/tokens"),
    ("sql", "tests/tests/sql"),
    ("end_to_end", "tests/tests/end_to_end"),
    ("simulation", "tests/tests/simulation"),
    ("campaign", "tests/tests/campaign"),
    ("fuzz", "fuzz/properties/tests"),
];

/// The pains and the missing things.
const SECTIONS: usize = 24;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of all tests, as cargo writes them, each behind the name of its home.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (name, folder) in HOMES {
        let mut folders = vec![(name.to_owned(), root().join(folder))];
        while let Some((module, folder)) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let inner = match stem.as_str() {
                    "main" | "mod" | "lib" => module.clone(),
                    stem => format!("{module}::{stem}"),
                };
                if path.is_dir() {
                    folders.push((inner, path));
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    names.extend(tests_in(&inner, &fs::read_to_string(path).unwrap()));
                }
            }
        }
    }
    assert!(names.len() > 200, "{}", names.len());
    names
}

fn tests_in(module: &str, text: &str) -> Vec<String> {
    let mut module = module.to_owned();
    let mut names = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "mod tests {" {
            module.push_str("::tests");
        }
        if line.trim() != "#[test]" {
            continue;
        }
        let name = lines.find_map(|line| line.trim().strip_prefix("fn "));
        let name = name.and_then(|line| line.split('(').next()).unwrap();
        names.push(format!("{module}::{name}"));
    }
    names
}

/// What stands in backticks and has a path in it, outside of blocks of code.
fn named(text: &str) -> Vec<&str> {
    let blocks = text.split("```").step_by(2);
    let spans = blocks.flat_map(|text| text.split('`').skip(1).step_by(2));
    spans.filter(|span| span.contains("::")).collect()
}

fn document() -> String {
    fs::read_to_string(root().join("docs/BILLING.md")).unwrap()
}

#[test]
fn every_test_and_check_that_the_document_names_exists() {
    let checks = CHECKS
        .iter()
        .map(|check| format!("conformance::{}", check.id));
    let known: BTreeSet<String> = tests().into_iter().chain(checks).collect();
    let document = document();
    let unknown: Vec<&str> = named(&document)
        .into_iter()
        .filter(|name| !known.contains(*name))
        .collect();
    assert!(unknown.is_empty(), "no such tests: {unknown:#?}");
}

#[test]
fn every_check_is_the_proof_of_something() {
    let document = document();
    let sections = document.split("\n### ").skip(1);
    let named: BTreeSet<&str> = sections.flat_map(named).collect();
    let left_out: Vec<&str> = CHECKS
        .iter()
        .map(|check| check.id)
        .filter(|id| !named.contains(format!("conformance::{id}").as_str()))
        .collect();
    assert!(left_out.is_empty(), "not in BILLING.md: {left_out:?}");
}

#[test]
fn every_pain_and_every_missing_thing_has_a_rule_a_place_and_a_proof() {
    let document = document();
    let sections: Vec<&str> = document
        .split("\n### ")
        .skip(1)
        .map(|section| section.split("\n## ").next().unwrap())
        .collect();
    assert_eq!(sections.len(), SECTIONS);
    for section in sections {
        let title = section.lines().next().unwrap();
        for part in ["**Rule.**", "**Where.**", "**Proof.**"] {
            assert!(section.contains(part), "`{title}` has no {part}");
        }
        let (_, proof) = section.split_once("**Proof.**").unwrap();
        assert!(!named(proof).is_empty(), "`{title}` names no test");
        let (_, place) = section.split_once("**Where.**").unwrap();
        let place = place.split("**Proof.**").next().unwrap();
        let files: Vec<&str> = place
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|span| span.contains('/'))
            .collect();
        assert!(!files.is_empty(), "`{title}` names no file");
        for file in files {
            assert!(root().join(file).exists(), "`{title}`: no `{file}`");
        }
    }
}

#[test]
fn no_name_of_a_check_is_given_twice() {
    let ids: BTreeSet<&str> = CHECKS.iter().map(|check| check.id).collect();
    assert_eq!(ids.len(), CHECKS.len());
    let plain = |c: u8| c.is_ascii_lowercase() || c == b'-';
    assert!(ids.iter().all(|id| id.bytes().all(plain)), "{ids:?}");
}
