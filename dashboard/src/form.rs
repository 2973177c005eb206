//! What a form sent: names and values, as text, and files as bytes. It says nothing of what they mean.

use std::convert::Infallible;

use futures_util::stream::once;
use multer::{Constraints, Multipart, parse_boundary};

/// The fields of a form or of a query, in the order in which they came, and the files of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    fields: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
}

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn parse(bytes: &[u8]) -> Self {
        Self {
            fields: form_urlencoded::parse(bytes).into_owned().collect(),
            files: Vec::new(),
        }
    }

    /// Reads `multipart/form-data`. What is broken is an empty form, which has no token and is refused.
    pub async fn parse_multipart(content_type: &str, body: Vec<u8>) -> Self {
        let Ok(boundary) = parse_boundary(content_type) else {
            return Self::default();
        };
        let body = once(async { Ok::<_, Infallible>(body) });
        let parts = Multipart::with_constraints(body, boundary, Constraints::new());
        Self::of_parts(parts).await.unwrap_or_default()
    }

    async fn of_parts(mut parts: Multipart<'_>) -> multer::Result<Self> {
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await? {
            let name = part.name().unwrap_or_default().to_owned();
            if part.file_name().is_some() {
                form.files.push((name, part.bytes().await?.to_vec()));
            } else {
                // Browsers send the encoding of the page, which is UTF-8, whatever the part says.
                let text = String::from_utf8_lossy(&part.bytes().await?).into_owned();
                form.fields.push((name, text));
            }
        }
        Ok(form)
    }

    /// The bytes of the file of that name, if one was chosen.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        let file = self.files.iter().find(|(known, _)| known == name);
        file.map(|(_, bytes)| bytes.as_slice())
            .filter(|bytes| !bytes.is_empty())
    }

    /// The first value of that name without the spaces around it; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Every value of that name, as of several boxes that are ticked.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.fields.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.trim())
    }

    /// The value of that name if it is not empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// An address with those of these fields that are not empty, and more of them.
    pub fn address(&self, path: &str, names: &[&str], more: &[(&str, &str)]) -> String {
        let kept = names
            .iter()
            .filter_map(|name| Some((*name, self.given(name)?)));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept.chain(more.iter().copied()));
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{path}{mark}{query}")
    }

    /// Whether a box of that name is ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uploaded_file_comes_with_the_fields_beside_it() {
        let check = |content_type: &str, body: &str, expect: (&str, Option<&str>)| {
            let parsed = Form::parse_multipart(content_type, body.as_bytes().to_vec());
            let form = futures_util::FutureExt::now_or_never(parsed).unwrap();
            let file = form.file("logo").map(String::from_utf8_lossy);
            assert_eq!((form.get("csrf"), file.as_deref()), expect, "{body}");
        };
        let kind = "multipart/form-data; boundary=XX";
        let head = "Content-Disposition: form-data; name=";
        let csrf = format!("--XX\r\n{head}\"csrf\"\r\n\r\ntoken\r\n");
        let logo = format!(
            "--XX\r\n{head}\"logo\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
        );
        check(
            kind,
            &format!("{csrf}{logo}bytes\r\n--XX--\r\n"),
            ("token", Some("bytes")),
        );
        check(
            kind,
            &format!("{csrf}{logo}\r\n--XX--\r\n"),
            ("token", None),
        );
        check(kind, &format!("{csrf}--XX--\r\n"), ("token", None));
        // Cut off, or not what it says it is: nothing of it counts.
        check(kind, &format!("{csrf}{logo}byt"), ("", None));
        check(kind, "csrf=token", ("", None));
        check(
            "multipart/form-data",
            &format!("{csrf}--XX--\r\n"),
            ("", None),
        );
    }

    #[test]
    fn the_next_page_keeps_what_was_asked_for() {
        let form = Form::parse(b"search=a+%26+b&after=x&empty=");
        let check = |names: &[&str], more: &[(&str, &str)], expect: &str| {
            assert_eq!(form.address("/p", names, more), expect);
        };
        check(
            &["search", "empty", "other"],
            &[("after", "y=")],
            "/p?search=a+%26+b&after=y%3D",
        );
        check(&["empty"], &[], "/p");
    }

    #[test]
    fn a_form_is_read_whatever_was_typed_into_it() {
        let check = |body: &str, name: &str, expect: &[&str]| {
            let form = Form::parse(body.as_bytes());
            assert_eq!(form.all(name).collect::<Vec<_>>(), expect, "{body}");
        };
        check("a=1&b=2&a=3", "a", &["1", "3"]);
        check("a=+x+%26+y+", "a", &["x & y"]);
        check("a", "a", &[""]);
        check("", "a", &[]);
        check("a=%ff%zz", "a", &["\u{fffd}%zz"]);
        assert_eq!(Form::parse(b"a=+").given("a"), None);
        assert!(Form::parse(b"a=").is_ticked("a"));
    }
}
