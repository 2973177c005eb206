//! `POST /emails` as Resend answers it. Fields that this stand-in does not show are refused, so that
//! nobody believes they were sent.

use hyper::header::{AUTHORIZATION, HeaderMap, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{Method, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::address::bare;
use super::mailbox::{Keyed, Mailbox, Message};
use crate::reply::{JSON, Reply, plain};

/// The only API key.
pub const API_KEY: &str = "re_simulator";

/// Fields that are understood; `headers` and `tags` are taken and not shown.
const FIELDS: [&str; 8] = [
    "from", "to", "subject", "html", "text", "reply_to", "headers", "tags",
];
const MOST_RECIPIENTS: usize = 50;
const LONGEST_BODY: usize = 1_024 * 1_024;

/// An error in Resend's shape: <https://resend.com/docs/api-reference/errors>
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    code: u16,
    name: &'static str,
    message: String,
}

impl Refused {
    fn new(code: u16, name: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            name,
            message: message.into(),
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, "validation_error", message)
    }

    fn missing(field: &str) -> Self {
        Self::new(
            422,
            "missing_required_field",
            format!("Missing `{field}` field."),
        )
    }
}

/// Answers a request; the path is without `/resend`.
pub fn answer(mailbox: &Mailbox, head: &Parts, path: &str, body: &[u8]) -> Response<Reply> {
    if !head.headers.contains_key(USER_AGENT) {
        // Comes from the network in front of Resend, not from Resend.
        return plain(403, "text/plain; charset=UTF-8", "error code: 1010");
    }
    match send(mailbox, head, path, body) {
        Ok(id) => plain(200, JSON, json!({"id": id}).to_string()),
        Err(Refused {
            code,
            name,
            message,
        }) => {
            let body = json!({"statusCode": code, "name": name, "message": message});
            plain(code, JSON, body.to_string())
        }
    }
}

fn send(mailbox: &Mailbox, head: &Parts, path: &str, body: &[u8]) -> Result<String, Refused> {
    if mailbox.is_down() {
        let message = "An unexpected error occurred.";
        return Err(Refused::new(500, "application_error", message));
    }
    if path != "/emails" {
        let message = "The requested endpoint does not exist.";
        return Err(Refused::new(404, "not_found", message));
    }
    if head.method != Method::POST {
        let message = "Method is not allowed for the requested path.";
        return Err(Refused::new(405, "method_not_allowed", message));
    }
    authenticate(&head.headers)?;
    let keyed = keyed(&head.headers, body)?;
    let message = read(body)?;
    let message = Message {
        id: mailbox.serial.uuid(),
        at: Timestamp::now(),
        ..message
    };
    let id = mailbox.messages().deliver(message, keyed).map_err(|_| {
        let text = "Same idempotency key used with a different request payload.";
        Refused::new(409, "invalid_idempotent_request", text)
    })?;
    mailbox.arrived();
    Ok(id)
}

fn authenticate(headers: &HeaderMap) -> Result<(), Refused> {
    let Some(shown) = headers.get(AUTHORIZATION) else {
        let message = "Missing API key in the authorization header.";
        return Err(Refused::new(401, "missing_api_key", message));
    };
    let shown = shown.to_str().unwrap_or_default();
    if shown.strip_prefix("Bearer ") != Some(API_KEY) {
        return Err(Refused::new(403, "invalid_api_key", "API key is invalid."));
    }
    Ok(())
}

fn keyed(headers: &HeaderMap, body: &[u8]) -> Result<Option<Keyed>, Refused> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default();
    if !(1..=256).contains(&key.len()) {
        let message = "The key must be between 1-256 chars.";
        return Err(Refused::new(400, "invalid_idempotency_key", message));
    }
    Ok(Some(Keyed {
        key: key.to_owned(),
        digest: Sha256::digest(body).into(),
    }))
}

