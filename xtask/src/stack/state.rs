//! The directory in which a stack keeps its database, logs and generated files.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::database;
use crate::failure::{Failure, OrFail};
use crate::repo::{make_dir, remove};

/// What a stack puts there. `--fresh` removes these and nothing else, whatever directory it was
/// given.
const CONTENTS: [&str; 8] = [
    "database",
    database::STATE_FILE,
    "database.key",
    "database.pub",
    "demo.json",
    "logs",
    "sealing.key",
    "workerd",
];

/// A state directory that no other stack uses at the same time.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Held for its lock, which ends with the process.
    _lock: File,
    /// Held because dropping it removes the directory.
    _temporary: Option<TempDir>,
}

impl StateDir {
    /// Opens a directory, or makes a temporary one. Logs of an earlier run are removed.
    ///
    /// # Errors
    /// When it cannot be written or another stack uses it.
    pub fn open(dir: Option<&Path>) -> Result<Self, Failure> {
        let (path, temporary) = match dir {
            Some(dir) => (make_absolute(dir)?, None),
            None => {
                let temporary = TempDir::with_prefix("tollgate-")
                    .or_fail(|| "cannot create a temporary directory".to_owned())?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        let lock = lock(&path)?;
        remove(&path.join("logs"))?;
        make_dir(&path.join("logs"))?;
        Ok(Self {
            path,
            _lock: lock,
            _temporary: temporary,
        })
    }

    /// The directory, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The log of a part.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.path.join("logs").join(format!("{name}.log"))
    }
}

/// Removes what a stack left in a directory, so that the next one starts anew.
///
/// # Errors
/// When another stack uses it, or it cannot be written.
pub fn clear(dir: &Path) -> Result<(), Failure> {
    let dir = make_absolute(dir)?;
    let _lock = lock(&dir)?;
    CONTENTS.iter().try_for_each(|name| remove(&dir.join(name)))
}

/// Two databases on the same files would destroy them.
fn lock(dir: &Path) -> Result<File, Failure> {
    let file = dir.join("lock");
    let lock = File::create(&file).or_fail(|| format!("cannot write `{}`", file.display()))?;
    lock.try_lock().map_err(|_| {
        Failure::new(format!(
            "another `cargo xtask dev` uses `{}`",
            dir.display()
        ))
        .hint("stop it, or choose another directory with `--state DIR`")
    })?;
    Ok(lock)
}

/// A directory that has to be made is its owner's alone: it will hold keys.
fn make_absolute(dir: &Path) -> Result<PathBuf, Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.or_fail(|| format!("cannot create `{}`", dir.display()))?;
    dir.canonicalize()
        .or_fail(|| format!("cannot read `{}`", dir.display()))
}
