//! Makes what the pages load besides HTML: one style sheet, which Tailwind writes from the classes that
//! the sources name, and two scripts. Each is compressed here, and named by its content, so that a
//! browser keeps it until it changes. `cargo xtask setup` installs the tools.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let package = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let modules = package.join("../node_modules");
    let style = out.join("app.css");
    tailwind(&modules, &package.join("style/app.css"), &style)?;
    let script = |name: &str| package.join("script").join(name);
    let assets = [
        ("STYLE", "app", style, "text/css"),
        (
            "HTMX",
            "htmx",
            modules.join("htmx.org/dist/htmx.min.js"),
            "text/javascript",
        ),
        ("SCRIPT", "app", script("app.js"), "text/javascript"),
    ];
    let mut code = String::new();
    let mut list = String::new();
    for (constant, name, file, media_type) in &assets {
        let content = fs::read(file).map_err(|error| missing(file, &error))?;
        let digest = format!("{:x}", Sha256::digest(&content));
        let kind = if *media_type == "text/css" {
            "css"
        } else {
            "js"
        };
        let path = format!(
            "/assets/{name}-{}.{kind}",
            digest.get(..12).unwrap_or_default()
        );
        let compressed = out.join(format!("{name}.{kind}.gz"));
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&content)?;
        fs::write(&compressed, gzip.finish()?)?;
        code += &format!("/// Where the page finds it.\npub const {constant}: &str = {path:?};\n");
        list += &format!(
            "Asset {{ path: {constant}, media_type: \"{media_type}; charset=utf-8\", gzip: include_bytes!({compressed:?}) }},\n"
        );
    }
    code += &format!("/// Every asset.\npub static ASSETS: &[Asset] = &[\n{list}];\n");
    fs::write(out.join("assets.rs"), code)?;
    for folder in ["src", "style", "script"] {
        watch(&package.join(folder))?;
    }
    println!("cargo:rerun-if-changed=../package-lock.json");
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| format!("`{name}`: {error}"))
}

fn tailwind(modules: &Path, input: &Path, output: &Path) -> Result<(), Box<dyn Error>> {
    let program = modules.join("@tailwindcss/cli/dist/index.mjs");
    let mut node = Command::new("node");
    node.arg(&program)
        .arg("--input")
        .arg(input)
        .arg("--output")
        .arg(output)
        .arg("--minify");
    let run = node.output().map_err(|error| missing(&program, &error))?;
    if run.status.success() {
        return Ok(());
    }
    Err(format!(
        "Tailwind failed; if it is not installed, run `cargo xtask setup`\n{}",
        String::from_utf8_lossy(&run.stderr)
    )
    .into())
}

fn missing(file: &Path, error: &std::io::Error) -> String {
    format!(
        "`{}`: {error}; `cargo xtask setup` installs the tools",
        file.display()
    )
}

/// Every file, because cargo's own list of what a build was made from can hold no folder.
fn watch(folder: &Path) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            watch(&path)?;
        } else {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    println!("cargo:rerun-if-changed={}", folder.display());
    Ok(())
}
