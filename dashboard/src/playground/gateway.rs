//! The call itself: the gateway is asked through the service binding, as any caller would, with the
//! playground's key. What it answers is passed on as it comes, or read whole for a page.

use futures_util::StreamExt;
use serde_json::{Value, json};
use tollgate_core::money::Nanos;
use tollgate_core::playground::PlaygroundKey;
use worker::{Headers, Method, RequestInit, Response};

use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::visit::Visit;

/// The name of the service binding in `wrangler.toml`.
const BINDING: &str = "GATEWAY";

/// The binding looks at the path alone.
const URL: &str = "https://gateway/v1/chat/completions";

const EVENTS: &str = "text/event-stream";

/// What is asked.
pub struct Call<'a> {
    /// The model's slug.
    pub model: &'a str,
    /// What the person typed.
    pub prompt: &'a str,
    /// Who pays.
    pub key: PlaygroundKey,
}

/// An answer that was read whole.
#[derive(Debug, PartialEq, Eq)]
pub enum Completion {
    /// It came.
    Done {
        /// The text.
        text: String,
        /// What it took.
        usage: Usage,
    },
    /// It did not, and this is why.
    Refused(String),
}

/// What an answer took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of the prompt.
    pub prompt_tokens: u64,
    /// Of the answer.
    pub completion_tokens: u64,
    /// What it was charged, if the gateway said so.
    pub charge: Option<Nanos>,
}

impl Completion {
    /// The text of the answer; empty if none came.
    pub fn text(&self) -> &str {
        match self {
            Self::Done { text, .. } => text,
            Self::Refused(_) => "",
        }
    }

    /// Why none came.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Done { .. } => None,
            Self::Refused(message) => Some(message),
        }
    }

    /// What it took.
    pub const fn usage(&self) -> Option<Usage> {
        match self {
            Self::Done { usage, .. } => Some(*usage),
            Self::Refused(_) => None,
        }
    }

    fn read(status: u16, charge: &str, body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        if status != 200 {
            let message = body.pointer("/error/message")?.as_str()?;
            return Some(Self::Refused(message.to_owned()));
        }
        let tokens = |name: &str| body.pointer(&format!("/usage/{name}"))?.as_u64();
        let text = body.pointer("/choices/0/message/content")?.as_str();
        Some(Self::Done {
            // A model may also answer with nothing.
            text: text.unwrap_or_default().to_owned(),
            usage: Usage {
                prompt_tokens: tokens("prompt_tokens")?,
                completion_tokens: tokens("completion_tokens")?,
                charge: Nanos::parse_usd(charge).ok(),
            },
        })
    }
}

/// Why a prompt did not go to the gateway, in the gateway's form, for the script.
pub fn refused(message: &str) -> Answer {
    let body = json!({ "error": { "message": message } });
    Answer::text("application/json", body.to_string()).status(422)
}

impl Call<'_> {
    /// Passes the answer on as it comes. Whoever leaves ends the call at the gateway, too.
    pub async fn stream(&self, visit: &Visit) -> Outcome<Answer> {
        let mut response = self.send(visit, None).await?;
        let status = response.status_code();
        let media_type = response.headers().get("content-type")?.unwrap_or_default();
        let media_type = if media_type.starts_with(EVENTS) {
            EVENTS
        } else {
            "application/json"
        };
        let stream = response.stream()?.boxed_local();
        Ok(Answer::stream(media_type, stream).status(status))
    }

    /// Reads the whole answer. With the same `once` it is paid for once.
    pub async fn complete(&self, visit: &Visit, once: &str) -> Outcome<Completion> {
        let mut response = self.send(visit, Some(once)).await?;
        let charge = response.headers().get("x-tollgate-charge")?;
        let body = response.bytes().await?;
        let status = response.status_code();
        Completion::read(status, &charge.unwrap_or_default(), &body).ok_or_else(|| Fault::Service {
            service: "The gateway",
            what: format!("an answer that is none, with status {status}"),
        })
    }

    /// Streamed, unless it has a key under which it is known when it comes again.
    async fn send(&self, visit: &Visit, once: Option<&str>) -> Outcome<Response> {
        let mut body = json!({
            "model": self.model,
            "messages": [{ "role": "user", "content": self.prompt }],
        });
        if once.is_none() {
            body["stream"] = json!(true);
            body["stream_options"] = json!({ "include_usage": true });
        }
        let headers = Headers::new();
        headers.set("content-type", "application/json")?;
        let secret = self.key.key.reveal();
        headers.set("authorization", &format!("Bearer {secret}"))?;
        let is_key = |once: &&str| !once.is_empty() && once.bytes().all(|b| b.is_ascii_graphic());
        if let Some(once) = once.filter(is_key) {
            headers.set("idempotency-key", once)?;
        }
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_body(Some(body.to_string().into()));
        let gateway = visit.env.service(BINDING)?;
        Ok(gateway.fetch(URL, Some(init)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_came_what_it_cost_or_why_nothing_did() {
        let check = |(status, charge, body): (u16, &str, &str), expect: Option<Completion>| {
            assert_eq!(
                Completion::read(status, charge, body.as_bytes()),
                expect,
                "{body}"
            );
        };
        let done = |text: &str, charge: Option<i64>| {
            Some(Completion::Done {
                text: text.to_owned(),
                usage: Usage {
                    prompt_tokens: 7,
                    completion_tokens: 2,
                    charge: charge.map(Nanos::new),
                },
            })
        };
        let usage = r#""usage":{"prompt_tokens":7,"completion_tokens":2}"#;
        let hello = format!(r#"{{"choices":[{{"message":{{"content":"hi"}}}}],{usage}}}"#);
        check((200, "0.0000027", &hello), done("hi", Some(2_700)));
        check((200, "", &hello), done("hi", None));
        let nothing = format!(r#"{{"choices":[{{"message":{{"content":null}}}}],{usage}}}"#);
        check((200, "0", &nothing), done("", Some(0)));
        check(
            (402, "", r#"{"error":{"message":"no credit"}}"#),
            Some(Completion::Refused("no credit".to_owned())),
        );
        check((502, "", "<html>"), None);
        check((200, "", "{}"), None);
    }
}
