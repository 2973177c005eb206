//! The stand-in for the provider. What it does is in the `simulator` crate.

use crate::failure::Failure;
use crate::process::{command, run_logged};
use crate::repo::{TOOLCHAIN, make_dir, path, root};
use crate::stack::ports::Assigned;
use crate::stack::service::Service;
use crate::stack::state::StateDir;

/// The provider credential that the gateway sends it.
pub const KEY: &str = "sk-or-simulator";

/// How the simulator is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Soon ready.
    #[default]
    Debug,
    /// Fast, so that a benchmark measures what is before it.
    Release,
}

impl Profile {
    const fn directory(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// Compiles the simulator.
pub fn build(profile: Profile) -> Result<(), Failure> {
    make_dir(&path("target"))?;
    let mut build = command("cargo");
    build.args([
        "build",
        "--package",
        "tollgate-simulator",
        "--bin",
        "tollgate-simulator",
    ]);
    if profile == Profile::Release {
        build.arg("--release");
    }
    build.current_dir(root()).env("RUSTUP_TOOLCHAIN", TOOLCHAIN);
    run_logged(&mut build, &path("target/simulator-build.log"))
}

/// Starts the simulator; [`Service::wait`] tells when it answers.
pub fn start(state: &StateDir, ports: &Assigned, profile: Profile) -> Result<Service, Failure> {
    let program = path(&format!(
        "target/{}/tollgate-simulator",
        profile.directory()
    ));
    if !program.is_file() {
        return Err(Failure::new("the simulator is not built")
            .hint("run `cargo build --package tollgate-simulator`"));
    }
    let mut simulator = command(program);
    simulator.args(["--host", &ports.simulator.ip().to_string()]);
    simulator.args(["--port", &ports.simulator.port().to_string()]);
    let health = format!("http://{}/_sim/health", ports.simulator);
    let mut service = Service::new("simulator", state.log("simulator"), health);
    service.start(&mut simulator)?;
    Ok(service)
}
