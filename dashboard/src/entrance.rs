//! The way of every request: it is read, its route is found, its host must be known, its form must come
//! from our own page, and whoever sent it must be one of those for whom the route is. One log line each.

use tollgate_core::hrana::Batch;
use tollgate_core::people::Role;
use tollgate_core::sign_in::{FormToken, SecondFactor, Session, Token, Visitor, touch_statement};
use tollgate_edge::clock::now_ms;
use worker::{Env, Request, Response, Result, console_error};

use crate::answer::Answer;
use crate::asked::Upload;
use crate::config::Config;
use crate::fault::{Fault, Outcome};
use crate::place::{Buyer, Operator, Person, Place, Seller};
use crate::routes::{Handler, ROUTES, Route, find};
use crate::visit::Visit;
use crate::{asked, log, refusal, sign_in};

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "__Host-session";

/// The cookie of a browser in which somebody is about to sign in.
pub const BROWSER_COOKIE: &str = "__Host-browser";

/// Answers any request.
pub async fn answer(request: Request, env: Env) -> Result<Response> {
    if request.url().is_err() {
        return Response::error("the Host header is no host", 400);
    }
    let begun = async {
        let config = Config::from_env(&env).map_err(|fault| fault.to_string())?;
        let (asked, upload) = asked::read(request)
            .await
            .map_err(|fault| fault.to_string())?;
        let visit = Visit::begin(env, config, asked).map_err(|fault| fault.to_string())?;
        Ok::<_, String>((visit, upload))
    };
    let (mut visit, upload) = match begun.await {
        Ok(begun) => begun,
        Err(fault) => {
            console_error!(
                "{}",
                serde_json::json!({ "level": "error", "fault": fault })
            );
            return Response::error("the dashboard is not set up; its log says why", 500);
        }
    };
    let (name, answered) = dispatch(&mut visit, upload).await;
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
async fn dispatch(visit: &mut Visit, upload: Option<Upload>) -> (&'static str, Outcome<Answer>) {
    let Some((path, _)) = find(&visit.asked.path) else {
        return ("unknown", Err(Fault::NotFound));
    };
    let at_path = || ROUTES.iter().filter(|route| route.path == path);
    let Some(route) = at_path().find(|route| route.method == visit.asked.method) else {
        let allowed: Vec<&str> = at_path().map(|route| route.method).collect();
        // Whoever opens the address of a form again gets a page with a way on.
        let refused = refusal::of(visit, &Fault::NotFound).status(405);
        let refused = refused.with("allow", allowed.join(", "));
        return (path, Ok(refused));
    };
    (path, enter(visit, route, upload).await)
}

async fn enter(visit: &mut Visit, route: &Route, upload: Option<Upload>) -> Outcome<Answer> {
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
    // Of anybody else no file is read, and a form without its token is refused.
    if let Some(upload) = upload
        && signed_in.as_ref().is_some_and(|(_, it)| may_upload(it))
    {
        visit.asked.take(upload).await?;
    }
    let browser = visit.cookie(BROWSER_COOKIE).and_then(Token::parse);
    let session_token = signed_in.as_ref().map(|(token, _)| token);
    // The forms of who signed in carry the session's token, those of the sign-in the browser's, also
    // when somebody is signed in who wants to be somebody else.
    let tokens = match route.handler {
        Handler::Anybody(_) => [session_token, browser.as_ref()],
        _ => [session_token, None],
    };
    if visit.asked.is_too_large {
        return Ok(refusal::too_large());
    }
    if route.method == "POST" && !is_own_form(visit, &found.site.origin, tokens) {
        return Ok(match (session_token, route.handler) {
            (None, Handler::Anybody(_)) | (Some(_), _) => refusal::stale_form(),
            (None, _) => refusal::signed_out(),
        });
    }
    let csrf = session_token.or(browser.as_ref()).map(FormToken::of);
    let place = Place::new(found.site, csrf, browser);
    if let Handler::Anybody(handler) = route.handler {
        return handler(visit, &place).await;
    }
    let Some((token, session)) = signed_in else {
        return Ok(sign_in::first(visit, "/sign-in"));
    };
    if session.touch_due {
        let mut touch = Batch::new();
        touch.step(None, touch_statement(&session, visit.now_ms));
        visit.execute(&touch).await?;
    }
    let person = Person::new(place, token, session);
    hand_over(visit, route.handler, person).await
}

/// Whether somebody may send files: sellers may, once they are let in.
fn may_upload(session: &Session) -> bool {
    session.role != Role::EndUser && session.second_factor.is_open()
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
            return Ok(sign_in::first(visit, "/second-factor"));
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
/// that belongs to one of these cookies.
fn is_own_form(visit: &Visit, origin: &str, tokens: [Option<&Token>; 2]) -> bool {
    let from_here = match visit.header("origin") {
        "" => matches!(visit.header("sec-fetch-site"), "" | "same-origin"),
        said => said == origin,
    };
    let carried = Some(visit.header("x-csrf-token"))
        .filter(|header| !header.is_empty())
        .unwrap_or_else(|| visit.asked.form.get("csrf"));
    let mut tokens = tokens.into_iter().flatten();
    from_here && tokens.any(|token| FormToken::is_right(token, carried))
}
