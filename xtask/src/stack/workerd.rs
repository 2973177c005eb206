//! The gateway in Cloudflare's runtime. The runtime's configuration is generated from
//! `wrangler.toml`; the network it gets is the public internet and the two local services.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddrV4};
use std::path::Path;
use std::process::Command;

use ureq::http::Uri;

use crate::failure::{Failure, OrFail};
use crate::process::command;
use crate::repo::{make_dir, path, remove};
use crate::setup::Tools;
use crate::stack::ports::Assigned;
use crate::stack::state::StateDir;
use crate::stack::wrangler::Wrangler;

/// Runs the gateway's `scheduled` handler when it is called, which workerd's own clock cannot do.
const CRON: &str = include_str!("../../workers/cron.js");

/// Passes every call on to the simulator: what the runtime costs without the gateway.
const PASS_THROUGH: &str = include_str!("../../workers/pass_through.js");

/// Settings that name a service which may be on this machine.
const SERVICES: [&str; 2] = ["TURSO_URL", "OPENROUTER_BASE_URL"];

/// The page that tells when the gateway answers.
pub fn health(ports: &Assigned) -> String {
    format!("http://{}/v1/health", ports.gateway)
}

/// What the gateway is run with.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// Its deployment.
    pub wrangler: &'a Wrangler,
    /// Its variables and secrets, over those of the deployment.
    pub vars: &'a BTreeMap<String, String>,
    /// Where a Worker listens that passes calls on to the simulator.
    pub pass_through: Option<SocketAddrV4>,
}

/// Writes the configuration beside a copy of the built gateway, and returns the command that runs
/// it. The copy keeps a running gateway apart from the next build.
pub fn prepare(
    tools: &Tools,
    state: &StateDir,
    ports: &Assigned,
    settings: Settings<'_>,
) -> Result<Command, Failure> {
    let wrangler = settings.wrangler;
    let dir = state.path().join("workerd");
    remove(&dir)?;
    make_dir(&dir)?;
    let modules = copy_modules(&path(&wrangler.main), &dir)?;
    let values = wrangler.values(settings.vars)?;
    let config = Config {
        wrangler,
        modules,
        values: &values,
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
    // The gateway's secrets are the only environment it has, and are in no file.
    workerd.current_dir(&dir).env_clear().envs(&values);
    Ok(workerd)
}

/// Copies the entry module and the WASM beside it; returns their names, the entry first.
fn copy_modules(main: &Path, dir: &Path) -> Result<Vec<String>, Failure> {
    let name = |file: &Path| {
        file.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let build = main.parent().unwrap_or(main);
    let entries = fs::read_dir(build)
        .map_err(|_| Failure::new("the gateway is not built").hint("run `cargo xtask build`"))?;
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

/// What the configuration is made from.
struct Config<'a> {
    wrangler: &'a Wrangler,
    /// File names, the entry module first.
    modules: Vec<String>,
    values: &'a BTreeMap<String, String>,
    ports: &'a Assigned,
    pass_through: Option<SocketAddrV4>,
}

impl Config<'_> {
    fn render(&self) -> Result<String, Failure> {
        let Self {
            wrangler,
            modules,
            values,
            ports,
            pass_through: _,
        } = self;
        let [more_services, more_sockets, more_workers] = self.render_pass_through();
        let allow: Vec<String> = self.network()?.iter().map(|block| text(block)).collect();
        let flags: Vec<String> = wrangler
            .compatibility_flags
            .iter()
            .map(|flag| text(flag))
            .collect();
        let modules: Vec<String> = modules
            .iter()
            .map(|name| {
                let kind = if name.ends_with(".wasm") {
                    "wasm"
                } else {
                    "esModule"
                };
                format!("(name = {0}, {kind} = embed {0})", text(name))
            })
            .collect();
        let bindings: Vec<String> = values
            .keys()
            .map(|name| format!("(name = {0}, fromEnvironment = {0})", text(name)))
            .collect();
        Ok(format!(
            r#"# Generated by cargo xtask from `wrangler.toml`.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  logging = (structuredLogging = true),
  services = [
    (name = "internet", network = (allow = [{allow}], tlsOptions = (trustBrowserCas = true))),
    (name = "gateway", worker = .gateway),
    (name = "cron", worker = .cron),{more_services}
  ],
  sockets = [
    (name = "gateway", address = "{gateway}", http = (), service = "gateway"),
    (name = "cron", address = "{cron}", http = (), service = "cron"),{more_sockets}
  ],
);

const gateway :Workerd.Worker = (
  modules = [
    {modules},
  ],
  compatibilityDate = {date},
  compatibilityFlags = [{flags}],
  bindings = [
    {bindings},
  ],
);

const cron :Workerd.Worker = (
  modules = [(name = "cron.js", esModule = embed "cron.js")],
  compatibilityDate = {date},
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [(name = "GATEWAY", service = "gateway")],
);
{more_workers}"#,
            allow = allow.join(", "),
            gateway = ports.gateway,
            cron = ports.cron,
            modules = modules.join(",\n    "),
            date = text(&wrangler.compatibility_date),
            flags = flags.join(", "),
            bindings = bindings.join(",\n    "),
        ))
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
                date = text(&self.wrangler.compatibility_date),
                upstream = text(&format!("http://{}", self.ports.simulator)),
            ),
        ]
    }

    /// The addresses that the gateway may connect to, as blocks.
    fn network(&self) -> Result<Vec<String>, Failure> {
        let mut blocks = vec!["public".to_owned()];
        for name in SERVICES {
            let url = self.values.get(name).map_or("", String::as_str);
            let uri: Uri = url
                .parse()
                .or_fail(|| format!("`{name}` is not a URL: `{url}`"))?;
            blocks.extend(private_block(uri.host().unwrap_or_default()));
        }
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
