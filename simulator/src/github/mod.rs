//! A stand-in for GitHub's sign-in: the page where people agree, the exchange of the code for a
//! token, and who the token belongs to. Below `/github`; the API is below `/github/api`.

mod api;
mod authorize;
mod grants;
mod people;
mod token;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::http::request::Parts;
use hyper::{Method, Response};

use crate::reply::{JSON, Reply, plain};
use crate::serial::Serial;

use grants::Grants;

/// The id of the only app that this GitHub knows.
pub const CLIENT_ID: &str = "github-simulator";

/// Its secret.
pub const CLIENT_SECRET: &str = "github-simulator-secret";

/// All that this GitHub knows.
#[derive(Debug, Default)]
pub struct Github {
    grants: Mutex<Grants>,
    serial: Serial,
    down: AtomicBool,
}

impl Github {
    /// Makes every answer a 503, or ends that.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        // A panic elsewhere leaves at worst one sign-in unfinished.
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a request; the path is without `/github`.
#[must_use]
pub fn answer(github: &Github, head: &Parts, path: &str, body: &[u8]) -> Response<Reply> {
    if github.down.load(Ordering::Relaxed) {
        return plain(
            503,
            "text/html",
            "<h1>No server is currently available</h1>",
        );
    }
    match (&head.method, path) {
        (&Method::GET, "/login/oauth/authorize") => authorize::ask(head.uri.query()),
        (&Method::POST, "/login/oauth/authorize") => authorize::decide(github, body),
        (&Method::POST, "/login/oauth/access_token") => token::exchange(github, head, body),
        (method, path) => match path.strip_prefix("/api") {
            Some(path) => api::answer(github, method, path, &head.headers),
            None => plain(404, JSON, r#"{"error":"Not Found"}"#),
        },
    }
}
