//! The gateway Worker: a thin shell around `tollgate-core`. One request comes in here, finds its
//! route in `routes`, and a billed one runs down `completion`. Every decision is the core's; the
//! shell has the clock, the random bytes, the database and the provider.

mod account;
mod caller;
mod completion;
mod housekeeping;
mod live_call;
mod models;
mod one_shot;
mod relay;
mod routes;
mod sweep;
mod true_up;

mod admit;
mod alarm;
mod authenticate;
mod body;
mod departure;
mod facts;
mod gateway;
mod lease;
mod log;
mod respond;
mod settle;

mod config;
mod provider;

use worker::{Context, Env, Request, Response, Result, ScheduleContext, ScheduledEvent, event};

/// Answers one request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    routes::answer(request, &env, context).await
}

/// Resolves the holds whose Worker is gone, corrects estimates, then keeps the books; runs every
/// minute.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    sweep::run(&env).await;
    true_up::run(&env).await;
    housekeeping::run(&env).await;
}
