//! A form with a file in it, read by the runtime's own parser: one compiled into the Worker would be among
//! its largest parts. What the fields mean is not known here.

use worker::js_sys::{Array, Uint8Array, try_iter};
use worker::wasm_bindgen::JsCast;
use worker::web_sys::File;
use worker::{FormData, Headers, Method, Request, RequestInit, Result};

use crate::form::Form;

/// Reads `multipart/form-data`, whose boundary the content type names.
///
/// # Errors
/// When the body is cut off, or is not what the content type says.
pub async fn parse(content_type: &str, body: &[u8]) -> Result<Form> {
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(Uint8Array::from(body).into()));
    // Nobody is asked: the request only carries the body to the parser, and must have an address.
    let mut carrier = Request::new_with_init("http://form.invalid/", &init)?;
    read(carrier.form_data().await?).await
}

async fn read(parts: FormData) -> Result<Form> {
    let mut form = Form::default();
    for part in try_iter(&parts.into())?.into_iter().flatten() {
        let part: Array = part?.unchecked_into();
        let (name, value) = (part.get(0).as_string().unwrap_or_default(), part.get(1));
        match value.dyn_into::<File>() {
            Ok(file) => form.add_file(name, worker::File::from(file).bytes().await?),
            Err(text) => form.add(name, text.as_string().unwrap_or_default()),
        }
    }
    Ok(form)
}
