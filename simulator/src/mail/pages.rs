//! The mailbox as people see it. What a message says is shown, and never does anything: text is
//! escaped, and markup stays in a frame without script, forms or network.

use hyper::Response;
use maud::{Markup, PreEscaped, html};

use super::mailbox::{Message, Messages};
use crate::page::{HTML, page, protected};
use crate::reply::{Reply, plain};

const MOST_SHOWN: usize = 100;

/// Links open beside the mailbox, because the frame may not leave its place.
const MARKUP_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
    style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; form-action 'none'";
const LINKS_ELSEWHERE: &str = "<base target=\"_blank\">";

/// The newest messages, or those to one address.
pub fn list(messages: &Messages, to: Option<&str>) -> Response<Reply> {
    let count = messages.to(to).count();
    let content = html! {
        (header())
        main {
            h1 { "Mailbox" }
            form method="get" action="/mailbox" {
                p { label { "Only to" input type="search" name="to" value=[to] placeholder="someone@example.com"; } }
                p { button { "Show" } }
            }
            @if count == 0 {
                p { "No mail" @if let Some(to) = to { " to " (to) } " yet. Reload the page to look again." }
            } @else {
                ul.list { @for message in messages.to(to).take(MOST_SHOWN) { li { (entry(message)) } } }
            }
            @if count > MOST_SHOWN {
                p.quiet { "The latest " (MOST_SHOWN) " of " (count) "." }
            }
        }
    };
    page(200, "Mailbox", &content)
}

/// One message; `None` is one that is not there.
pub fn message(message: Option<&Message>) -> Response<Reply> {
    let Some(message) = message else {
        let content = html! {
            (header())
            main { h1 { "There is no such mail" } p { "It may have made room for newer mail." } }
        };
        return page(404, "Mailbox", &content);
    };
    let content = html! {
        (header())
        main {
            h1 { (message.subject) }
            dl {
                dt { "From" } dd { (message.from) }
                dt { "To" } dd { (message.to.join(", ")) }
                @if !message.reply_to.is_empty() {
                    dt { "Answer to" } dd { (message.reply_to.join(", ")) }
                }
                dt { "Sent" } dd { (time(message)) }
                dt { "Id" } dd { (message.id) }
            }
            @if let Some(text) = &message.text {
                h2 { "Text" }
                pre { (linked(text)) }
            }
            @if message.html.is_some() {
                h2 { "HTML" }
                iframe title="HTML part" src={ "/mailbox/" (message.seq) "/html" }
                    sandbox="allow-popups allow-popups-to-escape-sandbox" {}
            }
        }
    };
    page(200, &message.subject, &content)
}

/// The part with markup, for the frame.
pub fn html_part(message: Option<&Message>) -> Response<Reply> {
    let Some(markup) = message.and_then(|message| message.html.as_deref()) else {
        return self::message(None);
    };
    // Behind the head's tag if there is one: in front of everything it would change how old-fashioned
    // the browser lays the page out.
    let place = markup.find("<head>").map_or(0, |at| at + "<head>".len());
    let (before, after) = markup.split_at(place);
    let body = [before, LINKS_ELSEWHERE, after].concat();
    protected(plain(200, HTML, body), MARKUP_POLICY)
}

fn header() -> Markup {
    html! { header { a href="/mailbox" { "Mailbox" } " of the simulator" } }
}

fn entry(message: &Message) -> Markup {
    html! {
        a href={ "/mailbox/" (message.seq) } { (message.subject) }
        br;
        span.quiet { "to " (message.to.join(", ")) " · from " (message.from) " · " (time(message)) }
    }
}

fn time(message: &Message) -> String {
    message.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The text with its web addresses as links.
fn linked(text: &str) -> Markup {
    let is_link = |word: &str| word.starts_with("http://") || word.starts_with("https://");
    let words = text.split_inclusive(char::is_whitespace).map(|piece| {
        let word = piece.trim_end();
        let after = piece.strip_prefix(word).unwrap_or_default();
        html! {
            @if is_link(word) { a href=(word) target="_blank" rel="noreferrer" { (word) } } @else { (word) }
            (after)
        }
    });
    PreEscaped(words.map(PreEscaped::into_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_its_links_can_be_followed() {
        let check = |text: &str, expect: &str| assert_eq!(linked(text).0, expect, "{text}");
        let link = "<a href=\"http://a/?b&amp;c\" target=\"_blank\" rel=\"noreferrer\">http://a/?b&amp;c</a>";
        check("http://a/?b&c", link);
        check("see\nhttp://a/?b&c now", &format!("see\n{link} now"));
        check("<script>", "&lt;script&gt;");
        check("javascript:1", "javascript:1");
        check("", "");
    }
}
