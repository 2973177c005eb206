//! The Workers in Cloudflare's runtime. The runtime's configuration is generated from their
//! `wrangler.toml`; the network it gets is the public internet and the named local services.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddrV4};
use std::path::Path;
use std::process::Command;

use ureq::http::Uri;

use crate::build::Worker;
use crate::failure::{Failure, OrFail};
use crate::process::command;
use crate::repo::{make_dir, remove};
use crate::setup::Tools;
use crate::stack::ports::Assigned;
use crate::stack::state::StateDir;
use crate::stack::wrangler::Wrangler;

/// Runs the Workers' `scheduled` handlers when it is called, which workerd's own clock cannot do.
const CRON: &str = include_str!("../../workers/cron.js");

/// Passes every call on to the simulator: what the runtime costs without the gateway.
const PASS_THROUGH: &str = include_str!("../../workers/pass_through.js");

/// Settings that name a service which may be on this machine.
const SERVICES: [&str; 6] = [
    "GITHUB_API_URL",
    "GITHUB_BASE_URL",
    "OPENROUTER_BASE_URL",
    "RESEND_BASE_URL",
    "STRIPE_BASE_URL",
    "TURSO_URL",
];

/// The page that tells when the Workers answer.
pub fn health(ports: &Assigned) -> String {
    format!("http://{}/v1/health", ports.gateway)
}

/// What the runtime is run with.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// The Workers' deployments.
    pub deployments: &'a [(Worker, Wrangler)],
    /// Variables and secrets, over those of the deployments.
    pub vars: &'a BTreeMap<String, String>,
    /// Where a Worker listens that passes calls on to the simulator.
    pub pass_through: Option<SocketAddrV4>,
}

/// Writes the configuration beside a copy of the built Workers, and returns the command that runs
/// it. The copy keeps running Workers apart from the next build.
pub fn prepare(
    tools: &Tools,
    state: &StateDir,
    ports: &Assigned,
    settings: Settings<'_>,
) -> Result<Command, Failure> {
    let dir = state.path().join("workerd");
    remove(&dir)?;
    make_dir(&dir)?;
    let mut workers = Vec::new();
    for (worker, wrangler) in settings.deployments {
        let own = dir.join(worker.name());
        make_dir(&own)?;
        let main = worker.dir().join(&wrangler.main);
        let others = settings
            .deployments
            .iter()
            .filter(|(other, _)| other != worker)
            .map(|(_, other)| other);
        workers.push(Deployed {
            worker: *worker,
            wrangler,
            modules: copy_modules(*worker, &main, &own)?,
            values: wrangler.values(settings.vars, others)?,
        });
    }
    let config = Config {
        workers: &workers,
        ports,
        pass_through: settings.pass_through,
    }
    .render()?;
    for (name, text) in [
        ("cron.js", CRON),
        ("pass_through.js", PASS_THROUGH),
        ("config.capnp", config.as_str()),
    ] {
        let file = dir.join(name);
        fs::write(&file, text).or_fail(|| format!("cannot write `{}`", file.display()))?;
    }
    let mut workerd = command(&tools.workerd);
    // Calling another Worker's `scheduled` is what counts as experimental here.
    workerd
        .args(["serve", "--experimental", "--verbose"])
        .arg(dir.join("config.capnp"));
    // The Workers' secrets are the only environment it has, and are in no file.
    workerd.current_dir(&dir).env_clear();
    for deployed in &workers {
        for (name, value) in &deployed.values {
            workerd.env(deployed.variable(name), value);
        }
    }
    Ok(workerd)
}

