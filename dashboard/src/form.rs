//! What a form sent: names and values, as text, and files as bytes. It says nothing of what they mean.

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

    /// Adds a field of an upload.
    pub fn add(&mut self, name: String, value: String) {
        self.fields.push((name, value));
    }

    /// Adds a file of an upload.
    pub fn add_file(&mut self, name: String, bytes: Vec<u8>) {
        self.files.push((name, bytes));
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
