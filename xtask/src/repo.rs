//! Where things are in this repository, and how files in it are read and replaced.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, OrFail};

/// The toolchain that builds everything, as in `rust-toolchain.toml`.
pub const TOOLCHAIN: &str = "1.95.0";

/// The root of the repository this program was compiled in.
#[must_use]
pub fn root() -> &'static Path {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir.parent().unwrap_or(manifest_dir)
}

/// A path inside the repository.
#[must_use]
pub fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// Reads a text file.
///
/// # Errors
/// Names the file that could not be read.
pub fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).or_fail(|| format!("cannot read `{}`", path.display()))
}

/// Makes a directory and its parents, if it is not there yet.
///
/// # Errors
/// Names the directory that could not be made.
pub fn make_dir(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).or_fail(|| format!("cannot create `{}`", path.display()))
}

/// Removes a file or a whole directory; one that is not there is fine.
///
/// # Errors
/// Names what could not be removed.
pub fn remove(path: &Path) -> Result<(), Failure> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).or_fail(|| format!("cannot remove `{}`", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Replaces a file in one step, so that a reader sees all of it or none. Only the owner may read
/// it, because most of what is written this way holds keys.
///
/// # Errors
/// Names the file that could not be written.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let what = || format!("cannot write `{}`", path.display());
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(parent).or_fail(what)?;
    file.write_all(content).or_fail(what)?;
    file.persist(path).or_fail(what)?;
    Ok(())
}
