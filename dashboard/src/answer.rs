//! What a route answers with, and how it becomes a response: its status, its body and the headers that
//! every answer carries, so that no page can forget one.

use futures_util::stream::LocalBoxStream;
use maud::Markup;
use worker::{Headers, Response, ResponseBody, ResponseBuilder, Result};

use crate::assets::Asset;
use crate::visit::Visit;

/// What a route answers with.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

/// A body.
pub enum Body {
    /// None.
    Empty,
    /// A page, or a part of one.
    Html(Markup),
    /// Anything else, with its media type in the headers.
    Bytes(Vec<u8>),
    /// A script or a style sheet, compressed when it was built.
    Asset(&'static Asset),
    /// Bytes as they come, such as an export.
    Stream(LocalBoxStream<'static, Result<Vec<u8>>>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Html(_) => "Html",
            Self::Bytes(_) => "Bytes",
            Self::Asset(_) => "Asset",
            Self::Stream(_) => "Stream",
        })
    }
}

impl Answer {
    /// A page, or a part of one.
    pub const fn html(markup: Markup) -> Self {
        Self::of(200, Body::Html(markup))
    }

    /// Text that is not a page, such as JSON.
    pub fn text(media_type: &str, text: impl Into<String>) -> Self {
        Self::of(200, Body::Bytes(text.into().into_bytes())).with("content-type", media_type)
    }

    /// Bytes of a media type.
    pub fn bytes(media_type: &str, bytes: Vec<u8>) -> Self {
        Self::of(200, Body::Bytes(bytes)).with("content-type", media_type)
    }

    /// A script or a style sheet.
    pub const fn asset(asset: &'static Asset) -> Self {
        Self::of(200, Body::Asset(asset))
    }

    /// A file to save, as it comes.
    pub fn download(
        file: &str,
        media_type: &str,
        stream: LocalBoxStream<'static, Result<Vec<u8>>>,
    ) -> Self {
        Self::of(200, Body::Stream(stream))
            .with("content-type", media_type)
            .with(
                "content-disposition",
                format!("attachment; filename=\"{file}\""),
            )
    }

    /// Bytes as they come, such as server-sent events.
    pub fn stream(media_type: &str, stream: LocalBoxStream<'static, Result<Vec<u8>>>) -> Self {
        Self::of(200, Body::Stream(stream)).with("content-type", media_type)
    }

    /// Nothing but a status.
    pub const fn empty(status: u16) -> Self {
        Self::of(status, Body::Empty)
    }

    /// Go there with a GET: what a form is answered with, so that reloading does not send it again.
    pub fn see_other(location: impl Into<String>) -> Self {
        Self::empty(303).with("location", location)
    }

    /// The same with another status.
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with one header more.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The HTTP status.
    pub const fn code(&self) -> u16 {
        self.status
    }

    const fn of(status: u16, body: Body) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// The response, with the headers that every answer carries.
    pub fn into_response(self, visit: &Visit) -> Result<Response> {
        let headers = Headers::new();
        for (name, value) in security_headers(visit) {
            headers.set(name, &value)?;
        }
        headers.set("cache-control", "no-store")?;
        for (name, value) in &self.headers {
            if *name == "set-cookie" {
                headers.append(name, value)?;
            } else {
                headers.set(name, value)?;
            }
        }
        let builder = ResponseBuilder::new().with_status(self.status);
        match self.body {
            Body::Empty => Ok(builder.with_headers(headers).empty()),
            Body::Html(markup) => {
                headers.set("content-type", "text/html; charset=utf-8")?;
                let bytes = markup.into_string().into_bytes();
                Ok(builder.with_headers(headers).fixed(bytes))
            }
            Body::Bytes(bytes) => Ok(builder.with_headers(headers).fixed(bytes)),
            Body::Asset(asset) => {
                headers.set("content-type", asset.media_type)?;
                headers.set("cache-control", "public, max-age=31536000, immutable")?;
                headers.set("content-encoding", "gzip")?;
                headers.set("vary", "accept-encoding")?;
                let body = ResponseBody::Body(asset.gzip.to_vec());
                Ok(builder
                    .with_headers(headers)
                    .with_encode_body(worker::EncodeBody::Manual)
                    .body(body))
            }
            Body::Stream(stream) => builder.with_headers(headers).from_stream(stream),
        }
    }
}

/// No script, style or frame but our own; forms may lead to the pages of Stripe and GitHub.
fn security_headers(visit: &Visit) -> [(&'static str, String); 7] {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self' {} {}",
        visit.config.stripe_page_origins,
        origin(&visit.config.github_base_url),
    );
    [
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff".to_owned()),
        ("referrer-policy", "same-origin".to_owned()),
        ("cross-origin-opener-policy", "same-origin".to_owned()),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=()".to_owned(),
        ),
        // Not for the hosts below it: a reseller's domain may have others there.
        ("strict-transport-security", "max-age=31536000".to_owned()),
    ]
}

/// Scheme and host of a URL: a policy with a path would allow that one page only.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(host..).and_then(|rest| rest.find('/'));
    end.and_then(|end| url.get(..host + end)).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_may_lead_to_a_company_wherever_its_pages_are() {
        let check = |url: &str, expect: &str| assert_eq!(origin(url), expect);
        check("https://github.com", "https://github.com");
        check("http://127.0.0.3:9302/github", "http://127.0.0.3:9302");
        check("https://github.example/a/b", "https://github.example");
    }
}
