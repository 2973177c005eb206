//! A stand-in for Resend below `/resend`, the mailbox below `/mailbox` that shows what was sent, and
//! its JSON below `/_sim/mail`. No mail leaves this process.

mod address;
mod control;
mod mailbox;
mod pages;
mod resend;

use hyper::http::request::Parts;
use hyper::{Method, Response};

use crate::fields::Fields;
use crate::reply::Reply;

pub use control::answer as control;
pub use mailbox::{Mailbox, Message, Messages};
pub use resend::API_KEY;

/// Answers a request to `/resend/…` or `/mailbox…`.
#[must_use]
pub fn answer(mailbox: &Mailbox, head: &Parts, body: &[u8]) -> Response<Reply> {
    let path = head.uri.path();
    if let Some(path) = path.strip_prefix("/resend") {
        return resend::answer(mailbox, head, path, body);
    }
    let parts: Vec<&str> = path.split('/').collect();
    let number = parts.get(2).and_then(|number| number.parse().ok());
    match (&head.method, &parts[..], number) {
        (&Method::GET, ["", "mailbox"] | ["", "mailbox", ""], _) => {
            let query = Fields::of_form(head.uri.query().unwrap_or_default().as_bytes());
            pages::list(&mailbox.messages(), query.filled("to"))
        }
        (&Method::GET, ["", "mailbox", _], Some(seq)) => {
            pages::message(mailbox.messages().get(seq))
        }
        (&Method::GET, ["", "mailbox", _, "html"], Some(seq)) => {
            pages::html_part(mailbox.messages().get(seq))
        }
        _ => pages::message(None),
    }
}
