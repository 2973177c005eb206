//! The complete list of routes, and what is true of every request but a browser's preflight: an id,
//! CORS, one log line.

use std::rc::Rc;

use tollgate_core::error::ErrorCode;
use worker::{AbortSignal, Context, Env, Method, Request, Response, Result, console_error};

use crate::gateway::Gateway;
use crate::respond::{self, Refused};
use crate::{account, completion, log, models};

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Completes a chat; billed.
    ChatCompletions,
    /// Lists the models that the caller can use, with its prices.
    Models,
    /// Tells about the caller's key.
    Key,
    /// Tells the caller's credit.
    Credits,
    /// Tells what a call used and cost.
    Generation,
    /// Tells that the gateway answers.
    Health,
    /// Describes this API.
    OpenApi,
}

/// Every route below `/v1` and `/api/v1`. `openapi.json` describes the same list, and a test
/// compares them.
pub const ROUTES: &[(&str, &str, Route)] = &[
    ("POST", "/chat/completions", Route::ChatCompletions),
    ("GET", "/models", Route::Models),
    ("GET", "/key", Route::Key),
    ("GET", "/credits", Route::Credits),
    ("GET", "/generation", Route::Generation),
    ("GET", "/health", Route::Health),
    ("GET", "/openapi.json", Route::OpenApi),
];

const OPENAPI: &str = include_str!("openapi.json");

/// Answers any request.
pub async fn answer(request: Request, env: &Env, context: Context) -> Result<Response> {
    if request.method() == Method::Options {
        return respond::preflight();
    }
    let signal = AbortSignal::from(request.inner().signal());
    let gateway = match Gateway::begin(env, Some((context, signal))) {
        Ok(gateway) => gateway,
        Err(fault) => {
            console_error!(
                "{}",
                serde_json::json!({ "level": "error", "fault": fault.to_string() })
            );
            return Response::error("the gateway is not set up; its log says why", 500);
        }
    };
    let path = request.path();
    panic_if_probed(&gateway, &path);
    // What answers GET answers HEAD; the runtime leaves out the body.
    let method = request.method();
    let method = if method == Method::Head {
        Method::Get
    } else {
        method
    };
    let found = find(method.as_ref(), &path);
    let name = found.as_ref().map_or("unknown", |(name, _)| name);
    let answered = match found {
        Ok((_, route)) => dispatch(&gateway, route, request).await,
        Err(code) => Err(Refused::from(code)),
    };
    match answered {
        Ok(response) => {
            if !matches!(found, Ok((_, Route::ChatCompletions))) {
                log::answered(&gateway, name, response.status_code(), None);
            }
            Ok(response)
        }
        Err(refused) => {
            let code = refused.error.code.row();
            if !refused.logged {
                log::answered(&gateway, name, code.status, Some(code.code));
            }
            let response = respond::error(&gateway, &refused)?;
            if refused.error.code == ErrorCode::MethodNotAllowed {
                response.headers().set("allow", allowed(&path))?;
            }
            Ok(response)
        }
    }
}

