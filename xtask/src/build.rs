//! Builds a Worker into its `build/`: worker-build compiles it to WASM, generates the JavaScript around
//! it and optimises both. Its `wrangler.toml` calls this too, so a deployment is the same build.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::failure::{Failure, OrFail};
use crate::process::{command, run_logged};
use crate::progress::step;
use crate::repo::{TOOLCHAIN, make_dir, path, read, remove, root, write_whole};
use crate::setup::{self, Tools};

/// One of the two Workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Answers callers.
    Gateway,
    /// Answers browsers.
    Dashboard,
}

impl Worker {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Gateway, Self::Dashboard];

    /// What people call it; also its name in the local runtime.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Dashboard => "dashboard",
        }
    }

    /// The directory with its `wrangler.toml`, below the repository; its `build/` is there, too.
    #[must_use]
    pub fn dir(self) -> PathBuf {
        match self {
            Self::Gateway => root().to_owned(),
            Self::Dashboard => path("dashboard"),
        }
    }

    /// The most that its compressed WASM may weigh, in bytes.
    #[must_use]
    pub const fn wasm_budget(self) -> usize {
        match self {
            Self::Gateway => 500_000,
            Self::Dashboard => 1_000_000,
        }
    }

    /// The list of its sources that the compiler leaves.
    const fn source_list(self) -> &'static str {
        match self {
            Self::Gateway => "target/wasm32-unknown-unknown/release/tollgate.d",
            Self::Dashboard => "target/wasm32-unknown-unknown/release/tollgate_dashboard.d",
        }
    }
}

/// What the build takes time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimise {
    /// The smallest result: what is deployed and tested.
    Size,
    /// The quickest build, for trying things out.
    Speed,
}

/// Files that decide the result besides the sources that the compiler lists.
const SETTINGS: [&str; 5] = [
    "Cargo.toml",
    "Cargo.lock",
    "core/Cargo.toml",
    "edge/Cargo.toml",
    ".cargo/config.toml",
];

/// Builds a Worker, unless what is in its `build/` was made from the same sources.
///
/// # Errors
/// When a tool is missing or the Worker does not compile.
pub fn build(worker: Worker, optimise: Optimise) -> Result<(), Failure> {
    let tools = setup::tools()?;
    let out = worker.dir().join("build");
    // The finished build records here what it was made from.
    let stamp = out.join(".inputs");
    if out.join("index_bg.wasm").is_file()
        && inputs(worker, optimise)
            .is_some_and(|now| fs::read(&stamp).is_ok_and(|was| was == now.as_bytes()))
    {
        return Ok(());
    }
    remove(&stamp)?;
    let name = worker.name();
    step(
        &format!("{name} to WASM (two minutes when nothing is compiled yet)"),
        || {
            make_dir(&path("target"))?;
            run_logged(
                &mut worker_build(&tools, worker, optimise),
                &path(&format!("target/worker-build-{name}.log")),
            )?;
            if worker == Worker::Dashboard && optimise == Optimise::Size {
                strip_names(&tools, &out.join("index_bg.wasm"))?;
            }
            Ok(())
        },
    )?;
    match inputs(worker, optimise) {
        Some(now) => write_whole(&stamp, now.as_bytes()),
        None => Ok(()),
    }
}

/// The size of the built WASM in bytes, as it is and compressed with gzip.
///
/// # Errors
/// When it was not built.
pub fn wasm_size(worker: Worker) -> Result<(usize, usize), Failure> {
    let file = worker.dir().join("build/index_bg.wasm");
    let wasm = fs::read(&file).or_fail(|| format!("cannot read `{}`", file.display()))?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let compressed = gzip.write_all(&wasm).and_then(|()| gzip.finish());
    let compressed = compressed.or_fail(|| "cannot compress the WASM".to_owned())?;
    Ok((wasm.len(), compressed.len()))
}

