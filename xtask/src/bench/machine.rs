//! What the numbers were measured on: the machine, its load before, and the versions of everything.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::clock::now_ms;
use crate::process::{command, output};
use crate::repo::{path, root};
use crate::report;
use crate::setup::Tools;

/// The surroundings of a run. What cannot be found out is `unknown`.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// When the run began, in UTC.
    pub date: String,
    /// Processors that this program may use.
    pub cores: usize,
    /// The processor's name.
    pub cpu: String,
    /// The operating system and its kernel.
    pub os: String,
    /// The load averages of 1, 5 and 15 minutes before the run.
    pub load_before: String,
    /// The commit that was measured, with `-dirty` when files were changed since.
    pub commit: String,
    /// The runtime's version.
    pub workerd: String,
    /// The database's version.
    pub sqld: String,
    /// The compiler's version.
    pub rustc: String,
}

impl Machine {
    /// This machine, now.
    #[must_use]
    pub fn now(tools: &Tools) -> Self {
        Self {
            date: report::moment(now_ms()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            cpu: cpu(),
            os: os(),
            load_before: load(),
            commit: commit(),
            workerd: version("workerd", &mut command(&tools.workerd)),
            sqld: version("sqld", &mut command(&tools.sqld)),
            rustc: version("rustc", command("rustc").current_dir(root())),
        }
    }
}

/// The load averages of 1, 5 and 15 minutes.
#[must_use]
pub fn load() -> String {
    let all = read("/proc/loadavg");
    let three: Vec<&str> = all.split(' ').take(3).collect();
    or_unknown(three.join(" "))
}

fn cpu() -> String {
    let info = read("/proc/cpuinfo");
    let model = info.lines().find(|line| line.starts_with("model name"));
    match model.and_then(|line| line.split_once(':')) {
        Some((_, name)) => name.trim().to_owned(),
        None => first_line(command("sysctl").args(["-n", "machdep.cpu.brand_string"])),
    }
}

fn os() -> String {
    let release = read("/etc/os-release");
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let kernel = first_line(command("uname").arg("-sr"));
    match name {
        Some(name) => format!("{}, {kernel}", name.trim_matches('"')),
        None => kernel,
    }
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let mut git = command("git");
        output(git.args(arguments).current_dir(path(""))).ok()
    };
    let Some(head) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return or_unknown(String::new());
    };
    let changed = git(&["status", "--porcelain"]).is_none_or(|files| !files.trim().is_empty());
    let mark = if changed { "-dirty" } else { "" };
    format!("{}{mark}", head.trim())
}

/// What a program says of its version, without its name.
fn version(name: &str, program: &mut Command) -> String {
    let line = first_line(program.arg("--version"));
    line.trim_start_matches(&format!("{name} ")).to_owned()
}

fn first_line(command: &mut Command) -> String {
    let printed = output(command).unwrap_or_default();
    or_unknown(printed.lines().next().unwrap_or_default().to_owned())
}

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(file)).unwrap_or_default()
}

fn or_unknown(text: String) -> String {
    if text.is_empty() {
        "unknown".to_owned()
    } else {
        text
    }
}
