//! `admin person`: who signs in at the dashboard. People usually sign up by themselves or are invited
//! there; the first one of the operator is made here.

use clap::{Args, Subcommand};
use serde_json::json;
use tollgate_core::people::{NewPerson, Person, people_statement, read_person};
use tollgate_core::sign_in::NewLink;

use super::Session;
use crate::arguments;
use crate::failure::Failure;
use crate::random;
use crate::report::{Report, Table};

/// How long a link may be used, in minutes.
const LINK_MINUTES: i64 = 60;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lets somebody sign in for an account, with a code that is sent to the address
    Create(Create),
    /// Makes a link that signs somebody in once, within an hour
    Link(Link),
    /// Lists who signs in for an account
    List {
        /// The account
        #[arg(long, value_name = "ACC")]
        account: String,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// The account
    #[arg(long, value_name = "ACC")]
    account: String,
    /// The person's e-mail address
    #[arg(long)]
    email: String,
}

#[derive(Args)]
pub(super) struct Link {
    /// The account
    #[arg(long, value_name = "ACC")]
    account: String,
    /// The person's e-mail address
    #[arg(long)]
    email: String,
    /// Scheme and host of the pages where the person signs in: the seller's
    #[arg(long, value_name = "URL")]
    origin: String,
}

impl Command {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        match self {
            Self::Create(create) => create.run(session),
            Self::Link(link) => link.run(session),
            Self::List { account } => list(session, account),
        }
    }
}

impl Create {
    fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let account = session.account(&arguments::account(&self.account)?)?;
        let person = NewPerson {
            id: random::person_id()?,
            account: account.id.clone(),
            email: arguments::email(&self.email)?,
        };
        session.commit(&person.to_batch(&session.change(&account.id)))?;
        Ok(Report {
            text: format!("created {} for `{}`\n", person.id, account.name),
            json: json!({ "person_id": person.id.as_str() }),
        })
    }
}

impl Link {
    fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let account = arguments::account(&self.account)?;
        let email = arguments::email(&self.email)?;
        let origin = arguments::origin(&self.origin)?;
        let people = session.list(people_statement(&account), read_person)?;
        let person = people
            .into_iter()
            .find(|person| person.email == email && person.closed_at_ms.is_none());
        let person = person.ok_or_else(|| {
            Failure::new(format!("nobody signs in for `{account}` with that address"))
                .hint("`cargo xtask admin person list --account ACC` shows who does")
        })?;
        let expires_at_ms = session.now_ms.saturating_add(LINK_MINUTES * 60_000);
        let link = NewLink {
            person: person.id,
            token: random::token()?,
            // Whoever types this may not be the person, so the second factor stays.
            counts_as_second_factor: false,
            expires_at_ms,
        };
        session.commit(&link.to_batch(&session.change(&account)))?;
        let url = format!("{origin}/sign-in/link/{}", link.token.reveal());
        Ok(Report {
            text: format!("{url}\nsigns in once, within {LINK_MINUTES} minutes\n"),
            json: json!({ "url": url, "expires_at_ms": expires_at_ms }),
        })
    }
}

fn list(session: &Session<'_>, account: &str) -> Result<Report, Failure> {
    let account = session.account(&arguments::account(account)?)?;
    let people: Vec<Person> = session.list(people_statement(&account.id), read_person)?;
    let mut table = Table::new(&["person", "address", "name", "state"]);
    for person in &people {
        table.row([
            person.id.to_string(),
            person.email.as_str().to_owned(),
            person.name.clone(),
            state(person).to_owned(),
        ]);
    }
    Ok(Report {
        text: table.to_text(),
        json: people
            .iter()
            .map(|person| {
                json!({
                    "person_id": person.id.as_str(),
                    "email": person.email.as_str(),
                    "name": person.name,
                    "state": state(person),
                })
            })
            .collect(),
    })
}

const fn state(person: &Person) -> &'static str {
    if person.closed_at_ms.is_some() {
        "closed"
    } else {
        "open"
    }
}
