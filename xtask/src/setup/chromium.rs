//! Chromium or Chrome, for the tests in a browser only. It is the system's: a browser is too large and
//! too soon out of date to be kept by us.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::debian::{Need, require};
use crate::failure::Failure;

/// The names it has on the PATH.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Where it is on macOS.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const NEEDS: [Need; 1] = [Need {
    name: "Chromium",
    test: &["chromium", "--version"],
    package: "chromium",
}];

/// Tells where the browser is: at `CHROMIUM_BIN` if that is set, or else at one of its usual places.
/// Installs it where that is possible without asking.
///
/// # Errors
/// When there is none, or `CHROMIUM_BIN` names no file.
pub fn chromium() -> Result<PathBuf, Failure> {
    if let Some(wanted) = env::var_os("CHROMIUM_BIN").filter(|path| !path.is_empty()) {
        let wanted = PathBuf::from(wanted);
        if wanted.is_file() {
            return Ok(wanted);
        }
        let message = format!("`CHROMIUM_BIN` is `{}`, which is no file", wanted.display());
        return Err(Failure::new(message).hint("set it to the program, or unset it"));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(found) = search(&path, &APPLICATIONS) {
        return Ok(found);
    }
    if cfg!(target_os = "linux") {
        require(&NEEDS)?;
    }
    search(&path, &APPLICATIONS).ok_or_else(|| {
        Failure::new("`Chromium` is missing")
            .hint("install Chromium or Chrome, or set `CHROMIUM_BIN` to the program")
    })
}

fn search(path: &OsStr, applications: &[&str]) -> Option<PathBuf> {
    let on_path = env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let applications = applications.iter().map(|file| Path::new(file).to_owned());
    on_path.chain(applications).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_found_by_any_of_its_names_and_the_path_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, "").unwrap();
            file
        };
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        let path = env::join_paths([&first, &second]).unwrap();
        let application = dir.path().join("Chrome.app/Chrome");
        let found = || search(&path, &[application.to_str().unwrap()]);
        assert_eq!(found(), None);
        let application = file("Chrome.app/Chrome");
        assert_eq!(found(), Some(application));
        let chrome = file("second/google-chrome");
        assert_eq!(found(), Some(chrome));
        std::fs::create_dir_all(first.join("chromium")).unwrap();
        let chromium = file("second/chromium");
        assert_eq!(found(), Some(chromium), "a folder is no program");
    }
}
