//! The frame of the pages that people see: plain, readable on a phone, without script. What is on a
//! page stands with the stand-in that shows it.

use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::reply::{Reply, plain};

/// The content type of a page.
pub const HTML: &str = "text/html; charset=utf-8";

/// Frames may only show this server. Where forms lead is left open: a sign-in ends elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; img-src data:; base-uri 'none'";

const STYLE: &str = "
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem;
  overflow-wrap: anywhere; }
header { border-bottom: 1px solid #8888; margin-bottom: 1.5rem; padding-bottom: .5rem; }
header a { color: inherit; }
h1 { font-size: 1.4rem; line-height: 1.25; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
ul.list { list-style: none; margin: 0; padding: 0; }
ul.list > li { border-bottom: 1px solid #8888; padding: .75rem 0; }
.quiet { font-size: .9rem; opacity: .8; }
form p { margin: .75rem 0; }
label { display: block; }
label.inline { display: flex; gap: .5rem; align-items: center; }
input:not([type=checkbox]) { font: inherit; padding: .4rem; width: 100%; }
input[type=checkbox] { height: 1.25rem; width: 1.25rem; }
button { font: inherit; min-height: 2.75rem; padding: .4rem 1rem; text-align: left; cursor: pointer; }
button.wide { width: 100%; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dd { margin: 0; }
pre { border: 1px solid #8888; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; }
iframe { background: #fff; border: 1px solid #8888; height: 34rem; width: 100%; }
";

/// A whole page.
#[must_use]
pub fn page(code: u16, title: &str, content: &Markup) -> Response<Reply> {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Otherwise a browser asks for an icon that is not there.
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (content) }
        }
    };
    protected(plain(code, HTML, markup.into_string()), POLICY)
}

/// Adds the headers that keep what strangers wrote from doing anything.
#[must_use]
pub fn protected(mut response: Response<Reply>, policy: &'static str) -> Response<Reply> {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
