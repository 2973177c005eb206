//! The campaigns from the command line, for as long as wanted: `cargo xtask campaign` starts this.

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;

use lexopt::prelude::*;
use tollgate_tests::campaign::{Report, crashes, drops, load};

const USAGE: &str = "\
usage: tollgate-campaign [drops|crashes|load] [--rounds N] [--seconds N] [--seed N]

Without a name, all of them one after the other.";

#[derive(Default)]
struct Options {
    name: Option<String>,
    rounds: Option<u64>,
    seconds: Option<u64>,
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let options = match read_arguments() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}\nhint: `--help` lists the options");
            return ExitCode::from(2);
        }
    };
    let seed = options
        .seed
        .unwrap_or_else(|| RandomState::new().hash_one(0));
    let campaigns: [(&str, &dyn Fn() -> Report); 3] = [
        ("drops", &|| {
            drops("long-drops", seed, options.rounds.unwrap_or(200))
        }),
        ("crashes", &|| {
            crashes("long-crashes", seed, options.rounds.unwrap_or(20))
        }),
        ("load", &|| {
            load("long-load", seed, options.seconds.unwrap_or(60))
        }),
    ];
    let wanted = |name: &str| options.name.as_ref().is_none_or(|wanted| wanted == name);
    let reports: Vec<Report> = campaigns
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(_, run)| run())
        .collect();
    if reports.is_empty() {
        eprintln!("no such campaign\nhint: `--help` lists them");
        return ExitCode::from(2);
    }
    if reports.iter().all(|report| report.violations.is_empty()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn read_arguments() -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rounds") => options.rounds = Some(parser.value()?.parse()?),
            Long("seconds") => options.seconds = Some(parser.value()?.parse()?),
            Long("seed") => options.seed = Some(parser.value()?.parse()?),
            Long("help") | Short('h') => return Ok(None),
            Value(name) if options.name.is_none() => options.name = Some(name.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}
