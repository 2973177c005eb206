//! The exchange of a code for a token. Errors come with status 200, as GitHub's do.

use std::time::Instant;

use hyper::Response;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName};
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::grants::Refused;
use super::{CLIENT_ID, CLIENT_SECRET, Github};
use crate::fields::Fields;
use crate::reply::{JSON, Reply, plain};

/// GitHub's error texts: <https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/>
const CREDENTIALS: [&str; 3] = [
    "incorrect_client_credentials",
    "The client_id and/or client_secret passed are incorrect.",
    "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#incorrect-client-credentials",
];
const CODE: [&str; 3] = [
    "bad_verification_code",
    "The code passed is incorrect or expired.",
    "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#bad-verification-code",
];
const ADDRESS: [&str; 3] = [
    "redirect_uri_mismatch",
    "The redirect_uri MUST match the registered callback URL for this application.",
    "/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/#redirect-uri-mismatch2",
];

/// Answers as JSON when `Accept` asks for it, otherwise as a form.
pub fn exchange(github: &Github, head: &Parts, body: &[u8]) -> Response<Reply> {
    let answer = match redeem(github, &read(&head.headers, body)) {
        Ok((token, scope)) => [
            ("access_token", token),
            ("scope", scope.replace(' ', ",")),
            ("token_type", "bearer".to_owned()),
        ],
        Err(error) => {
            let [name, text, page] = error.map(str::to_owned);
            [
                ("error", name),
                ("error_description", text),
                ("error_uri", page),
            ]
        }
    };
    if header(&head.headers, ACCEPT).contains("application/json") {
        let object: Map<String, Value> = answer
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        return plain(200, JSON, Value::Object(object).to_string());
    }
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(answer)
        .finish();
    plain(
        200,
        "application/x-www-form-urlencoded; charset=utf-8",
        form,
    )
}

fn read(headers: &HeaderMap, body: &[u8]) -> Fields {
    if header(headers, CONTENT_TYPE).starts_with(JSON) {
        let object: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        return Fields::of_json(&object);
    }
    Fields::of_form(body)
}

fn header(headers: &HeaderMap, name: HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// The token and its scope.
fn redeem(github: &Github, form: &Fields) -> Result<(String, String), [&'static str; 3]> {
    let (id, secret) = (form.one("client_id"), form.one("client_secret"));
    if (id, secret) != (Some(CLIENT_ID), Some(CLIENT_SECRET)) {
        return Err(CREDENTIALS);
    }
    let verifier = form.one("code_verifier").unwrap_or_default();
    let code = form.one("code").unwrap_or_default();
    let mut grants = github.grants();
    let grant = grants
        .redeem(code, form.one("redirect_uri"), verifier, Instant::now())
        .map_err(|refused| match refused {
            Refused::BadVerificationCode => CODE,
            Refused::RedirectUriMismatch => ADDRESS,
        })?;
    let token = format!("gho_{}", github.serial.hex(36));
    let scope = grant.scope.clone();
    grants.hand_out(token.clone(), grant);
    Ok((token, scope))
}