fn worker_build(tools: &Tools, worker: Worker, optimise: Optimise) -> std::process::Command {
    let path_before = env::var_os("PATH").unwrap_or_default();
    let mut path_after = tools.shims.clone().into_os_string();
    path_after.push(":");
    path_after.push(&path_before);

    let mut build = command(&tools.worker_build);
    // With unwinding, a panic fails the request it happens in and no other.
    build.args(["--release", "--panic-unwind"]);
    if optimise == Optimise::Speed {
        build.arg("--no-opt");
    }
    build
        .current_dir(worker.dir())
        .env("PATH", path_after)
        .env("TOLLGATE_PATH", path_before)
        .env("RUSTUP_TOOLCHAIN", TOOLCHAIN)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
        .env("WASM_OPT_BIN", &tools.wasm_opt)
        .env("ESBUILD_BIN", &tools.esbuild);
    // What cargo set for this program, or the user for native builds, is not meant for this one.
    for name in ["CARGO", "RUSTC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        build.env_remove(name);
    }
    build
}

/// Removes the names of functions, which worker-build always keeps: they are a tenth of the dashboard. A
/// panic still tells its file and line. The features are those that worker-build allows.
fn strip_names(tools: &Tools, wasm: &Path) -> Result<(), Failure> {
    let mut strip = command(&tools.wasm_opt);
    strip
        .arg(wasm)
        .arg("--output")
        .arg(wasm)
        .arg("--strip-debug");
    for feature in [
        "mutable-globals",
        "sign-ext",
        "nontrapping-float-to-int",
        "bulk-memory",
        "multivalue",
        "reference-types",
        "exception-handling",
    ] {
        strip.arg(format!("--enable-{feature}"));
    }
    run_logged(&mut strip, &path("target/strip-names.log"))
}

/// A digest of everything the result depends on, or none before the first build: the compiler
/// leaves a list of the sources it read, and a source can only be added by changing one of them.
fn inputs(worker: Worker, optimise: Optimise) -> Option<String> {
    let list = read(&path(worker.source_list())).ok()?;
    let mut files: Vec<PathBuf> = SETTINGS.iter().map(|name| path(name)).collect();
    files.push(worker.dir().join("Cargo.toml"));
    files.extend(sources(&list));
    let mut digest = Sha256::new();
    digest.update(format!(
        "{optimise:?} {TOOLCHAIN} {}",
        env!("CARGO_PKG_VERSION")
    ));
    digest.update(include_str!("setup/worker_build.rs"));
    digest.update(include_str!("build.rs"));
    digest.update(read(&path("package-lock.json")).ok()?);
    // A build script may watch a folder; what is in it is listed besides.
    for file in files.into_iter().filter(|file| !file.is_dir()) {
        let content = fs::read(&file).ok()?;
        digest.update(file.as_os_str().as_encoded_bytes());
        digest.update(content.len().to_le_bytes());
        digest.update(content);
    }
    Some(format!("{:x}", digest.finalize()))
}

/// The files in a dependency list of cargo: `output: file file`, with `\ ` for a space in a name.
fn sources(list: &str) -> impl Iterator<Item = PathBuf> {
    let files = list
        .lines()
        .next()
        .unwrap_or_default()
        .split_once(": ")
        .map_or("", |pair| pair.1);
    let files = files.replace("\\ ", "\0");
    let files: Vec<PathBuf> = files
        .split(' ')
        .filter(|name| !name.is_empty())
        .map(|name| Path::new(&name.replace('\0', " ")).to_owned())
        .collect();
    files.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_in_cargos_list_is_watched_even_with_spaces_in_its_name() {
        let check = |list: &str, expect: &[&str]| {
            let expect: Vec<PathBuf> = expect.iter().map(PathBuf::from).collect();
            assert_eq!(sources(list).collect::<Vec<_>>(), expect, "{list}");
        };
        check("", &[]);
        check("/t/a.wasm: /r/src/lib.rs\n", &["/r/src/lib.rs"]);
        check(
            "/t/a.wasm: /r/src/lib.rs /r/core/key.rs\n",
            &["/r/src/lib.rs", "/r/core/key.rs"],
        );
        check(
            "/t/a.wasm: /my\\ r/src/lib.rs /x\n",
            &["/my r/src/lib.rs", "/x"],
        );
    }
}
