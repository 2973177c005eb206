//! Installs the pinned tools, and what only some commands need. Every command calls [`tools`] first;
//! when everything is there it only looks at files and starts no process.

mod cargo_fuzz;
mod chromium;
mod debian;
mod npm;
mod python;
mod rust;
mod worker_build;

use std::path::PathBuf;

use crate::failure::Failure;

pub use cargo_fuzz::cargo_fuzz;
pub use chromium::chromium;
pub use python::openai as python_openai;

/// Where the installed tools are.
#[derive(Debug)]
pub struct Tools {
    /// worker-build, which turns the gateway crate into a deployable Worker.
    pub worker_build: PathBuf,
    /// The binding generator, of the same version as the `wasm-bindgen` crate.
    pub wasm_bindgen: PathBuf,
    /// A directory for the front of PATH that lets worker-build use the stable compiler.
    pub shims: PathBuf,
    /// Binaryen's optimiser.
    pub wasm_opt: PathBuf,
    /// The JavaScript bundler.
    pub esbuild: PathBuf,
    /// Cloudflare's runtime.
    pub workerd: PathBuf,
    /// The libSQL server; `SQLD_BIN` in the environment names another one.
    pub sqld: PathBuf,
    /// Cloudflare's deployment command.
    pub wrangler: PathBuf,
}

/// Installs what any command needs; the others ask for their part of it.
///
/// # Errors
/// Names what is missing and the command that installs it, or quotes the installer that failed.
pub fn everything() -> Result<(), Failure> {
    tools()?;
    python::openai()?;
    chromium()?;
    Ok(())
}

/// Installs what is missing and tells where everything is.
///
/// # Errors
/// Names what is missing and the command that installs it, or quotes the installer that failed.
pub fn tools() -> Result<Tools, Failure> {
    rust::install()?;
    npm::install()?;
    let sqld = std::env::var_os("SQLD_BIN").map(PathBuf::from);
    Ok(Tools {
        worker_build: worker_build::worker_build()?,
        wasm_bindgen: worker_build::wasm_bindgen()?,
        shims: worker_build::shims()?,
        wasm_opt: npm::file("binaryen/bin/wasm-opt")?,
        esbuild: npm::file(&format!("@esbuild/{}/bin/esbuild", npm::platform()?.plain))?,
        workerd: npm::file(&format!(
            "@cloudflare/workerd-{}/bin/workerd",
            npm::platform()?.workerd
        ))?,
        sqld: match sqld {
            Some(path) => path,
            None => npm::file(&format!("@sqld/{}/sqld", npm::platform()?.plain))?,
        },
        wrangler: npm::file("wrangler/bin/wrangler.js")?,
    })
}
