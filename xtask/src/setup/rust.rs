//! The Rust toolchain with the parts that the builds and checks need. Installed by name, because
//! rustup does not install by itself where `RUSTUP_AUTO_INSTALL=0` is set.

use std::env;
use std::path::{Path, PathBuf};

use crate::cache;
use crate::failure::Failure;
use crate::process::{command, output, run_logged};
use crate::progress::step;
use crate::repo::{TOOLCHAIN, make_dir};

/// What each component leaves below the toolchain's directory.
const PARTS: [&str; 4] = [
    "bin/cargo-clippy",
    "bin/rustfmt",
    "lib/rustlib/src/rust/library/Cargo.lock",
    "lib/rustlib/wasm32-unknown-unknown/lib",
];

/// Installs the toolchain or the parts of it that are missing.
///
/// # Errors
/// When rustup is missing or cannot install.
pub fn install() -> Result<(), Failure> {
    if let Some(root) = toolchain_of_caller()
        && complete(&root)
    {
        return Ok(());
    }
    let found = output(command("rustup").args(["run", TOOLCHAIN, "rustc", "--print", "sysroot"]));
    if let Ok(root) = found
        && complete(Path::new(root.trim()))
    {
        return Ok(());
    }
    output(command("rustup").arg("--version")).map_err(|_| {
        Failure::new("`rustup` is missing").hint("install it as https://rustup.rs says")
    })?;
    let dir = cache::dir()?;
    make_dir(&dir)?;
    step(&format!("rust {TOOLCHAIN} with its wasm32 target"), || {
        let mut install = command("rustup");
        install.args(["toolchain", "install", TOOLCHAIN, "--profile", "minimal"]);
        install.args(["--no-self-update", "--target", "wasm32-unknown-unknown"]);
        for component in ["clippy", "rustfmt", "rust-src"] {
            install.args(["--component", component]);
        }
        run_logged(&mut install, &dir.join("rustup.log"))
    })
}

/// The directory of the toolchain whose cargo started this program, if it is the pinned one.
fn toolchain_of_caller() -> Option<PathBuf> {
    let pinned = env::var("RUSTUP_TOOLCHAIN").is_ok_and(|name| name.starts_with(TOOLCHAIN));
    let cargo = PathBuf::from(env::var_os("CARGO").filter(|_| pinned)?);
    Some(cargo.parent()?.parent()?.to_owned())
}

fn complete(root: &Path) -> bool {
    PARTS.iter().all(|part| root.join(part).exists())
}
