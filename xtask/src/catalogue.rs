//! `cargo xtask catalogue`: brings a list of models and their costs into the database, and shows what
//! is there. How a list is read, and what is refused, is decided in `core`.

mod import;
mod list;

use clap::{Args, Subcommand};

use crate::admin::Session;
use crate::database::Connection;
use crate::failure::Failure;

pub use import::{Imported, SEED, SEED_SOURCE, fetch, import};

/// Imports and shows models and what the provider bills for them.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// Prints JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads OpenRouter's `GET /models` from a file or an address
    Import {
        /// A file, or an address such as `https://openrouter.ai/api/v1/models`
        from: String,
        /// When the costs begin to hold [default: now]
        #[arg(long, value_name = "DATE")]
        effective_from: Option<String>,
        /// Where the costs are from, for models that do not say it themselves [default: FROM]
        #[arg(long, value_name = "TEXT")]
        source: Option<String>,
        /// Says what would change, and changes nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Shows the models and what the provider bills now, in US dollars per million tokens
    List {
        /// Only models of this form, such as `openai/*`
        pattern: Option<String>,
    },
}

impl Arguments {
    /// Runs the command and prints its report.
    ///
    /// # Errors
    /// The command's own.
    pub fn run(&self) -> Result<(), Failure> {
        let database = self.connection.open()?;
        let session = Session::of_user(&database);
        let report = match &self.command {
            Command::Import {
                from,
                effective_from,
                source,
                dry_run,
            } => import::run(
                &session,
                &import::Order {
                    from,
                    effective_from: effective_from.as_deref(),
                    source: source.as_deref(),
                    dry_run: *dry_run,
                },
            )?,
            Command::List { pattern } => list::run(&session, pattern.as_deref())?,
        };
        report.print(self.json);
        Ok(())
    }
}
