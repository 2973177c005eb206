//! worker-build and what it calls. It would download its helpers by itself; ours are built from
//! the crates registry or come from npm, so that every version is pinned by this repository.

use std::path::{Path, PathBuf};

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::cache;
use crate::failure::{Failure, OrFail};
use crate::process::{command, run_logged};
use crate::progress::step;
use crate::repo::{TOOLCHAIN, make_dir, path, read};
use crate::setup::debian::{Need, require};

/// worker-build's version: that of the `worker` crate.
const WORKER_BUILD: &str = "0.8.7";

/// The version that `xtask/wasm-bindgen/Cargo.toml` pins; a test holds the two together.
const WASM_BINDGEN: &str = "0.2.130";

/// What building the tools takes. A linker is there: this program was linked.
const NEEDS: [Need; 2] = [
    Need {
        name: "pkg-config",
        test: &["pkg-config", "--version"],
        package: "pkg-config",
    },
    Need {
        name: "OpenSSL's headers",
        test: &["pkg-config", "--exists", "openssl"],
        package: "libssl-dev",
    },
];

const PLUS_NIGHTLY: &str = include_str!("../../shims/plus-nightly.sh");
const RUSTUP: &str = include_str!("../../shims/rustup.sh");

/// Installs worker-build, if it is not there yet, and tells where it is.
///
/// # Errors
/// When something it needs is missing or it does not compile.
pub fn worker_build() -> Result<PathBuf, Failure> {
    let name = format!("worker-build-{WORKER_BUILD}");
    let program = cache::entry(&name)?.join("bin/worker-build");
    if program.is_file() {
        return Ok(program);
    }
    // On macOS the system's own TLS is used, and nothing is needed.
    if cfg!(target_os = "linux") {
        require(&NEEDS)?;
    }
    step(
        &format!("worker-build {WORKER_BUILD} (about 2 minutes)"),
        || {
            cache::install(&name, |dir| {
                let mut install = cargo();
                install.args([
                    "install",
                    "worker-build",
                    "--version",
                    WORKER_BUILD,
                    "--locked",
                ]);
                // An unoptimised one is built in a third of the time and works no slower.
                install
                    .args(["--debug", "--bin", "worker-build", "--root"])
                    .arg(dir);
                install.arg("--target-dir").arg(dir.join("target"));
                run_logged(&mut install, &dir.join("log"))?;
                crate::repo::remove(&dir.join("target"))
            })
        },
    )?;
    Ok(program)
}

/// Builds our wasm-bindgen command, if it is not there yet, and tells where it is.
///
/// # Errors
/// When `Cargo.lock` has another version of the `wasm-bindgen` crate, or it does not compile.
pub fn wasm_bindgen() -> Result<PathBuf, Failure> {
    check_locked_version(&read(&path("Cargo.lock"))?)?;
    let name = format!("wasm-bindgen-{WASM_BINDGEN}");
    let program = cache::entry(&name)?.join("tollgate-wasm-bindgen");
    if program.is_file() {
        return Ok(program);
    }
    step(
        &format!("wasm-bindgen {WASM_BINDGEN} (about half a minute)"),
        || {
            cache::install(&name, |dir| {
                let mut build = cargo();
                build.args(["build", "--locked", "--manifest-path"]);
                build.arg(path("xtask/wasm-bindgen/Cargo.toml"));
                build.arg("--target-dir").arg(dir.join("target"));
                run_logged(&mut build, &dir.join("log"))?;
                let built = dir.join("target/debug/tollgate-wasm-bindgen");
                fs::rename(&built, dir.join("tollgate-wasm-bindgen"))
                    .or_fail(|| format!("cannot move `{}`", built.display()))?;
                crate::repo::remove(&dir.join("target"))
            })
        },
    )?;
    Ok(program)
}

/// The directory with the stand-ins for `cargo`, `rustc` and `rustup` that worker-build meets
/// first on its PATH.
///
/// # Errors
/// When it cannot be written.
pub fn shims() -> Result<PathBuf, Failure> {
    let dir = path("target/xtask-shims");
    let scripts = [
        ("cargo", PLUS_NIGHTLY),
        ("rustc", PLUS_NIGHTLY),
        ("rustup", RUSTUP),
    ];
    let current = |(name, script): &(&str, &str)| {
        fs::read_to_string(dir.join(name)).is_ok_and(|text| text == *script)
    };
    if scripts.iter().all(current) {
        return Ok(dir);
    }
    make_dir(&dir)?;
    for (name, script) in scripts {
        let file = dir.join(name);
        write_executable(&file, script).or_fail(|| format!("cannot write `{}`", file.display()))?;
    }
    Ok(dir)
}

fn write_executable(file: &Path, text: &str) -> std::io::Result<()> {
    fs::write(file, text)?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

/// The pinned cargo, for building a tool: without debug information and incremental state, which
/// nobody would use.
pub(super) fn cargo() -> std::process::Command {
    let mut cargo = command("cargo");
    cargo.env("RUSTUP_TOOLCHAIN", TOOLCHAIN);
    cargo
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    cargo
}

fn check_locked_version(lock: &str) -> Result<(), Failure> {
    let locked = lock
        .split("[[package]]")
        .filter_map(|package| {
            let rest = package
                .trim_start()
                .strip_prefix("name = \"wasm-bindgen\"\n")?;
            rest.strip_prefix("version = \"")?.split('"').next()
        })
        .next();
    match locked {
        Some(version) if version != WASM_BINDGEN => Err(Failure::new(format!(
            "`Cargo.lock` has wasm-bindgen `{version}`, but our wasm-bindgen command is `{WASM_BINDGEN}`"
        ))
        .hint(format!(
            "run `cargo update wasm-bindgen --precise {WASM_BINDGEN}`, or set the new version in \
             `xtask/wasm-bindgen/Cargo.toml` and `xtask/src/setup/worker_build.rs`"
        ))),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_is_built_is_the_version_that_is_checked() {
        let manifest = include_str!("../../wasm-bindgen/Cargo.toml");
        assert!(manifest.contains(&format!("wasm-bindgen-cli-support = \"={WASM_BINDGEN}\"")));
    }

    #[test]
    fn a_wasm_bindgen_that_does_not_match_the_command_is_named_before_anything_is_built() {
        let lock = |version: &str| {
            format!(
                "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                 [[package]]\nname = \"wasm-bindgen\"\nversion = \"{version}\"\n"
            )
        };
        let check = |version: &str, fine: bool| {
            assert_eq!(
                check_locked_version(&lock(version)).is_ok(),
                fine,
                "{version}"
            );
        };
        check(WASM_BINDGEN, true);
        check("0.2.129", false);
        check("0.3.0", false);
    }
}
