//! `cargo xtask fuzz`: runs the fuzz targets of `fuzz/` with libFuzzer, one after the other. What
//! they check is in `fuzz/properties`; the tests replay the corpus without any of this.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, OrFail};
use crate::process;
use crate::repo::{TOOLCHAIN, make_dir, path, root};
use crate::setup;

/// Longer inputs find nothing that shorter ones do not, and take their time.
const MAX_LEN: &str = "-max_len=8192";

/// What to run.
#[derive(Debug)]
pub struct Options {
    /// One target; all of them otherwise.
    pub target: Option<String>,
    /// How long each target runs; 0 replays what is recorded.
    pub seconds: u64,
    /// Adds what was reached to the corpus in the repository, minimised.
    pub keep: bool,
}

/// Runs the targets.
///
/// # Errors
/// When there is no such target, or the first one whose property was broken.
pub fn run(options: &Options) -> Result<(), Failure> {
    let targets = chosen(options.target.as_deref(), targets()?)?;
    let cargo_fuzz = setup::cargo_fuzz()?;
    for target in &targets {
        eprintln!("\n== {target}");
        let found = path("target/fuzz").join(target);
        let corpus = path("fuzz/corpus").join(target);
        make_dir(&found)?;
        let fuzz = |first: &PathBuf, second: &PathBuf| {
            let mut command = libfuzzer(&cargo_fuzz);
            command.args(["run", target]).args([first, second]);
            command.args(["--", MAX_LEN, "-timeout=20"]);
            command
        };
        let mut fuzzing = fuzz(&found, &corpus);
        let dictionary = path("fuzz/dictionaries").join(format!("{target}.dict"));
        fuzzing.arg(format!("-dict={}", dictionary.display()));
        fuzzing.arg(match options.seconds {
            0 => "-runs=0".to_owned(),
            seconds => format!("-max_total_time={seconds}"),
        });
        process::run(fuzzing.arg("-print_final_stats=1")).map_err(|failure| {
            failure.hint("the input is in `fuzz/artifacts`; docs/FUZZING.md tells what to do")
        })?;
        if options.keep {
            // Counts of the same edge would keep many inputs that hardly differ.
            let flags = ["-set_cover_merge=1", "-use_counters=0"];
            process::run(fuzz(&corpus, &found).args(flags))?;
        }
    }
    Ok(())
}

/// cargo-fuzz in the repository. The sanitizers and coverage flags are not stable, but the pinned
/// compiler has them.
fn libfuzzer(cargo_fuzz: &PathBuf) -> Command {
    let mut command = process::command(cargo_fuzz);
    command
        .current_dir(root())
        .env("RUSTUP_TOOLCHAIN", TOOLCHAIN)
        .env("RUSTC_BOOTSTRAP", "1");
    command
}

/// Every target by its name.
fn targets() -> Result<Vec<String>, Failure> {
    let dir = path("fuzz/fuzz_targets");
    let files = std::fs::read_dir(&dir).or_fail(|| format!("cannot read `{}`", dir.display()))?;
    let mut names: Vec<String> = files
        .flatten()
        .filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn chosen(wanted: Option<&str>, all: Vec<String>) -> Result<Vec<String>, Failure> {
    match wanted {
        None => Ok(all),
        Some(name) if all.iter().any(|target| target == name) => Ok(vec![name.to_owned()]),
        Some(name) => Err(Failure::new(format!("there is no fuzz target `{name}`"))
            .hint(format!("there are `{}`", all.join("`, `")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_does_not_exist_is_answered_with_those_that_do() {
        let all = targets().unwrap();
        assert_eq!(chosen(None, all.clone()).unwrap(), all);
        assert_eq!(chosen(Some("sse"), all.clone()).unwrap(), ["sse"]);
        let failure = chosen(Some("ssl"), all).unwrap_err().to_string();
        assert!(failure.contains("`body`, "), "{failure}");
    }
}
