//! What the browser asked, read with limits before anybody is known: the path, the query, the form and
//! the few headers that anything here looks at.

use futures_util::StreamExt;
use worker::{Method, Request, Result};

use crate::form::Form;
use crate::routes::find;
use crate::upload;

/// What the browser asked.
#[derive(Debug, Default)]
pub struct Asked {
    /// `GET` or `POST`.
    pub method: String,
    /// Whether only the headers of the answer are asked for; `method` is `GET` then, too.
    pub is_head: bool,
    /// The path, as in the address.
    pub path: String,
    /// The path with the query, as in the address.
    pub target: String,
    /// What stands in the path where the route has a name.
    pub params: Vec<(String, String)>,
    /// The query.
    pub query: Form,
    /// What a form sent, if one was sent.
    pub form: Form,
    /// The body, as it came.
    pub body: Vec<u8>,
    /// Whether more was sent than is taken here; then nothing of it is in `form` and `body`.
    pub is_too_large: bool,
    /// The headers that matter here, by their names in lower case.
    pub headers: Vec<(&'static str, String)>,
}

/// The most that a form may send.
const MAX_FORM_BYTES: usize = 256 * 1024;

/// The most that a form with a file may send: a catalogue of models is the largest.
const MAX_UPLOAD_BYTES: usize = 4 * 1024 * 1024;

/// Where a form may have a file.
const UPLOADS: [&str; 2] = ["/brand/logo", "/models/import"];

/// The headers that anything here reads.
const HEADERS: [&str; 13] = [
    "accept",
    "cf-connecting-ip",
    "content-type",
    "cookie",
    "host",
    "hx-boosted",
    "hx-request",
    "origin",
    "sec-fetch-site",
    "sec-purpose",
    "stripe-signature",
    "user-agent",
    "x-csrf-token",
];

/// A form with a file that was not read yet: it takes memory, which is not for strangers.
pub struct Upload {
    request: Request,
    content_type: String,
}

impl Asked {
    /// Reads the form with the file.
    pub async fn take(&mut self, mut upload: Upload) -> Result<()> {
        let body = read_body(&mut upload.request, MAX_UPLOAD_BYTES).await?;
        self.is_too_large = body.is_none();
        // What is broken is an empty form, which has no token and is refused.
        let form = upload::parse(&upload.content_type, &body.unwrap_or_default()).await;
        self.form = form.unwrap_or_default();
        Ok(())
    }
}

/// Reads a request, but for a file that comes with it; what stands in its path is said by the route list.
pub async fn read(mut request: Request) -> Result<(Asked, Option<Upload>)> {
    let url = request.url()?;
    // What answers GET answers HEAD; the runtime leaves out the body.
    let is_head = request.method() == Method::Head;
    let method = if is_head {
        "GET".to_owned()
    } else {
        request.method().to_string()
    };
    let headers = HEADERS
        .into_iter()
        .filter_map(|name| Some((name, request.headers().get(name).ok()??)))
        .collect();
    let content_type = request.headers().get("content-type")?.unwrap_or_default();
    let path = url.path().to_owned();
    let target = url
        .query()
        .map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let is_multipart = content_type.starts_with("multipart/form-data");
    let sends_file = is_multipart && method == "POST" && UPLOADS.contains(&path.as_str());
    let most = if is_multipart { 0 } else { MAX_FORM_BYTES };
    let read = if method == "POST" && !sends_file {
        read_body(&mut request, most).await?
    } else {
        Some(Vec::new())
    };
    let is_too_large = read.is_none();
    let body = read.unwrap_or_default();
    let asked = Asked {
        method,
        is_head,
        params: find(&path).map_or_else(Vec::new, |(_, params)| params),
        query: Form::parse(url.query().unwrap_or_default().as_bytes()),
        form: Form::parse(&body),
        path,
        target,
        body,
        is_too_large,
        headers,
    };
    let upload = sends_file.then_some(Upload {
        request,
        content_type,
    });
    Ok((asked, upload))
}

/// The body of a request; `None` if it is larger than `most` bytes.
async fn read_body(request: &mut Request, most: usize) -> Result<Option<Vec<u8>>> {
    let mut stream = request.stream()?;
    let mut body = Vec::new();
    while let Some(bytes) = stream.next().await {
        body.extend(bytes?);
        if body.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(body))
}