/// Copies the entry module and the WASM beside it; returns their names, the entry first.
fn copy_modules(worker: Worker, main: &Path, dir: &Path) -> Result<Vec<String>, Failure> {
    let name = |file: &Path| {
        file.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let build = main.parent().unwrap_or(main);
    let entries = fs::read_dir(build).map_err(|_| {
        Failure::new(format!("the {} is not built", worker.name())).hint("run `cargo xtask build`")
    })?;
    let wasm = entries.flatten().map(|entry| entry.path()).filter(|file| {
        file.extension()
            .is_some_and(|extension| extension == "wasm")
    });
    let mut modules = Vec::new();
    for file in [main.to_owned()].into_iter().chain(wasm) {
        fs::copy(&file, dir.join(name(&file)))
            .or_fail(|| format!("cannot copy `{}`", file.display()))?;
        modules.push(name(&file));
    }
    Ok(modules)
}

/// A Worker as it is run.
struct Deployed<'a> {
    worker: Worker,
    wrangler: &'a Wrangler,
    /// File names, the entry module first.
    modules: Vec<String>,
    values: BTreeMap<String, String>,
}

/// What the configuration is made from.
struct Config<'a> {
    workers: &'a [Deployed<'a>],
    ports: &'a Assigned,
    pass_through: Option<SocketAddrV4>,
}

impl Deployed<'_> {
    /// The variable of the runtime's environment that carries a setting: Workers may have settings of
    /// the same name.
    fn variable(&self, name: &str) -> String {
        format!("{}_{name}", self.worker.name().to_ascii_uppercase())
    }

    /// The Worker in the configuration's language.
    fn render(&self, all: &[Self]) -> Result<String, Failure> {
        let name = self.worker.name();
        let flags: Vec<String> = self
            .wrangler
            .compatibility_flags
            .iter()
            .map(|flag| text(flag))
            .collect();
        let modules: Vec<String> = self
            .modules
            .iter()
            .map(|module| {
                let kind = if module.ends_with(".wasm") {
                    "wasm"
                } else {
                    "esModule"
                };
                let file = text(&format!("{name}/{module}"));
                format!("(name = {}, {kind} = embed {file})", text(module))
            })
            .collect();
        let mut bindings: Vec<String> = self
            .values
            .keys()
            .map(|name| {
                let variable = text(&self.variable(name));
                format!("(name = {}, fromEnvironment = {variable})", text(name))
            })
            .collect();
        for service in &self.wrangler.services {
            let target = all
                .iter()
                .find(|other| other.wrangler.name == service.service)
                .ok_or_else(|| {
                    Failure::new(format!("there is no Worker `{}`", service.service))
                        .hint("a `service` is the `name` in the other Worker's `wrangler.toml`")
                })?;
            let target = text(target.worker.name());
            bindings.push(format!(
                "(name = {}, service = {target})",
                text(&service.binding)
            ));
        }
        Ok(format!(
            r#"
const {name} :Workerd.Worker = (
  modules = [
    {modules},
  ],
  compatibilityDate = {date},
  compatibilityFlags = [{flags}],
  bindings = [
    {bindings},
  ],
);
"#,
            modules = modules.join(",\n    "),
            date = text(&self.wrangler.compatibility_date),
            flags = flags.join(", "),
            bindings = bindings.join(",\n    "),
        ))
    }
}

