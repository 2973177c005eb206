//! `/_sim/mail…`: what tests ask about mail.

use hyper::Method;
use serde_json::{Value, json};

use super::mailbox::{Mailbox, Message};
use crate::fields::Fields;

/// Answers a control request, or nothing when there is no such one; the path is without `/_sim/mail`.
pub async fn answer(mailbox: &Mailbox, method: &Method, path: &str, query: &str) -> Option<Value> {
    let query = Fields::of_form(query.as_bytes());
    let to = query.filled("to");
    let after = query.one("after").and_then(|after| after.parse().ok());
    let after: u64 = after.unwrap_or_default();
    match (method, path) {
        (&Method::GET, "") => {}
        (&Method::GET, "/wait") => {
            let arrived = |message: &Message| message.seq > after;
            mailbox.until(|messages| messages.to(to).any(arrived)).await;
        }
        (&Method::DELETE, "") => mailbox.messages().clear(),
        (&Method::POST, "/down") => {
            let down = query.one("on") == Some("1");
            mailbox.set_down(down);
            return Some(json!({"down": down}));
        }
        _ => return None,
    }
    let messages = mailbox.messages();
    let wanted = messages.to(to).take_while(|message| message.seq > after);
    let mails: Vec<Value> = wanted.map(describe).collect();
    Some(json!({"last_seq": messages.last_seq(), "mails": mails}))
}

fn describe(message: &Message) -> Value {
    json!({
        "seq": message.seq,
        "id": message.id,
        "sent_at": message.at.to_string(),
        "from": message.from,
        "to": message.to,
        "reply_to": message.reply_to,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
    })
}
