//! The listener, the connections and the list of all routes. What a route answers stands elsewhere.

use std::sync::Arc;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::provider::account::{self, authenticate, masked};
use crate::provider::chat::{self, Arrival, REDIRECT_TARGET};
use crate::provider::error::{self, refusal};
use crate::provider::{generation, listing};
use crate::record::{Entry, OpenCall};
use crate::reply::{Connection, Dropped, JSON, Reply, whole};
use crate::{World, control, github, mail, stripe};

const MAX_REQUEST_BYTES: usize = 64 * 1_024 * 1_024;

/// Accepts connections for ever; they end when this future is dropped.
pub async fn serve(listener: TcpListener, world: Arc<World>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A failed accept concerns one client only, or passes (too many open files).
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(stream, Arc::clone(&world)));
                } else {
                    tokio::task::yield_now().await;
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, world: Arc<World>) {
    // Without this, a small chunk waits for the acknowledgement of the one before it. A socket that
    // is gone already fails at its first read.
    let _ = stream.set_nodelay(true);
    let connection = Arc::new(Connection::default());
    let service = service_fn(|request| answer(&world, request, &connection));
    let mut serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let ended = (&mut serving).await;
    if ended.is_err() && connection.is_reset() {
        let stream = serving.into_parts().io.into_inner();
        let _ = stream.set_zero_linger();
    }
}

async fn answer(
    world: &Arc<World>,
    request: Request<Incoming>,
    connection: &Arc<Connection>,
) -> Result<Response<Reply>, Dropped> {
    let (head, body) = request.into_parts();
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    if let Some(path) = path.strip_prefix("/_sim/stripe") {
        return Ok(stripe::control(world, &head, path).await);
    }
    if let Some(path) = path.strip_prefix("/_sim") {
        return Ok(control::answer(world, &head.method, path, query).await);
    }
    let (body, too_large) = read(body).await?;
    if let Some(path) = path.strip_prefix("/github") {
        return Ok(github::answer(&world.github, &head, path, &body));
    }
    if path.starts_with("/resend/") || path.starts_with("/mailbox") {
        return Ok(mail::answer(&world.mailbox, &head, &body));
    }
    let call = OpenCall::new(
        world,
        Entry {
            seq: 0,
            received: Timestamp::now(),
            method: head.method.to_string(),
            path: head.uri.to_string(),
            headers: header_lines(&head.headers),
            body: body.to_vec(),
            body_bytes: body.len(),
            model: None,
            outcome: None,
            lookups: 0,
        },
    );
    if too_large {
        return Ok(refusal(
            call,
            413,
            &error::body(413, "Request payload too large"),
        ));
    }
    if let Some(path) = path.strip_prefix("/stripe")
        && path.starts_with('/')
    {
        return stripe::answer(world, call, (&head, path), &body);
    }
    let authorization = head
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let key = authenticate(authorization);
    let route = Route::find(&head.method, path);
    let key = match (key, &route) {
        (Ok(key), _) => key,
        // OpenRouter's catalogue is public.
        (Err(account::Refused::Missing), Route::Models) => "",
        (Err(refused), _) => return Ok(refusal(call, 401, &error::body(401, refused.message()))),
    };
    let used = || world.log().totals().billed_picos;
    match route {
        Route::Chat { redirected } => {
            let connection = Arc::clone(connection);
            let accepts_gzip = accepts_gzip(&head.headers);
            chat::complete(
                world,
                Arrival {
                    call,
                    body,
                    redirected,
                    accepts_gzip,
                    connection,
                },
            )
            .await
        }
        Route::Models => Ok(whole(call, 200, JSON, listing::models().to_string())),
        Route::Key => Ok(whole(call, 200, JSON, account::key(key, used()))),
        Route::Credits => Ok(whole(call, 200, JSON, account::credits(used()))),
        Route::Generation => {
            let id = query.split('&').find_map(|pair| pair.strip_prefix("id="));
            match generation::look_up(world, id.unwrap_or_default()) {
                Some(body) => Ok(whole(call, 200, JSON, body)),
                None => Ok(refusal(
                    call,
                    404,
                    &error::body(404, "Generation not found"),
                )),
            }
        }
        Route::WrongMethod => Ok(refusal(call, 405, &error::body(405, "Method Not Allowed"))),
        Route::Unknown => Ok(refusal(call, 404, &error::body(404, "Not Found"))),
    }
}

enum Route {
    Chat { redirected: bool },
    Models,
    Key,
    Credits,
    Generation,
    WrongMethod,
    Unknown,
}

impl Route {
    fn find(method: &Method, path: &str) -> Self {
        let (expected, route) = match path {
            "/api/v1/chat/completions" => (Method::POST, Self::Chat { redirected: false }),
            REDIRECT_TARGET => (Method::POST, Self::Chat { redirected: true }),
            "/api/v1/models" => (Method::GET, Self::Models),
            "/api/v1/key" => (Method::GET, Self::Key),
            "/api/v1/credits" => (Method::GET, Self::Credits),
            "/api/v1/generation" => (Method::GET, Self::Generation),
            _ => return Self::Unknown,
        };
        if *method == expected {
            route
        } else {
            Self::WrongMethod
        }
    }
}

/// The whole body, or `true` when it is too large; a client that leaves meanwhile sent no request.
async fn read(body: Incoming) -> Result<(Bytes, bool), Dropped> {
    match Limited::new(body, MAX_REQUEST_BYTES).collect().await {
        Ok(body) => Ok((body.to_bytes(), false)),
        Err(error) if error.is::<LengthLimitError>() => Ok((Bytes::new(), true)),
        Err(_) => Err(Dropped),
    }
}

fn header_lines(headers: &HeaderMap) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let secret = name == AUTHORIZATION || name == COOKIE || name == "x-api-key";
        let shown = if secret {
            masked(&value)
        } else {
            value.into_owned()
        };
        lines.extend([name.as_str(), ": ", &shown, "\n"]);
    }
    lines
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("gzip"))
}
