//! The complete list of routes with who may use each, and what is true of every request: a known host,
//! the right role, a form that came from our own page, one log line.

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;

use tollgate_core::people::Role;
use tollgate_core::sign_in::{FormToken, SecondFactor, Token, Visitor, touch_statement};
use tollgate_edge::clock::now_ms;
use worker::{Env, Method, Request, Response, Result, console_error};

use crate::answer::Answer;
use crate::config::Config;
use crate::fault::{Fault, Outcome};
use crate::form::Form;
use crate::place::{Buyer, Operator, Person, Place, Seller};
use crate::visit::{Asked, Visit};
use crate::{assets, log, overview, page, refusal, sign_in};

/// What a handler comes to.
type Pending<'a> = Pin<Box<dyn Future<Output = Outcome<Answer>> + 'a>>;

/// Who may use a route, and what answers it. To everybody else the route does not exist, or it leads
/// to the sign-in.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Machines, at any host and without a session; who sends something proves itself by its signature.
    Machine(for<'a> fn(&'a Visit) -> Pending<'a>),
    /// Anybody at a known host.
    Anybody(for<'a> fn(&'a Visit, &'a Place) -> Pending<'a>),
    /// Who signed in, though perhaps not with the second factor yet.
    HalfSignedIn(for<'a> fn(&'a Visit, &'a Person) -> Pending<'a>),
    /// Who signed in.
    Person(for<'a> fn(&'a Visit, &'a Person) -> Pending<'a>),
    /// Who has a wallet: end users and resellers.
    Buyer(for<'a> fn(&'a Visit, &'a Buyer) -> Pending<'a>),
    /// Who has customers: resellers and the operator.
    Seller(for<'a> fn(&'a Visit, &'a Seller) -> Pending<'a>),
    /// The operator.
    Operator(for<'a> fn(&'a Visit, &'a Operator) -> Pending<'a>),
}

/// One route.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path; `{name}` stands for one part of it.
    pub path: &'static str,
    /// Who may use it, and what answers it.
    pub handler: Handler,
}

macro_rules! routes {
    ($($method:ident $path:literal $who:ident($($arg:ident),+) $answer:expr;)+) => {
        &[$(Route {
            method: stringify!($method),
            path: $path,
            handler: Handler::$who(|$($arg),+| Box::pin($answer)),
        }),+]
    };
}

/// Every route.
pub static ROUTES: &[Route] = routes! {
    GET "/health" Machine(_visit) health();
    GET "/assets/{file}" Machine(visit) asset(visit);

    GET "/sign-in" Anybody(visit, place) sign_in::page(visit, place);
    POST "/sign-in" Anybody(visit, place) sign_in::ask_for_code(visit, place);
    GET "/sign-in/code" Anybody(visit, place) sign_in::code_page(visit, place);
    POST "/sign-in/code" Anybody(visit, place) sign_in::enter_code(visit, place);
    GET "/sign-in/link/{token}" Anybody(visit, place) sign_in::use_link(visit, place);
    POST "/sign-out" HalfSignedIn(visit, person) sign_in::sign_out(visit, person);

    GET "/brand/color.css" Anybody(_visit, place) color_sheet(place);

    GET "/" Person(visit, person) overview::page(visit, person);
};

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

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "__Host-session";

/// The cookie of a browser in which somebody is about to sign in.
pub const BROWSER_COOKIE: &str = "__Host-browser";

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
    let answer = answered.unwrap_or_else(|fault| {
        if !matches!(fault, Fault::NotFound) {
            log::fault(&visit, name, &fault);
        }
        refusal::of(&visit, &fault)
    });
    log::answered(&visit, name, answer.code(), now_ms() - visit.now_ms);
    answer.into_response(&visit)
}

