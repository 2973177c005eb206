//! The local database server.

use ed25519_dalek::SigningKey;

use crate::failure::Failure;
use crate::process::command;
use crate::repo::write_whole;
use crate::setup::Tools;
use crate::stack::ports::Assigned;
use crate::stack::service::Service;
use crate::stack::state::StateDir;
use crate::stack::token::public_key;

/// Starts the server on its directory of the state; [`Service::wait`] tells when it answers.
pub fn start(
    tools: &Tools,
    state: &StateDir,
    ports: &Assigned,
    key: &SigningKey,
) -> Result<Service, Failure> {
    let key_file = state.path().join("database.pub");
    write_whole(&key_file, public_key(key).as_bytes())?;
    let mut sqld = command(&tools.sqld);
    sqld.arg("--db-path").arg(state.path().join("database"));
    sqld.args(["--http-listen-addr", &ports.database.to_string()]);
    sqld.arg("--auth-jwt-key-file").arg(&key_file);
    // With its usual checkpoints the server stops writing under many writers; once an hour it is.
    sqld.args(["--checkpoint-interval-s", "3600", "--no-welcome"]);
    sqld.env("NO_COLOR", "1");
    let health = format!("http://{}/health", ports.database);
    let mut service = Service::new("sqld", state.log("sqld"), health);
    service.start(&mut sqld)?;
    Ok(service)
}
