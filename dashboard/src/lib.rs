//! The dashboard Worker: a thin shell around `tollgate-core`. One request comes in here, finds its route
//! in `routes`, and becomes a page of one of the features. Every decision and every statement is the
//! core's; the shell has the clock, the random bytes, the network and the looks.

mod overview;
mod sign_in;

mod answer;
mod fault;
mod form;
mod frames;
mod language;
mod log;
pub mod page;
mod place;
mod refusal;
mod routes;
mod visit;

mod assets;
mod config;
mod mail;
mod outbound;

use worker::{Context, Env, Request, Response, Result, event};

/// Answers one request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    routes::answer(request, env).await
}
