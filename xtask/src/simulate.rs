//! `cargo xtask simulate`: builds the simulation with a profile that optimises, and runs it long. What
//! it simulates is in the tests' package.

use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::process;
use crate::repo::{TOOLCHAIN, root};
use crate::setup;

/// Simulates calls, sweeps and people over the real statements, and checks every invariant after every
/// step
#[derive(Debug, Args)]
pub struct Arguments {
    /// How many seeds
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    from_seed: u64,
    /// Operations of each seed
    #[arg(long, value_name = "N", default_value_t = 200)]
    operations: u32,
    /// Where the statements run: in this process, or on a server for each seed
    #[arg(long, value_enum, default_value_t = Database::Sqlite)]
    database: Database,
    /// Breaks something on purpose: a name from `tests/src/simulation/mutants.rs`
    #[arg(long, value_name = "NAME")]
    mutant: Option<String>,
}

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Database {
    Sqlite,
    Sqld,
}

impl Arguments {
    /// Builds the simulation and runs it.
    ///
    /// # Errors
    /// When it does not build, or found a violation: then it has printed how to replay it.
    pub fn run(&self) -> Result<(), Failure> {
        let mut cargo = process::command("cargo");
        cargo
            .args(["run", "--quiet", "--package", "tollgate-tests"])
            .args(["--bin", "simulate", "--profile", "simulate", "--"])
            .args(["--seeds", &self.seeds.to_string()])
            .args(["--from-seed", &self.from_seed.to_string()])
            .args(["--operations", &self.operations.to_string()])
            .current_dir(root())
            .env("RUSTUP_TOOLCHAIN", TOOLCHAIN);
        match self.database {
            Database::Sqlite => {}
            Database::Sqld => {
                let sqld = setup::tools()?.sqld;
                cargo.args(["--database", "sqld"]).env("SQLD_BIN", sqld);
            }
        }
        if let Some(mutant) = &self.mutant {
            cargo.args(["--mutant", mutant]);
        }
        eprintln!("building the simulation, which takes minutes the first time …");
        process::run(&mut cargo)
    }
}
