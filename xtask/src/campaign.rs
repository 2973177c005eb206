//! `cargo xtask campaign`: runs the campaigns of the `tests` crate for as long as wanted. What they do
//! is there.

use crate::failure::Failure;
use crate::process::{command, run};
use crate::repo::{TOOLCHAIN, root};
use crate::setup;
use crate::stack;

/// Which campaign, and how long. What is left out, the campaign decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `drops`, `crashes` or `load`; all of them without.
    pub name: Option<String>,
    /// Streams that are left, and deaths.
    pub rounds: Option<u64>,
    /// How long the load lasts.
    pub seconds: Option<u64>,
    /// Repeats the choices of an earlier run.
    pub seed: Option<u64>,
}

/// Builds everything and runs the campaigns; they print what they find.
///
/// # Errors
/// When something does not compile, or a campaign found a rule broken.
pub fn campaign(options: &Options) -> Result<(), Failure> {
    let tools = setup::tools()?;
    stack::prepare()?;
    let mut cargo = command("cargo");
    cargo.args(["run", "--quiet", "--package", "tollgate-tests"]);
    cargo.args(["--bin", "tollgate-campaign", "--"]);
    cargo.args(&options.name);
    for (name, value) in [
        ("--rounds", options.rounds),
        ("--seconds", options.seconds),
        ("--seed", options.seed),
    ] {
        if let Some(value) = value {
            cargo.args([name, &value.to_string()]);
        }
    }
    cargo.current_dir(root()).env("RUSTUP_TOOLCHAIN", TOOLCHAIN);
    run(cargo.env("SQLD_BIN", &tools.sqld))
}
