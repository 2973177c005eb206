//! The dashboard Worker: a thin shell around `tollgate-core`. One request comes in here, passes `entrance`,
//! finds its route in `routes`, and becomes a page of one of the features. Every decision and every statement is the
//! core's; the shell has the clock, the random bytes, the network and the looks.

mod audit;
mod billing;
mod brand;
mod customers;
mod domains;
mod keys;
mod models;
mod overview;
mod payments;
mod playground;
mod prices;
mod provider_accounts;
mod requests;
mod resellers;
mod revenue;
mod second_factor;
mod settings;
mod sign_in;

mod answer;
mod asked;
mod change;
mod entrance;
mod fault;
mod form;
mod frames;
mod language;
mod log;
pub mod page;
mod place;
mod refusal;
mod routes;
mod upload;
mod utc_day;
mod visit;

mod assets;
mod config;
mod mail;
mod outbound;
mod stripe_client;

pub use routes::{Access, route_list};

use worker::{
    Context, Env, Request, Response, Result, ScheduleContext, ScheduledEvent, console_error, event,
};

/// Answers one request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    entrance::answer(request, env).await
}

/// Runs what nobody asks for, every minute.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    match visit::Visit::of_nobody(env) {
        Ok(visit) => payments::scheduled(&visit).await,
        Err(fault) => console_error!(
            "{}",
            serde_json::json!({ "level": "error", "event": "scheduled", "fault": fault })
        ),
    }
}
