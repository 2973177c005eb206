//! The cache of installed tools, outside the repository so that every clone shares it. An entry
//! is named by everything it depends on and appears whole or not at all.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::failure::{Failure, OrFail};
use crate::repo::{make_dir, remove};

/// What an unfinished entry's name starts with.
const UNFINISHED: &str = ".installing-";

/// The cache's directory: `$TOLLGATE_CACHE`, or `tollgate` below `$XDG_CACHE_HOME` or `~/.cache`.
///
/// # Errors
/// When none of the three variables is set.
pub fn dir() -> Result<PathBuf, Failure> {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("TOLLGATE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("tollgate")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/tollgate")))
        .ok_or_else(|| {
            Failure::new("there is no place for the tools")
                .hint("set `HOME`, or `TOLLGATE_CACHE` to a directory")
        })
}

/// An entry's directory, whether it exists or not. The name must tell the tool's version.
///
/// # Errors
/// As [`dir`].
pub fn entry(name: &str) -> Result<PathBuf, Failure> {
    Ok(dir()?.join(format!("{name}-{}-{}", env::consts::OS, env::consts::ARCH)))
}

/// Makes an entry: `install` fills an empty directory, which then gets its name in one step. An
/// interrupted installation leaves nothing that could be taken for a tool.
///
/// # Errors
/// The installation's own, or that the cache cannot be written.
pub fn install(
    name: &str,
    install: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    let (dir, entry) = (dir()?, entry(name)?);
    make_dir(&dir)?;
    // Two installations at once would do the same work twice. The lock ends with the process.
    let lock = File::create(dir.join(".lock")).or_fail(|| cannot_write(&dir))?;
    lock.lock().or_fail(|| cannot_write(&dir))?;
    if entry.is_dir() {
        return Ok(entry);
    }
    clear_unfinished(&dir)?;
    let unfinished = dir.join(format!("{UNFINISHED}{name}"));
    make_dir(&unfinished)?;
    install(&unfinished)?;
    fs::rename(&unfinished, &entry).or_fail(|| cannot_write(&entry))?;
    Ok(entry)
}

/// Removes what interrupted installations left; the caller holds the lock, so none is running.
fn clear_unfinished(dir: &Path) -> Result<(), Failure> {
    for item in fs::read_dir(dir).or_fail(|| cannot_write(dir))?.flatten() {
        if item.file_name().to_string_lossy().starts_with(UNFINISHED) {
            remove(&item.path())?;
        }
    }
    Ok(())
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write `{}`", path.display())
}
