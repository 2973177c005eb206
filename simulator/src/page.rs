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
:root { color-scheme: light dark; --line: light-dark(#767676, #8c8c8c);
  background: light-dark(#fff, #16181d); color: light-dark(#1b1f24, #e8eaed); }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem;
  overflow-wrap: anywhere; }
a { color: light-dark(#0b57d0, #a8c7fa); }
header { border-bottom: 1px solid var(--line); margin-bottom: 1.5rem; padding-bottom: .5rem; }
h1 { font-size: 1.4rem; line-height: 1.25; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
ul.list { list-style: none; margin: 0; padding: 0; }
ul.list > li { border-bottom: 1px solid var(--line); padding: .75rem 0; }
.quiet { color: light-dark(#4b5563, #b6bcc6); font-size: .9rem; }
form p { margin: .75rem 0; }
label { display: block; }
label.inline { align-items: center; display: flex; gap: .5rem; }
input, button { background: light-dark(#fff, #22252b); border: 1px solid var(--line);
  border-radius: .375rem; color: inherit; font: inherit; min-height: 2.75rem; padding: .4rem .75rem; }
input:not([type=checkbox]) { width: 100%; }
input[type=checkbox] { height: 1.25rem; min-height: 0; width: 1.25rem; }
button { background: light-dark(#eef1f5, #2d3139); cursor: pointer; text-align: left; }
button.wide { width: 100%; }
dl { display: grid; gap: .25rem 1rem; grid-template-columns: max-content 1fr; }
dd { margin: 0; }
pre { border: 1px solid var(--line); overflow-wrap: anywhere; padding: .75rem; white-space: pre-wrap; }
iframe { background: #fff; border: 1px solid var(--line); height: 34rem; width: 100%; }
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
