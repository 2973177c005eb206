//! What a form sent: names and values, as text. It says nothing of what they mean.

/// The fields of a form or of a query, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The first value of that name without the spaces around it; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Every value of that name, as of several boxes that are ticked.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.trim())
    }

    /// The value of that name if it is not empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
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
