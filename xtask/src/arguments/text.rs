//! Free text of one line: patterns of model names, names, reasons and references. Text that names
//! something which exists is in `ids.rs`.

use tollgate_core::people::EmailAddress;
use ureq::http::Uri;

use crate::failure::Failure;

const MAX_TEXT_BYTES: usize = 200;

/// A pattern of model names.
///
/// # Errors
/// When it can match no model's name.
pub fn pattern(text: &str) -> Result<String, Failure> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > MAX_TEXT_BYTES || !plain {
        return Err(
            Failure::new(format!("`{text}` is no pattern of model names")).hint(
                "a pattern is a model's name in which `*` stands for any text, such as `openai/*`",
            ),
        );
    }
    Ok(text.to_owned())
}

/// A name or a reason: one line that people read. `what` is the word for it.
///
/// # Errors
/// When it is empty, too long or more than a line.
pub fn line(what: &str, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
        return Err(
            Failure::new(format!("the {what} is empty, too long or more than a line"))
                .hint(format!("a {what} has 1 to {MAX_TEXT_BYTES} bytes")),
        );
    }
    Ok(text.to_owned())
}

/// A reference that names a business event.
///
/// # Errors
/// When it is not a plain word.
pub fn reference(text: &str) -> Result<String, Failure> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > MAX_TEXT_BYTES || !plain {
        return Err(Failure::new(format!("`{text}` is no reference"))
            .hint("a reference is one word, such as `invoice-17`"));
    }
    Ok(text.to_owned())
}

/// An e-mail address.
///
/// # Errors
/// When it is none.
pub fn email(text: &str) -> Result<EmailAddress, Failure> {
    EmailAddress::parse(text).ok_or_else(|| {
        Failure::new(format!("`{text}` is no e-mail address"))
            .hint("an address looks like `someone@example.com`")
    })
}

/// Scheme, host and port, in lower case: where pages are. Plain HTTP is for this machine.
///
/// # Errors
/// When it is anything else, or has a path.
pub fn origin(text: &str) -> Result<String, Failure> {
    let typed = text.trim_end_matches('/').to_ascii_lowercase();
    let uri: Option<Uri> = typed.parse().ok();
    let is_origin = uri.is_some_and(|uri| {
        let local = matches!(uri.host(), Some("localhost" | "127.0.0.1"));
        let scheme = uri.scheme_str().unwrap_or_default();
        (scheme == "https" || (scheme == "http" && local))
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.path() == "/"
            && uri.query().is_none()
    });
    if is_origin {
        return Ok(typed);
    }
    Err(Failure::new(format!("`{text}` is no origin"))
        .hint("an origin is a scheme and a host, such as `https://shop.example`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::same;

    #[test]
    fn an_origin_is_a_safe_place_for_pages() {
        let check = |text: &str, expect: Result<&str, &str>| {
            same(text, origin(text), expect.map(str::to_owned));
        };
        check("https://Shop.example/", Ok("https://shop.example"));
        check("http://127.0.0.1:8788", Ok("http://127.0.0.1:8788"));
        for text in [
            "http://shop.example",
            "https://shop.example/path",
            "https://a@shop.example",
            "https://shop.example?x",
            "ftp://localhost",
            "shop.example",
            "",
        ] {
            check(text, Err("no origin"));
        }
    }

    #[test]
    fn names_patterns_and_references_are_one_line() {
        let long = "a".repeat(201);
        same("", line("name", "Ada's key"), Ok("Ada's key".to_owned()));
        same("", line("name", "  é  "), Ok("é".to_owned()));
        for text in ["", "  ", "a\nb", long.as_str()] {
            same(text, line("name", text), Err("the name is empty"));
        }
        same("", pattern("openai/*"), Ok("openai/*".to_owned()));
        for text in ["", "open ai", "é", long.as_str()] {
            same(text, pattern(text), Err("no pattern"));
            same(text, reference(text), Err("no reference"));
        }
    }
}
