//! The running parts with the demo's people in them, which all tests of this program share.

use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use xtask::demo::{self, Demo};
use xtask::stack::{Ports, Stack, StackOptions};

/// Everything that runs, and who is in it.
pub struct Stage {
    /// The parts.
    pub stack: Stack,
    /// The people, with links that nobody used yet.
    pub demo: Demo,
}

static SHARED: LazyLock<Mutex<Stage>> = LazyLock::new(|| Mutex::new(Stage::start()));

/// The stage. One test at a time has it: what a test changes, the next one finds.
pub fn shared() -> MutexGuard<'static, Stage> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    fn start() -> Self {
        static BUILT: Once = Once::new();
        BUILT.call_once(|| xtask::stack::prepare().expect("everything is built"));
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
        xtask::stack::clear(&state).expect("an empty directory");
        let stack = Stack::start(StackOptions {
            state: Some(state),
            ports: Ports::Free,
            ..StackOptions::default()
        });
        let stack = stack.unwrap_or_else(|failure| panic!("{failure}"));
        let demo = demo::of(&stack).expect("a demo").expect("a fresh database");
        Self { stack, demo }
    }

    /// New one-time links for the demo's people.
    pub fn renew_links(&mut self) {
        let demo = demo::of(&self.stack).expect("a demo");
        self.demo = demo.expect("the demo's file");
    }
}
