//! Runs many seeds of the simulation; `cargo xtask simulate` builds and starts it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lexopt::{Arg, Parser, ValueExt};
use tollgate_tests::simulation::mutants::Mutant;
use tollgate_tests::simulation::wire::Wire;
use tollgate_tests::simulation::{Plan, Report, Violation, run};

/// Seeds that run at the same time.
const THREADS: usize = 2;

/// How often the progress is told.
const EVERY: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Database {
    Sqlite,
    Sqld,
}

struct Options {
    seeds: u64,
    from_seed: u64,
    operations: u32,
    database: Database,
    mutant: Option<&'static Mutant>,
}

/// What all threads have done so far.
struct Progress {
    next: AtomicU64,
    done: AtomicU64,
    stop: AtomicBool,
    seen: Mutex<BTreeMap<String, u64>>,
    violation: Mutex<Option<Box<Violation>>>,
}

fn main() -> ExitCode {
    let options = match read_arguments() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let progress = Progress {
        next: AtomicU64::new(options.from_seed),
        done: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        seen: Mutex::default(),
        violation: Mutex::default(),
    };
    let begun = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| work(&options, &progress)))
            .collect();
        let mut told = begun;
        while threads.iter().any(|thread| !thread.is_finished()) {
            thread::sleep(Duration::from_millis(50));
            if told.elapsed() >= EVERY {
                told = Instant::now();
                let done = progress.done.load(Ordering::Relaxed);
                eprintln!(
                    "{done} of {} seeds, {:.0} s",
                    options.seeds,
                    begun.elapsed().as_secs_f64()
                );
            }
        }
    });
    finish(&options, progress, begun.elapsed())
}

fn work(options: &Options, progress: &Progress) {
    let end = options.from_seed.saturating_add(options.seeds);
    while !progress.stop.load(Ordering::Relaxed) {
        let seed = progress.next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return;
        }
        let plan = Plan {
            seed,
            operations: options.operations,
        };
        let wire = match options.database {
            Database::Sqlite => Wire::sqlite(options.mutant),
            Database::Sqld => Wire::sqld(),
        };
        match run(plan, wire).0 {
            Ok(Report { seen, .. }) => {
                progress.done.fetch_add(1, Ordering::Relaxed);
                if let Ok(mut all) = progress.seen.lock() {
                    for (what, count) in seen {
                        *all.entry(what).or_default() += count;
                    }
                }
            }
            Err(violation) => {
                progress.stop.store(true, Ordering::Relaxed);
                if let Ok(mut first) = progress.violation.lock() {
                    first.get_or_insert(violation);
                }
            }
        }
    }
}

fn finish(options: &Options, progress: Progress, took: Duration) -> ExitCode {
    let done = progress.done.into_inner();
    for (what, count) in progress.seen.into_inner().unwrap_or_default() {
        println!("{count:>10}  {what}");
    }
    let operations = done * u64::from(options.operations);
    let seconds = took.as_secs_f64();
    println!(
        "{done} seeds of {} operations in {seconds:.1} s, {:.0} operations a second",
        options.operations,
        operations as f64 / seconds
    );
    match progress.violation.into_inner() {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(violation)) => {
            eprintln!("{violation}");
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn read_arguments() -> Result<Options, lexopt::Error> {
    let mut options = Options {
        seeds: 100,
        from_seed: 1,
        operations: 200,
        database: Database::Sqlite,
        mutant: None,
    };
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("seeds") => options.seeds = parser.value()?.parse()?,
            Arg::Long("from-seed") => options.from_seed = parser.value()?.parse()?,
            Arg::Long("operations") => options.operations = parser.value()?.parse()?,
            Arg::Long("database") => {
                options.database = match parser.value()?.string()?.as_str() {
                    "sqlite" => Database::Sqlite,
                    "sqld" => Database::Sqld,
                    other => return Err(format!("no database `{other}`").into()),
                };
            }
            Arg::Long("mutant") => {
                let name = parser.value()?.string()?;
                let mutant = Mutant::named(&name);
                options.mutant = Some(mutant.ok_or_else(|| format!("no mutant `{name}`"))?);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}
