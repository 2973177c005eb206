//! What a campaign adds to the running parts: a model with a minimum charge, resellers with their
//! customers, and how everything comes to rest.

use tollgate_core::hrana::Statement;
use tollgate_core::ids::AccountId;
use tollgate_core::limits::Limits;
use xtask::clock::now_ms;

use super::books;
use super::random::Random;
use crate::price::Rule;
use crate::stage::{OPERATOR, Stage};
use crate::{Caller, eventually};

/// A model with a minimum charge.
const DEAR_MODEL: &str = "sim/at-azure";
const DEAR: Rule = Rule {
    markup_bps: 777,
    min_charge: 40_000,
};

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

/// Starts everything with these settings of the gateway. What it leaves is kept for a look until the
/// next start under this name.
///
/// # Panics
/// When a part does not come up.
#[must_use]
pub fn start(name: &str, vars: &[(&str, &str)]) -> Stage {
    let state = xtask::repo::path("target/tmp/campaign").join(name);
    let stage = Stage::start(state, vars);
    let dear = (DEAR.markup_bps, DEAR.min_charge);
    stage.rule(&stage.operator, DEAR_MODEL, dear);
    stage
}

impl Stage {
    /// Where the gateway listens.
    #[must_use]
    pub(super) fn address(&self) -> String {
        self.stack.gateway_url().replace("http://", "")
    }

    /// A reseller with so much credit and a markup of its own, and so many customers with credit.
    #[must_use]
    pub(super) fn chains(
        &self,
        random: &mut Random,
        customers: usize,
        credit: (i64, i64),
    ) -> Vec<Chain> {
        let markup_bps = i64::try_from(random.between(1, 9_999)).expect("a markup");
        let reseller = self.world.new_reseller(credit.0, markup_bps);
        let rule = Rule::markup(markup_bps);
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
    pub(super) fn settle(&self, grace_ms: i64) {
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
