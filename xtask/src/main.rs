//! The command line of `cargo xtask`: reads the arguments and calls the library.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::failure::Failure;
use xtask::{
    admin, bench, build, campaign, catalogue, conformance, dev, docs, fuzz, reconcile, setup,
    simulate, test,
};

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
    /// Builds the Workers, each into its `build/`
    Build {
        /// Only this one
        #[arg(value_parser = ["gateway", "dashboard"])]
        worker: Option<String>,
        /// Leaves out the size optimisation: faster to build, larger, never for deployment
        #[arg(long)]
        dev: bool,
    },
    /// Runs both Workers, their database and the stand-ins for other companies on this machine
    Dev {
        /// Starts with an empty database
        #[arg(long)]
        fresh: bool,
        /// Where the database, the logs and the demo keys are kept [default: .tollgate in the
        /// repository]
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        /// The gateway's port; the following ones are the dashboard's, the simulator's, the
        /// database's and the sweep's
        #[arg(long, value_name = "BASE", default_value_t = 8787)]
        ports: u16,
        /// Writes addresses and demo keys there as JSON once everything answers
        #[arg(long, value_name = "PATH")]
        ready_file: Option<PathBuf>,
    },
    /// Brings the tables in `docs/` that are made from the code up to date
    Docs {
        /// Changes nothing, and fails when something would change
        #[arg(long)]
        check: bool,
    },
    /// Checks formatting, lints, tests, builds and runs the end-to-end tests
    Test {
        /// Runs only the tests whose name contains this, and no other check
        filter: Option<String>,
    },
    /// Measures the gateway beside a Worker that only passes calls on, or the dashboard's pages; judges
    /// nothing
    Bench {
        /// What is measured
        #[arg(value_parser = ["gateway", "pages"], default_value = "gateway")]
        what: String,
        /// How long each cell is measured
        #[arg(long, value_name = "N", default_value_t = 3)]
        seconds: u64,
        /// Is done in moments, to see that everything works; the numbers say little
        #[arg(long, conflicts_with = "seconds")]
        quick: bool,
        /// Writes everything there as JSON
        #[arg(long, value_name = "PATH")]
        json: Option<PathBuf>,
    },
    /// Lets callers leave, kills processes and drains wallets, and checks every charge
    Campaign {
        /// Which one; without it, all of them
        #[arg(value_parser = ["drops", "crashes", "load"])]
        name: Option<String>,
        /// How many streams are left (200), and how often something is killed (20)
        #[arg(long, value_name = "N")]
        rounds: Option<u64>,
        /// How long the load lasts (60)
        #[arg(long, value_name = "N")]
        seconds: Option<u64>,
        /// Repeats the choices of an earlier run
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
    },
    /// Fuzzes everything that reads what strangers send, with cargo-fuzz; the tests only replay
    Fuzz {
        /// One target, such as `sse`; all of them otherwise
        target: Option<String>,
        /// How long each target runs; 0 only replays what is recorded
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u64,
        /// Adds what was reached to the corpus in the repository, minimised
        #[arg(long)]
        keep: bool,
    },
    Simulate(simulate::Arguments),
    Admin(admin::Arguments),
    Catalogue(catalogue::Arguments),
    Reconcile(reconcile::Arguments),
    Conformance(conformance::Arguments),
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
        Command::Setup => setup::everything(),
        Command::Build { worker, dev } => {
            let optimise = if dev {
                build::Optimise::Speed
            } else {
                build::Optimise::Size
            };
            build::Worker::ALL
                .into_iter()
                .filter(|known| worker.as_deref().is_none_or(|name| name == known.name()))
                .try_for_each(|worker| build::build(worker, optimise))
        }
        Command::Dev {
            fresh,
            state,
            ports,
            ready_file,
        } => dev::run(dev::Options {
            fresh,
            state,
            base_port: ports,
            ready_file,
        }),
        Command::Test { filter } => test::run(filter.as_deref()),
        Command::Docs { check: true } => docs::check(),
        Command::Docs { check: false } => docs::write(),
        Command::Bench { what, .. } if what == "pages" => bench::pages::run(),
        Command::Bench {
            what: _,
            seconds,
            quick,
            json,
        } => bench::run(&bench::Options {
            seconds,
            quick,
            json,
        }),
        Command::Campaign {
            name,
            rounds,
            seconds,
            seed,
        } => campaign::campaign(&campaign::Options {
            name,
            rounds,
            seconds,
            seed,
        }),
        Command::Fuzz {
            target,
            seconds,
            keep,
        } => fuzz::run(&fuzz::Options {
            target,
            seconds,
            keep,
        }),
        Command::Simulate(arguments) => arguments.run(),
        Command::Admin(arguments) => arguments.run(),
        Command::Catalogue(arguments) => arguments.run(),
        Command::Reconcile(arguments) => arguments.run(),
        Command::Conformance(arguments) => arguments.run(),
    }
}
