//! OpenAI's Python SDK, for the end-to-end tests only; `cargo xtask dev` does without Python.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::cache;
use crate::failure::Failure;
use crate::process::{command, output, run_logged};
use crate::progress::step;
use crate::repo::path;
use crate::setup::debian::{Need, require};

const REQUIREMENTS: &str = include_str!("../../python/requirements.txt");

const NEEDS: [Need; 2] = [
    Need {
        name: "python3",
        test: &["python3", "--version"],
        package: "python3",
    },
    Need {
        name: "pip",
        test: &["python3", "-m", "pip", "--version"],
        package: "python3-pip",
    },
];

/// Installs the SDK, if it is not there yet, and tells which directory belongs in `PYTHONPATH`.
///
/// # Errors
/// When Python or pip is missing, or pip fails.
pub fn openai() -> Result<PathBuf, Failure> {
    require(&NEEDS)?;
    let version = output(command("python3").arg("--version"))?;
    // Some of its parts are compiled for one minor version of Python.
    let python = version.trim().replace("Python ", "");
    let minor = python
        .rsplit_once('.')
        .map_or(python.as_str(), |(minor, _)| minor);
    let digest = format!("{:x}", Sha256::digest(REQUIREMENTS));
    let name = format!("python{minor}-{}", &digest[..12]);
    let entry = cache::entry(&name)?;
    if entry.is_dir() {
        return Ok(entry);
    }
    step("OpenAI's SDK for Python", || {
        cache::install(&name, |dir| {
            let mut install = command("python3");
            install.args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-deps",
            ]);
            install
                .arg("--requirement")
                .arg(path("xtask/python/requirements.txt"));
            install.arg("--target").arg(dir);
            run_logged(&mut install, &dir.join("install.log"))
        })
    })
}
