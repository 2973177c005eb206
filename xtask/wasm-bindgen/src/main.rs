//! The `wasm-bindgen` command as far as worker-build uses it: one `.wasm` in, JavaScript and
//! `.wasm` out. The published command builds three times as long for options nobody passes here.
//! An option this file does not know is an error, so that a newer worker-build cannot be
//! misunderstood silently.

use std::env;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut bindgen = Bindgen::new();
    // The published command's own default, which differs from the library's.
    bindgen.omit_default_module_path(false);
    let mut out_dir = None;
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || {
            args.next()
                .with_context(|| format!("`{arg}` needs a value"))
        };
        match arg.as_str() {
            "--out-dir" => out_dir = Some(value()?),
            "--out-name" => drop(bindgen.out_name(&value()?)),
            "--target" => match value()?.as_str() {
                "module" => drop(bindgen.module(true)?),
                other => bail!("target `{other}` is not supported"),
            },
            "--debug" => drop(bindgen.debug(true)),
            "--experimental-reset-state-function" => drop(bindgen.reset_state_function(true)),
            "--force-enable-abort-handler" => drop(bindgen.force_enable_abort_handler(true)),
            "--keep-debug" => drop(bindgen.keep_debug(true)),
            "--no-demangle" => drop(bindgen.demangle(false)),
            "--no-typescript" => drop(bindgen.typescript(false)),
            input if !input.starts_with('-') => drop(bindgen.input_path(input)),
            other => bail!("option `{other}` is not supported"),
        }
    }
    bindgen.generate(out_dir.context("`--out-dir` is missing")?)
}
