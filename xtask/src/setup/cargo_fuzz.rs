//! cargo-fuzz, for `cargo xtask fuzz` only: no other command needs it, and the tests replay the
//! corpus without it.

use std::path::PathBuf;

use super::debian::{Need, require};
use super::worker_build::cargo;
use crate::cache;
use crate::failure::Failure;
use crate::process::run_logged;
use crate::progress::step;

const CARGO_FUZZ: &str = "0.13.2";

/// libFuzzer is C++, and built together with the targets.
const NEEDS: [Need; 1] = [Need {
    name: "a C++ compiler",
    test: &["c++", "--version"],
    package: "g++",
}];

/// Installs cargo-fuzz, if it is not there yet, and tells where it is.
///
/// # Errors
/// When something it needs is missing or it does not compile.
pub fn cargo_fuzz() -> Result<PathBuf, Failure> {
    require(&NEEDS)?;
    let name = format!("cargo-fuzz-{CARGO_FUZZ}");
    let program = cache::entry(&name)?.join("bin/cargo-fuzz");
    if program.is_file() {
        return Ok(program);
    }
    step(
        &format!("cargo-fuzz {CARGO_FUZZ} (about half a minute)"),
        || {
            cache::install(&name, |dir| {
                let mut install = cargo();
                install.args(["install", "cargo-fuzz", "--version", CARGO_FUZZ]);
                install.args(["--locked", "--debug", "--root"]).arg(dir);
                install.arg("--target-dir").arg(dir.join("target"));
                run_logged(&mut install, &dir.join("log"))?;
                crate::repo::remove(&dir.join("target"))
            })
        },
    )?;
    Ok(program)
}