/// The message without number, id and time.
fn read(body: &[u8]) -> Result<Message, Refused> {
    if body.len() > LONGEST_BODY {
        return Err(Refused::invalid("This stand-in takes at most 1 MiB."));
    }
    let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|_| {
        let message = "The request body must be a JSON object.";
        Refused::new(400, "validation_error", message)
    })?;
    if let Some(other) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        let message = format!("This stand-in does not know the `{other}` field.");
        return Err(Refused::invalid(message));
    }
    let from = text(&fields, "from")?.ok_or_else(|| Refused::missing("from"))?;
    check_address("from", &from)?;
    let to = addresses(&fields, "to")?;
    if to.is_empty() {
        return Err(Refused::missing("to"));
    }
    let subject = text(&fields, "subject")?.ok_or_else(|| Refused::missing("subject"))?;
    if subject.contains('\n') {
        let message = "The `\\n` is not allowed in the `subject` field.";
        return Err(Refused::invalid(message));
    }
    let (html, plain) = (text(&fields, "html")?, text(&fields, "text")?);
    if html.is_none() && plain.is_none() {
        let message = "Missing `html` or `text` field.";
        return Err(Refused::new(422, "missing_required_field", message));
    }
    Ok(Message {
        seq: 0,
        id: String::new(),
        at: Timestamp::UNIX_EPOCH,
        from,
        to,
        reply_to: addresses(&fields, "reply_to")?,
        subject,
        text: plain,
        html,
    })
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Refused> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refused::invalid(format!(
            "The `{name}` field must be a `string`."
        ))),
    }
}

fn addresses(fields: &Map<String, Value>, name: &str) -> Result<Vec<String>, Refused> {
    let wrong = || {
        Refused::invalid(format!(
            "The `{name}` field must be a `string` or an array of them."
        ))
    };
    let addresses = match fields.get(name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => {
            let several = several.iter().map(|one| one.as_str().map(str::to_owned));
            several.collect::<Option<_>>().ok_or_else(wrong)?
        }
        Some(_) => return Err(wrong()),
    };
    if addresses.len() > MOST_RECIPIENTS {
        let message = format!("The `{name}` field takes at most {MOST_RECIPIENTS} addresses.");
        return Err(Refused::invalid(message));
    }
    for address in &addresses {
        check_address(name, address)?;
    }
    Ok(addresses)
}

fn check_address(field: &str, address: &str) -> Result<(), Refused> {
    if bare(address).is_some() {
        return Ok(());
    }
    Err(Refused::invalid(format!(
        "Invalid `{field}` field. The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_resend_would_refuse_is_refused() {
        let check = |changes: Value, expect: Result<(), (&str, &str)>| {
            let mut body = json!({
                "from": "Shop <shop@a.example>", "to": "c@d.example", "subject": "Hi", "text": "t",
            });
            for (name, value) in changes.as_object().unwrap() {
                body[name] = value.clone();
            }
            let read = read(body.to_string().as_bytes()).map(drop);
            let told = read.as_ref().map_err(|r| (r.name, r.message.as_str()));
            let same = match (&told, &expect) {
                (Ok(()), Ok(())) => true,
                (Err((name, message)), Err((expect, part))) => {
                    name == expect && message.contains(part)
                }
                _ => false,
            };
            assert!(same, "{changes}: {told:?}");
        };
        let missing = |part| Err(("missing_required_field", part));
        let invalid = |part| Err(("validation_error", part));
        check(json!({}), Ok(()));
        check(json!({"text": null, "html": "<p>"}), Ok(()));
        check(json!({"to": ["c@d.example", "E <e@f.example>"]}), Ok(()));
        check(json!({"reply_to": "r@a.example", "tags": []}), Ok(()));
        check(json!({"from": null}), missing("`from`"));
        check(json!({"from": ""}), missing("`from`"));
        check(json!({"to": null}), missing("`to`"));
        check(json!({"to": []}), missing("`to`"));
        check(json!({"subject": null}), missing("`subject`"));
        check(json!({"text": null}), missing("`html` or `text`"));
        check(json!({"from": "shop"}), invalid("Invalid `from` field."));
        check(json!({"to": "c"}), invalid("Invalid `to` field."));
        check(
            json!({"to": ["c@d.example", ""]}),
            invalid("Invalid `to` field."),
        );
        check(json!({"to": [1]}), invalid("The `to` field must be"));
        check(
            json!({"to": vec!["c@d.example"; 51]}),
            invalid("at most 50"),
        );
        check(
            json!({"subject": "a\nBcc: x"}),
            invalid("not allowed in the `subject`"),
        );
        check(json!({"subject": 1}), invalid("must be a `string`"));
        check(json!({"bcc": "x@y.example"}), invalid("the `bcc` field"));
        check(json!({"text": "x".repeat(LONGEST_BODY)}), invalid("1 MiB"));
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        for body in ["", "[]", "\"x\"", "{\"from\":"] {
            let refused = read(body.as_bytes()).unwrap_err();
            assert_eq!(
                (refused.code, refused.name),
                (400, "validation_error"),
                "{body}"
            );
        }
    }
}
