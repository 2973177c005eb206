//! `cargo xtask test`: every check there is, cheapest first, up to the first that fails. What runs
//! is listed in one place, [`run`]; what the tests test is in their crates.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::build::{self, Optimise, Worker};
use crate::docs;
use crate::failure::Failure;
use crate::process;
use crate::progress::seconds;
use crate::repo::{TOOLCHAIN, path, root};
use crate::setup::{self, Tools};
use crate::stack;

/// The package whose tests need the built gateway, the database and the SDKs.
const REAL_PARTS: &str = "tollgate-tests";

/// Runs everything; with a filter only the tests whose name contains it.
///
/// # Errors
/// The first check that failed.
pub fn run(filter: Option<&str>) -> Result<(), Failure> {
    let tools = setup::tools()?;
    setup::python_openai()?;
    setup::chromium()?;
    let mut report = Report::default();
    let outcome = match filter {
        None => everything(&tools, &mut report),
        Some(filter) => matching(&tools, &mut report, filter),
    };
    report.print();
    outcome
}

fn everything(tools: &Tools, report: &mut Report) -> Result<(), Failure> {
    report.step("formatting", formatting)?;
    report.step("generated documents", docs::check)?;
    report.step("lints", || {
        process::run(&mut cargo(
            "clippy --workspace --all-targets -- -D warnings",
        ))
    })?;
    report.step("lints for WASM", || {
        let target = "wasm32-unknown-unknown";
        process::run(&mut cargo(&format!(
            "clippy --package tollgate --package tollgate-dashboard --target {target} -- -D warnings"
        )))
    })?;
    report.step("tests", || {
        process::run(&mut cargo(&format!(
            "test --workspace --exclude {REAL_PARTS}"
        )))
    })?;
    report.step("build", stack::prepare)?;
    report.step("WASM size", wasm_size)?;
    report.step("deployment, without deploying", || deployment(tools))?;
    report.step("tests over the real parts", || {
        process::run(cargo(&format!("test --package {REAL_PARTS}")).env("SQLD_BIN", &tools.sqld))
    })
}

fn matching(tools: &Tools, report: &mut Report, filter: &str) -> Result<(), Failure> {
    report.step("build", stack::prepare)?;
    report.step("tests", || {
        process::run(
            cargo("test --workspace")
                .arg(filter)
                .env("SQLD_BIN", &tools.sqld),
        )
    })
}

/// The steps that were taken.
#[derive(Default)]
struct Report {
    steps: Vec<(&'static str, Duration, bool)>,
}

impl Report {
    fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let result = work();
        self.steps.push((name, start.elapsed(), result.is_ok()));
        result
    }

    fn print(&self) {
        eprintln!("\n== summary");
        for (name, duration, passed) in &self.steps {
            let mark = if *passed { "ok    " } else { "FAILED" };
            eprintln!("{mark}  {name:<32} {:>12}", seconds(*duration));
        }
    }
}

/// A command of the pinned cargo in the repository; the words are separated by spaces.
fn cargo(words: &str) -> Command {
    let mut cargo = process::command("cargo");
    cargo
        .args(words.split(' '))
        .current_dir(root())
        .env("RUSTUP_TOOLCHAIN", TOOLCHAIN);
    cargo
}

fn formatting() -> Result<(), Failure> {
    process::run(&mut cargo("fmt --all --check"))?;
    // Workspaces of their own, which the line above does not see.
    for manifest in ["xtask/wasm-bindgen/Cargo.toml", "fuzz/Cargo.toml"] {
        process::run(&mut cargo(&format!(
            "fmt --manifest-path {manifest} --check"
        )))?;
    }
    Ok(())
}

fn wasm_size() -> Result<(), Failure> {
    for worker in Worker::ALL {
        build::build(worker, Optimise::Size)?;
        let (raw, gzip) = build::wasm_size(worker)?;
        let (name, budget) = (worker.name(), worker.wasm_budget());
        eprintln!(
            "{name}: {} KB, {} KB with gzip, of {} KB allowed",
            raw / 1000,
            gzip / 1000,
            budget / 1000
        );
        if gzip > budget {
            return Err(Failure::new(format!(
                "the WASM of the {name} has `{gzip}` bytes with gzip, more than `{budget}`"
            ))
            .hint("`twiggy top build/index_bg.wasm` tells what takes the space"));
        }
    }
    Ok(())
}

/// Lets wrangler read the configuration of each Worker and bundle it, everything but the upload.
fn deployment(tools: &Tools) -> Result<(), Failure> {
    for worker in Worker::ALL {
        let name = worker.name();
        let mut wrangler = process::command("node");
        wrangler
            .arg(&tools.wrangler)
            .args(["deploy", "--dry-run", "--outdir"]);
        wrangler
            .arg(path(&format!("target/wrangler-{name}")))
            .current_dir(worker.dir());
        wrangler
            .env("CI", "true")
            .env("WRANGLER_LOG_PATH", path("target/wrangler.log"));
        for (name, value) in [
            ("WRANGLER_HIDE_BANNER", "true"),
            ("WRANGLER_SEND_ERROR_REPORTS", "false"),
            ("WRANGLER_SEND_METRICS", "false"),
        ] {
            wrangler.env(name, value);
        }
        process::run(&mut wrangler)?;
    }
    Ok(())
}
