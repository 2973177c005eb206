//! Which database a command works on: the one that is named by flags or variables, or else the one
//! of the local stack.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::Database;
use crate::failure::{Failure, OrFail};
use crate::repo;

/// The file of a state directory that names its database.
pub const FILE: &str = "database.json";

/// Flags that name a database.
#[derive(Args)]
pub struct Connection {
    /// The database's address, such as `libsql://name-org.turso.io` [env: TURSO_URL]
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,
    /// The database's token; the variable is safer, since others can see a command's arguments
    /// [env: TURSO_AUTH_TOKEN]
    #[arg(long, global = true, value_name = "TOKEN")]
    token: Option<String>,
    /// The local stack's state, when no address is given [default: .tollgate]
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "url")]
    state: Option<PathBuf>,
}

#[derive(Deserialize, Serialize)]
struct Stored {
    url: String,
    token: Option<String>,
}

/// Writes into a state directory which database its stack uses, for [`Connection::open`]. Only the
/// file's owner may read it.
///
/// # Errors
/// When the directory cannot be written.
pub fn remember(dir: &Path, database: &Database) -> Result<(), Failure> {
    let stored = Stored {
        url: database.url.clone(),
        token: database.token.clone(),
    };
    let text = serde_json::to_vec(&stored).or_fail(|| "the database's address".to_owned())?;
    repo::write_whole(&dir.join(FILE), &text)
}

impl Connection {
    /// The database that the flags, the variables or the local stack's state name.
    ///
    /// # Errors
    /// When none is named, or what names it cannot be read.
    pub fn open(&self) -> Result<Database, Failure> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let url = match &self.state {
            Some(_) => None,
            None => self.url.clone().or_else(|| variable("TURSO_URL")),
        };
        let token = self.token.clone();
        match url {
            Some(url) => {
                let token = token.or_else(|| variable("TURSO_AUTH_TOKEN"));
                Database::new(&url, token.as_deref())
            }
            None => {
                let stored = self.stored()?;
                Database::new(&stored.url, token.or(stored.token).as_deref())
            }
        }
    }

    fn stored(&self) -> Result<Stored, Failure> {
        let dir = self
            .state
            .clone()
            .unwrap_or_else(|| repo::path(".tollgate"));
        let file = dir.join(FILE);
        if !file.exists() {
            return Err(Failure::new(format!(
                "no database is named, and `{}` has none",
                dir.display()
            ))
            .hint("start the local stack with `cargo xtask dev`, or give `--url` or `TURSO_URL`"));
        }
        serde_json::from_str(&repo::read(&file)?)
            .or_fail(|| format!("`{}` names no database", file.display()))
    }
}
