//! The complete list of routes with who may use each, and what is true of every request: a known host,
//! the right role, a form that came from our own page, one log line.

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;

use worker::{Env, Method, Request, Response, Result, console_error};

use crate::answer::Answer;
use crate::config::Config;
use crate::fault::{Fault, Outcome};
use crate::form::Form;
use crate::visit::{Asked, Visit};
use crate::{assets, log};

/// What a handler comes to.
type Pending<'a> = Pin<Box<dyn Future<Output = Outcome<Answer>> + 'a>>;

/// Who may use a route, and what answers it.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Anybody, at any host: what machines ask.
    Machine(for<'a> fn(&'a Visit) -> Pending<'a>),
}

/// One route.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path; `{name}` stands for one part of it.
    pub path: &'static str,
    /// What answers it.
    pub handler: Handler,
}

/// Every route.
pub static ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/health",
        handler: Handler::Machine(|_| Box::pin(health())),
    },
    Route {
        method: "GET",
        path: "/assets/{file}",
        handler: Handler::Machine(|visit| Box::pin(asset(visit))),
    },
];

/// The most that a form may send.
const MAX_FORM_BYTES: usize = 256 * 1024;

/// The headers that anything here reads.
const HEADERS: [&str; 12] = [
    "accept",
    "cf-connecting-ip",
    "content-type",
    "cookie",
    "host",
    "hx-boosted",
    "hx-request",
    "origin",
    "sec-fetch-site",
    "stripe-signature",
    "user-agent",
    "x-csrf-token",
];

static PATHS: LazyLock<matchit::Router<&'static str>> = LazyLock::new(|| {
    let mut paths = matchit::Router::new();
    for route in ROUTES {
        // The same path comes once for each method.
        let _ = paths.insert(route.path, route.path);
    }
    paths
});

/// Answers any request.
pub async fn answer(request: Request, env: Env) -> Result<Response> {
    let begun = async {
        let config = Config::from_env(&env).map_err(|fault| fault.to_string())?;
        let asked = read(request).await.map_err(|fault| fault.to_string())?;
        Visit::begin(env, config, asked).map_err(|fault| fault.to_string())
    };
    let visit = match begun.await {
        Ok(visit) => visit,
        Err(fault) => {
            console_error!(
                "{}",
                serde_json::json!({ "level": "error", "fault": fault })
            );
            return Response::error("the dashboard is not set up; its log says why", 500);
        }
    };
    let (name, answered) = dispatch(&visit).await;
    let answer = match answered {
        Ok(answer) => answer,
        Err(Fault::NotFound) => Answer::text("text/plain", "not found").status(404),
        Err(fault) => {
            log::fault(&visit, name, &fault);
            Answer::text("text/plain", "something went wrong").status(500)
        }
    };
    log::answered(
        &visit,
        name,
        answer.code(),
        tollgate_edge::clock::now_ms() - visit.now_ms,
    );
    answer.into_response(&visit)
}

async fn dispatch(visit: &Visit) -> (&'static str, Outcome<Answer>) {
    let Ok(found) = PATHS.at(&visit.asked.path) else {
        return ("unknown", Err(Fault::NotFound));
    };
    let path = *found.value;
    let Some(route) = ROUTES
        .iter()
        .find(|route| route.path == path && route.method == visit.asked.method)
    else {
        return (path, Ok(Answer::empty(405)));
    };
    let answered = match route.handler {
        Handler::Machine(handler) => handler(visit).await,
    };
    (path, answered)
}

async fn read(mut request: Request) -> Result<Asked> {
    let url = request.url()?;
    // What answers GET answers HEAD; the runtime leaves out the body.
    let method = match request.method() {
        Method::Head => "GET".to_owned(),
        method => method.to_string(),
    };
    let headers = HEADERS
        .into_iter()
        .filter_map(|name| Some((name, request.headers().get(name).ok()??)))
        .collect();
    let body = if method == "POST" {
        body(&mut request).await?
    } else {
        Vec::new()
    };
    let path = url.path().to_owned();
    let params = PATHS.at(&path).map_or_else(
        |_| Vec::new(),
        |found| {
            let params = found.params.iter();
            params
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        },
    );
    Ok(Asked {
        method,
        params,
        query: Form::parse(url.query().unwrap_or_default().as_bytes()),
        form: Form::parse(&body),
        path,
        body,
        headers,
    })
}

async fn body(request: &mut Request) -> Result<Vec<u8>> {
    use futures_util::StreamExt;
    let mut stream = request.stream()?;
    let mut body = Vec::new();
    while let Some(bytes) = stream.next().await {
        body.extend(bytes?);
        // What is cut off fails its checks: a form has its token at the end.
        if body.len() > MAX_FORM_BYTES {
            return Ok(Vec::new());
        }
    }
    Ok(body)
}

async fn health() -> Outcome<Answer> {
    Ok(Answer::text("application/json", r#"{"status":"ok"}"#))
}

async fn asset(visit: &Visit) -> Outcome<Answer> {
    assets::find(&visit.asked.path)
        .map(Answer::asset)
        .ok_or(Fault::NotFound)
}