/// Finds the route, and lets in who may use it.
async fn dispatch(visit: &Visit) -> (&'static str, Outcome<Answer>) {
    let Ok(found) = PATHS.at(&visit.asked.path) else {
        return ("unknown", Err(Fault::NotFound));
    };
    let path = *found.value;
    let at_path = || ROUTES.iter().filter(|route| route.path == path);
    let Some(route) = at_path().find(|route| route.method == visit.asked.method) else {
        let allowed: Vec<&str> = at_path().map(|route| route.method).collect();
        let refused = Answer::empty(405).with("allow", allowed.join(", "));
        return (path, Ok(refused));
    };
    (path, enter(visit, route).await)
}

async fn enter(visit: &Visit, route: &Route) -> Outcome<Answer> {
    if let Handler::Machine(handler) = route.handler {
        return handler(visit).await;
    }
    let session = visit.cookie(SESSION_COOKIE).and_then(Token::parse);
    let visitor = Visitor {
        host: visit.header("host"),
        session: session.as_ref(),
        now_ms: visit.now_ms,
    };
    let batch = visitor.to_batch();
    let Some(found) = batch.read(&visit.execute(&batch.batch).await?)? else {
        return Ok(refusal::unknown_host());
    };
    let signed_in = session.zip(found.session);
    let browser = visit.cookie(BROWSER_COOKIE).and_then(Token::parse);
    // The forms of who signed in carry the session's token, all others the browser's.
    let token = signed_in
        .as_ref()
        .map(|(token, _)| token)
        .or(browser.as_ref());
    if route.method == "POST" && !is_own_form(visit, &found.site.origin, token) {
        return Ok(refusal::stale_form());
    }
    let place = Place::new(found.site, token.map(FormToken::of), browser);
    if let Handler::Anybody(handler) = route.handler {
        return handler(visit, &place).await;
    }
    let Some((token, session)) = signed_in else {
        return Ok(sign_in::first(visit));
    };
    if session.touch_due {
        let mut touch = tollgate_core::hrana::Batch::new();
        touch.step(None, touch_statement(&session, visit.now_ms));
        visit.execute(&touch).await?;
    }
    let person = Person::new(place, token, session);
    hand_over(visit, route.handler, person).await
}

/// Hands the request to its handler if the person may use it.
async fn hand_over(visit: &Visit, handler: Handler, person: Person) -> Outcome<Answer> {
    let role = person.session.role;
    if let Handler::HalfSignedIn(handler) = handler {
        return handler(visit, &person).await;
    }
    match person.session.second_factor {
        SecondFactor::NotNeeded | SecondFactor::Given => {}
        SecondFactor::NotSetUp | SecondFactor::Missing => {
            return Ok(Answer::see_other("/second-factor"));
        }
    }
    match (handler, role) {
        (Handler::Person(handler), _) => handler(visit, &person).await,
        (Handler::Buyer(handler), Role::EndUser | Role::Reseller) => {
            handler(visit, &Buyer(person)).await
        }
        (Handler::Seller(handler), Role::Reseller | Role::Operator) => {
            handler(visit, &Seller(person)).await
        }
        (Handler::Operator(handler), Role::Operator) => handler(visit, &Operator(person)).await,
        _ => Err(Fault::NotFound),
    }
}

/// Whether a form was sent by one of our own pages: the browser says so, and the form has the token
/// that belongs to the cookie.
fn is_own_form(visit: &Visit, origin: &str, token: Option<&Token>) -> bool {
    let from_here = match visit.header("origin") {
        "" => matches!(visit.header("sec-fetch-site"), "" | "same-origin"),
        said => said == origin,
    };
    let carried = Some(visit.header("x-csrf-token"))
        .filter(|header| !header.is_empty())
        .unwrap_or_else(|| visit.asked.form.get("csrf"));
    from_here && token.is_some_and(|token| FormToken::is_right(token, carried))
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

async fn color_sheet(place: &Place) -> Outcome<Answer> {
    let sheet = page::color_sheet(&place.site.brand.color);
    Ok(Answer::text("text/css; charset=utf-8", sheet)
        .with("cache-control", "private, max-age=86400"))
}

async fn asset(visit: &Visit) -> Outcome<Answer> {
    assets::find(&visit.asked.path)
        .map(Answer::asset)
        .ok_or(Fault::NotFound)
}
