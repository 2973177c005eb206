//! E-mail through Resend's API. What a mail says is decided by the feature that sends it.
//! Source: Resend's API reference, `POST /emails`.

use serde_json::json;
use worker::Method;

use crate::fault::{Fault, Outcome};
use crate::outbound::{Outbound, send};
use crate::visit::Visit;

/// A mail.
#[derive(Debug)]
pub struct Mail<'a> {
    /// The receiver.
    pub to: &'a str,
    /// The subject.
    pub subject: String,
    /// The text; there is no other part.
    pub text: String,
    /// The same mail is sent once, however often it is asked for.
    pub once: String,
}

/// Hands a mail to Resend.
///
/// # Errors
/// When Resend did not take it.
pub async fn deliver(visit: &Visit, mail: Mail<'_>) -> Outcome<()> {
    let body = json!({
        "from": visit.config.mail_from,
        "to": [mail.to],
        "subject": mail.subject,
        "text": mail.text,
    });
    let inbound = send(Outbound {
        service: "Resend",
        method: Method::Post,
        url: format!("{}/emails", visit.config.resend_base_url),
        headers: &[
            (
                "authorization",
                format!("Bearer {}", visit.config.resend_api_key),
            ),
            ("content-type", "application/json".to_owned()),
            ("idempotency-key", mail.once),
        ],
        body: Some(body.to_string()),
    })
    .await?;
    if (200..300).contains(&inbound.status) {
        return Ok(());
    }
    Err(Fault::Service {
        service: "Resend",
        what: format!("status {}", inbound.status),
    })
}
