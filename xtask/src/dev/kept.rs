//! The demonstration data of the local stack. Its keys are shown once, so they are kept in the state
//! directory, readable by the owner only, and a second start prints them again.

use std::fs;

use crate::demo::{self, Demo};
use crate::failure::{Failure, OrFail};
use crate::repo::write_whole;
use crate::stack::Stack;

/// The stack's demonstration data, seeded when it is first asked for. None in a database that this
/// stack did not make: there it would be money for whoever reads a log.
///
/// # Errors
/// When the database refuses it or the state directory cannot be written.
pub fn demo(stack: &Stack) -> Result<Option<Demo>, Failure> {
    if !stack.has_local_database() {
        return Ok(None);
    }
    let file = stack.state_dir().join("demo.json");
    if let Ok(text) = fs::read(&file) {
        let demo = serde_json::from_slice(&text).or_fail(|| format!("`{}`", file.display()))?;
        return Ok(Some(demo));
    }
    let models = stack.simulator_models()?;
    let demo = demo::seed(stack.database(), &[(&models, "the simulator's `/models`")])?;
    if let Some(demo) = &demo {
        let text = serde_json::to_vec(demo).or_fail(|| "the demo keys".to_owned())?;
        write_whole(&file, &text)?;
    }
    Ok(demo)
}