impl Config<'_> {
    fn render(&self) -> Result<String, Failure> {
        let Self { workers, ports, .. } = self;
        let [more_services, more_sockets, more_workers] = self.render_pass_through();
        let allow: Vec<String> = self.network()?.iter().map(|block| text(block)).collect();
        let names = workers.iter().map(|deployed| deployed.worker.name());
        let services: String = names
            .clone()
            .map(|name| format!("\n    (name = \"{name}\", worker = .{name}),"))
            .collect();
        let bindings: Vec<String> = names
            .map(|name| format!("(name = \"{name}\", service = \"{name}\")"))
            .collect();
        let definitions = workers
            .iter()
            .map(|deployed| deployed.render(workers))
            .collect::<Result<String, Failure>>()?;
        Ok(format!(
            r#"# Generated by cargo xtask from `wrangler.toml`.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  logging = (structuredLogging = true),
  services = [
    (name = "internet", network = (allow = [{allow}], tlsOptions = (trustBrowserCas = true))),{services}
    (name = "cron", worker = .cron),{more_services}
  ],
  sockets = [
    (name = "gateway", address = "{gateway}", http = (), service = "gateway"),
    (name = "dashboard", address = "{dashboard}", http = (), service = "dashboard"),
    (name = "cron", address = "{cron}", http = (), service = "cron"),{more_sockets}
  ],
);
{definitions}
const cron :Workerd.Worker = (
  modules = [(name = "cron.js", esModule = embed "cron.js")],
  compatibilityDate = {date},
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [{bindings}],
);
{more_workers}"#,
            allow = allow.join(", "),
            gateway = ports.gateway,
            dashboard = ports.dashboard,
            cron = ports.cron,
            date = text(self.date()),
            bindings = bindings.join(", "),
        ))
    }

    /// The day that our own small Workers are written for.
    fn date(&self) -> &str {
        self.workers
            .first()
            .map_or("", |deployed| deployed.wrangler.compatibility_date.as_str())
    }

    /// The lines of the Worker that passes calls on, if there is to be one: its service, its socket
    /// and the Worker itself.
    fn render_pass_through(&self) -> [String; 3] {
        let Some(address) = self.pass_through else {
            return Default::default();
        };
        [
            "\n    (name = \"pass-through\", worker = .passThrough),".to_owned(),
            format!(
                "\n    (name = \"pass-through\", address = \"{address}\", http = (), service = \"pass-through\"),"
            ),
            format!(
                r#"
const passThrough :Workerd.Worker = (
  modules = [(name = "pass_through.js", esModule = embed "pass_through.js")],
  compatibilityDate = {date},
  bindings = [(name = "UPSTREAM", text = {upstream})],
);
"#,
                date = text(self.date()),
                upstream = text(&format!("http://{}", self.ports.simulator)),
            ),
        ]
    }

    /// The addresses that the Workers may connect to, as blocks.
    fn network(&self) -> Result<Vec<String>, Failure> {
        let mut blocks = vec!["public".to_owned()];
        for deployed in self.workers {
            for name in SERVICES {
                let Some(url) = deployed.values.get(name) else {
                    continue;
                };
                let uri: Uri = url
                    .parse()
                    .or_fail(|| format!("`{name}` is not a URL: `{url}`"))?;
                blocks.extend(private_block(uri.host().unwrap_or_default()));
            }
        }
        blocks.sort();
        blocks.dedup();
        Ok(blocks)
    }
}

/// The block of exactly this host, if it is named by an address or is this machine; what is
/// reached by any other name has to be public.
fn private_block(host: &str) -> Option<String> {
    let host = if host == "localhost" {
        "127.0.0.1"
    } else {
        host
    };
    match host.trim_matches(['[', ']']).parse().ok()? {
        IpAddr::V4(address) => Some(format!("{address}/32")),
        IpAddr::V6(address) => Some(format!("{address}/128")),
    }
}

/// A text literal of the configuration language.
fn text(value: &str) -> String {
    format!(
        "\"{}\"",
        value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_may_reach_named_local_services_and_no_others() {
        let check = |host: &str, expect: Option<&str>| {
            assert_eq!(private_block(host).as_deref(), expect, "{host}");
        };
        check("127.0.0.2", Some("127.0.0.2/32"));
        check("localhost", Some("127.0.0.1/32"));
        check("[::1]", Some("::1/128"));
        check("10.1.2.3", Some("10.1.2.3/32"));
        check("db-acme.turso.io", None);
        check("", None);
    }

    #[test]
    fn no_setting_can_break_out_of_its_literal() {
        let check = |value: &str, expect: &str| assert_eq!(text(value), expect);
        check("plain", r#""plain""#);
        check(r#"a"b"#, r#""a\"b""#);
        check(r"a\", r#""a\\""#);
        check("a\nb", r#""a\nb""#);
    }
}
