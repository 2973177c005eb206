//! Names and values of a query or a form, decoded. Nothing is checked here.

use serde_json::{Map, Value};
use url::form_urlencoded;

/// Decoded pairs in the order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a query, or the body of a form that was sent the browser's usual way.
    #[must_use]
    pub fn of_form(form: &[u8]) -> Self {
        Self(form_urlencoded::parse(form).into_owned().collect())
    }

    /// The strings and numbers of a JSON object; other values are left out.
    #[must_use]
    pub fn of_json(object: &Map<String, Value>) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let pairs = object
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), text(value)?)));
        Self(pairs.collect())
    }

    /// The value of that name, if there is exactly one.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The same, unless it is empty.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.one(name).filter(|value| !value.is_empty())
    }

    /// All pairs.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_counts_when_it_stands_there_once() {
        let check = |form: &str, expect: Option<&str>| {
            assert_eq!(Fields::of_form(form.as_bytes()).one("a"), expect, "{form}");
        };
        check("a=1", Some("1"));
        check("a=%26+%C3%A4", Some("& ä"));
        check("a", Some(""));
        check("a=1&a=2", None);
        check("b=1", None);
        check("", None);
    }
}