async fn dispatch(
    gateway: &Rc<Gateway>,
    route: Route,
    request: Request,
) -> std::result::Result<Response, Refused> {
    match route {
        Route::ChatCompletions => completion::answer(gateway, request).await,
        Route::Models => models::answer(gateway, &request).await,
        Route::Key => account::key(gateway, &request).await,
        Route::Credits => account::credits(gateway, &request).await,
        Route::Generation => account::generation(gateway, &request).await,
        Route::Health => json(gateway, r#"{"status":"ok"}"#),
        Route::OpenApi => json(gateway, OPENAPI),
    }
}

fn json(gateway: &Gateway, body: &str) -> std::result::Result<Response, Refused> {
    respond::json(gateway, body.to_owned(), &Vec::new())
        .map_err(|_| Refused::from(ErrorCode::Internal))
}

fn find(method: &str, path: &str) -> std::result::Result<(&'static str, Route), ErrorCode> {
    let mut at_path = ROUTES
        .iter()
        .filter(|(_, known, _)| below_base(path) == Some(known))
        .peekable();
    if at_path.peek().is_none() {
        return Err(ErrorCode::UnknownRoute);
    }
    at_path
        .find(|(known, _, _)| *known == method)
        .map(|(_, name, route)| (name.trim_start_matches('/'), *route))
        .ok_or(ErrorCode::MethodNotAllowed)
}

fn below_base(path: &str) -> Option<&str> {
    if path == "/health" {
        return Some(path);
    }
    path.strip_prefix("/api/v1")
        .or_else(|| path.strip_prefix("/v1"))
}

fn allowed(path: &str) -> &'static str {
    ROUTES
        .iter()
        .find(|(_, known, _)| below_base(path) == Some(known))
        .map_or("", |(method, _, _)| method)
}

#[expect(
    clippy::panic,
    reason = "the test of panic isolation needs a panic; no deployment sets it"
)]
fn panic_if_probed(gateway: &Gateway, path: &str) {
    if gateway.config.panic_probe && path == "/panic-probe" {
        panic!("the panic probe was called");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tollgate_core::chat::{FIELDS, Treatment};

    use super::*;

    #[test]
    fn a_client_of_openai_or_openrouter_only_changes_its_base_url() {
        let check = |method: &str, path: &str, expect: std::result::Result<Route, ErrorCode>| {
            assert_eq!(
                find(method, path).map(|(_, route)| route),
                expect,
                "{method} {path}"
            );
        };
        check("POST", "/v1/chat/completions", Ok(Route::ChatCompletions));
        check(
            "POST",
            "/api/v1/chat/completions",
            Ok(Route::ChatCompletions),
        );
        check(
            "GET",
            "/v1/chat/completions",
            Err(ErrorCode::MethodNotAllowed),
        );
        check("GET", "/health", Ok(Route::Health));
        check("GET", "/v1/health", Ok(Route::Health));
        check("GET", "/v1/models/", Err(ErrorCode::UnknownRoute));
        check("GET", "/v2/models", Err(ErrorCode::UnknownRoute));
        check("GET", "/v1", Err(ErrorCode::UnknownRoute));
        check("GET", "/", Err(ErrorCode::UnknownRoute));
    }

    #[test]
    fn the_published_description_lists_exactly_these_routes() {
        let openapi: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let mut described = Vec::new();
        for (path, methods) in openapi["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.push((method.to_ascii_uppercase(), path.clone()));
            }
        }
        let mut known: Vec<_> = ROUTES
            .iter()
            .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
            .collect();
        described.sort();
        known.sort();
        assert_eq!(described, known);
    }

    #[test]
    fn the_published_description_names_exactly_the_fields_and_errors_there_are() {
        let openapi: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let schemas = &openapi["components"]["schemas"];
        let check = |described: Vec<&str>, mut known: Vec<&str>| {
            let mut described = described;
            described.sort_unstable();
            known.sort_unstable();
            assert_eq!(described, known);
        };
        let properties = schemas["ChatRequest"]["properties"].as_object().unwrap();
        let accepted = FIELDS
            .iter()
            .filter(|field| field.treatment != Treatment::Refused);
        check(
            properties.keys().map(String::as_str).collect(),
            accepted.map(|field| field.name).collect(),
        );
        let error = &schemas["Error"]["properties"]["error"]["properties"];
        let described = |name: &str| -> Vec<&str> {
            let words = error[name]["enum"].as_array().unwrap();
            words.iter().filter_map(|word| word.as_str()).collect()
        };
        let rows = || ErrorCode::ALL.iter().map(|code| code.row());
        check(described("code"), rows().map(|row| row.code).collect());
        let kinds: HashSet<&str> = rows().map(|row| row.kind.as_str()).collect();
        check(described("type"), kinds.into_iter().collect());
    }
}
