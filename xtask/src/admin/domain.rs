//! `admin domain`: which host shows whose pages. Resellers ask for theirs in the dashboard; the
//! operator's own, the first one, is added here.

use clap::Subcommand;
use serde_json::json;
use tollgate_core::brand::NewDomain;

use super::Session;
use crate::arguments;
use crate::failure::Failure;
use crate::report::Report;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lets a host show an account's pages from now on
    Create {
        /// The operator or a reseller
        #[arg(long, value_name = "ACC")]
        account: String,
        /// Scheme and host, such as `https://shop.example`
        #[arg(value_name = "URL")]
        origin: String,
    },
}

impl Command {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let Self::Create { account, origin } = self;
        let account = session.account(&arguments::account(account)?)?;
        let origin = arguments::origin(origin)?;
        let (_, host) = origin.split_once("://").unwrap_or_default();
        let domain = NewDomain {
            host: host.to_owned(),
            account: account.id.clone(),
            origin: origin.clone(),
        };
        session.commit(&domain.to_batch(&session.change(&account.id)))?;
        Ok(Report {
            text: format!("{origin} shows the pages of `{}`\n", account.name),
            json: json!({ "host": host, "origin": origin }),
        })
    }
}
