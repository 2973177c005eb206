//! The whole of Tollgate on this machine: sqld with the migrated database, the simulator, and the built
//! Workers in workerd. `cargo xtask dev` and the end-to-end tests start the same thing. What the Workers
//! are configured with comes from their `wrangler.toml`.

mod cron;
mod ports;
mod service;
mod simulator;
mod sqld;
mod state;
mod token;
mod workerd;
mod wrangler;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::build::{Optimise, Worker, build};
use crate::database::Database;
use crate::failure::Failure;
use crate::progress::step;
use crate::repo::path;
use crate::setup::{self, Tools};

pub use cron::CronTrigger;
pub use ports::Ports;
pub use state::{StateDir, clear};

use ports::Assigned;
use service::Service;
use simulator::Profile;
use wrangler::Wrangler;

/// How a stack differs from the usual one.
#[derive(Debug, Default)]
pub struct StackOptions {
    /// Where the database and the logs are kept; none is a temporary directory that [`Stack::stop`]
    /// removes.
    pub state: Option<PathBuf>,
    /// Where it listens.
    pub ports: Ports,
    /// Variables and secrets of the gateway, over those of `wrangler.toml`. With `TURSO_URL` among
    /// them no local database is started; with `OPENROUTER_API_KEY` the gateway talks to the real
    /// provider.
    pub vars: BTreeMap<String, String>,
}

/// A running stack. Dropping it ends every part of it.
#[derive(Debug)]
pub struct Stack {
    // The parts first: they end before their files go.
    workerd: Service,
    simulator: Service,
    sqld: Option<Service>,
    database: Database,
    vars: BTreeMap<String, String>,
    deployments: Vec<(Worker, Wrangler)>,
    ports: Assigned,
    tools: Tools,
    state: StateDir,
    benchmark: bool,
}

impl Stack {
    /// Starts everything and waits until it answers. The gateway and the simulator must have been
    /// built: see [`prepare`].
    ///
    /// # Errors
    /// When a port is taken, a part does not come up, or a migration fails.
    pub fn start(options: StackOptions) -> Result<Self, Failure> {
        Self::start_for(options, false)
    }

    /// Starts a stack on free ports that is to be measured: the simulator is the release build, and
    /// a Worker beside the gateway passes calls on to it and does nothing else. They must have been
    /// built: see [`prepare_benchmark`].
    ///
    /// # Errors
    /// As [`Stack::start`].
    pub fn start_benchmark() -> Result<Self, Failure> {
        Self::start_for(StackOptions::default(), true)
    }

    fn start_for(options: StackOptions, benchmark: bool) -> Result<Self, Failure> {
        let tools = setup::tools()?;
        let state = StateDir::open(options.state.as_deref())?;
        let deployments = Worker::ALL
            .into_iter()
            .map(|worker| Ok((worker, Wrangler::read(worker)?)))
            .collect::<Result<Vec<_>, Failure>>()?;
        let ports = options.ports.assign()?;
        let mut vars = options.vars;

        let mut sqld = None;
        if !vars.contains_key("TURSO_URL") {
            let key = token::signing_key(state.path())?;
            vars.insert("TURSO_URL".to_owned(), format!("http://{}", ports.database));
            vars.insert("TURSO_AUTH_TOKEN".to_owned(), token::issue(&key));
            sqld = Some(sqld::start(&tools, &state, &ports, &key)?);
        }
        if !vars.contains_key("SEALING_KEYS") {
            vars.insert(
                "SEALING_KEYS".to_owned(),
                token::sealing_keys(state.path())?,
            );
        }
        simulator::stand_in(&mut vars, &ports);
        let database = Database::new(
            vars.get("TURSO_URL").map_or("", String::as_str),
            vars.get("TURSO_AUTH_TOKEN").map(String::as_str),
        )?;
        let simulator = simulator::start(&state, &ports, profile(benchmark))?;
        let workerd = Service::new("workerd", state.log("workerd"), workerd::health(&ports));
        let mut stack = Self {
            workerd,
            simulator,
            sqld,
            database,
            vars,
            deployments,
            ports,
            tools,
            state,
            benchmark,
        };
        stack.start_workerd()?;
        stack.wait()?;
        Ok(stack)
    }

    /// Waits for the parts in the order in which they need each other.
    fn wait(&mut self) -> Result<(), Failure> {
        if let Some(sqld) = &mut self.sqld {
            sqld.wait()?;
        }
        self.database.migrate(&path("migrations"))?;
        self.simulator.wait()?;
        self.workerd.wait()
    }

    fn start_workerd(&mut self) -> Result<(), Failure> {
        let mut command = workerd::prepare(
            &self.tools,
            &self.state,
            &self.ports,
            workerd::Settings {
                deployments: &self.deployments,
                vars: &self.vars,
                pass_through: self.ports.pass_through.filter(|_| self.benchmark),
            },
        )?;
        self.workerd.start(&mut command)
    }

    /// The gateway's address, such as `http://127.0.0.1:8787`.
    #[must_use]
    pub fn gateway_url(&self) -> String {
        format!("http://{}", self.ports.gateway)
    }

    /// The dashboard's address: the operator's own pages.
    #[must_use]
    pub fn dashboard_url(&self) -> String {
        format!("http://{}", self.ports.dashboard)
    }

    /// The dashboard under another name of this machine, so that a reseller's brand has a host, too.
    #[must_use]
    pub fn reseller_url(&self) -> String {
        format!("http://localhost:{}", self.ports.dashboard.port())
    }

    /// The simulator's address; the provider's API is below `/api/v1` there.
    #[must_use]
    pub fn simulator_url(&self) -> String {
        format!("http://{}", self.ports.simulator)
    }

