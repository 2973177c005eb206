//! The stand-in for the companies that a stack talks to. What it does is in the `simulator` crate.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::process::{command, run_logged};
use crate::repo::{TOOLCHAIN, make_dir, path, root};
use crate::stack::ports::Assigned;
use crate::stack::service::Service;
use crate::stack::state::StateDir;

/// The provider credential that the gateway sends it.
const KEY: &str = "sk-or-simulator";

/// The secret of the webhook that it sends as Stripe.
const WEBHOOK_SECRET: &str = "whsec_simulator";

/// Lets the simulator stand in for every company whose credential is not among the variables.
pub fn stand_in(vars: &mut BTreeMap<String, String>, ports: &Assigned) {
    let origin = format!("http://{}", ports.simulator);
    // The credential, its value, and what is set with it.
    type Company<'a> = (&'a str, &'a str, &'a [(&'a str, String)]);
    let companies: [Company<'_>; 4] = [
        (
            "OPENROUTER_API_KEY",
            KEY,
            &[("OPENROUTER_BASE_URL", format!("{origin}/api/v1"))],
        ),
        (
            "STRIPE_SECRET_KEY",
            "sk_test_simulator",
            &[
                ("STRIPE_BASE_URL", format!("{origin}/stripe")),
                ("STRIPE_PAGE_ORIGINS", origin.clone()),
                ("STRIPE_WEBHOOK_SECRETS", WEBHOOK_SECRET.to_owned()),
            ],
        ),
        (
            "GITHUB_CLIENT_SECRET",
            "github-simulator-secret",
            &[
                ("GITHUB_CLIENT_ID", "github-simulator".to_owned()),
                ("GITHUB_BASE_URL", format!("{origin}/github")),
                ("GITHUB_API_URL", format!("{origin}/github/api")),
            ],
        ),
        (
            "RESEND_API_KEY",
            "re_simulator",
            &[
                ("RESEND_BASE_URL", format!("{origin}/resend")),
                ("MAIL_FROM", "Tollgate <no-reply@tollgate.test>".to_owned()),
            ],
        ),
    ];
    for (secret, value, settings) in companies {
        if vars.contains_key(secret) {
            continue;
        }
        vars.insert(secret.to_owned(), value.to_owned());
        for (name, value) in settings {
            vars.entry((*name).to_owned()).or_insert(value.clone());
        }
    }
    vars.entry("GATEWAY_URL".to_owned())
        .or_insert(format!("http://{}", ports.gateway));
}

/// Where it sends Stripe's events, and the secret that it signs them with.
pub fn webhook(ports: &Assigned) -> (String, &'static str) {
    let url = format!("http://{}/stripe/webhook", ports.dashboard);
    (url, WEBHOOK_SECRET)
}

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
    let (webhook_url, webhook_secret) = webhook(ports);
    simulator.args(["--stripe-webhook-url", &webhook_url]);
    simulator.args(["--stripe-webhook-secret", webhook_secret]);
    let health = format!("http://{}/_sim/health", ports.simulator);
    let mut service = Service::new("simulator", state.log("simulator"), health);
    service.start(&mut simulator)?;
    Ok(service)
}
