//! Who a token belongs to, in the shapes of GitHub's REST API.

use hyper::header::{AUTHORIZATION, HeaderMap, USER_AGENT};
use hyper::{Method, Response};
use serde_json::{Value, json};

use super::Github;
use super::grants::Grant;
use super::people::Person;
use crate::reply::{JSON, Reply, plain};

const AGENT_MISSING: &str = "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header \
(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). \
Check https://developer.github.com for other possible causes.\r\n";

const USER: &str = "https://docs.github.com/rest/users/users#get-the-authenticated-user";
const EMAILS: &str =
    "https://docs.github.com/rest/users/emails#list-email-addresses-for-the-authenticated-user";

/// Answers a request; the path is without `/github/api`.
pub fn answer(
    github: &Github,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Response<Reply> {
    if !headers.contains_key(USER_AGENT) {
        return plain(403, "text/html", AGENT_MISSING);
    }
    let docs = match (method, path) {
        (&Method::GET, "/user") => USER,
        (&Method::GET, "/user/emails") => EMAILS,
        _ => return refusal(404, "Not Found", "https://docs.github.com/rest"),
    };
    let grants = github.grants();
    let Some(shown) = token(headers) else {
        return refusal(401, "Requires authentication", docs);
    };
    let Some(grant) = grants.of_token(shown) else {
        return refusal(401, "Bad credentials", "https://docs.github.com/rest");
    };
    match path {
        "/user" => plain(200, JSON, user(&grant.person).to_string()),
        _ if may_read_emails(grant) => plain(200, JSON, emails(&grant.person).to_string()),
        // GitHub hides from a token what it may not see.
        _ => refusal(404, "Not Found", docs),
    }
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    known.then_some(token)
}

fn may_read_emails(grant: &Grant) -> bool {
    grant.covers(&["user", "user:email"])
}

fn user(person: &Person) -> Value {
    json!({
        "login": person.login,
        "id": person.id,
        "node_id": format!("U_sim{}", person.id),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", person.id),
        "url": format!("https://api.github.com/users/{}", person.login),
        "html_url": format!("https://github.com/{}", person.login),
        "type": "User",
        "site_admin": false,
        "name": person.name,
        // The public address, which nobody here has set; an app must not rely on it.
        "email": null,
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-01T00:00:00Z",
    })
}

fn emails(person: &Person) -> Value {
    let describe = |address: &super::people::Address| {
        json!({
            "email": address.email,
            "primary": address.primary,
            "verified": address.verified,
            "visibility": address.primary.then_some("private"),
        })
    };
    person.emails.iter().map(describe).collect()
}

fn refusal(code: u16, message: &str, docs: &str) -> Response<Reply> {
    let body = json!({"message": message, "documentation_url": docs, "status": code.to_string()});
    plain(code, JSON, body.to_string())
}