    /// Where the simulator sends Stripe's events, and the secret that it signs them with; none when the
    /// dashboard talks to the real Stripe.
    #[must_use]
    pub fn stripe(&self) -> Option<(String, &'static str)> {
        let base = self.vars.get("STRIPE_BASE_URL")?;
        let simulated = base.starts_with(&self.simulator_url());
        simulated.then(|| simulator::webhook(&self.ports))
    }

    /// Where the e-mail is read that the dashboard sends through the simulator.
    #[must_use]
    pub fn mailbox_url(&self) -> String {
        format!("{}/mailbox", self.simulator_url())
    }

    /// The address of the Worker that passes calls on to the simulator, if there is one.
    #[must_use]
    pub fn pass_through_url(&self) -> Option<String> {
        let address = self.ports.pass_through.filter(|_| self.benchmark)?;
        Some(format!("http://{address}"))
    }

    /// The credential of the database, as the gateway has it.
    #[must_use]
    pub fn database_token(&self) -> &str {
        self.vars.get("TURSO_AUTH_TOKEN").map_or("", String::as_str)
    }

    /// The database, opened with that credential.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Whether the database is the local one, which this stack started.
    #[must_use]
    pub fn has_local_database(&self) -> bool {
        self.sqld.is_some()
    }

    /// The directory of the database, the logs and the demo keys.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        self.state.path()
    }

    /// The file with what the gateway logs: one JSON object per line, its own line in `message`.
    #[must_use]
    pub fn gateway_log(&self) -> PathBuf {
        self.state.log("workerd")
    }

    /// The cron expressions on which a Worker's `scheduled` handler runs in production.
    pub fn crons(&self) -> impl Iterator<Item = (Worker, &str)> {
        self.deployments.iter().flat_map(|(worker, wrangler)| {
            let crons = wrangler.crons().iter();
            crons.map(|cron| (*worker, cron.as_str()))
        })
    }

    /// What runs the `scheduled` handlers; it can be sent to another thread.
    #[must_use]
    pub fn cron(&self) -> CronTrigger {
        CronTrigger {
            url: format!("http://{}", self.ports.cron),
        }
    }

    /// Runs the gateway's `scheduled` handler and waits until it and its background work are done.
    /// Nothing else runs it: a stack has no clock of its own, `cargo xtask dev` adds one.
    ///
    /// # Errors
    /// When the handler failed or the gateway is not running.
    pub fn trigger_cron(&self) -> Result<(), Failure> {
        self.trigger_cron_of(Worker::Gateway)
    }

    /// The same for either Worker.
    ///
    /// # Errors
    /// When the handler failed or the Worker is not running.
    pub fn trigger_cron_of(&self, worker: Worker) -> Result<(), Failure> {
        let cron = self.crons().find(|(owner, _)| *owner == worker);
        self.cron().run(worker, cron.map_or("", |(_, cron)| cron))
    }

    /// Ends the gateway like a power cut.
    pub fn kill_workerd(&mut self) {
        self.workerd.kill();
    }

    /// Starts the gateway again on the same port, after a kill or while it runs, and waits until
    /// it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart_workerd(&mut self) -> Result<(), Failure> {
        self.workerd.kill();
        self.start_workerd()?;
        self.workerd.wait()
    }

    /// Sets a variable of the gateway; it takes effect with the next [`Self::restart_workerd`].
    pub fn set_var(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
    }

    /// Ends the local database like a power cut.
    pub fn kill_sqld(&mut self) {
        if let Some(sqld) = &mut self.sqld {
            sqld.kill();
        }
    }

    /// Starts the local database again on the same port and files, and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart_sqld(&mut self) -> Result<(), Failure> {
        if self.sqld.is_none() {
            return Ok(());
        }
        self.kill_sqld();
        let key = token::signing_key(self.state.path())?;
        self.sqld
            .insert(sqld::start(&self.tools, &self.state, &self.ports, &key)?)
            .wait()
    }

    /// Ends the simulator like a power cut.
    pub fn kill_simulator(&mut self) {
        self.simulator.kill();
    }

    /// Starts the simulator again on the same port, and waits until it answers. What it recorded
    /// is gone.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart_simulator(&mut self) -> Result<(), Failure> {
        self.simulator.kill();
        self.simulator = simulator::start(&self.state, &self.ports, profile(self.benchmark))?;
        self.simulator.wait()
    }

    /// Fails if a part has ended by itself; one that was killed here counts as wanted.
    ///
    /// # Errors
    /// Names the part, how it ended and what it logged last.
    pub fn check(&mut self) -> Result<(), Failure> {
        if let Some(sqld) = &mut self.sqld {
            sqld.check()?;
        }
        self.simulator.check()?;
        self.workerd.check()
    }

    /// Ends everything in order: first the gateway, last what it uses.
    pub fn stop(mut self) {
        self.workerd.stop();
        self.simulator.stop();
        if let Some(sqld) = &mut self.sqld {
            sqld.stop();
        }
    }
}

/// Builds what [`Stack::start`] runs, as far as it is not up to date.
///
/// # Errors
/// When something does not compile.
pub fn prepare() -> Result<(), Failure> {
    for worker in Worker::ALL {
        build(worker, Optimise::Size)?;
    }
    step("simulator", || simulator::build(Profile::Debug))
}

/// Builds what [`Stack::start_benchmark`] runs, as far as it is not up to date.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_benchmark() -> Result<(), Failure> {
    for worker in Worker::ALL {
        build(worker, Optimise::Size)?;
    }
    step("simulator, optimised", || {
        simulator::build(Profile::Release)
    })
}

const fn profile(benchmark: bool) -> Profile {
    if benchmark {
        Profile::Release
    } else {
        Profile::Debug
    }
}
