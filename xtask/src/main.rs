//! The command line of `cargo xtask`: reads the arguments and calls the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::failure::Failure;
use xtask::{admin, build, catalogue, setup};

/// Sets up, builds, runs and tests Tollgate.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs what the other commands need; they also do it themselves
    Setup,
    /// Builds the gateway into `build/`
    Build {
        /// Leaves out the size optimisation: faster to build, larger, never for deployment
        #[arg(long)]
        dev: bool,
    },
    Admin(admin::Arguments),
    Catalogue(catalogue::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Setup => setup::tools().map(drop),
        Command::Build { dev: true } => build::gateway(build::Optimise::Speed),
        Command::Build { dev: false } => build::gateway(build::Optimise::Size),
        Command::Admin(arguments) => arguments.run(),
        Command::Catalogue(arguments) => arguments.run(),
    }
}
