//! Programs and libraries that come from the operating system. Installed by itself only where
//! that is possible without asking: as root, on a system with apt. Otherwise named.

use std::path::Path;

use crate::cache;
use crate::failure::Failure;
use crate::process::{command, output, run_logged};
use crate::progress::step;
use crate::repo::make_dir;

/// Something the system has to provide.
pub struct Need {
    /// What a message calls it.
    pub name: &'static str,
    /// A command that succeeds when it is there.
    pub test: &'static [&'static str],
    /// The Debian package that brings it.
    pub package: &'static str,
}

/// Makes sure that all of these are there.
///
/// # Errors
/// Names what is missing and the command that installs it.
pub fn require(needs: &[Need]) -> Result<(), Failure> {
    let absent = missing(needs);
    if absent.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = absent.iter().map(|need| need.package).collect();
    if Path::new("/usr/bin/apt-get").exists() && is_root() {
        apt_get_install(&packages)?;
    }
    let absent = missing(needs);
    if absent.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = absent
        .iter()
        .map(|need| format!("`{}`", need.name))
        .collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    Err(Failure::new(format!("{} {verb} missing", names.join(" and "))).hint(how(&packages)))
}

fn missing(needs: &[Need]) -> Vec<&Need> {
    let there = |need: &&Need| match need.test {
        [program, arguments @ ..] => output(command(program).args(arguments)).is_ok(),
        [] => true,
    };
    needs.iter().filter(|need| !there(need)).collect()
}

fn how(packages: &[&str]) -> String {
    if cfg!(target_os = "linux") {
        format!("sudo apt-get install -y {}", packages.join(" "))
    } else {
        format!("install what Debian calls {}", packages.join(", "))
    }
}

fn is_root() -> bool {
    output(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn apt_get_install(packages: &[&str]) -> Result<(), Failure> {
    let dir = cache::dir()?;
    make_dir(&dir)?;
    step(&format!("{} from Debian", packages.join(", ")), || {
        let log = dir.join("apt.log");
        run_logged(command("apt-get").arg("update"), &log)?;
        let mut install = command("apt-get");
        install
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages);
        run_logged(install.env("DEBIAN_FRONTEND", "noninteractive"), &log)
    })
}
